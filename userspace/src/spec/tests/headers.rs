//! Errors about layers and their fields: what is written, and what is said.

use super::{about_layers, error, expect, file, said};
use crate::spec::Spec;

#[test]
fn a_size_that_cannot_hold_headers_and_tag_names_the_least_and_the_way_out() {
    let six =
        r#"layers = [{eth = {}}, {ipv6 = {src = "::1", dst = "::2"}}, {tcp = {src = 1, dst = 2}}]"#;
    expect(
        &said(&error(&file(&format!("size = [128, 80]\n{six}")))),
        "flow[0].size: a frame of 80 octets cannot hold its headers of 74, tag of 14 and FCS of 4 octets",
        "size 92 to 9216; or from 78 on track = \"count\"",
    );
    expect(
        &said(&error(&file(six))),
        "flow[0]: a frame of 64 octets (the default) cannot hold its headers",
        "size 92 to 9216",
    );
    expect(
        &said(&error(&file(&format!("track = \"none\"\n{six}")))),
        "flow[0]: a frame of 64 octets (the default) cannot hold its headers of 74 and FCS of 4 octets",
        "size 78 to 9216",
    );
}

#[test]
fn wrong_fields_are_named() {
    let vlan = |field: &str| about_layers(&format!("{{eth = {{}}}}, {{vlan = {field}}}"));
    for (field, start, allowed) in [
        ("{id = 5000}", "vlan.id: 5000 is over 4095", "0 to 4095"),
        ("{id = \"0x1000\"}", "vlan.id: 4096 is over 4095", "0 to 4095"),
        ("{id = -1}", "vlan.id: -1 is below 0", "0 to 4095"),
        ("{id = \"-1\"}", "vlan.id: \"-1\" does not fit", "0 to 4095"),
        ("{id = \"0x+1\"}", "vlan.id: \"0x+1\" does not fit", "0 to 4095"),
        ("{id = 1.5}", "vlan.id: 1.5 does not fit", "0 to 4095"),
        ("{id = true}", "vlan.id: true does not fit", "0 to 4095"),
        ("{id = [1, 2]}", "vlan.id: a bare list does not fit", "{list = [...]}"),
        ("{id = {}}", "vlan.id: a field takes exactly one of", "{list = [...]}"),
        (
            "{id = {list = [1], range = \"1-2\"}}",
            "vlan.id: a field takes exactly one of",
            "{random = \"a-b\"",
        ),
        ("{id = {list = []}}", "vlan.id.list: a list of 0 values", "1 to 65536 values"),
        ("{id = {list = 7}}", "vlan.id.list: 7 does not fit", "1 to 65536 values"),
        ("{id = {list = [1, 9999]}}", "vlan.id.list[1]: 9999 is over 4095", "0 to 4095"),
        ("{id = {range = \"1-4096\"}}", "vlan.id.range: 4096 is over 4095", "0 to 4095"),
        ("{id = {range = 7}}", "vlan.id.range: 7 does not fit", "\"a-b\" with both ends"),
        (
            "{id = {range = \"1..5\"}}",
            "vlan.id.range: \"1..5\" does not fit",
            "\"a-b\" with both ends",
        ),
        ("{id = {range = \"1-\"}}", "vlan.id.range: \"\" does not fit", "0 to 4095"),
        (
            "{id = {range = \"9-5\"}}",
            "vlan.id.range: the range \"9-5\" runs backward, but its step is positive",
            "a negative one",
        ),
        (
            "{id = {range = \"5-9\", step = -1}}",
            "vlan.id.range: the range \"5-9\" runs forward, but its step is negative",
            "a negative one",
        ),
        ("{id = {range = \"5-9\", step = 0}}", "vlan.id.step: a step of 0", "above or below 0"),
        (
            "{id = {range = \"5-9\", step = \"x\"}}",
            "vlan.id.step: \"x\" does not fit",
            "-9223372036854775808 to",
        ),
        (
            "{id = {random = \"9-5\"}}",
            "vlan.id.random: the range \"9-5\" runs backward",
            "the lower end first",
        ),
        ("{id = {random = \"5-9\", count = 0}}", "vlan.id.count: 0 is below 1", "1 to 4294967295"),
        (
            "{id = {random = \"5-9\", seed = -1}}",
            "vlan.id.seed: -1 is below 0",
            "0 to 18446744073709551615",
        ),
        ("{id = 1, pcp = 8}", "vlan.pcp: 8 is over 7", "0 to 7"),
        ("{id = 1, dei = 2}", "vlan.dei: 2 is over 1", "0 to 1"),
        ("{id = 1, tpid = 65536}", "vlan.tpid: 65536 is over 65535", "0 to 65535"),
    ] {
        expect(&vlan(field), &format!("flow[0].layers[1].{start}"), allowed);
    }
    let eth = |field: &str| about_layers(&format!("{{eth = {{{field}}}}}"));
    for field in [
        "\"02:00\"",
        "\"02-00-00-00-00-01\"",
        "\"2:0:0:0:0:1\"",
        "\"02:00:00:00:00:0g\"",
        "\"+2:00:00:00:00:01\"",
        "7",
        "\"own\"",
    ] {
        expect(&eth(&format!("src = {field}")), "flow[0].layers[0].eth.src: ", "a MAC address");
    }
    expect(&eth("type = 65536"), "flow[0].layers[0].eth.type: 65536 is over 65535", "0 to 65535");
    expect(
        &eth("src = {range = \"00:00:00:00:00:00-ff:ff:ff:ff:ff:ff\"}"),
        "flow[0].layers[0].eth.src.range: the range \"00:00:00:00:00:00-ff:ff:ff:ff:ff:ff\" has 281474976710656 values",
        "at most 4294967295; give a larger step",
    );
}

#[test]
fn every_field_has_the_limit_of_its_bits() {
    let four = |field: &str| {
        format!("{{eth = {{}}}}, {{ipv4 = {{src = \"0.0.0.1\", dst = \"0.0.0.2\", {field}}}}}")
    };
    let six = |field: &str| {
        format!("{{eth = {{}}}}, {{ipv6 = {{src = \"::1\", dst = \"::2\", {field}}}}}")
    };
    let on_four = |layer: &str| four("ttl = 1") + ", " + layer;
    let on_six = |layer: &str| six("hop_limit = 1") + ", " + layer;
    for (layers, key, most) in [
        (four("dscp = 64"), "layers[1].ipv4.dscp", 63),
        (four("ecn = 4"), "layers[1].ipv4.ecn", 3),
        (four("id = 65536"), "layers[1].ipv4.id", 65_535),
        (four("ttl = 256"), "layers[1].ipv4.ttl", 255),
        (four("protocol = 256"), "layers[1].ipv4.protocol", 255),
        (six("traffic_class = 256"), "layers[1].ipv6.traffic_class", 255),
        (six("flow_label = 1048576"), "layers[1].ipv6.flow_label", 1_048_575),
        (six("hop_limit = 256"), "layers[1].ipv6.hop_limit", 255),
        (six("next_header = 256"), "layers[1].ipv6.next_header", 255),
        (on_four("{udp = {src = 65536, dst = 1}}"), "layers[2].udp.src", 65_535),
        (on_four("{udp = {src = 1, dst = 65536}}"), "layers[2].udp.dst", 65_535),
        (on_four("{udp = {src = 1, dst = 1, checksum = 65536}}"), "layers[2].udp.checksum", 65_535),
        (on_four("{tcp = {src = 65536, dst = 1}}"), "layers[2].tcp.src", 65_535),
        (
            on_four("{tcp = {src = 1, dst = 1, seq = 4294967296}}"),
            "layers[2].tcp.seq",
            4_294_967_295,
        ),
        (
            on_four("{tcp = {src = 1, dst = 1, ack = 4294967296}}"),
            "layers[2].tcp.ack",
            4_294_967_295,
        ),
        (on_four("{tcp = {src = 1, dst = 1, flags = 256}}"), "layers[2].tcp.flags", 255),
        (on_four("{tcp = {src = 1, dst = 1, window = 65536}}"), "layers[2].tcp.window", 65_535),
        (on_four("{icmp = {type = 256}}"), "layers[2].icmp.type", 255),
        (on_four("{icmp = {code = 256}}"), "layers[2].icmp.code", 255),
        (on_four("{icmp = {id = 65536}}"), "layers[2].icmp.id", 65_535),
        (on_four("{icmp = {seq = 65536}}"), "layers[2].icmp.seq", 65_535),
        (on_six("{icmpv6 = {type = 256}}"), "layers[2].icmpv6.type", 255),
        (on_six("{icmpv6 = {id = 65536}}"), "layers[2].icmpv6.id", 65_535),
    ] {
        let start = format!("flow[0].{key}: {} is over {most}", most + 1_u64);
        expect(&about_layers(&layers), &start, &format!("0 to {most}"));
    }
    expect(
        &about_layers(&four("df = 2")),
        "flow[0].layers[1].ipv4.df: 2 does not fit",
        "true or false",
    );
    expect(
        &about_layers(&on_four("{udp = {src = 1, dst = 1, checksum = \"none\"}}")),
        "flow[0].layers[2].udp.checksum: \"none\" does not fit",
        "\"auto\", \"bad\" or 0 to 65535",
    );
    for hex in ["\"\"", "\"abc\"", "\"zz\"", "7", "\"+1\""] {
        let layers = on_four(&format!("{{raw = {{hex = {hex}}}}}"));
        expect(
            &about_layers(&layers),
            "flow[0].layers[2].raw.hex: ",
            "pairs of hexadecimal digits",
        );
    }
}

#[test]
fn addresses_of_the_wrong_family_are_refused() {
    for (layer, start, allowed) in [
        (
            "{ipv4 = {src = \"::1\", dst = \"0.0.0.1\"}}",
            "ipv4.src: \"::1\" does not fit",
            "an IPv4 address",
        ),
        (
            "{ipv4 = {src = \"0.0.0.1\", dst = \"1.2.3\"}}",
            "ipv4.dst: \"1.2.3\" does not fit",
            "an IPv4 address",
        ),
        ("{ipv4 = {src = \"0.0.0.1\", dst = 7}}", "ipv4.dst: 7 does not fit", "an IPv4 address"),
        (
            "{ipv4 = {src = \"0.0.0.1/24\", dst = \"0.0.0.1\"}}",
            "ipv4.src: \"0.0.0.1/24\" does not fit",
            "an IPv4 address",
        ),
        (
            "{ipv6 = {src = \"1.2.3.4\", dst = \"::1\"}}",
            "ipv6.src: \"1.2.3.4\" does not fit",
            "an IPv6 address",
        ),
        (
            "{ipv6 = {src = {range = \"2001:2::1-2001:2:0:1::1\", step = 4611686018427387904}, dst = \"::1\"}}",
            "ipv6.src.range: the range \"2001:2::1-2001:2:0:1::1\" varies the upper 64 bits",
            "share their first 64 bits",
        ),
        (
            "{ipv6 = {src = \"::1\", dst = {random = \"::-1::\"}}}",
            "ipv6.dst.random: the range \"::-1::\" varies the upper 64 bits",
            "or a `list` of addresses",
        ),
    ] {
        expect(
            &about_layers(&format!("{{eth = {{}}}}, {layer}")),
            &format!("flow[0].layers[1].{start}"),
            allowed,
        );
    }
}

#[test]
fn headers_must_be_able_to_stand_on_each_other() {
    let (eth, vlan) = ("{eth = {dst = \"02:00:00:00:00:01\"}}", "{vlan = {id = 1}}");
    let (v4, v6) = (
        r#"{ipv4 = {src = "0.0.0.1", dst = "0.0.0.2"}}"#,
        r#"{ipv6 = {src = "::1", dst = "::2"}}"#,
    );
    let (udp, raw) = ("{udp = {src = 1, dst = 2}}", "{raw = {hex = \"00\"}}");
    let (icmp, icmp6) = ("{icmp = {}}", "{icmpv6 = {}}");
    for (stack, at, problem) in [
        ([v4, udp].as_slice(), "[0].ipv4", "`ipv4` comes first"),
        (&[eth, eth], "[1].eth", "`eth` cannot stand on `eth`"),
        (&[eth, udp], "[1].udp", "`udp` cannot stand on `eth`"),
        (&[eth, v4, vlan], "[2].vlan", "`vlan` cannot stand on `ipv4`"),
        (&[eth, v4, udp, udp], "[3].udp", "`udp` cannot stand on `udp`"),
        (&[eth, v6, icmp], "[2].icmp", "`icmp` cannot stand on `ipv6`"),
        (&[eth, v4, icmp6], "[2].icmpv6", "`icmpv6` cannot stand on `ipv4`"),
        (&[eth, raw, v4], "[2].ipv4", "`ipv4` cannot stand on `raw`"),
        (&[eth, v4, raw, raw], "[3].raw", "`raw` cannot stand on `raw`"),
    ] {
        expect(
            &about_layers(&stack.join(", ")),
            &format!("flow[0].layers{at}: {problem}"),
            "eth, then any vlan",
        );
    }
    for stack in [
        [eth].as_slice(),
        &[eth, raw],
        &[eth, vlan, raw],
        &[eth, v4],
        &[eth, vlan, vlan, v6, icmp6, raw],
    ] {
        let text = file(&format!("size = 128\nlayers = [{}]", stack.join(", ")));
        assert!(Spec::from_toml(&text).is_ok(), "{stack:?}");
    }
    expect(
        &about_layers(&format!("{{eth = {{type = 5}}}}, {{vlan = {{id = 1, tpid = 6}}}}, {v4}")),
        "flow[0].layers[0].eth: `eth.type` and the `tpid` of the vlan on it are the same two octets",
        "one of them",
    );
    let many =
        [eth].into_iter().chain(std::iter::repeat_n(vlan, 61)).collect::<Vec<_>>().join(", ");
    expect(&about_layers(&many), "flow[0].layers: the headers take 258 octets", "at most 256");
    expect(&about_layers(""), "flow[0].layers: no layer at all", "begins with {eth = {}}");
    expect(&about_layers("{}"), "flow[0].layers[0]: 0 layers in one entry", "one of eth, vlan");
    expect(
        &about_layers("{eth = {}, udp = {}}"),
        "flow[0].layers[0]: 2 layers in one entry",
        "one of eth, vlan",
    );
    expect(
        &about_layers("\"eth\""),
        "flow[0].layers[0]: \"eth\" does not fit",
        "a table of one layer",
    );
    expect(
        &about_layers("{eth = 1}"),
        "flow[0].layers[0].eth: 1 does not fit",
        "a table of src, dst, type",
    );
    expect(
        &said(&error(&file("layers = {}"))),
        "flow[0].layers: a table does not fit",
        "outermost first",
    );
}

#[test]
fn what_varies_together_must_fit_together() {
    let stack = |vary: &str, src: &str, dst: &str| {
        said(&error(&file(&format!(
            "vary = \"{vary}\"\nlayers = [{{eth = {{}}}}, {{ipv4 = {{src = \"0.0.0.1\", dst = {{range = \"10.0.0.0-10.255.255.255\"}}}}}}, {{udp = {{src = {src}, dst = {dst}}}}}]"
        ))))
    };
    expect(
        &stack("zip", "{range = \"1-9\"}", "7"),
        "flow[0].vary: zip joins ipv4.dst with 16777216 values and udp.src with 9",
        "fields of equal periods",
    );
    expect(
        &stack("product", "{range = \"0-255\"}", "{list = [1, 2]}"),
        "flow[0].vary: the product of the periods of the varying fields is too large",
        "at most 4294967295 combinations",
    );
    let vlans = |values: usize| {
        let vlan =
            "{vlan = {id = {range = \"1-9\"}, pcp = {range = \"0-7\"}, dei = {range = \"0-1\"}}}";
        let vlans = [vlan; 10].join(", ");
        let list: Vec<_> = (0..values).map(|at| format!("\"2001:2:0:{at}::1\"")).collect();
        file(&format!(
            "size = 256\nlayers = [{{eth = {{}}}}, {vlans}, {{ipv6 = {{src = {{list = [{}]}}, dst = \"::2\", flow_label = {{range = \"0-9\"}}}}}}]",
            list.join(", ")
        ))
    };
    assert!(Spec::from_toml(&vlans(1)).is_ok(), "31 words");
    expect(&said(&error(&vlans(2))), "flow[0].layers: 33 words of the frame vary", "at most 32");
}

#[test]
fn without_an_ip_header_macs_must_be_given() {
    expect(
        &about_layers("{eth = {}}, {raw = {hex = \"00\"}}"),
        "flow[0].layers[0].eth: without an IP header nobody can resolve `dst`",
        "a MAC address as `dst`",
    );
    let text = file("bidir = true\nlayers = [{eth = {dst = \"02:00:00:00:00:01\"}}]");
    expect(
        &said(&error(&text)),
        "flow[0].layers[0].eth: `bidir` without an IP header, or with `eth` inside a tunnel, cannot resolve the way back",
        "a MAC address as `src` too",
    );
    let both = "bidir = true\nlayers = [{eth = {dst = \"02:00:00:00:00:01\", src = \"02:00:00:00:00:02\"}}]";
    assert!(Spec::from_toml(&file(both)).is_ok());
}
