//! Just enough of Ethernet, IP and UDP to find a flow's frames and their tags,
//! written from the RFCs and CONTRACT's tag, not from linerate.

/// Where the parts of a UDP frame are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Offset of the IP header.
    pub(crate) ip: usize,
    pub(crate) ipv6: bool,
    /// Offset of the UDP payload.
    pub(crate) payload: usize,
    /// End of the IP packet.
    pub(crate) end: usize,
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
}

impl Layout {
    /// `None` for anything but UDP in IP, under any number of VLAN tags.
    pub(crate) fn of_udp(frame: &[u8]) -> Option<Self> {
        let mut offset = 12;
        while matches!(be16(frame, offset)?, 0x8100 | 0x88a8) {
            offset += 4;
        }
        let ip = offset + 2;
        let (ipv6, udp, end) = match be16(frame, offset)? {
            0x0800 if *frame.get(ip + 9)? == 17 => {
                let header = usize::from(frame[ip] & 0xf) * 4;
                (false, ip + header, ip + usize::from(be16(frame, ip + 2)?))
            }
            0x86dd if *frame.get(ip + 6)? == 17 => {
                (true, ip + 40, ip + 40 + usize::from(be16(frame, ip + 4)?))
            }
            _ => return None,
        };
        Some(Self {
            ip,
            ipv6,
            payload: udp + 8,
            end,
            source_port: be16(frame, udp)?,
            destination_port: be16(frame, udp + 2)?,
        })
    }
}

/// The last 14 octets of the L3 packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag {
    /// Session nonce and trial number.
    pub(crate) magic: u32,
    pub(crate) stream: u16,
    pub(crate) sequence: u32,
    /// Monotonic clock, ns, modulo 2^40.
    pub(crate) time_ns: u64,
}

impl Tag {
    pub(crate) const BYTES: usize = 14;

    /// Reads the tag that ends at `end`.
    pub(crate) fn ending_at(frame: &[u8], end: usize) -> Self {
        let octets = &frame[end - Self::BYTES..end];
        let number = |range: std::ops::Range<usize>| {
            octets[range].iter().fold(0_u64, |value, octet| value << 8 | u64::from(*octet))
        };
        Self {
            magic: number(0..3) as u32,
            stream: number(3..5) as u16,
            sequence: number(5..9) as u32,
            time_ns: number(9..14),
        }
    }
}

fn be16(frame: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*frame.get(offset)?, *frame.get(offset + 1)?]))
}
