//! Octets of a header, compared with a number: pcap-filter(7)'s `proto [ expr : size ]`.

use super::Headers;

/// A test of octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Octets {
    pub(super) of: Header,
    /// From the header's first.
    pub(super) at: u16,
    /// 1, 2 or 4.
    pub(super) size: u8,
    pub(super) mask: u32,
    pub(super) compare: Compare,
    pub(super) value: u32,
}

/// Where octets are counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    Ether,
    Ip,
    Ip6,
    /// What follows the IP header.
    Payload,
    /// A header of this IP protocol.
    Protocol(u8),
}

impl Header {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ether" => Self::Ether,
            "ip" => Self::Ip,
            "ip6" => Self::Ip6,
            "payload" => Self::Payload,
            "icmp" => Self::Protocol(1),
            "tcp" => Self::Protocol(6),
            "udp" => Self::Protocol(17),
            "icmp6" => Self::Protocol(58),
            _ => return None,
        })
    }

    /// Where it begins; `None`: the frame has none.
    fn offset(self, headers: &Headers) -> Option<usize> {
        match self {
            Self::Ether => Some(0),
            Self::Ip => (headers.ether_type == 0x0800).then_some(headers.l3),
            Self::Ip6 => (headers.ether_type == 0x86dd).then_some(headers.l3),
            Self::Payload => headers.payload,
            Self::Protocol(of) => headers.l4.filter(|_| headers.protocol == Some(of)),
        }
    }
}

/// How numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Compare {
    pub(super) fn signed(sign: &str) -> Option<Self> {
        Some(match sign {
            "=" | "==" => Self::Equal,
            "!=" => Self::Unequal,
            "<" => Self::Less,
            "<=" => Self::AtMost,
            ">" => Self::Greater,
            ">=" => Self::AtLeast,
            _ => return None,
        })
    }

    fn holds(self, a: u32, b: u32) -> bool {
        match self {
            Self::Equal => a == b,
            Self::Unequal => a != b,
            Self::Less => a < b,
            Self::AtMost => a <= b,
            Self::Greater => a > b,
            Self::AtLeast => a >= b,
        }
    }
}

impl Octets {
    /// Never for a frame that has not these octets.
    pub(super) fn hold(&self, frame: &[u8], headers: &Headers) -> bool {
        let octets = self.of.offset(headers).and_then(|header| {
            let at = header + usize::from(self.at);
            frame.get(at..at + usize::from(self.size))
        });
        octets.is_some_and(|octets| {
            let number = octets.iter().fold(0, |all, octet| all << 8 | u32::from(*octet));
            self.compare.holds(number & self.mask, self.value)
        })
    }
}
