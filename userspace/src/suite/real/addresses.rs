//! The addresses of RFC 2544 appendix C.2.2 and RFC 5180 section 4, by port.

use crate::spec::{PortSpec, Values};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Ports on each side of the device: 198.18.1.1 to 198.18.64.1.
pub(super) const PORTS_MAX: usize = 64;

/// On which side of the device a port is: what enters by the first half of the addresses
/// leaves by the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    In,
    Out,
}

/// The place of a tester's port in the address plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) side: Side,
    /// From 1, on its side.
    pub(super) number: u8,
    /// Ports on its side: they share the remote networks.
    pub(super) ports: u8,
    pub(super) ipv6: bool,
    /// The address that the user gave the port, which goes before that of the plan.
    pub(super) given: Option<IpAddr>,
}

/// The first address of the family that the user gave the port.
pub(super) fn own_address(port: &PortSpec, ipv6: bool) -> Option<IpAddr> {
    port.addresses.iter().map(IpNet::addr).find(|address| address.is_ipv6() == ipv6)
}

/// Interface identifiers behind the port: the device, the host, a router between it and the
/// remote networks.
const DEVICE: u8 = 1;
const HOST: u8 = 2;
const PHANTOM: u8 = 10;

/// Third octets of the remote networks: 65 to 254.
const REMOTE_FIRST: u8 = 65;
const REMOTE: u8 = 254 - REMOTE_FIRST + 1;

impl Place {
    fn address(self, host: u8) -> IpAddr {
        if self.ipv6 {
            let net = u16::from(self.number) + if self.side == Side::Out { 0x8000 } else { 0 };
            return Ipv6Addr::new(0x2001, 2, 0, net, 0, 0, 0, host.into()).into();
        }
        Ipv4Addr::new(198, self.second_octet(), self.number, host).into()
    }

    fn second_octet(self) -> u8 {
        match self.side {
            Side::In => 18,
            Side::Out => 19,
        }
    }

    /// The address of the host on the port's network.
    pub(super) fn host(self) -> Values {
        number(self.given.unwrap_or_else(|| self.address(HOST)))
    }

    /// Hosts in the networks behind the port's phantom router. Of the 190 networks that the
    /// IPv4 plan has, several ports of a side have a part each; of IPv6, each has 256.
    pub(super) fn remote_hosts(self) -> Values {
        if self.ipv6 {
            let side = if self.side == Side::Out { 0x8000 } else { 0 };
            let net = side + (u16::from(self.number) << 8);
            let first = Ipv6Addr::new(0x2001, 2, 0, net, 0, 0, 0, HOST.into());
            return Values::Range { first: first.to_bits(), step: 1 << 64, count: 256 };
        }
        let each = (REMOTE / self.ports).max(1);
        let first = REMOTE_FIRST + (self.number - 1) * each;
        let first = Ipv4Addr::new(198, self.second_octet(), first, HOST);
        Values::Range { first: first.to_bits().into(), step: 256, count: each.into() }
    }

    /// The port with its network, and the device on it as the gateway, unless the user gave it
    /// an address. With remote networks it plays the phantom router too.
    pub(super) fn port(self, port: &PortSpec, networks: bool) -> PortSpec {
        if self.given.is_some() {
            return port.clone();
        }
        let prefix = if self.ipv6 { 64 } else { 24 };
        let hosts = [Some(HOST), networks.then_some(PHANTOM)];
        let net = |host| IpNet::new_assert(self.address(host), prefix);
        PortSpec {
            addresses: hosts.into_iter().flatten().map(net).collect(),
            gateways: vec![self.address(DEVICE)],
            ..port.clone()
        }
    }
}

/// An address as flows have it.
pub(super) fn number(address: IpAddr) -> Values {
    Values::One(match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(side: Side, number: u8, ports: u8, ipv6: bool) -> Place {
        Place { side, number, ports, ipv6, given: None }
    }

    fn bare(name: &str) -> PortSpec {
        PortSpec {
            name: name.to_owned(),
            interface: name.to_owned(),
            addresses: Vec::new(),
            gateways: Vec::new(),
            line_bps: None,
        }
    }

    #[test]
    fn the_first_pair_has_the_addresses_of_appendix_c() {
        let [west, east] = [Side::In, Side::Out].map(|side| place(side, 1, 1, false));
        let port = west.port(&bare("west"), true);
        assert_eq!(format!("{:?}", port.addresses), "[198.18.1.2/24, 198.18.1.10/24]");
        assert_eq!(port.gateways, ["198.18.1.1".parse::<IpAddr>().unwrap()]);
        let host = |text: &str| Values::One(text.parse::<Ipv4Addr>().unwrap().to_bits().into());
        assert_eq!((west.host(), east.host()), (host("198.18.1.2"), host("198.19.1.2")));
        let first = u128::from(Ipv4Addr::new(198, 19, 65, 2).to_bits());
        assert_eq!(east.remote_hosts(), Values::Range { first, step: 256, count: 190 });
    }

    #[test]
    fn ipv6_halves_the_block_of_rfc_5180() {
        let [west, east] = [Side::In, Side::Out].map(|side| place(side, 3, 64, true));
        let address = |text: &str| text.parse::<Ipv6Addr>().unwrap().to_bits();
        assert_eq!(west.host(), Values::One(address("2001:2:0:3::2")));
        assert_eq!(
            east.port(&bare("e"), false).gateways,
            ["2001:2:0:8003::1".parse::<IpAddr>().unwrap()]
        );
        let first = address("2001:2:0:8300::2");
        assert_eq!(east.remote_hosts(), Values::Range { first, step: 1 << 64, count: 256 });
    }

    #[test]
    fn an_address_of_the_users_goes_before_the_plan() {
        let port = PortSpec { addresses: vec!["10.0.0.7/8".parse().unwrap()], ..bare("west") };
        let given = own_address(&port, false);
        assert_eq!(own_address(&port, true), None);
        let place = Place { given, ..place(Side::In, 1, 1, false) };
        assert_eq!(place.host(), Values::One(10 << 24 | 7));
        assert_eq!(place.port(&port, false), port, "nor is a gateway made up");
    }

    #[test]
    fn no_two_ports_of_a_side_share_a_remote_network() {
        for ports in 1..=PORTS_MAX as u8 {
            let mut nets = std::collections::HashSet::new();
            for number in 1..=ports {
                let Values::Range { first, step, count } =
                    place(Side::Out, number, ports, false).remote_hosts()
                else {
                    panic!("a range");
                };
                for index in 0..u128::from(count) {
                    let address = Ipv4Addr::from_bits((first + index * step as u128) as u32);
                    assert!((65..=254).contains(&address.octets()[2]), "{address}");
                    assert!(nets.insert(address), "{address} twice with {ports} ports");
                }
            }
        }
    }
}
