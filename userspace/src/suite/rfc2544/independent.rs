//! Loss that does not depend on load: bit errors, a bad cable. A binary search would go down
//! and down after it, to a load so small that no frame happened to be lost.

use crate::{suite::TrialRecord, units::Ratio};

/// What a trial showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) sent: u64,
    pub(super) lost: u64,
}

/// One share of the frames was lost at several loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Independence {
    /// Which.
    pub(super) ratio: Ratio,
}

/// Trials that it takes to say so.
const LEAST_TRIALS: usize = 3;
/// How much greater the greatest load is than the least.
const LEAST_SPAN: u64 = 3;
/// Standard deviations within which counts are taken for chance.
const CHANCE: f64 = 4.0;
/// With this many frames to be lost, none is lost by chance once in 10^13 trials.
const TELLING_LOSSES: u64 = 30;

impl Sample {
    pub(super) fn of(record: &TrialRecord) -> Self {
        let result = &record.result;
        Self { sent: result.sum(|way| way.tx_frames), lost: result.sum(|way| way.lost_frames) }
    }

    /// Nothing came through.
    pub(super) fn is_total(&self) -> bool {
        self.lost == self.sent
    }

    fn received(self) -> u64 {
        self.sent - self.lost
    }
}

impl Independence {
    /// If the samples are of several loads and all lost frames, the same share each.
    pub(super) fn of(samples: &[Sample]) -> Option<Self> {
        let all_lost_some = samples.iter().all(|sample| sample.lost > 0);
        Self::of_all(samples).filter(|_| all_lost_some)
    }

    /// If the samples are of several loads, and one share of frames lost would explain them all.
    pub(super) fn of_all(samples: &[Sample]) -> Option<Self> {
        let sent: u128 = samples.iter().map(|sample| u128::from(sample.sent)).sum();
        let lost: u128 = samples.iter().map(|sample| u128::from(sample.lost)).sum();
        let most = samples.iter().max_by_key(|sample| sample.sent)?;
        let least = samples.iter().min_by_key(|sample| sample.sent)?;
        let spread = samples.len() >= LEAST_TRIALS && most.sent / LEAST_SPAN >= least.sent;
        if lost == 0 || !spread || !differ(most.received(), least.received()) {
            return None;
        }
        let share = lost as f64 / sent as f64;
        let likely = |sample: &Sample| {
            let expected = share * sample.sent as f64;
            let deviation = (expected * (1.0 - share)).sqrt().max(1.0);
            (sample.lost as f64 - expected).abs() <= CHANCE * deviation
        };
        samples.iter().all(likely).then(|| Self { ratio: Ratio::new(lost, sent) })
    }

    /// How many frames a trial needs in which that loss is surely seen.
    pub(super) fn telling_frames(&self) -> u64 {
        let frames = Ratio::from(TELLING_LOSSES).over(self.ratio);
        u64::try_from(frames.floor()).unwrap_or(u64::MAX)
    }
}

/// A device that always forwards as many frames, whatever is offered, is a slow one.
fn differ(more: u64, less: u64) -> bool {
    let deviation = (more as f64 + less as f64).sqrt();
    more.saturating_sub(less) as f64 > 2.0 * CHANCE * deviation
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(counts: &[(u64, u64)]) -> Vec<Sample> {
        counts.iter().map(|&(sent, lost)| Sample { sent, lost }).collect()
    }

    #[test]
    fn one_share_at_every_load_is_recognised() {
        let bit_errors = samples(&[(892_857_142, 910), (446_428_571, 430), (223_214_285, 232)]);
        let found = Independence::of(&bit_errors).unwrap();
        assert!((found.ratio.to_f64() - 1e-6).abs() < 3e-8);
        assert!((29_000_000..31_000_000).contains(&found.telling_frames()));
    }

    #[test]
    fn a_slow_device_is_not_taken_for_it() {
        for counts in [
            // 10 Mpps of 14.88.
            [(892_857_142, 292_856_120), (446_428_571, 0), (669_642_856, 69_641_834)],
            // 1 Mpps.
            [(892_857_142, 832_856_119), (446_428_571, 386_427_548), (223_214_285, 163_213_262)],
            // 1 pps, of which only the buffer is seen.
            [(14_880_952, 14_880_949), (7_440_476, 7_440_473), (3_720_238, 3_720_235)],
        ] {
            assert_eq!(Independence::of(&samples(&counts)), None, "{counts:?}");
        }
    }

    #[test]
    fn a_few_loads_do_not_tell() {
        assert_eq!(Independence::of(&samples(&[(1_000_000, 100), (500_000, 50)])), None);
        let close = samples(&[(1_000_000, 100), (900_000, 90), (800_000, 80)]);
        assert_eq!(Independence::of(&close), None);
        assert_eq!(Independence::of(&[]), None);
    }
}
