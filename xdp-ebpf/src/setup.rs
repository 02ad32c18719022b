use crate::{Error, abi};
use std::fmt;

/// Where in the kernel the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XdpMode {
    /// In the driver, before the kernel makes an skb (`XDP_FLAGS_DRV_MODE`).
    Native,
    /// On skbs (`XDP_FLAGS_SKB_MODE`): any driver, and some ten times slower.
    Generic,
}

impl fmt::Display for XdpMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Native => "native",
            Self::Generic => "generic",
        })
    }
}

/// What a stream is to the port.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Role {
    /// The port is its receiver.
    #[default]
    Expected,
    /// It is for another port of the session: here it is misdirected.
    Elsewhere,
}

/// How frames of a stream are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StreamSetup {
    /// What it is to this port.
    pub role: Role,
    /// Check the L4 checksum and the payload too, octet by octet: costs a walk over
    /// every frame.
    pub full_integrity: bool,
    /// With `full_integrity`: octets from the end of the outermost L3 header (of the
    /// VLAN tags, where L3 is not IP) to the payload of incrementing octets. 0: right
    /// after a UDP, TCP or ICMP header. Tunnels have to say.
    pub payload_offset: u16,
    /// Picoseconds that an octet takes on the wires that the frame crosses, all together,
    /// which are taken off its latency; 0 where the links have no speed. At most 4,000,000.
    pub octet_ps: u32,
}

/// Which frames get a stamp of their own. Reading the clock is the dearest part of a frame
/// on many machines; NIC stamps cost nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stamping {
    /// All.
    #[default]
    Every,
    /// One in 2^n, for n from 1 to 16, spread by a hash of the sequence number. Latency is
    /// that of these frames; there are no gaps and no variation.
    OneIn(u8),
    /// None: no latency.
    Never,
}

impl Stamping {
    fn mask(self) -> u32 {
        match self {
            Self::Every => abi::STAMP_EVERY,
            Self::OneIn(bits) => u32::MAX << (32 - bits.clamp(1, 16)),
            Self::Never => abi::STAMP_NEVER,
        }
    }
}

/// What an analyser is loaded for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalyserSetup {
    /// The session's nonce, below 2^18.
    pub nonce: u32,
    /// Width of the transmit-time bins, not 0.
    pub interval_ns: u64,
    /// RX queues of the port, at least 1.
    pub queues: u32,
    /// Octets of L3 that the port takes. Above 1,500 a frame may lie in several buffers,
    /// which the program then minds.
    pub mtu: u32,
    /// Which frames are stamped.
    pub stamping: Stamping,
    /// Another port of the session may receive the same streams: the ports that are set up
    /// so share one set of windows, the first one's, so that a frame is unique once.
    pub shared_windows: bool,
    /// By stream id.
    pub streams: Vec<StreamSetup>,
    /// Flows whose frames carry no tag and are told by what they have in common, each
    /// counted as a stream of `streams`; the first that holds for a frame counts it. At most
    /// `COUNT_RULES_MAX`.
    pub counted: Vec<abi::count_rule>,
}

impl Default for AnalyserSetup {
    /// One queue of a port with the usual MTU, bins of a second, every frame stamped; no stream.
    fn default() -> Self {
        Self {
            nonce: 1,
            interval_ns: 1_000_000_000,
            queues: 1,
            mtu: 1500,
            stamping: Stamping::Every,
            shared_windows: false,
            streams: Vec::new(),
            counted: Vec::new(),
        }
    }
}

/// Slabs are allotted when a stream is first seen on a bank. RSS keeps a stream on one
/// bank, so there need not be one for each pair; a stream spread over more banks than
/// this is for all streams at once is counted, but `unbucketed`.
const SLAB_BANKS: u32 = 4;

/// The numbers that follow from a set-up.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) config: abi::analyser_config,
    /// Windows are numbered within a trial bank.
    pub(crate) streams: Vec<abi::stream_config>,
    /// By stream id, as `record.octet_ns_q20`.
    pub(crate) octet_ns_q20: Vec<u32>,
    windows: u32,
}

impl Plan {
    pub(crate) fn new(setup: &AnalyserSetup, mode: XdpMode) -> Result<Self, Error> {
        let refuse = |what: String| Err(Error::Setup { what });
        if setup.nonce >> abi::TAG_NONCE_BITS != 0 {
            return refuse(format!("nonce {}; it has 18 bits", setup.nonce));
        }
        if setup.interval_ns == 0 {
            return refuse("an interval of 0 ns".to_owned());
        }
        if setup.queues == 0 {
            return refuse("no RX queue".to_owned());
        }
        if setup.streams.is_empty() || setup.streams.len() > 1 << 16 {
            return refuse(format!("{} streams; 1 to 65536 are possible", setup.streams.len()));
        }
        if setup.counted.len() > abi::COUNT_RULES_MAX as usize {
            let most = abi::COUNT_RULES_MAX;
            return refuse(format!(
                "{} rules for counted flows; at most {most}",
                setup.counted.len()
            ));
        }
        let banks = banks(setup.queues, mode)?;
        if let Some(slow) = setup.streams.iter().find(|stream| stream.octet_ps > 4_000_000) {
            return refuse(format!("{} ps an octet; at most 4000000", slow.octet_ps));
        }
        let octet_ns_q20 = setup
            .streams
            .iter()
            .map(|stream| (u64::from(stream.octet_ps) * (1 << 20) / 1000) as u32);
        let octet_ns_q20 = octet_ns_q20.collect();
        let mut windows = 0;
        let streams = setup
            .streams
            .iter()
            .map(|stream| {
                let expected = stream.role == Role::Expected;
                let window = windows;
                // Shared windows are numbered alike on every port.
                windows += u32::from(expected || setup.shared_windows);
                abi::stream_config {
                    role: if expected { abi::STREAM_EXPECTED } else { abi::STREAM_ELSEWHERE } as u8,
                    flags: if stream.full_integrity { abi::STREAM_INTEGRITY_FULL as u8 } else { 0 },
                    payload_offset: stream.payload_offset,
                    window,
                }
            })
            .collect();
        let windows = windows.max(1);
        let expected = setup.streams.iter().filter(|stream| stream.role == Role::Expected);
        let expected = (expected.count() as u32).max(1);
        let config = abi::analyser_config {
            interval_ns: setup.interval_ns,
            nonce: setup.nonce,
            streams: setup.streams.len() as u32,
            banks,
            slabs: expected * banks.min(SLAB_BANKS),
            bank_by_cpu: (mode == XdpMode::Generic).into(),
            full_integrity: setup.streams.iter().any(|stream| stream.full_integrity).into(),
            multi_buffer: (setup.mtu > 1500).into(),
            stamp_mask: setup.stamping.mask(),
            shared_windows: setup.shared_windows.into(),
            count_rules: setup.counted.len() as u32,
        };
        let plan = Self { config, streams, octet_ns_q20, windows };
        // The kernel counts entries in 32 bits.
        let records = 2 * u64::from(config.streams) * u64::from(banks);
        if u32::try_from(records).is_err() {
            return Err(Error::Memory { bytes: records * size_of::<abi::record>() as u64 });
        }
        Ok(plan)
    }

    /// Entries of both trial banks.
    pub(crate) fn records(&self) -> u32 {
        2 * self.config.streams * self.config.banks
    }

    /// Index of a record: those of a trial and a bank lie side by side.
    pub(crate) fn record(&self, stream: usize, bank: u32, trial_bank: usize) -> usize {
        let banks = self.config.banks as usize;
        (trial_bank * banks + bank as usize) * self.config.streams as usize + stream
    }

    /// Entries of both trial banks.
    pub(crate) fn windows(&self) -> u32 {
        2 * self.windows
    }

    /// Entries of both trial banks, after one that is nobody's: a record without a slab names it.
    pub(crate) fn slabs(&self) -> u32 {
        1 + 2 * self.config.slabs
    }

    /// Entries of the map of rules, which has one at least.
    pub(crate) fn rules(&self) -> u32 {
        self.config.count_rules.max(1)
    }

    /// What the maps will take.
    pub(crate) fn bytes(&self) -> u64 {
        let of = |entries: u32, size: usize| u64::from(entries) * size as u64;
        of(self.config.banks, size_of::<abi::port_record>())
            + of(self.records(), size_of::<abi::record>())
            + of(self.windows(), size_of::<abi::window>())
            + of(self.slabs(), size_of::<abi::slab>())
            + of(self.rules(), size_of::<abi::count_rule>())
    }
}

/// Banks of counters of a port with so many RX queues, each with a single writer.
pub(crate) fn banks(queues: u32, mode: XdpMode) -> Result<u32, Error> {
    match mode {
        XdpMode::Native => Ok(queues),
        XdpMode::Generic => cpus(),
    }
}

/// CPUs that a frame may be taken on in generic mode.
fn cpus() -> Result<u32, Error> {
    libbpf_rs::num_possible_cpus().map(|cpus| cpus as u32).map_err(|error| Error::System {
        action: "count the possible CPUs",
        source: std::io::Error::other(error.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(streams: usize) -> AnalyserSetup {
        let streams = vec![StreamSetup::default(); streams];
        AnalyserSetup { queues: 2, streams, ..AnalyserSetup::default() }
    }

    #[test]
    fn a_thousand_streams_on_two_queues_take_about_a_hundred_mib() {
        let bytes = Plan::new(&setup(1_000), XdpMode::Native).unwrap().bytes();
        assert!(bytes < 110 << 20, "{bytes}");
    }

    #[test]
    fn only_expected_streams_have_a_window_and_buckets() {
        let mut setup = setup(5);
        setup.streams[1].role = Role::Elsewhere;
        setup.streams[3].role = Role::Elsewhere;
        let plan = Plan::new(&setup, XdpMode::Native).unwrap();
        assert_eq!((plan.windows(), plan.slabs(), plan.records()), (6, 13, 20));
        assert_eq!([0, 2, 4].map(|id: usize| plan.streams[id].window), [0, 1, 2]);
    }

    #[test]
    fn impossible_set_ups_are_refused_by_name() {
        for (change, named) in [
            ((|setup| setup.nonce = 1 << 18) as fn(&mut AnalyserSetup), "nonce"),
            (|setup| setup.interval_ns = 0, "interval"),
            (|setup| setup.queues = 0, "queue"),
            (|setup| setup.streams.clear(), "0 streams"),
            (|setup| setup.counted = vec![abi::count_rule::default(); 65], "65 rules"),
        ] {
            let mut setup = setup(1);
            change(&mut setup);
            let error = Plan::new(&setup, XdpMode::Native).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
        }
    }
}
