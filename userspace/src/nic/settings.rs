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
    /// Number of the NIC's clock, `/dev/ptpN`; `None`: it has none.
    pub phc: Option<u32>,
}
