use crate::{
    spec::{Flow, Leg},
    units::{Rate, Ratio},
};

/// A flow's rate over time as its streams follow it: the due time of any frame, computed
/// from the frame's number, so that nothing adds up to a drift.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// In order of time, at least one; the last has no end.
    segments: Vec<Segment>,
    /// The segment of the frame asked for last.
    at: usize,
}

/// A stretch of constant or evenly changing rate.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Segment {
    /// CLOCK_MONOTONIC.
    start_ns: u64,
    /// Frames due before it and until its end.
    before: f64,
    end: f64,
    /// Frames per ns at its begin, and their inverse.
    rate: f64,
    interval_ns: f64,
    /// Frames per ns that the rate changes by in a ns.
    slope: f64,
}

impl Segment {
    fn constant(start_ns: u64, before: f64, rate: f64) -> Self {
        let interval_ns = rate.recip();
        Self { start_ns, before, end: f64::INFINITY, rate, interval_ns, slope: 0.0 }
    }

    /// When the frame at this position is due, to the nearest ns.
    #[inline]
    fn due_ns(&self, position: f64) -> u64 {
        let frames = position - self.before;
        let ns = if self.slope == 0.0 {
            frames * self.interval_ns
        } else {
            // The root of rate x t + slope x t^2 / 2 = frames that cancels no digits.
            let root = (self.rate * self.rate + 2.0 * self.slope * frames).max(0.0).sqrt();
            2.0 * frames / (self.rate + root)
        };
        // A ramp from nothing has its first frame at 0 / 0: `as` makes that 0.
        self.start_ns + (ns + 0.5) as u64
    }

    fn frames_by(&self, time_ns: u64) -> f64 {
        let ns = time_ns.saturating_sub(self.start_ns) as f64;
        self.before + ns * (self.rate + self.slope * ns / 2.0)
    }
}

impl Profile {
    /// Of a flow on a link of `link_bps` that starts at `start_ns`; `None`: it waits for
    /// nothing. Trains at "max" leave at line rate, or a frame each ns where there is none.
    pub fn of(flow: &Flow, link_bps: u64, start_ns: u64) -> Option<Self> {
        let line = Rate::LineShare(Ratio::ONE).frames_per_second(link_bps, flow.mean_size());
        let fps = line.filter(|_| link_bps > 0).unwrap_or(Ratio::from(1_000_000_000));
        let train = || vec![Leg { start_ns: 0, length_ns: None, from: fps, to: fps }];
        let legs = flow.legs(link_bps).or_else(|| flow.burst.map(|_| train()))?;
        Some(Self::new(&legs, start_ns))
    }

    /// Of a flow that starts at `start_ns` (CLOCK_MONOTONIC); `legs` as
    /// [`Flow::legs`](crate::spec::Flow::legs) gives them.
    ///
    /// # Panics
    /// Without a leg.
    pub fn new(legs: &[Leg], start_ns: u64) -> Self {
        assert!(!legs.is_empty(), "a rate has a leg");
        // Room for the second segment that a change of the rate may need.
        let mut segments: Vec<Segment> = Vec::with_capacity(legs.len().max(2));
        let mut before = 0.0;
        for leg in legs {
            let per_ns = |fps: Ratio| fps.to_f64() / 1e9;
            let mut segment = Segment::constant(start_ns + leg.start_ns, before, per_ns(leg.from));
            if let Some(length_ns) = leg.length_ns {
                segment.slope = (per_ns(leg.to) - segment.rate) / length_ns as f64;
                segment.end = segment.frames_by(segment.start_ns + length_ns);
                before = segment.end;
            }
            segments.push(segment);
        }
        Self { segments, at: 0 }
    }

    /// When the frame at `position` (the frames due before it) is due; positions are asked
    /// for in ascending order.
    #[inline]
    pub fn due_ns(&mut self, position: f64) -> u64 {
        while position >= self.segments[self.at].end && self.at + 1 < self.segments.len() {
            self.at += 1;
        }
        self.segments[self.at].due_ns(position)
    }

    /// Nanoseconds between frames at the start.
    pub(super) fn interval_ns(&self) -> u64 {
        self.segments[0].interval_ns as u64
    }

    /// Nanoseconds between frames; `None`: they change.
    pub(super) fn constant_interval_ns(&self) -> Option<f64> {
        let constant = self.segments.len() == 1 && self.segments[0].slope == 0.0;
        constant.then(|| self.segments[0].interval_ns)
    }

    /// Frames due before `time_ns`, with the part of one that is under way.
    pub fn frames_by(&self, time_ns: u64) -> f64 {
        let started = self.segments.iter().rev().find(|segment| segment.start_ns <= time_ns);
        started.map_or(0.0, |segment| segment.frames_by(time_ns))
    }

    /// From `time_ns` on, but not before its start, the rate is `frames_per_second`, whatever was planned.
    pub fn change(&mut self, time_ns: u64, frames_per_second: f64) {
        let time_ns = time_ns.max(self.segments[0].start_ns);
        let started = self.segments.iter().rposition(|segment| segment.start_ns <= time_ns);
        let last = started.unwrap_or(0);
        let before = self.frames_by(time_ns);
        self.segments.truncate(last + 1);
        self.segments[last].end = before;
        self.segments.push(Segment::constant(time_ns, before, frames_per_second / 1e9));
        // What is over is not needed any more; frames that are late may be of an earlier one.
        self.segments.drain(..self.at.min(last));
        self.at = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::frames_within;
    use proptest::prelude::*;

    const S: u64 = 1_000_000_000;

    fn leg(start_ns: u64, length_ns: Option<u64>, from: u64, to: u64) -> Leg {
        Leg { start_ns, length_ns, from: from.into(), to: to.into() }
    }

    proptest! {
        #[test]
        fn frames_due_by_any_time_are_the_integral_of_the_rate(
            rates in prop::collection::vec((1_u64..2_000_000, 1_u64..5_000), 1..6), share in 0.01_f64..1.2
        ) {
            let (mut legs, mut start_ns) = (Vec::new(), 0);
            for pair in rates.windows(2) {
                let length_ns = pair[0].1 * 1_000_000;
                legs.push(leg(start_ns, Some(length_ns), pair[0].0, pair[1].0));
                start_ns += length_ns;
            }
            let last = rates[rates.len() - 1].0;
            legs.push(leg(start_ns, None, last, last));
            let until_ns = ((start_ns + S) as f64 * share) as u64;
            let frames = frames_within(&legs, until_ns);
            let mut profile = Profile::new(&legs, 7);
            prop_assert!((profile.frames_by(7 + until_ns) - frames as f64) < 1.001);
            // The last of them is due before, the next one not, to the ns that is rounded.
            if frames > 0 {
                prop_assert!(profile.due_ns((frames - 1) as f64) <= 7 + until_ns);
            }
            prop_assert!(profile.due_ns((frames + 1) as f64) + 1 >= 7 + until_ns);
        }

        #[test]
        fn due_times_never_go_back(from in 0_u64..1_000_000, to in 0_u64..1_000_000, ms in 1_u64..3_000) {
            let legs = [leg(0, Some(ms * 1_000_000), from, to), leg(ms * 1_000_000, None, to.max(1), to.max(1))];
            let mut profile = Profile::new(&legs, 0);
            let mut last = 0;
            for frame in 0..2_000 {
                let due = profile.due_ns(f64::from(frame));
                prop_assert!(due >= last, "frame {frame} at {due}, the one before at {last}");
                last = due;
            }
        }
    }

    #[test]
    fn a_changed_rate_goes_on_from_where_the_old_one_was() {
        let mut profile = Profile::new(&[leg(0, None, 1000, 1000)], 0);
        assert_eq!(profile.due_ns(1500.0), 3 * S / 2);
        profile.change(2 * S + 500_000, 100.0);
        // 2,000.5 frames were due by then; half a frame at 100 fps is 5 ms.
        assert_eq!(profile.due_ns(2000.0), 2 * S);
        assert_eq!(profile.due_ns(2001.0), 2 * S + 5_500_000);
        profile.change(3 * S, 1.0);
        profile.change(4 * S, 1000.0);
        let by = 2000.5 + 99.95 + 1.0;
        assert!((profile.frames_by(4 * S) - by).abs() < 1e-6);
        assert!((profile.frames_by(5 * S) - by - 1000.0).abs() < 1e-6);
    }
}
