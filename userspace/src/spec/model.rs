//! The types that the other rooms build on.

use super::{Origins, Setting};
use crate::units::{FrameSize, Rate};
use serde::{Deserialize, Serialize};
use std::{net::IpAddr, time::Duration};

/// A whole flow file, checked and expanded.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Every port that a flow names, in order of first use.
    pub ports: Vec<PortSpec>,
    /// Every flow and direction, in file order.
    pub flows: Vec<Flow>,
    /// Where the flows stand in the file, for [`Spec::place`].
    pub origins: Origins,
}

/// Where a port is and what stands behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortSpec {
    /// The name used in the file; the PORT text itself when the flow names one directly.
    pub name: String,
    /// The PORT: `ens1f0`, `ens1f0@netns`, `pci:0000:17:00.0`.
    pub interface: String,
    /// Addresses with prefix lengths that the tester plays on this port.
    pub addresses: Vec<ipnet::IpNet>,
    /// Next hop for destinations that are not on link, one per address family at most.
    pub gateways: Vec<IpAddr>,
    /// Line rate in bits per second where the link reports no true one.
    pub line_bps: Option<u64>,
}

/// One flow in one direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// Name of the row; `bidir` adds `/fwd` and `/rev`.
    pub name: String,
    /// Index of the transmitting port in [`Spec::ports`].
    pub tx: usize,
    /// Index of the receiving port; `None`: transmit only.
    pub rx: Option<usize>,
    /// Further receiving ports: a frame may come to any of them, once.
    pub more_rx: Vec<usize>,
    /// Offered load; of a flow with a `schedule` that of its first step.
    pub rate: Rate,
    /// The load over time, the first step at 0; empty: `rate` all the time.
    pub schedule: Vec<Step>,
    /// How frames are spaced at that rate.
    pub spacing: Spacing,
    /// The frame sizes as one fixed cycle; frame i has size `sizes[i % len]`.
    pub sizes: Vec<FrameSize>,
    /// From the start of a run to the flow's own.
    pub delay: Duration,
    /// When it ends.
    pub end: End,
    /// Frames in bursts with a gap between; `None`: evenly spaced.
    pub burst: Option<Burst>,
    /// Headers, outermost first; the first is always [`Layer::Eth`].
    pub layers: Vec<Layer>,
    /// Header fields that say something else than what is right or usual.
    #[serde(skip)]
    pub settings: Vec<Setting>,
    /// How several varying fields advance together.
    pub vary: Vary,
    /// What marks the frames.
    pub track: Track,
    /// How much of a received frame is checked.
    pub integrity: Integrity,
    /// Which frames must keep their order.
    pub order: Order,
    /// What the run must show, or it exits 1.
    pub expect: Expect,
}

impl Flow {
    /// Every receiving port.
    pub fn receivers(&self) -> impl Iterator<Item = usize> + '_ {
        self.rx.into_iter().chain(self.more_rx.iter().copied())
    }

    /// Whether what is received of it is known.
    pub fn is_measured(&self) -> bool {
        self.rx.is_some() && self.track != Track::None
    }
}

/// When a flow ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// After this time; asks for floor(rate x seconds) frames.
    After(Duration),
    /// After exactly so many frames.
    Frames(u64),
    /// When stopped.
    Never,
}

/// A step of `schedule`: at `at` the rate begins to change evenly to `rate`, which it has
/// after `ramp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Time after the flow's start.
    pub at: Duration,
    /// The rate from the end of the ramp on.
    pub rate: Rate,
    /// How long the change takes; 0: it is at once.
    pub ramp: Duration,
}

/// `spacing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Spacing {
    /// Evenly.
    #[default]
    Constant,
    /// At random times, as in a Poisson process: exponential gaps with the rate's mean.
    Poisson,
}

/// `burst = {frames, gap, repeat}`: trains at the flow's rate with a silence between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Burst {
    /// Frames in one burst.
    pub frames: u64,
    /// From the end of one burst to the start of the next.
    pub gap: Duration,
}

/// `vary`: how several varying fields advance together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Vary {
    /// Each field by itself.
    #[default]
    Independent,
    /// All fields in step; their periods are equal.
    Zip,
    /// Every combination, the last field fastest.
    Product,
    /// Every field at random among its values.
    Random,
}

/// `track`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Track {
    /// The 14-octet tag.
    #[default]
    Tag,
    /// No tag: frames are told by their headers and only counted.
    Count,
    /// No tag and no count.
    None,
}

/// `integrity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Integrity {
    /// Lengths and the IP header checksum.
    #[default]
    Tag,
    /// The L4 checksum and the payload too.
    Full,
}

/// `order`: which frames a device has to keep in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Order {
    /// All that leave by one queue and arrive on one.
    #[default]
    Queue,
    /// Those of one address and port tuple: each is a stream of its own.
    Tuple,
}

/// `expect`: thresholds that make a run fail.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Expect {
    /// Greatest loss ratio allowed, 0 to 1, and whether it is itself allowed (`<=`).
    pub loss: Option<Threshold<f64>>,
    /// Median latency bound, ns.
    pub p50: Option<Threshold<u64>>,
    /// 99th percentile latency bound, ns.
    pub p99: Option<Threshold<u64>>,
    /// 99.9th percentile latency bound, ns.
    pub p999: Option<Threshold<u64>>,
    /// Greatest latency bound, ns.
    pub max: Option<Threshold<u64>>,
    /// Longest outage bound, ns.
    pub outage: Option<Threshold<u64>>,
}

/// An upper bound.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Threshold<T> {
    /// The bound.
    pub limit: T,
    /// Whether the bound itself passes.
    pub inclusive: bool,
}

/// The values of one header field, as numbers in host order: an IPv4 address is
/// below 2^32, a MAC address below 2^48.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Values {
    /// Always this.
    One(u128),
    /// In turn.
    List(Vec<u128>),
    /// `first`, `first + step`, ... for `count` values.
    Range {
        /// First value.
        first: u128,
        /// Signed distance.
        step: i128,
        /// How many values.
        count: u32,
    },
    /// `count` pseudo-random values of `low..=high`, the same for the same seed.
    Random {
        /// Least value.
        low: u128,
        /// Greatest value.
        high: u128,
        /// Start of the sequence.
        seed: u64,
        /// Period.
        count: u32,
    },
}

/// One header. Absent optional fields are computed (lengths, checksums, types).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "fields carry the names of their RFCs")]
pub enum Layer {
    /// Ethernet II (IEEE 802.3).
    Eth { dst: MacAddress, src: MacAddress, ethertype: Option<Values> },
    /// IEEE 802.1Q tag; `tpid` absent: 0x8100, and 0x88a8 for all but the innermost of several.
    Vlan { id: Values, pcp: Values, dei: Values, tpid: Option<Values> },
    /// RFC 3032 and 5462; bottom of stack where no other label follows.
    Mpls { label: Values, tc: Values, ttl: Values },
    /// RFC 826, IPv4 over Ethernet. `sha` auto: the port's own address.
    Arp { op: Values, sha: MacAddress, spa: Values, tha: Values, tpa: Values },
    /// RFC 791.
    Ipv4 {
        src: Values,
        dst: Values,
        dscp: Values,
        ecn: Values,
        id: Values,
        df: bool,
        ttl: Values,
        protocol: Option<Values>,
    },
    /// RFC 8200.
    Ipv6 {
        src: Values,
        dst: Values,
        traffic_class: Values,
        flow_label: Values,
        hop_limit: Values,
        next_header: Option<Values>,
    },
    /// RFC 8200 section 4.3; `options` with their padding.
    HopByHop { options: Vec<u8> },
    /// RFC 8200 section 4.6; `options` with their padding.
    DestinationOptions { options: Vec<u8> },
    /// RFC 8200 section 4.4; `data` is what is specific to the type.
    Routing { kind: u8, segments_left: u8, data: Vec<u8> },
    /// RFC 8200 section 4.5, as RFC 6946's atomic fragment: the whole packet.
    Fragment { id: Values },
    /// RFC 2784 and 2890; what is absent has no bits in the frame.
    Gre { protocol: Option<Values>, checksum: bool, key: Option<Values>, sequence: Option<Values> },
    /// RFC 7348.
    Vxlan { vni: Values },
    /// RFC 768.
    Udp { src: Values, dst: Values, checksum: UdpChecksum },
    /// RFC 9293, a bare header without options.
    Tcp { src: Values, dst: Values, seq: Values, ack: Values, flags: Values, window: Values },
    /// RFC 792.
    Icmp { kind: Values, code: Values, id: Values, seq: Values },
    /// RFC 4443.
    Icmpv6 { kind: Values, code: Values, id: Values, seq: Values },
    /// Octets as they stand.
    Raw { bytes: Vec<u8> },
}

/// A MAC address field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MacAddress {
    /// Source: the port's own. Destination: resolved by ARP or ND.
    Auto,
    /// As given.
    Given(Values),
}

/// `udp.checksum`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UdpChecksum {
    /// Computed.
    Auto,
    /// This value in every frame; 0: none (RFC 768).
    Fixed(u16),
}
