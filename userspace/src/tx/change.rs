use std::sync::{Arc, OnceLock};

/// What changes while workers send. Changes are a list that only grows, at its end:
/// a worker looks for the next one without a lock, and frees nothing.
#[derive(Debug, Default)]
pub struct Change {
    /// Number of the flow, as in [`StreamPlan`](super::StreamPlan).
    pub flow: u32,
    /// CLOCK_MONOTONIC from which it counts. A worker that hears of a rate later has sent by
    /// the old one until then, and makes up for it.
    pub time_ns: u64,
    /// What the flow does from then on.
    pub action: Action,
    next: OnceLock<Arc<Change>>,
}

/// What a flow does from a time on.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Action {
    /// What it did before.
    #[default]
    Nothing,
    /// Sends at another rate.
    Rate {
        /// The rate.
        frames_per_second: f64,
        /// Frames that the flow sends in all; `None`: until stopped.
        frames: Option<u64>,
    },
    /// Sends nothing, and its clock stands still: what was due later is due later still.
    Pause,
    /// Goes on where it was; its clock stood for so long.
    Resume {
        /// Since the pause.
        stood_ns: u64,
    },
}

impl Change {
    /// Of a flow, from a time.
    pub fn new(flow: u32, time_ns: u64, action: Action) -> Self {
        Self { flow, time_ns, action, next: OnceLock::new() }
    }

    /// The change after this one.
    #[inline]
    pub fn next(&self) -> Option<&Arc<Change>> {
        self.next.get()
    }

    /// Makes `change` the next one. There is one writer, which appends to the last.
    pub fn append(&self, change: Arc<Change>) {
        let appended = self.next.set(change);
        debug_assert!(appended.is_ok(), "changes are appended to the last");
    }
}
