//! Latency of many frames from the waits in the queue.

use super::{clock::Clock, lattice::first, passage::Passage};
use crate::suite::LatencyStats;

/// The timed frames of a direction.
#[derive(Debug)]
pub(super) struct Timed {
    pub(super) passage: Passage,
    /// What each takes beyond its wait, units.
    pub(super) constant: i128,
    /// Frames that arrived.
    pub(super) arrived: u64,
}

/// Figures over all of `timed`, as if chance had taken frames evenly; `None`: none arrived.
/// The least is rounded down to a nanosecond, percentiles and the greatest are rounded up: the
/// smallest x with F(x) at least the percentile (RFC 2330 section 11.3).
pub(super) fn latency(clock: &Clock, timed: &[Timed]) -> Option<LatencyStats> {
    let count: u64 = timed.iter().map(|timed| timed.arrived).sum();
    let extremes = timed.iter().filter_map(|timed| {
        let (least, greatest) = timed.passage.extremes()?;
        Some((least + timed.constant, greatest + timed.constant))
    });
    let (least, greatest) = extremes.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
    if count == 0 {
        return None;
    }
    let passed: i128 = timed.iter().map(|timed| i128::from(timed.passage.passed())).sum();
    let total: f64 = timed
        .iter()
        .map(|Timed { passage, constant, .. }| {
            passage.waits() + *constant as f64 * passage.passed() as f64
        })
        .sum();
    let up = |units: i128| -clock.ns(-units);
    let percentile = |per_mille: i128| {
        let rank = (passed * per_mille + 999) / 1000;
        first(up(least), up(greatest), |ns| {
            let most = clock.nanoseconds(1) * ns;
            let within = |timed: &Timed| timed.passage.waited_at_most(most - timed.constant);
            timed.iter().map(within).sum::<i128>() >= rank
        }) as i64
    };
    Some(LatencyStats {
        count,
        min_ns: clock.ns(least) as i64,
        mean_ns: clock.ns_f64(total / passed as f64),
        p50_ns: percentile(500),
        p99_ns: percentile(990),
        p999_ns: percentile(999),
        max_ns: up(greatest) as i64,
        uncertainty_ns: Some(0),
    })
}
