//! Whether headers can stand on each other, vary as asked and fit into the frames.

use super::{Flow, Layer, MacAddress, Track, Values, Vary, error::SpecError, least, node::Node};
use xdp_ebpf::abi;

impl Layer {
    /// The name in the flow file.
    pub fn name(&self) -> &'static str {
        match self {
            Layer::Eth { .. } => "eth",
            Layer::Vlan { .. } => "vlan",
            Layer::Mpls { .. } => "mpls",
            Layer::Arp { .. } => "arp",
            Layer::Ipv4 { .. } => "ipv4",
            Layer::Ipv6 { .. } => "ipv6",
            Layer::HopByHop { .. } => "hop_by_hop",
            Layer::DestinationOptions { .. } => "destination_options",
            Layer::Routing { .. } => "routing",
            Layer::Fragment { .. } => "fragment",
            Layer::Gre { .. } => "gre",
            Layer::Vxlan { .. } => "vxlan",
            Layer::Udp { .. } => "udp",
            Layer::Tcp { .. } => "tcp",
            Layer::Icmp { .. } => "icmp",
            Layer::Icmpv6 { .. } => "icmpv6",
            Layer::Raw { .. } => "raw",
        }
    }

    /// Octets of the header.
    pub fn bytes(&self) -> usize {
        match self {
            Layer::Eth { .. } => 14,
            Layer::Vlan { .. } | Layer::Mpls { .. } => 4,
            Layer::Arp { .. } => 28,
            Layer::Ipv4 { .. } | Layer::Tcp { .. } => 20,
            Layer::Ipv6 { .. } => 40,
            Layer::Udp { .. }
            | Layer::Icmp { .. }
            | Layer::Icmpv6 { .. }
            | Layer::Vxlan { .. }
            | Layer::Fragment { .. } => 8,
            Layer::HopByHop { options } | Layer::DestinationOptions { options } => {
                2 + options.len()
            }
            Layer::Routing { data, .. } => 4 + data.len(),
            Layer::Gre { checksum, key, sequence, .. } => {
                let words = [*checksum, key.is_some(), sequence.is_some()];
                4 + 4 * words.into_iter().filter(|&present| present).count()
            }
            Layer::Raw { bytes } => bytes.len(),
        }
    }

    /// The fields that may vary, by name, in the order of the contract. Absent ones are
    /// left out.
    pub fn fields(&self) -> Vec<(&'static str, &Values)> {
        let mac = |name, mac| match mac {
            &MacAddress::Auto => None,
            MacAddress::Given(values) => Some((name, values)),
        };
        match self {
            Layer::Eth { dst, src, ethertype } => {
                let ethertype = ethertype.as_ref().map(|values| ("type", values));
                [mac("src", src), mac("dst", dst), ethertype].into_iter().flatten().collect()
            }
            Layer::Vlan { id, pcp, dei, tpid } => [("id", id), ("pcp", pcp), ("dei", dei)]
                .into_iter()
                .chain(tpid.as_ref().map(|values| ("tpid", values)))
                .collect(),
            Layer::Ipv4 { src, dst, dscp, ecn, id, ttl, protocol, df: _ } => {
                [("src", src), ("dst", dst), ("dscp", dscp), ("ecn", ecn), ("id", id), ("ttl", ttl)]
                    .into_iter()
                    .chain(protocol.as_ref().map(|values| ("protocol", values)))
                    .collect()
            }
            Layer::Ipv6 { src, dst, traffic_class, flow_label, hop_limit, next_header } => [
                ("src", src),
                ("dst", dst),
                ("traffic_class", traffic_class),
                ("flow_label", flow_label),
                ("hop_limit", hop_limit),
            ]
            .into_iter()
            .chain(next_header.as_ref().map(|values| ("next_header", values)))
            .collect(),
            Layer::Mpls { label, tc, ttl } => vec![("label", label), ("tc", tc), ("ttl", ttl)],
            Layer::Arp { op, sha, spa, tha, tpa } => [Some(("op", op)), mac("sha", sha)]
                .into_iter()
                .flatten()
                .chain([("spa", spa), ("tha", tha), ("tpa", tpa)])
                .collect(),
            Layer::Fragment { id } => vec![("id", id)],
            Layer::Gre { protocol, checksum: _, key, sequence } => {
                [("protocol", protocol), ("key", key), ("sequence", sequence)]
                    .into_iter()
                    .filter_map(|(name, values)| Some((name, values.as_ref()?)))
                    .collect()
            }
            Layer::Vxlan { vni } => vec![("vni", vni)],
            Layer::Udp { src, dst, checksum: _ } => vec![("src", src), ("dst", dst)],
            Layer::Tcp { src, dst, seq, ack, flags, window } => vec![
                ("src", src),
                ("dst", dst),
                ("seq", seq),
                ("ack", ack),
                ("flags", flags),
                ("window", window),
            ],
            Layer::Icmp { kind, code, id, seq } | Layer::Icmpv6 { kind, code, id, seq } => {
                vec![("type", kind), ("code", code), ("id", id), ("seq", seq)]
            }
            Layer::HopByHop { .. }
            | Layer::DestinationOptions { .. }
            | Layer::Routing { .. }
            | Layer::Raw { .. } => Vec::new(),
        }
    }

    /// Whether it is an IPv4 or IPv6 header.
    pub fn is_ip(&self) -> bool {
        matches!(self, Layer::Ipv4 { .. } | Layer::Ipv6 { .. })
    }

    /// Whether it is an extension header of IPv6.
    pub fn is_extension(&self) -> bool {
        use Layer::{DestinationOptions, Fragment, HopByHop, Routing};
        matches!(
            self,
            HopByHop { .. } | DestinationOptions { .. } | Routing { .. } | Fragment { .. }
        )
    }

    /// Whether the header may stand directly on `below`.
    pub fn stands_on(&self, below: &Layer) -> bool {
        use Layer::{
            Arp, DestinationOptions, Eth, Fragment, Gre, HopByHop, Icmp, Icmpv6, Ipv4, Ipv6, Mpls,
            Raw, Routing, Tcp, Udp, Vlan, Vxlan,
        };
        let on_link = matches!(below, Eth { .. } | Vlan { .. });
        let on_ip = below.is_ip() || below.is_extension();
        match self {
            Eth { .. } => matches!(below, Vxlan { .. } | Gre { .. } | Mpls { .. }),
            Vlan { .. } | Arp { .. } => on_link,
            Mpls { .. } => on_link || matches!(below, Mpls { .. } | Gre { .. }),
            Ipv4 { .. } | Ipv6 { .. } => {
                on_link || on_ip || matches!(below, Mpls { .. } | Gre { .. })
            }
            HopByHop { .. } => matches!(below, Ipv6 { .. }),
            DestinationOptions { .. } | Routing { .. } | Fragment { .. } | Icmpv6 { .. } => {
                matches!(below, Ipv6 { .. }) || below.is_extension()
            }
            Udp { .. } | Tcp { .. } | Gre { .. } => on_ip,
            Icmp { .. } => matches!(below, Ipv4 { .. }),
            Vxlan { .. } => matches!(below, Udp { .. }),
            Raw { .. } => !matches!(below, Raw { .. }),
        }
    }

    /// The outermost IP header, which decides where a frame goes: not one behind an
    /// Ethernet header that a tunnel carries.
    pub fn outermost_ip(layers: &[Layer]) -> Option<&Layer> {
        let is_eth = |layer: &&Layer| matches!(layer, Layer::Eth { .. });
        let outer = usize::from(layers.first().as_ref().is_some_and(is_eth));
        layers[outer..].iter().take_while(|layer| !is_eth(layer)).find(|layer| layer.is_ip())
    }
}

impl Values {
    /// How many frames it takes until the values repeat.
    pub fn period(&self) -> u32 {
        match self {
            Values::One(_) => 1,
            Values::List(list) => list.len() as u32,
            Values::Range { count, .. } | Values::Random { count, .. } => *count,
        }
    }

    /// The 64-bit words of the frame that change with the value: 0 when it is fixed, 2
    /// for a list of IPv6 addresses whose upper halves differ, else 1.
    fn edits(&self) -> usize {
        match self {
            Values::List(list) if list.iter().any(|value| value >> 64 != list[0] >> 64) => 2,
            values => usize::from(values.period() > 1),
        }
    }
}

/// Where the parts of a flow stand that the checks may complain about.
pub(super) struct Parts<'a> {
    /// The whole flow, for what is absent.
    pub(super) flow: &'a Node,
    pub(super) size: Option<&'a Node>,
    pub(super) vary: Option<&'a Node>,
    /// `layers`, and the fields of each.
    pub(super) stack: &'a Node,
    pub(super) layers: &'a [&'a Node],
}

/// Checks what no single key can get wrong by itself.
pub(super) fn check(flow: &Flow, parts: &Parts<'_>) -> Result<(), SpecError> {
    check_order(flow, parts)?;
    check_settings(flow, parts)?;
    check_vary(flow, parts)?;
    least::check(flow, parts)
}

fn check_order(flow: &Flow, parts: &Parts<'_>) -> Result<(), SpecError> {
    let order = "eth, then any vlan, then arp, any mpls, ipv4 or ipv6 (with hop_by_hop, destination_options, routing, fragment), then udp, tcp, icmp (on ipv4) or icmpv6 (on ipv6); gre on IP and vxlan on udp carry headers again; raw last";
    for (at, (layer, node)) in flow.layers.iter().zip(parts.layers).enumerate() {
        let problem = match at.checked_sub(1).map(|below| &flow.layers[below]) {
            None if !matches!(layer, Layer::Eth { .. }) => {
                format!("`{}` comes first", layer.name())
            }
            Some(below) if !layer.stands_on(below) => {
                format!("`{}` cannot stand on `{}`", layer.name(), below.name())
            }
            _ => continue,
        };
        return Err(node.wrong(problem, order));
    }
    for (layer, node) in flow.layers.iter().zip(parts.layers).skip(1) {
        if matches!(layer, Layer::Eth { dst: MacAddress::Auto, .. }) {
            return Err(
                node.wrong("nobody can resolve `dst` inside a tunnel", "a MAC address as `dst`")
            );
        }
    }
    let extensions = flow.layers.iter().filter(|layer| layer.is_extension()).count();
    if extensions > abi::EXTENSIONS_MAX as usize {
        return Err(parts.stack.wrong(
            format!("{extensions} extension headers"),
            format!("at most {}", abi::EXTENSIONS_MAX),
        ));
    }
    let type_twice = |pair: &[Layer]| {
        matches!(pair, [Layer::Eth { ethertype: Some(_), .. }, Layer::Vlan { tpid: Some(_), .. }])
    };
    if let Some(at) = flow.layers.windows(2).position(type_twice) {
        return Err(parts.layers[at].wrong(
            "`eth.type` and the `tpid` of the vlan on it are the same two octets",
            "one of them",
        ));
    }
    let headers: usize =
        flow.layers.iter().filter(|layer| layer.name() != "raw").map(Layer::bytes).sum();
    if headers > abi::HEADER_BYTES_MAX as usize {
        return Err(parts.stack.wrong(
            format!("the headers take {headers} octets"),
            format!("at most {}", abi::HEADER_BYTES_MAX),
        ));
    }
    Ok(())
}

fn check_settings(flow: &Flow, parts: &Parts<'_>) -> Result<(), SpecError> {
    for setting in &flow.settings {
        let (at, field) = (setting.layer, setting.field);
        let node = parts.layers[at];
        if flow.track == Track::Tag && field.hides_tag {
            return Err(node.wrong(
                format!("with its own `{}` no receiver finds the tag", field.key),
                "the computed one, or track = \"count\" or \"none\"",
            ));
        }
        let over = flow.layers.get(at + 1);
        if field.key == "type" && matches!(over, Some(Layer::Vlan { tpid: Some(_), .. })) {
            return Err(node.wrong(
                "its `type` and the `tpid` of the vlan on it are the same two octets",
                "one of them",
            ));
        }
        let summed = matches!(flow.layers[at], Layer::Gre { checksum: true, .. });
        if field.key == "reserved1" && field.layer == "gre" && !summed {
            return Err(
                node.wrong("`reserved1` without a checksum", "`reserved1` with checksum = true")
            );
        }
    }
    Ok(())
}

fn check_vary(flow: &Flow, parts: &Parts<'_>) -> Result<(), SpecError> {
    let varying: Vec<_> = flow
        .layers
        .iter()
        .flat_map(|layer| {
            layer.fields().into_iter().map(move |(name, values)| (layer.name(), name, values))
        })
        .chain(flow.settings.iter().filter_map(|setting| {
            Some((setting.field.layer, setting.field.key, setting.values()?))
        }))
        .filter(|(_, _, values)| values.period() > 1)
        .collect();
    let mut edits: usize = varying.iter().map(|(_, _, values)| values.edits()).sum();
    if flow.resolves_destination() && flow.destination().is_some_and(|dst| dst.period() > 1) {
        edits += 1; // the MAC address follows the address that it was resolved for
    }
    if edits > abi::EDITS_MAX as usize {
        return Err(parts.stack.wrong(
            format!("{edits} words of the frame vary"),
            format!("at most {}; fix some fields", abi::EDITS_MAX),
        ));
    }
    let vary = parts.vary.unwrap_or(parts.flow);
    match flow.vary {
        Vary::Independent | Vary::Random => Ok(()),
        Vary::Zip => {
            let period = |(_, _, values): &(&str, &str, &Values)| values.period();
            let first = varying.first();
            match varying
                .iter()
                .find(|field| first.is_some_and(|first| period(first) != period(field)))
            {
                Some(odd) => {
                    let first = first.unwrap_or(odd);
                    Err(vary.wrong(
                        format!(
                            "zip joins {}.{} with {} values and {}.{} with {}",
                            first.0,
                            first.1,
                            period(first),
                            odd.0,
                            odd.1,
                            period(odd)
                        ),
                        "fields of equal periods",
                    ))
                }
                None => Ok(()),
            }
        }
        Vary::Product => {
            let product = varying
                .iter()
                .try_fold(1_u32, |product, field| product.checked_mul(field.2.period()));
            product.map(|_| ()).ok_or_else(|| {
                vary.wrong(
                    "the product of the periods of the varying fields is too large",
                    format!("at most {} combinations; use fewer values", u32::MAX),
                )
            })
        }
    }
}

impl Flow {
    /// The destination addresses of the outermost L3 header, if there is one.
    pub fn destination(&self) -> Option<&Values> {
        match Layer::outermost_ip(&self.layers)? {
            Layer::Ipv4 { dst, .. } | Layer::Ipv6 { dst, .. } => Some(dst),
            _ => None,
        }
    }

    /// Whether ARP or ND must find the destination MAC address.
    pub fn resolves_destination(&self) -> bool {
        matches!(self.layers.first(), Some(Layer::Eth { dst: MacAddress::Auto, .. }))
    }
}
