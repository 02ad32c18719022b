//! Headers to layers of the flow file.

use super::{
    super::{
        Refusal,
        model::{
            Arp, Custom, Ethernet, Gre, Header, HeaderKind, Icmp, Mpls, Pattern, Tcp, Udp, Vlan,
            Vxlan, Whole,
        },
        refusal::At,
    },
    field::{self, Field, Kind, joined},
    ip::{ipv4, ipv6},
    layer::Layer,
};
use crate::spec::Values;
use serde_json::{Value, json};

/// The schema's default for types that the server finds, where no value says otherwise.
const TYPE_BY_CONTEXT: u128 = 65_535;

/// The layers of a packet, and of each the index of the header that it comes from.
pub(super) struct Stack {
    pub(super) layers: Vec<Value>,
    pub(super) headers: Vec<usize>,
}

/// Converts the headers of a packet, outermost first.
pub(super) fn stack(headers: &[Header], at: &At<'_>) -> Result<Stack, Refusal> {
    let mut stack = Stack { layers: Vec::new(), headers: Vec::new() };
    for (index, header) in headers.iter().enumerate() {
        let at = at.index(index);
        let layers = match kind(header, &at)? {
            HeaderKind::Custom => {
                let at = at.key("custom");
                let custom = header.custom.as_ref();
                let custom = custom.ok_or_else(|| at.refuse("`bytes` is missing"))?;
                custom_layers(custom, index, index + 1 == headers.len(), &at)?
            }
            kind => vec![layer(kind, header, &at)?],
        };
        stack.headers.extend(layers.iter().map(|_| index));
        stack.layers.extend(layers);
    }
    Ok(stack)
}

/// The choice, or the one object that is there without one.
fn kind(header: &Header, at: &At<'_>) -> Result<HeaderKind, Refusal> {
    use HeaderKind::{
        Arp, Custom, Ethernet, Gre, Icmp, Icmpv6, Ipv4, Ipv6, Mpls, Tcp, Udp, Vlan, Vxlan,
    };
    let given = [
        (Custom, "custom", header.custom.is_some()),
        (Ethernet, "ethernet", header.ethernet.is_some()),
        (Vlan, "vlan", header.vlan.is_some()),
        (Vxlan, "vxlan", header.vxlan.is_some()),
        (Ipv4, "ipv4", header.ipv4.is_some()),
        (Ipv6, "ipv6", header.ipv6.is_some()),
        (Tcp, "tcp", header.tcp.is_some()),
        (Udp, "udp", header.udp.is_some()),
        (Gre, "gre", header.gre.is_some()),
        (Arp, "arp", header.arp.is_some()),
        (Icmp, "icmp", header.icmp.is_some()),
        (Icmpv6, "icmpv6", header.icmpv6.is_some()),
        (Mpls, "mpls", header.mpls.is_some()),
    ];
    let mut present = given.into_iter().filter(|(.., present)| *present);
    let first = present.next();
    let kind = header.choice.or(first.map(|(kind, ..)| kind)).unwrap_or(Ethernet);
    match first.into_iter().chain(present).find(|(other, ..)| *other != kind) {
        Some((_, name, _)) => Err(at.key(name).refuse("it is not what `choice` says")),
        None => Ok(kind),
    }
}

fn layer(kind: HeaderKind, header: &Header, at: &At<'_>) -> Result<Value, Refusal> {
    // What is left out has all its fields left out.
    macro_rules! convert {
        ($field:ident, $convert:path) => {
            $convert(&header.$field.clone().unwrap_or_default(), at.key(stringify!($field)))
        };
    }
    match kind {
        HeaderKind::Vlan => convert!(vlan, vlan),
        HeaderKind::Vxlan => convert!(vxlan, vxlan),
        HeaderKind::Ipv4 => convert!(ipv4, ipv4),
        HeaderKind::Ipv6 => convert!(ipv6, ipv6),
        HeaderKind::Tcp => convert!(tcp, tcp),
        HeaderKind::Udp => convert!(udp, udp),
        HeaderKind::Gre => convert!(gre, gre),
        HeaderKind::Arp => convert!(arp, arp),
        HeaderKind::Icmp => convert!(icmp, icmp),
        HeaderKind::Icmpv6 => convert!(icmpv6, icmpv6),
        HeaderKind::Mpls => convert!(mpls, mpls),
        HeaderKind::Ethernet | HeaderKind::Custom => convert!(ethernet, ethernet),
    }
}

/// Octets as they stand: the first header is split into Ethernet and the rest.
fn custom_layers(
    custom: &Custom,
    index: usize,
    last: bool,
    at: &At<'_>,
) -> Result<Vec<Value>, Refusal> {
    if custom.metric_tags.as_ref().is_some_and(|tags| !tags.is_empty()) {
        return Err(at.key("metric_tags").refuse("tracking by header fields is not supported"));
    }
    let at = at.key("bytes");
    let text = custom.bytes.strip_prefix("0x").unwrap_or(&custom.bytes);
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | ':')).collect();
    let fits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if digits.is_empty() || !digits.len().is_multiple_of(2) || !fits {
        return Err(at.refuse("it is not made of pairs of hexadecimal digits"));
    }
    if !last {
        return Err(at.refuse("`custom` is supported as the last header only"));
    }
    if index > 0 {
        return Ok(vec![json!({"raw": {"hex": digits}})]);
    }
    let Some((ethernet, rest)) = digits.split_at_checked(28) else {
        return Err(at.refuse("as the first header it needs the 14 octets of Ethernet"));
    };
    let mac = |from: usize| {
        let pairs: Vec<_> = (0..6).map(|pair| &ethernet[from + 2 * pair..][..2]).collect();
        pairs.join(":")
    };
    let kind = format!("0x{}", &ethernet[24..]);
    let eth = json!({"eth": {"dst": mac(0), "src": mac(12), "type": kind}});
    Ok([eth].into_iter().chain((!rest.is_empty()).then(|| json!({"raw": {"hex": rest}}))).collect())
}

fn ethernet(header: &Ethernet, at: At<'_>) -> Result<Value, Refusal> {
    let mut layer = Layer::new(at);
    let mac = Field::new(Kind::Mac, 0);
    layer.field("dst", ("dst", &header.dst), mac.auto())?;
    layer.field("src", ("src", &header.src), mac)?;
    let kind = Field::new(Kind::Bits(16), TYPE_BY_CONTEXT).auto();
    layer.field("type", ("ether_type", &header.ether_type), kind)?;
    let queue = Field::new(Kind::Bits(3), 0);
    match layer.values(("pfc_queue", &header.pfc_queue), queue)? {
        Some(Values::One(0)) => Ok(layer.named("eth")),
        _ => Err(layer.at().key("pfc_queue").refuse("priority flow control is not supported")),
    }
}

fn vlan(header: &Vlan, at: At<'_>) -> Result<Value, Refusal> {
    let mut layer = Layer::new(at);
    layer.number("pcp", ("priority", &header.priority), 3)?;
    layer.number("dei", ("cfi", &header.cfi), 1)?;
    layer.number("id", ("id", &header.id), 12)?;
    let kind = Field::new(Kind::Bits(16), TYPE_BY_CONTEXT);
    layer.rare("type", ("tpid", &header.tpid), kind, Some(TYPE_BY_CONTEXT))?;
    Ok(layer.named("vlan"))
}

fn vxlan(header: &Vxlan, at: At<'_>) -> Result<Value, Refusal> {
    const VNI_VALID: u128 = 8;
    let mut layer = Layer::new(at);
    let flags = Field::new(Kind::Bits(8), VNI_VALID);
    layer.rare("flags", ("flags", &header.flags), flags, Some(VNI_VALID))?;
    layer.rare("reserved0", ("reserved0", &header.reserved0), bits(24), Some(0))?;
    let vni = layer.values(("vni", &header.vni), bits(24).auto())?;
    layer.set("vni", Kind::Bits(24).json(&vni.unwrap_or(Values::One(0))));
    layer.rare("reserved1", ("reserved1", &header.reserved1), bits(8), Some(0))?;
    Ok(layer.named("vxlan"))
}

fn tcp(header: &Tcp, at: At<'_>) -> Result<Value, Refusal> {
    let mut layer = Layer::new(at);
    let port = bits(16).random();
    layer.field("src", ("src_port", &header.src_port), port)?;
    layer.field("dst", ("dst_port", &header.dst_port), port)?;
    layer.number("seq", ("seq_num", &header.seq_num), 32)?;
    layer.number("ack", ("ack_num", &header.ack_num), 32)?;
    // Left out it is computed: a header of 0 words is none.
    layer.rare("data_offset", ("data_offset", &header.data_offset), bits(4), Some(5))?;
    layer.rare("ns", ("ecn_ns", &header.ecn_ns), bits(1), Some(0))?;
    let flags = [
        ("ecn_cwr", &header.ecn_cwr),
        ("ecn_echo", &header.ecn_echo),
        ("ctl_urg", &header.ctl_urg),
        ("ctl_ack", &header.ctl_ack),
        ("ctl_psh", &header.ctl_psh),
        ("ctl_rst", &header.ctl_rst),
        ("ctl_syn", &header.ctl_syn),
        ("ctl_fin", &header.ctl_fin),
    ];
    let flags = join(&layer, &flags.map(|(name, flag)| (name, flag, 1)))?;
    layer.set("flags", Kind::Bits(8).json(&flags));
    layer.number("window", ("window", &header.window), 16)?;
    layer.checksum("checksum", header.checksum.as_ref())?;
    Ok(layer.named("tcp"))
}

/// Fields that stand side by side, the highest first, with their bits, as one.
pub(super) fn join(
    layer: &Layer<'_>,
    parts: &[(&'static str, &Option<Pattern<Whole>>, u32)],
) -> Result<Values, Refusal> {
    let mut left: u32 = parts.iter().map(|(.., bits)| bits).sum();
    let mut joint = Vec::with_capacity(parts.len());
    for &(name, pattern, width) in parts {
        left -= width;
        let values = layer.values((name, pattern), bits(width))?;
        joint.push((values.unwrap_or(Values::One(0)), left));
    }
    joined(&joint, layer.at())
}

fn udp(header: &Udp, at: At<'_>) -> Result<Value, Refusal> {
    let mut layer = Layer::new(at);
    let port = bits(16).random();
    layer.field("src", ("src_port", &header.src_port), port)?;
    layer.field("dst", ("dst_port", &header.dst_port), port)?;
    layer.rare("length", ("length", &header.length), bits(16), None)?;
    layer.checksum("checksum", header.checksum.as_ref())?;
    Ok(layer.named("udp"))
}

fn gre(header: &Gre, at: At<'_>) -> Result<Value, Refusal> {
    let mut layer = Layer::new(at);
    let checksum_present = ("checksum_present", &header.checksum_present);
    let Some(Values::One(present)) = layer.values(checksum_present, bits(1))? else {
        let at = layer.at().key("checksum_present");
        return Err(at.refuse("frames with and without a checksum in turn are not supported"));
    };
    let present = present == 1;
    layer.rare("reserved0", ("reserved0", &header.reserved0), bits(12), Some(0))?;
    layer.rare("version", ("version", &header.version), bits(3), Some(0))?;
    let protocol = Field::new(Kind::Bits(16), 0x0800).auto();
    layer.field("protocol", ("protocol", &header.protocol), protocol)?;
    if present {
        layer.set("checksum", true);
        layer.checksum("checksum", header.checksum.as_ref())?;
        layer.rare("reserved1", ("reserved1", &header.reserved1), bits(16), Some(0))?;
    } else {
        let checksum = header.checksum.as_ref();
        let checksum = field::checksum(checksum, &layer.at().key("checksum"))?;
        let given = [("checksum", checksum.is_some()), ("reserved1", header.reserved1.is_some())];
        if let Some((name, _)) = given.into_iter().find(|(_, given)| *given) {
            let at = layer.at().key(name);
            return Err(at.refuse("the header has it only with checksum_present = 1"));
        }
    }
    Ok(layer.named("gre"))
}

fn arp(header: &Arp, at: At<'_>) -> Result<Value, Refusal> {
    let mut layer = Layer::new(at);
    for (key, name, pattern, width, usual) in [
        ("hardware_type", "hardware_type", &header.hardware_type, 16, 1),
        ("protocol_type", "protocol_type", &header.protocol_type, 16, 0x0800),
        ("hardware_length", "hardware_length", &header.hardware_length, 8, 6),
        ("protocol_length", "protocol_length", &header.protocol_length, 8, 4),
        ("op", "operation", &header.operation, 16, 1),
    ] {
        let field = Field::new(Kind::Bits(width), usual);
        layer.rare(key, (name, pattern), field, Some(usual))?;
    }
    let (mac, ip) = (Field::new(Kind::Mac, 0), Field::new(Kind::Ipv4, 0));
    layer.field("sha", ("sender_hardware_addr", &header.sender_hardware_addr), mac)?;
    layer.field("spa", ("sender_protocol_addr", &header.sender_protocol_addr), ip)?;
    layer.field("tha", ("target_hardware_addr", &header.target_hardware_addr), mac)?;
    layer.field("tpa", ("target_protocol_addr", &header.target_protocol_addr), ip)?;
    Ok(layer.named("arp"))
}

fn icmp(header: &Icmp, at: At<'_>) -> Result<Value, Refusal> {
    echo(header, &at, "icmp", 8)
}

fn icmpv6(header: &Icmp, at: At<'_>) -> Result<Value, Refusal> {
    echo(header, &at, "icmpv6", 128)
}

fn echo(header: &Icmp, at: &At<'_>, name: &str, request: u128) -> Result<Value, Refusal> {
    let echo = header.echo.clone().unwrap_or_default();
    let mut layer = Layer::new(at.key("echo"));
    layer.field("type", ("type", &echo.r#type), Field::new(Kind::Bits(8), request))?;
    layer.number("code", ("code", &echo.code), 8)?;
    layer.number("id", ("identifier", &echo.identifier), 16)?;
    layer.number("seq", ("sequence_number", &echo.sequence_number), 16)?;
    layer.checksum("checksum", echo.checksum.as_ref())?;
    Ok(layer.named(name))
}

fn mpls(header: &Mpls, at: At<'_>) -> Result<Value, Refusal> {
    /// The first label that is free for any use (RFC 3032).
    const LABEL: u128 = 16;
    let mut layer = Layer::new(at);
    let label = layer.values(("label", &header.label), Field::new(Kind::Bits(20), LABEL).auto())?;
    layer.set("label", Kind::Bits(20).json(&label.unwrap_or(Values::One(LABEL))));
    layer.number("tc", ("traffic_class", &header.traffic_class), 3)?;
    let bottom = Field::new(Kind::Bits(1), 1).auto();
    layer.rare("bottom", ("bottom_of_stack", &header.bottom_of_stack), bottom, None)?;
    layer.field("ttl", ("time_to_live", &header.time_to_live), Field::new(Kind::Bits(8), 64))?;
    Ok(layer.named("mpls"))
}

/// A number of so many bits, by default 0.
pub(super) fn bits(bits: u32) -> Field {
    Field::new(Kind::Bits(bits), 0)
}
