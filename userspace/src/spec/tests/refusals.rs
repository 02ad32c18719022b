//! Errors about files, ports and the keys of a flow: what is written, and what is said.

use super::{LAYERS, about, about_layers, error, expect, file, said};
use crate::spec::{Spec, Track};

#[test]
fn unknown_keys_are_named_with_what_is_known() {
    for (text, start, allowed) in [
        ("flows = 1", "flows: unknown key `flows`", "ports, defaults, flow"),
        (
            "ports = {a = {iface = \"x\"}}",
            "ports.a.iface: unknown key `iface`",
            "if, addr, gw, line",
        ),
        (
            "defaults = {rat = \"1%\"}\nflow = []",
            "defaults.rat: unknown key `rat`",
            "name, repeat, tx",
        ),
    ] {
        expect(&said(&error(text)), start, allowed);
    }
    for (lines, start, allowed) in [
        ("rates = \"1%\"", "flow[0].rates: unknown key `rates`", "bidir, rate, size"),
        (
            "size = {rnge = \"1-2\"}",
            "flow[0].size.rnge: unknown key `rnge`",
            "range, step, random, seed, count, weights",
        ),
        (
            "size = {weights = {64 = 1}, step = 2}",
            "flow[0].size.step: unknown key `step`",
            "weights",
        ),
        (
            "burst = {frames = 1, gap = \"1s\", count = 3}",
            "flow[0].burst.count: unknown key",
            "frames, gap, repeat",
        ),
        (
            "expect = {p90 = \"1us\"}",
            "flow[0].expect.p90: unknown key `p90`",
            "loss, p50, p99, p999, max, outage",
        ),
    ] {
        expect(&about(lines), start, allowed);
    }
    for (layer, start, allowed) in [
        ("{eth = {dest = 1}}", "flow[0].layers[0].eth.dest: unknown key `dest`", "src, dst, type"),
        (
            "{eth = {}}, {vlan = {vid = 1}}",
            "flow[0].layers[1].vlan.vid: unknown key",
            "id, pcp, dei, tpid",
        ),
        (
            "{eth = {}}, {ipv4 = {tos = 1}}",
            "flow[0].layers[1].ipv4.tos: unknown key",
            "dscp, ecn, id, ttl, protocol, df",
        ),
        (
            "{eth = {}}, {ipv6 = {ttl = 1}}",
            "flow[0].layers[1].ipv6.ttl: unknown key",
            "hop_limit, next_header",
        ),
        (
            "{eth = {}}, {udp = {len = 1}}",
            "flow[0].layers[1].udp.len: unknown key",
            "src, dst, checksum",
        ),
        (
            "{eth = {}}, {tcp = {urg = 1}}",
            "flow[0].layers[1].tcp.urg: unknown key",
            "flags, window",
        ),
        (
            "{eth = {}}, {icmp = {kind = 1}}",
            "flow[0].layers[1].icmp.kind: unknown key",
            "type, code, id, seq",
        ),
        ("{eth = {}}, {raw = {text = \"a\"}}", "flow[0].layers[1].raw.text: unknown key", "hex"),
        (
            "{eth = {}}, {ip = {}}",
            "flow[0].layers[1].ip: unknown layer `ip`",
            "eth, vlan, mpls, arp, ipv4, ipv6, hop_by_hop, destination_options, routing, fragment, gre, vxlan, udp, tcp, icmp, icmpv6, raw",
        ),
        (
            "{eth = {}}, {vlan = {id = {lst = [1]}}}",
            "flow[0].layers[1].vlan.id.lst: unknown key",
            "list, range, step, random, seed, count",
        ),
        (
            "{eth = {}}, {vlan = {id = {list = [1], step = 2}}}",
            "flow[0].layers[1].vlan.id.step: unknown key",
            "list",
        ),
        (
            "{eth = {}}, {vlan = {id = {range = \"1-2\", seed = 2}}}",
            "flow[0].layers[1].vlan.id.seed: unknown key",
            "range, step",
        ),
        (
            "{eth = {}}, {vlan = {id = {random = \"1-2\", step = 2}}}",
            "flow[0].layers[1].vlan.id.step: unknown key",
            "random, seed, count",
        ),
    ] {
        expect(&about_layers(layer), start, allowed);
    }
}

#[test]
fn rates_and_spacings_that_contradict_are_named() {
    let schedule = |steps: &str| about(&format!("schedule = [{steps}]"));
    let start = "{at = \"0s\", rate = \"1kpps\"}";
    for (said, begin, allowed) in [
        (schedule(""), "flow[0].schedule: no step at all", "a list of steps"),
        (
            schedule("{at = \"1s\", rate = \"1kpps\"}"),
            "flow[0].schedule[0].at: the first step is not at the start",
            "at = \"0s\"",
        ),
        (
            schedule(&format!("{start}, {start}")),
            "flow[0].schedule[1].at: the step does not come after",
            "in order of time",
        ),
        (
            schedule(
                "{at = \"0s\", rate = \"9pps\", ramp = \"3s\"}, {at = \"2s\", rate = \"1pps\"}",
            ),
            "flow[0].schedule[1].at: the step does not come after",
            "in order of time",
        ),
        (
            schedule("{at = \"0s\", rate = \"max\"}"),
            "flow[0].schedule[0].rate: \"max\" is no rate to keep",
            "a rate in pps",
        ),
        (
            about(&format!("schedule = [{start}]\nburst = {{frames = 2, gap = \"1ms\"}}")),
            "flow[0].burst: `burst` beside `schedule`",
            "a fixed `rate`",
        ),
        (
            about("rate = \"1kpps\"\nspacing = \"poisson\"\nburst = {frames = 2, gap = \"1ms\"}"),
            "flow[0].spacing: bursts have a spacing of their own",
            "without `burst`",
        ),
        (
            about("spacing = \"poisson\""),
            "flow[0].spacing: rate \"max\" has no mean gap",
            "a `rate`",
        ),
    ] {
        expect(&said, begin, allowed);
    }
    let over =
        error(&file(&format!("{LAYERS}\nschedule = [{start}, {{at = \"1s\", rate = \"101%\"}}]")));
    assert!(over.contains("schedule[1].rate"), "{over}");
}

#[test]
fn what_only_a_tag_tells_is_refused_of_a_flow_that_is_counted() {
    let count = |more: &str| about(&format!("track = \"count\"\n{more}"));
    for (more, begin) in [
        ("expect = {p99 = \"<1ms\"}", "flow[0].expect: track = \"count\" measures no latency"),
        ("integrity = \"full\"", "flow[0].integrity: track = \"count\" checks no frame"),
        ("order = \"tuple\"", "flow[0].order: track = \"count\" sees no order"),
    ] {
        expect(&count(more), begin, "track = \"tag\"");
    }
    let fine = "track = \"count\"\nexpect = {loss = \"0\", outage = \"<1s\"}";
    let spec = Spec::from_toml(&file(&format!("{LAYERS}\n{fine}"))).unwrap();
    assert_eq!(spec.flows[0].track, Track::Count);
}

#[test]
fn a_port_of_another_daemon_is_written_with_its_host_and_port() {
    let flow = |port: &str| format!("[[flow]]\nname = \"f\"\ntx = \"{port}\"\n{LAYERS}");
    for port in ["[10.0.0.1]:7000/ens1f0", "[2001:db8::1]:7000/ens1f0@lab"] {
        let spec = Spec::from_toml(&flow(port)).unwrap();
        assert_eq!(spec.ports[0].interface, port);
    }
    for port in ["[10.0.0.1]/ens1f0", "[10.0.0.1]:x/ens1f0", "[a]:1/[b]:1/x", "[a]:1/"] {
        expect(&said(&error(&flow(port))), "flow[0].tx: `", "ens1f0");
    }
}

#[test]
fn missing_keys_are_named_with_what_they_take() {
    let flow = |lines: &str| said(&error(&format!("[[flow]]\n{lines}")));
    expect(&said(&error("")), "there is no flow", "one [[flow]] or more");
    expect(&said(&error("flow = []")), "flow: there is no flow", "one [[flow]] or more");
    expect(
        &said(&error("[flow]\nname = \"f\"")),
        "flow: a table does not fit",
        "one [[flow]] or more",
    );
    expect(
        &flow(&format!("tx = \"a\"\n{LAYERS}")),
        "flow[0]: `name` is missing",
        "name = \"any text\"",
    );
    expect(
        &flow(&format!("name = \"a\"\n{LAYERS}")),
        "flow[0]: `tx` is missing",
        "tx = a name under [ports] or a PORT",
    );
    expect(
        &flow("name = \"a\"\ntx = \"a\""),
        "flow[0]: `layers` is missing",
        "there are no default headers",
    );
    expect(&said(&error("ports = {a = {}}\nflow = []")), "ports.a: `if` is missing", "if = a PORT");
    expect(
        &about("burst = {gap = \"1s\"}"),
        "flow[0].burst: `frames` is missing",
        "frames = 1 or more",
    );
    expect(&about("burst = {frames = 1}"), "flow[0].burst: `gap` is missing", "gap = a time");
    let eth = "{eth = {}}";
    let four = r#"{ipv4 = {src = "0.0.0.1", dst = "0.0.0.2"}}"#;
    for (layer, start, allowed) in [
        ("{vlan = {}}", "flow[0].layers[1].vlan: `id` is missing", "id = 0 to 4095"),
        (
            "{ipv4 = {dst = \"0.0.0.1\"}}",
            "flow[0].layers[1].ipv4: `src` is missing",
            "src = an IPv4 address",
        ),
        (
            "{ipv4 = {src = \"0.0.0.1\"}}",
            "flow[0].layers[1].ipv4: `dst` is missing",
            "dst = an IPv4 address",
        ),
        (
            "{ipv6 = {src = \"::1\"}}",
            "flow[0].layers[1].ipv6: `dst` is missing",
            "dst = an IPv6 address",
        ),
        ("{udp = {src = 1}}", "flow[0].layers[1].udp: `dst` is missing", "dst = 0 to 65535"),
        ("{tcp = {dst = 1}}", "flow[0].layers[1].tcp: `src` is missing", "src = 0 to 65535"),
        ("{raw = {}}", "flow[0].layers[1].raw: `hex` is missing", "hex = pairs"),
    ] {
        expect(&about_layers(&format!("{eth}, {layer}, {four}")), start, allowed);
    }
}

#[test]
fn values_of_the_wrong_kind_are_shown() {
    for (lines, start, allowed) in [
        ("bidir = \"yes\"", "flow[0].bidir: \"yes\" does not fit", "true or false"),
        ("rate = 10", "flow[0].rate: 10 does not fit", "100kpps"),
        ("rate = \"fast\"", "flow[0].rate: \"fast\" is no rate", "100kpps"),
        ("rate = \"100.5%\"", "flow[0].rate: 100.5% is over the line", "at most 100%"),
        ("duration = 10", "flow[0].duration: 10 does not fit", "\"10s\""),
        ("duration = \"0s\"", "flow[0].duration: \"0s\" does not fit", "above 0"),
        ("duration = \"10\"", "flow[0].duration: \"10\" does not fit", "above 0"),
        ("duration = 10:00:00", "flow[0].duration: a date does not fit", "above 0"),
        ("frames = 0", "flow[0].frames: 0 is below 1", "1 to 18446744073709551615"),
        ("frames = -1", "flow[0].frames: -1 is below 1", "1 to 18446744073709551615"),
        ("frames = 1.5", "flow[0].frames: 1.5 does not fit", "1 to 18446744073709551615"),
        ("frames = \"1e6\"", "flow[0].frames: \"1e6\" does not fit", "1 to 18446744073709551615"),
        ("repeat = 0", "flow[0].repeat: 0 is below 1", "1 to 65535"),
        ("repeat = 65536", "flow[0].repeat: 65536 is over 65535", "1 to 65535"),
        ("burst = 16", "flow[0].burst: 16 does not fit", "a table of frames, gap, repeat"),
        ("burst = {frames = 0, gap = \"1s\"}", "flow[0].burst.frames: 0 is below 1", "1 to"),
        (
            "burst = {frames = 1, gap = \"0ns\"}",
            "flow[0].burst.gap: \"0ns\" does not fit",
            "above 0",
        ),
        (
            "burst = {frames = 9223372036854775807, gap = \"1s\", repeat = 3}",
            "flow[0].burst.repeat: frames x repeat is too large",
            "18446744073709551615",
        ),
        (
            "vary = \"all\"",
            "flow[0].vary: \"all\" does not fit",
            "\"independent\", \"zip\", \"product\", \"random\"",
        ),
        ("track = \"all\"", "flow[0].track: \"all\" does not fit", "\"tag\", \"count\", \"none\""),
        ("integrity = true", "flow[0].integrity: true does not fit", "\"tag\", \"full\""),
        ("spacing = \"even\"", "flow[0].spacing: \"even\" does not fit", "\"constant\""),
        (
            "order = \"tuple\"\ntrack = \"none\"",
            "flow[0].order: track = \"none\" sees no order",
            "track = \"tag\"",
        ),
        (
            "order = \"tuple\"\nburst = {frames = 2, gap = \"1ms\"}",
            "flow[0].order: a burst is one stream's",
            "without `burst`",
        ),
        ("order = \"none\"", "flow[0].order: \"none\" does not fit", "\"queue\", \"tuple\""),
        ("expect = {loss = \"2\"}", "flow[0].expect.loss: \"2\" does not fit", "0 to 100 %"),
        ("expect = {loss = \">1%\"}", "flow[0].expect.loss: \">1%\" does not fit", "\"<1%\""),
        ("expect = {loss = \"nan\"}", "flow[0].expect.loss: \"nan\" does not fit", "\"<1%\""),
        ("expect = {loss = \"-0.1\"}", "flow[0].expect.loss: \"-0.1\" does not fit", "\"<1%\""),
        ("expect = {p99 = \"50\"}", "flow[0].expect.p99: \"50\" does not fit", "\"<50us\""),
        ("expect = {max = true}", "flow[0].expect.max: true does not fit", "\"<50us\""),
    ] {
        expect(&about(lines), start, allowed);
    }
    let named =
        |name: &str| said(&error(&format!("[[flow]]\nname = {name}\ntx = \"a\"\n{LAYERS}")));
    expect(&named("\" \""), "flow[0].name: \" \" does not fit", "not empty");
    expect(&named("7"), "flow[0].name: 7 does not fit", "not empty");
    expect(&named("\"a\\tb\""), "flow[0].name: \"a\tb\" does not fit", "one line");
}

#[test]
fn wrong_sizes_are_named() {
    for (lines, start, allowed) in [
        ("size = 63", "flow[0].size: 63 is below 64", "64 to 9216"),
        ("size = 9217", "flow[0].size: 9217 is over 9216", "64 to 9216"),
        ("size = \"jumbo\"", "flow[0].size: \"jumbo\" does not fit", "imix:trex"),
        ("size = true", "flow[0].size: true does not fit", "imix:trex"),
        ("size = []", "flow[0].size: a list of 0 sizes", "1 to 65536 sizes"),
        ("size = [64, 9999]", "flow[0].size[1]: 9999 is over 9216", "64 to 9216"),
        (
            "size = {}",
            "flow[0].size: a size takes exactly one of `range`, `random` and `weights`",
            "imix:trex",
        ),
        (
            "size = {range = \"64-128\", weights = {64 = 1}}",
            "flow[0].size: a size takes exactly one",
            "imix:trex",
        ),
        ("size = {range = \"60-128\"}", "flow[0].size.range: no frame has 60 octets", "64 to 9216"),
        (
            "size = {range = \"128-64\"}",
            "flow[0].size.range: the range \"128-64\" runs backward",
            "negative",
        ),
        (
            "size = {range = \"64-128\", step = 0}",
            "flow[0].size.step: a step of 0",
            "above or below 0",
        ),
        ("size = {range = \"64\"}", "flow[0].size.range: \"64\" does not fit", "both ends"),
        ("size = {weights = {}}", "flow[0].size.weights: the weights sum up to 0", "1 to 65536"),
        ("size = {weights = {64 = 0}}", "flow[0].size.weights.64: 0 is below 1", "1 to 65536"),
        ("size = {weights = {60 = 1}}", "flow[0].size.weights.60: 60 is below 64", "64 to 9216"),
        (
            "size = {weights = {small = 1}}",
            "flow[0].size.weights.small: \"small\" does not fit",
            "64 to 9216",
        ),
        (
            "size = {weights = {64 = 65536, 65 = 1}}",
            "flow[0].size.weights: the weights sum up to 65537",
            "65536",
        ),
        (
            "size = {weights = {64 = 1, 0x40 = 1}}",
            "flow[0].size.weights: size 64 stands there twice",
            "weights",
        ),
        ("size = {weights = [64]}", "flow[0].size.weights: a list does not fit", "weights"),
    ] {
        expect(&about(lines), start, allowed);
    }
}
