//! `linerate.ports/1`: what the machine's ports are and can do.

use super::{Host, Tool};
use crate::{
    nic::{Capabilities, Ceiling, Limit, NicError, PortInfo, SendLimits, XdpHook, capabilities},
    packet::format_mac,
};
use serde::Serialize;

/// The whole document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PortsReport {
    /// `linerate.ports/1`.
    pub schema: &'static str,
    /// The tester's software.
    pub tool: Tool,
    /// The tester's machine.
    pub host: Host,
    /// The ports.
    pub ports: Vec<PortReport>,
}

/// One port. `None`: neither kernel nor driver says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the fields of PortInfo, explained there")]
pub struct PortReport {
    /// The PORT.
    #[serde(rename = "if")]
    pub interface: String,
    pub ifindex: u32,
    /// `veth`, `vlan`, ...; `None` for a device.
    pub kind: Option<String>,
    pub driver: String,
    pub firmware: Option<String>,
    pub bus: Option<String>,
    pub mac: String,
    pub mtu: u32,
    pub up: bool,
    pub carrier: bool,
    /// Speed of the link; `None` for links without a physical speed.
    pub link_bps: Option<u64>,
    pub rx_queues: u32,
    pub tx_queues: u32,
    pub promiscuous: bool,
    pub addresses: Vec<String>,
    /// The XDP program that is attached.
    pub xdp_program: Option<XdpProgram>,
    /// What it can do.
    pub capabilities: Capabilities,
    /// What it can send, by frame size.
    pub ceilings: Vec<CeilingReport>,
}

/// An XDP program on a port.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct XdpProgram {
    /// `native`, `generic`, `offloaded` or `several`.
    pub hook: &'static str,
    /// Its number, as `bpftool prog` shows it.
    pub id: u32,
}

/// What a port can send of one frame size.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CeilingReport {
    /// Octets with FCS.
    pub size: u16,
    /// Frames a second, predicted.
    pub predicted_fps: f64,
    /// Why not more.
    pub limit: Limit,
    /// The same in words.
    pub reason: String,
    /// What `--probe` measured.
    pub measured: Option<Measured>,
}

/// What a short trial at rate "max" sent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Measured {
    /// Frames a second that left by the interface's own count.
    pub fps: f64,
    /// Frames that the interface dropped on the way out.
    pub dropped_frames: u64,
    /// How the frames were sent.
    pub tx_mode: Option<super::TxMode>,
}

impl PortsReport {
    /// Asks about the ports and predicts, for workers on `cores` cores.
    ///
    /// # Errors
    /// Those of [`capabilities`]; a port that went away meanwhile is left out.
    pub fn new(ports: &[PortInfo], cores: u32, sizes: &[u16]) -> Result<Self, NicError> {
        let mut told = Vec::with_capacity(ports.len());
        for port in ports {
            told.push(PortReport::new(port, capabilities(port)?, cores, sizes));
        }
        Ok(Self { schema: "linerate.ports/1", tool: Tool::this(), host: Host::this(), ports: told })
    }

    /// The document, indented, with a line end.
    ///
    /// # Errors
    /// None that the values can cause; kept because writing JSON may fail in principle.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|json| json + "\n")
    }
}

impl PortReport {
    fn new(port: &PortInfo, capabilities: Capabilities, cores: u32, sizes: &[u16]) -> Self {
        let limits = SendLimits::of(port, &capabilities, cores);
        // 14 octets of Ethernet and 4 of FCS around the MTU.
        let fits = |&&size: &&u16| u32::from(size) <= port.mtu + 18;
        let ceilings = sizes.iter().filter(fits).map(|&size| limits.ceiling(size).into());
        Self {
            interface: port.name.to_string(),
            ifindex: port.ifindex,
            kind: port.kind.clone(),
            driver: port.driver.clone(),
            firmware: port.firmware.clone(),
            bus: port.bus.clone(),
            mac: format_mac(port.mac),
            mtu: port.mtu,
            up: port.up,
            carrier: port.carrier,
            link_bps: port.link_bps.filter(|_| port.physical),
            rx_queues: port.rx_queues,
            tx_queues: port.tx_queues,
            promiscuous: port.promiscuity > 0,
            addresses: port.addresses.iter().map(ToString::to_string).collect(),
            xdp_program: port
                .xdp
                .map(|xdp| XdpProgram { hook: hook_name(xdp.hook), id: xdp.program }),
            ceilings: ceilings.collect(),
            capabilities,
        }
    }
}

impl From<Ceiling> for CeilingReport {
    fn from(ceiling: Ceiling) -> Self {
        Self {
            size: ceiling.frame_bytes,
            predicted_fps: ceiling.fps,
            limit: ceiling.limit,
            reason: ceiling.limit.to_string(),
            measured: None,
        }
    }
}

/// Where an XDP program runs, in a word.
pub fn hook_name(hook: XdpHook) -> &'static str {
    match hook {
        XdpHook::Native => "native",
        XdpHook::Generic => "generic",
        XdpHook::Offloaded => "offloaded",
        XdpHook::Several => "several",
    }
}
