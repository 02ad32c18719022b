#![allow(unsafe_code, reason = "control words are shared with the kernel")]

use crate::{
    Error, NicFits, Slab, TestRun, abi,
    link::Attachable,
    mapped::MappedArray,
    object::{Load, object, octets},
    setup::{AnalyserSetup, Plan, XdpMode},
    test_run::{self, Ingress},
};
use std::{
    os::fd::{AsFd, OwnedFd},
    sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering},
};

/// The plain analyser (analyser.bpf.c) as clang left it, for other loaders. It has BTF
/// maps, its settings in `.rodata` (`analyser_config`) and defaults for all of them.
pub const ANALYSER_OBJECT: &[u8] = object!("analyser");

/// The XDP program that counts and times every test frame at one port, and its maps.
///
/// Loaded once per session, for a fixed set of streams, and used for many trials, which
/// take turns in two banks of records. Reads cost no system call and no lock: the maps
/// are memory of this process, every word is whole, but a set of words is no snapshot.
/// Dropping it detaches the program; so does the end of the process.
#[derive(Debug)]
pub struct Analyser {
    // Detached first: fields drop in this order.
    program: Attachable,
    plan: Plan,
    ifindex: Option<u32>,
    /// Of the two halves of records, windows and slabs, the one that the trial uses.
    trial_bank: usize,
    control: MappedArray<abi::analyser_control>,
    ports: MappedArray<abi::port_record>,
    records: MappedArray<abi::record>,
    windows: MappedArray<abi::window>,
    /// To share them with the analysers of other ports.
    windows_fd: OwnedFd,
    slabs: MappedArray<abi::slab>,
}

impl Analyser {
    /// Loads the analyser, which times frames by the kernel's clock in either mode.
    pub fn load(setup: &AnalyserSetup, mode: XdpMode) -> Result<Self, Error> {
        let load = Load { name: "analyser", object: ANALYSER_OBJECT, ..Load::default() };
        Self::open(setup, mode, &load).map(|(analyser, _)| analyser)
    }

    /// Loads the analyser of one more port that receives streams of `first`, set up with
    /// `shared_windows` as that one was.
    pub fn load_beside(setup: &AnalyserSetup, mode: XdpMode, first: &Self) -> Result<Self, Error> {
        let shared = Some(("windows", first.windows_fd.as_fd()));
        let load = Load { name: "analyser", object: ANALYSER_OBJECT, shared, ..Load::default() };
        Self::open(setup, mode, &load).map(|(analyser, _)| analyser)
    }

    /// Loads the analyser that takes receive times from the NIC, for this interface of
    /// this thread's network namespace and native mode only; beside `first` as
    /// [`load_beside`](Self::load_beside). Until the [`NicFits`] are told of the NIC's clock,
    /// and where it gives no stamp, the kernel times a frame: compare `stamped` and
    /// `unstamped` of [`abi::port_record`] before believing a latency.
    pub fn load_nic(
        setup: &AnalyserSetup,
        ifindex: u32,
        first: Option<&Self>,
    ) -> Result<(Self, NicFits), Error> {
        let load = Load {
            name: "analyser_nic",
            object: object!("analyser_nic"),
            device: Some(ifindex),
            shared: first.map(|first| ("windows", first.windows_fd.as_fd())),
            ..Load::default()
        };
        Self::open(setup, XdpMode::Native, &load)
    }

    /// The same over the clock that analyser_clock.bpf.c makes up, on any interface.
    #[cfg(feature = "host")]
    pub fn load_clock(setup: &AnalyserSetup) -> Result<(Self, NicFits), Error> {
        let load =
            Load { name: "analyser_clock", object: object!("analyser_clock"), ..Load::default() };
        Self::open(setup, XdpMode::Native, &load)
    }

    /// Loads the analyser over an entry that makes each repetition of a test run a new
    /// frame: the next sequence number, sent some microseconds ago.
    #[cfg(feature = "host")]
    pub fn load_bench(setup: &AnalyserSetup) -> Result<Self, Error> {
        let load =
            Load { name: "analyser_bench", object: object!("analyser_bench"), ..Load::default() };
        Self::open(setup, XdpMode::Native, &load).map(|(analyser, _)| analyser)
    }

    fn open(
        setup: &AnalyserSetup,
        mode: XdpMode,
        load: &Load<'_>,
    ) -> Result<(Self, NicFits), Error> {
        let plan = Plan::new(setup, mode)?;
        let entries = [
            ("ports", plan.config.banks),
            ("records", plan.records()),
            ("windows", plan.windows()),
            ("slabs", plan.slabs()),
            ("rules", plan.rules()),
        ];
        let loaded = Load {
            config: Some(octets(&plan.config)),
            entries: &entries,
            multi_buffer: plan.config.multi_buffer != 0,
            ..*load
        }
        .run()
        .map_err(|error| match error {
            Error::Memory { .. } => Error::Memory { bytes: plan.bytes() },
            other => other,
        })?;
        let mut rules: MappedArray<abi::count_rule> = loaded.map("rules")?;
        for (place, rule) in setup.counted.iter().enumerate() {
            rules.write(place, *rule);
        }
        let fits = NicFits::new(loaded.map(".bss")?);
        let mut analyser = Self {
            ifindex: None,
            trial_bank: 0,
            control: loaded.map(".bss")?,
            ports: loaded.map("ports")?,
            records: loaded.map("records")?,
            windows: loaded.map("windows")?,
            windows_fd: loaded.keep_fd("windows")?,
            slabs: loaded.map("slabs")?,
            program: Attachable::new(loaded.program, mode),
            plan,
        };
        // Before the first trial every frame of the session is stale, and counted so.
        analyser.clear_records(0);
        analyser.switch_banks(0, 0);
        Ok((analyser, fits))
    }

    /// Empties the records of a trial bank, but for what each stream is.
    fn clear_records(&mut self, trial_bank: usize) {
        for (id, stream) in self.plan.streams.iter().enumerate() {
            let window = 2 * stream.window + trial_bank as u32;
            let stream = abi::stream_config { window, ..*stream };
            let record = abi::record {
                stream,
                octet_ns_q20: self.plan.octet_ns_q20[id],
                ipdv_min_ns: i64::MAX,
                ipdv_max_ns: i64::MIN,
                ..abi::record::default()
            };
            for bank in 0..self.plan.config.banks {
                self.records.write(self.plan.record(id, bank, trial_bank), record);
            }
        }
    }

    /// Tells every bank of the port the number and the records of the trial.
    fn switch_banks(&self, trial: u8, trial_bank: usize) {
        let magic = self.plan.config.nonce << abi::TAG_TRIAL_BITS
            | u32::from(trial) & abi::TRIAL_NUMBER
            | if trial_bank == 1 { abi::TRIAL_BANK } else { 0 };
        for bank in 0..self.banks() {
            let first = self.plan.record(0, bank, trial_bank) as u64;
            let word = u64::from(magic) | first << abi::TRIAL_RECORD_SHIFT;
            let port = self.bank(bank);
            // Whichever of two writes is lost, the next frame reads the clock.
            port.clock_ns.store(0, Ordering::Relaxed);
            // Release: whoever sees the new trial sees its clean records.
            port.trial.store(word, Ordering::Release);
        }
    }

    /// Attaches to an interface of this thread's network namespace, in the mode that the
    /// analyser was loaded for. The link may go down for seconds: await its carrier.
    pub fn attach(&mut self, ifindex: u32) -> Result<(), Error> {
        self.program.attach(ifindex)?;
        self.ifindex = Some(ifindex);
        Ok(())
    }

    /// The mode it was loaded for, and is attached in.
    pub fn attach_mode(&self) -> XdpMode {
        self.program.mode
    }

    /// Begins a trial: clears the idle record bank, then makes it the current one, so
    /// that a straggler of the trial before never enters this one. `trial` is the number
    /// in the tags (1 to 63; see [`next_trial`]), `base_ns` (`CLOCK_MONOTONIC`) the start
    /// of the first transmit-time bin.
    pub fn begin_trial(&mut self, trial: u8, base_ns: u64) {
        let idle = 1 - self.trial_bank;
        let used = self.control().slabs_used[idle].load(Ordering::Relaxed);
        let first = 1 + idle * self.plan.config.slabs as usize;
        self.slabs.clear(first..first + used.min(self.plan.config.slabs) as usize);
        for window in (idle..self.plan.windows() as usize).step_by(2) {
            self.windows.clear(window..window + 1);
        }
        self.clear_records(idle);

        let control = self.control();
        control.slabs_used[idle].store(0, Ordering::Relaxed);
        control.base_ns[idle].store(base_ns, Ordering::Relaxed);
        self.switch_banks(trial, idle);
        self.trial_bank = idle;
    }

    /// Moves the start of the first transmit-time bin, before the trial's first frame is sent.
    pub fn rebase(&mut self, base_ns: u64) {
        self.control().base_ns[self.trial_bank].store(base_ns, Ordering::Relaxed);
    }

    /// Banks of the port: RX queues in native mode, CPUs in generic mode.
    pub fn banks(&self) -> u32 {
        self.plan.config.banks
    }

    /// Streams that it was loaded for.
    pub fn streams(&self) -> u16 {
        self.plan.config.streams as u16
    }

    /// Whether there is such a stream and the port is its receiver.
    pub fn expects(&self, stream: u16) -> bool {
        let stream = self.plan.streams.get(usize::from(stream));
        stream.is_some_and(|stream| u32::from(stream.role) == abi::STREAM_EXPECTED)
    }

    /// What one bank saw of one stream in this trial.
    ///
    /// # Panics
    /// If there is no such stream or bank.
    pub fn record(&self, stream: u16, bank: u32) -> abi::record {
        assert!(bank < self.banks(), "bank {bank} of {}", self.banks());
        self.records.read(self.plan.record(stream.into(), bank, self.trial_bank))
    }

    /// The window of an expected stream in this trial: which sequence numbers came last.
    ///
    /// # Panics
    /// If there is no such stream.
    pub fn window(&self, stream: u16) -> abi::window {
        let window = 2 * self.plan.streams[usize::from(stream)].window as usize;
        self.windows.read(window + self.trial_bank)
    }

    /// What one bank of the port saw, tagged or not, since the analyser was loaded.
    ///
    /// # Panics
    /// If there is no such bank.
    pub fn port_record(&self, bank: u32) -> abi::port_record {
        self.ports.read(bank as usize)
    }

    /// Frames that were passed uncounted, because they came on a queue that the port did
    /// not have when the analyser was loaded. Not 0: somebody changed the port.
    pub fn unbanked(&self) -> u64 {
        self.control().unbanked.load(Ordering::Relaxed)
    }

    /// The buckets that a record names in `slab`; `None` for 0, or what is no slab.
    pub fn slab(&self, index: u32) -> Option<Slab<'_>> {
        let named = 1..self.plan.slabs();
        let index = named.contains(&index).then_some(index as usize)?;
        Some(Slab { slab: self.slabs.entry(index), _analyser: self })
    }

    /// Kernel memory of all maps.
    pub fn memory_bytes(&self) -> u64 {
        self.control.bytes()
            + self.ports.bytes()
            + self.records.bytes()
            + self.windows.bytes()
            + self.slabs.bytes()
    }

    /// Sets what the session's clock, another host's, is ahead of `CLOCK_MONOTONIC`, ns; it is
    /// added to the time of every frame.
    pub fn set_clock_offset(&self, offset_ns: i64) {
        self.control().clock_offset_ns.store(offset_ns, Ordering::Relaxed);
    }

    /// Lets test frames go on to the kernel once they are counted, where a packet socket
    /// hears them, or takes them from it as usual.
    pub fn set_listened(&self, listened: bool) {
        for bank in 0..self.banks() {
            self.bank(bank).listened.store(listened.into(), Ordering::Relaxed);
        }
    }

    /// Runs the program on a frame without FCS, as if it had come on this RX queue. A
    /// queue other than 0 must be one of the interface that the analyser is attached to,
    /// in this thread's network namespace. With `repeat` above 1 every repetition counts.
    /// Programs with NIC timestamps cannot be test-run.
    pub fn test_run(&self, frame: &[u8], queue: u32, repeat: u32) -> Result<TestRun, Error> {
        let ingress = match self.ifindex {
            Some(ifindex) => Some(Ingress { ifindex, queue }),
            None if queue == 0 => None,
            None => {
                let what = format!("queue {queue} of no interface; attach it first");
                return Err(Error::Setup { what });
            }
        };
        test_run::run(self.program.fd(), frame, ingress, repeat)
    }

    fn bank(&self, bank: u32) -> Bank<'_> {
        let port = self.ports.entry(bank as usize).as_ptr();
        // SAFETY: aligned words of one entry, mapped as long as `self`, that the program
        // reads and writes as whole words too.
        unsafe {
            Bank {
                trial: AtomicU64::from_ptr(&raw mut (*port).trial),
                clock_ns: AtomicU64::from_ptr(&raw mut (*port).clock_ns),
                listened: AtomicU32::from_ptr(&raw mut (*port).listened),
            }
        }
    }

    fn control(&self) -> Control<'_> {
        let control = self.control.entry(0).as_ptr();
        // SAFETY: aligned words of one entry, mapped as long as `self`, that the program
        // reads and writes as whole words too.
        unsafe {
            Control {
                base_ns: [0, 1].map(|bank| AtomicU64::from_ptr(&raw mut (*control).base_ns[bank])),
                slabs_used: [0, 1]
                    .map(|bank| AtomicU32::from_ptr(&raw mut (*control).slabs_used[bank])),
                unbanked: AtomicU64::from_ptr(&raw mut (*control).unbanked),
                clock_offset_ns: AtomicI64::from_ptr(&raw mut (*control).clock_offset_ns),
            }
        }
    }
}

/// The words of `abi::port_record` that are written here.
struct Bank<'a> {
    trial: &'a AtomicU64,
    clock_ns: &'a AtomicU64,
    listened: &'a AtomicU32,
}

/// The words of `abi::analyser_control`.
struct Control<'a> {
    base_ns: [&'a AtomicU64; 2],
    slabs_used: [&'a AtomicU32; 2],
    unbanked: &'a AtomicU64,
    clock_offset_ns: &'a AtomicI64,
}

/// The number of the trial after this one: 1 to 63 in turn, for 0 means none yet.
pub fn next_trial(trial: u8) -> u8 {
    trial % (abi::TAG_TRIALS as u8 - 1) + 1
}
