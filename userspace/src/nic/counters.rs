use super::{NicError, PortInfo, PortName, ethtool::Ethtool, netlink::RouteSocket};
use netlink_packet_route::link::{LinkAttribute, Stats64};

/// The kernel's counters of an interface since it was made (struct `rtnl_link_stats64`,
/// `linux/if_link.h`). Octets are without FCS; veth under native XDP leaves the Ethernet
/// header out of them too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkCounters {
    /// Good frames received.
    pub rx_packets: u64,
    /// Good frames sent.
    pub tx_packets: u64,
    /// Octets of good frames received.
    pub rx_bytes: u64,
    /// Octets of good frames sent.
    pub tx_bytes: u64,
    /// Bad frames received, of all kinds.
    pub rx_errors: u64,
    /// Problems of sending, of all kinds.
    pub tx_errors: u64,
    /// Received and then dropped by the host.
    pub rx_dropped: u64,
    /// Dropped on the way to the wire.
    pub tx_dropped: u64,
    /// Missed by the host for want of buffers.
    pub rx_missed_errors: u64,
    /// Received with a bad FCS.
    pub rx_crc_errors: u64,
    /// Lost in the receive FIFO.
    pub rx_fifo_errors: u64,
    /// Received with a wrong length.
    pub rx_length_errors: u64,
}

impl From<&Stats64> for LinkCounters {
    fn from(s: &Stats64) -> Self {
        Self {
            rx_packets: s.rx_packets,
            tx_packets: s.tx_packets,
            rx_bytes: s.rx_bytes,
            tx_bytes: s.tx_bytes,
            rx_errors: s.rx_errors,
            tx_errors: s.tx_errors,
            rx_dropped: s.rx_dropped,
            tx_dropped: s.tx_dropped,
            rx_missed_errors: s.rx_missed_errors,
            rx_crc_errors: s.rx_crc_errors,
            rx_fifo_errors: s.rx_fifo_errors,
            rx_length_errors: s.rx_length_errors,
        }
    }
}

/// Counters of one port, read again and again from any thread.
#[derive(Debug)]
pub struct PortCounters {
    port: PortName,
    ifindex: u32,
    route: RouteSocket,
    ethtool: Ethtool,
}

impl PortCounters {
    /// Opens what is needed to read, in the port's namespace.
    ///
    /// # Errors
    /// Those of [`super::Netns`], and [`NicError::Kernel`].
    pub fn open(port: &PortInfo) -> Result<Self, NicError> {
        let (route, ethtool) = port
            .netns()?
            .run(|| Ok((RouteSocket::open()?, Ethtool::open(port.ifindex)?)))?
            .map_err(|error| reading(&port.name, error))?;
        Ok(Self { port: port.name.clone(), ifindex: port.ifindex, route, ethtool })
    }

    /// The kernel's counters.
    ///
    /// # Errors
    /// [`NicError::Gone`] if the port is; [`NicError::Kernel`].
    pub fn link(&mut self) -> Result<LinkCounters, NicError> {
        let link = self.route.link(self.ifindex).map_err(|error| reading(&self.port, error))?;
        let link = link.ok_or_else(|| NicError::Gone { port: self.port.clone() })?;
        let counters = link.attributes.iter().find_map(|attribute| match attribute {
            LinkAttribute::Stats64(stats) => Some(LinkCounters::from(stats)),
            _ => None,
        });
        counters.ok_or_else(|| {
            reading(&self.port, std::io::Error::other("the kernel sent no IFLA_STATS64"))
        })
    }

    /// The driver's counters, by its own names and in its order (`ethtool -S`); empty
    /// where the driver has none.
    ///
    /// # Errors
    /// [`NicError::Gone`] if the port is; [`NicError::Kernel`].
    pub fn driver(&self) -> Result<Vec<(String, u64)>, NicError> {
        match self.ethtool.statistics() {
            Err(error) => match error.raw_os_error() {
                Some(libc::EOPNOTSUPP) => Ok(Vec::new()),
                Some(libc::ENODEV) => Err(NicError::Gone { port: self.port.clone() }),
                _ => Err(reading(&self.port, error)),
            },
            Ok(statistics) => Ok(statistics),
        }
    }
}

/// The kernel's counters of a port, once.
///
/// # Errors
/// Those of [`PortCounters`].
pub fn link_counters(port: &PortInfo) -> Result<LinkCounters, NicError> {
    PortCounters::open(port)?.link()
}

/// The driver's counters of a port, once.
///
/// # Errors
/// Those of [`PortCounters`].
pub fn driver_statistics(port: &PortInfo) -> Result<Vec<(String, u64)>, NicError> {
    PortCounters::open(port)?.driver()
}

fn reading(port: &PortName, error: std::io::Error) -> NicError {
    NicError::kernel(format!("read the counters of {port}"), error)
}
