//! Every field of every layer, in every form.

use super::layered;
use crate::spec::*;
use Values::One;

fn layers(list: &str) -> Vec<Layer> {
    layered(&format!("size = 128\nlayers = [{list}]")).layers
}

/// The destination port values of a field written so.
fn field(text: &str) -> Values {
    let stack = r#"{eth = {}}, {ipv4 = {src = "198.18.0.2", dst = "198.19.0.2"}}"#;
    match layers(&format!("{stack}, {{udp = {{src = 1, dst = {text}}}}}")).pop() {
        Some(Layer::Udp { dst, .. }) => dst,
        other => panic!("{other:?}"),
    }
}

#[test]
fn fields_take_values_lists_ranges_and_random_sets() {
    let range = |first, step, count| Values::Range { first, step, count };
    let random = |low, high, seed, count| Values::Random { low, high, seed, count };
    for (text, values) in [
        ("7", One(7)),
        ("\"7\"", One(7)),
        ("0x11", One(17)),
        ("\"0x11\"", One(17)),
        ("65535", One(65_535)),
        ("{list = [7, \"9\", 53, 7]}", Values::List(vec![7, 9, 53, 7])),
        ("{list = [7]}", One(7)),
        ("{range = \"100-599\"}", range(100, 1, 500)),
        ("{range = \"1-10\", step = 3}", range(1, 3, 4)),
        ("{range = \"1-9\", step = 3}", range(1, 3, 3)),
        ("{range = \"10-1\", step = -3}", range(10, -3, 4)),
        ("{range = \"0x10 - 0x1f\", step = \"5\"}", range(16, 5, 4)),
        ("{range = \"5-5\"}", One(5)),
        ("{range = \"5-5\", step = -1}", One(5)),
        ("{range = \"1-5\", step = 100}", One(1)),
        ("{random = \"1-5\", seed = 9}", random(1, 5, 9, 65_536)),
        ("{random = \"1-5\", seed = 9, count = 100}", random(1, 5, 9, 100)),
        ("{random = \"5-5\", seed = 9}", One(5)),
    ] {
        assert_eq!(field(text), values, "{text}");
    }
}

#[test]
fn addresses_are_numbers_in_host_order() {
    let [Layer::Eth { dst, src, .. }, Layer::Ipv4 { src: from, dst: to, .. }] = &layers(
        r#"{eth = {dst = "02:00:00:00:00:fF", src = {range = "02:00:00:00:00:01-02:00:00:00:00:09", step = 4}}},
           {ipv4 = {src = {list = ["10.0.0.1", "10.0.0.9"]}, dst = {range = "198.18.1.1-198.18.1.254", step = 3}}}"#,
    )[..] else {
        panic!("two layers")
    };
    let first = 0x0200_0000_0001;
    assert_eq!(*dst, MacAddress::Given(One(0x0200_0000_00ff)));
    assert_eq!(*src, MacAddress::Given(Values::Range { first, step: 4, count: 3 }));
    assert_eq!(*from, Values::List(vec![0x0a00_0001, 0x0a00_0009]));
    assert_eq!(*to, Values::Range { first: 0xc612_0101, step: 3, count: 85 });

    let [_, Layer::Ipv6 { src, dst, .. }] = &layers(
        r#"{eth = {dst = "auto", src = "auto"}},
           {ipv6 = {src = {list = ["2001:2::1", "2001:2:0:8000::1"]}, dst = {range = "2001:2::1-2001:2::ffff:0:0:1", step = "0x100000000"}}}"#,
    )[..] else {
        panic!("two layers")
    };
    let net = 0x2001_0002_u128 << 96;
    assert_eq!(*src, Values::List(vec![net + 1, net + (0x8000 << 64) + 1]));
    assert_eq!(*dst, Values::Range { first: net + 1, step: 1 << 32, count: 0xffff_0001 });
}

#[test]
fn every_field_of_every_layer() {
    let all = layers(
        r#"{eth = {dst = "02:00:00:00:00:01", src = "02:00:00:00:00:02", type = 0x88a8}},
           {vlan = {id = 1, pcp = 2, dei = 1}},
           {vlan = {id = 4095, pcp = 7, dei = 0, tpid = 0x9100}},
           {ipv4 = {src = "1.2.3.4", dst = "4.3.2.1", dscp = 46, ecn = 3, id = 5, ttl = 255, protocol = 99, df = true}},
           {tcp = {src = 1, dst = 2, seq = 4294967295, ack = 4, flags = 0x02, window = 6}},
           {raw = {hex = "dead BEEF"}}"#,
    );
    assert_eq!(
        all,
        [
            Layer::Eth {
                dst: MacAddress::Given(One(0x0200_0000_0001)),
                src: MacAddress::Given(One(0x0200_0000_0002)),
                ethertype: Some(One(0x88a8)),
            },
            Layer::Vlan { id: One(1), pcp: One(2), dei: One(1), tpid: None },
            Layer::Vlan { id: One(4095), pcp: One(7), dei: One(0), tpid: Some(One(0x9100)) },
            Layer::Ipv4 {
                src: One(0x0102_0304),
                dst: One(0x0403_0201),
                dscp: One(46),
                ecn: One(3),
                id: One(5),
                df: true,
                ttl: One(255),
                protocol: Some(One(99)),
            },
            Layer::Tcp {
                src: One(1),
                dst: One(2),
                seq: One(0xffff_ffff),
                ack: One(4),
                flags: One(2),
                window: One(6),
            },
            Layer::Raw { bytes: vec![0xde, 0xad, 0xbe, 0xef] },
        ]
    );
    let six = layers(
        r#"{eth = {}},
           {ipv6 = {src = "::1", dst = "::2", traffic_class = 255, flow_label = 1048575, hop_limit = 1, next_header = 17}},
           {icmpv6 = {type = 129, code = 1, id = 2, seq = {range = "0-9"}}}"#,
    );
    let ten = Values::Range { first: 0, step: 1, count: 10 };
    assert_eq!(
        six[1..],
        [
            Layer::Ipv6 {
                src: One(1),
                dst: One(2),
                traffic_class: One(255),
                flow_label: One(1_048_575),
                hop_limit: One(1),
                next_header: Some(One(17)),
            },
            Layer::Icmpv6 { kind: One(129), code: One(1), id: One(2), seq: ten },
        ]
    );
}

#[test]
fn absent_fields_have_their_defaults() {
    let ipv6 = r#"{eth = {}}, {ipv6 = {src = "::1", dst = "::2"}}"#;
    let ipv4 = r#"{eth = {}}, {vlan = {id = 5}}, {ipv4 = {src = "0.0.0.1", dst = "0.0.0.2"}}"#;
    let zero = || One(0);
    let top = |stack: &str, layer: &str| layers(&format!("{stack}, {layer}")).pop().unwrap();
    assert_eq!(
        layers(ipv6)[1],
        Layer::Ipv6 {
            src: One(1),
            dst: One(2),
            traffic_class: zero(),
            flow_label: zero(),
            hop_limit: One(64),
            next_header: None,
        }
    );
    assert_eq!(layers(ipv4)[1], Layer::Vlan { id: One(5), pcp: zero(), dei: zero(), tpid: None });
    assert_eq!(
        top(ipv4, "{tcp = {src = 1, dst = 2}}"),
        Layer::Tcp {
            src: One(1),
            dst: One(2),
            seq: zero(),
            ack: zero(),
            flags: One(16),
            window: One(65_535)
        }
    );
    assert_eq!(
        top(ipv4, "{icmp = {}}"),
        Layer::Icmp { kind: One(8), code: zero(), id: zero(), seq: zero() }
    );
    assert_eq!(
        top(ipv6, "{icmpv6 = {}}"),
        Layer::Icmpv6 { kind: One(128), code: zero(), id: zero(), seq: zero() }
    );
    for (text, checksum) in [
        ("\"auto\"", UdpChecksum::Auto),
        ("0", UdpChecksum::Fixed(0)),
        ("0xbeef", UdpChecksum::Fixed(0xbeef)),
    ] {
        let udp = format!("{{udp = {{src = 1, dst = 2, checksum = {text}}}}}");
        assert_eq!(top(ipv6, &udp), Layer::Udp { src: One(1), dst: One(2), checksum });
    }
}

#[test]
fn two_random_fields_without_seeds_do_not_walk_in_step() {
    let seeds = || {
        let udp = r#"{udp = {src = {random = "1-9"}, dst = {random = "1-9"}}}"#;
        let stack = r#"{eth = {}}, {ipv4 = {src = "198.18.0.2", dst = "198.19.0.2"}}"#;
        match layers(&format!("{stack}, {udp}")).pop() {
            Some(Layer::Udp {
                src: Values::Random { seed: src, .. },
                dst: Values::Random { seed: dst, .. },
                ..
            }) => (src, dst),
            other => panic!("{other:?}"),
        }
    };
    let (src, dst) = seeds();
    assert_ne!(src, dst);
    assert_eq!(seeds(), (src, dst), "the same file gives the same frames");
}
