//! A NIC's clock against `CLOCK_MONOTONIC`: offset and drift, fitted again with each
//! reading, and how far the fit was off. Pure.

use super::ClockReading;
use std::collections::VecDeque;

/// Readings that a line is laid through.
const WINDOW: usize = 16;
/// Fewer tell nothing of the drift.
const LEAST: usize = 8;
/// 977 ppm; clocks that are free or steered are within.
const DRIFT_MAX_Q38: i64 = 1 << 28;
/// What the rates of two clocks may change from one reading to the next: temperature, and the
/// hands of NTP and PTP.
const WANDER_PPM: u64 = 40;
/// What is less is no step, whatever it is.
const STEP_MIN_NS: u64 = 10_000;

/// A NIC's clock against `CLOCK_MONOTONIC`, as a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockLine {
    /// The NIC's clock at a point of the line.
    pub nic_ns: u64,
    /// `CLOCK_MONOTONIC` there.
    pub monotonic_ns: u64,
    /// What that gains with each of the NIC's nanoseconds, in 2^-38 ns; within 2^28.
    pub drift_q38: i64,
}

impl ClockLine {
    /// `CLOCK_MONOTONIC` when the NIC's clock shows this.
    pub fn monotonic_at(&self, nic_ns: u64) -> u64 {
        let since = nic_ns.wrapping_sub(self.nic_ns).cast_signed();
        let gained = (i128::from(since) * i128::from(self.drift_q38)) >> 38;
        self.monotonic_ns.wrapping_add_signed(since).wrapping_add_signed(gained as i64)
    }
}

/// What a reading has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fitted {
    /// There are too few yet, or they are on no line.
    Learning,
    /// The line from now on.
    Line {
        /// The line.
        line: ClockLine,
        /// How far it and the line before it are off at most, as far as this reading can tell.
        error_ns: u64,
    },
    /// One of the clocks was set, and all is learned anew.
    Stepped {
        /// By so much.
        by_ns: i64,
    },
}

/// The readings of the last seconds, and the line through them.
#[derive(Debug, Default)]
pub struct ClockFit {
    readings: VecDeque<ClockReading>,
    line: Option<ClockLine>,
}

impl ClockFit {
    /// Takes the next reading.
    pub fn take(&mut self, reading: ClockReading) -> Fitted {
        let off_ns = self.line.map(|line| off_ns(&line, &reading));
        if let Some(by_ns) = off_ns
            && by_ns.unsigned_abs() > self.plausible_ns(&reading)
        {
            *self = Self::default();
            self.readings.push_back(reading);
            return Fitted::Stepped { by_ns };
        }
        self.readings.push_back(reading);
        if self.readings.len() > WINDOW {
            self.readings.pop_front();
        }
        let Some(line) = self.through_readings() else {
            if self.line.take().is_some() {
                self.readings.clear();
            }
            return Fitted::Learning;
        };
        self.line = Some(line);
        let of_both =
            off_ns.unwrap_or(0).unsigned_abs().max(self::off_ns(&line, &reading).unsigned_abs());
        Fitted::Line { line, error_ns: of_both + reading.error_ns }
    }

    /// How far the line may be from a reading of clocks that nobody set.
    fn plausible_ns(&self, reading: &ClockReading) -> u64 {
        let (Some(first), Some(last)) = (self.readings.front(), self.readings.back()) else {
            return u64::MAX;
        };
        let since_ns = reading.monotonic_ns.saturating_sub(last.monotonic_ns);
        let span_ns = last.monotonic_ns.saturating_sub(first.monotonic_ns).max(1);
        let known_ns = self.readings.iter().map(|reading| reading.error_ns).max().unwrap_or(0);
        // With errors as unlucky as can be, the slope is off by three of them over the span.
        let extended =
            (u128::from(known_ns) * 4 * u128::from(since_ns) / u128::from(span_ns)) as u64;
        STEP_MIN_NS
            + since_ns / 1_000_000 * WANDER_PPM
            + reading.error_ns
            + (3 * known_ns).saturating_add(extended)
    }

    /// Least squares, each reading by how sure it is.
    fn through_readings(&self) -> Option<ClockLine> {
        if self.readings.len() < LEAST {
            return None;
        }
        let base = *self.readings.back()?;
        let points = self.readings.iter().map(|reading| {
            let nic = reading.nic_ns.wrapping_sub(base.nic_ns).cast_signed();
            let monotonic = reading.monotonic_ns.wrapping_sub(base.monotonic_ns).cast_signed();
            let weight = (reading.error_ns as f64 + 20.0).powi(-2);
            (nic as f64, monotonic.wrapping_sub(nic) as f64, weight)
        });
        let points: Vec<_> = points.collect();
        let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
            points.iter().map(|&(x, y, weight)| weight * of(x, y)).sum()
        };
        let weights = sum(&|_, _| 1.0);
        let (mean_x, mean_y) = (sum(&|x, _| x) / weights, sum(&|_, y| y) / weights);
        let variance = sum(&|x, _| (x - mean_x).powi(2));
        if variance <= 0.0 {
            return None;
        }
        let slope = sum(&|x, y| (x - mean_x) * (y - mean_y)) / variance;
        let at_base = mean_y - slope * mean_x;
        let drift_q38 = (slope * (1_u64 << 38) as f64).round();
        if !at_base.is_finite() || drift_q38.abs() > DRIFT_MAX_Q38 as f64 {
            return None;
        }
        Some(ClockLine {
            nic_ns: base.nic_ns,
            monotonic_ns: base.monotonic_ns.wrapping_add_signed(at_base.round() as i64),
            drift_q38: drift_q38 as i64,
        })
    }
}

/// What a reading shows `CLOCK_MONOTONIC` to be ahead of the line.
fn off_ns(line: &ClockLine, reading: &ClockReading) -> i64 {
    reading.monotonic_ns.wrapping_sub(line.monotonic_at(reading.nic_ns)).cast_signed()
}

#[cfg(test)]
mod tests;
