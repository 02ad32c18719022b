//! What the ethtool ioctl tells, as plain values (linux/ethtool.h).

use serde::Serialize;

/// `ETHTOOL_GDRVINFO`.
#[derive(Debug, Clone, Default)]
pub(super) struct DriverInfo {
    pub(super) driver: String,
    pub(super) firmware: String,
    pub(super) bus: String,
}

/// `ETHTOOL_GLINKSETTINGS`. `None`: the driver knows none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LinkSettings {
    /// Bits per second.
    pub(super) bps: Option<u64>,
    pub(super) duplex: Option<&'static str>,
}

/// Queues, in use and at most (`ETHTOOL_GCHANNELS`); one that does both counts as both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Channels {
    /// RX queues in use.
    pub rx: u32,
    /// TX queues in use.
    pub tx: u32,
    /// RX queues that can be had (`ethtool -L`).
    pub rx_max: u32,
    /// TX queues that can be had.
    pub tx_max: u32,
}

/// Descriptors of each queue's ring, and at most (`ETHTOOL_GRINGPARAM`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rings {
    /// RX, as set.
    pub rx: u32,
    /// RX, at most (`ethtool -G`).
    pub rx_max: u32,
    /// TX, as set.
    pub tx: u32,
    /// TX, at most.
    pub tx_max: u32,
}

/// Flow control (`ETHTOOL_GPAUSEPARAM`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Pause {
    /// Agreed on with the other end.
    pub autoneg: bool,
    /// The other end can pause the port.
    pub rx: bool,
    /// The port can pause the other end.
    pub tx: bool,
}

/// Where frames can be stamped for sockets (`ETHTOOL_GET_TS_INFO`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Timestamping {
    /// `rx-hardware` and `tx-hardware`: by the NIC; `rx-software`: by the kernel;
    /// `tx-software`: by the driver.
    pub stamps: Vec<&'static str>,
    /// Frames that the NIC can be told to stamp, in ethtool's words: `none`, `all`, ...
    pub rx_filters: Vec<&'static str>,
    /// Number of the NIC's clock, `/dev/ptpN`; `None`: it has none.
    pub phc: Option<u32>,
}

/// `enum hwtstamp_rx_filters` (linux/net_tstamp.h) by number, in ethtool's words.
pub(super) const RX_FILTERS: [&str; 16] = [
    "none",
    RX_FILTER_ALL,
    "some",
    "ptpv1-l4-event",
    "ptpv1-l4-sync",
    "ptpv1-l4-delay-req",
    "ptpv2-l4-event",
    "ptpv2-l4-sync",
    "ptpv2-l4-delay-req",
    "ptpv2-l2-event",
    "ptpv2-l2-sync",
    "ptpv2-l2-delay-req",
    "ptpv2-event",
    "ptpv2-sync",
    "ptpv2-delay-req",
    "ntp-all",
];
pub(super) const RX_FILTER_ALL: &str = "all";

/// `struct hwtstamp_config`: what the NIC stamps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub(super) struct StampConfig {
    pub(super) flags: i32,
    pub(super) tx_type: i32,
    pub(super) rx_filter: i32,
}

impl StampConfig {
    /// What it stamps of what it receives.
    pub(super) fn received(self) -> &'static str {
        let number = usize::try_from(self.rx_filter).ok();
        number.and_then(|number| RX_FILTERS.get(number).copied()).unwrap_or("what nobody knows")
    }

    /// The same for all that it receives.
    pub(super) fn with_all_received(self) -> Self {
        let all = RX_FILTERS.iter().position(|&name| name == RX_FILTER_ALL);
        Self { rx_filter: all.unwrap_or_default() as i32, ..self }
    }
}
