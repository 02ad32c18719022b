//! When the device works: real time less the stalls is work time.

/// A device that stands still for a while, again and again. Times are units since the start of
/// a trial; work time stands still with the device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stalls {
    /// What is left of a stall in which the trial began.
    pub(super) rest: i128,
    /// Where the first whole one begins, above `rest`.
    pub(super) first: i128,
    /// How long each lasts, at least 0 and below `period`.
    pub(super) length: i128,
    /// From one to the next.
    pub(super) period: i128,
}

/// A time in terms of stalls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The device works from `work` on, until `end`.
    Works { work: i128, end: i128 },
    /// It has stood still since `work` and does until `end`.
    Stands { work: i128, end: i128 },
}

impl Stalls {
    /// A device that never stalls.
    pub(super) const NONE: Stalls =
        Stalls { rest: 0, first: i128::MAX / 4, length: 0, period: i128::MAX / 4 };

    /// What the device does at `time`, and the work time then.
    pub(super) fn phase(&self, time: i128) -> Phase {
        let Self { rest, first, length, period } = *self;
        if time < rest {
            return Phase::Stands { work: 0, end: rest };
        }
        if time < first {
            return Phase::Works { work: time - rest, end: first };
        }
        let (number, within) = ((time - first) / period, (time - first) % period);
        let begin = first + number * period;
        if within < length {
            Phase::Stands { work: self.work_at(number), end: begin + length }
        } else {
            Phase::Works { work: time - rest - (number + 1) * length, end: begin + period }
        }
    }

    /// The work time of a whole stall.
    fn work_at(&self, number: i128) -> i128 {
        self.first - self.rest + number * (self.period - self.length)
    }

    /// By how much real time is ahead of work time at `work`; what would begin the moment that
    /// a stall does waits for its end.
    pub(super) fn lag(&self, work: i128) -> i128 {
        self.rest + self.begun(work) * self.length
    }

    /// The work time of the first stall after `work`.
    pub(super) fn next(&self, work: i128) -> i128 {
        self.work_at(self.begun(work))
    }

    /// Whole stalls that have begun by `work`.
    fn begun(&self, work: i128) -> i128 {
        let since = work - self.work_at(0);
        if since < 0 { 0 } else { since / (self.period - self.length) + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3 units of each 10, from 5 on, and the first 2.
    const STALLS: Stalls = Stalls { rest: 2, first: 5, length: 3, period: 10 };

    #[test]
    fn work_time_stands_still_in_a_stall() {
        let mut work = 0;
        for time in 0..40 {
            let stands = time < 2 || (time >= 5 && (time - 5) % 10 < 3);
            let phase = STALLS.phase(time);
            match phase {
                Phase::Stands { work: at, end } => {
                    assert!(stands && at == work, "{time}: {phase:?}");
                    assert!(matches!(STALLS.phase(end), Phase::Works { .. }));
                }
                Phase::Works { work: at, end } => {
                    assert!(!stands && at == work, "{time}: {phase:?}");
                    assert!(matches!(STALLS.phase(end), Phase::Stands { .. }));
                    assert_eq!(at + STALLS.lag(at), time);
                    work += 1;
                }
            }
        }
    }

    #[test]
    fn the_next_stall_is_where_the_lag_grows() {
        for work in 0..30 {
            let next = STALLS.next(work);
            assert!(next > work);
            assert_eq!(STALLS.lag(next - 1), STALLS.lag(work));
            assert_eq!(STALLS.lag(next), STALLS.lag(work) + 3);
        }
        assert_eq!(Stalls::NONE.lag(1 << 100), 0);
    }
}
