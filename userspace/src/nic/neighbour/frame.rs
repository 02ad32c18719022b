use crate::nic::Mac;

/// Most VLAN tags that a neighbour message may carry.
pub const MAX_TAGS: usize = 4;

/// `EtherTypes` of tags: 802.1Q, 802.1ad, and what stood for the latter before it.
pub(super) const TPIDS: [u16; 4] = [0x8100, 0x88a8, 0x9100, 0x9200];
pub(super) const ARP: u16 = 0x0806;
pub(super) const IPV6: u16 = 0x86dd;

/// Octets of the smallest frame, without FCS.
const LEAST_BYTES: usize = 60;

/// One VLAN tag, outermost first wherever there are several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VlanTag {
    /// Tag protocol identifier: 0x8100, 0x88a8, ...
    pub tpid: u16,
    /// Tag control information: priority, drop eligibility, VLAN id.
    pub tci: u16,
}

impl VlanTag {
    /// The VLAN id; 0 for a tag that carries only a priority.
    pub fn id(self) -> u16 {
        self.tci & 0x0fff
    }

    /// As on the wire.
    pub(in crate::nic) fn octets(self) -> [u8; 4] {
        let [[a, b], [c, d]] = [self.tpid, self.tci].map(u16::to_be_bytes);
        [a, b, c, d]
    }
}

/// An Ethernet frame taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub(super) destination: Mac,
    pub(super) source: Mac,
    pub(super) tags: Vec<VlanTag>,
    pub(super) ethertype: u16,
    pub(super) payload: &'a [u8],
}

impl<'a> Frame<'a> {
    pub(super) fn parse(octets: &'a [u8]) -> Option<Self> {
        let (destination, rest) = octets.split_first_chunk()?;
        let (source, mut rest) = rest.split_first_chunk()?;
        let mut tags = Vec::new();
        loop {
            let (ethertype, after) = rest.split_first_chunk()?;
            let ethertype = u16::from_be_bytes(*ethertype);
            if !TPIDS.contains(&ethertype) {
                let (destination, source) = (*destination, *source);
                return Some(Self { destination, source, tags, ethertype, payload: after });
            }
            let (tci, after) = after.split_first_chunk()?;
            tags.push(VlanTag { tpid: ethertype, tci: u16::from_be_bytes(*tci) });
            rest = after;
        }
    }

    /// As on the wire without FCS, padded to the smallest frame.
    pub(super) fn octets(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(LEAST_BYTES + 4 * MAX_TAGS + self.payload.len());
        octets.extend_from_slice(&self.destination);
        octets.extend_from_slice(&self.source);
        octets.extend(self.tags.iter().flat_map(|tag| tag.octets()));
        octets.extend_from_slice(&self.ethertype.to_be_bytes());
        octets.extend_from_slice(self.payload);
        octets.resize(octets.len().max(LEAST_BYTES), 0);
        octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_survive_the_way_out_and_back_and_the_frame_is_padded() {
        let tags = vec![VlanTag { tpid: 0x88a8, tci: 100 }, VlanTag { tpid: 0x8100, tci: 0xa0c8 }];
        let frame = Frame {
            destination: [0xff; 6],
            source: [2, 0, 0, 0, 0, 1],
            tags,
            ethertype: ARP,
            payload: &[7; 28],
        };
        let octets = frame.octets();
        assert_eq!(octets.len(), 60);
        assert_eq!(octets[12..22], [0x88, 0xa8, 0, 100, 0x81, 0, 0xa0, 0xc8, 8, 6]);
        let back = Frame::parse(&octets).unwrap();
        assert_eq!((&back.tags, back.payload.len()), (&frame.tags, 38));
        assert_eq!(back.tags[1].id(), 0xc8);
        (0..18).for_each(|length| drop(Frame::parse(&octets[..length])));
        assert_eq!(Frame::parse(&octets[..17]), None);
    }
}
