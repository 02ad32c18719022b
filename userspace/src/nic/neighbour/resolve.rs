use super::{
    arp::{self, Arp},
    filter::neighbour_messages,
    frame::{self, Frame, MAX_TAGS, TPIDS, VlanTag},
    nd::{self, Message},
};
use crate::nic::{Mac, NicError, PortInfo, packet_socket::PacketSocket};
use ipnet::IpNet;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    os::fd::AsFd,
    time::{Duration, Instant},
};

/// Questions are repeated so often until they are answered.
const REPEAT: Duration = Duration::from_millis(200);

/// Questions sent in one go, and the rest after them: at most 16,000 a second, which
/// neither floods a device's control plane nor overruns this socket with answers.
const BURST: usize = 32;
const REST: Duration = Duration::from_millis(2);

const BROADCAST: Mac = [0xff; 6];

/// Asks on the wire for the hardware addresses of `targets` by ARP (RFC 826) or ND (RFC
/// 4861), from the port's own MAC and behind `tags` (outermost first, none: untagged).
/// The answer has one address per target, in order.
///
/// The question for a target is asked from the address among `sources` whose prefix
/// holds it, else from the first of its family there, else from the kernel's addresses
/// on the port in the same way, else from `0.0.0.0` or the MAC's link-local address.
/// Multicast and broadcast addresses are mapped, not asked for.
///
/// # Errors
/// [`NicError::Unresolved`] with all that did not answer within `timeout`;
/// [`NicError::Privilege`] for `CAP_NET_RAW`; [`NicError::Down`] and [`NicError::Gone`].
pub fn resolve_neighbours(
    port: &PortInfo,
    sources: &[IpNet],
    targets: &[IpAddr],
    tags: &[VlanTag],
    timeout: Duration,
) -> Result<Vec<Mac>, NicError> {
    if tags.len() > MAX_TAGS || tags.iter().any(|tag| !TPIDS.contains(&tag.tpid)) {
        let what = format!("ARP and ND behind more than {MAX_TAGS} or unusual VLAN tags are");
        return Err(NicError::NotBuilt { what });
    }
    let filter = neighbour_messages(arp::REPLY, nd::ADVERTISEMENT);
    let socket = port.netns()?.run(|| PacketSocket::listening(port.ifindex, &filter))?;
    let socket = socket.map_err(|error| refused(port, error))?;
    let mut asker = Asker { port, sources, tags, socket, answers: HashMap::new(), order: vec![] };
    asker.resolve(targets, Instant::now() + timeout)?;

    let missing: Vec<IpAddr> =
        asker.order.iter().copied().filter(|target| asker.answers[target].is_none()).collect();
    if !missing.is_empty() {
        let (port, asked) = (port.name.clone(), asker.order.len());
        return Err(NicError::Unresolved { port, missing, asked });
    }
    let answer = |target: &IpAddr| asker.answers.get(target).copied().flatten();
    Ok(targets.iter().filter_map(|target| answer(target).or(multicast_mac(*target))).collect())
}

/// The hardware address that an IP multicast (RFC 1112, 6.4; RFC 2464, 7) or the limited
/// broadcast address maps to; `None` for all others.
pub fn multicast_mac(address: IpAddr) -> Option<Mac> {
    match address {
        IpAddr::V4(Ipv4Addr::BROADCAST) => Some(BROADCAST),
        IpAddr::V4(address) if address.is_multicast() => {
            let [_, b, c, d] = address.octets();
            Some([1, 0, 0x5e, b & 0x7f, c, d])
        }
        IpAddr::V6(address) if address.is_multicast() => {
            let [.., a, b, c, d] = address.octets();
            Some([0x33, 0x33, a, b, c, d])
        }
        _ => None,
    }
}

struct Asker<'a> {
    port: &'a PortInfo,
    sources: &'a [IpNet],
    tags: &'a [VlanTag],
    socket: PacketSocket,
    answers: HashMap<IpAddr, Option<Mac>>,
    /// Every different target once, in the order given.
    order: Vec<IpAddr>,
}

impl Asker<'_> {
    fn resolve(&mut self, targets: &[IpAddr], deadline: Instant) -> Result<(), NicError> {
        for &target in targets.iter().filter(|target| multicast_mac(**target).is_none()) {
            if self.answers.insert(target, None).is_none() {
                self.order.push(target);
            }
        }
        let mut missing = self.order.clone();
        while !missing.is_empty() && Instant::now() < deadline {
            let round = Instant::now() + REPEAT;
            for burst in missing.chunks(BURST) {
                for &target in burst {
                    self.ask(target)?;
                }
                self.hear_until((Instant::now() + REST).min(deadline))?;
                if Instant::now() >= deadline {
                    break;
                }
            }
            self.hear_until(round.min(deadline))?;
            missing.retain(|target| self.answers[target].is_none());
        }
        Ok(())
    }

    fn ask(&self, target: IpAddr) -> Result<(), NicError> {
        let source = match target {
            IpAddr::V4(target) => self.source_v4(target).into(),
            IpAddr::V6(target) => self.source_v6(target).into(),
        };
        let Some(question) = question(self.port.mac, source, target, self.tags) else {
            return Ok(());
        };
        match self.socket.send(&question) {
            // A full queue is tried again with the next round.
            Err(error) if error.raw_os_error() != Some(libc::ENOBUFS) => {
                Err(refused(self.port, error))
            }
            _ => Ok(()),
        }
    }

    /// Takes in answers until `deadline`, or until there is nothing left to hear.
    fn hear_until(&mut self, deadline: Instant) -> Result<(), NicError> {
        loop {
            while let Some(octets) =
                self.socket.receive().map_err(|error| refused(self.port, error))?
            {
                if let Some((address, mac)) = self.answer_in(&octets)
                    && let Some(answer @ None) = self.answers.get_mut(&address)
                {
                    *answer = Some(mac);
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.answers.values().all(Option::is_some) {
                return Ok(());
            }
            let milliseconds = left.as_micros().div_ceil(1000);
            let timeout = PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX);
            let mut fds = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, timeout) {
                Ok(_) | Err(nix::Error::EINTR) => {}
                Err(errno) => return Err(refused(self.port, errno.into())),
            }
        }
    }

    /// Who says in this frame which hardware address is theirs, behind the tags asked for.
    fn answer_in(&self, octets: &[u8]) -> Option<(IpAddr, Mac)> {
        let frame = Frame::parse(octets)?;
        if !ids(&frame.tags).eq(ids(self.tags)) {
            return None;
        }
        let (address, mac): (IpAddr, Mac) = match frame.ethertype {
            frame::ARP => {
                let reply = Arp::parse(frame.payload).filter(|arp| arp.operation == arp::REPLY)?;
                (reply.sender.into(), reply.sender_mac)
            }
            frame::IPV6 => {
                let message = Message::parse(frame.payload)?;
                if message.kind != nd::ADVERTISEMENT {
                    return None;
                }
                (message.target.into(), message.link_address.unwrap_or(frame.source))
            }
            _ => return None,
        };
        let group = mac[0] & 1 == 1;
        (!group && mac != [0; 6]).then_some((address, mac))
    }

    fn source_v4(&self, target: Ipv4Addr) -> Ipv4Addr {
        match self.source(target.into(), |_| true) {
            Some(IpAddr::V4(source)) => source,
            _ => Ipv4Addr::UNSPECIFIED,
        }
    }

    fn source_v6(&self, target: Ipv6Addr) -> Ipv6Addr {
        // A global address on another prefix may be refused; a link-local never is.
        let link_local = |address: IpAddr| matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
        match self.source(target.into(), link_local) {
            Some(IpAddr::V6(source)) => source,
            _ => link_local_of(self.port.mac),
        }
    }

    /// `fallback` tells which of the kernel's addresses may ask beyond their prefix.
    fn source(&self, target: IpAddr, fallback: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
        let family = |net: &&IpNet| net.addr().is_ipv4() == target.is_ipv4();
        let holds = |net: &&IpNet| net.contains(&target);
        let given = || self.sources.iter().filter(family);
        let kernel = || self.port.addresses.iter().filter(family);
        let found = given()
            .find(holds)
            .or_else(|| given().next())
            .or_else(|| kernel().find(holds))
            .or_else(|| kernel().find(|net| fallback(net.addr())));
        found.map(IpNet::addr)
    }
}

/// The frame that asks for `target`, from `source` and its `mac`; `None` if they are of
/// different families.
pub(super) fn question(
    mac: Mac,
    source: IpAddr,
    target: IpAddr,
    tags: &[VlanTag],
) -> Option<Vec<u8>> {
    let (destination, ethertype, payload) = match (source, target) {
        (IpAddr::V4(sender), IpAddr::V4(target)) => {
            let request = Arp {
                operation: arp::REQUEST,
                sender_mac: mac,
                sender,
                target_mac: [0; 6],
                target,
            };
            (BROADCAST, frame::ARP, request.octets())
        }
        (IpAddr::V6(source), IpAddr::V6(target)) => {
            let group = nd::solicited_node(target);
            let solicitation = Message {
                kind: nd::SOLICITATION,
                source,
                destination: group,
                target,
                solicited: false,
                link_address: Some(mac),
            };
            let hardware = multicast_mac(group.into()).unwrap_or(BROADCAST);
            (hardware, frame::IPV6, solicitation.octets())
        }
        _ => return None,
    };
    let frame =
        Frame { destination, source: mac, tags: tags.to_vec(), ethertype, payload: &payload };
    Some(frame.octets())
}

/// VLAN ids; a tag of only a priority names no VLAN.
fn ids(tags: &[VlanTag]) -> impl Iterator<Item = u16> + '_ {
    tags.iter().map(|tag| tag.id()).filter(|id| *id != 0)
}

/// `fe80::/64` with the MAC as modified EUI-64 (RFC 4291, appendix A).
fn link_local_of(mac: Mac) -> Ipv6Addr {
    let mut octets = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 0];
    octets[8..11].copy_from_slice(&mac[..3]);
    octets[8] ^= 2;
    octets[13..].copy_from_slice(&mac[3..]);
    Ipv6Addr::from(octets)
}

pub(super) fn refused(port: &PortInfo, error: io::Error) -> NicError {
    let name = port.name.clone();
    match error.raw_os_error() {
        Some(libc::ENETDOWN) => NicError::Down { port: name },
        Some(libc::ENODEV | libc::ENXIO) => NicError::Gone { port: name },
        _ => NicError::refused(format!("send ARP and ND on {name}"), "CAP_NET_RAW", error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_addresses_are_mapped_and_all_others_are_not() {
        let mac = |text: &str| multicast_mac(text.parse().unwrap());
        assert_eq!(mac("239.129.2.3"), Some([1, 0, 0x5e, 1, 2, 3]));
        assert_eq!(mac("ff02::1:ff00:7"), Some([0x33, 0x33, 0xff, 0, 0, 7]));
        assert_eq!(mac("255.255.255.255"), Some(BROADCAST));
        assert_eq!(mac("198.18.0.1"), None);
        assert_eq!(mac("2001:2::1"), None);
    }

    #[test]
    fn the_link_local_address_is_the_one_the_kernel_makes() {
        let expected: Ipv6Addr = "fe80::f00d:12ff:fe34:5678".parse().unwrap();
        assert_eq!(link_local_of([0xf2, 0x0d, 0x12, 0x34, 0x56, 0x78]), expected);
    }
}
