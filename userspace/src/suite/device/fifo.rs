//! The queue: one server with a constant service time, room for some frames, tail drop.
//!
//! A frame that is sent at work time `t` finds `W = max(0, F - t)` of service ahead of it, `F`
//! being when the server will be free. It enters if no more than `room - 1` frames are in the
//! device (departures before arrivals on a tie), that is if `W <= (room - 1) service`; then `F`
//! becomes `t + W + service`. With frames at even gaps `W` rises, falls, stays at zero or, once
//! the queue is full, keeps within a gap of its limit: each of these is one [`Run`].

use super::{
    lattice::ceil_div,
    passage::{Passage, Rule, Run},
    stalls::{Phase, Stalls},
};

/// A device in one direction, idle at the start of a trial. All times are units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Device {
    /// The time that a frame takes.
    pub(super) service: i128,
    /// Frames in it at most, the one in service included; at least 2.
    pub(super) room: u64,
    pub(super) stalls: Stalls,
    /// From when until when it forwards nothing and forgets what it holds.
    pub(super) outage: Option<(i128, i128)>,
}

/// Frames at even gaps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Train {
    /// When the first is sent.
    pub(super) time: i128,
    pub(super) gap: i128,
    pub(super) frames: u64,
}

impl Device {
    /// What becomes of `trains`, one after the other.
    pub(super) fn pass(&self, trains: &[Train]) -> Passage {
        let limit = i128::from(self.room - 1) * self.service;
        let passage = Passage::default();
        let mut queue = Queue { device: *self, limit, free: 0, outage: self.outage, passage };
        for train in trains {
            queue.train(train);
        }
        queue.reset(i128::MAX);
        queue.passage
    }
}

struct Queue {
    device: Device,
    /// The greatest wait with which a frame enters.
    limit: i128,
    /// The work time at which the server is free.
    free: i128,
    /// The outage that is still to come.
    outage: Option<(i128, i128)>,
    passage: Passage,
}

/// Frames within a train between which nothing begins or ends.
struct Piece {
    base: i128,
    time: i128,
    gap: i128,
    count: i128,
    /// The work time of the first.
    work: i128,
    /// From one to the next in work time: `gap`, or nothing while the device stands still.
    work_gap: i128,
}

impl Queue {
    fn train(&mut self, train: &Train) {
        let base = i128::from(self.passage.frames);
        self.passage.frames += train.frames;
        let mut done = 0;
        while done < i128::from(train.frames) {
            let time = train.time + done * train.gap;
            let left = i128::from(train.frames) - done;
            let until = |end: i128| ceil_div(end - time, train.gap).min(left);
            self.reset(time);
            if let Some((_, end)) =
                self.device.outage.filter(|&(begin, end)| begin <= time && time < end)
            {
                done += until(end);
                continue;
            }
            let (phase, work, works) = match self.device.stalls.phase(time) {
                Phase::Works { work, end } => (end, work, true),
                Phase::Stands { work, end } => (end, work, false),
            };
            let end = self.outage.map_or(phase, |(begin, _)| phase.min(begin));
            let count = until(end);
            let work_gap = if works { train.gap } else { 0 };
            self.piece(Piece { base: base + done, time, gap: train.gap, count, work, work_gap });
            done += count;
        }
    }

    /// At the beginning of the outage, if that is no later than `time`, the device forgets the
    /// frames that it holds.
    fn reset(&mut self, time: i128) {
        if let Some((begin, _)) = self.outage.filter(|&(begin, _)| begin <= time) {
            self.passage.cut(begin);
            (self.free, self.outage) = (0, None);
        }
    }

    fn piece(&mut self, mut piece: Piece) {
        let Device { service, .. } = self.device;
        let blocked = self.free - piece.work - self.limit;
        if blocked > 0 && service <= piece.work_gap {
            piece.drop(ceil_div(blocked, piece.work_gap));
        }
        let wait = (self.free - piece.work).max(0);
        let growth = service - piece.work_gap;
        if wait <= self.limit && growth > 0 {
            self.enter(&mut piece, wait, (self.limit - wait) / growth + 1);
        }
        if growth > 0 {
            self.fill(&piece);
            return;
        }
        if wait > 0 {
            let until_idle = if growth == 0 { piece.count } else { ceil_div(wait, -growth) };
            self.enter(&mut piece, wait, until_idle);
        }
        if piece.count > 0 {
            let Piece { base, time, gap, count, work, .. } = piece;
            let rule = Rule::All { wait: 0, step: 0 };
            self.passage.runs.push(Run { base, time, gap, count, rule });
            self.free = work + (count - 1) * gap + service;
        }
    }

    /// As many as `most` enter a busy server, the first after `wait` of work.
    fn enter(&mut self, piece: &mut Piece, wait: i128, most: i128) {
        let (service, count) = (self.device.service, most.min(piece.count));
        let begin = piece.work + wait;
        let (base, time, gap) = (piece.base, piece.time, piece.gap);
        self.split(begin, count, |queue, skipped, count, lag| {
            let time = time + skipped * gap;
            let wait = begin + skipped * service + lag - time;
            let rule = Rule::All { wait, step: service - gap };
            queue.passage.runs.push(Run { base: base + skipped, time, gap, count, rule });
        });
        self.free = begin + count * service;
        piece.drop(count);
    }

    /// One enters for each that is served: the queue is full when the first of `piece` comes.
    fn fill(&mut self, piece: &Piece) {
        let &Piece { base, time, gap, work_gap, .. } = piece;
        // The frame enters that comes no earlier than this after the first.
        let room = self.free - self.limit - piece.work;
        let span = (piece.count - 1) * work_gap - room;
        if piece.count == 0 || work_gap == 0 || span < 0 {
            return;
        }
        let (service, begin) = (self.device.service, self.free);
        let count = span / service + 1;
        self.split(begin, count, |queue, skipped, count, lag| {
            let room = room + skipped * service;
            // Frame j is served at work time begin + j service, and was sent at or after
            // work + room + j service: it waits for the limit at most, but for the stalls.
            let wait = begin + skipped * service + lag - (time + room);
            let rule = Rule::Full { room, service, wait };
            queue.passage.runs.push(Run { base, time, gap, count, rule });
        });
        self.free = begin + count * service;
    }

    /// Divides frames, served one after the other from work time `begin` on, where a stall
    /// delays those after it: calls with how many came before, how many it is, and their lag.
    fn split(
        &mut self,
        begin: i128,
        count: i128,
        mut push: impl FnMut(&mut Self, i128, i128, i128),
    ) {
        let mut done = 0;
        while done < count {
            let work = begin + done * self.device.service;
            let next = self.device.stalls.next(work);
            let part = ceil_div(next - work, self.device.service).min(count - done);
            push(self, done, part, self.device.stalls.lag(work));
            done += part;
        }
    }
}

impl Piece {
    /// Without the first `count`.
    fn drop(&mut self, count: i128) {
        let count = count.min(self.count);
        self.base += count;
        self.time += count * self.gap;
        self.work += count * self.work_gap;
        self.count -= count;
    }
}
