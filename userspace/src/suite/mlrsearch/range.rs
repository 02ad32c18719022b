//! Between which loads a search may look.

use super::{LimitedBy, load};
use crate::{
    spec::{Frame, MlrsearchSpec},
    suite::{Direction, InvalidCause, TrialResult},
    units::Ratio,
};

/// Loads in each direction, and what keeps greater ones away.
#[derive(Debug, Clone)]
pub(super) struct Range {
    /// The least.
    pub(super) min: Ratio,
    /// The greatest.
    pub(super) max: Ratio,
    /// What limits it.
    pub(super) by: LimitedBy,
    /// The same in a sentence.
    pub(super) reason: String,
}

/// Without a word of the user: the least load is this part of the greatest.
const LEAST_PART: u64 = 1000;

impl Range {
    /// The least of line rate, the user's limit and the tester's own; each direction is
    /// offered the same load (RFC 2544 section 14), so the slowest link decides.
    pub(super) fn new(
        spec: &MlrsearchSpec,
        frame: &Frame,
        directions: &[Direction],
        ceiling: Option<Ratio>,
    ) -> Option<Self> {
        let link_bps = directions.iter().map(|direction| direction.link_bps).min()?;
        let line = frame.line_rate_fps(link_bps);
        let mut range = Self {
            min: Ratio::ZERO,
            max: line,
            by: LimitedBy::Line,
            reason: "the link carries no more".to_owned(),
        };
        let wanted = spec.max_rate.frames_per_second(link_bps, frame.mean_bytes());
        if let Some(wanted) = wanted.filter(|&wanted| wanted < range.max) {
            (range.max, range.by) = (wanted, LimitedBy::MaxRate);
            range.reason = format!("max_rate {} allows no more", spec.max_rate);
        }
        if let Some(ceiling) = ceiling.filter(|&ceiling| ceiling < range.max) {
            (range.max, range.by) = (ceiling, LimitedBy::TesterTx);
            range.reason = format!("the tester can send no more than {} fps", ceiling.floor());
        }
        let least = range.max.over(LEAST_PART.into());
        let asked = spec.min_load_fps.filter(|&asked| asked > Ratio::ZERO);
        range.min = asked.unwrap_or(least).min(range.max);
        (range.max > Ratio::ZERO).then_some(range)
    }

    /// Whether a load may be tried.
    pub(super) fn holds(&self, load: Ratio) -> bool {
        (self.min..=self.max).contains(&load)
    }

    /// The load, or the greatest one where that is close to it or less.
    pub(super) fn capped(&self, load: Ratio, width: Ratio) -> Ratio {
        let beyond = load >= self.max || load::close(load, self.max, width);
        if beyond { self.max } else { load }
    }

    /// The load, or the least one where that is close to it or more.
    pub(super) fn raised(&self, load: Ratio, width: Ratio) -> Ratio {
        let below = load <= self.min || load::close(self.min, load, width);
        if below { self.min } else { load }
    }

    /// Takes note that the tester is no judge of `load`: the greatest is now what it
    /// managed, at least a width less and at least half of it. `false`: there is no lesser
    /// load.
    pub(super) fn lower(
        &mut self,
        load: Ratio,
        cause: InvalidCause,
        sentence: &str,
        result: &TrialResult,
        width: Ratio,
    ) -> bool {
        let sent = result.sum(|direction| direction.tx_frames);
        let asked = sent + result.sum(|direction| direction.unsent_frames);
        let (by, managed) = match cause {
            InvalidCause::TesterRx => (LimitedBy::TesterRx, result.sum(|d| d.rx_unique_frames)),
            InvalidCause::Backpressure => (LimitedBy::Backpressure, sent),
            _ => (LimitedBy::TesterTx, sent),
        };
        let less = Ratio::new(width.denominator() - width.numerator(), width.denominator());
        let share = Ratio::new(managed.into(), asked.max(1).into()).clamp(Ratio::new(1, 2), less);
        let max = load::on_grid(load.times(share), width).max(self.min);
        if max >= load {
            return false;
        }
        (self.max, self.by, self.reason) = (max, by, sentence.to_owned());
        true
    }
}
