//! IPv4 and IPv6.

use super::{
    super::{
        Refusal,
        model::{Ipv4, Ipv6, Priority, PriorityForm},
        refusal::At,
    },
    field::{Field, Kind, part},
    header::{bits, join},
    layer::Layer,
};
use crate::spec::Values;
use serde_json::Value;

pub(super) fn ipv4(header: &Ipv4, at: At<'_>) -> Result<Value, Refusal> {
    let mut layer = Layer::new(at);
    if header.options.as_ref().is_some_and(|options| !options.is_empty()) {
        return Err(layer.at().key("options").refuse("IPv4 options are not supported"));
    }
    let nibble = |usual| Field::new(Kind::Bits(4), usual);
    layer.rare("version", ("version", &header.version), nibble(4), Some(4))?;
    let words = ("header_length", &header.header_length);
    layer.rare("ihl", words, nibble(5).auto(), Some(5))?;
    priority(&mut layer, header.priority.as_ref())?;
    let length = Field::new(Kind::Bits(16), 46).auto();
    layer.rare("length", ("total_length", &header.total_length), length, None)?;
    layer.number("id", ("identification", &header.identification), 16)?;
    layer.rare("reserved", ("reserved", &header.reserved), bits(1), Some(0))?;
    match layer.values(("dont_fragment", &header.dont_fragment), bits(1))? {
        Some(Values::One(value)) => layer.set("df", value == 1),
        Some(values) => layer.set("df", Kind::Bits(1).json(&values)),
        None => (),
    }
    layer.rare("mf", ("more_fragments", &header.more_fragments), bits(1), Some(0))?;
    let offset = ("fragment_offset", &header.fragment_offset);
    layer.rare("fragment_offset", offset, bits(13), Some(0))?;
    layer.field("ttl", ("time_to_live", &header.time_to_live), Field::new(Kind::Bits(8), 64))?;
    let protocol = Field::new(Kind::Bits(8), 61).auto();
    layer.field("protocol", ("protocol", &header.protocol), protocol)?;
    layer.checksum("header_checksum", header.header_checksum.as_ref())?;
    let address = Field::new(Kind::Ipv4, 0).random();
    layer.field("src", ("src", &header.src), address)?;
    layer.field("dst", ("dst", &header.dst), address)?;
    Ok(layer.named("ipv4"))
}

/// The second octet, in whichever reading.
fn priority(layer: &mut Layer<'_>, priority: Option<&Priority>) -> Result<(), Refusal> {
    let Some(priority) = priority else { return Ok(()) };
    let here = layer.at().key("priority");
    let given = [
        (PriorityForm::Raw, "raw", priority.raw.is_some()),
        (PriorityForm::Tos, "tos", priority.tos.is_some()),
        (PriorityForm::Dscp, "dscp", priority.dscp.is_some()),
    ];
    let mut present = given.into_iter().filter(|(.., present)| *present);
    let first = present.next();
    let form = priority.choice.or(first.map(|(form, ..)| form)).unwrap_or(PriorityForm::Dscp);
    if let Some((_, name, _)) = first.into_iter().chain(present).find(|(other, ..)| *other != form)
    {
        return Err(here.key(name).refuse("it is not what `choice` says"));
    }
    let octet = match form {
        PriorityForm::Raw => bits(8).read(priority.raw.as_ref(), &here.key("raw"))?,
        PriorityForm::Tos => {
            let tos = priority.tos.clone().unwrap_or_default();
            let fields = [
                ("precedence", &tos.precedence, 3),
                ("delay", &tos.delay, 1),
                ("throughput", &tos.throughput, 1),
                ("reliability", &tos.reliability, 1),
                ("monetary", &tos.monetary, 1),
                ("unused", &tos.unused, 1),
            ];
            Some(join(&Layer::new(here.key("tos")), &fields)?)
        }
        PriorityForm::Dscp => {
            let dscp = priority.dscp.clone().unwrap_or_default();
            let inner = Layer::new(here.key("dscp"));
            let values = [
                ("dscp", 6, inner.values(("phb", &dscp.phb), bits(6))?),
                ("ecn", 2, inner.values(("ecn", &dscp.ecn), bits(2))?),
            ];
            for (key, width, values) in values {
                let values = values.unwrap_or(Values::One(0));
                layer.set(key, Kind::Bits(width).json(&values));
            }
            return Ok(());
        }
    };
    let octet = octet.unwrap_or(Values::One(0));
    layer.set("dscp", Kind::Bits(6).json(&part(&octet, 2, 6)));
    layer.set("ecn", Kind::Bits(2).json(&part(&octet, 0, 2)));
    Ok(())
}

pub(super) fn ipv6(header: &Ipv6, at: At<'_>) -> Result<Value, Refusal> {
    let mut layer = Layer::new(at);
    let version = Field::new(Kind::Bits(4), 6);
    layer.rare("version", ("version", &header.version), version, Some(6))?;
    layer.number("traffic_class", ("traffic_class", &header.traffic_class), 8)?;
    layer.field("flow_label", ("flow_label", &header.flow_label), bits(20).random())?;
    layer.rare("length", ("payload_length", &header.payload_length), bits(16).auto(), None)?;
    let next = Field::new(Kind::Bits(8), 59).auto();
    layer.field("next_header", ("next_header", &header.next_header), next)?;
    layer.field("hop_limit", ("hop_limit", &header.hop_limit), Field::new(Kind::Bits(8), 64))?;
    let address = Field::new(Kind::Ipv6, 0);
    layer.field("src", ("src", &header.src), address)?;
    layer.field("dst", ("dst", &header.dst), address)?;
    Ok(layer.named("ipv6"))
}
