//! Reads the analyser of a port, all streams at a time.

use super::{IntervalClock, Observed, SlabView, StreamDecoder};
use crate::units::StreamId;
use std::{ops::Range, time::Duration};
use xdp_ebpf::abi;

/// What a [`Receiver`] reads: the analyser in the kernel, or a stand-in for it.
pub trait Source {
    /// How many banks the port has.
    fn banks(&self) -> u32;
    /// A copy of the record of one stream and bank in the current trial.
    fn record(&self, stream: u16, bank: u32) -> abi::record;
    /// A copy of what one bank of the port saw since it was attached.
    fn port_record(&self, bank: u32) -> abi::port_record;
    /// The slab that a record names (from 1 on); `None` for 0.
    fn slab(&self, index: u32) -> Option<SlabView<'_>>;
    /// Clears the idle record bank, then makes it the current one.
    fn begin_trial(&mut self, trial: u8, base_ns: u64);
    /// Moves the start of the first transmit-time bin.
    fn rebase(&mut self, base_ns: u64);
}

/// What entered a port since the trial began, tagged or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PortTotals {
    /// Frames that reached the analyser.
    pub seen: u64,
    /// Frames of this session, tagged or counted, which end here.
    pub matched: u64,
    /// All others, given to the kernel untouched.
    pub passed: u64,
    /// Of `passed`: the session's mark, but an implausible stream, sequence or time.
    pub implausible: u64,
    /// Octets of `seen`, without FCS.
    pub seen_bytes: u64,
    /// Frames of this session that the NIC timed.
    pub stamped: u64,
    /// Frames that the kernel timed, where the NIC was to.
    pub unstamped: u64,
}

impl PortTotals {
    fn since(self, before: Self) -> Self {
        Self {
            seen: self.seen.saturating_sub(before.seen),
            matched: self.matched.saturating_sub(before.matched),
            passed: self.passed.saturating_sub(before.passed),
            implausible: self.implausible.saturating_sub(before.implausible),
            seen_bytes: self.seen_bytes.saturating_sub(before.seen_bytes),
            stamped: self.stamped.saturating_sub(before.stamped),
            unstamped: self.unstamped.saturating_sub(before.unstamped),
        }
    }
}

/// One stream that this port expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamReading {
    /// Which.
    pub stream: StreamId,
    /// Its counters, and what moved.
    pub observed: Observed,
}

/// Frames of a stream that came to a port that is not its receiver, cumulative over
/// the trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stray {
    /// Which.
    pub stream: StreamId,
    /// Frames of this trial.
    pub misdirected: u64,
    /// Frames of an earlier one.
    pub stale: u64,
}

/// One read of a port.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// When it was taken, `CLOCK_MONOTONIC` ns.
    pub time_ns: u64,
    /// The port as a whole.
    pub port: PortTotals,
    /// Every stream that the port expects, in order of id.
    pub streams: &'a [StreamReading],
    /// Streams of other ports that came here all the same.
    pub strays: &'a [Stray],
}

/// Reads the analyser of one port.
#[derive(Debug)]
pub struct Receiver<S> {
    source: S,
    clock: IntervalClock,
    decoders: Vec<StreamDecoder>,
    readings: Vec<StreamReading>,
    elsewhere: Vec<StreamId>,
    strays: Vec<Stray>,
    /// The port's totals when the trial began; the kernel never clears them.
    before: PortTotals,
}

impl<S: Source> Receiver<S> {
    /// A receiver for a port of a session with the given stream ids, of which it
    /// expects those for which `expects` holds. `interval` is the width of the
    /// transmit-time bins that the analyser was set up with.
    pub fn new(
        source: S,
        streams: Range<u16>,
        expects: impl Fn(StreamId) -> bool,
        interval: Duration,
    ) -> Self {
        let banks = source.banks();
        let (expected, elsewhere): (Vec<_>, Vec<_>) =
            streams.map(StreamId).partition(|&stream| expects(stream));
        let before = port_totals(&source);
        Self {
            source,
            clock: IntervalClock::new(0, interval),
            decoders: expected.iter().map(|_| StreamDecoder::new(banks)).collect(),
            readings: expected
                .into_iter()
                .map(|stream| StreamReading { stream, observed: Observed::default() })
                .collect(),
            elsewhere,
            strays: Vec::new(),
            before,
        }
    }

    /// Starts trial `trial` (1 to 63), whose intervals count from `base_ns`: all
    /// counters of the next reads are its own.
    pub fn begin_trial(&mut self, trial: u8, base_ns: u64) {
        self.source.begin_trial(trial, base_ns);
        self.clock.base_ns = base_ns;
        self.before = port_totals(&self.source);
        self.decoders.iter_mut().for_each(StreamDecoder::begin_trial);
    }

    /// Moves the start of the trial's intervals, before its first frame is sent.
    pub fn rebase(&mut self, base_ns: u64) {
        self.source.rebase(base_ns);
        self.clock.base_ns = base_ns;
    }

    /// Reads everything. `now_ns` is the monotonic clock, taken just before.
    pub fn read(&mut self, now_ns: u64) -> Reading<'_> {
        let banks = self.source.banks();
        for (decoder, reading) in self.decoders.iter_mut().zip(&mut self.readings) {
            let observed = &mut reading.observed;
            decoder.start(observed);
            for bank in 0..banks {
                let record = self.source.record(reading.stream.0, bank);
                decoder.add(bank, &record, self.source.slab(record.slab), observed);
            }
            decoder.finish(&self.clock, now_ns, observed);
        }
        self.strays.clear();
        for &stream in &self.elsewhere {
            let mut stray = Stray { stream, misdirected: 0, stale: 0 };
            for bank in 0..banks {
                let record = self.source.record(stream.0, bank);
                stray.misdirected += record.misdirected;
                stray.stale += record.stale;
            }
            if stray.misdirected + stray.stale > 0 {
                self.strays.push(stray);
            }
        }
        Reading {
            time_ns: now_ns,
            port: port_totals(&self.source).since(self.before),
            streams: &self.readings,
            strays: &self.strays,
        }
    }

    /// What entered the port since it was attached.
    pub fn totals(&self) -> PortTotals {
        port_totals(&self.source)
    }

    /// What is read.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// What is read, to attach or detach it.
    pub fn source_mut(&mut self) -> &mut S {
        &mut self.source
    }

    /// Bytes of user memory that this receiver holds, without its source.
    pub fn state_bytes(&self) -> usize {
        size_of::<Self>() + self.decoders.iter().map(StreamDecoder::state_bytes).sum::<usize>()
    }
}

fn port_totals(source: &impl Source) -> PortTotals {
    let mut totals = PortTotals::default();
    for bank in 0..source.banks() {
        let record = source.port_record(bank);
        totals.seen += record.seen;
        totals.matched += record.matched;
        totals.passed += record.passed;
        totals.implausible += record.implausible;
        totals.seen_bytes += record.seen_bytes;
        totals.stamped += record.stamped;
        totals.unstamped += record.unstamped;
    }
    totals
}
