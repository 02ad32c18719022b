//! `linerate.rfc2544/1`.

use super::{
    SuiteFacts,
    compliance::{self, Deviation, must, shorter, should},
    head::Found,
    judge,
    mlrsearch::frame_result,
    trials::{duration_ns, rows},
};
use crate::{
    report::suite::{
        model::{
            BackToBackResult, BenchResult, BenchRow, DirectionLatency, DirectionRate,
            FrameLossResult, LatencyAtResult, RecoveryResult, ResetResult, SuiteVerdict,
            ThroughputBound, ThroughputResult,
        },
        number,
    },
    spec::{LatencyAt, Rfc2544Spec},
    suite::{
        Direction, TrialRecord,
        rfc2544::{
            BackToBack, Bound, FrameLoss, Latency, LatencyFigures, LimitedBy, Outcome, Reset, Row,
            SystemRecovery, Throughput,
        },
    },
    units::Ratio,
};
use std::time::Duration;

/// The result of the tests of RFC 2544.
pub fn rfc2544_result(
    facts: &SuiteFacts<'_>,
    spec: &Rfc2544Spec,
    outcome: &Outcome,
) -> BenchResult {
    let stopped = outcome.stopped.as_ref().map(ToString::to_string);
    let last = outcome.rows.len().saturating_sub(1);
    let made = outcome.rows.iter().enumerate().map(|(at, row)| {
        // What ended the suite early ended its last row.
        let valid = stopped.is_none() || at < last;
        let mut made = Making { facts, trials: &outcome.trials }.row(row);
        judge::judge(&mut made, &facts.suite.pass, &row.frame, facts.directions, valid);
        made
    });
    let made: Vec<_> = made.collect();
    let worst = made.iter().map(|row| row.verdict).max().unwrap_or(SuiteVerdict::Invalid);
    let verdict = if stopped.is_some() { SuiteVerdict::Invalid } else { worst };
    facts.result(Found {
        schema: "linerate.rfc2544/1",
        definition: spec.latency.as_ref().map(|latency| latency.definition),
        deviations: deviations(facts, spec),
        verdict,
        reasons: stopped.into_iter().chain(judge::reasons(&made)).collect(),
        trials: rows(&outcome.trials),
        duration_ns: duration_ns(&outcome.trials),
        rows: made,
    })
}

fn deviations(facts: &SuiteFacts<'_>, spec: &Rfc2544Spec) -> Vec<Deviation> {
    let mut all = compliance::common(facts.suite, facts.device.is_some());
    let throughput = &spec.throughput;
    all.extend(shorter("trials of", throughput.trial, 60, "24").map(should));
    if throughput.max_loss > Ratio::ZERO {
        let percent = number::loss_percent(throughput.max_loss.to_f64());
        all.push(must(format!("a throughput with up to {percent} % loss (RFC 1242 section 3.17)")));
    }
    if let Some(latency) = &spec.latency {
        all.extend(shorter("latency streams of", latency.trial, 120, "26.2").map(should));
        all.extend(shorter("latency from", latency.from, 60, "26.2").map(should));
        if latency.repeats < 20 {
            let repeats = latency.repeats;
            all.push(must(format!(
                "latency {repeats} times rather than 20 (RFC 2544 section 26.2)"
            )));
        }
    }
    if let Some(loss) = &spec.loss {
        all.extend(shorter("trials for the loss rate of", loss.trial, 60, "24").map(should));
    }
    if let Some(bursts) = &spec.back_to_back {
        all.extend(shorter("bursts of at most", bursts.burst_limit, 2, "26.4").map(must));
        if bursts.repeats < 50 {
            let repeats = bursts.repeats;
            all.push(should(format!(
                "bursts {repeats} times rather than 50 (RFC 2544 section 26.4)"
            )));
        }
    }
    if let Some(recovery) = &spec.recovery {
        all.extend(shorter("an overload of", recovery.overload, 60, "26.5").map(must));
    }
    all
}

/// What all parts of a row are made with.
#[derive(Clone, Copy)]
struct Making<'a> {
    facts: &'a SuiteFacts<'a>,
    trials: &'a [TrialRecord],
}

impl Making<'_> {
    fn row(self, row: &Row) -> BenchRow {
        let latency = row.latency.as_ref();
        let losses = row.frame_loss.as_ref();
        BenchRow {
            frame: frame_result(&row.frame),
            theoretical_fps: row.theoretical_fps.to_f64(),
            verdict: SuiteVerdict::Done,
            reasons: Vec::new(),
            thresholds: Vec::new(),
            throughput: row.throughput.as_ref().map(throughput),
            latency: latency.map(|all| all.iter().map(|load| self.latency(load)).collect()),
            frame_loss: losses.map(|all| all.iter().map(|point| self.loss(point)).collect()),
            back_to_back: row.back_to_back.as_ref().map(back_to_back),
            system_recovery: row.system_recovery.as_ref().map(recovery),
            reset: row.reset.as_ref().map(reset),
            goals: None,
        }
    }

    fn latency(self, found: &Latency) -> LatencyAtResult {
        let at = match found.at {
            LatencyAt::Throughput => "throughput".to_owned(),
            LatencyAt::Share(share) => format!("{}%", number::percent(share.to_f64())),
        };
        let all = found.all.as_ref();
        let ways = self.facts.directions.iter().zip(&found.per_direction);
        LatencyAtResult {
            at,
            rate_fps: found.rate_fps.to_f64(),
            derated: found.derated,
            mean_ns: all.map(|all| all.mean_ns),
            min_ns: all.map(|all| all.min_ns),
            p50_ns: all.map(|all| whole(all.p50_ns)),
            p99_ns: all.map(|all| whole(all.p99_ns)),
            p999_ns: all.map(|all| whole(all.p999_ns)),
            max_ns: all.map(|all| all.max_ns),
            uncertainty_ns: all.and_then(|all| all.uncertainty_ns),
            definition: self.facts.definition(found.definition).to_owned(),
            repeats: found.repeats,
            lost_frames: found.lost_frames,
            valid: all.is_some(),
            // Nothing in its place would be no answer to why.
            reason: found
                .note
                .clone()
                .or_else(|| all.is_none().then(|| "the receiver timed no frame".to_owned())),
            per_direction: ways.map(|(way, figures)| one_way(way, figures.as_ref())).collect(),
        }
    }

    fn loss(self, found: &FrameLoss) -> FrameLossResult {
        let record = self.trials.iter().find(|record| Some(record.id) == found.trial);
        let seconds = record.map(|record| record.result.duration_ns as f64 / 1e9);
        let sent = found.tx_frames.map(|frames| frames as f64);
        FrameLossResult {
            offered_ratio: found.offered_ratio.to_f64(),
            offered_fps: found.offered_fps.to_f64(),
            actual_fps: sent
                .zip(seconds.filter(|seconds| *seconds > 0.0))
                .map(|(frames, seconds)| frames / seconds),
            valid: found.valid,
            reason: found.reason.clone(),
            trial: found.trial,
            tx_frames: found.tx_frames,
            rx_unique_frames: found.rx_unique_frames,
            lost_frames: found.lost_frames,
            loss_ratio: found.loss_ratio.map(Ratio::to_f64),
            duplicate_frames: record.map(|record| record.result.sum(|way| way.duplicate_frames)),
            reordered_frames: record.map(|record| record.result.sum(|way| way.reordered_frames)),
        }
    }
}

fn one_way(way: &Direction, figures: Option<&LatencyFigures>) -> DirectionLatency {
    DirectionLatency {
        tx: way.tx.clone(),
        rx: way.rx.clone(),
        mean_ns: figures.map(|all| all.mean_ns),
        min_ns: figures.map(|all| all.min_ns),
        p50_ns: figures.map(|all| whole(all.p50_ns)),
        p99_ns: figures.map(|all| whole(all.p99_ns)),
        p999_ns: figures.map(|all| whole(all.p999_ns)),
        max_ns: figures.map(|all| all.max_ns),
    }
}

/// The median of two may lie between two nanoseconds.
fn whole(ns: f64) -> i64 {
    ns.round() as i64
}

fn throughput(found: &Throughput) -> ThroughputResult {
    let none = found.bound == Bound::None;
    ThroughputResult {
        bound: match found.bound {
            Bound::Exact => ThroughputBound::Exact,
            Bound::AtLeast => ThroughputBound::AtLeast,
            Bound::None => ThroughputBound::None,
        },
        limited_by: found.limited_by.map(|by| {
            match by {
                LimitedBy::Device => "device",
                LimitedBy::Line => "line",
                LimitedBy::TesterTx => "tester-tx",
                LimitedBy::TesterRx => "tester-rx",
            }
            .to_owned()
        }),
        max_loss: found.max_loss.to_f64(),
        resolution_fps: Some(found.resolution.to_f64()),
        fps: (!none).then(|| found.fps.to_f64()),
        ratio: (!none).then(|| found.ratio.to_f64()),
        next_failing_fps: found.next_failing_fps.map(Ratio::to_f64),
        next_failing_loss_ratio: found.next_failing_loss.map(Ratio::to_f64),
        verified_duration_ns: found.verified.map(ns),
        trial: found.trial,
        trials: found.trials,
        load_independent_loss_ratio: found.load_independent_loss.map(Ratio::to_f64),
        reason: found.note.clone(),
        per_direction: (found.per_direction.iter().filter(|_| !none))
            .map(|way| DirectionRate {
                tx: way.tx.clone(),
                rx: way.rx.clone(),
                fps: way.fps.to_f64(),
                ratio: way.ratio.to_f64(),
            })
            .collect(),
    }
}

fn back_to_back(found: &BackToBack) -> BackToBackResult {
    BackToBackResult {
        valid: found.valid,
        reason: found.reason.clone(),
        repeats: found.bursts.len() as u32,
        frames_mean: found.frames_mean,
        frames_min: found.frames_min,
        frames_max: found.frames_max,
        frames_stddev: found.frames_stddev,
        implied_buffer_ns: found.implied_buffer_ns,
        corrected_buffer_ns: found.corrected_buffer_ns,
        corrected_buffer_frames: found.corrected_buffer_frames,
        max_rate_fps: found.max_rate.to_f64(),
        throughput_fps: found.throughput.map(Ratio::to_f64),
        step_frames: found.step_frames,
        verifications: found.verifications,
        bursts_frames: found.bursts.clone(),
        burst_limit_ns: ns(found.burst_limit),
    }
}

fn recovery(found: &SystemRecovery) -> RecoveryResult {
    let rate = |fps: Ratio| (fps > Ratio::ZERO).then(|| fps.to_f64());
    RecoveryResult {
        valid: found.valid,
        reason: found.reason.clone(),
        repeats: found.times_ns.len() as u32,
        overload_fps: rate(found.overload_fps),
        reduced_fps: rate(found.reduced_fps),
        mean_ns: found.recovery_ns,
        min_ns: found.times_ns.iter().min().copied(),
        max_ns: found.times_ns.iter().max().copied(),
        times_ns: found.times_ns.clone(),
    }
}

fn reset(found: &Reset) -> ResetResult {
    ResetResult {
        valid: found.valid,
        reason: found.reason.clone(),
        repeats: found.by_loss_ns.len() as u32,
        rate_fps: (found.rate_fps > Ratio::ZERO).then(|| found.rate_fps.to_f64()),
        by_loss_mean_ns: found.by_loss_mean_ns,
        by_time_mean_ns: found.by_timestamps_mean_ns,
        by_loss_ns: found.by_loss_ns.clone(),
        by_time_ns: found.by_timestamps_ns.clone(),
    }
}

fn ns(time: Duration) -> u64 {
    time.as_nanos() as u64
}
