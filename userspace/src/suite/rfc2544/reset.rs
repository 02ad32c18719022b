//! RFC 2544 section 26.6 as updated by RFC 6201: how long a device does not forward when it is
//! reset. At the throughput, with frames of the least size; where trials of this length lose
//! frames at it without a reset, at the next load below it that loses none.

use super::{
    Bound, Reset, Setting, Throughput,
    latency::{derated, mean},
    setting::Judgement,
};
use crate::{
    spec::ResetSpec,
    suite::{Action, Bounds, Stop, Test, TrialResult, Trials},
    units::Ratio,
};
use std::time::Duration;

/// How long the device forwards before it is reset.
const BEFORE: Duration = Duration::from_secs(2);

/// All repeats; `command` resets the device.
pub(super) fn run(
    setting: &Setting<'_>,
    spec: &ResetSpec,
    command: &str,
    throughput: &Throughput,
    trials: &mut Trials<'_>,
) -> (Reset, Result<(), Stop>) {
    let mut test = Reset {
        valid: false,
        reason: (throughput.bound == Bound::None).then(|| "there is no throughput".to_owned()),
        rate_fps: throughput.fps,
        by_loss_ns: Vec::new(),
        by_timestamps_ns: Vec::new(),
        by_loss_mean_ns: None,
        by_timestamps_mean_ns: None,
    };
    let done = test.run(setting, spec, command, throughput, trials);
    let average = |times: &[u64]| mean(times.iter().map(|&ns| ns as f64));
    test.by_loss_mean_ns = average(&test.by_loss_ns);
    test.by_timestamps_mean_ns = average(&test.by_timestamps_ns);
    test.valid = test.reason.is_none() && !test.by_loss_ns.is_empty();
    (test, done)
}

impl Reset {
    fn run(
        &mut self,
        setting: &Setting<'_>,
        spec: &ResetSpec,
        command: &str,
        throughput: &Throughput,
        trials: &mut Trials<'_>,
    ) -> Result<(), Stop> {
        if self.reason.is_some() {
            return Ok(());
        }
        let Some(load) = self.sustained(setting, spec, throughput, trials)? else { return Ok(()) };
        self.rate_fps = setting.all(load);
        for _ in 0..spec.repeats {
            self.repeat(setting, spec, command, load, trials)?;
            if self.reason.is_some() {
                break;
            }
        }
        Ok(())
    }

    /// The greatest load at or below the throughput that loses nothing for as long.
    fn sustained(
        &mut self,
        setting: &Setting<'_>,
        spec: &ResetSpec,
        throughput: &Throughput,
        trials: &mut Trials<'_>,
    ) -> Result<Option<Ratio>, Stop> {
        for load in derated(throughput.load, throughput.resolution) {
            let plan = setting.plan(Test::Reset, load, BEFORE + spec.limit);
            match setting.judge(trials, &plan, &Bounds::default(), Ratio::ZERO)?.0 {
                Judgement::Pass => return Ok(Some(load)),
                Judgement::Fail(_) => (),
                Judgement::Unfit(_, why) => {
                    self.reason = Some(why);
                    return Ok(None);
                }
            }
        }
        self.reason = Some("frames are lost in trials of this length without a reset".to_owned());
        Ok(None)
    }

    fn repeat(
        &mut self,
        setting: &Setting<'_>,
        spec: &ResetSpec,
        command: &str,
        load: Ratio,
        trials: &mut Trials<'_>,
    ) -> Result<(), Stop> {
        let mut plan = setting.plan(Test::Reset, load, BEFORE + spec.limit);
        plan.action = Some(Action { at: BEFORE, command: command.to_owned() });
        let (judgement, record) = setting.judge(trials, &plan, &Bounds::default(), Ratio::ZERO)?;
        match judgement {
            Judgement::Unfit(_, why) => self.reason = Some(why),
            Judgement::Pass => self.reason = Some("the reset lost no frame".to_owned()),
            Judgement::Fail(_) => match times_ns(&record.result, load, plan.duration()) {
                Ok((by_loss_ns, by_timestamps_ns)) => {
                    self.by_loss_ns.push(by_loss_ns);
                    self.by_timestamps_ns.extend(by_timestamps_ns);
                }
                Err(why) => self.reason = Some(why),
            },
        }
        Ok(())
    }
}

/// The longest of the directions: frames lost over the load, and the longest silence.
fn times_ns(
    result: &TrialResult,
    load: Ratio,
    duration: Duration,
) -> Result<(u64, Option<u64>), String> {
    let lost = result.directions.iter().map(|way| way.lost_frames).max().unwrap_or_default();
    let last_ns = result.directions.iter().filter_map(|way| way.last_lost_ns).max();
    let end_ns = duration.as_nanos() as u64;
    if last_ns.is_some_and(|last_ns| last_ns > end_ns - end_ns / 1000) {
        return Err("the device did not come back within the limit".to_owned());
    }
    let by_loss = Ratio::from(lost).over(load).floor_times(1_000_000_000);
    let gap_ns = result.directions.iter().filter_map(|way| way.rx_gap_max_ns).max();
    Ok((by_loss.map_or(u64::MAX, |ns| ns as u64), gap_ns))
}
