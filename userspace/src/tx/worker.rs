use super::{
    Change, Pacer, Prepared, Queue, Transmitter, TxCounters, TxError, TxMode, XskStatistics,
    counters::WorkerCounters,
    roster::Roster,
    schedule::Next,
    stream::{Interval, Stream},
    waiting::{pause, rest},
};
use crate::{
    packet::{Cursor, TagStamp},
    units::{StreamId, monotonic_ns},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};
use xdp_ebpf::prefetch;

/// One stream as a worker sends it.
#[derive(Debug)]
pub struct StreamPlan {
    /// Tag id.
    pub stream: StreamId,
    /// Number of its flow, as changes of the rate name it.
    pub flow: u32,
    /// The flow's frames that belong to this stream.
    pub cursor: Cursor,
    /// When they are due; `None`: whenever there is room.
    pub pacer: Option<Pacer>,
    /// How many it sends; `None`: until stopped.
    pub frames: Option<u64>,
    /// CLOCK_MONOTONIC of its end; what is not sent by then stays unsent.
    pub stop_ns: Option<u64>,
}

/// What all workers of a trial share.
#[derive(Debug, Clone, Default)]
pub struct Trial {
    /// First three octets of every tag: session nonce and trial number.
    pub magic: u32,
    /// CLOCK_MONOTONIC of the start.
    pub start_ns: u64,
    /// Width of the transmit-time intervals that losses are binned by.
    pub interval_ns: u64,
    /// What the session's clock, which tags tell the time by, is ahead of ours.
    pub clock_offset_ns: i64,
    /// The rates that change while it runs come after this one.
    pub changes: Arc<Change>,
}

/// How a worker ended.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Frames in the ring that the kernel never gave back.
    pub outstanding: usize,
    /// What made it stop early.
    pub error: Option<TxError>,
}

/// Frames stamped before one kick. Small while paced, where latency matters more than
/// the last percent of rate; 32 is what copy mode sends in one kick anyway.
const BATCH_PACED: usize = 8;
const BATCH_MAX: usize = 32;
/// Frames in a zero-copy ring whose stamp has aged; bounds the tester's own queue.
pub(super) const OUTSTANDING_ZERO_COPY: usize = 512;

impl Transmitter for Queue {
    fn id(&self) -> u32 {
        self.queue
    }

    fn mode(&self) -> TxMode {
        self.mode
    }

    fn zero_copy_refused(&self) -> Option<&str> {
        self.zero_copy_refused.as_deref()
    }

    fn statistics(&self) -> Option<XskStatistics> {
        self.xdp_statistics()
    }

    fn wake_receiver(&self) {
        self.ask_for_buffers();
    }

    fn prepare(&mut self, streams: Vec<StreamPlan>, trial: &Trial) -> Result<Prepared, TxError> {
        let counters = Arc::new(WorkerCounters::new(streams.len()));
        let seen = counters.each().map(|counters| -> Arc<dyn TxCounters> { Arc::new(counters) });
        let seen = seen.collect();
        self.prepared = (streams, counters, trial.clone());
        Ok(Prepared { counters: seen, control: None })
    }

    /// Waits for the completions in the end.
    fn run(&mut self, stop: &AtomicBool, yields: bool) -> Outcome {
        let (streams, counters, trial) = std::mem::take(&mut self.prepared);
        let mut worker = Worker::new(self, streams, counters, &trial, yields);
        let error = worker.send(stop).err();
        Outcome { outstanding: worker.drain(), error }
    }
}

struct Worker<'a> {
    queue: &'a mut Queue,
    roster: Roster<Stream>,
    counters: Arc<WorkerCounters>,
    trial: &'a Trial,
    interval: Interval,
    /// By slot: the stream that used it last and the size variant laid into it.
    laid: Vec<(u32, u16)>,
    yields: bool,
}

impl<'a> Worker<'a> {
    fn new(
        queue: &'a mut Queue,
        plans: Vec<StreamPlan>,
        counters: Arc<WorkerCounters>,
        trial: &'a Trial,
        yields: bool,
    ) -> Self {
        let streams = plans.into_iter().map(Stream::new);
        let roster = Roster::new(streams.collect(), Arc::clone(&trial.changes));
        let interval =
            Interval { width_ns: trial.interval_ns, base_ns: trial.start_ns, end_ns: 0, slot: 0 };
        let laid = vec![(u32::MAX, 0); queue.slots()];
        Self { queue, roster, counters, trial, interval, laid, yields }
    }

    fn send(&mut self, stop: &AtomicBool) -> Result<(), TxError> {
        self.await_start();
        while !stop.load(Relaxed) {
            self.roster.follow(|_, _, _| ());
            self.reap();
            let now_ns = monotonic_ns();
            match self.fill(now_ns) {
                Filled::Frames => {
                    self.queue.submit();
                    self.queue.kick()?;
                }
                Filled::NoRoom => self.queue.kick()?,
                Filled::NotDue(due_ns) => rest(due_ns - now_ns, self.yields),
                Filled::Finished if self.roster.suspended.is_empty() => return Ok(()),
                Filled::Finished => rest(u64::MAX, self.yields),
            }
        }
        Ok(())
    }

    /// Writes the frames that are due into the batch, stamped `now_ns`.
    #[inline]
    fn fill(&mut self, now_ns: u64) -> Filled {
        if self.queue.mode() == TxMode::ZeroCopy
            && self.queue.outstanding() >= OUTSTANDING_ZERO_COPY
        {
            return Filled::NoRoom;
        }
        let interval = self.interval.slot(now_ns);
        let mut batch = (self.queue.room(BATCH_MAX as u32) as usize).min(BATCH_MAX);
        let mut written = 0;
        while written < batch {
            let index = match self.roster.schedule.next(now_ns) {
                Next::Send(index) => index,
                _ if written > 0 => break,
                Next::WaitUntil(due_ns) => return Filled::NotDue(due_ns),
                Next::Finished => return Filled::Finished,
            };
            if let Some(next) = self.roster.schedule.coming(2) {
                prefetch(&self.roster.streams[next as usize]);
            }
            if let Some(next) = self.roster.schedule.coming(1) {
                self.roster.streams[next as usize].cursor.fetch();
            }
            let stream = &mut self.roster.streams[index as usize];
            if stream.is_over(now_ns) || stream.timing.left == 0 {
                self.roster.schedule.remove(index);
                continue;
            }
            let Some(slot) = self.queue.take() else { break };
            let cursor = &mut stream.cursor;
            let frame = self.queue.octets(slot);
            let laid = &mut self.laid[slot as usize];
            if laid.0 == index {
                cursor.refit(frame, laid.1);
            } else {
                cursor.fill(frame);
            }
            *laid = (index, cursor.variant());
            let stamp = TagStamp {
                magic: self.trial.magic,
                stream: stream.stream.0,
                sequence: stream.sequence,
                time_ns: now_ns.wrapping_add_signed(self.trial.clock_offset_ns),
            };
            let bytes = cursor.write(frame, &stamp);
            self.queue.queue(slot, bytes);
            self.counters.submit(index as usize, bytes, now_ns, interval);
            written += 1;
            if stream.advance() || stream.timing.is_idle() {
                self.roster.schedule.sent(stream.timing.due_ns());
            } else {
                self.roster.schedule.remove(index);
            }
            if stream.timing.pacer.is_some() {
                batch = batch.min(BATCH_PACED);
            }
        }
        if written > 0 { Filled::Frames } else { Filled::NoRoom }
    }

    #[inline]
    fn reap(&mut self) -> usize {
        let (counters, laid) = (&*self.counters, &self.laid);
        self.queue.reap(|slot| complete(counters, laid, slot))
    }

    /// Sleeps, then spins for long enough that a late wake-up makes no late first frame.
    fn await_start(&self) {
        const READY_NS: u64 = 2_000_000;
        let ahead_ns = self.trial.start_ns.saturating_sub(monotonic_ns());
        thread::sleep(Duration::from_nanos(ahead_ns.saturating_sub(READY_NS)));
        while monotonic_ns() < self.trial.start_ns {
            pause(self.yields);
        }
    }

    fn drain(&mut self) -> usize {
        let (counters, laid) = (&*self.counters, &self.laid);
        self.queue.drain(|slot| complete(counters, laid, slot))
    }
}

/// Counts a frame that the kernel gave back.
#[inline]
fn complete(counters: &WorkerCounters, laid: &[(u32, u16)], slot: u32) {
    let (stream, _) = laid[slot as usize];
    // Slots of an earlier trial were all reaped in its own drain, or written off.
    counters.complete(stream as usize);
}

enum Filled {
    Frames,
    NoRoom,
    NotDue(u64),
    Finished,
}
