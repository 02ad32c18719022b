//! What is asked of another daemon, and what it answers: JSON.

use crate::{
    nic::{LinkCounters, Mac, PortInfo, PortReading, SettingChange},
    session::plan::Stream,
    spec::{Flow, PortSpec},
    tx::{Sent, TxMode, XskStatistics},
};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use xdp_ebpf::{AnalyserSetup, Role, Stamping, StreamSetup, from_words, words};

/// A VLAN tag: protocol identifier and control information.
pub(super) type Tag = (u16, u16);

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// What a port is.
    Look { port: String },
    /// Who answers for these addresses.
    Neighbours {
        port: String,
        sources: Vec<IpNet>,
        targets: Vec<IpAddr>,
        tags: Vec<Tag>,
        wait_ms: u64,
    },
    /// Whose address is behind the port: asked by the first for the second.
    Announce { port: String, questions: Vec<(IpAddr, IpAddr, Vec<Tag>)> },
    /// Take ports, and be ready to send.
    Open(Box<Open>),
    /// Find the next hops of what is sent there.
    Resolve,
    /// The flows of the next trial.
    Load { flows: Vec<Flow>, phases: Vec<f64> },
    /// A trial begins at `start_ns` of the clock that is `clock_offset_ns` ahead of this one.
    Begin { trial: u8, start_ns: u64, clock_offset_ns: i64 },
    /// The workers are to await that time, and send.
    Start,
    /// The workers are to end.
    Stop,
    /// How things stand; like everything else, it renews the lease.
    Status,
    /// What was counted, as far as it has changed.
    Read,
    /// The workers have ended: what went wrong.
    End,
    /// The sequence window of a stream at a port.
    Window { port: usize, stream: u16 },
    /// What the kernel has counted on a port; it needs no lease.
    Count { port: String },
    /// Give everything back.
    Close,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    Done,
    Port(Box<PortInfo>),
    Macs(Vec<Mac>),
    /// Nobody answers for these.
    Unresolved(Vec<IpAddr>),
    Opened(Vec<Opened>),
    Status(Status),
    Read(Box<Reading>),
    Ended(Vec<String>),
    Words(Vec<u64>),
    Counted {
        /// It has a carrier.
        link: bool,
        counters: LinkCounters,
    },
    Refused {
        message: String,
        exit_code: u8,
    },
}

/// Numbers of ports, flows and streams are those of this message, but for the ids of streams.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Open {
    pub(super) nonce: u32,
    pub(super) interval_ns: u64,
    pub(super) ports: Vec<OpenPort>,
    /// What is sent there.
    pub(super) flows: Vec<Flow>,
    /// What else comes there, for the addresses to play.
    pub(super) received: Vec<Flow>,
    pub(super) streams: Vec<Stream>,
    pub(super) phases: Vec<f64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct OpenPort {
    pub(super) spec: PortSpec,
    pub(super) setup: Setup,
}

/// [`AnalyserSetup`], but for nonce and interval.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Setup {
    queues: u32,
    mtu: u32,
    /// One frame in 2^n is stamped; `None`: none.
    stamped: Option<u8>,
    /// Expected, checked in full, offset of the payload, picoseconds an octet.
    streams: Vec<(bool, bool, u16, u32)>,
    /// `count_rule`, each as words.
    counted: Vec<Vec<u64>>,
}

impl From<&AnalyserSetup> for Setup {
    fn from(setup: &AnalyserSetup) -> Self {
        let stream = |stream: &StreamSetup| {
            let expected = stream.role == Role::Expected;
            (expected, stream.full_integrity, stream.payload_offset, stream.octet_ps)
        };
        Self {
            queues: setup.queues,
            mtu: setup.mtu,
            stamped: match setup.stamping {
                Stamping::Every => Some(0),
                Stamping::OneIn(bits) => Some(bits),
                Stamping::Never => None,
            },
            streams: setup.streams.iter().map(stream).collect(),
            counted: setup.counted.iter().map(words).collect(),
        }
    }
}

impl Setup {
    pub(super) fn analyser(&self, nonce: u32, interval_ns: u64) -> AnalyserSetup {
        let stream = |&(expected, full_integrity, payload_offset, octet_ps): &_| StreamSetup {
            role: if expected { Role::Expected } else { Role::Elsewhere },
            full_integrity,
            payload_offset,
            octet_ps,
        };
        AnalyserSetup {
            nonce,
            interval_ns,
            queues: self.queues,
            mtu: self.mtu,
            stamping: match self.stamped {
                Some(0) => Stamping::Every,
                Some(bits) => Stamping::OneIn(bits),
                None => Stamping::Never,
            },
            shared_windows: false,
            streams: self.streams.iter().map(stream).collect(),
            counted: self.counted.iter().filter_map(|words| from_words(words)).collect(),
        }
    }

    pub(super) fn expects(&self, stream: u16) -> bool {
        self.streams.get(usize::from(stream)).is_some_and(|stream| stream.0)
    }
}

/// A port that was taken.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Opened {
    pub(super) native: bool,
    pub(super) native_refused: Option<String>,
    pub(super) banks: u32,
    pub(super) map_bytes: u64,
    pub(super) settings_changed: Vec<SettingChange>,
    pub(super) not_controllable: Vec<String>,
    pub(super) backend_note: Option<String>,
    pub(super) counts_sent: bool,
    pub(super) queues: Vec<(u32, TxMode)>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Status {
    /// There is a session under the lease.
    pub(super) held: bool,
    /// Every worker of the trial has ended.
    pub(super) finished: bool,
    /// By port: what is wrong with its link.
    pub(super) links: Vec<Option<String>>,
    /// By port: how often the link was lost.
    pub(super) losses: Vec<u32>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Reading {
    pub(super) ports: Vec<PortPart>,
    /// By stream that is sent there.
    pub(super) sent: Vec<SentPart>,
}

/// What a port counted.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct PortPart {
    /// By bank: `port_record`.
    pub(super) banks: Vec<Vec<u64>>,
    /// Stream, bank and `record`, of those that changed.
    pub(super) records: Vec<(u16, u32, Vec<u64>)>,
    /// A slab by its number in a record, and the buckets that changed.
    pub(super) slabs: Vec<(u32, Vec<(u32, u32)>)>,
    pub(super) counted: Option<PortReading>,
    pub(super) xsk: Option<XskStatistics>,
    pub(super) unbanked: u64,
}

/// What was sent of a stream, on the clock of there.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct SentPart {
    pub(super) sent: Sent,
    pub(super) intervals: Vec<u64>,
    pub(super) gaps: Vec<u64>,
    pub(super) gap_max_ns: u64,
}
