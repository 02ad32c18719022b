use super::{
    Channels, NicError, Pause, Pci, PortInfo, Rings, Timestamping, XdpFeatures, ethtool::Ethtool,
    netdev::Netdev, pci::cpu_list,
};
use serde::Serialize;
use std::{collections::BTreeMap, fs};

/// What a port can do and how it is set. `None`: neither kernel nor driver says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Capabilities {
    /// `full` or `half`.
    pub duplex: Option<&'static str>,
    /// Queues.
    pub channels: Option<Channels>,
    /// Descriptors.
    pub rings: Option<Rings>,
    /// Flow control.
    pub pause: Option<Pause>,
    /// Microseconds that an RX interrupt is put off, `rx-usecs`; small numbers are modes of
    /// their own with some drivers (igb: 1 to 3). What it is worth is part of every latency.
    pub rx_coalesce_us: Option<u32>,
    /// Socket timestamps.
    pub timestamping: Option<Timestamping>,
    /// XDP and AF_XDP.
    pub xdp: Option<XdpFeatures>,
    /// The slot; `None` for what is no PCI device.
    pub pci: Option<Pci>,
    /// Interrupts and the queues that they serve.
    pub interrupts: Vec<Interrupt>,
    /// Offloads that are on and would falsify a measurement.
    pub harmful_offloads: Vec<&'static str>,
}

/// An interrupt line of a port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Interrupt {
    /// Its number, as in `/proc/interrupts`.
    pub irq: u32,
    /// RX queues that it serves; empty if the driver does not say.
    pub rx_queues: Vec<u32>,
    /// TX queues that it serves; likewise.
    pub tx_queues: Vec<u32>,
    /// CPUs that handle it.
    pub cpus: Vec<usize>,
}

/// Merged frames are counted as one, and a tag that the NIC took off is not seen by XDP.
const HARMFUL: [&str; 5] =
    ["rx-lro", "rx-gro-hw", "rx-gro-list", "rx-udp-gro-forwarding", "rx-vlan-hw-parse"];

impl Capabilities {
    /// CPUs that handle interrupts of the port, sorted.
    pub fn interrupt_cpus(&self) -> Vec<usize> {
        let mut cpus: Vec<usize> =
            self.interrupts.iter().flat_map(|interrupt| interrupt.cpus.iter().copied()).collect();
        cpus.sort_unstable();
        cpus.dedup();
        cpus
    }
}

/// Asks kernel and driver about a port.
///
/// # Errors
/// Those of [`super::Netns`], and [`NicError::Kernel`] if no socket can be had.
pub fn capabilities(port: &PortInfo) -> Result<Capabilities, NicError> {
    let ifindex = port.ifindex;
    port.netns()?.run(|| {
        let ethtool = Ethtool::open(ifindex)
            .map_err(|error| NicError::kernel(format!("ask the driver of {}", port.name), error))?;
        let mut netdev = Netdev::open().ok();
        let features = ethtool.features().unwrap_or_default();
        let is_on = |name: &str| features.iter().any(|(known, on)| known == name && *on);
        Ok(Capabilities {
            duplex: ethtool.link().ok().and_then(|link| link.duplex),
            channels: ethtool.channels().ok(),
            rings: ethtool.rings().ok(),
            pause: ethtool.pause().ok(),
            rx_coalesce_us: ethtool.rx_coalesce_us().ok(),
            timestamping: ethtool.timestamping().ok(),
            xdp: netdev.as_mut().and_then(|netdev| netdev.features(ifindex).ok()),
            pci: port.bus.as_deref().and_then(Pci::of),
            interrupts: interrupts(port, netdev.as_mut()),
            // A virtual device takes no tag off before XDP.
            harmful_offloads: HARMFUL
                .into_iter()
                .filter(|&name| is_on(name) && (port.physical || name != "rx-vlan-hw-parse"))
                .collect(),
        })
    })?
}

/// From the netdev family where the driver told it its interrupts, else from PCI.
fn interrupts(port: &PortInfo, netdev: Option<&mut Netdev>) -> Vec<Interrupt> {
    let empty = |irq| Interrupt { irq, rx_queues: vec![], tx_queues: vec![], cpus: cpus_of(irq) };
    let Some(netdev) = netdev else {
        return port
            .bus
            .as_deref()
            .map(Pci::interrupts)
            .unwrap_or_default()
            .into_iter()
            .map(empty)
            .collect();
    };
    let by_napi: BTreeMap<u32, u32> =
        netdev.interrupts(port.ifindex).unwrap_or_default().into_iter().collect();
    let mut by_irq: BTreeMap<u32, Interrupt> = BTreeMap::new();
    for queue in netdev.queues(port.ifindex).unwrap_or_default() {
        let Some(&irq) = queue.napi.and_then(|napi| by_napi.get(&napi)) else { continue };
        let interrupt = by_irq.entry(irq).or_insert_with(|| empty(irq));
        let queues =
            if queue.receives { &mut interrupt.rx_queues } else { &mut interrupt.tx_queues };
        queues.push(queue.id);
    }
    if by_irq.is_empty() {
        let irqs = port.bus.as_deref().map(Pci::interrupts).unwrap_or_default();
        return irqs.into_iter().map(empty).collect();
    }
    by_irq.into_values().collect()
}

/// CPUs that handle an interrupt (Documentation/core-api/irq/irq-affinity.rst).
fn cpus_of(irq: u32) -> Vec<usize> {
    let read = |name| fs::read_to_string(format!("/proc/irq/{irq}/{name}")).ok();
    let list = read("effective_affinity_list").filter(|text| !text.trim().is_empty());
    list.or_else(|| read("smp_affinity_list")).map(|text| cpu_list(&text)).unwrap_or_default()
}
