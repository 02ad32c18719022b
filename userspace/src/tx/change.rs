use std::sync::{Arc, OnceLock};

/// A rate that changes while workers send. Changes are a list that only grows, at its end:
/// a worker looks for the next one without a lock, and frees nothing.
#[derive(Debug, Default)]
pub struct Change {
    /// Number of the flow, as in [`StreamPlan`](super::StreamPlan).
    pub flow: u32,
    /// CLOCK_MONOTONIC from which it counts. A worker that hears of it later has sent by the
    /// old rate until then, and makes up for it.
    pub time_ns: u64,
    /// The rate from then on.
    pub frames_per_second: f64,
    /// Frames that the flow sends in all; `None`: until stopped.
    pub frames: Option<u64>,
    next: OnceLock<Arc<Change>>,
}

impl Change {
    /// Of a flow, to a rate, from a time.
    pub fn new(flow: u32, time_ns: u64, frames_per_second: f64, frames: Option<u64>) -> Self {
        Self { flow, time_ns, frames_per_second, frames, next: OnceLock::new() }
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
