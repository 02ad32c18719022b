//! What RFC 6815 warns of.

use crate::{
    nic::{PortName, has_default_route, port_info},
    spec::{Layer, SuiteSpec, Values},
};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Sentences about a suite that may reach more than a laboratory.
pub fn warnings(suite: &SuiteSpec) -> Vec<String> {
    // A file that cannot be read is an error elsewhere.
    let file = suite.flows.as_ref().and_then(|flows| flows.read().ok());
    let layers = file.iter().flat_map(|file| &file.flows).flat_map(|flow| &flow.layers);
    let strangers = layers.filter_map(stranger).take(1);
    let strangers = strangers.map(|address| {
        format!(
            "warning: {address} is outside of 198.18.0.0/15 and 2001:2::/48; these tests are not \
             for networks that others use (RFC 6815)"
        )
    });
    let ports = file.as_ref().map_or(&suite.ports, |file| &file.ports);
    let routed = ports.iter().filter(|port| {
        let name = port.interface.parse::<PortName>();
        // Ports that are not there are an error elsewhere.
        name.and_then(|name| has_default_route(&port_info(&name)?)).unwrap_or(false)
    });
    let routed = routed.map(|port| {
        format!(
            "warning: the default route leads to {}; these tests are not for networks that \
             others use (RFC 6815)",
            port.name
        )
    });
    strangers.chain(routed).collect()
}

/// An address of the layer that is not set aside for benchmarks.
fn stranger(layer: &Layer) -> Option<String> {
    match layer {
        Layer::Ipv4 { src, dst, .. } => [src, dst].into_iter().flat_map(ends).find_map(|address| {
            let address = address as u32;
            // 198.18.0.0/15 (RFC 2544 appendix C.2.2, corrected by RFC 6815).
            (address >> 17 != 0xc612 >> 1).then(|| Ipv4Addr::from(address).to_string())
        }),
        Layer::Ipv6 { src, dst, .. } => [src, dst].into_iter().flat_map(ends).find_map(|address| {
            // 2001:2::/48 (RFC 5180, erratum 1752).
            (address >> 80 != 0x2001_0002_0000).then(|| Ipv6Addr::from(address).to_string())
        }),
        _ => None,
    }
}

/// The values between which all others lie, or all of them.
fn ends(values: &Values) -> Vec<u128> {
    match values {
        Values::One(value) => vec![*value],
        Values::List(values) => values.clone(),
        Values::Range { first, step, count } => {
            let last = i128::from(count.saturating_sub(1)).wrapping_mul(*step);
            vec![*first, first.wrapping_add_signed(last)]
        }
        Values::Random { low, high, .. } => vec![*low, *high],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Spec;

    fn warned(src: &str, dst: &str) -> bool {
        let layer = if src.contains(':') { "ipv6" } else { "ipv4" };
        let text = format!(
            "[[flow]]\nname = \"f\"\ntx = \"a\"\nrx = \"b\"\nsize = 128\nlayers = [{{eth = {{}}}}, {{{layer} = {{src = {src}, dst = {dst}}}}}, {{udp = {{src = 1, dst = 7}}}}]"
        );
        let spec = Spec::from_toml(&text).unwrap();
        spec.flows[0].layers.iter().any(|layer| stranger(layer).is_some())
    }

    #[test]
    fn addresses_set_aside_for_benchmarks_are_no_reason_to_warn() {
        for (src, dst, strange) in [
            ("\"198.18.0.0\"", "\"198.19.255.255\"", false),
            ("\"198.17.255.255\"", "\"198.19.0.1\"", true),
            ("\"198.18.0.1\"", "\"198.20.0.0\"", true),
            ("\"198.18.0.1\"", "{range = \"198.19.255.250-198.20.0.5\"}", true),
            ("\"198.18.0.1\"", "{list = [\"198.18.0.2\", \"10.0.0.1\"]}", true),
            ("\"2001:2::1\"", "\"2001:2:0:ffff::1\"", false),
            ("\"2001:2::1\"", "\"2001:db8::1\"", true),
        ] {
            assert_eq!(warned(src, dst), strange, "{src} to {dst}");
        }
    }
}
