//! Sends the frames of a capture: the same frames, in their order, on one queue.

use super::{
    Outcome, Queue, StreamCounters, Trial, TxError, TxMode,
    waiting::{CATCH_UP_NS, rest},
    worker::OUTSTANDING_ZERO_COPY,
};
use crate::{
    packet::Recording,
    units::{Ratio, monotonic_ns},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// When the frames of a replay are due.
#[derive(Debug, Clone)]
pub struct ReplayTiming {
    /// By frame of the file: ns after the start of its round, never falling.
    pub due_ns: Vec<u64>,
    /// From the start of one round to that of the next, exact.
    pub round_ns: Ratio,
}

impl ReplayTiming {
    /// When a frame is due, ns after the start; rounds make one long row of frames.
    pub fn due_ns(&self, frame: u64) -> u64 {
        let frames = self.due_ns.len() as u64;
        self.round_start_ns(frame / frames) + self.due_ns[(frame % frames) as usize]
    }

    /// Frames that are due within this time.
    pub fn frames_within(&self, time_ns: u64) -> u64 {
        if self.round_ns == Ratio::ZERO {
            return u64::MAX;
        }
        let frames = self.due_ns.len() as u64;
        // The last round that has begun; a frame may be due just as the next one begins.
        let round = Ratio::from(time_ns).over(self.round_ns).floor() as u64;
        let within = |round: u64| {
            let rest_ns = time_ns.checked_sub(self.round_start_ns(round));
            rest_ns.map_or(0, |rest| self.due_ns.partition_point(|due| *due < rest) as u64)
        };
        match within(round) {
            0 if round > 0 => (round - 1) * frames + within(round - 1),
            some => round * frames + some,
        }
    }

    fn round_start_ns(&self, round: u64) -> u64 {
        self.round_ns.floor_times(round.into()).map_or(u64::MAX, |ns| ns as u64)
    }
}

/// What a worker replays.
#[derive(Debug)]
pub struct ReplayPlan {
    /// The frames.
    pub recording: Arc<Recording>,
    /// When they are due; `None`: whenever there is room.
    pub timing: Option<Arc<ReplayTiming>>,
    /// How many are sent, rounds and all; `None`: until stopped.
    pub frames: Option<u64>,
    /// CLOCK_MONOTONIC of the end; what is not sent by then stays unsent.
    pub stop_ns: Option<u64>,
    /// Where the worker says what it did.
    pub counters: Arc<StreamCounters>,
}

/// Frames written before one kick.
const BATCH: usize = 32;

impl Queue {
    /// Sends the frames of a recording until all were sent, the time is over, or `stop` is
    /// set; then waits for the completions. `yields`: other workers want this core too.
    pub fn replay(
        &mut self,
        plan: ReplayPlan,
        trial: &Trial,
        stop: &AtomicBool,
        yields: bool,
    ) -> Outcome {
        let mut replay = Replay {
            queue: self,
            place: 0,
            round: 0,
            round_ns: trial.start_ns,
            left: plan.frames.unwrap_or(u64::MAX),
            stop_ns: plan.stop_ns.unwrap_or(u64::MAX),
            plan,
            trial,
            yields,
        };
        let error = replay.send(stop).err();
        Outcome { outstanding: replay.drain(), error }
    }
}

struct Replay<'a> {
    queue: &'a mut Queue,
    plan: ReplayPlan,
    trial: &'a Trial,
    /// Of the next frame, in the file.
    place: usize,
    round: u64,
    /// When this round began.
    round_ns: u64,
    left: u64,
    stop_ns: u64,
    yields: bool,
}

impl Replay<'_> {
    fn send(&mut self, stop: &AtomicBool) -> Result<(), TxError> {
        self.wait(self.trial.start_ns, stop);
        while !stop.load(Relaxed) && self.left > 0 {
            self.reap();
            let now_ns = monotonic_ns();
            let due_ns = self.due_ns();
            // A frame that was due in time may be a little late.
            let over_ns = if self.plan.timing.is_some() { CATCH_UP_NS } else { 0 };
            if due_ns >= self.stop_ns || now_ns >= self.stop_ns.saturating_add(over_ns) {
                return Ok(());
            }
            if due_ns > now_ns {
                self.wait(due_ns, stop);
                continue;
            }
            if self.fill(now_ns) > 0 {
                self.queue.submit();
            }
            self.queue.kick()?;
        }
        Ok(())
    }

    /// When the next frame is due; 0: at once.
    fn due_ns(&self) -> u64 {
        self.plan.timing.as_ref().map_or(0, |timing| self.round_ns + timing.due_ns[self.place])
    }

    /// Writes the frames that are due into the batch.
    fn fill(&mut self, now_ns: u64) -> usize {
        if self.queue.mode == TxMode::ZeroCopy && self.queue.outstanding() >= OUTSTANDING_ZERO_COPY
        {
            return 0;
        }
        let room = (self.queue.room(BATCH as u32) as usize).min(BATCH);
        // Bins by transmit time belong to tags, which these frames do not have.
        let bin = 0;
        let mut written = 0;
        while written < room && self.left > 0 && self.due_ns() <= now_ns.min(self.stop_ns - 1) {
            let Some(slot) = self.queue.take() else { break };
            let frame = self.plan.recording.frame(self.place);
            self.queue.octets(slot)[..frame.len()].copy_from_slice(frame);
            self.queue.queue(slot, frame.len());
            self.plan.counters.submit(frame.len(), now_ns, bin);
            written += 1;
            self.advance();
        }
        written
    }

    fn advance(&mut self) {
        self.left -= 1;
        self.place += 1;
        if self.place == self.plan.recording.len() {
            self.place = 0;
            self.round += 1;
            let start = self.plan.timing.as_ref().map_or(0, |it| it.round_start_ns(self.round));
            self.round_ns = self.trial.start_ns + start;
        }
    }

    fn reap(&mut self) -> usize {
        let counters = &self.plan.counters;
        self.queue.reap(|_| counters.complete())
    }

    /// Sleeps and then spins until a moment, or a stop, or for a while.
    fn wait(&self, until_ns: u64, stop: &AtomicBool) {
        loop {
            let ahead_ns = until_ns.saturating_sub(monotonic_ns());
            if ahead_ns == 0 || stop.load(Relaxed) {
                return;
            }
            rest(ahead_ns, self.yields);
        }
    }

    fn drain(&mut self) -> usize {
        let counters = &self.plan.counters;
        self.queue.drain(|_| counters.complete())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rounds_follow_each_other_without_drift() {
        // One frame every third of a microsecond.
        let timing = ReplayTiming { due_ns: vec![0], round_ns: Ratio::new(1000, 3) };
        assert_eq!(
            [0, 1, 2, 3, 3_000_000].map(|k| timing.due_ns(k)),
            [0, 333, 666, 1000, 1_000_000_000]
        );
        assert_eq!(timing.frames_within(1_000_000_000), 3_000_000);
    }

    proptest! {
        #[test]
        fn frames_within_a_time_are_those_due_before_it(
            gaps in proptest::collection::vec(0_u64..50, 1..8),
            round in 1_u128..400, parts in 1_u128..4, time_ns in 0_u64..2000,
        ) {
            let due_ns: Vec<u64> = gaps.iter().scan(0, |sum, gap| { *sum += gap; Some(*sum) }).collect();
            let least = u128::from(*due_ns.last().unwrap());
            let timing = ReplayTiming { due_ns, round_ns: Ratio::new(least * parts + round, parts) };
            let expected = (0..u64::MAX).take_while(|&frame| timing.due_ns(frame) < time_ns).count() as u64;
            prop_assert_eq!(timing.frames_within(time_ns), expected);
        }
    }
}
