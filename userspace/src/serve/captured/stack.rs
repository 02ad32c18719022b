//! The headers of one captured frame as layers of a flow file.

use crate::packet::{Header, digits, dissect};
use serde_json::{Map, Value, json};

/// Octets of what has no layer of its own that are kept as `raw`.
const RAW_MOST: usize = 64;

/// A frame's layers, outermost first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Stack {
    pub(super) layers: Vec<Layer>,
}

/// One of them, with the fields that a flow file has to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layer {
    pub(super) name: &'static str,
    pub(super) fields: Vec<Field>,
}

/// A field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: &'static str,
    /// As a flow file has it.
    pub(super) value: Value,
    pub(super) kind: Kind,
}

/// What a field is to a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Tells one conversation from another.
    Tells,
    /// Changes within one.
    Changes,
    /// Cannot vary in a flow.
    Fixed,
}

/// Fields that change from frame to frame of one conversation.
const CHANGING: [(&str, &[&str]); 8] = [
    ("vlan", &["pcp", "dei"]),
    ("ipv4", &["id", "dscp", "ecn", "ttl", "length"]),
    ("ipv6", &["traffic_class", "flow_label", "hop_limit", "length"]),
    ("fragment", &["id"]),
    ("udp", &["length"]),
    ("tcp", &["seq", "ack", "flags", "window", "ns"]),
    ("icmp", &["seq"]),
    ("icmpv6", &["seq"]),
];

impl Layer {
    fn give(&mut self, name: &'static str, value: Value, kind: Kind) {
        self.fields.push(Field { name, value, kind });
    }

    /// Gives fields of the header as they stand there.
    fn take(&mut self, header: &Header, names: &[&'static str]) {
        for name in names {
            let Some(value) = text(header, name) else { continue };
            let changing =
                CHANGING.iter().any(|(layer, fields)| *layer == self.name && fields.contains(name));
            let kind = if changing { Kind::Changes } else { Kind::Tells };
            self.give(name, plain(value), kind);
        }
    }

    /// The same where they are not 0, which is what a flow file takes for granted.
    fn take_unless_0(&mut self, header: &Header, names: &[&'static str]) {
        let given = |name: &&&'static str| number(header, name) != Some(0);
        for name in names.iter().filter(given) {
            self.take(header, &[*name]);
        }
    }

    pub(super) fn json(&self, value: impl Fn(&Field) -> Value) -> Value {
        let fields: Map<_, _> =
            self.fields.iter().map(|field| (field.name.to_owned(), value(field))).collect();
        json!({self.name: fields})
    }
}

fn text<'a>(header: &'a Header, name: &str) -> Option<&'a str> {
    header.fields.iter().find(|field| field.name == name).map(|field| &*field.value)
}

fn number(header: &Header, name: &str) -> Option<u64> {
    let text = text(header, name)?;
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// A number as one, all else as text.
fn plain(text: &str) -> Value {
    text.parse::<u64>().map_or_else(|_| text.into(), Value::from)
}

impl Stack {
    /// Of a frame without FCS. What no layer can say is kept as `raw`.
    pub(super) fn of(frame: &[u8]) -> Self {
        let headers = dissect(frame, false).headers;
        let mut stack = Self::default();
        for (at, header) in headers.iter().enumerate() {
            let next = headers.get(at + 1);
            let layer = if header.name == "payload" {
                // Behind a transport header it is the sender's, and not kept.
                let below = stack.layers.last().map_or("", |layer| layer.name);
                if !matches!(below, "udp" | "tcp" | "icmp" | "icmpv6" | "arp" | "raw") {
                    stack.raw(&frame[header.offset..header.offset + header.octets]);
                }
                break;
            } else {
                layer(header, next, &headers[..at], frame)
            };
            let Some((layer, rest)) = layer else {
                stack.raw(&frame[header.offset..]);
                break;
            };
            stack.layers.push(layer);
            if !rest.is_empty() {
                stack.raw(rest);
                // Options of TCP: payload follows them.
                break;
            }
        }
        stack
    }

    /// The same with no more than the Ethernet header read.
    pub(super) fn coarse(frame: &[u8]) -> Self {
        let mut stack = Self::default();
        let headers = dissect(&frame[..frame.len().min(14)], false).headers;
        if let Some(header) = headers.first() {
            let mut eth = Layer { name: "eth", fields: Vec::new() };
            eth.take(header, &["src", "dst", "type"]);
            stack.layers.push(eth);
            stack.raw(&frame[14..]);
        }
        stack
    }

    /// Octets that stand as they are.
    fn raw(&mut self, octets: &[u8]) {
        let kept = &octets[..octets.len().min(RAW_MOST)];
        if !kept.is_empty() {
            let hex = Field { name: "hex", value: digits(kept).into(), kind: Kind::Fixed };
            self.layers.push(Layer { name: "raw", fields: vec![hex] });
        }
    }

    /// The last header that has a name.
    pub(super) fn innermost(&self) -> &'static str {
        let named = self.layers.iter().rev().find(|layer| layer.name != "raw");
        named.map_or("raw", |layer| layer.name)
    }
}

/// The layer of a header, and octets of it that only `raw` can hold; `None`: it has none.
fn layer<'a>(
    header: &Header,
    next: Option<&Header>,
    below: &[Header],
    frame: &'a [u8],
) -> Option<(Layer, &'a [u8])> {
    let mut layer = Layer { name: header.name, fields: Vec::new() };
    let whole = !header.faults.contains(&"TRUNCATED");
    // Types and protocols follow from the layer above, unless that is none of ours.
    let announced = next.is_some_and(|next| next.name != "payload");
    let mut rest: &[u8] = &[];
    match header.name {
        _ if !whole => return None,
        "eth" => {
            layer.take(header, &["src", "dst"]);
            if !announced {
                layer.take(header, &["type"]);
            }
        }
        "vlan" => {
            layer.take(header, &["id", "pcp"]);
            layer.take_unless_0(header, &["dei"]);
            layer.take(header, &["tpid"]);
            if !announced {
                layer.take(header, &["type"]);
            }
        }
        "mpls" => {
            layer.take(header, &["label", "ttl"]);
            layer.take_unless_0(header, &["tc"]);
        }
        "arp" => layer.take(header, &["op", "sha", "spa", "tha", "tpa"]),
        "ipv4" => {
            if header.octets > 20 || number(header, "reserved") != Some(0) {
                return None;
            }
            layer.take(header, &["src", "dst", "ttl"]);
            layer.take_unless_0(header, &["dscp", "ecn", "id", "mf", "fragment_offset"]);
            if number(header, "df") == Some(1) {
                layer.give("df", true.into(), Kind::Fixed);
            }
            if !announced {
                layer.take(header, &["protocol"]);
            }
            // Ethernet's padding behind a short packet.
            if number(header, "length") != Some((frame.len() - header.offset) as u64) {
                layer.take(header, &["length"]);
            }
        }
        "ipv6" => {
            layer.take(header, &["src", "dst", "hop_limit"]);
            layer.take_unless_0(header, &["traffic_class", "flow_label"]);
            if !announced {
                layer.take(header, &["next_header"]);
            }
            if number(header, "length") != Some((frame.len() - header.offset - 40) as u64) {
                layer.take(header, &["length"]);
            }
        }
        "hop_by_hop" | "destination_options" => fixed(&mut layer, header, &["options"]),
        "routing" => fixed(&mut layer, header, &["type", "segments_left", "data"]),
        "fragment" => {
            if number(header, "fragment_offset") != Some(0) || number(header, "mf") != Some(0) {
                return None;
            }
            layer.take(header, &["id"]);
        }
        "gre" => {
            layer.take(header, &["key", "sequence"]);
            if text(header, "checksum").is_some() {
                layer.give("checksum", true.into(), Kind::Fixed);
            }
            if !announced {
                layer.take(header, &["protocol"]);
            }
        }
        "vxlan" => layer.take(header, &["vni"]),
        "udp" => {
            layer.take(header, &["src", "dst"]);
            if number(header, "checksum") == Some(0) {
                layer.give("checksum", 0.into(), Kind::Fixed);
            }
            if number(header, "length") != Some((frame.len() - header.offset) as u64) {
                layer.take(header, &["length"]);
            }
        }
        "tcp" => {
            if number(header, "urgent") != Some(0) {
                return None;
            }
            layer.take(header, &["src", "dst", "seq", "ack", "flags", "window"]);
            layer.take_unless_0(header, &["ns"]);
            if header.octets > 20 {
                layer.take(header, &["data_offset"]);
                rest = &frame[header.offset + 20..header.offset + header.octets];
            }
        }
        "icmp" | "icmpv6" => layer.take(header, &["type", "code", "id", "seq"]),
        _ => return None,
    }
    let over = below.last().map_or("", |below| below.name);
    // Headers that only stand where nobody looks for them.
    let odd = header.name == "icmp" && over != "ipv4";
    (!odd).then_some((layer, rest))
}

/// Fields that cannot vary; digits stay text.
fn fixed(layer: &mut Layer, header: &Header, names: &[&'static str]) {
    for name in names {
        if let Some(value) = text(header, name) {
            let is_number = matches!(*name, "type" | "segments_left");
            let value = if is_number { plain(value) } else { value.into() };
            layer.give(name, value, Kind::Fixed);
        }
    }
}
