use std::{fmt, time::Duration};

/// How a trial is watched and ended, beside what its flows send.
pub struct Course<'a> {
    /// Least time without a frame of the trial before its counters are final (CONTRACT,
    /// Meanings, Drain).
    pub quiet: Duration,
    /// Latency is that of frames sent so long after the start or later; zero: of all. The first
    /// of them are left out, as long as a frame sent before may still come.
    pub latency_from: Duration,
    /// The device takes its links down as part of the test: that is no fault of the trial.
    pub link_may_fall: bool,
    /// Called every few milliseconds while frames are sent, with the time since the start.
    pub tend: Option<&'a mut dyn FnMut(Duration)>,
}

impl Default for Course<'_> {
    fn default() -> Self {
        Self {
            quiet: Duration::from_millis(500),
            latency_from: Duration::ZERO,
            link_may_fall: false,
            tend: None,
        }
    }
}

impl Course<'_> {
    pub(super) fn quiet_ns(&self) -> u64 {
        self.quiet.as_nanos() as u64
    }

    /// CLOCK_MONOTONIC; `None`: it is of all frames.
    pub(super) fn latency_from_ns(&self, start_ns: u64) -> Option<u64> {
        let after_ns = self.latency_from.as_nanos() as u64;
        (after_ns > 0).then(|| start_ns.saturating_add(after_ns))
    }
}

impl fmt::Debug for Course<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Course")
            .field("quiet", &self.quiet)
            .field("latency_from", &self.latency_from)
            .field("link_may_fall", &self.link_may_fall)
            .finish_non_exhaustive()
    }
}
