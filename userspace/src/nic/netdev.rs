//! The generic netlink family "netdev" (linux/netdev.h,
//! Documentation/netlink/specs/netdev.yaml): what XDP, AF_XDP and each queue can do.
//! Kernels since 6.3 have the features, since 6.8 the queues, since 6.10 the statistics.

use super::genl::{Attributes, Family};
use netlink_packet_core::NLM_F_DUMP;
use serde::Serialize;
use std::io;

const DEV_GET: u8 = 1;
const QUEUE_GET: u8 = 10;
const NAPI_GET: u8 = 11;
const QSTATS_GET: u8 = 12;

const DEV_IFINDEX: u16 = 1;
const DEV_XDP_FEATURES: u16 = 3;
const DEV_XDP_ZC_MAX_SEGS: u16 = 4;
const DEV_XDP_RX_METADATA_FEATURES: u16 = 5;
const DEV_XSK_FEATURES: u16 = 6;

const NAPI_IFINDEX: u16 = 1;
const NAPI_ID: u16 = 2;
const NAPI_IRQ: u16 = 3;

const QUEUE_ID: u16 = 1;
const QUEUE_IFINDEX: u16 = 2;
const QUEUE_TYPE: u16 = 3;
const QUEUE_NAPI_ID: u16 = 4;

const QSTATS_IFINDEX: u16 = 1;
const QSTATS_RX_HW_DROPS: u16 = 13;

/// `xdp-act` of the specification, by bit.
const XDP_FEATURES: [&str; 7] =
    ["basic", "redirect", "ndo-xmit", "xsk-zerocopy", "hw-offload", "rx-sg", "ndo-xmit-sg"];
const RX_METADATA: [&str; 3] = ["timestamp", "hash", "vlan-tag"];
const XSK_FEATURES: [&str; 3] = ["tx-timestamp", "tx-checksum", "tx-launch-time-fifo"];

/// What the driver says that XDP and AF_XDP can do on it, in the specification's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct XdpFeatures {
    /// `basic`: XDP in the driver; `xsk-zerocopy`: AF_XDP without copies.
    pub xdp: Vec<&'static str>,
    /// Buffers that one frame may span with zero-copy.
    pub zero_copy_segments: Option<u32>,
    /// What a device-bound program can read of a frame.
    pub rx_metadata: Vec<&'static str>,
    /// What a frame may ask of the NIC on its way out.
    pub xsk: Vec<&'static str>,
}

impl XdpFeatures {
    /// Whether the driver speaks of zero-copy at all; a queue may still refuse it.
    pub fn zero_copy(&self) -> bool {
        self.xdp.contains(&"xsk-zerocopy")
    }
}

/// A queue and the NAPI instance that serves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QueueNapi {
    pub(super) id: u32,
    pub(super) receives: bool,
    pub(super) napi: Option<u32>,
}

/// The family, asked in the namespace it was opened in.
#[derive(Debug)]
pub(super) struct Netdev(Family);

impl Netdev {
    /// # Errors
    /// ENOENT on kernels before 6.3.
    pub(super) fn open() -> io::Result<Self> {
        Family::open("netdev").map(Self)
    }

    pub(super) fn features(&mut self, ifindex: u32) -> io::Result<XdpFeatures> {
        let answers = self.0.ask(DEV_GET, 0, &[(DEV_IFINDEX, ifindex)])?;
        let answer = answers.first().ok_or(io::ErrorKind::NotFound)?;
        let named = |attribute, names: &[&'static str]| {
            let bits = answer.get(attribute).unwrap_or(0);
            names
                .iter()
                .enumerate()
                .filter(|(bit, _)| bits >> bit & 1 == 1)
                .map(|(_, n)| *n)
                .collect()
        };
        Ok(XdpFeatures {
            xdp: named(DEV_XDP_FEATURES, &XDP_FEATURES),
            zero_copy_segments: answer.get(DEV_XDP_ZC_MAX_SEGS).map(|count| count as u32),
            rx_metadata: named(DEV_XDP_RX_METADATA_FEATURES, &RX_METADATA),
            xsk: named(DEV_XSK_FEATURES, &XSK_FEATURES),
        })
    }

    pub(super) fn queues(&mut self, ifindex: u32) -> io::Result<Vec<QueueNapi>> {
        let answers = self.0.ask(QUEUE_GET, NLM_F_DUMP, &[(QUEUE_IFINDEX, ifindex)])?;
        let queue = |answer: &Attributes| {
            Some(QueueNapi {
                id: answer.get(QUEUE_ID)? as u32,
                receives: answer.get(QUEUE_TYPE)? == 0,
                napi: answer.get(QUEUE_NAPI_ID).map(|id| id as u32),
            })
        };
        Ok(answers.iter().filter_map(queue).collect())
    }

    /// NAPI instances and their interrupts, where the driver told the kernel.
    pub(super) fn interrupts(&mut self, ifindex: u32) -> io::Result<Vec<(u32, u32)>> {
        let answers = self.0.ask(NAPI_GET, NLM_F_DUMP, &[(NAPI_IFINDEX, ifindex)])?;
        let napi =
            |answer: &Attributes| Some((answer.get(NAPI_ID)? as u32, answer.get(NAPI_IRQ)? as u32));
        Ok(answers.iter().filter_map(napi).collect())
    }

    /// Frames that arrived at the device and never left it towards the host; `None`
    /// where the driver does not say.
    pub(super) fn rx_hw_drops(&mut self, ifindex: u32) -> io::Result<Option<u64>> {
        let answers = self.0.ask(QSTATS_GET, NLM_F_DUMP, &[(QSTATS_IFINDEX, ifindex)])?;
        // 6.9 answers for every device, whichever was asked.
        let mut own =
            answers.iter().filter(|answer| answer.get(QSTATS_IFINDEX) == Some(u64::from(ifindex)));
        Ok(own.find_map(|answer| answer.get(QSTATS_RX_HW_DROPS)))
    }
}
