//! Errors about things that do not go together: ends, names, ports, measurements.

use super::{LAYERS, about, error, expect, said};

#[test]
fn ends_exclude_each_other() {
    for lines in [
        "duration = \"1s\"\nframes = 1",
        "frames = 1\nburst = {frames = 1, gap = \"1s\"}",
        "duration = \"1s\"\nburst = {frames = 1, gap = \"1s\"}",
    ] {
        let said = about(lines);
        assert!(
            said.contains(
                ": the flow has two ends; allowed: one of `duration`, `frames` and `burst`"
            ),
            "{said}"
        );
    }
}

#[test]
fn names_are_unique_over_repetitions_and_directions() {
    let flow = |name: &str, more: &str| {
        format!("[[flow]]\nname = \"{name}\"\ntx = \"a\"\nrx = \"b\"\n{LAYERS}\n{more}\n")
    };
    for text in [
        flow("x", "") + &flow("x", ""),
        flow("x", "repeat = 2"),
        flow("x", "bidir = true") + &flow("x/rev", ""),
        flow("x1", "") + &flow("x{i}", "repeat = 2"),
    ] {
        let said = said(&error(&text));
        assert!(said.contains(".name: a second flow with the name \"x"), "{said}");
        assert!(
            said.ends_with("a name of its own for each flow; under `repeat`, with {i} in it"),
            "{said}"
        );
    }
    let many = flow("x{i}", "repeat = 40000\nbidir = true");
    expect(&said(&error(&many)), "flow[0]: more than 65535 flows and directions", "at most 65535");
}

#[test]
fn wrong_ports_are_named() {
    for (port, start, allowed) in [
        ("{if = 7}", "ports.west.if: 7 does not fit", "ens1f0@netns"),
        ("{if = \"\"}", "ports.west.if: `` is no PORT", "ens1f0@netns"),
        ("{if = \"a b\"}", "ports.west.if: `a b` is no PORT", "ens1f0@netns"),
        ("{if = \"a/b\"}", "ports.west.if: `a/b` is no PORT", "ens1f0@netns"),
        ("{if = \"..\"}", "ports.west.if: `..` is no PORT", "ens1f0@netns"),
        ("{if = \"eth0:1\"}", "ports.west.if: `eth0:1` is no PORT", "ens1f0@netns"),
        (
            "{if = \"a234567890123456\"}",
            "ports.west.if: `a234567890123456` is no PORT",
            "ens1f0@netns",
        ),
        ("{if = \"a@\"}", "ports.west.if: `a@` is no PORT", "ens1f0@netns"),
        ("{if = \"@b\"}", "ports.west.if: `@b` is no PORT", "ens1f0@netns"),
        ("{if = \"pci:\"}", "ports.west.if: `pci:` is no PORT", "pci:0000:17:00.0"),
        ("\"ens1\"", "ports.west: \"ens1\" does not fit", "a table of if, addr, gw, line"),
        (
            "{if = \"a\", addr = \"198.18.0.2\"}",
            "ports.west.addr: \"198.18.0.2\" does not fit",
            "with prefix length",
        ),
        (
            "{if = \"a\", addr = [\"::1/64\", \"x\"]}",
            "ports.west.addr[1]: \"x\" does not fit",
            "with prefix length",
        ),
        (
            "{if = \"a\", gw = \"gate\"}",
            "ports.west.gw: \"gate\" does not fit",
            "one of each at most",
        ),
        (
            "{if = \"a\", gw = [\"1.1.1.1\", \"1.1.1.2\"]}",
            "ports.west.gw[1]: 1.1.1.2 is a second gateway of its family",
            "one of each",
        ),
        ("{if = \"a\", line = 1000}", "ports.west.line: 1000 does not fit", "\"1G\""),
        ("{if = \"a\", line = \"fast\"}", "ports.west.line: \"fast\" does not fit", "\"1G\""),
    ] {
        expect(&said(&error(&format!("ports = {{west = {port}}}\nflow = []"))), start, allowed);
    }
    expect(&said(&error("ports = 1")), "ports: 1 does not fit", "a table of ports");
    expect(
        &said(&error("ports = {a = {if = \"x\"}, b = {if = \"x\"}}\nflow = []")),
        "ports.b: `x` is port `a` already",
        "one name for each interface",
    );
    let flow = |ports: &str| said(&error(&format!("[[flow]]\nname = \"f\"\n{ports}\n{LAYERS}")));
    expect(&flow("tx = 7"), "flow[0].tx: 7 does not fit", "a name under [ports] or a PORT");
    expect(&flow("tx = \"not a port\""), "flow[0].tx: `not a port` is no PORT", "ens1f0");
    expect(&flow("tx = \"a\"\nrx = []"), "flow[0].rx: an empty list of ports", "one port");
    expect(
        &flow("tx = \"a\"\nrx = [\"b\", \"b\"]"),
        "flow[0].rx[1]: the same port twice",
        "each receiving port once",
    );
    expect(
        &flow("tx = \"a\"\nrx = [\"b\", \"c\"]\nbidir = true"),
        "flow[0].bidir: `bidir` with several `rx` ports",
        "one `rx` port",
    );
    expect(&flow("tx = \"a\"\nrx = [7]"), "flow[0].rx[0]: 7 does not fit", "a PORT");
}

#[test]
fn what_a_flow_cannot_measure_is_not_expected_of_it() {
    let deaf = |lines: &str| {
        said(&error(&format!("[[flow]]\nname = \"f\"\ntx = \"a\"\n{LAYERS}\n{lines}")))
    };
    expect(
        &deaf("expect = {loss = \"0\"}"),
        "flow[0].expect: a flow without `rx` measures nothing",
        "with `rx`",
    );
    expect(&deaf("bidir = true"), "flow[0].bidir: `bidir` has no second port", "another port");
    expect(
        &deaf("bidir = true\nrx = \"a\""),
        "flow[0].bidir: `bidir` has no second port",
        "another port",
    );
    expect(
        &about("track = \"none\"\nexpect = {p99 = \"1us\"}"),
        "flow[0].expect: track = \"none\" measures nothing to expect",
        "track = \"tag\"",
    );
    expect(
        &about("track = \"none\"\nintegrity = \"full\""),
        "flow[0].integrity: track = \"none\" checks no frame",
        "track = \"tag\"",
    );
}
