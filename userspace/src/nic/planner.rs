//! How many frames a second a port can send, and what the limit is. Pure: facts in,
//! prediction out. `ports --probe` measures what this predicts.

use super::{Capabilities, PcieLink, PortInfo, XdpFeatures};
use serde::Serialize;
use std::fmt;

/// How frames reach the NIC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SendPath {
    /// AF_XDP, the NIC reads our memory.
    ZeroCopy,
    /// AF_XDP, the kernel copies each frame.
    Copy,
    /// BPF live frames, made inside the kernel.
    LiveFrames,
}

/// What holds a port back.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Limit {
    /// The link is full.
    Line {
        /// Its speed.
        link_bps: u64,
    },
    /// The slot is full.
    Pcie {
        /// What it carries in one direction.
        bps: u64,
    },
    /// Every queue in use has a core, and each takes its time.
    Queues {
        /// TX queues in use.
        queues: u32,
        /// Time that one frame takes.
        frame_ns: f64,
        /// Whether the kernel copies.
        path: SendPath,
    },
    /// There are fewer cores than queues.
    Cores {
        /// Cores that the process may use.
        cores: u32,
        /// Time that one frame takes.
        frame_ns: f64,
        /// Whether the kernel copies.
        path: SendPath,
    },
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cost = |f: &mut fmt::Formatter<'_>, what: &str, count: u32, frame_ns: f64, path| {
            let ending = if count == 1 { "" } else { "s" };
            let how = match path {
                SendPath::ZeroCopy => "zero-copy",
                SendPath::Copy => "the kernel copies",
                SendPath::LiveFrames => "live frames",
            };
            write!(f, "{count} {what}{ending}, {frame_ns:.0} ns a frame ({how})")
        };
        match *self {
            Limit::Line { .. } => f.write_str("line rate"),
            Limit::Pcie { bps } => write!(f, "PCIe, {:.0} Gbit/s", bps as f64 / 1e9),
            Limit::Queues { queues, frame_ns, path } => cost(f, "queue", queues, frame_ns, path),
            Limit::Cores { cores, frame_ns, path } => cost(f, "core", cores, frame_ns, path),
        }
    }
}

/// What is predicted for one frame size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ceiling {
    /// Octets with FCS.
    pub frame_bytes: u16,
    /// Frames a second.
    pub fps: f64,
    /// Why not more.
    pub limit: Limit,
}

/// Preamble, start delimiter and least gap of Ethernet.
const L1_OVERHEAD_BYTES: u64 = 20;
/// A zero-copy worker that writes tag and fields: half of the 15 to 20 Mpps that drivers
/// reach with one unchanging frame.
const ZERO_COPY_FRAME_NS: f64 = 110.0;
/// Copy mode builds an skb for each frame: about 1 us (veth, i40e), and a little for each
/// octet (veth: 0.94 to 1.02 Mpps with 64 octets, 0.80 with 1,500).
const COPY_FRAME_NS: f64 = 1000.0;
const COPY_OCTET_NS: f64 = 0.17;
/// Tag, two fields and checksum of a frame that never leaves the kernel, and its redirect
/// (veth: 169 to 210 ns).
const LIVE_FRAME_NS: f64 = 200.0;
/// Header and framing of a PCI Express packet that carries at most 256 octets, and the
/// descriptors of one frame.
const TLP_BYTES: u64 = 24;
const TLP_PAYLOAD_BYTES: u64 = 256;
const DESCRIPTOR_BYTES: u64 = 16;

/// What the prediction needs to know.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SendLimits {
    /// Speed of the link; `None`: a virtual link has no line, whatever speed it tells.
    pub link_bps: Option<u64>,
    /// TX queues in use.
    pub queues: u32,
    /// Cores that workers may use.
    pub cores: u32,
    /// How frames reach the NIC.
    pub path: SendPath,
    /// The slot.
    pub pcie: Option<PcieLink>,
}

impl SendLimits {
    /// Of a port. Zero-copy is what the driver says it can; what a queue really grants is
    /// known when it is bound.
    pub fn of(port: &PortInfo, capabilities: &Capabilities, cores: u32) -> Self {
        let told = capabilities.xdp.as_ref().is_some_and(XdpFeatures::zero_copy);
        // virtio_net needs a queue beside the one that the socket takes, or refuses.
        let spare = capabilities.channels.is_some_and(|channels| channels.tx_max > 1);
        let takes_redirects =
            capabilities.xdp.as_ref().is_some_and(|xdp| xdp.xdp.contains(&"ndo-xmit"));
        let zero_copy = told && (spare || port.driver != "virtio_net");
        Self {
            link_bps: port.link_bps.filter(|_| port.physical),
            queues: port.tx_queues.max(1),
            cores: cores.max(1),
            path: if zero_copy {
                SendPath::ZeroCopy
            } else if takes_redirects {
                SendPath::LiveFrames
            } else {
                SendPath::Copy
            },
            pcie: capabilities.pci.as_ref().and_then(|pci| pci.link),
        }
    }

    /// The most frames of `frame_bytes` (with FCS) that can be sent in a second.
    pub fn ceiling(&self, frame_bytes: u16) -> Ceiling {
        let &Self { queues, cores, path, .. } = self;
        let size = u64::from(frame_bytes);
        let frame_ns = match path {
            SendPath::ZeroCopy => ZERO_COPY_FRAME_NS,
            SendPath::Copy => COPY_FRAME_NS + COPY_OCTET_NS * size.saturating_sub(64) as f64,
            SendPath::LiveFrames => LIVE_FRAME_NS,
        };
        let workers = if cores < queues {
            Limit::Cores { cores, frame_ns, path }
        } else {
            Limit::Queues { queues, frame_ns, path }
        };
        let (mut fps, mut limit) = (f64::from(queues.min(cores)) * 1e9 / frame_ns, workers);
        let line = self.link_bps.map(|link_bps| {
            let bits = 8 * (size + L1_OVERHEAD_BYTES);
            (link_bps as f64 / bits as f64, Limit::Line { link_bps })
        });
        let slot = self.pcie.map(|link| (pcie_fps(link, size), Limit::Pcie { bps: link.bps() }));
        for (other_fps, other) in line.into_iter().chain(slot) {
            if other_fps <= fps {
                (fps, limit) = (other_fps, other);
            }
        }
        Ceiling { frame_bytes, fps, limit }
    }
}

fn pcie_fps(link: PcieLink, size: u64) -> f64 {
    let packets = size.div_ceil(TLP_PAYLOAD_BYTES);
    let bits = 8 * (size + packets * TLP_BYTES + DESCRIPTOR_BYTES);
    link.bps() as f64 / bits as f64
}

/// The allowed CPUs in the order in which workers should take them: first those near the
/// NIC that handle none of its interrupts, then others without, then the rest; among
/// equals the one at `place` first.
pub fn worker_cpus(allowed: &[usize], capabilities: &Capabilities, place: usize) -> Vec<usize> {
    let busy = capabilities.interrupt_cpus();
    let near = capabilities.pci.as_ref().map(|pci| pci.local_cpus.as_slice()).unwrap_or_default();
    let mut cpus = allowed.to_vec();
    cpus.rotate_left(place % allowed.len().max(1));
    let far = |cpu: &usize| !near.is_empty() && !near.contains(cpu);
    cpus.sort_by_key(|cpu| (busy.contains(cpu), far(cpu)));
    cpus
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nic::{Interrupt, Pci};

    const NIC: SendLimits = SendLimits {
        link_bps: Some(10_000_000_000),
        queues: 4,
        cores: 8,
        path: SendPath::ZeroCopy,
        pcie: Some(PcieLink { megatransfers: 8000, lanes: 8 }),
    };

    fn told(limits: SendLimits, size: u16) -> (u64, String) {
        let ceiling = limits.ceiling(size);
        (ceiling.fps as u64, ceiling.limit.to_string())
    }

    #[test]
    fn a_port_that_can_fill_its_line_is_limited_by_it() {
        assert_eq!(told(NIC, 64), (14_880_952, "line rate".to_owned()));
        assert_eq!(told(NIC, 1518), (812_743, "line rate".to_owned()));
    }

    #[test]
    fn queues_and_cores_limit_small_frames() {
        let one = SendLimits { queues: 1, ..NIC };
        assert_eq!(told(one, 64), (9_090_909, "1 queue, 110 ns a frame (zero-copy)".to_owned()));
        let live = SendLimits { path: SendPath::LiveFrames, ..one };
        assert_eq!(told(live, 64), (5_000_000, "1 queue, 200 ns a frame (live frames)".to_owned()));
        let copy = SendLimits { path: SendPath::Copy, queues: 2, cores: 1, ..NIC };
        let reason = "1 core, 1000 ns a frame (the kernel copies)";
        assert_eq!(told(copy, 64), (1_000_000, reason.to_owned()));
        assert_eq!(told(SendLimits { cores: 2, ..copy }, 1518).1, "line rate");
    }

    #[test]
    fn a_narrow_slot_is_the_limit_of_a_fast_link() {
        let slot = Some(PcieLink { megatransfers: 5000, lanes: 4 });
        let limits = SendLimits { link_bps: Some(40_000_000_000), pcie: slot, ..NIC };
        let (fps, reason) = told(limits, 1518);
        assert_eq!((fps, reason.as_str()), (1_191_895, "PCIe, 16 Gbit/s"));
    }

    #[test]
    fn a_virtual_link_has_no_line() {
        let veth = SendLimits { link_bps: None, pcie: None, path: SendPath::Copy, ..NIC };
        assert!(matches!(veth.ceiling(1518).limit, Limit::Queues { queues: 4, .. }));
    }

    #[test]
    fn workers_keep_off_interrupts_and_near_the_nic() {
        let interrupt =
            |irq, cpu| Interrupt { irq, rx_queues: vec![], tx_queues: vec![], cpus: vec![cpu] };
        let capabilities = Capabilities {
            pci: Some(Pci { numa_node: Some(1), local_cpus: vec![2, 3, 4], link: None }),
            interrupts: vec![interrupt(30, 0), interrupt(31, 3)],
            ..Capabilities::default()
        };
        assert_eq!(worker_cpus(&[0, 1, 2, 3, 4], &capabilities, 0), [2, 4, 1, 3, 0]);
        assert_eq!(worker_cpus(&[0, 1, 2, 3, 4], &capabilities, 3), [4, 2, 1, 3, 0]);
        assert_eq!(worker_cpus(&[0, 1], &Capabilities::default(), 5), [1, 0]);
        assert_eq!(worker_cpus(&[], &Capabilities::default(), 5), Vec::<usize>::new());
    }
}
