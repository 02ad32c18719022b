//! `layers`: one header each, by the names of their RFCs.

use super::{
    Layer, MacAddress, UdpChecksum, Values,
    error::SpecError,
    field::{self, Kind},
    node::{Node, Section, Value},
};

/// Every layer that may be named, and its fields.
const LAYERS: [(&str, &[&str]); 9] = [
    ("eth", &["src", "dst", "type"]),
    ("vlan", &["id", "pcp", "dei", "tpid"]),
    ("ipv4", &["src", "dst", "dscp", "ecn", "id", "ttl", "protocol", "df"]),
    ("ipv6", &["src", "dst", "traffic_class", "flow_label", "hop_limit", "next_header"]),
    ("udp", &["src", "dst", "checksum"]),
    ("tcp", &["src", "dst", "seq", "ack", "flags", "window"]),
    ("icmp", &["type", "code", "id", "seq"]),
    ("icmpv6", &["type", "code", "id", "seq"]),
    ("raw", &["hex"]),
];

/// Named in the contract, refused by name until they are built.
const NOT_BUILT: [&str; 4] = ["mpls", "gre", "vxlan", "arp"];

/// RFC 9293 section 3.1: a segment of an established connection.
const TCP_ACK: u128 = 0x10;
const TCP_WINDOW: u128 = 65_535;
const HOPS: u128 = 64;
/// RFC 792, RFC 4443 section 4.1.
const ICMP_ECHO_REQUEST: u128 = 8;
const ICMPV6_ECHO_REQUEST: u128 = 128;

/// Reads one entry of `layers`; gives the node of its fields along.
pub(super) fn read(node: &Node) -> Result<(Layer, &Node), SpecError> {
    let names = LAYERS.map(|(name, _)| name).join(", ");
    let Value::Table(entries) = &node.value else {
        return Err(node.unfit(format!("a table of one layer, one of {names}")));
    };
    let [entry] = &entries[..] else {
        return Err(
            node.wrong(format!("{} layers in one entry", entries.len()), format!("one of {names}"))
        );
    };
    if NOT_BUILT.contains(&entry.key.as_str()) {
        return Err(SpecError::not_built(&entry.place, format!("layer `{}`", entry.key), names));
    }
    let Some((name, fields)) = LAYERS.into_iter().find(|(name, _)| *name == entry.key) else {
        return Err(SpecError::invalid(
            &entry.place,
            format!("unknown layer `{}`", entry.key),
            names,
        ));
    };
    let fields = Fields(Section::open(&entry.node, fields)?);
    Ok((fields.layer(name)?, &entry.node))
}

struct Fields<'a>(Section<'a>);

impl Fields<'_> {
    fn layer(&self, name: &str) -> Result<Layer, SpecError> {
        let bits = |name, bits, default| self.or(name, Kind::Bits(bits), default);
        let port = |name| self.need(name, Kind::Bits(16));
        Ok(match name {
            "eth" => Layer::Eth {
                dst: self.mac("dst")?,
                src: self.mac("src")?,
                ethertype: self.maybe("type", Kind::Bits(16))?,
            },
            "vlan" => Layer::Vlan {
                id: self.need("id", Kind::Bits(12))?,
                pcp: bits("pcp", 3, 0)?,
                dei: bits("dei", 1, 0)?,
                tpid: self.maybe("tpid", Kind::Bits(16))?,
            },
            "ipv4" => Layer::Ipv4 {
                src: self.need("src", Kind::Ipv4)?,
                dst: self.need("dst", Kind::Ipv4)?,
                dscp: bits("dscp", 6, 0)?,
                ecn: bits("ecn", 2, 0)?,
                id: bits("id", 16, 0)?,
                df: self.0.get("df").map_or(Ok(false), Node::boolean)?,
                ttl: bits("ttl", 8, HOPS)?,
                protocol: self.maybe("protocol", Kind::Bits(8))?,
            },
            "ipv6" => Layer::Ipv6 {
                src: self.need("src", Kind::Ipv6)?,
                dst: self.need("dst", Kind::Ipv6)?,
                traffic_class: bits("traffic_class", 8, 0)?,
                flow_label: bits("flow_label", 20, 0)?,
                hop_limit: bits("hop_limit", 8, HOPS)?,
                next_header: self.maybe("next_header", Kind::Bits(8))?,
            },
            "udp" => {
                Layer::Udp { src: port("src")?, dst: port("dst")?, checksum: self.udp_checksum()? }
            }
            "tcp" => Layer::Tcp {
                src: port("src")?,
                dst: port("dst")?,
                seq: bits("seq", 32, 0)?,
                ack: bits("ack", 32, 0)?,
                flags: bits("flags", 8, TCP_ACK)?,
                window: bits("window", 16, TCP_WINDOW)?,
            },
            "icmp" => Layer::Icmp {
                kind: bits("type", 8, ICMP_ECHO_REQUEST)?,
                code: bits("code", 8, 0)?,
                id: bits("id", 16, 0)?,
                seq: bits("seq", 16, 0)?,
            },
            "icmpv6" => Layer::Icmpv6 {
                kind: bits("type", 8, ICMPV6_ECHO_REQUEST)?,
                code: bits("code", 8, 0)?,
                id: bits("id", 16, 0)?,
                seq: bits("seq", 16, 0)?,
            },
            _ => Layer::Raw { bytes: self.hex()? },
        })
    }

    fn maybe(&self, name: &str, kind: Kind) -> Result<Option<Values>, SpecError> {
        self.0.get(name).map(|node| field::read(node, kind)).transpose()
    }

    fn or(&self, name: &str, kind: Kind, default: u128) -> Result<Values, SpecError> {
        Ok(self.maybe(name, kind)?.unwrap_or(Values::One(default)))
    }

    fn need(&self, name: &str, kind: Kind) -> Result<Values, SpecError> {
        field::read(self.0.need(name, &kind.allowed())?, kind)
    }

    fn mac(&self, name: &str) -> Result<MacAddress, SpecError> {
        match self.0.get(name) {
            None => Ok(MacAddress::Auto),
            Some(node) if matches!(&node.value, Value::Text(text) if text == "auto") => {
                Ok(MacAddress::Auto)
            }
            Some(node) => Ok(MacAddress::Given(field::read(node, Kind::Mac)?)),
        }
    }

    fn udp_checksum(&self) -> Result<UdpChecksum, SpecError> {
        let Some(node) = self.0.get("checksum") else { return Ok(UdpChecksum::Auto) };
        match &node.value {
            Value::Text(text) if text == "auto" => Ok(UdpChecksum::Auto),
            Value::Integer(_) | Value::Text(_) => match node.whole(0, u16::MAX.into()) {
                Ok(value) => Ok(UdpChecksum::Fixed(value as u16)),
                Err(SpecError::Invalid { place, problem, allowed }) => Err(SpecError::Invalid {
                    place,
                    problem,
                    allowed: format!("\"auto\" or {allowed}"),
                }),
                Err(other) => Err(other),
            },
            _ => Err(node.unfit("\"auto\" or 0 to 65535")),
        }
    }

    fn hex(&self) -> Result<Vec<u8>, SpecError> {
        let allowed = "pairs of hexadecimal digits such as \"dead beef\"";
        let node = self.0.need("hex", allowed)?;
        let digits: String = node.text(allowed)?.chars().filter(|c| !c.is_whitespace()).collect();
        let all_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
        if digits.is_empty() || !digits.len().is_multiple_of(2) || !all_hex {
            return Err(node.unfit(allowed));
        }
        let octet = |pair: usize| u8::from_str_radix(&digits[pair..pair + 2], 16);
        (0..digits.len())
            .step_by(2)
            .map(octet)
            .collect::<Result<_, _>>()
            .map_err(|_| node.unfit(allowed))
    }
}
