use crate::nic::Mac;
use std::net::Ipv4Addr;

pub(super) const REQUEST: u16 = 1;
pub(super) const REPLY: u16 = 2;

/// Hardware type Ethernet, protocol IPv4, lengths 6 and 4 (RFC 826).
const ETHERNET_IPV4: [u8; 6] = [0, 1, 8, 0, 6, 4];

/// An ARP message for IPv4 over Ethernet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arp {
    pub(super) operation: u16,
    pub(super) sender_mac: Mac,
    pub(super) sender: Ipv4Addr,
    pub(super) target_mac: Mac,
    pub(super) target: Ipv4Addr,
}

impl Arp {
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let (kind, rest) = payload.split_first_chunk::<6>()?;
        if *kind != ETHERNET_IPV4 {
            return None;
        }
        let (operation, rest) = rest.split_first_chunk()?;
        let (sender_mac, rest) = rest.split_first_chunk()?;
        let (sender, rest) = rest.split_first_chunk::<4>()?;
        let (target_mac, rest) = rest.split_first_chunk()?;
        let (target, _) = rest.split_first_chunk::<4>()?;
        Some(Self {
            operation: u16::from_be_bytes(*operation),
            sender_mac: *sender_mac,
            sender: Ipv4Addr::from(*sender),
            target_mac: *target_mac,
            target: Ipv4Addr::from(*target),
        })
    }

    pub(super) fn octets(&self) -> Vec<u8> {
        [
            &ETHERNET_IPV4[..],
            &self.operation.to_be_bytes(),
            &self.sender_mac,
            &self.sender.octets(),
            &self.target_mac,
            &self.target.octets(),
        ]
        .concat()
    }
}
