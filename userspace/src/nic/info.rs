use super::{
    Mac, Netns, NicError, PortName, error::nearest_first, ethtool::Ethtool, netlink::RouteSocket,
};
use ipnet::IpNet;
use netlink_packet_route::link::{
    LinkAttribute, LinkFlags, LinkInfo, LinkLayerType, LinkMessage, LinkXdp, Prop,
    XdpAttached as Hook,
};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What a port was when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortInfo {
    /// The kernel's name of the interface, also where it was asked for by bus address
    /// or by alternative name.
    pub name: PortName,
    /// Index within its namespace.
    pub ifindex: u32,
    /// Hardware address.
    pub mac: Mac,
    /// Largest L3 packet in octets; a frame may have 14 more, and 4 of FCS.
    pub mtu: u32,
    /// Administratively up (`IFF_UP`).
    pub up: bool,
    /// A link is there (`IFF_LOWER_UP`); false while the port is down.
    pub carrier: bool,
    /// Kind of virtual interface (`veth`, `vlan`, ...); `None` for a device.
    pub kind: Option<String>,
    /// Whether it is a device, so that [`Self::link_bps`] is a true speed. veth's
    /// 10 Gbit/s is a constant in its driver.
    pub physical: bool,
    /// The driver's name.
    pub driver: String,
    /// The firmware's version.
    pub firmware: Option<String>,
    /// Bus address, such as `0000:17:00.0`.
    pub bus: Option<String>,
    /// Bits per second at L1, as the driver says.
    pub link_bps: Option<u64>,
    /// RX queues in use.
    pub rx_queues: u32,
    /// TX queues in use.
    pub tx_queues: u32,
    /// The XDP program that is attached.
    pub xdp: Option<XdpAttached>,
    /// Addresses that the kernel owns on it, with prefix lengths.
    pub addresses: Vec<IpNet>,
    /// Receive offloads that matter to a tester.
    pub features: Features,
    /// How many ask for promiscuous reception (`IFLA_PROMISCUITY`).
    pub promiscuity: u32,
    /// How many ask for all multicast (`IFLA_ALLMULTI`; 0 on kernels before 6.0).
    pub all_multicast: u32,
    /// The other end of a veth.
    pub peer: Option<Peer>,
}

/// Where the other end of a veth is (`IFLA_LINK`, `IFLA_LINK_NETNSID`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Its index within its own namespace.
    pub ifindex: u32,
    /// What the port's namespace calls that namespace; `None`: it is the same.
    pub nsid: Option<i32>,
}

/// An XDP program on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct XdpAttached {
    /// Where it runs.
    pub hook: XdpHook,
    /// Its id, as `bpftool prog` shows it.
    pub program: u32,
}

/// Where an XDP program runs (`IFLA_XDP_ATTACHED`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum XdpHook {
    /// In the driver.
    Native,
    /// In the stack, on socket buffers.
    Generic,
    /// In the NIC.
    Offloaded,
    /// In several of these.
    Several,
}

/// Receive offloads that merge frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Features {
    /// Large receive offload (`rx-lro`).
    pub lro: bool,
    /// Generic receive offload in hardware (`rx-gro-hw`).
    pub gro_hw: bool,
    /// Generic receive offload in the stack (`rx-gro`); on a veth also what gives it NAPI.
    pub gro: bool,
    /// VLAN tags are taken off before XDP sees the frame (`rx-vlan-hw-parse`): of a NIC. A
    /// virtual device that says so hands over what it was given.
    pub vlan_hw_parse: bool,
}

impl PortInfo {
    /// # Errors
    /// [`NicError::Down`] unless the port is administratively up.
    pub fn require_up(&self) -> Result<(), NicError> {
        if self.up { Ok(()) } else { Err(NicError::Down { port: self.name.clone() }) }
    }

    /// The addresses that the kernel answers for, without prefix lengths.
    pub fn kernel_addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.addresses.iter().map(IpNet::addr)
    }

    /// The namespace it is in.
    pub(super) fn netns(&self) -> Result<Netns, NicError> {
        Netns::open(self.name.netns.as_deref())
    }
}

/// Looks one port up.
///
/// # Errors
/// [`NicError::UnknownInterface`] with those that exist, [`NicError::NotEthernet`],
/// and those of [`Netns`].
pub fn port_info(name: &PortName) -> Result<PortInfo, NicError> {
    if name.daemon.is_some() {
        return Err(NicError::Elsewhere { port: name.clone() });
    }
    Netns::open(name.netns.as_deref())?.run(|| {
        let survey = Survey::take(name.netns.as_deref())?;
        let link = survey.find(name)?;
        if !is_ethernet(link) {
            return Err(NicError::NotEthernet { port: name.clone() });
        }
        survey.describe(link)
    })?
}

/// Whether the two are the ends of one veth pair.
///
/// # Errors
/// Those of [`Netns`], and [`NicError::Kernel`].
pub fn are_joined(one: &PortInfo, other: &PortInfo) -> Result<bool, NicError> {
    let Some(peer) = one.peer.filter(|peer| peer.ifindex == other.ifindex) else {
        return Ok(false);
    };
    let (here, there) = (one.netns()?, other.netns()?);
    let Some(nsid) = peer.nsid else { return Ok(here.id() == there.id()) };
    let known = here.run(|| RouteSocket::open()?.nsid(there.as_fd()))?;
    let known = known
        .map_err(|error| NicError::kernel(format!("ask for the peer of {}", one.name), error))?;
    Ok(known == Some(nsid))
}

/// Whether a default route of the kernel leads to a port: traffic of others passes it.
///
/// # Errors
/// Those of [`Netns`], and [`NicError::Kernel`].
pub fn has_default_route(port: &PortInfo) -> Result<bool, NicError> {
    let found = port.netns()?.run(|| RouteSocket::open()?.default_routes())?;
    let found = found
        .map_err(|error| NicError::kernel(format!("read the routes of {}", port.name), error))?;
    Ok(found.contains(&port.ifindex))
}

/// Sets a port up or down, as `ip link set PORT up` does.
///
/// # Errors
/// Those of [`port_info`], and [`NicError::Privilege`] for `CAP_NET_ADMIN`.
pub fn set_link(name: &PortName, up: bool) -> Result<(), NicError> {
    let port = port_info(name)?;
    let set = port.netns()?.run(|| RouteSocket::open()?.set_up(port.ifindex, up))?;
    let action = format!("set {name} {}", if up { "up" } else { "down" });
    set.map_err(|error| NicError::refused(action, "CAP_NET_ADMIN", error))
}

/// Every Ethernet interface of a namespace (`None`: the current one), by index.
///
/// # Errors
/// Those of [`Netns`], and [`NicError::Kernel`].
pub fn list_ports(netns: Option<&str>) -> Result<Vec<PortInfo>, NicError> {
    Netns::open(netns)?.run(|| {
        let survey = Survey::take(netns)?;
        let ethernet = survey.links.iter().filter(|link| is_ethernet(link));
        // One that is deleted while it is described is simply not listed.
        Ok(ethernet.filter_map(|link| survey.describe(link).ok()).collect())
    })?
}

/// The links and addresses of the namespace that the thread is in.
struct Survey<'a> {
    netns: Option<&'a str>,
    links: Vec<LinkMessage>,
    addresses: Vec<(u32, IpAddr, u8)>,
}

impl<'a> Survey<'a> {
    fn take(netns: Option<&'a str>) -> Result<Self, NicError> {
        let failed = |error| NicError::kernel("list the interfaces over rtnetlink", error);
        let mut socket = RouteSocket::open().map_err(failed)?;
        let links = socket.links().map_err(failed)?;
        let addresses = socket.addresses().map_err(failed)?;
        Ok(Self { netns, links, addresses })
    }

    fn find(&self, name: &PortName) -> Result<&LinkMessage, NicError> {
        let found: Vec<&LinkMessage> = self
            .links
            .iter()
            .filter(|link| match name.bus() {
                Some(bus) => {
                    let driver = Ethtool::open(link.header.index).and_then(|it| it.driver());
                    driver.is_ok_and(|driver| driver.bus.eq_ignore_ascii_case(bus))
                }
                None => answers_to(link, &name.interface),
            })
            .collect();
        let interfaces = |links: &mut dyn Iterator<Item = &LinkMessage>| {
            links.map(|link| interface(link).to_owned()).collect()
        };
        match found[..] {
            [link] => Ok(link),
            [] => Err(NicError::UnknownInterface {
                port: name.clone(),
                existing: nearest_first(
                    &name.interface,
                    interfaces(&mut self.links.iter().filter(|link| is_ethernet(link))),
                ),
            }),
            _ => Err(NicError::Ambiguous {
                port: name.clone(),
                interfaces: interfaces(&mut found.iter().copied()),
            }),
        }
    }

    fn describe(&self, link: &LinkMessage) -> Result<PortInfo, NicError> {
        let name = PortName {
            interface: interface(link).to_owned(),
            netns: self.netns.map(str::to_owned),
            daemon: None,
        };
        let ifindex = link.header.index;
        let ethtool = Ethtool::open(ifindex)
            .map_err(|error| NicError::kernel(format!("ask the driver of {name}"), error))?;
        // Drivers may lack any of these; what a driver does not say is not known.
        let driver = ethtool.driver().unwrap_or_default();
        let features = ethtool.features().unwrap_or_default();
        let on = |name: &str| features.iter().any(|(known, active)| known == name && *active);
        let mut info = PortInfo {
            name,
            ifindex,
            mac: [0; 6],
            mtu: 0,
            up: link.header.flags.contains(LinkFlags::Up),
            carrier: link.header.flags.contains(LinkFlags::Up | LinkFlags::LowerUp),
            kind: None,
            physical: false,
            driver: driver.driver,
            firmware: known(driver.firmware),
            bus: known(driver.bus),
            link_bps: ethtool.link().ok().and_then(|link| link.bps),
            rx_queues: 1,
            tx_queues: 1,
            xdp: None,
            addresses: self.addresses_of(ifindex),
            features: Features {
                lro: on("rx-lro"),
                gro_hw: on("rx-gro-hw"),
                gro: on("rx-gro"),
                vlan_hw_parse: on("rx-vlan-hw-parse"),
            },
            promiscuity: 0,
            all_multicast: 0,
            peer: None,
        };
        let (mut link_ifindex, mut nsid) = (None, None);
        for attribute in &link.attributes {
            match attribute {
                LinkAttribute::Address(mac) => {
                    info.mac = mac.as_slice().try_into().unwrap_or_default();
                }
                LinkAttribute::Mtu(mtu) => info.mtu = *mtu,
                LinkAttribute::NumRxQueues(count) => info.rx_queues = *count,
                LinkAttribute::NumTxQueues(count) => info.tx_queues = *count,
                LinkAttribute::Promiscuity(count) => info.promiscuity = *count,
                LinkAttribute::AllMulticast(count) => info.all_multicast = *count,
                LinkAttribute::ParentDevName(bus) if info.bus.is_none() => {
                    info.bus = known(bus.clone());
                }
                LinkAttribute::LinkInfo(parts) => info.kind = kind(parts),
                LinkAttribute::Xdp(parts) => info.xdp = xdp(parts),
                LinkAttribute::Link(ifindex) => link_ifindex = Some(*ifindex),
                LinkAttribute::LinkNetNsId(id) => nsid = Some(*id),
                _ => {}
            }
        }
        // What rtnetlink counts was allocated; what ethtool counts is in use.
        if let Ok(channels) = ethtool.channels() {
            (info.rx_queues, info.tx_queues) = (channels.rx, channels.tx);
        }
        info.physical = info.kind.is_none();
        info.peer = link_ifindex
            .filter(|_| info.kind.as_deref() == Some("veth"))
            .map(|ifindex| Peer { ifindex, nsid });
        Ok(info)
    }

    fn addresses_of(&self, ifindex: u32) -> Vec<IpNet> {
        let own = self.addresses.iter().filter(|(index, ..)| *index == ifindex);
        own.filter_map(|&(_, address, prefix)| IpNet::new(address, prefix).ok()).collect()
    }
}

fn interface(link: &LinkMessage) -> &str {
    let name = link.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.as_str()),
        _ => None,
    });
    name.unwrap_or_default()
}

fn answers_to(link: &LinkMessage, name: &str) -> bool {
    link.attributes.iter().any(|attribute| match attribute {
        LinkAttribute::IfName(own) => own == name,
        LinkAttribute::PropList(properties) => {
            properties.iter().any(|p| matches!(p, Prop::AltIfName(other) if other == name))
        }
        _ => false,
    })
}

fn is_ethernet(link: &LinkMessage) -> bool {
    link.header.link_layer_type == LinkLayerType::Ether
}

fn kind(parts: &[LinkInfo]) -> Option<String> {
    parts.iter().find_map(|part| match part {
        LinkInfo::Kind(kind) => Some(kind.to_string()),
        _ => None,
    })
}

fn xdp(parts: &[LinkXdp]) -> Option<XdpAttached> {
    let hook = parts.iter().find_map(|part| match part {
        LinkXdp::Attached(Hook::Driver) => Some(XdpHook::Native),
        LinkXdp::Attached(Hook::SocketBuffer) => Some(XdpHook::Generic),
        LinkXdp::Attached(Hook::Hardware) => Some(XdpHook::Offloaded),
        LinkXdp::Attached(Hook::Multiple) => Some(XdpHook::Several),
        _ => None,
    })?;
    // With several programs there is no IFLA_XDP_PROG_ID; the driver's goes first.
    let program = |wanted: fn(&LinkXdp) -> Option<u32>| parts.iter().find_map(wanted);
    let id = program(|part| if let LinkXdp::ProgId(id) = part { Some(*id) } else { None })
        .or_else(|| {
            program(|part| if let LinkXdp::DrvProgId(id) = part { Some(*id) } else { None })
        })
        .or_else(|| {
            program(|part| if let LinkXdp::SkbProgId(id) = part { Some(*id) } else { None })
        });
    Some(XdpAttached { hook, program: id.unwrap_or(0) })
}

/// `None` for the ways in which drivers say nothing.
fn known(text: String) -> Option<String> {
    (!text.is_empty() && text != "N/A").then_some(text)
}
