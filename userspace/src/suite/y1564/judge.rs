//! Trials of a service against what was promised.

use super::{
    Availability, InformationRate, Measured, Step, StepOutcome, Verdict,
    rates::{least_bps, most_bps},
};
use crate::{
    spec::ServiceSpec,
    suite::{Direction, DirectionResult, LatencyStats, Load, Stage, TrialRecord},
    units::{Ratio, format_duration},
};
use std::{ops::Range, time::Duration};

/// Judges one service by a trial. `lanes` are the places of its directions in the trial.
pub(super) fn judge(
    service: &ServiceSpec,
    step: Step,
    offered_bps: Ratio,
    record: &TrialRecord,
    directions: &[Direction],
    lanes: Range<usize>,
) -> StepOutcome {
    let mut outcome = StepOutcome {
        step,
        offered_bps,
        trial: Some(record.id),
        per_direction: Vec::new(),
        verdict: Verdict::Pass,
        reasons: Vec::new(),
    };
    for lane in lanes.clone() {
        let load = record.plan.loads.iter().find(|load| load.direction == lane);
        let (Some(load), Some(result)) = (load, record.result.directions.get(lane)) else {
            continue;
        };
        outcome.per_direction.push(measured(service, step, &directions[lane], load, result));
    }
    if let Some((_, sentence)) = &record.result.invalid {
        outcome.verdict = Verdict::Invalid;
        outcome.reasons.push(sentence.clone());
        return outcome;
    }
    let (time, several) = (record.plan.duration(), lanes.len() > 1);
    Judgement { outcome: &mut outcome, time, several }.all(service);
    outcome
}

/// Why a step is not run.
pub(super) fn left_out(step: Step, offered_bps: Ratio, reason: String) -> StepOutcome {
    StepOutcome {
        step,
        offered_bps,
        trial: None,
        per_direction: Vec::new(),
        verdict: Verdict::NotApplicable,
        reasons: vec![reason],
    }
}

fn measured(
    service: &ServiceSpec,
    step: Step,
    direction: &Direction,
    load: &Load,
    result: &DirectionResult,
) -> Measured {
    let bits = service.frame.mean_bytes().times(8.into());
    let Stage { fps, frames } = load.stages[0];
    let rate = |received: u64| bits.times(received.into());
    let availability = (step == Step::Performance && !result.seconds.is_empty())
        .then(|| Availability::of(&result.seconds));
    let all = || {
        let ratio = || Ratio::new(result.lost_frames.into(), result.tx_frames.into());
        (result.tx_frames > 0).then(ratio)
    };
    // The last second is one only if the load fills it.
    let full = Ratio::from(frames).over(fps).plus(Ratio::ONE.over(fps)).floor() as usize;
    let seconds = || result.seconds.iter().take(full).map(|second| second.rx_unique_frames);
    let fdv = |ftd: LatencyStats| ftd.p999_ns.abs_diff(ftd.min_ns);
    Measured {
        tx: direction.tx.clone(),
        rx: direction.rx.clone(),
        tx_frames: result.tx_frames,
        rx_unique_frames: result.rx_unique_frames,
        lost_frames: result.lost_frames,
        ir: InformationRate {
            mean_bps: rate(result.rx_unique_frames).times(fps).over(Ratio::from(frames.max(1))),
            min_bps: seconds().min().map(rate),
            max_bps: seconds().max().map(rate),
        },
        flr: availability.as_ref().map_or_else(all, Availability::flr),
        ftd: result.latency,
        fdv_ns: result.latency.map(fdv),
        availability,
    }
}

/// Collects what does not hold.
struct Judgement<'a> {
    outcome: &'a mut StepOutcome,
    /// How long the load lasted.
    time: Duration,
    /// Whether a sentence has to name the direction.
    several: bool,
}

impl Judgement<'_> {
    fn all(&mut self, service: &ServiceSpec) {
        for measured in self.outcome.per_direction.clone() {
            match self.outcome.step {
                // Frames above CIR have no promise but that of the rate.
                Step::Eir | Step::Policing => self.rate(service, &measured),
                Step::Cir(_) | Step::Performance => self.criteria(service, &measured),
            }
        }
    }

    fn rate(&mut self, service: &ServiceSpec, measured: &Measured) {
        let (least, most) = (least_bps(service), most_bps(service, self.time));
        let rate = measured.ir.mean_bps;
        let policed = self.outcome.step == Step::Policing;
        if rate < least {
            let said = format!("IR {} is below CIR less FLR, {}", mbps(rate), mbps(least));
            self.note(Verdict::Fail, measured, said);
        } else if policed && rate > most {
            let said =
                format!("IR {} is over what the policer may pass, {}", mbps(rate), mbps(most));
            self.note(Verdict::Fail, measured, said);
        }
    }

    fn criteria(&mut self, service: &ServiceSpec, measured: &Measured) {
        match measured.flr {
            Some(flr) if flr > service.flr => {
                let said = format!("FLR {} is over {}", percent(flr), percent(service.flr));
                self.note(Verdict::Fail, measured, said);
            }
            Some(_) => {}
            None if measured.availability.is_some_and(|time| time.unavailable > 0) => {
                self.note(Verdict::Fail, measured, "it was never available".to_owned());
            }
            None => self.note(Verdict::Invalid, measured, "nothing was sent".to_owned()),
        }
        // A mean is judged as it is shown: to the nanosecond.
        let ftd = measured.ftd.map(|ftd| ftd.mean_ns.round() as i64);
        let fdv = measured.fdv_ns.map(|fdv| fdv as i64);
        for (name, is, most) in [("FTD", ftd, service.ftd_ns), ("FDV", fdv, service.fdv_ns)] {
            match (is, most) {
                (Some(is), Some(most)) if is > most as i64 => {
                    let said = format!("{name} {} is over {}", time(is as u64), time(most));
                    self.note(Verdict::Fail, measured, said);
                }
                (None, Some(_)) if measured.rx_unique_frames > 0 => {
                    self.note(Verdict::Invalid, measured, format!("{name} was not measured"));
                }
                _ => {}
            }
        }
        let promised = service.availability.filter(|_| self.outcome.step == Step::Performance);
        let Some(least) = promised else { return };
        match measured.availability.and_then(|availability| availability.ratio()) {
            Some(is) if is < least => {
                let said = format!("availability {} is below {}", percent(is), percent(least));
                self.note(Verdict::Fail, measured, said);
            }
            None => {
                let said = "availability was not measured".to_owned();
                self.note(Verdict::Invalid, measured, said);
            }
            Some(_) => {}
        }
    }

    fn note(&mut self, verdict: Verdict, measured: &Measured, said: String) {
        self.outcome.verdict = self.outcome.verdict.max(verdict);
        let said =
            if self.several { format!("{} > {}: {said}", measured.tx, measured.rx) } else { said };
        self.outcome.reasons.push(said);
    }
}

/// Shortened nowhere, as it stands beside a bound that it may just miss.
fn percent(ratio: Ratio) -> String {
    format!("{}%", ratio.times(100.into()))
}

/// To the bit.
fn mbps(bps: Ratio) -> String {
    format!("{} Mbit/s", Ratio::new(bps.floor(), 1_000_000))
}

fn time(ns: u64) -> String {
    format_duration(Duration::from_nanos(ns))
}
