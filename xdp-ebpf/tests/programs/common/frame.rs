//! Frames by hand, octet by octet.

use super::{NONCE, now_ns};

pub const UDP: u8 = 17;
pub const TCP: u8 = 6;
pub const ICMP: u8 = 1;
pub const ICMPV6: u8 = 58;

/// What a tag says.
#[derive(Debug, Clone, Copy)]
pub struct Tag {
    pub nonce: u32,
    pub trial: u8,
    pub stream: u16,
    pub sequence: u32,
    pub time_ns: u64,
}

/// A tag of trial 1, stream 0, sent a millisecond ago.
pub fn tag(sequence: u32) -> Tag {
    Tag { nonce: NONCE, trial: 1, stream: 0, sequence, time_ns: now_ns() - 1_000_000 }
}

impl Tag {
    pub fn octets(self) -> [u8; 14] {
        let magic = self.nonce << 6 | u32::from(self.trial);
        let mut octets = [0; 14];
        octets[..3].copy_from_slice(&magic.to_be_bytes()[1..]);
        octets[3..5].copy_from_slice(&self.stream.to_be_bytes());
        octets[5..9].copy_from_slice(&self.sequence.to_be_bytes());
        octets[9..].copy_from_slice(&self.time_ns.to_be_bytes()[3..]);
        octets
    }
}

/// One IP packet in Ethernet: what is around its payload.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub vlans: &'static [u16],
    pub ipv6: bool,
    /// 32-bit words of IPv4 options.
    pub options: usize,
    pub protocol: u8,
    /// Octets of incrementing payload before the tag.
    pub payload: usize,
    /// Octets between the L4 header and the payload.
    pub inner: usize,
    /// Octets after the end of L3.
    pub padding: usize,
    pub udp_checksum: bool,
}

pub const IPV4: Shape = Shape {
    vlans: &[],
    ipv6: false,
    options: 0,
    protocol: UDP,
    payload: 4,
    inner: 0,
    padding: 0,
    udp_checksum: true,
};

pub const IPV6: Shape = Shape { ipv6: true, ..IPV4 };

impl Shape {
    /// Offset of the L3 header.
    pub fn l3(&self) -> usize {
        14 + 4 * self.vlans.len()
    }

    /// Offset of the L4 header.
    pub fn l4(&self) -> usize {
        self.l3() + if self.ipv6 { 40 } else { 20 + 4 * self.options }
    }

    /// The frame with this tag, every length and checksum right.
    pub fn frame(&self, tag: Tag) -> Vec<u8> {
        let mut l4 = match self.protocol {
            UDP => vec![0xc0, 0x20, 0x00, 0x07, 0, 0, 0, 0],
            TCP => {
                let mut header = vec![0; 24];
                header[12] = 6 << 4;
                header
            }
            ICMP | ICMPV6 => vec![8, 0, 0, 0, 0, 1, 0, 2],
            _ => Vec::new(),
        };
        l4.extend(std::iter::repeat_n(0xaa, self.inner));
        l4.extend((0..self.payload).map(|octet| octet as u8));
        l4.extend(tag.octets());
        let length = l4.len() as u16;
        if self.protocol == UDP {
            l4[4..6].copy_from_slice(&length.to_be_bytes());
        }

        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        for (id, tpid) in self.vlans.iter().enumerate() {
            frame.extend(tpid.to_be_bytes());
            frame.extend((100 + id as u16).to_be_bytes());
        }
        let addresses: &[u8] = if self.ipv6 {
            frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
            frame.extend(length.to_be_bytes());
            frame.extend([self.protocol, 64]);
            &[
                0x20, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, //
                0x20, 1, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
            ]
        } else {
            let header = 20 + 4 * self.options;
            frame.extend([0x08, 0x00, 0x40 | (header / 4) as u8, 0]);
            frame.extend((header as u16 + length).to_be_bytes());
            frame.extend([0, 1, 0, 0, 64, self.protocol, 0, 0]);
            &[198, 18, 0, 2, 198, 19, 0, 2]
        };
        frame.extend(addresses);
        frame.extend(std::iter::repeat_n(1, 4 * self.options));
        if !self.ipv6 {
            let header = self.l3()..self.l4();
            let checksum = !sum(&frame[header]);
            frame[self.l3() + 10..][..2].copy_from_slice(&checksum.to_be_bytes());
        }
        let at = match self.protocol {
            UDP if self.udp_checksum => Some(6),
            TCP => Some(16),
            ICMP | ICMPV6 => Some(2),
            _ => None,
        };
        if let Some(at) = at {
            let mut covered = l4.clone();
            if self.protocol != ICMP {
                if l4.len() % 2 == 1 {
                    covered.push(0);
                }
                covered.extend(addresses);
                covered.extend([0, self.protocol]);
                covered.extend(length.to_be_bytes());
            }
            let checksum = match !sum(&covered) {
                0 => 0xffff,
                checksum => checksum,
            };
            l4[at..at + 2].copy_from_slice(&checksum.to_be_bytes());
        }
        frame.extend(l4);
        frame.extend(std::iter::repeat_n(0, self.padding));
        frame
    }
}

/// An Ethernet frame of an unknown type, with the tag at its end.
pub fn other(ethertype: u16, payload: usize, tag: Tag) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    frame.extend(ethertype.to_be_bytes());
    frame.extend((0..payload).map(|octet| octet as u8));
    frame.extend(tag.octets());
    frame
}

/// Changes an IPv4 header field and makes the header checksum right again.
pub fn patch_ipv4(frame: &mut [u8], shape: &Shape, offset: usize, value: &[u8]) {
    let header = &mut frame[shape.l3()..shape.l4()];
    header[offset..offset + value.len()].copy_from_slice(value);
    header[10..12].fill(0);
    let checksum = !sum(header);
    header[10..12].copy_from_slice(&checksum.to_be_bytes());
}

/// One's complement sum of 16-bit words (RFC 1071).
pub fn sum(octets: &[u8]) -> u16 {
    let mut sum = 0;
    for pair in octets.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}
