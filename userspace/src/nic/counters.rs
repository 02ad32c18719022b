use super::{
    NicError, PortInfo, PortName, PortReading, ethtool::Ethtool, netdev::Netdev,
    netlink::RouteSocket,
};
use netlink_packet_route::link::{LinkAttribute, Stats64};

/// The kernel's counters of an interface since it was made (struct `rtnl_link_stats64`,
/// `linux/if_link.h`). Octets are without FCS; veth under native XDP leaves the Ethernet
/// header out of them too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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

impl LinkCounters {
    /// What was gained since `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let gained = u64::saturating_sub;
        Self {
            rx_packets: gained(self.rx_packets, before.rx_packets),
            tx_packets: gained(self.tx_packets, before.tx_packets),
            rx_bytes: gained(self.rx_bytes, before.rx_bytes),
            tx_bytes: gained(self.tx_bytes, before.tx_bytes),
            rx_errors: gained(self.rx_errors, before.rx_errors),
            tx_errors: gained(self.tx_errors, before.tx_errors),
            rx_dropped: gained(self.rx_dropped, before.rx_dropped),
            tx_dropped: gained(self.tx_dropped, before.tx_dropped),
            rx_missed_errors: gained(self.rx_missed_errors, before.rx_missed_errors),
            rx_crc_errors: gained(self.rx_crc_errors, before.rx_crc_errors),
            rx_fifo_errors: gained(self.rx_fifo_errors, before.rx_fifo_errors),
            rx_length_errors: gained(self.rx_length_errors, before.rx_length_errors),
        }
    }
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
    driver: String,
    route: RouteSocket,
    ethtool: Ethtool,
    /// `None` on kernels without the family.
    netdev: Option<Netdev>,
}

impl PortCounters {
    /// Opens what is needed to read, in the port's namespace.
    ///
    /// # Errors
    /// Those of [`super::Netns`], and [`NicError::Kernel`].
    pub fn open(port: &PortInfo) -> Result<Self, NicError> {
        let (route, ethtool, netdev) = port
            .netns()?
            .run(|| Ok((RouteSocket::open()?, Ethtool::open(port.ifindex)?, Netdev::open().ok())))?
            .map_err(|error| reading(&port.name, error))?;
        let (name, driver) = (port.name.clone(), port.driver.clone());
        Ok(Self { port: name, ifindex: port.ifindex, driver, route, ethtool, netdev })
    }

    /// Everything that counts frames of the port. The driver is asked first: many copy
    /// the NIC's registers into the interface's counters only then.
    ///
    /// # Errors
    /// [`NicError::Gone`] if the port is; [`NicError::Kernel`].
    pub fn read(&mut self) -> Result<PortReading, NicError> {
        let statistics = self.driver().unwrap_or_default();
        let queues = self.netdev.as_mut().and_then(|it| it.rx_hw_drops(self.ifindex).ok());
        let rx_hw_drops = queues.flatten();
        let link = self.link()?;
        Ok(PortReading { driver: self.driver.clone(), link, statistics, rx_hw_drops })
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
