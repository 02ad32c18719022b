#![allow(unsafe_code, reason = "a signal to one thread ends its system call")]

use super::{
    Control, Outcome, Prepared, Sent, StreamPlan, Transmitter, Trial, TxCounters, TxError, TxMode,
    XskStatistics,
    feeder::{Feed, Feeder},
    roster::Timing,
    waiting::CATCH_UP_NS,
};
use crate::nic::{Netns, PortInfo};
use nix::{
    sys::signal::{SigSet, Signal},
    unistd::gettid,
};
use std::sync::{
    Arc, Once,
    atomic::{AtomicBool, AtomicI32, Ordering::Relaxed},
};
use xdp_ebpf::{
    Generator, GeneratorPlan,
    abi::{self, GAP_BUCKETS, INTERVALS},
};

/// Frames between two flushes at "max": the most that the kernel takes.
const BATCH_MAX: u32 = abi::LIVE_BATCH_MAX;
/// The same while paced, where a frame that is due waits for the batch to end. A turn without
/// a frame takes some 80 ns.
const BATCH_PACED: u32 = 16;
/// Frames that share a stamp when one follows the other; a frame that was waited for has its own.
const CLOCK_FRAMES: u32 = 16;

/// A place that sends by `BPF_PROG_RUN` with live frames: a program in the kernel writes every
/// frame, says when it is due, and gives it to the driver (`ndo_xdp_xmit`). No skb is made and
/// no frame is copied, but nobody says when a frame is done with.
#[derive(Debug)]
pub struct LiveFrames {
    interface: String,
    ifindex: u32,
    queue: u32,
    netns: Netns,
    batch: u32,
    worker: Option<Arc<Inside>>,
    /// Of the trial that was prepared.
    feeder: Option<Feeder>,
}

/// What the worker in the kernel shares with those outside.
#[derive(Debug)]
struct Inside {
    generator: Arc<Generator>,
    /// The thread that is in the system call; 0: none.
    thread: AtomicI32,
}

#[derive(Debug)]
struct LiveCounters {
    worker: Arc<Inside>,
    stream: usize,
}

impl LiveFrames {
    /// Longest frame that it sends, octets without FCS.
    pub const FRAME_BYTES_MAX: usize = abi::LIVE_FRAME_BYTES_MAX as usize;

    /// A place on a port. `queue` is a number among the port's workers: the driver chooses its
    /// queue by the CPU.
    ///
    /// # Errors
    /// [`TxError::LiveFrames`] if its network namespace is not to be had.
    pub fn new(port: &PortInfo, queue: u32) -> Result<Self, TxError> {
        let interface = port.name.to_string();
        let netns = Netns::open(port.name.netns.as_deref()).map_err(|error| {
            TxError::LiveFrames { interface: interface.clone(), reason: error.to_string() }
        })?;
        let ifindex = port.ifindex;
        Ok(Self { interface, ifindex, queue, netns, batch: BATCH_MAX, worker: None, feeder: None })
    }

    /// Loads the program with room for these streams, so that the first trial need not.
    ///
    /// # Errors
    /// [`TxError::LiveFrames`].
    fn reserve(&mut self, plan: &GeneratorPlan) -> Result<Arc<Inside>, TxError> {
        if let Some(worker) = &self.worker
            && worker.generator.sizes() == plan.sizes()
        {
            return Ok(Arc::clone(worker));
        }
        let generator = Generator::load(plan.sizes()).map_err(|error| self.failed(&error))?;
        let worker = Arc::new(Inside { generator: Arc::new(generator), thread: AtomicI32::new(0) });
        self.worker = Some(Arc::clone(&worker));
        Ok(worker)
    }

    fn failed(&self, error: &xdp_ebpf::Error) -> TxError {
        TxError::LiveFrames { interface: self.interface.clone(), reason: error.to_string() }
    }

    /// The streams as the program in the kernel takes them, and what it has to be fed.
    fn plan(mut streams: Vec<StreamPlan>, trial: &Trial) -> (GeneratorPlan, Feed) {
        let feed = Feed::new(streams.iter_mut().map(Timing::of).collect(), trial);
        let mut plan = GeneratorPlan {
            magic: trial.magic,
            start_ns: trial.start_ns,
            interval_ns: trial.interval_ns,
            clock_frames: CLOCK_FRAMES,
            is_fed: feed.paces().is_none(),
            ..GeneratorPlan::default()
        };
        for (index, (stream, timing)) in streams.iter().zip(feed.timings()).enumerate() {
            let grace_ns = if timing.pacer.is_some() { CATCH_UP_NS } else { 0 };
            let mut live = abi::live_stream {
                left: timing.left,
                stop_ns: timing.stop_ns,
                over_ns: timing.stop_ns.saturating_add(grace_ns),
                stream: stream.stream.0,
                flags: if timing.pacer.is_some() { abi::LIVE_PACED as u8 } else { 0 },
                pace: feed.paces().map_or_else(abi::pace::default, |paces| paces[index]),
                ..abi::live_stream::default()
            };
            stream.cursor.lay_out(&mut live, &mut plan);
            plan.streams.push(live);
        }
        (plan, feed)
    }

    fn send(&self, worker: &Inside, stop: &AtomicBool) -> Result<(), TxError> {
        self.netns.enter().map_err(|error| TxError::LiveFrames {
            interface: self.interface.clone(),
            reason: error.to_string(),
        })?;
        let generator = &worker.generator;
        // The kernel counts 2^32 turns, minutes of them; a run may need more.
        while !stop.load(Relaxed) && !generator.is_finished() {
            generator.run(self.ifindex, self.batch).map_err(|error| self.failed(&error))?;
        }
        if generator.has_defect() {
            return Err(TxError::LiveFrames {
                interface: self.interface.clone(),
                reason: "a frame did not fit its own program; this is a defect, please report it"
                    .into(),
            });
        }
        Ok(())
    }
}

impl Transmitter for LiveFrames {
    fn id(&self) -> u32 {
        self.queue
    }

    fn mode(&self) -> TxMode {
        TxMode::LiveFrames
    }

    fn zero_copy_refused(&self) -> Option<&str> {
        None
    }

    fn statistics(&self) -> Option<XskStatistics> {
        None
    }

    fn prepare(&mut self, streams: Vec<StreamPlan>, trial: &Trial) -> Result<Prepared, TxError> {
        let is_paced = streams.iter().all(|stream| stream.pacer.is_some());
        self.batch = if is_paced { BATCH_PACED } else { BATCH_MAX };
        self.feeder = None;
        let (plan, feed) = Self::plan(streams, trial);
        let worker = self.reserve(&plan)?;
        worker.generator.prepare(&plan);
        let feeder = Feeder::start(Arc::clone(&worker.generator), feed);
        self.feeder = Some(feeder.map_err(|error| TxError::LiveFrames {
            interface: self.interface.clone(),
            reason: format!("no thread to feed them: {error}"),
        })?);
        let counters = (0..plan.streams.len()).map(|stream| -> Arc<dyn TxCounters> {
            Arc::new(LiveCounters { worker: Arc::clone(&worker), stream })
        });
        Ok(Prepared { counters: counters.collect(), control: Some(worker) })
    }

    fn run(&mut self, stop: &AtomicBool, _yields: bool) -> Outcome {
        let Some(worker) = self.worker.clone() else { return Outcome::default() };
        // Signals that are meant for the process would end the system call early.
        let mut others = SigSet::empty();
        others.add(Signal::SIGINT);
        others.add(Signal::SIGTERM);
        let _ = others.thread_block();
        hear_wake_ups();
        worker.thread.store(gettid().as_raw(), Relaxed);
        let error = self.send(&worker, stop).err();
        worker.thread.store(0, Relaxed);
        self.feeder = None;
        Outcome { outstanding: 0, error }
    }
}

impl Control for Inside {
    /// Ends the system call of a worker that is done or to be stopped, which nothing but a
    /// signal does before the kernel's turns are used up. One that comes between two calls is
    /// lost; the next time it does not.
    fn tend(&self, stop: bool) {
        if stop {
            self.generator.stop();
        }
        if stop || self.generator.is_finished() {
            let thread = self.thread.load(Relaxed);
            if thread != 0 {
                // SAFETY: tgkill touches no memory; a thread that has ended is not found.
                unsafe {
                    libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, libc::SIGRTMIN());
                }
            }
        }
    }
}

impl TxCounters for LiveCounters {
    fn read(&self) -> Sent {
        let sent = self.worker.generator.counters(self.stream);
        Sent {
            submitted_frames: sent.frames,
            submitted_bytes: sent.bytes,
            completed_frames: None,
            first_submit_ns: sent.first_ns,
            last_submit_ns: sent.last_ns,
        }
    }

    fn read_intervals(&self) -> [u64; INTERVALS as usize] {
        self.worker.generator.intervals(self.stream)
    }

    fn read_gaps(&self) -> ([u64; GAP_BUCKETS as usize], u64) {
        let generator = &self.worker.generator;
        (generator.gaps(self.stream), generator.counters(self.stream).gap_max_ns)
    }
}

/// The signal only has to be heard: it ends a system call, and must not end the process.
fn hear_wake_ups() {
    extern "C" fn heard(_signal: libc::c_int) {}
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let handler: extern "C" fn(libc::c_int) = heard;
        // SAFETY: an all-zero sigaction is one: no flags but those set below, an empty mask.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = handler as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART;
        // SAFETY: the handler does nothing, and the struct outlives the call.
        unsafe { libc::sigaction(libc::SIGRTMIN(), &raw const action, std::ptr::null_mut()) };
    });
}
