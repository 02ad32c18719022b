use std::{cmp::Reverse, collections::BinaryHeap};

/// Which stream of a worker sends next: of the paced ones the one that has been due
/// longest; when none is due, the unpaced ones in turn.
#[derive(Debug)]
pub(super) struct Schedule {
    paced: BinaryHeap<Reverse<(u64, u32)>>,
    unpaced: Vec<u32>,
    turn: usize,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Send(u32),
    WaitUntil(u64),
    Finished,
}

impl Schedule {
    /// Of streams with the time at which they are due; `None`: unpaced.
    pub(super) fn new(streams: impl Iterator<Item = (u32, Option<u64>)>) -> Self {
        let (mut paced, mut unpaced) = (BinaryHeap::new(), Vec::new());
        for (stream, due_ns) in streams {
            match due_ns {
                Some(due_ns) => paced.push(Reverse((due_ns, stream))),
                None => unpaced.push(stream),
            }
        }
        Self { paced, unpaced, turn: 0 }
    }

    #[inline]
    pub(super) fn next(&mut self, now_ns: u64) -> Next {
        match self.next_paced(now_ns) {
            Next::Send(stream) => Next::Send(stream),
            _ if !self.unpaced.is_empty() => {
                self.turn += 1;
                if self.turn >= self.unpaced.len() {
                    self.turn = 0;
                }
                Next::Send(self.unpaced[self.turn])
            }
            other => other,
        }
    }

    /// The stream so many turns after the one that [`Self::next`] named, where there are so many
    /// unpaced ones that it is not in the cache.
    #[inline]
    pub(super) fn coming(&self, turns: usize) -> Option<u32> {
        const MANY: usize = 64;
        let count = self.unpaced.len();
        let place = self.turn + turns;
        (count >= MANY).then(|| self.unpaced[if place < count { place } else { place - count }])
    }

    /// The same of the paced streams alone.
    #[inline]
    pub(super) fn next_paced(&self, now_ns: u64) -> Next {
        match self.paced.peek() {
            Some(&Reverse((due_ns, stream))) if due_ns <= now_ns => Next::Send(stream),
            Some(&Reverse((due_ns, _))) => Next::WaitUntil(due_ns),
            None => Next::Finished,
        }
    }

    /// The stream that [`Self::next`] named has sent; its next frame is due at `due_ns`
    /// (`None`: unpaced).
    #[inline]
    pub(super) fn sent(&mut self, due_ns: Option<u64>) {
        if let (Some(due_ns), Some(mut top)) = (due_ns, self.paced.peek_mut()) {
            top.0.0 = due_ns;
        }
    }

    /// Paced streams are due at other times.
    pub(super) fn refresh(&mut self, due_ns: impl Fn(u32) -> Option<u64>) {
        let mut paced = std::mem::take(&mut self.paced).into_vec();
        for Reverse((due, stream)) in &mut paced {
            *due = due_ns(*stream).unwrap_or(*due);
        }
        self.paced = paced.into();
    }

    /// The stream that [`Self::next`] named will not send again.
    pub(super) fn remove(&mut self, stream: u32) {
        match self.paced.peek() {
            Some(&Reverse((_, top))) if top == stream => {
                self.paced.pop();
            }
            // The turn stays for the one that takes the place.
            _ if self.unpaced.get(self.turn) == Some(&stream) => {
                self.unpaced.swap_remove(self.turn);
                self.turn = self.turn.checked_sub(1).unwrap_or(self.unpaced.len());
            }
            _ => (),
        }
    }
}

/// An unpaced stream pauses, or sends again.
impl Schedule {
    /// Takes an unpaced stream out of its turn; whether it was there.
    pub(super) fn suspend(&mut self, stream: u32) -> bool {
        let place = self.unpaced.iter().position(|other| *other == stream);
        place.map(|place| self.unpaced.remove(place)).is_some()
    }

    /// Unpaced streams for which `sends` is false have ended without a [`Self::remove`].
    pub(super) fn retain_unpaced(&mut self, sends: impl Fn(u32) -> bool) {
        self.unpaced.retain(|&stream| sends(stream));
    }

    /// Puts it back.
    pub(super) fn restore(&mut self, stream: u32) {
        self.unpaced.push(stream);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        spec::Leg,
        tx::{Pacer, Profile, Share, Spacing},
        units::Ratio,
    };

    fn every(ns: u64) -> Pacer {
        let fps = Ratio::new(1_000_000_000, ns.into());
        let legs = [Leg { start_ns: 0, length_ns: None, from: fps, to: fps }];
        let share = Share { first: 0, stride: 1, phase: 0.0, frames: None };
        Pacer::new(Profile::new(&legs, 0), Spacing::Even, &share)
    }

    fn schedule(pacers: &[Option<Pacer>]) -> Schedule {
        Schedule::new((0..).zip(pacers.iter().map(|pacer| pacer.as_ref().map(Pacer::due_ns))))
    }

    /// Runs up to `frames` on a fake clock, one nanosecond a frame; counts by stream.
    fn run(pacers: &mut [Option<Pacer>], frames: u64) -> Vec<u64> {
        let mut schedule = schedule(pacers);
        let mut counts = vec![0; pacers.len()];
        let mut now = 0;
        for _ in 0..frames {
            loop {
                match schedule.next(now) {
                    Next::Send(stream) => {
                        counts[stream as usize] += 1;
                        schedule.sent(pacers[stream as usize].as_mut().map(|pacer| {
                            pacer.advance();
                            pacer.due_ns()
                        }));
                        now += 1;
                        break;
                    }
                    Next::WaitUntil(due) => now = due,
                    Next::Finished => return counts,
                }
            }
        }
        counts
    }

    #[test]
    fn streams_share_by_their_rates() {
        assert_eq!(run(&mut [Some(every(100)), Some(every(300))], 400), [300, 100]);
    }

    #[test]
    fn an_overloaded_worker_starves_nobody() {
        // Two frames per nanosecond are asked for, one is possible.
        let counts = run(&mut [Some(every(1)), Some(every(1))], 1_000);
        assert_eq!(counts, [500, 500]);
    }

    #[test]
    fn unpaced_streams_take_turns_and_yield_to_the_paced() {
        assert_eq!(run(&mut [None, Some(every(10)), None], 1_000), [450, 100, 450]);
    }

    #[test]
    fn a_removed_stream_sends_no_more() {
        let mut schedule = schedule(&[None, Some(every(5))]);
        assert_eq!(schedule.next(0), Next::Send(1));
        schedule.remove(1);
        assert_eq!(schedule.next(100), Next::Send(0));
        schedule.remove(0);
        assert_eq!(schedule.next(100), Next::Finished);
    }
}
