//! RFC 2544 section 26.2: latency at the throughput, the mean of many streams.
//!
//! A throughput of short trials is above what the device can forward for ever: its queue fills
//! a little with each trial, and a longer stream at that rate ends in loss. So a first stream
//! that loses frames is followed by others at loads ever farther below, until one is lossless;
//! the rate that was used is reported.

use super::{Latency, LatencyFigures, Setting, Throughput, setting::Judgement};
use crate::{
    spec::{LatencyAt, LatencySpec},
    suite::{Bounds, LatencyStats, Stop, Test, TrialResult, Trials},
    units::Ratio,
};

/// Loads that are tried below the throughput: the last is 2^8 steps below it.
const DERATES: u32 = 9;

/// All loads, into `rows` one by one.
pub(super) fn run(
    setting: &Setting<'_>,
    spec: &LatencySpec,
    throughput: &Throughput,
    trials: &mut Trials<'_>,
    rows: &mut Vec<Latency>,
) -> Result<(), Stop> {
    for &at in &spec.at {
        let load = match at {
            LatencyAt::Throughput => throughput.load,
            LatencyAt::Share(share) => throughput.load.times(share),
        };
        let mut streams =
            Streams { setting, spec, load, derated: false, results: Vec::new(), note: None };
        let done = if load == Ratio::ZERO {
            streams.note = Some("there is no throughput".to_owned());
            Ok(())
        } else {
            streams.run(throughput, trials)
        };
        rows.push(streams.row(at));
        done?;
    }
    Ok(())
}

struct Streams<'a> {
    setting: &'a Setting<'a>,
    spec: &'a LatencySpec,
    load: Ratio,
    derated: bool,
    results: Vec<TrialResult>,
    note: Option<String>,
}

impl Streams<'_> {
    fn run(&mut self, throughput: &Throughput, trials: &mut Trials<'_>) -> Result<(), Stop> {
        let max_loss = throughput.max_loss;
        for load in derated(self.load, throughput.resolution) {
            self.results.clear();
            (self.derated, self.load) = (load < self.load || self.derated, load);
            self.note = None;
            let Judgement::Fail(_) = self.stream(max_loss, trials)? else { break };
            self.note = Some("frames are lost in streams of this length".to_owned());
        }
        for _ in 1..self.spec.repeats {
            self.stream(max_loss, trials)?;
        }
        Ok(())
    }

    /// One stream; what it shows is kept if it says something of the device.
    fn stream(&mut self, max_loss: Ratio, trials: &mut Trials<'_>) -> Result<Judgement, Stop> {
        let mut plan = self.setting.plan(Test::Latency, self.load, self.spec.trial);
        plan.latency_from = self.spec.from;
        let (judgement, record) =
            self.setting.judge(trials, &plan, &Bounds::default(), max_loss)?;
        match &judgement {
            Judgement::Unfit(_, why) => self.note = Some(why.clone()),
            Judgement::Pass | Judgement::Fail(_) => self.results.push(record.result.clone()),
        }
        Ok(judgement)
    }

    fn row(self, at: LatencyAt) -> Latency {
        let results = &self.results;
        let of = |direction: usize| -> Option<LatencyFigures> {
            figures(results.iter().map(|result| result.directions.get(direction)?.latency))
        };
        Latency {
            at,
            load: self.load,
            rate_fps: self.setting.all(self.load),
            derated: self.derated,
            definition: self.spec.definition,
            repeats: results.len() as u32,
            lost_frames: results.iter().map(|result| result.sum(|way| way.lost_frames)).sum(),
            all: figures(results.iter().map(|result| result.latency)),
            per_direction: (0..self.setting.directions).map(of).collect(),
            note: self.note,
        }
    }
}

/// The load itself, and others ever farther below it.
pub(super) fn derated(load: Ratio, step: Ratio) -> impl Iterator<Item = Ratio> {
    let below =
        (0..DERATES).map_while(move |derate| minus(load, step.times((1_u64 << derate).into())));
    std::iter::once(load).chain(below)
}

/// What is left, if that is above nothing.
fn minus(load: Ratio, less: Ratio) -> Option<Ratio> {
    let own = load.numerator().checked_mul(less.denominator())?;
    let rest = own.checked_sub(less.numerator().checked_mul(load.denominator())?)?;
    let denominator = load.denominator().checked_mul(less.denominator())?;
    (rest > 0).then(|| Ratio::new(rest, denominator))
}

/// Over all streams; `None` where one was not timed.
fn figures(streams: impl Iterator<Item = Option<LatencyStats>>) -> Option<LatencyFigures> {
    let streams: Vec<LatencyStats> = streams.collect::<Option<_>>()?;
    let median = |percentile: fn(&LatencyStats) -> i64| {
        let mut all: Vec<i64> = streams.iter().map(percentile).collect();
        all.sort_unstable();
        let middle = all.len() / 2;
        if all.len() % 2 == 1 {
            all[middle] as f64
        } else {
            (all[middle - 1] as f64).midpoint(all[middle] as f64)
        }
    };
    Some(LatencyFigures {
        min_ns: streams.iter().map(|stats| stats.min_ns).min()?,
        max_ns: streams.iter().map(|stats| stats.max_ns).max()?,
        mean_ns: mean(streams.iter().map(|stats| stats.mean_ns))?,
        p50_ns: median(|stats| stats.p50_ns),
        p99_ns: median(|stats| stats.p99_ns),
        p999_ns: median(|stats| stats.p999_ns),
        // Not known of one stream, it is not known at all; the figures are.
        uncertainty_ns: streams
            .iter()
            .map(|stats| stats.uncertainty_ns)
            .collect::<Option<Vec<_>>>()
            .and_then(|all| all.into_iter().max()),
    })
}

/// `None` of nothing.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(uncertainty_ns: Option<u64>) -> LatencyStats {
        LatencyStats {
            count: 10,
            min_ns: 10,
            mean_ns: 20.0,
            p50_ns: 20,
            p99_ns: 29,
            p999_ns: 30,
            max_ns: 30,
            uncertainty_ns,
        }
    }

    #[test]
    fn latency_that_was_never_calibrated_is_told_without_an_uncertainty() {
        let over = |uncertainties: [Option<u64>; 2]| {
            figures(uncertainties.into_iter().map(|known| Some(stream(known)))).unwrap()
        };
        let raw = over([None, Some(5)]);
        assert_eq!((raw.min_ns, raw.max_ns, raw.uncertainty_ns), (10, 30, None));
        assert_eq!(over([Some(4), Some(5)]).uncertainty_ns, Some(5));
        assert_eq!(figures([Some(stream(None)), None].into_iter()), None);
    }
}
