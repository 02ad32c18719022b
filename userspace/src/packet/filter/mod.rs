//! Which frames a capture keeps: the common words of tcpdump's language (pcap-filter(7)).

mod octets;
mod words;

use super::Mac;
use ipnet::IpNet;
use octets::Octets;
use std::net::IpAddr;

/// A test of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// Both hold.
    And(Box<Filter>, Box<Filter>),
    /// One of them holds.
    Or(Box<Filter>, Box<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// The Ethernet type after all VLAN tags.
    EtherType(u16),
    /// The IP protocol.
    Protocol(u8),
    /// A VLAN tag, of this id.
    Vlan(Option<u16>),
    /// A MAC address.
    Mac(Mac),
    /// An IP address.
    Net(IpNet),
    /// A UDP or TCP port.
    Port(u16),
    /// Some octets of a header.
    Octets(Octets),
    /// A test frame.
    Tagged,
    /// Received.
    Inbound,
    /// Sent by the kernel.
    Outbound,
}

/// Why a text is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{problem}; words: ip ip6 arp icmp icmp6 udp tcp, vlan [ID], host ADDR, net ADDR/LEN, port N, ether host MAC, HEADER[OFFSET:SIZE] & MASK = NUMBER (ether ip ip6 payload udp tcp icmp icmp6; = != < <= > >=), tagged, inbound, outbound; joined by and, or, not and ( )"
)]
pub struct FilterError {
    problem: String,
}

/// What a filter looks at.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Without FCS.
    pub frame: &'a [u8],
    /// It is a test frame.
    pub tagged: bool,
    /// It was sent, not received.
    pub outgoing: bool,
}

/// The headers that matter.
#[derive(Debug, Default)]
struct Headers {
    ether_type: u16,
    vlans: Vec<u16>,
    /// Where what follows Ethernet and the VLAN tags begins.
    l3: usize,
    /// Where what follows the IP header begins.
    payload: Option<usize>,
    /// The same, if it begins with a header: of a first fragment, or of no fragment.
    l4: Option<usize>,
    protocol: Option<u8>,
    addresses: Vec<IpAddr>,
    ports: Vec<u16>,
}

impl Filter {
    /// Whether the frame passes.
    pub fn holds(&self, seen: &Seen<'_>) -> bool {
        self.test(seen, &headers(seen.frame).unwrap_or_default())
    }

    fn test(&self, seen: &Seen<'_>, headers: &Headers) -> bool {
        match self {
            Self::And(a, b) => a.test(seen, headers) && b.test(seen, headers),
            Self::Or(a, b) => a.test(seen, headers) || b.test(seen, headers),
            Self::Not(a) => !a.test(seen, headers),
            Self::EtherType(wanted) => headers.ether_type == *wanted,
            Self::Protocol(wanted) => headers.protocol == Some(*wanted),
            Self::Vlan(None) => !headers.vlans.is_empty(),
            Self::Vlan(Some(id)) => headers.vlans.contains(id),
            Self::Mac(mac) => [0..6, 6..12].into_iter().any(|at| seen.frame.get(at) == Some(mac)),
            Self::Net(net) => headers.addresses.iter().any(|address| net.contains(address)),
            Self::Port(port) => headers.ports.contains(port),
            Self::Octets(octets) => octets.hold(seen.frame, headers),
            Self::Tagged => seen.tagged,
            Self::Inbound => !seen.outgoing,
            Self::Outbound => seen.outgoing,
        }
    }
}

/// As far as the frame goes; `None`: it has not even an Ethernet header.
fn headers(frame: &[u8]) -> Option<Headers> {
    let word = |at: usize| Some(u16::from_be_bytes([*frame.get(at)?, *frame.get(at + 1)?]));
    let mut headers = Headers { ether_type: word(12)?, ..Headers::default() };
    let mut offset = 14;
    while matches!(headers.ether_type, 0x8100 | 0x88a8 | 0x9100) {
        let (Some(tci), Some(next)) = (word(offset), word(offset + 2)) else { break };
        headers.vlans.push(tci & 0xfff);
        headers.ether_type = next;
        offset += 4;
    }
    headers.l3 = offset;
    let v4 = |at: usize| {
        let octets: [u8; 4] = frame.get(at..at + 4)?.try_into().ok()?;
        Some(IpAddr::from(octets))
    };
    let v6 = |at: usize| {
        let octets: [u8; 16] = frame.get(at..at + 16)?.try_into().ok()?;
        Some(IpAddr::from(octets))
    };
    match headers.ether_type {
        0x0800 => {
            headers.addresses.extend([v4(offset + 12), v4(offset + 16)].into_iter().flatten());
            headers.protocol = frame.get(offset + 9).copied();
            headers.payload = frame.get(offset).map(|first| offset + usize::from(first & 0xf) * 4);
            let is_first = word(offset + 6).is_some_and(|word| word << 3 == 0);
            headers.l4 = headers.payload.filter(|_| is_first);
        }
        0x86dd => {
            headers.addresses.extend([v6(offset + 8), v6(offset + 24)].into_iter().flatten());
            headers.protocol = frame.get(offset + 6).copied();
            (headers.payload, headers.l4) = (Some(offset + 40), Some(offset + 40));
        }
        0x0806 => {
            headers.addresses.extend([v4(offset + 14), v4(offset + 24)].into_iter().flatten());
        }
        _ => (),
    }
    if let (Some(l4), Some(6 | 17)) = (headers.l4, headers.protocol) {
        headers.ports.extend([word(l4), word(l4 + 2)].into_iter().flatten());
    }
    Some(headers)
}
