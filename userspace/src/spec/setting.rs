//! Header fields that are usually computed or constant, and may be given: lengths,
//! versions, flags, checksums. Wrong ones too, to see what a device makes of them.

use super::{
    Values,
    error::SpecError,
    field::{self, Kind},
    node::{Section, Value},
};

/// Where such a field stands: `bits` bits, `shift` above the low end of the word of `width`
/// octets at `offset` of its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderField {
    /// Name of the layer.
    pub layer: &'static str,
    /// Name of the key.
    pub key: &'static str,
    /// Octets from the begin of the header to the word.
    pub offset: usize,
    /// Octets of the word: 2 or 4.
    pub width: u8,
    /// Bits below the field.
    pub shift: u8,
    /// Bits of the field.
    pub bits: u8,
    /// Whether a receiver that is told so finds neither the packet's end nor the tag there.
    pub hides_tag: bool,
}

const fn bits(layer: &'static str, key: &'static str, at: (usize, u8), bits: u8) -> HeaderField {
    HeaderField { layer, key, offset: at.0, width: 2, shift: at.1, bits, hides_tag: false }
}

const fn word(layer: &'static str, key: &'static str, offset: usize) -> HeaderField {
    bits(layer, key, (offset, 0), 16)
}

const fn hiding(field: HeaderField) -> HeaderField {
    HeaderField { hides_tag: true, ..field }
}

const fn wide(field: HeaderField) -> HeaderField {
    HeaderField { width: 4, ..field }
}

/// Every one, by layer. RFC 791, 792, 768, 826, 2784, 3032, 4443, 7348, 8200, 9293, IEEE 802.1Q.
static FIELDS: [HeaderField; 28] = [
    hiding(word("vlan", "type", 2)),
    hiding(bits("mpls", "bottom", (2, 8), 1)),
    word("arp", "hardware_type", 0),
    word("arp", "protocol_type", 2),
    bits("arp", "hardware_length", (4, 8), 8),
    bits("arp", "protocol_length", (4, 0), 8),
    hiding(bits("ipv4", "version", (0, 12), 4)),
    hiding(bits("ipv4", "ihl", (0, 8), 4)),
    hiding(word("ipv4", "length", 2)),
    bits("ipv4", "reserved", (6, 15), 1),
    bits("ipv4", "df", (6, 14), 1),
    bits("ipv4", "mf", (6, 13), 1),
    bits("ipv4", "fragment_offset", (6, 0), 13),
    hiding(word("ipv4", "checksum", 10)),
    hiding(bits("ipv6", "version", (0, 12), 4)),
    hiding(word("ipv6", "length", 4)),
    hiding(word("udp", "length", 4)),
    word("udp", "checksum", 6),
    bits("tcp", "data_offset", (12, 12), 4),
    bits("tcp", "ns", (12, 8), 1),
    word("tcp", "checksum", 16),
    word("icmp", "checksum", 2),
    word("icmpv6", "checksum", 2),
    bits("gre", "reserved0", (0, 3), 12),
    bits("gre", "version", (0, 0), 3),
    word("gre", "checksum", 4),
    word("gre", "reserved1", 6),
    bits("vxlan", "flags", (0, 8), 8),
];

/// What the two words of VXLAN hold beside flags and VNI.
static VXLAN_RESERVED: [HeaderField; 2] =
    [wide(bits("vxlan", "reserved0", (0, 0), 24)), wide(bits("vxlan", "reserved1", (4, 0), 8))];

/// A field that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Index of its layer.
    pub layer: usize,
    /// Which field.
    pub field: &'static HeaderField,
    /// What it holds.
    pub content: Content,
}

/// What a given field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// These values.
    Values(Values),
    /// `checksum = "bad"`: in every frame another than the right one.
    WrongChecksum,
}

impl Setting {
    /// The values, if the field holds such.
    pub fn values(&self) -> Option<&Values> {
        match &self.content {
            Content::Values(values) => Some(values),
            Content::WrongChecksum => None,
        }
    }
}

/// The settings among the keys of the layer at index `at`.
pub(super) fn read(
    name: &str,
    at: usize,
    section: &Section<'_>,
) -> Result<Vec<Setting>, SpecError> {
    let mut settings = Vec::new();
    for field in FIELDS.iter().chain(&VXLAN_RESERVED).filter(|field| field.layer == name) {
        let Some(node) = section.get(field.key) else { continue };
        let content = match (&node.value, field.key) {
            // Said by the layer itself.
            (Value::Boolean(_), "df" | "checksum") => continue,
            (Value::Text(text), "checksum") if text == "auto" => continue,
            (Value::Text(text), "checksum") if text == "bad" => Content::WrongChecksum,
            (_, "checksum") if name == "udp" => continue,
            (Value::Text(_) | Value::Integer(_), "checksum") => match node.whole(0, 0xffff) {
                Ok(value) => Content::Values(Values::One(value as u128)),
                Err(_) => return Err(node.unfit("\"auto\", \"bad\" or 0 to 65535")),
            },
            (_, "checksum") => return Err(node.unfit("\"auto\", \"bad\" or 0 to 65535")),
            (Value::Integer(_) | Value::Text(_), "df") => return Err(node.unfit("true or false")),
            _ => Content::Values(field::read(node, Kind::Bits(field.bits.into()))?),
        };
        settings.push(Setting { layer: at, field, content });
    }
    Ok(settings)
}
