use crate::units::Ratio;

/// The spacing of one flow's frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Whenever the ring has room.
    Max,
    /// Evenly, `interval_ns` apart.
    Constant {
        /// Nanoseconds from one frame of the flow to the next, exact.
        interval_ns: Ratio,
    },
    /// Trains of `frames`, evenly spaced inside, `gap_ns` from the last of one to the
    /// first of the next.
    Burst {
        /// Nanoseconds between frames inside a train, exact.
        interval_ns: Ratio,
        /// Frames in a train, at least 1.
        frames: u64,
        /// Silence between trains.
        gap_ns: u64,
    },
}

/// Says when each frame of a stream is due. Time is exact: frame i of a constant
/// flow is due at start + floor(i x interval), without drift, and a late frame
/// never delays those after it.
#[derive(Debug, Clone)]
pub struct Pacer {
    due_ns: u64,
    /// What the due time has beyond `due_ns`, in `1 / denominator` ns.
    remainder: u64,
    step_ns: u64,
    step_remainder: u64,
    denominator: u64,
    /// Frames until the train ends, and what is added then; `u64::MAX`: no trains.
    left_in_train: u64,
    train: u64,
    train_gap_ns: u64,
}

impl Pacer {
    /// The pacer of the stream that sends frames `first`, `first + stride`, ... of a
    /// flow that starts at `start_ns`; `None` for [`Pace::Max`], which waits for nothing.
    /// Trains stay on one queue: their stride is 1.
    pub fn new(pace: Pace, start_ns: u64, first: u32, stride: u32) -> Option<Self> {
        let (interval, train, gap_ns) = match pace {
            Pace::Max => return None,
            Pace::Constant { interval_ns } => (interval_ns, u64::MAX, 0),
            Pace::Burst { interval_ns, frames, gap_ns } => {
                debug_assert_eq!(stride, 1, "a train stays on one queue");
                (interval_ns, frames.max(1), gap_ns)
            }
        };
        let interval = limit_denominator(interval);
        let offset = interval.times(u64::from(first).into());
        let step = interval.times(u64::from(stride).into());
        // One denominator for both, so that the remainder needs no conversion.
        let denominator = interval.denominator();
        let whole_and_rest = |value: Ratio| {
            let scaled = value.numerator() * (denominator / value.denominator());
            ((scaled / denominator) as u64, (scaled % denominator) as u64)
        };
        let (offset_ns, remainder) = whole_and_rest(offset);
        let (step_ns, step_remainder) = whole_and_rest(step);
        Some(Self {
            due_ns: start_ns + offset_ns,
            remainder,
            step_ns,
            step_remainder,
            denominator: denominator as u64,
            left_in_train: train,
            train,
            train_gap_ns: gap_ns.saturating_sub(step_ns),
        })
    }

    /// When the next frame is due.
    #[inline]
    pub fn due_ns(&self) -> u64 {
        self.due_ns
    }

    /// The next frame was taken.
    #[inline]
    pub fn advance(&mut self) {
        self.due_ns += self.step_ns;
        self.remainder += self.step_remainder;
        if self.remainder >= self.denominator {
            self.remainder -= self.denominator;
            self.due_ns += 1;
        }
        if self.train != u64::MAX {
            self.left_in_train -= 1;
            if self.left_in_train == 0 {
                self.left_in_train = self.train;
                self.due_ns += self.train_gap_ns;
            }
        }
    }
}

/// Keeps the denominator within 32 bits, so that the remainder never overflows. A rate
/// that needs more digits is off by less than 2^-32 of a nanosecond per frame.
fn limit_denominator(interval: Ratio) -> Ratio {
    const LIMIT: u128 = 1 << 32;
    if interval.denominator() <= LIMIT {
        return interval;
    }
    Ratio::new(interval.numerator() * LIMIT / interval.denominator(), LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn constant(fps: u64) -> Pace {
        Pace::Constant { interval_ns: Ratio::new(1_000_000_000, fps.into()) }
    }

    /// Sends on a fake clock that moves by `tick_ns`; returns the frames of the first `for_ns`.
    fn sent_by(pacer: &mut Pacer, start_ns: u64, for_ns: u64, tick_ns: u64) -> u64 {
        let (mut now, mut sent) = (start_ns, 0);
        while now < start_ns + for_ns {
            while pacer.due_ns() <= now {
                pacer.advance();
                sent += 1;
            }
            now += tick_ns;
        }
        while pacer.due_ns() < start_ns + for_ns {
            pacer.advance();
            sent += 1;
        }
        sent
    }

    proptest! {
        #[test]
        fn frames_due_in_t_are_the_ceiling_of_rate_x_t_whatever_the_clock_does(
            fps in 1_u64..200_000, ms in 1_u64..200, tick_ns in 100_u64..3_000_000, start in 0_u64..1 << 50,
        ) {
            let mut pacer = Pacer::new(constant(fps), start, 0, 1).unwrap();
            let for_ns = ms * 1_000_000;
            // Frame i is due at floor(i x interval) < T, so i < ceil(T x rate).
            let exact = (u128::from(fps) * u128::from(for_ns)).div_ceil(1_000_000_000);
            prop_assert_eq!(u128::from(sent_by(&mut pacer, start, for_ns, tick_ns)), exact);
        }

        #[test]
        fn frame_i_is_due_at_the_floor_of_i_intervals(num in 1_u64..1 << 40, den in 1_u64..1 << 30, i in 0_u32..2_000) {
            let interval = Ratio::new(num.into(), den.into());
            let mut pacer = Pacer::new(Pace::Constant { interval_ns: interval }, 7, 0, 1).unwrap();
            for _ in 0..i {
                pacer.advance();
            }
            let exact = interval.times(u64::from(i).into()).floor();
            prop_assert_eq!(u128::from(pacer.due_ns() - 7), exact);
        }

        #[test]
        fn striped_streams_are_together_due_when_the_flow_is(fps in 1_u64..20_000_000, stride in 1_u32..6) {
            let mut whole = Pacer::new(constant(fps), 1_000, 0, 1).unwrap();
            let mut parts: Vec<_> =
                (0..stride).map(|first| Pacer::new(constant(fps), 1_000, first, stride).unwrap()).collect();
            for i in 0..300_usize {
                let part = &mut parts[i % stride as usize];
                prop_assert_eq!(part.due_ns(), whole.due_ns());
                part.advance();
                whole.advance();
            }
        }
    }

    #[test]
    fn trains_have_their_gap_between_the_last_frame_and_the_next_first() {
        let pace = Pace::Burst { interval_ns: Ratio::from(100), frames: 3, gap_ns: 1_000 };
        let mut pacer = Pacer::new(pace, 0, 0, 1).unwrap();
        let due: Vec<u64> = (0..7)
            .map(|_| {
                let due = pacer.due_ns();
                pacer.advance();
                due
            })
            .collect();
        assert_eq!(due, [0, 100, 200, 1_200, 1_300, 1_400, 2_400]);
    }

    #[test]
    fn a_rate_with_an_endless_expansion_stays_exact_for_a_day() {
        // 14,880,952.38 fps: 10 Gb/s of 64-octet frames, 67.2 ns.
        let fps = Ratio::new(10_000_000_000, 84 * 8);
        let interval_ns = Ratio::from(1_000_000_000).over(fps);
        let mut pacer = Pacer::new(Pace::Constant { interval_ns }, 0, 0, 1).unwrap();
        for _ in 0..5 {
            pacer.advance();
        }
        assert_eq!(pacer.due_ns(), 336);
    }
}
