//! Whole files: the example of the contract, YAML, places.

use super::{LAYERS, error, file};
use crate::{
    spec::*,
    units::{Rate, Ratio},
};
use proptest::prelude::*;
use std::{fs, time::Duration};

/// The flow file of CONTRACT.md, verbatim but for `schedule`, which stands instead of `rate`.
const EXAMPLE: &str = r#"
    [ports]
    west = { if = "ens1f0", addr = ["198.18.0.2/24", "2001:2::2/64"], gw = "198.18.0.1" }
    east = { if = "gen1@lab", line = "1G" }        # line: for links that report no true speed

    [defaults]
    rate = "10%"

    [[flow]]
    name = "cust{i}"
    repeat = 500                      # {i} counts from 0
    tx = "west"                       # a name under [ports] or a PORT
    rx = ["east"]                     # string or list; absent: transmit only
    bidir = false                     # true: also east to west, addresses and ports swapped; rows "name/fwd" and "name/rev"
    rate = "100kpps"                  # "2.5Mpps" | "800Mbps" (L2 with FCS) | "1Gbps-l1" | "40%" of L1 line rate | "max"; per direction; default "max"
    size = 64                         # with FCS and all tags
    duration = "10s"                  # or frames = 1000000 (exactly that many), or burst = {frames=16, gap="1ms", repeat=100}; none: until stopped
    layers = [                        # outermost first; may repeat (QinQ, MPLS stack, VXLAN inner headers)
      {eth = {dst = "auto"}},         # src: the port's own MAC; "auto": ARP/ND for the destination or the gateway
      {vlan = {id = {range = "100-599"}, pcp = 5}},
      {ipv4 = {src = "198.18.0.2", dst = {range = "198.18.1.1-198.18.1.254", step = 3}}},
      {udp  = {src = 49184, dst = {list = [7, 9, 53]}}},
    ]
    vary = "independent"              # | "zip" | "product" (last field fastest) | "random"
    spacing = "constant"              # | "poisson"
    track = "tag"                     # | "count" (frames that match, no latency; for frames too short for a tag and for replay) | "none"
    integrity = "tag"                 # | "full": payload checked too
    order = "queue"                   # | "tuple": one stream per address/port tuple, for devices that may reorder between tuples
    expect = {loss = "0", p99 = "<50us", outage = "<50ms"}
"#;

const EXAMPLE_YAML: &str = r#"
ports:
  west: {if: ens1f0, addr: [198.18.0.2/24, "2001:2::2/64"], gw: 198.18.0.1}
  east: {if: gen1@lab, line: 1G}
defaults:
  rate: 10%
flow:
  - name: "cust{i}"
    repeat: 500
    tx: west
    rx: [east]
    bidir: false
    rate: 100kpps
    size: 64
    duration: 10s
    layers:
      - eth: {dst: auto}
      - vlan:
          id: {range: 100-599}
          pcp: 5
      - ipv4: {src: 198.18.0.2, dst: {range: 198.18.1.1-198.18.1.254, step: 3}}
      - udp: {src: 49184, dst: {list: [7, 9, 53]}}
    vary: independent
    spacing: constant
    track: tag
    integrity: tag
    order: queue
    expect: {loss: "0", p99: <50us, outage: <50ms}
"#;

#[test]
fn the_example_of_the_contract() {
    let spec = Spec::from_toml(EXAMPLE).unwrap();
    assert_eq!(spec.flows.len(), 500);
    let port = |name: &str, interface: &str| PortSpec {
        name: name.into(),
        interface: interface.into(),
        addresses: Vec::new(),
        gateways: Vec::new(),
        line_bps: None,
    };
    let west = PortSpec {
        addresses: vec!["198.18.0.2/24".parse().unwrap(), "2001:2::2/64".parse().unwrap()],
        gateways: vec!["198.18.0.1".parse().unwrap()],
        ..port("west", "ens1f0")
    };
    let east = PortSpec { line_bps: Some(1_000_000_000), ..port("east", "gen1@lab") };
    assert_eq!(spec.ports, [west, east]);
    let one = Values::One;
    let expected = |i: usize| Flow {
        name: format!("cust{i}"),
        tx: 0,
        rx: Some(1),
        more_rx: Vec::new(),
        rate: Rate::Frames(Ratio::from(100_000)),
        sizes: vec![crate::units::FrameSize::MIN],
        delay: std::time::Duration::ZERO,
        settings: Vec::new(),
        end: End::After(Duration::from_secs(10)),
        schedule: Vec::new(),
        spacing: Spacing::Constant,
        burst: None,
        layers: vec![
            Layer::Eth { dst: MacAddress::Auto, src: MacAddress::Auto, ethertype: None },
            Layer::Vlan {
                id: Values::Range { first: 100, step: 1, count: 500 },
                pcp: one(5),
                dei: one(0),
                tpid: None,
            },
            Layer::Ipv4 {
                src: one(0xc612_0002),
                dst: Values::Range { first: 0xc612_0101, step: 3, count: 85 },
                dscp: one(0),
                ecn: one(0),
                id: one(0),
                df: false,
                ttl: one(64),
                protocol: None,
            },
            Layer::Udp {
                src: one(49_184),
                dst: Values::List(vec![7, 9, 53]),
                checksum: UdpChecksum::Auto,
            },
        ],
        vary: Vary::Independent,
        track: Track::Tag,
        integrity: Integrity::Tag,
        order: Order::Queue,
        expect: Expect {
            loss: Some(Threshold { limit: 0.0, inclusive: true }),
            p99: Some(Threshold { limit: 50_000, inclusive: false }),
            outage: Some(Threshold { limit: 50_000_000, inclusive: false }),
            ..Expect::default()
        },
    };
    for (i, flow) in spec.flows.iter().enumerate() {
        assert_eq!(*flow, expected(i));
    }
}

#[test]
fn five_hundred_flows_of_the_example_are_over_the_line_and_that_is_said() {
    let error = Spec::from_toml(EXAMPLE)
        .unwrap()
        .check_line_rates(&[10_000_000_000, 0])
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("line 15, column 12: flow[0].rate: with flow \"cust148\" the flows of port `west` ask for"),
        "{error}"
    );
}

#[test]
fn yaml_of_the_same_shape_is_the_same_spec() {
    let (toml, yaml) = (Spec::from_toml(EXAMPLE).unwrap(), Spec::from_yaml(EXAMPLE_YAML).unwrap());
    assert_eq!(yaml.ports, toml.ports);
    assert_eq!(yaml.flows, toml.flows);
}

#[test]
fn yaml_weights_may_have_numbers_as_keys() {
    let yaml = "flow: [{name: a, tx: b, size: {weights: {64: 7, 570: 4, 1518: 1}}, layers: [eth: {dst: \"02:00:00:00:00:01\"}]}]";
    let flow = Spec::from_yaml(yaml).unwrap().flows.remove(0);
    assert_eq!(flow.sizes, super::flow("size = \"imix\"").sizes);
}

#[test]
fn the_schedule_of_the_example_stands_instead_of_a_rate() {
    let line = r#"    schedule = [{at = "0s", rate = "10%"}, {at = "10s", rate = "50%", ramp = "5s"}]   # instead of a fixed rate"#;
    let text = format!("{EXAMPLE}{line}\n");
    assert!(error(&text).contains("`schedule` beside `rate`; allowed: one of the two"));
    let own_rate = EXAMPLE.lines().filter(|line| !line.starts_with("    rate = "));
    let text = format!("{}\n{line}\n", own_rate.collect::<Vec<_>>().join("\n"));
    let flow = Spec::from_toml(&text).unwrap().flows.remove(0);
    let legs = flow.legs(10_000_000_000).unwrap();
    let mean = flow.mean_size();
    let fps = |percent: u128| {
        Rate::LineShare(Ratio::new(percent, 100)).frames_per_second(10_000_000_000, mean).unwrap()
    };
    let s = |seconds: u64| seconds * 1_000_000_000;
    let leg = |start, length_ns, from, to| Leg { start_ns: s(start), length_ns, from, to };
    assert_eq!(
        legs,
        [
            leg(0, Some(s(10)), fps(10), fps(10)),
            leg(10, Some(s(5)), fps(10), fps(50)),
            leg(15, None, fps(50), fps(50)),
        ]
    );
}

#[test]
fn an_error_names_file_line_column_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let said = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let error = Spec::from_path(&path).unwrap_err().to_string();
        error.replace(&format!("{}/", folder.path().display()), "")
    };
    let toml = EXAMPLE.replace("{range = \"100-599\"}", "5000");
    let expected = "flow[0].layers[1].vlan.id: 5000 is over 4095; allowed: 0 to 4095";
    assert_eq!(said("cust.toml", &toml), format!("cust.toml:20:21: {expected}"));
    let yaml = EXAMPLE_YAML.replace("{range: 100-599}", "5000");
    for name in ["cust.yaml", "cust.yml", "cust.YML"] {
        assert_eq!(said(name, &yaml), format!("{name}:19:15: {expected}"));
    }
    assert_eq!(
        said("key.yml", &EXAMPLE_YAML.replace("pcp:", "prio:")),
        "key.yml:20:11: flow[0].layers[1].vlan.prio: unknown key `prio`; allowed: id, pcp, dei, tpid, type"
    );
    assert_eq!(
        said("key.toml", &EXAMPLE.replace("pcp =", "prio =")),
        "key.toml:20:42: flow[0].layers[1].vlan.prio: unknown key `prio`; allowed: id, pcp, dei, tpid, type"
    );
}

#[test]
fn columns_count_characters() {
    let said = error("ports = {}\ndefaults = {name = \"ü→\", rat = 1}\n");
    assert!(said.starts_with("line 2, column 26: defaults.rat: unknown key"), "{said}");
}

#[test]
fn a_default_that_is_wrong_is_named_where_it_stands() {
    let said = error(&format!("[defaults]\nrate = \"fast\"\n{}", file(LAYERS)));
    assert!(said.starts_with("line 2, column 8: defaults.rate: \"fast\" is no rate"), "{said}");
}

#[test]
fn syntax_errors_are_one_line_with_their_place() {
    for (text, place) in [
        ("[[flow]\nname = 1", "line 1, column "),
        ("[[flow]]\nname = \"a\"\nname = \"b\"", "line 3, column 1"),
        ("\n\nsize = ", "line 3, column "),
    ] {
        let said = error(text);
        assert!(said.starts_with(place), "{said}");
    }
    for (text, line) in [
        ("flow:\n  - name: [a", "line "),
        ("flow: {a: 1, a: 2}", "line 1, column 14"),
        ("a: b: c", "line 1"),
    ] {
        let error = Spec::from_yaml(text).unwrap_err();
        assert!(matches!(error, SpecError::Syntax { .. }), "{error:?}");
        let said = error.to_string();
        assert!(said.starts_with(line) && !said.contains('\n'), "{said}");
    }
}

#[test]
fn yaml_says_nothing_with_nothing() {
    for (text, start) in [
        ("", "line 1, column 1: nothing does not fit"),
        ("flow:", "line 1, column 5: flow: nothing does not fit"),
        ("- 1", "line 1, column 1: a list does not fit"),
        (
            "flow: [{name: ~, tx: a, layers: []}]",
            "line 1, column 15: flow[0].name: nothing does not fit",
        ),
    ] {
        let said = Spec::from_yaml(text).unwrap_err().to_string();
        assert!(said.starts_with(start), "expected: {start}\n    said: {said}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = Spec::from_path(&folder.path().join("none.toml")).unwrap_err();
    assert!(matches!(&error, SpecError::Read { .. }), "{error:?}");
    let said = error.to_string();
    assert!(said.contains("none.toml: ") && said.contains("name a readable flow file"), "{said}");
}

#[test]
fn places_are_known_after_reading() {
    let spec = Spec::from_toml(EXAMPLE).unwrap();
    let place = |key| spec.place(499, key).to_string();
    assert_eq!(place("size"), "line 16, column 12: flow[0].size");
    assert_eq!(
        place("frames"),
        "line 9, column 5: flow[0]",
        "an absent key stands where its flow does"
    );
}

#[test]
fn a_thousand_flows_share_their_places() {
    let spec = Spec::from_toml(&EXAMPLE.replace("repeat = 500", "repeat = 1000")).unwrap();
    assert_eq!(spec.flows.len(), 1000);
    assert_eq!(spec.place(0, "rate"), spec.place(999, "rate"));
}

proptest! {
    /// A file with one piece cut out or put twice is read or refused, in one line.
    #[test]
    fn no_damage_to_a_file_makes_it_panic(yaml in any::<bool>(), from in 0..2_000_usize, length in 1..40_usize, twice in any::<bool>()) {
        let whole = if yaml { EXAMPLE_YAML } else { EXAMPLE }.replace("500", "3");
        let chars: Vec<_> = whole.chars().collect();
        let from = from % chars.len();
        let to = (from + length).min(chars.len());
        let piece = if twice { &chars[from..to] } else { &[] };
        let text: String = [&chars[..to], piece, &chars[to..]].concat().iter().collect();
        let text = if twice { text } else { [&chars[..from], &chars[to..]].concat().iter().collect() };
        let read = if yaml { Spec::from_yaml(&text) } else { Spec::from_toml(&text) };
        if let Err(error) = read {
            prop_assert!(!error.to_string().contains('\n'), "{error}");
        }
    }
}
