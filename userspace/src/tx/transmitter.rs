use super::{Outcome, Sent, StreamPlan, Trial, TxError, TxMode, XskStatistics};
use std::{
    fmt,
    sync::{Arc, atomic::AtomicBool},
};
use xdp_ebpf::abi::{GAP_BUCKETS, INTERVALS};

/// How frames are to leave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Backend {
    /// The fastest that keeps what the flows ask.
    #[default]
    Auto,
    /// AF_XDP sockets.
    AfXdp,
    /// BPF live frames.
    LiveFrames,
}

/// A worker's place on one TX queue, used by many trials.
pub trait Transmitter: fmt::Debug + Send {
    /// The queue's number on the interface.
    fn id(&self) -> u32;

    /// How frames leave.
    fn mode(&self) -> TxMode;

    /// Why zero-copy was refused, if it was asked for and refused.
    fn zero_copy_refused(&self) -> Option<&str>;

    /// What the kernel has counted of its socket; `None`: it has none, or does not say.
    fn statistics(&self) -> Option<XskStatistics>;

    /// Asks the driver to take receive buffers, where it waits to be asked.
    fn wake_receiver(&self) {}

    /// Takes the streams of the next trial. What this costs is over when it returns.
    ///
    /// # Errors
    /// [`TxError`] if the back end cannot send them.
    fn prepare(&mut self, streams: Vec<StreamPlan>, trial: &Trial) -> Result<Prepared, TxError>;

    /// Sends what was prepared, on the calling thread, until every stream has sent its frames,
    /// the trial ends, or `stop` is set. `yields`: other workers want this core too.
    fn run(&mut self, stop: &AtomicBool, yields: bool) -> Outcome;
}

/// What others need to know of a worker while it runs.
#[derive(Debug)]
pub struct Prepared {
    /// What it does for each stream, in the order of the plans.
    pub counters: Vec<Arc<dyn TxCounters>>,
    /// How it is looked after, where it needs that.
    pub control: Option<Arc<dyn Control>>,
}

/// What a worker has done for one stream; read by anyone at any time.
pub trait TxCounters: fmt::Debug + Send + Sync {
    /// A reading. Each number is whole; together they are of about the same moment.
    fn read(&self) -> Sent;

    /// Frames by transmit-time interval; slot k % 64, cumulative over laps.
    fn read_intervals(&self) -> [u64; INTERVALS as usize];

    /// Frames by the nanoseconds between their stamp and the one before (abi.h:
    /// `COARSE_PRECISION`, `GAP_MAX_BITS`), and the exact greatest of these gaps.
    fn read_gaps(&self) -> ([u64; GAP_BUCKETS as usize], u64);
}

/// A worker that sits in the kernel must be told from outside what others see for themselves.
pub trait Control: fmt::Debug + Send + Sync {
    /// To be called every few milliseconds while the worker runs. `stop`: it is to end.
    fn tend(&self, stop: bool);
}
