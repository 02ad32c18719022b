//! When the streams of a worker send, and how changes reach them: the same for a worker in this
//! process and for one in the kernel.

use super::{Action, Change, Pacer, StreamPlan, schedule::Schedule};
use std::sync::Arc;

/// When a stream sends, and how far it is.
#[derive(Debug)]
pub(super) struct Timing {
    /// Number of its flow.
    pub(super) flow: u32,
    pub(super) pacer: Option<Pacer>,
    /// Frames that it sends in all, and those to come.
    pub(super) total: u64,
    pub(super) left: u64,
    pub(super) stop_ns: u64,
    /// What is due from here on waits; `u64::MAX`: it is not paused.
    pub(super) pause_ns: u64,
}

impl Timing {
    pub(super) fn of(plan: &mut StreamPlan) -> Self {
        let total = plan.frames.unwrap_or(u64::MAX);
        Self {
            flow: plan.flow,
            pacer: plan.pacer.take(),
            total,
            left: total,
            stop_ns: plan.stop_ns.unwrap_or(u64::MAX),
            pause_ns: u64::MAX,
        }
    }

    /// After a frame: whether there is another.
    #[inline]
    pub(super) fn advance(&mut self) -> bool {
        self.left -= 1;
        if let Some(pacer) = &mut self.pacer {
            pacer.advance();
        }
        self.has_more()
    }

    /// The same, after so many frames.
    pub(super) fn skip(&mut self, frames: u64) -> bool {
        self.left -= frames;
        if let Some(pacer) = &mut self.pacer {
            pacer.skip(frames);
        }
        self.has_more()
    }

    #[inline]
    fn has_more(&self) -> bool {
        let in_time = self.pacer.as_ref().is_none_or(|pacer| pacer.due_ns() <= self.stop_ns);
        in_time && self.left > 0
    }

    /// When its next frame, or its end, comes; never, while it is paused.
    #[inline]
    pub(super) fn due_ns(&self) -> Option<u64> {
        let due_ns = if self.is_idle() { self.stop_ns } else { self.pacer.as_ref()?.due_ns() };
        Some(if due_ns >= self.pause_ns { u64::MAX } else { due_ns })
    }

    /// Has sent all its frames before its time is over: a change may give it more.
    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.left == 0 && self.pacer.is_some() && self.stop_ns != u64::MAX
    }

    /// Takes up a change of its flow, a pause of an unpaced stream aside.
    fn change(&mut self, change: &Change) {
        let Some(pacer) = &mut self.pacer else {
            if let Action::Resume { stood_ns } = change.action {
                self.stop_ns = self.stop_ns.saturating_add(stood_ns);
            }
            return;
        };
        match change.action {
            Action::Nothing => (),
            Action::Rate { frames_per_second, frames } => {
                let sent = self.total - self.left;
                // Of a paused flow, it is the rate to go on with.
                let time_ns = change.time_ns.min(self.pause_ns);
                let total = pacer.change(time_ns, frames_per_second, frames, sent);
                if let Some(total) = total {
                    (self.total, self.left) = (total.max(sent), total.saturating_sub(sent));
                }
            }
            Action::Pause => self.pause_ns = change.time_ns,
            Action::Resume { stood_ns } => {
                self.pause_ns = u64::MAX;
                self.stop_ns = self.stop_ns.saturating_add(stood_ns);
                pacer.delay(stood_ns);
            }
        }
    }
}

impl AsRef<Timing> for Timing {
    fn as_ref(&self) -> &Timing {
        self
    }
}

impl AsMut<Timing> for Timing {
    fn as_mut(&mut self) -> &mut Timing {
        self
    }
}

/// The streams of a worker, which of them is next, and the changes that reach them.
#[derive(Debug)]
pub(super) struct Roster<S> {
    pub(super) streams: Vec<S>,
    pub(super) schedule: Schedule,
    /// The change that was taken up last.
    changes: Arc<Change>,
    /// Unpaced streams that are paused.
    pub(super) suspended: Vec<u32>,
}

impl<S: AsRef<Timing> + AsMut<Timing>> Roster<S> {
    /// `changes`: those that come after this one are for these streams.
    pub(super) fn new(streams: Vec<S>, changes: Arc<Change>) -> Self {
        let sending = (0..).zip(&streams).filter(|(_, stream)| stream.as_ref().left > 0);
        let schedule =
            Schedule::new(sending.map(|(index, stream)| (index, stream.as_ref().due_ns())));
        Self { streams, schedule, changes, suspended: Vec::new() }
    }

    /// From when the next change counts that is for one of these streams, if one has come.
    pub(super) fn next_change_ns(&self) -> Option<u64> {
        let changes = std::iter::successors(self.changes.next(), |change| change.next());
        let is_ours = |change: &&Arc<Change>| {
            self.streams.iter().any(|stream| stream.as_ref().flow == change.flow)
        };
        changes.into_iter().find(is_ours).map(|change| change.time_ns)
    }

    /// Takes up what has changed. `changed` hears of each stream that was paused or goes on.
    #[inline]
    pub(super) fn follow(&mut self, changed: impl FnMut(u32, &Timing, &Change)) {
        if self.changes.next().is_some() {
            self.take_up(changed);
        }
    }

    #[cold]
    fn take_up(&mut self, mut changed: impl FnMut(u32, &Timing, &Change)) {
        while let Some(change) = self.changes.next().cloned() {
            for (index, stream) in (0..).zip(&mut self.streams) {
                let timing = stream.as_mut();
                if timing.flow != change.flow {
                    continue;
                }
                if timing.pacer.is_none()
                    && !Self::turns(&mut self.schedule, &mut self.suspended, index, change.action)
                {
                    continue;
                }
                timing.change(&change);
                changed(index, timing, &change);
            }
            self.changes = change;
        }
        self.schedule.refresh(|index| self.streams[index as usize].as_ref().due_ns());
    }

    /// An unpaced stream pauses or sends again; whether it does.
    fn turns(
        schedule: &mut Schedule,
        suspended: &mut Vec<u32>,
        index: u32,
        action: Action,
    ) -> bool {
        match action {
            Action::Nothing | Action::Rate { .. } => false,
            Action::Pause => {
                let was_there = schedule.suspend(index);
                if was_there {
                    suspended.push(index);
                }
                was_there
            }
            Action::Resume { .. } => {
                let at = suspended.iter().position(|&other| other == index);
                if let Some(at) = at {
                    suspended.swap_remove(at);
                    schedule.restore(index);
                }
                at.is_some()
            }
        }
    }
}
