//! Whether a load meets a goal, by the trials at that load: the code in the appendices of
//! RFC 9971 (Load Classification, Conditional Throughput), in whole numbers.

use crate::units::Ratio;
use std::time::Duration;

/// A trial, as classification sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// How long its load was meant to last. That is its Trial Effective Duration too, as RFC
    /// 9971 has it by default: with the waits of RFC 2544 section 23 counted in, two trials
    /// of a second would settle a load.
    pub duration: Duration,
    /// Lost frames of sent frames.
    pub loss_ratio: Ratio,
}

/// What a load is held against: a goal, or a coarser step on the way to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Trials at least so long are full-length ones; others only count against a load.
    pub trial: Duration,
    /// The sum of full-length trials that settles a load.
    pub duration_sum: Duration,
    /// Above it a trial is high-loss.
    pub loss_ratio: Ratio,
    /// Share of the duration sum that may be high-loss.
    pub exceed_ratio: Ratio,
    /// Relative width of the bounds that is narrow enough.
    pub width: Ratio,
}

/// What trials make of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It meets the goal, whatever further trials would show.
    Lower,
    /// It does not, whatever further trials would show.
    Upper,
    /// More trials are needed.
    Undecided,
}

/// Sums of durations at one load, ns.
#[derive(Debug, Default)]
struct Sums {
    full_low: u128,
    full_high: u128,
    short_low: u128,
    short_high: u128,
}

impl Sums {
    fn of(trials: &[Measured], target: &Target) -> Self {
        let mut sums = Self::default();
        for trial in trials {
            let full = trial.duration >= target.trial;
            let high = trial.loss_ratio > target.loss_ratio;
            let sum = match (full, high) {
                (true, false) => &mut sums.full_low,
                (true, true) => &mut sums.full_high,
                (false, false) => &mut sums.short_low,
                (false, true) => &mut sums.short_high,
            };
            *sum += trial.duration.as_nanos();
        }
        sums
    }
}

/// The exceed ratio as high / whole, and what is left of it: low / whole.
fn parts(exceed_ratio: Ratio) -> (u128, u128, u128) {
    let (high, whole) = (exceed_ratio.numerator(), exceed_ratio.denominator());
    (high, whole - high, whole)
}

/// What a load is by these trials (RFC 9971, Load Classification).
pub fn classify(trials: &[Measured], target: &Target) -> Class {
    let sums = Sums::of(trials, target);
    let (high, low, whole) = parts(target.exceed_ratio);
    // The RFC's fractions times `low`, so that short low-loss trials, which are weighed with
    // high / low, stay whole numbers.
    let full_low = sums.full_low * low;
    let short_excess = (sums.short_high * low).saturating_sub(sums.short_low * high);
    let excess = sums.full_high * low + short_excess;
    let all = (full_low + excess).max(target.duration_sum.as_nanos() * low);
    // What may be high-loss, against what is and against what may yet become.
    let quantile = all * high;
    let optimistic = excess * whole <= quantile;
    let pessimistic = (all - full_low) * whole <= quantile;
    match (optimistic, pessimistic) {
        (true, true) => Class::Lower,
        (false, false) => Class::Upper,
        _ => Class::Undecided,
    }
}

/// The loss ratio that a load is charged with: that quantile of its full-length trials by
/// loss which the exceed ratio leaves, missing ones counted as all lost (RFC 9971,
/// Conditional Throughput).
pub fn charged_loss(trials: &[Measured], target: &Target) -> Ratio {
    let mut full: Vec<_> = trials.iter().filter(|t| t.duration >= target.trial).collect();
    full.sort_by_key(|trial| trial.loss_ratio);
    let (_, low, whole) = parts(target.exceed_ratio);
    let sum: u128 = full.iter().map(|trial| trial.duration.as_nanos()).sum();
    let mut remaining = sum.max(target.duration_sum.as_nanos()) * low;
    for trial in full {
        // The least loss is charged even where nothing remains.
        let duration = trial.duration.as_nanos() * whole;
        if remaining <= duration {
            return trial.loss_ratio;
        }
        remaining -= duration;
    }
    Ratio::ONE
}

/// What comes through at a load that is charged with a loss.
pub fn conditional_throughput(load: Ratio, charged_loss: Ratio) -> Ratio {
    let (lost, sent) = (charged_loss.numerator(), charged_loss.denominator());
    load.times(Ratio::new(sent.saturating_sub(lost), sent))
}

#[cfg(test)]
mod tests;
