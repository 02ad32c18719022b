//! The daemon under load, as a table, as JSON and as a picture.

use std::{
    fmt::Write as _,
    sync::{PoisonError, atomic::Ordering::Relaxed},
};

use serde_json::{Value, json};

use super::{
    FLOWS,
    daemon::{Memory, PROCESSES},
    load::{self, Counts},
};
use crate::bench::{
    machine::Machine,
    svg::{Anchor, Svg, ticks},
};

/// A window without load and one with it.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    pub quiet_fps: f64,
    pub loaded_fps: f64,
}

impl Round {
    fn ratio(self) -> f64 {
        self.loaded_fps / self.quiet_fps
    }
}

/// One run.
pub struct Case {
    pub name: &'static str,
    /// Of each flow.
    pub rate: String,
    pub rounds: Vec<Round>,
    /// CPUs that sent.
    pub senders: Vec<usize>,
    /// `linerate.run/1`.
    pub result: Value,
}

impl Case {
    pub fn median(&self, pick: impl Fn(Round) -> f64) -> f64 {
        let mut values: Vec<f64> = self.rounds.iter().map(|round| pick(*round)).collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        match values.len() % 2 {
            0 if values.is_empty() => f64::NAN,
            0 => f64::midpoint(values[middle - 1], values[middle]),
            _ => values[middle],
        }
    }

    fn sum(&self, key: &str) -> u64 {
        let flows = self.result["flows"].as_array().map_or(&[][..], |flows| flows);
        flows.iter().filter_map(|flow| flow[key].as_u64()).sum()
    }
}

pub struct Report {
    pub cases: Vec<Case>,
    pub counts: Counts,
    pub before: [Memory; 3],
    pub after: [Memory; 3],
    /// One-minute load average before the run.
    pub busy: String,
    /// Seconds.
    pub window: u64,
    pub machine: Machine,
}

/// A change of less than this is the aim.
const TARGET: f64 = 0.02;

impl Report {
    pub fn table(&self) -> String {
        let mut text = format!(
            "A run of {FLOWS} flows of 64 octets over a veth pair, sent and analysed by the daemon;\n\
             frames by the kernel's counter at the far end, windows of {} s in turn.\n\
             Load: {} readers of one flow, {} of all, {} that take {} octets/s; {} requests/s; flow\n\
             sets of {} MiB stored and removed all the time. It is made on the CPUs that do not\n\
             send. Load average before: {}.\n\n",
            self.window,
            load::ONE_FLOW,
            load::ALL_FLOWS,
            load::SLOW,
            load::SLOW_OCTETS,
            load::REQUESTS,
            load::UPLOAD_MIB,
            self.busy,
        );
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(
            text,
            "{:24}{:>12}{:>12}{:>10}{:>22}{:>12}",
            "frames/s, median", "quiet", "loaded", "ratio", "least and most", "sent on CPU"
        );
        for case in &self.cases {
            let ratios = case.rounds.iter().map(|round| round.ratio());
            let (least, most) =
                ratios.fold((f64::MAX, f64::MIN), |(a, b), ratio| (a.min(ratio), b.max(ratio)));
            let range = format!("{least:.4} - {most:.4}");
            let cpus: Vec<_> = case.senders.iter().map(usize::to_string).collect();
            let cpus = if cpus.is_empty() { "any".to_owned() } else { cpus.join(",") };
            let _ = writeln!(
                text,
                "{:24}{:>12.0}{:>12.0}{:>10.4}{range:>22}{cpus:>12}",
                case.name,
                case.median(|round| round.quiet_fps),
                case.median(|round| round.loaded_fps),
                case.median(Round::ratio),
            );
        }
        text.push('\n');
        for case in &self.cases {
            let _ = writeln!(
                text,
                "{}: {} frames sent, {} lost, {} unsent, verdict {}",
                case.name,
                case.sum("tx_frames"),
                case.sum("lost_frames"),
                case.sum("unsent_frames"),
                case.result["verdict"].as_str().unwrap_or("-"),
            );
        }
        let count = |count: &std::sync::atomic::AtomicU64| count.load(Relaxed);
        let [p50, p99, most] = self.waits_us().map(|us| f64::from(us) / 1e3);
        let _ = writeln!(
            text,
            "\nrequests: {} sent, {} answered; ms until the answer: {p50:.1} median, {p99:.1} in \
             99 of 100, {most:.1} at most\n\
             uploads: {} begun, {} stored; live events read: {}, {:.1} MB, gaps told: {}",
            count(&self.counts.requests),
            count(&self.counts.answers),
            count(&self.counts.uploads),
            count(&self.counts.uploads_stored),
            count(&self.counts.events),
            count(&self.counts.octets) as f64 / 1e6,
            count(&self.counts.gaps_told),
        );
        for fault in self.faults() {
            let _ = writeln!(text, "FAULT: {fault}");
        }
        let _ = writeln!(text, "\n{:14}{:>12}{:>12}{:>12}", "MiB", "before", "most", "after");
        for ((process, before), after) in PROCESSES.iter().zip(&self.before).zip(&self.after) {
            let mib = |kib: u64| kib as f64 / 1024.0;
            let _ = writeln!(
                text,
                "{process:14}{:>12.1}{:>12.1}{:>12.1}",
                mib(before.resident),
                mib(after.highest),
                mib(after.resident)
            );
        }
        text.push('\n');
        for case in &self.cases {
            let change = case.median(Round::ratio) - 1.0;
            let met = if change.abs() < TARGET { "met" } else { "MISSED" };
            let _ = writeln!(
                text,
                "target, a change of less than {:.0} %, {}: {met} ({:+.2} %)",
                TARGET * 100.0,
                case.name,
                change * 100.0
            );
        }
        text
    }

    /// Median, 99th percentile, greatest.
    fn waits_us(&self) -> [u32; 3] {
        let mut waits = self.counts.waits_us.lock().unwrap_or_else(PoisonError::into_inner).clone();
        waits.sort_unstable();
        let at = |share: f64| {
            waits.get(((waits.len() as f64 * share) as usize).min(waits.len().saturating_sub(1)))
        };
        [0.5, 0.99, 1.0].map(|share| at(share).copied().unwrap_or_default())
    }

    fn faults(&self) -> Vec<String> {
        self.counts.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn json(&self) -> Value {
        let memory = |memory: &[Memory; 3]| {
            let each = PROCESSES.iter().zip(memory).map(|(name, memory)| {
                json!({"process": name, "resident_kib": memory.resident, "highest_kib": memory.highest})
            });
            each.collect::<Vec<_>>()
        };
        let cases = self.cases.iter().map(|case| {
            let rounds = case.rounds.iter().map(|round| {
                json!({"quiet_fps": round.quiet_fps, "loaded_fps": round.loaded_fps,
                    "ratio": round.ratio()})
            });
            json!({"name": case.name, "rate": case.rate, "sent_on_cpus": case.senders,
                "rounds": rounds.collect::<Vec<_>>(), "median_ratio": case.median(Round::ratio),
                "tx_frames": case.sum("tx_frames"), "lost_frames": case.sum("lost_frames"),
                "unsent_frames": case.sum("unsent_frames"), "verdict": case.result["verdict"]})
        });
        let [p50, p99, most] = self.waits_us();
        json!({
            "machine": self.machine.json(),
            "load_average_before": self.busy,
            "window_s": self.window,
            "flows": FLOWS,
            "readers": {"one_flow": load::ONE_FLOW, "all_flows": load::ALL_FLOWS, "slow": load::SLOW},
            "cases": cases.collect::<Vec<_>>(),
            "requests": self.counts.requests.load(Relaxed),
            "answers": self.counts.answers.load(Relaxed),
            "waits_us": {"p50": p50, "p99": p99, "max": most},
            "uploads": self.counts.uploads.load(Relaxed),
            "uploads_stored": self.counts.uploads_stored.load(Relaxed),
            "events": self.counts.events.load(Relaxed),
            "gaps_told": self.counts.gaps_told.load(Relaxed),
            "faults": self.faults(),
            "memory_before": memory(&self.before),
            "memory_after": memory(&self.after),
        })
    }

    /// Both rates of every round, in turn.
    pub fn svg(&self) -> String {
        const LEFT: f64 = 80.0;
        const TOP: f64 = 60.0;
        const HEIGHT: f64 = 220.0;
        const WIDTH: f64 = 620.0;
        let rounds: Vec<_> = self.cases.iter().flat_map(|case| &case.rounds).collect();
        let highest =
            rounds.iter().fold(0.0, |most: f64, r| most.max(r.quiet_fps).max(r.loaded_fps));
        let ticks = ticks(highest);
        let top = ticks.last().copied().unwrap_or(1.0);
        let mut svg = Svg::new(LEFT + WIDTH + 40.0, TOP + HEIGHT + 70.0);
        svg.text(
            "title",
            (LEFT, 26.0),
            Anchor::Start,
            "Frames a second sent by a daemon, quiet and under load",
        );
        let y = |fps: f64| TOP + HEIGHT * (1.0 - fps / top);
        for &tick in &ticks {
            svg.line("grid", (LEFT, y(tick)), (LEFT + WIDTH, y(tick)));
            svg.text(
                "note",
                (LEFT - 8.0, y(tick) + 4.0),
                Anchor::End,
                &format!("{:.0}k", tick / 1e3),
            );
        }
        let step = WIDTH / rounds.len().max(1) as f64;
        let bar = (step * 0.35).min(40.0);
        let mut x = LEFT;
        for case in &self.cases {
            let middle = x + step * case.rounds.len() as f64 / 2.0;
            let ratio = case.median(Round::ratio);
            let note = format!("{}: ratio {ratio:.3}", case.name);
            svg.text("note", (middle, TOP + HEIGHT + 20.0), Anchor::Middle, &note);
            for round in &case.rounds {
                let at = x + step / 2.0;
                for (class, left, fps) in
                    [("other", at - bar, round.quiet_fps), ("ours", at, round.loaded_fps)]
                {
                    svg.rect(class, (left, y(fps)), (bar, TOP + HEIGHT - y(fps)));
                }
                x += step;
            }
        }
        for (class, left, name) in [("other", LEFT, "quiet"), ("ours", LEFT + 90.0, "under load")] {
            svg.rect(class, (left, TOP + HEIGHT + 36.0), (12.0, 12.0));
            svg.text("note", (left + 18.0, TOP + HEIGHT + 47.0), Anchor::Start, name);
        }
        svg.finish()
    }
}
