#![allow(unsafe_code, reason = "BPF_PROG_RUN with live frames; control words are shared with it")]

use crate::{
    Error, abi,
    mapped::MappedArray,
    object::{Load, object},
};
use libbpf_rs::libbpf_sys::{
    BPF_F_TEST_XDP_LIVE_FRAMES, bpf_prog_test_run_opts, bpf_test_run_opts, xdp_md,
};
use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

/// How much a [`Generator`] has room for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GeneratorSizes {
    /// Streams.
    pub streams: u32,
    /// Edits of all streams that are not simple.
    pub lanes: u32,
    /// Values of tables and places in size cycles.
    pub values: u32,
    /// Size variants of all streams that are not simple.
    pub variants: u32,
}

/// All that a run sends, as abi.h describes it. The places of lanes, values and variants in
/// a stream count in these vectors.
#[derive(Debug, Clone, Default)]
pub struct GeneratorPlan {
    /// Streams, paced or not.
    pub streams: Vec<abi::live_stream>,
    /// Their edits, but for those of simple streams.
    pub lanes: Vec<abi::lane>,
    /// Their tables and size cycles.
    pub values: Vec<u64>,
    /// Their size variants, but for those of simple streams.
    pub variants: Vec<abi::size_variant>,
    /// First three octets of every tag.
    pub magic: u32,
    /// CLOCK_MONOTONIC from which frames leave and intervals count.
    pub start_ns: u64,
    /// Width of the intervals.
    pub interval_ns: u64,
    /// Frames that may share one stamp.
    pub clock_frames: u32,
    /// All paced streams are fed from the start, and have no `pace`.
    pub is_fed: bool,
}

impl GeneratorPlan {
    /// The room it needs.
    pub fn sizes(&self) -> GeneratorSizes {
        GeneratorSizes {
            streams: self.streams.len() as u32,
            lanes: self.lanes.len() as u32,
            values: self.values.len() as u32,
            variants: self.variants.len() as u32,
        }
    }
}

/// The program that sends live frames, and its maps: one worker's, for one CPU.
///
/// A run is one system call of the thread that sends. Others watch it and stop it meanwhile:
/// its words are memory of this process.
#[derive(Debug)]
pub struct Generator {
    program: OwnedFd,
    sizes: GeneratorSizes,
    pub(crate) control: MappedArray<abi::generator_control>,
    pub(crate) streams: MappedArray<abi::live_stream>,
    counters: MappedArray<abi::live_counters>,
    intervals: MappedArray<u64>,
    gaps: MappedArray<u64>,
    lanes: MappedArray<abi::lane>,
    values: MappedArray<u64>,
    variants: MappedArray<abi::size_variant>,
    dues: MappedArray<abi::due>,
    turns: MappedArray<u64>,
    pub(crate) feed: MappedArray<abi::due>,
}

impl Generator {
    /// Loads it with room for what it is to send.
    pub fn load(sizes: GeneratorSizes) -> Result<Self, Error> {
        let streams = sizes.streams.max(1);
        let entries = [
            ("streams", streams),
            ("counters", streams),
            ("intervals", streams * abi::INTERVALS),
            ("gaps", streams * abi::GAP_BUCKETS),
            ("lanes", sizes.lanes.max(1)),
            ("values", sizes.values.max(1)),
            ("variants", sizes.variants.max(1)),
            ("dues", streams),
            ("turns", streams),
            ("feed", abi::FEED_ENTRIES),
        ];
        let loaded = Load {
            name: "generator",
            object: object!("generator"),
            entries: &entries,
            ..Load::default()
        }
        .run()?;
        Ok(Self {
            sizes,
            control: loaded.map(".bss")?,
            streams: loaded.map("streams")?,
            counters: loaded.map("counters")?,
            intervals: loaded.map("intervals")?,
            gaps: loaded.map("gaps")?,
            lanes: loaded.map("lanes")?,
            values: loaded.map("values")?,
            variants: loaded.map("variants")?,
            dues: loaded.map("dues")?,
            turns: loaded.map("turns")?,
            feed: loaded.map("feed")?,
            program: loaded.program,
        })
    }

    /// The room it was loaded with.
    pub fn sizes(&self) -> GeneratorSizes {
        self.sizes
    }

    /// Lays out the next run; not while one is going on. Counters begin at zero.
    ///
    /// # Panics
    /// If the plan needs more room than there is.
    pub fn prepare(&self, plan: &GeneratorPlan) {
        for (index, stream) in plan.streams.iter().enumerate() {
            let is_in_turns = !has(stream, abi::LIVE_PACED) && stream.left > 0;
            let flags = if is_in_turns { abi::LIVE_IN_TURNS as u8 } else { 0 } | stream.flags;
            self.streams.store(index, &abi::live_stream { flags, ..*stream });
            self.counters.store(index, &abi::live_counters::default());
        }
        for (rows, row_count) in [(&self.intervals, abi::INTERVALS), (&self.gaps, abi::GAP_BUCKETS)]
        {
            (0..row_count as usize * plan.streams.len()).for_each(|place| rows.store(place, &0));
        }
        for (index, lane) in plan.lanes.iter().enumerate() {
            self.lanes.store(index, lane);
        }
        for (index, value) in plan.values.iter().enumerate() {
            self.values.store(index, value);
        }
        for (index, variant) in plan.variants.iter().enumerate() {
            self.variants.store(index, variant);
        }
        let (mut dues, mut unpaced) = (Vec::new(), 0);
        for (index, stream) in plan.streams.iter().enumerate().filter(|(_, stream)| stream.left > 0)
        {
            if !has(stream, abi::LIVE_PACED) {
                self.turns.store(unpaced, &(index as u64));
                unpaced += 1;
            } else if stream.pace.due_ns <= stream.stop_ns && !plan.is_fed {
                dues.push((stream.pace.due_ns, index as u32));
            }
        }
        dues.sort_unstable(); // which is a heap
        for (place, &(due_ns, stream)) in dues.iter().enumerate() {
            self.dues.store(place, &abi::due { due_ns, stream, kind: abi::FEED_FRAME });
        }
        let variants = plan.variants.iter().map(|variant| variant.frame_bytes);
        let frame_bytes = plan.streams.iter().map(|stream| stream.frame_bytes).chain(variants);
        let mut control = abi::generator_control {
            start_ns: plan.start_ns,
            interval_ns: plan.interval_ns,
            magic: plan.magic,
            frame_bytes: frame_bytes.max().unwrap_or(0).into(),
            clock_frames: plan.clock_frames.max(1),
            paced: dues.len() as u32,
            unpaced: unpaced as u32,
            streams: plan.streams.len() as u32,
            fed_from_ns: if plan.is_fed { 0 } else { u64::MAX },
            ..Default::default()
        };
        for (octet, place) in (0_usize..).zip(&mut control.pattern) {
            *place = octet as u8;
        }
        self.control.store(0, &control);
    }

    /// Sends what was prepared, from the interface's network namespace and on one CPU, until
    /// it is done, [`stop`](Self::stop)ped and a signal arrives, or the kernel's turns are used
    /// up. `batch`: frames between two flushes, at most `LIVE_BATCH_MAX`.
    pub fn run(&self, ifindex: u32, batch: u32) -> Result<(), Error> {
        // As u32: all turns there are.
        self.turn(ifindex, batch, -1).map(drop)
    }

    /// Turns so often, for the bench; gives the nanoseconds of a turn.
    #[cfg(feature = "host")]
    pub fn send(&self, ifindex: u32, turns: u32) -> Result<u32, Error> {
        self.turn(ifindex, abi::LIVE_BATCH_MAX, turns as i32)
    }

    fn turn(&self, ifindex: u32, batch: u32, turns: i32) -> Result<u32, Error> {
        let frame_bytes = self.control.read(0).frame_bytes;
        let frame = vec![0_u8; frame_bytes as usize];
        // XDP_TX of a live frame leaves by the interface that it pretends to come from.
        let context =
            xdp_md { data_end: frame_bytes, ingress_ifindex: ifindex, ..Default::default() };
        let mut options = bpf_test_run_opts {
            sz: size_of::<bpf_test_run_opts>() as u64,
            data_in: frame.as_ptr().cast(),
            data_size_in: frame_bytes,
            ctx_in: (&raw const context).cast(),
            ctx_size_in: size_of::<xdp_md>() as u32,
            repeat: turns,
            flags: BPF_F_TEST_XDP_LIVE_FRAMES,
            batch_size: batch,
            ..Default::default()
        };
        // SAFETY: every buffer outlives the call and is as long as the options say.
        let result = unsafe { bpf_prog_test_run_opts(self.program.as_raw_fd(), &raw mut options) };
        match -result {
            0 | libc::EINTR => Ok(options.duration),
            libc::EPERM => Err(Error::permission("send live frames")),
            errno => Err(Error::System {
                action: "send live frames (BPF_PROG_RUN; Linux 5.18 or newer)",
                source: io::Error::from_raw_os_error(errno),
            }),
        }
    }

    /// Makes frames of what was prepared without sending them, for the bench: the time of one
    /// repetition, and the last frame.
    #[cfg(feature = "host")]
    pub fn test_run(&self, repeat: u32) -> Result<crate::TestRun, Error> {
        let frame = vec![0_u8; self.control.read(0).frame_bytes as usize];
        crate::test_run::run(std::os::fd::AsFd::as_fd(&self.program), &frame, None, repeat)
    }

    /// Sends no more. The run ends with the next signal to its thread.
    pub fn stop(&self) {
        // SAFETY: a word of the mapping, which lives as long as `self`.
        unsafe { AtomicU32::from_ptr(&raw mut (*self.control.entry(0).as_ptr()).stop) }
            .store(1, Relaxed);
    }

    /// Whether every stream has sent what it could.
    pub fn is_finished(&self) -> bool {
        // SAFETY: as in `stop`.
        unsafe { AtomicU32::from_ptr(&raw mut (*self.control.entry(0).as_ptr()).finished) }
            .load(Relaxed)
            != 0
    }

    /// Whether a frame did not fit its edit program, which only a defect can bring about.
    pub fn has_defect(&self) -> bool {
        self.control.read(0).defect != 0
    }

    /// What was sent of a stream, by its place in the plan.
    pub fn counters(&self, stream: usize) -> abi::live_counters {
        self.counters.read(stream)
    }

    /// Its frames by transmit time: slot k % 64, cumulative over laps.
    pub fn intervals(&self, stream: usize) -> [u64; abi::INTERVALS as usize] {
        let streams = self.control.read(0).streams as usize;
        std::array::from_fn(|slot| self.intervals.read(slot * streams + stream))
    }

    /// Its frames by the time since the one before (abi.h, `histogram_shape`).
    pub fn gaps(&self, stream: usize) -> [u64; abi::GAP_BUCKETS as usize] {
        let streams = self.control.read(0).streams as usize;
        std::array::from_fn(|bucket| self.gaps.read(bucket * streams + stream))
    }
}

/// Whether a stream has one of `live_flags`.
fn has(stream: &abi::live_stream, flag: u32) -> bool {
    u32::from(stream.flags) & flag != 0
}
