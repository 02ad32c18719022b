//! The oracle at the peer: every frame that arrived, or a failure.

use super::{PacketSocket, Port};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Stores what arrives at a port, in order, from start to stop.
#[derive(Debug)]
pub(crate) struct Receiver {
    stop: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
    thread: Option<JoinHandle<(Vec<Vec<u8>>, u64)>>,
}

impl Receiver {
    pub(crate) fn start(port: &Port) -> Self {
        let socket = PacketSocket::open(port);
        let stop = Arc::new(AtomicBool::new(false));
        let count = Arc::new(AtomicUsize::new(0));
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&count));
        let thread = std::thread::spawn(move || {
            let mut frames = Vec::new();
            loop {
                // Read before the wait: what arrived before the stop is still taken.
                let last = stopped.load(Ordering::Acquire);
                let arrived = socket.receive(Duration::from_millis(20), |frame| frames.push(frame));
                counted.store(frames.len(), Ordering::Release);
                if last && arrived == 0 {
                    return (frames, socket.kernel_drops());
                }
            }
        });
        Self { stop, count, thread: Some(thread) }
    }

    /// Waits until `count` frames arrived; fails after five seconds.
    pub(crate) fn await_frames(&self, count: usize) {
        eventually(&format!("{count} frames at the receiver"), || {
            self.count.load(Ordering::Acquire) >= count
        });
    }

    /// Every frame that arrived; fails if the socket could not keep up.
    pub(crate) fn stop(mut self) -> Vec<Vec<u8>> {
        self.stop.store(true, Ordering::Release);
        let thread = self.thread.take().expect("stopped once");
        let (frames, drops) = thread.join().expect("the receiver thread");
        assert_eq!(drops, 0, "the testbed's receiver was too slow: lower the test's rate");
        frames
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}

/// Waits up to half a minute for a condition; only a failing test waits so long.
#[track_caller]
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "not within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
