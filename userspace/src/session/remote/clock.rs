//! How far two hosts' clocks are apart, as RFC 5905 measures it.

use serde::Serialize;

/// What a clock of this host is ahead of another's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ClockOffset {
    /// Ahead by so much, ns.
    pub offset_ns: i64,
    /// And by this much more or less: half of the shortest way there and back.
    pub error_ns: u64,
}

/// One-way latency is told where the clocks' error is at most this part of it.
const ONE_WAY_PART: i64 = 10;

impl ClockOffset {
    /// From when a question left, what the other clock showed, and when the answer came: the
    /// other clock was read somewhere between.
    pub(super) fn of(asked_ns: u64, there_ns: u64, answered_ns: u64) -> Self {
        let error_ns = answered_ns.saturating_sub(asked_ns).div_ceil(2);
        let middle_ns = asked_ns.wrapping_add(error_ns);
        Self { offset_ns: middle_ns.wrapping_sub(there_ns) as i64, error_ns }
    }

    /// The surer of two.
    pub(super) fn surer(self, other: Self) -> Self {
        if other.error_ns < self.error_ns { other } else { self }
    }

    /// How far this one may be wrong until the time of `later`: by what either does not know,
    /// and by what the clocks drifted apart meanwhile.
    pub(super) fn error_until(self, later: Self) -> u64 {
        self.error_ns.max(later.error_ns) + later.offset_ns.abs_diff(self.offset_ns)
    }
}

/// Whether a one-way latency of this median may be told.
pub(in crate::session) fn is_sure(error_ns: u64, median_ns: i64) -> bool {
    i64::try_from(error_ns).is_ok_and(|error_ns| error_ns.saturating_mul(ONE_WAY_PART) <= median_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_true_offset_is_within_the_error_however_uneven_the_ways_are() {
        // The other clock is a second behind.
        for (there, back) in [(10, 10), (1, 99), (99, 1), (0, 0), (7, 8)] {
            let asked = 5_000_000_000;
            let measured =
                ClockOffset::of(asked, asked + there - 1_000_000_000, asked + there + back);
            let wrong = measured.offset_ns.abs_diff(1_000_000_000);
            assert!(wrong <= measured.error_ns, "{there} {back}: {measured:?}");
        }
        // Ahead of ours, and across the end of 64 bits.
        assert_eq!(ClockOffset::of(10, 1_000, 10).offset_ns, -990);
        assert_eq!(ClockOffset::of(10, u64::MAX - 9, 10).offset_ns, 20);
    }

    #[test]
    fn drift_is_part_of_the_error() {
        let at = |offset_ns, error_ns| ClockOffset { offset_ns, error_ns };
        assert_eq!(at(100, 5).error_until(at(130, 8)), 38);
        assert_eq!(at(100, 9).surer(at(7, 3)), at(7, 3));
    }

    #[test]
    fn one_way_latency_is_told_when_the_error_is_a_tenth_of_it() {
        assert!(is_sure(5_000, 50_000) && !is_sure(5_001, 50_000));
        assert!(!is_sure(0, -1) && !is_sure(u64::MAX, i64::MAX));
    }
}
