//! `layers`: one header each, by the names of their RFCs.

use super::{
    Layer, MacAddress, Setting, UdpChecksum, Values,
    error::SpecError,
    field::{self, Kind},
    node::{Node, Section, Value},
    setting,
};

/// Every layer that may be named, and its fields.
const LAYERS: [(&str, &[&str]); 17] = [
    ("eth", &["src", "dst", "type"]),
    ("vlan", &["id", "pcp", "dei", "tpid", "type"]),
    ("mpls", &["label", "tc", "ttl", "bottom"]),
    (
        "arp",
        &[
            "op",
            "sha",
            "spa",
            "tha",
            "tpa",
            "hardware_type",
            "protocol_type",
            "hardware_length",
            "protocol_length",
        ],
    ),
    (
        "ipv4",
        &[
            "src",
            "dst",
            "dscp",
            "ecn",
            "id",
            "ttl",
            "protocol",
            "df",
            "mf",
            "fragment_offset",
            "reserved",
            "version",
            "ihl",
            "length",
            "checksum",
        ],
    ),
    (
        "ipv6",
        &[
            "src",
            "dst",
            "traffic_class",
            "flow_label",
            "hop_limit",
            "next_header",
            "version",
            "length",
        ],
    ),
    ("hop_by_hop", &["options"]),
    ("destination_options", &["options"]),
    ("routing", &["type", "segments_left", "data"]),
    ("fragment", &["id"]),
    ("gre", &["protocol", "checksum", "key", "sequence", "reserved0", "version", "reserved1"]),
    ("vxlan", &["vni", "flags", "reserved0", "reserved1"]),
    ("udp", &["src", "dst", "checksum", "length"]),
    ("tcp", &["src", "dst", "seq", "ack", "flags", "window", "ns", "data_offset", "checksum"]),
    ("icmp", &["type", "code", "id", "seq", "checksum"]),
    ("icmpv6", &["type", "code", "id", "seq", "checksum"]),
    ("raw", &["hex"]),
];

/// RFC 9293 section 3.1: a segment of an established connection.
const TCP_ACK: u128 = 0x10;
const TCP_WINDOW: u128 = 65_535;
const HOPS: u128 = 64;
/// RFC 792, RFC 4443 section 4.1.
const ICMP_ECHO_REQUEST: u128 = 8;
const ICMPV6_ECHO_REQUEST: u128 = 128;
/// RFC 826: ares_op$REQUEST.
const ARP_REQUEST: u128 = 1;
/// RFC 7348 section 5.
const VXLAN_PORT: u128 = 4789;
/// RFC 4727 section 4, for experiments.
const ROUTING_EXPERIMENT: i128 = 253;

/// An entry of `layers`.
pub(super) struct Entry<'a> {
    pub(super) layer: Layer,
    pub(super) settings: Vec<Setting>,
    /// The fields.
    pub(super) node: &'a Node,
}

/// Reads the entry at index `at`, on which `next` stands.
pub(super) fn read<'a>(
    node: &'a Node,
    at: usize,
    next: Option<&Node>,
) -> Result<Entry<'a>, SpecError> {
    let names = LAYERS.map(|(name, _)| name).join(", ");
    let Value::Table(entries) = &node.value else {
        return Err(node.unfit(format!("a table of one layer, one of {names}")));
    };
    let [entry] = &entries[..] else {
        return Err(
            node.wrong(format!("{} layers in one entry", entries.len()), format!("one of {names}"))
        );
    };
    let Some((name, fields)) = LAYERS.into_iter().find(|(name, _)| *name == entry.key) else {
        return Err(SpecError::invalid(
            &entry.place,
            format!("unknown layer `{}`", entry.key),
            names,
        ));
    };
    let fields = Fields(Section::open(&entry.node, fields)?);
    let vxlan =
        |node: &Node| matches!(&node.value, Value::Table(e) if e.iter().any(|e| e.key == "vxlan"));
    let layer = fields.layer(name, next.is_some_and(vxlan))?;
    Ok(Entry { layer, settings: setting::read(name, at, &fields.0)?, node: &entry.node })
}

struct Fields<'a>(Section<'a>);

impl Fields<'_> {
    fn layer(&self, name: &str, under_vxlan: bool) -> Result<Layer, SpecError> {
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
            "mpls" => Layer::Mpls {
                label: self.need("label", Kind::Bits(20))?,
                tc: bits("tc", 3, 0)?,
                ttl: bits("ttl", 8, HOPS)?,
            },
            "arp" => Layer::Arp {
                op: bits("op", 16, ARP_REQUEST)?,
                sha: self.mac("sha")?,
                spa: self.need("spa", Kind::Ipv4)?,
                tha: self.or("tha", Kind::Mac, 0)?,
                tpa: self.need("tpa", Kind::Ipv4)?,
            },
            "hop_by_hop" => Layer::HopByHop { options: self.options()? },
            "destination_options" => Layer::DestinationOptions { options: self.options()? },
            "routing" => self.routing()?,
            "fragment" => Layer::Fragment { id: bits("id", 32, 0)? },
            "gre" => Layer::Gre {
                protocol: self.maybe("protocol", Kind::Bits(16))?,
                checksum: self.gre_checksum(),
                key: self.maybe("key", Kind::Bits(32))?,
                sequence: self.maybe("sequence", Kind::Bits(32))?,
            },
            "vxlan" => Layer::Vxlan { vni: self.need("vni", Kind::Bits(24))? },
            "ipv4" => Layer::Ipv4 {
                src: self.need("src", Kind::Ipv4)?,
                dst: self.need("dst", Kind::Ipv4)?,
                dscp: bits("dscp", 6, 0)?,
                ecn: bits("ecn", 2, 0)?,
                id: bits("id", 16, 0)?,
                df: self.df(),
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
            "udp" => Layer::Udp {
                src: port("src")?,
                dst: if under_vxlan { bits("dst", 16, VXLAN_PORT) } else { port("dst") }?,
                checksum: self.udp_checksum()?,
            },
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
            _ => Layer::Raw { bytes: hex(self.0.need("hex", HEX)?)? },
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

    /// Other values of `df` are settings.
    fn df(&self) -> bool {
        matches!(self.0.get("df"), Some(Node { value: Value::Boolean(true), .. }))
    }

    /// Whether there is one; what it holds is a setting.
    fn gre_checksum(&self) -> bool {
        self.0.get("checksum").is_some_and(|node| !matches!(node.value, Value::Boolean(false)))
    }

    fn udp_checksum(&self) -> Result<UdpChecksum, SpecError> {
        let Some(node) = self.0.get("checksum") else { return Ok(UdpChecksum::Auto) };
        match &node.value {
            // What is wrong with it is a setting.
            Value::Text(text) if text == "auto" || text == "bad" => Ok(UdpChecksum::Auto),
            Value::Integer(_) | Value::Text(_) => match node.whole(0, u16::MAX.into()) {
                Ok(value) => Ok(UdpChecksum::Fixed(value as u16)),
                Err(SpecError::Invalid { place, problem, allowed }) => Err(SpecError::Invalid {
                    place,
                    problem,
                    allowed: format!("\"auto\", \"bad\" or {allowed}"),
                }),
                Err(other) => Err(other),
            },
            _ => Err(node.unfit("\"auto\", \"bad\" or 0 to 65535")),
        }
    }

    /// The options of an extension header, padded so that it ends on an 8-octet border
    /// (RFC 8200 section 4.2: Pad1 and PadN).
    fn options(&self) -> Result<Vec<u8>, SpecError> {
        let mut options = self.0.get("options").map_or(Ok(Vec::new()), hex)?;
        match (options.len() + 2).next_multiple_of(8) - options.len() - 2 {
            0 => (),
            1 => options.push(0),
            pad => {
                options.extend([1, pad as u8 - 2]);
                options.resize(options.len() + pad - 2, 0);
            }
        }
        Ok(options)
    }

    fn routing(&self) -> Result<Layer, SpecError> {
        let octet = |name, default| {
            self.0.get(name).map_or(Ok(default), |node| node.whole(0, u8::MAX.into()))
        };
        let data = self.0.get("data").map_or(Ok(vec![0; 4]), hex)?;
        if data.len() % 8 != 4 {
            let node = self.0.need("data", HEX)?;
            return Err(node.wrong(format!("{} octets", data.len()), "4, 12, 20, .. octets"));
        }
        Ok(Layer::Routing {
            kind: octet("type", ROUTING_EXPERIMENT)? as u8,
            segments_left: octet("segments_left", 0)? as u8,
            data,
        })
    }
}

const HEX: &str = "pairs of hexadecimal digits such as \"dead beef\"";

fn hex(node: &Node) -> Result<Vec<u8>, SpecError> {
    let digits: String = node.text(HEX)?.chars().filter(|c| !c.is_whitespace()).collect();
    let all_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    if digits.is_empty() || !digits.len().is_multiple_of(2) || !all_hex {
        return Err(node.unfit(HEX));
    }
    let octet = |pair: usize| u8::from_str_radix(&digits[pair..pair + 2], 16);
    (0..digits.len()).step_by(2).map(octet).collect::<Result<_, _>>().map_err(|_| node.unfit(HEX))
}
