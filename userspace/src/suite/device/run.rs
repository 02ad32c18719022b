//! One trial of the simulated device.

use super::{
    SimulatedDevice,
    chance::Chance,
    clock::Clock,
    fifo::{Device, Train},
    passage::Passage,
    stalls::Stalls,
    timing::{Timed, latency},
};
use crate::{
    spec::LatencyDefinition,
    suite::{
        DirectionResult, InvalidCause, Load, Second, Stage, TrialError, TrialPlan, TrialResult,
    },
    units::{Ratio, parse_duration},
};
use std::time::Duration;

/// The longest trial, queue and all: it keeps times within 128 bits.
const LONGEST_S: f64 = 1e13;

/// Stalls are simulated one by one.
const MOST_STALLS: f64 = 3e5;

/// What holds in all directions of one trial.
pub(super) struct Setting {
    clock: Clock,
    outage: Option<(Duration, Duration)>,
}

/// What one direction sends, and when.
struct Sent {
    trains: Vec<Train>,
    unsent: u64,
    /// When the last frame's time is over, units.
    end: i128,
}

impl Setting {
    /// Checks a plan and chooses units for it.
    pub(super) fn of(device: &SimulatedDevice, plan: &TrialPlan) -> Result<Self, TrialError> {
        let refused = |message: String| TrialError::Failed { message, exit_code: 64 };
        let mut seen = vec![false; device.directions.len()];
        let (mut rates, mut longest_s) = (Vec::new(), 0.0_f64);
        for load in &plan.loads {
            let place = seen.get_mut(load.direction).filter(|seen| !**seen);
            *place.ok_or_else(|| {
                refused(format!("direction {}: no such, or loaded twice", load.direction))
            })? = true;
            let capacity = device.spec.capacity_fps(&load.frame);
            let line = load.frame.line_rate_fps(device.spec.link_bps);
            rates.extend([capacity, line]);
            let queue = (device.spec.buffer + 1) as f64;
            let mut time_s = queue / capacity.to_f64() + line.to_f64().recip();
            for stage in &load.stages {
                if stage.fps == Ratio::ZERO {
                    return Err(refused("a load of 0 frames a second has no end".into()));
                }
                rates.push(stage.fps);
                time_s += (stage.frames as f64 + 1.0) / stage.fps.to_f64();
            }
            longest_s = longest_s.max(time_s);
        }
        let outage = plan.action.as_ref().map(|action| {
            let length = parse_duration(action.command.trim());
            let length = length.ok_or_else(|| refused(format!(
                "`{}` resets no simulated device; give the time for which it forwards nothing: 3s", action.command
            )))?;
            Ok::<_, TrialError>((action.at, length))
        });
        let outage: Option<(Duration, Duration)> = outage.transpose()?;
        let outside_s =
            outage.map_or(Duration::ZERO, |(at, length)| at + length) + device.spec.latency;
        longest_s += outside_s.as_secs_f64() + 1.0;
        let mut stalls = 0.0;
        if let Some(stall) = device.spec.stall {
            longest_s += 2.0 * stall.period.as_secs_f64();
            longest_s /= 1.0 - stall.length.as_secs_f64() / stall.period.as_secs_f64();
            stalls = longest_s / stall.period.as_secs_f64();
        }
        if longest_s >= LONGEST_S || stalls >= MOST_STALLS {
            return Err(refused(format!("a trial of {longest_s:.0} s is too long to simulate")));
        }
        let clock = Clock::new(rates.into_iter(), longest_s.ceil() as u128);
        Ok(Self { clock, outage })
    }

    pub(super) fn run(&self, plan: &TrialPlan, device: &SimulatedDevice) -> TrialResult {
        let mut directions = vec![DirectionResult::default(); device.directions.len()];
        let (mut timed, mut invalid, mut last) = (Vec::new(), None, 0);
        let mut end = 0;
        for load in &plan.loads {
            let mut chance = Chance::new(device.spec.seed, device.trials, load.direction);
            let sent = self.sent(load, device.spec.link_bps);
            let passage = self.device(device, load).pass(&sent.trains);
            let constant = self.constant(device, load);
            last = last.max(passage.last_served().map_or(0, |served| served + constant));
            end = end.max(sent.end);
            if sent.unsent > 0 {
                let message = format!("{}: the load is above line rate", load.frame.name);
                invalid = Some((InvalidCause::TesterTx, message));
            }
            let from = sent.before(self.clock.units(plan.latency_from));
            let (result, arrived) = self.count(plan, device, &sent, &passage, &mut chance);
            let one = Timed { passage: passage.from(from), constant, arrived };
            directions[load.direction] = DirectionResult {
                latency: latency(&self.clock, std::slice::from_ref(&one)),
                ..result
            };
            timed.push(one);
        }
        let ns = |units: i128| u64::try_from(self.clock.ns(units)).unwrap_or(u64::MAX);
        let waits = device.waits.before + device.waits.residual + device.waits.after;
        let waits = u64::try_from(waits.as_nanos()).unwrap_or(u64::MAX);
        TrialResult {
            directions,
            latency: latency(&self.clock, &timed),
            duration_ns: ns(end),
            duration_with_overheads_ns: ns(end.max(last)).saturating_add(waits),
            invalid,
        }
    }

    fn sent(&self, load: &Load, link_bps: u64) -> Sent {
        let line = load.frame.line_rate_fps(link_bps);
        let mut sent = Sent { trains: Vec::new(), unsent: 0, end: 0 };
        for &Stage { fps, frames } in &load.stages {
            // The time is fixed: what the link cannot carry in it is not sent.
            let gap = self.clock.period(fps.min(line));
            let time = self.clock.period(fps) * i128::from(frames);
            let fit = if fps > line { (time / gap) as u64 } else { frames };
            sent.trains.push(Train { time: sent.end, gap, frames: fit });
            sent.unsent += frames - fit;
            sent.end += time;
        }
        sent
    }

    fn device(&self, device: &SimulatedDevice, load: &Load) -> Device {
        let units = |duration| self.clock.units(duration);
        let stalls = device.spec.stall.map_or(Stalls::NONE, |stall| {
            let since = device.now_ns % stall.period.as_nanos();
            let within =
                since < stall.length.as_nanos() && device.now_ns >= stall.period.as_nanos();
            let since = self.clock.nanoseconds(since);
            let (length, period) = (units(stall.length), units(stall.period));
            Stalls {
                rest: if within { length - since } else { 0 },
                first: period - since,
                length,
                period,
            }
        });
        Device {
            service: self.clock.period(device.spec.capacity_fps(&load.frame)),
            room: device.spec.buffer,
            stalls,
            outage: self.outage.map(|(at, length)| (units(at), units(at + length))),
        }
    }

    /// What a frame's latency is beyond its wait.
    fn constant(&self, device: &SimulatedDevice, load: &Load) -> i128 {
        let latency = self.clock.units(device.spec.latency);
        match device.definition {
            LatencyDefinition::StoreAndForward => latency,
            LatencyDefinition::BitForwarding => {
                let bits = load.frame.mean_bytes().times(8.into());
                latency + self.clock.period(Ratio::from(device.spec.link_bps).over(bits))
            }
        }
    }

    /// The counts of a direction, and how many of its timed frames arrived.
    fn count(
        &self,
        plan: &TrialPlan,
        device: &SimulatedDevice,
        sent: &Sent,
        passage: &Passage,
        chance: &mut Chance,
    ) -> (DirectionResult, u64) {
        let spec = &device.spec;
        let timed_from = sent.before(self.clock.units(plan.latency_from));
        let mut cuts = vec![timed_from, passage.frames];
        let seconds = if plan.per_second { sent.seconds(&self.clock) } else { Vec::new() };
        cuts.extend(&seconds);
        cuts.sort_unstable();
        // Chance is drawn for each stretch by itself, so that all sums over them agree.
        let (mut begin, mut passed_before, mut arrived, mut timed) = (0, 0, 0, 0);
        let (mut last_struck, mut in_second) = (None, Vec::new());
        let mut second = Second::default();
        for cut in cuts {
            let passed_by = passage.passed_before(cut);
            let passed = passed_by - passed_before;
            let struck = chance.of(passed, spec.loss);
            if let Some(place) = chance.last(passed, struck) {
                last_struck = passage.number(passed_before + place);
            }
            arrived += passed - struck;
            timed += if begin >= timed_from { passed - struck } else { 0 };
            second.tx_frames += cut - begin;
            second.rx_unique_frames += passed - struck;
            while seconds.get(in_second.len()) == Some(&cut) {
                in_second.push(std::mem::take(&mut second));
            }
            (begin, passed_before) = (cut, passed_by);
        }
        let duplicates = chance.of(arrived, spec.duplicate);
        let last_lost = last_struck.max(passage.last_dropped());
        let pause = passage.longest_pause().filter(|_| arrived > 1).map(|longest| {
            let row = chance.longest_row(passage.passed(), spec.loss);
            longest.max(passage.mean_pause() * i128::from(row + 1))
        });
        let ns = |units: i128| u64::try_from(self.clock.ns(units)).unwrap_or(u64::MAX);
        let result = DirectionResult {
            tx_frames: passage.frames,
            unsent_frames: sent.unsent,
            rx_frames: arrived + duplicates,
            rx_unique_frames: arrived,
            lost_frames: passage.frames - arrived,
            duplicate_frames: duplicates,
            reordered_frames: chance.reordered(arrived, spec.reorder),
            last_lost_ns: last_lost.map(|number| ns(sent.time(number))),
            rx_gap_max_ns: pause.map(ns),
            seconds: in_second,
            ..DirectionResult::default()
        };
        (result, timed)
    }
}

impl Sent {
    /// Frames that are sent before `time`.
    fn before(&self, time: i128) -> u64 {
        let frames = |train: &Train| {
            let before = super::lattice::ceil_div(time - train.time, train.gap);
            before.clamp(0, train.frames.into()) as u64
        };
        self.trains.iter().map(frames).sum()
    }

    /// When frame `number` is sent.
    fn time(&self, number: u64) -> i128 {
        let mut number = number;
        for train in &self.trains {
            if number < train.frames {
                return train.time + i128::from(number) * train.gap;
            }
            number -= train.frames;
        }
        self.end
    }

    /// For each second that begins before the load ends, the frames sent by its end.
    fn seconds(&self, clock: &Clock) -> Vec<u64> {
        let all = (1..).map(|second| (clock.seconds(second), clock.seconds(second - 1)));
        all.take_while(|&(_, begin)| begin < self.end).map(|(end, _)| self.before(end)).collect()
    }
}
