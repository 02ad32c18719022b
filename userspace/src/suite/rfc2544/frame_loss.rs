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
    for load in ladder(setting.line, spec.step, setting.wanted) {
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

/// 100 % and each step below it; the user's limit itself where that is less, and no load above.
fn ladder(line: Ratio, step: Ratio, max_load: Ratio) -> impl Iterator<Item = Ratio> {
    let below = move |steps: u64| {
        let gone = step.times(steps.into());
        (gone < Ratio::ONE).then(|| {
            let left = Ratio::new(gone.denominator() - gone.numerator(), gone.denominator());
            line.times(left)
        })
    };
    let rest = (0..).map_while(below).skip_while(move |&load| load >= max_load);
    std::iter::once(line.min(max_load)).chain(rest)
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
    fn loads_go_down_from_the_line_or_the_limit() {
        let loads = |step: u128, max: u64| -> Vec<u128> {
            let step = Ratio::new(step, 100);
            ladder(1000.into(), step, max.into()).map(Ratio::floor).collect()
        };
        assert_eq!(loads(10, 1000), [1000, 900, 800, 700, 600, 500, 400, 300, 200, 100]);
        assert_eq!(loads(30, 1000), [1000, 700, 400, 100]);
        assert_eq!(loads(50, 750), [750, 500]);
        assert_eq!(loads(50, 500), [500]);
    }
}
