//! A TX queue on another host, and what its worker does.

use super::{link::Link, wire::SentPart};
use crate::tx::{
    Outcome, Prepared, Sent, StreamPlan, Transmitter, Trial, TxCounters, TxError, TxMode,
    XskStatistics,
};
use std::{
    array,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};
use xdp_ebpf::abi::{GAP_BUCKETS, INTERVALS};

const POLL: Duration = Duration::from_millis(20);

/// The worker there sends; this one waits for it.
#[derive(Debug)]
pub(in crate::session) struct FarQueue {
    pub(super) link: Arc<Link>,
    pub(super) id: u32,
    pub(super) mode: TxMode,
    /// It collects what went wrong, for all queues of the daemon.
    pub(super) is_first: bool,
}

/// What a worker there has done for a stream, as last heard.
#[derive(Debug, Default)]
pub(in crate::session) struct FarCounters(Mutex<SentPart>);

impl FarCounters {
    /// `clock_offset_ns`: what our clock is ahead of theirs.
    pub(super) fn set(&self, mut part: SentPart, clock_offset_ns: i64) {
        if part.sent.submitted_frames > 0 {
            for time_ns in [&mut part.sent.first_submit_ns, &mut part.sent.last_submit_ns] {
                *time_ns = time_ns.wrapping_add_signed(clock_offset_ns);
            }
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = part;
    }

    fn with<T>(&self, read: impl FnOnce(&SentPart) -> T) -> T {
        read(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl TxCounters for FarCounters {
    fn read(&self) -> Sent {
        self.with(|part| part.sent)
    }

    fn read_intervals(&self) -> [u64; INTERVALS as usize] {
        self.with(|part| array::from_fn(|slot| part.intervals.get(slot).copied().unwrap_or(0)))
    }

    fn read_gaps(&self) -> ([u64; GAP_BUCKETS as usize], u64) {
        self.with(|part| {
            let gaps = array::from_fn(|slot| part.gaps.get(slot).copied().unwrap_or(0));
            (gaps, part.gap_max_ns)
        })
    }
}

impl Transmitter for FarQueue {
    fn id(&self) -> u32 {
        self.id
    }

    fn mode(&self) -> TxMode {
        self.mode
    }

    fn zero_copy_refused(&self) -> Option<&str> {
        None
    }

    fn statistics(&self) -> Option<XskStatistics> {
        None
    }

    fn prepare(&mut self, streams: Vec<StreamPlan>, _: &Trial) -> Result<Prepared, TxError> {
        let counters =
            streams.iter().map(|plan| -> Arc<dyn TxCounters> { self.link.counters(plan.stream.0) });
        Ok(Prepared { counters: counters.collect(), control: None })
    }

    fn run(&mut self, stop: &AtomicBool, _: bool) -> Outcome {
        let mut stopped = false;
        let ended = loop {
            match self.link.finished() {
                Ok(true) => break self.end(),
                Ok(false) => {}
                Err(error) => break Err(error.to_string()),
            }
            if stop.load(Relaxed) && !stopped {
                stopped = true;
                if let Err(error) = self.link.stop() {
                    break Err(error.to_string());
                }
            }
            thread::sleep(POLL);
        };
        Outcome { outstanding: 0, error: ended.err().map(TxError::Remote) }
    }
}

impl FarQueue {
    fn end(&self) -> Result<(), String> {
        let faults = if self.is_first {
            self.link.end().map_err(|error| error.to_string())?
        } else {
            Vec::new()
        };
        if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
    }
}
