//! RFC 2544 section 26.3: the share of frames lost, load by load, down to two in a row that
//! lose none.

use super::{FrameLoss, Setting, setting::Judgement};
use crate::{
    spec::LossSpec,
    suite::{Bounds, Stop, Test, Trials},
    units::Ratio,
};

/// Lossless loads in a row after which lesser ones need not be tried.
const LOSSLESS: u32 = 2;

/// All loads, into `rows` one by one.
pub(super) fn run(
    setting: &Setting<'_>,
    spec: &LossSpec,
    trials: &mut Trials<'_>,
    rows: &mut Vec<FrameLoss>,
) -> Result<(), Stop> {
    let mut lossless = 0;
    for load in ladder(setting.wanted, spec.step) {
        if load > setting.top {
            rows.push(untried(setting, load));
            continue;
        }
        let plan = setting.plan(Test::FrameLoss, load, spec.trial);
        let (judgement, record) = setting.judge(trials, &plan, &Bounds::default(), Ratio::ZERO)?;
        let result = &record.result;
        let reason = match &judgement {
            Judgement::Unfit(_, why) => Some(why.clone()),
            Judgement::Pass | Judgement::Fail(_) => None,
        };
        rows.push(FrameLoss {
            valid: reason.is_none(),
            reason,
            trial: Some(record.id),
            tx_frames: Some(result.sum(|way| way.tx_frames)),
            rx_unique_frames: Some(result.sum(|way| way.rx_unique_frames)),
            lost_frames: Some(result.sum(|way| way.lost_frames)),
            loss_ratio: result.loss_ratio(),
            ..untried(setting, load)
        });
        lossless = match judgement {
            Judgement::Pass => lossless + 1,
            Judgement::Fail(_) => 0,
            Judgement::Unfit(..) => lossless,
        };
        if lossless == LOSSLESS {
            break;
        }
    }
    Ok(())
}

/// All of the greatest load, and each step below it.
fn ladder(max_load: Ratio, step: Ratio) -> impl Iterator<Item = Ratio> {
    (0..).map_while(move |steps: u64| {
        let gone = step.times(steps.into());
        (gone < Ratio::ONE).then(|| {
            let left = Ratio::new(gone.denominator() - gone.numerator(), gone.denominator());
            max_load.times(left)
        })
    })
}

fn untried(setting: &Setting<'_>, load: Ratio) -> FrameLoss {
    FrameLoss {
        load,
        offered_fps: setting.all(load),
        offered_ratio: setting.share(load),
        valid: false,
        reason: setting.top_note.clone(),
        trial: None,
        tx_frames: None,
        rx_unique_frames: None,
        lost_frames: None,
        loss_ratio: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_go_down_from_the_greatest_by_shares_of_it() {
        let loads = |step: u128, max: u64| -> Vec<u128> {
            let step = Ratio::new(step, 100);
            ladder(max.into(), step).map(Ratio::floor).collect()
        };
        assert_eq!(loads(10, 1000), [1000, 900, 800, 700, 600, 500, 400, 300, 200, 100]);
        assert_eq!(loads(30, 1000), [1000, 700, 400, 100]);
        assert_eq!(loads(50, 750), [750, 375]);
        assert_eq!(loads(100, 500), [500]);
    }
}
