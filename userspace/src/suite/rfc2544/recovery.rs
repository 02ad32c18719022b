//! RFC 2544 section 26.5: how long a device needs to forward everything again after an
//! overload.

use super::{Bound, Setting, SystemRecovery, Throughput, latency::mean, setting::Judgement};
use crate::{
    spec::RecoverySpec,
    suite::{Bounds, Stage, Stop, Test, Trials},
    units::Ratio,
};

/// 110 % of the throughput, or the media's maximum; then half of that.
pub(super) fn run(
    setting: &Setting<'_>,
    spec: &RecoverySpec,
    throughput: &Throughput,
    trials: &mut Trials<'_>,
) -> (SystemRecovery, Result<(), Stop>) {
    let overload = throughput.load.times(Ratio::new(11, 10)).min(setting.line);
    let reduced = overload.times(Ratio::new(1, 2));
    let mut test = SystemRecovery {
        valid: false,
        reason: reason(setting, throughput, overload),
        overload_fps: setting.all(overload),
        reduced_fps: setting.all(reduced),
        times_ns: Vec::new(),
        recovery_ns: None,
    };
    let stages = [Stage::lasting(overload, spec.overload), Stage::lasting(reduced, spec.reduced)];
    let mut done = Ok(());
    for _ in 0..spec.repeats {
        if test.reason.is_some() || done.is_err() {
            break;
        }
        done = test.repeat(setting, &stages, trials);
    }
    test.recovery_ns = mean(test.times_ns.iter().map(|&ns| ns as f64));
    test.valid = test.reason.is_none() && !test.times_ns.is_empty();
    (test, done)
}

fn reason(setting: &Setting<'_>, throughput: &Throughput, overload: Ratio) -> Option<String> {
    if throughput.bound == Bound::None {
        return Some("there is no throughput to overload".to_owned());
    }
    if throughput.load >= setting.line {
        return Some("the throughput is line rate: nothing overloads the device".to_owned());
    }
    (overload > setting.top).then(|| setting.top_note.clone().unwrap_or_default())
}

impl SystemRecovery {
    fn repeat(
        &mut self,
        setting: &Setting<'_>,
        stages: &[Stage; 2],
        trials: &mut Trials<'_>,
    ) -> Result<(), Stop> {
        let plan = setting.stages(Test::SystemRecovery, stages);
        let (judgement, record) = setting.judge(trials, &plan, &Bounds::default(), Ratio::ZERO)?;
        match judgement {
            Judgement::Unfit(_, why) => self.reason = Some(why),
            Judgement::Pass => {
                self.reason = Some("the overload lost no frame".to_owned());
            }
            Judgement::Fail(_) => {
                let last = record.result.directions.iter().map(|way| way.last_lost_ns).max();
                let Some(last_ns) = last.flatten() else {
                    self.reason = Some("when the last frame was lost is not known".to_owned());
                    return Ok(());
                };
                let [overload_ns, reduced_ns] =
                    stages.map(|stage| stage.duration().as_nanos() as u64);
                // Frames of the overload are the last lost where the device is well at once.
                let time_ns = last_ns.saturating_sub(overload_ns);
                if time_ns > reduced_ns - reduced_ns / 100 {
                    self.reason =
                        Some("frames were lost to the end of the reduced load".to_owned());
                } else {
                    self.times_ns.push(time_ns);
                }
            }
        }
        Ok(())
    }
}
