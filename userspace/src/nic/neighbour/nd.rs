use crate::nic::Mac;
use std::net::Ipv6Addr;

pub(super) const SOLICITATION: u8 = 135;
pub(super) const ADVERTISEMENT: u8 = 136;

pub(super) const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

const ICMPV6: u8 = 58;
const SOURCE_LINK_ADDRESS: u8 = 1;
const TARGET_LINK_ADDRESS: u8 = 2;
const SOLICITED: u8 = 0x40;
const OVERRIDE: u8 = 0x20;

/// A neighbour solicitation or advertisement with its IPv6 header (RFC 4861, 4.3, 4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Message {
    /// [`SOLICITATION`] or [`ADVERTISEMENT`].
    pub(super) kind: u8,
    pub(super) source: Ipv6Addr,
    pub(super) destination: Ipv6Addr,
    pub(super) target: Ipv6Addr,
    /// In an advertisement: whether it answers a solicitation. It always overrides.
    pub(super) solicited: bool,
    /// The source's (solicitation) or the target's (advertisement) link-layer address.
    pub(super) link_address: Option<Mac>,
}

impl Message {
    /// Reads a message and checks it as RFC 4861, 7.1.1 and 7.1.2 demand.
    pub(super) fn parse(packet: &[u8]) -> Option<Self> {
        let (header, rest) = packet.split_first_chunk::<40>()?;
        let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
        let [next_header, hop_limit] = [header[6], header[7]];
        let (source, destination) = (address(header, 8)?, address(header, 24)?);
        // A hop limit of 255 proves that no router forwarded it.
        let body = rest.get(..length)?;
        if next_header != ICMPV6 || hop_limit != 255 || length < 24 {
            return None;
        }
        if checksum(source, destination, body) != 0 {
            return None;
        }
        let (kind, code, flags) = (body[0], body[1], body[4]);
        let target = address(body, 8)?;
        if !matches!(kind, SOLICITATION | ADVERTISEMENT) || code != 0 || target.is_multicast() {
            return None;
        }
        let wanted = if kind == SOLICITATION { SOURCE_LINK_ADDRESS } else { TARGET_LINK_ADDRESS };
        let options = options(&body[24..])?;
        let link_address = options.into_iter().find_map(|(kind, value)| {
            let mac = value.try_into().ok();
            mac.filter(|_| kind == wanted)
        });
        if kind == SOLICITATION && source.is_unspecified() {
            // Duplicate address detection.
            let sound = destination == solicited_node(target) && link_address.is_none();
            if !sound {
                return None;
            }
        }
        let solicited = kind == ADVERTISEMENT && flags & SOLICITED != 0;
        if solicited && destination.is_multicast() {
            return None;
        }
        Some(Self { kind, source, destination, target, solicited, link_address })
    }

    pub(super) fn octets(&self) -> Vec<u8> {
        let (flags, option) = match self.kind {
            ADVERTISEMENT => {
                (OVERRIDE | if self.solicited { SOLICITED } else { 0 }, TARGET_LINK_ADDRESS)
            }
            _ => (0, SOURCE_LINK_ADDRESS),
        };
        let mut body = vec![self.kind, 0, 0, 0, flags, 0, 0, 0];
        body.extend_from_slice(&self.target.octets());
        if let Some(mac) = self.link_address {
            body.extend_from_slice(&[option, 1]);
            body.extend_from_slice(&mac);
        }
        let sum = checksum(self.source, self.destination, &body);
        body[2..4].copy_from_slice(&sum.to_be_bytes());
        let [high, low] = (body.len() as u16).to_be_bytes();
        let mut packet = vec![0x60, 0, 0, 0, high, low, ICMPV6, 255];
        packet.extend_from_slice(&self.source.octets());
        packet.extend_from_slice(&self.destination.octets());
        packet.append(&mut body);
        packet
    }
}

/// `ff02::1:ff00:0/104` with the last 24 bits of the address (RFC 4291, 2.7.1).
pub(super) fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = address.octets();
    Ipv6Addr::from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c])
}

fn address(octets: &[u8], at: usize) -> Option<Ipv6Addr> {
    octets.get(at..)?.first_chunk::<16>().map(|chunk| Ipv6Addr::from(*chunk))
}

/// Kinds and values of the options (RFC 4861, 4.6); `None` if they are malformed.
fn options(mut octets: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut options = Vec::new();
    while let [kind, units, ..] = *octets {
        let (option, rest) = octets.split_at_checked(8 * usize::from(units))?;
        options.push((kind, option.get(2..)?));
        octets = rest;
    }
    octets.is_empty().then_some(options)
}

/// The Internet checksum over the pseudo header and an `ICMPv6` message (RFC 4443, 2.3);
/// 0 over a message whose checksum is right.
fn checksum(source: Ipv6Addr, destination: Ipv6Addr, body: &[u8]) -> u16 {
    let pseudo = source.octets().into_iter().chain(destination.octets());
    let octets: Vec<u8> = pseudo.chain(body.iter().copied()).collect();
    let words = octets
        .chunks(2)
        .map(|pair| u64::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)])));
    let mut sum = words.sum::<u64>() + body.len() as u64 + u64::from(ICMPV6);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn solicitation() -> Message {
        let target: Ipv6Addr = "2001:2::7".parse().unwrap();
        Message {
            kind: SOLICITATION,
            source: "2001:2::1".parse().unwrap(),
            destination: solicited_node(target),
            target,
            solicited: false,
            link_address: Some([2, 0, 0, 0, 0, 9]),
        }
    }

    #[test]
    fn a_message_survives_the_way_out_and_back() {
        let message = solicitation();
        assert_eq!(Message::parse(&message.octets()), Some(message));
        let padded = [message.octets(), vec![0; 6]].concat();
        assert_eq!(Message::parse(&padded), Some(message), "Ethernet padding is no option");
        let answer = Message { kind: ADVERTISEMENT, solicited: true, ..message };
        let answer = Message { destination: message.source, ..answer };
        assert_eq!(Message::parse(&answer.octets()), Some(answer));
    }

    #[test]
    fn any_damaged_octet_is_noticed() {
        let good = solicitation().octets();
        // The traffic class and flow label are under no checksum.
        for index in (4..good.len()).filter(|index| *index != 6) {
            let mut bad = good.clone();
            bad[index] ^= 0x10;
            assert_eq!(Message::parse(&bad), None, "octet {index}");
        }
        (0..good.len()).for_each(|length| assert_eq!(Message::parse(&good[..length]), None));
    }

    #[test]
    fn a_solicitation_is_laid_out_as_rfc_4861_draws_it() {
        let target: Ipv6Addr = "fe80::2".parse().unwrap();
        let message = Message {
            source: "fe80::1".parse().unwrap(),
            destination: solicited_node(target),
            target,
            ..solicitation()
        };
        let octets = message.octets();
        assert_eq!(solicited_node(target), "ff02::1:ff00:2".parse::<Ipv6Addr>().unwrap());
        assert_eq!(octets[..8], [0x60, 0, 0, 0, 0, 32, 58, 255]);
        assert_eq!(octets[40..42], [135, 0]);
        assert_eq!(octets[64..72], [1, 1, 2, 0, 0, 0, 0, 9]);
    }
}
