//! Flags that stand for a flow, and flags over a file.

use super::{LAYERS, file, flow};
use crate::{
    spec::{End, Layer, MacAddress, Overrides, QuickFlow, Spec, Values},
    units::{Rate, Ratio},
};
use std::time::Duration;

#[allow(clippy::unnecessary_wraps, reason = "a flag that was given is Some")]
fn given(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// The example of the contract.
fn quick() -> QuickFlow {
    QuickFlow {
        tx: given("west"),
        rx: given("east"),
        ipv4: given("198.18.1.2,198.19.1.2"),
        udp: given("49184,7"),
        size: given("64"),
        rate: given("10%"),
        bidir: true,
        duration: given("10s"),
        ..QuickFlow::default()
    }
}

#[test]
fn flags_make_the_flow_that_a_file_would() {
    let quick = Spec::from_quick(&quick()).unwrap();
    let text = file(
        r#"bidir = true
        rate = "10%"
        size = 64
        duration = "10s"
        layers = [{eth = {}}, {ipv4 = {src = "198.18.1.2", dst = "198.19.1.2"}}, {udp = {src = 49184, dst = 7}}]"#,
    );
    let mut file = Spec::from_toml(&text.replace("name = \"f\"", "name = \"flow\"")).unwrap();
    file.origins = quick.origins.clone();
    assert_eq!(quick, file);
    assert_eq!(quick.flows[1].name, "flow/rev");
}

#[test]
fn every_flag_reaches_its_key() {
    let spec = Spec::from_quick(&QuickFlow {
        tx: given("ens1f0@lab"),
        eth: given("auto, 02:00:00:00:00:01"),
        vlan: vec!["100".into(), "0x10".into()],
        ipv6: given("2001:2::1,2001:2::2"),
        tcp: given("1, 2"),
        size: given("128,512, 1518"),
        frames: given("1000"),
        ..QuickFlow::default()
    })
    .unwrap();
    let flow = &spec.flows[0];
    let sizes: Vec<_> = flow.sizes.iter().map(|size| size.bytes()).collect();
    assert_eq!(sizes, [128, 512, 1518]);
    assert_eq!((flow.end, flow.rx, flow.rate), (End::Frames(1000), None, Rate::Max));
    assert_eq!(spec.ports[0].interface, "ens1f0@lab");
    let names: Vec<_> = flow.layers.iter().map(Layer::name).collect();
    assert_eq!(names, ["eth", "vlan", "vlan", "ipv6", "tcp"]);
    assert_eq!(
        flow.layers[0],
        Layer::Eth {
            dst: MacAddress::Given(Values::One(0x0200_0000_0001)),
            src: MacAddress::Auto,
            ethertype: None
        }
    );
    let ids: Vec<_> = flow.layers[1..3].iter().map(|layer| layer.fields()[0].1.clone()).collect();
    assert_eq!(ids, [Values::One(100), Values::One(16)]);
    let imix = Spec::from_quick(&QuickFlow { size: given("imix"), ..quick() }).unwrap();
    assert_eq!(imix.flows[0].sizes.len(), 12);
}

#[test]
fn errors_name_the_flag() {
    let base = quick;
    for (quick, said) in [
        (QuickFlow { tx: None, ..base() }, "--tx: missing; allowed: --tx PORT, or a flow file"),
        (QuickFlow { tx: given("a b"), ..base() }, "--tx: `a b` is no PORT; allowed: "),
        (QuickFlow { rx: given(""), ..base() }, "--rx: `` is no PORT; allowed: "),
        (QuickFlow { rx: None, ..base() }, "--bidir: `bidir` has no second port; allowed: "),
        (
            QuickFlow { rate: given("fast"), ..base() },
            "--rate: \"fast\" is no rate; allowed: \"100kpps\"",
        ),
        (QuickFlow { size: given("60"), ..base() }, "--size: 60 is below 64; allowed: 64 to 9216"),
        (
            QuickFlow { size: given("64,x"), ..base() },
            "--size: \"x\" does not fit; allowed: 64 to 9216",
        ),
        (
            QuickFlow { duration: given("10"), ..base() },
            "--for: \"10\" does not fit; allowed: a time above 0",
        ),
        (
            QuickFlow { frames: given("0"), duration: None, ..base() },
            "--frames: 0 is below 1; allowed: 1 to",
        ),
        (
            QuickFlow { frames: given("5"), ..base() },
            "--frames: the flow has two ends; allowed: one of",
        ),
        (
            QuickFlow { ipv4: given("198.18.1.2"), ..base() },
            "--ipv4: \"198.18.1.2\" is no pair; allowed: --ipv4 SRC,DST",
        ),
        (
            QuickFlow { ipv4: given("198.18.1.2,x"), ..base() },
            "--ipv4: \"x\" does not fit; allowed: an IPv4 address",
        ),
        (
            QuickFlow { ipv4: None, ..base() },
            "command line: --ipv4 or --ipv6 is missing; allowed: --ipv4 SRC,DST",
        ),
        (
            QuickFlow { ipv6: given("::1,::2"), ..base() },
            "--ipv4: excludes --ipv6; allowed: one of",
        ),
        (
            QuickFlow { udp: None, ..base() },
            "command line: --udp or --tcp is missing; allowed: --udp SRC,DST",
        ),
        (QuickFlow { tcp: given("1,2"), ..base() }, "--udp: excludes --tcp; allowed: one of"),
        (
            QuickFlow { udp: given("1,65536"), ..base() },
            "--udp: 65536 is over 65535; allowed: 0 to 65535",
        ),
        (
            QuickFlow { vlan: vec!["4096".into()], ..base() },
            "--vlan: 4096 is over 4095; allowed: 0 to 4095",
        ),
        (
            QuickFlow { eth: given("auto"), ..base() },
            "--eth: \"auto\" is no pair; allowed: --eth SRC,DST",
        ),
        (
            QuickFlow { eth: given("auto,x"), ..base() },
            "--eth: \"x\" does not fit; allowed: a MAC address",
        ),
        (
            QuickFlow { ipv4: None, ipv6: given("::1,::2"), ..base() },
            "--size: a frame of 64 octets cannot hold its headers of 62, tag of 14 and FCS of 4 octets; allowed: size 80",
        ),
    ] {
        let error = Spec::from_quick(&quick).expect_err(said).to_string();
        assert!(error.starts_with(said), "expected: {said}\n    said: {error}");
    }
}

#[test]
fn a_rate_over_the_line_names_its_flag() {
    let spec = Spec::from_quick(&QuickFlow { rate: given("2Gbps"), ..quick() }).unwrap();
    let error = spec.check_line_rates(&[1_000_000_000; 2]).unwrap_err().to_string();
    assert!(
        error.starts_with("--rate: flow \"flow/fwd\" asks for 2.625Gbps-l1 of L1 on port `west`"),
        "{error}"
    );
}

fn two_flows() -> Spec {
    Spec::from_toml(&format!(
        r#"
        ports = {{west = {{if = "a"}}, east = {{if = "b"}}, idle = {{if = "c"}}}}
        defaults = {{tx = "west", rx = "east", {LAYERS}}}
        flow = [{{name = "x", rate = "60%", frames = 5}}, {{name = "y", rate = "1kpps"}}]
        "#
    ))
    .unwrap()
}

#[test]
fn for_replaces_every_end() {
    let mut spec = two_flows();
    spec.apply(&Overrides { duration: given("3s"), ..Overrides::default() }).unwrap();
    assert!(spec.flows.iter().all(|flow| flow.end == End::After(Duration::from_secs(3))));
}

#[test]
fn scale_applies_to_every_rate() {
    let mut spec = two_flows();
    spec.apply(&Overrides { scale: given("50%"), ..Overrides::default() }).unwrap();
    assert_eq!(spec.flows[0].rate, Rate::LineShare(Ratio::new(3, 10)));
    assert_eq!(spec.flows[1].rate, Rate::Frames(500.into()));
}

#[test]
fn port_puts_another_interface_behind_a_name() {
    let mut spec = two_flows();
    let ports = vec!["west=b".to_owned(), "east=a@lab".to_owned()];
    spec.apply(&Overrides { ports, ..Overrides::default() }).unwrap();
    let ports: Vec<_> =
        spec.ports.iter().map(|port| (port.name.as_str(), port.interface.as_str())).collect();
    assert_eq!(ports, [("west", "b"), ("east", "a@lab")]);
}

#[test]
fn wrong_overrides_name_their_flag() {
    let empty = Overrides::default;
    for (overrides, said) in [
        (
            Overrides { duration: given("soon"), ..empty() },
            "--for: \"soon\" does not fit; allowed: a time above 0",
        ),
        (
            Overrides { scale: given("0.5"), ..empty() },
            "--scale: \"0.5\" is no percentage; allowed: such as 50%",
        ),
        (
            Overrides { scale: given("0%"), ..empty() },
            "--scale: \"0%\" is no percentage; allowed: ",
        ),
        (
            Overrides { scale: given("200%"), ..empty() },
            "--scale: flow \"x\" at 60% would be over the line at 200%; allowed: ",
        ),
        (
            Overrides { ports: vec!["west".into()], ..empty() },
            "--port: \"west\" names no port; allowed: NAME=PORT, NAME one of west, east",
        ),
        (
            Overrides { ports: vec!["idle=d".into()], ..empty() },
            "--port: no flow uses a port `idle`; allowed: one of west, east",
        ),
        (
            Overrides { ports: vec!["west=d e".into()], ..empty() },
            "--port: `d e` is no PORT; allowed: ",
        ),
        (
            Overrides { ports: vec!["west=b".into()], ..empty() },
            "--port: `b` is port `west` already; allowed: one name",
        ),
    ] {
        let error = two_flows().apply(&overrides).expect_err(said).to_string();
        assert!(error.starts_with(said), "expected: {said}\n    said: {error}");
    }
}

#[test]
fn there_is_no_share_of_max() {
    let mut spec = Spec::from_toml(&file(LAYERS)).unwrap();
    spec.apply(&Overrides { scale: given("100%"), ..Overrides::default() }).unwrap();
    assert_eq!(spec.flows[0], flow(""));
    let error = spec
        .apply(&Overrides { scale: given("50%"), ..Overrides::default() })
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("--scale: flow \"f\" has rate \"max\""), "{error}");
}
