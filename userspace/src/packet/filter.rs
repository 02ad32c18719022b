//! Which frames a capture keeps: the common words of tcpdump's language (pcap-filter(7)).

use super::Mac;
use ipnet::IpNet;
use std::{net::IpAddr, str::FromStr};

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
    "{problem}; words: ip ip6 arp icmp icmp6 udp tcp, vlan [ID], host ADDR, net ADDR/LEN, port N, ether host MAC, tagged, inbound, outbound; joined by and, or, not and ( )"
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
    let v4 = |at: usize| {
        let octets: [u8; 4] = frame.get(at..at + 4)?.try_into().ok()?;
        Some(IpAddr::from(octets))
    };
    let v6 = |at: usize| {
        let octets: [u8; 16] = frame.get(at..at + 16)?.try_into().ok()?;
        Some(IpAddr::from(octets))
    };
    let l4 = match headers.ether_type {
        0x0800 => {
            headers.addresses.extend([v4(offset + 12), v4(offset + 16)].into_iter().flatten());
            headers.protocol = frame.get(offset + 9).copied();
            let is_first = word(offset + 6).is_some_and(|word| word << 3 == 0);
            is_first.then(|| offset + usize::from(frame[offset] & 0xf) * 4)
        }
        0x86dd => {
            headers.addresses.extend([v6(offset + 8), v6(offset + 24)].into_iter().flatten());
            headers.protocol = frame.get(offset + 6).copied();
            Some(offset + 40)
        }
        0x0806 => {
            headers.addresses.extend([v4(offset + 14), v4(offset + 24)].into_iter().flatten());
            None
        }
        _ => None,
    };
    if let (Some(l4), Some(6 | 17)) = (l4, headers.protocol) {
        headers.ports.extend([word(l4), word(l4 + 2)].into_iter().flatten());
    }
    Some(headers)
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let spaced = text.replace('(', " ( ").replace(')', " ) ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let mut words = Words { words: &words };
        let filter = words.any()?;
        match words.next() {
            None => Ok(filter),
            Some(word) => Err(problem(format!("`{word}` is not expected here"))),
        }
    }
}

fn problem(problem: String) -> FilterError {
    FilterError { problem }
}

struct Words<'a> {
    words: &'a [&'a str],
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn any(&mut self) -> Result<Filter, FilterError> {
        let mut filter = self.all()?;
        while self.take("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.all()?));
        }
        Ok(filter)
    }

    fn all(&mut self) -> Result<Filter, FilterError> {
        let mut filter = self.one()?;
        while self.take("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.one()?));
        }
        Ok(filter)
    }

    fn one(&mut self) -> Result<Filter, FilterError> {
        let word = self.next().ok_or_else(|| problem("a word is missing at the end".into()))?;
        Ok(match word {
            "not" => Filter::Not(Box::new(self.one()?)),
            "(" => {
                let filter = self.any()?;
                if !self.take(")") {
                    return Err(problem("a `)` is missing".into()));
                }
                filter
            }
            "ip" => Filter::EtherType(0x0800),
            "ip6" => Filter::EtherType(0x86dd),
            "arp" => Filter::EtherType(0x0806),
            "icmp" => Filter::Protocol(1),
            "tcp" => Filter::Protocol(6),
            "udp" => Filter::Protocol(17),
            "icmp6" => Filter::Protocol(58),
            "tagged" => Filter::Tagged,
            "inbound" => Filter::Inbound,
            "outbound" => Filter::Outbound,
            "vlan" => {
                let id = self.words.first().and_then(|word| word.parse().ok());
                if id.is_some() {
                    self.next();
                }
                Filter::Vlan(id)
            }
            "port" => Filter::Port(self.value("port")?),
            "host" => Filter::Net(IpNet::from(self.value::<IpAddr>("host")?)),
            "net" => Filter::Net(self.value("net")?),
            "ether" if self.take("host") => Filter::Mac(self.mac()?),
            other => return Err(problem(format!("`{other}` is no word of a filter"))),
        })
    }

    fn value<T: FromStr>(&mut self, after: &str) -> Result<T, FilterError> {
        let word = self.next().unwrap_or("nothing");
        word.parse().map_err(|_| problem(format!("`{word}` after {after} is wrong")))
    }

    fn mac(&mut self) -> Result<Mac, FilterError> {
        let word = self.next().unwrap_or("nothing");
        let octets: Option<Vec<u8>> =
            word.split(':').map(|octet| u8::from_str_radix(octet, 16).ok()).collect();
        octets
            .and_then(|octets| octets.try_into().ok())
            .ok_or_else(|| problem(format!("`{word}` is no MAC address")))
    }
}
