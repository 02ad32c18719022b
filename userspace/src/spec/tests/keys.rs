//! Every key and form, as the typed flow has it.

use super::{file, flow, layered};
use crate::{
    spec::*,
    units::{Rate, Ratio},
};
use std::time::Duration;

fn sizes(line: &str) -> Vec<u16> {
    flow(line).sizes.iter().map(|size| size.bytes()).collect()
}

use Values::One;

#[test]
fn an_absent_key_has_the_default_of_the_contract() {
    let flow = flow("");
    let expected = Flow {
        name: "f".into(),
        tx: 0,
        rx: Some(1),
        more_rx: Vec::new(),
        rate: Rate::Max,
        sizes: vec![crate::units::FrameSize::MIN],
        delay: std::time::Duration::ZERO,
        settings: Vec::new(),
        end: End::Never,
        schedule: Vec::new(),
        spacing: Spacing::Constant,
        burst: None,
        layers: vec![
            Layer::Eth { dst: MacAddress::Auto, src: MacAddress::Auto, ethertype: None },
            Layer::Ipv4 {
                src: One(0xc612_0002),
                dst: One(0xc613_0002),
                dscp: One(0),
                ecn: One(0),
                id: One(0),
                df: false,
                ttl: One(64),
                protocol: None,
            },
            Layer::Udp { src: One(49_184), dst: One(7), checksum: UdpChecksum::Auto },
        ],
        vary: Vary::Independent,
        track: Track::Tag,
        integrity: Integrity::Tag,
        order: Order::Queue,
        expect: Expect::default(),
    };
    assert_eq!(flow, expected);
}

#[test]
fn sizes_of_every_form_are_one_cycle() {
    for (line, cycle) in [
        ("size = 64", vec![64]),
        ("size = \"9216\"", vec![9216]),
        ("size = [64, 512, 1518]", vec![64, 512, 1518]),
        ("size = [1518, 64, 64]", vec![1518, 64, 64]),
        ("size = {range = \"64-256\", step = 64}", vec![64, 128, 192, 256]),
        ("size = {range = \"64-250\", step = 64}", vec![64, 128, 192]),
        ("size = {range = \"66-64\", step = -1}", vec![66, 65, 64]),
        ("size = {range = \"64-66\"}", vec![64, 65, 66]),
        ("size = {weights = {100=1, 64=2}}", vec![64, 64, 100]),
        ("size = {weights = {1518=1, 64=1}}", vec![64, 1518]),
        ("size = \"imix\"", vec![64, 570, 64, 64, 570, 64, 64, 570, 64, 570, 64, 1518]),
        ("size = \"imix:trex\"", vec![64, 594, 64, 64, 594, 64, 64, 594, 64, 594, 64, 1518]),
    ] {
        assert_eq!(sizes(line), cycle, "{line}");
    }
    assert_eq!(sizes("size = {range = \"64-9216\"}").len(), 9153);
}

#[test]
fn rates_of_every_form_are_exact() {
    for (line, rate) in [
        ("rate = \"100kpps\"", Rate::Frames(100_000.into())),
        ("rate = \"2.5Mpps\"", Rate::Frames(2_500_000.into())),
        ("rate = \"800Mbps\"", Rate::L2Bits(800_000_000.into())),
        ("rate = \"1Gbps-l1\"", Rate::L1Bits(1_000_000_000.into())),
        ("rate = \"40%\"", Rate::LineShare(Ratio::new(2, 5))),
        ("rate = \"100%\"", Rate::LineShare(Ratio::ONE)),
        ("rate = \"max\"", Rate::Max),
    ] {
        assert_eq!(flow(line).rate, rate, "{line}");
    }
}

#[test]
fn ends_and_bursts() {
    let gap = Duration::from_millis(1);
    for (line, end, burst) in [
        ("duration = \"10s\"", End::After(Duration::from_secs(10)), None),
        ("duration = \"1.5m\"", End::After(Duration::from_secs(90)), None),
        ("frames = 1000000", End::Frames(1_000_000), None),
        ("frames = \"7\"", End::Frames(7), None),
        ("burst = {frames = 16, gap = \"1ms\"}", End::Never, Some(Burst { frames: 16, gap })),
        (
            "burst = {frames=16, gap=\"1ms\", repeat=100}",
            End::Frames(1600),
            Some(Burst { frames: 16, gap }),
        ),
    ] {
        let flow = flow(line);
        assert_eq!((flow.end, flow.burst), (end, burst), "{line}");
    }
}

#[test]
fn choices() {
    assert_eq!(flow("vary = \"independent\"").vary, Vary::Independent);
    assert_eq!(flow("vary = \"zip\"").vary, Vary::Zip);
    assert_eq!(flow("vary = \"product\"").vary, Vary::Product);
    assert_eq!(flow("vary = \"random\"").vary, Vary::Random);
    assert_eq!(flow("track = \"tag\"").track, Track::Tag);
    assert_eq!(flow("track = \"none\"").track, Track::None);
    assert_eq!(flow("integrity = \"tag\"").integrity, Integrity::Tag);
    assert_eq!(flow("integrity = \"full\"").integrity, Integrity::Full);
    assert_eq!(flow("order = \"tuple\"").order, Order::Tuple);
    assert_eq!(
        flow("spacing = \"constant\"\norder = \"queue\"\nbidir = false\nrepeat = 1"),
        flow("")
    );
}

#[test]
fn expectations_are_upper_bounds() {
    let loss = |text| flow(&format!("expect = {{loss = {text}}}")).expect.loss.unwrap();
    for (text, limit, inclusive) in [
        ("\"0\"", 0.0, true),
        ("0", 0.0, true),
        ("\"<1%\"", 0.01, false),
        ("\"<= 1 %\"", 0.01, true),
        ("\"0.5%\"", 0.005, true),
        ("\"<1e-6\"", 1e-6, false),
        ("0.25", 0.25, true),
        ("\"100%\"", 1.0, true),
    ] {
        assert_eq!(loss(text), Threshold { limit, inclusive }, "{text}");
    }
    let expect =
        flow("expect = {p50=\"<50us\", p99=\"<=1ms\", p999=\"2ms\", max=\"< 1s\", outage=\"0\"}")
            .expect;
    let below = |limit, inclusive| Some(Threshold { limit, inclusive });
    assert_eq!(expect.loss, None);
    assert_eq!(expect.p50, below(50_000, false));
    assert_eq!(expect.p99, below(1_000_000, true));
    assert_eq!(expect.p999, below(2_000_000, true));
    assert_eq!(expect.max, below(1_000_000_000, false));
    assert_eq!(expect.outage, below(0, true));
}

#[test]
fn ports_are_those_that_flows_use_in_order_of_first_use() {
    let spec = Spec::from_toml(&format!(
        r#"
        [ports]
        east = {{ if = "gen1@lab", line = "1G" }}
        idle = {{ if = "ens9" }}
        west = {{ if = "ens1f0", addr = ["198.18.0.2/24", "2001:2::2/64"], gw = ["198.18.0.1", "2001:2::1"] }}
        [defaults]
        {}
        [[flow]]
        name = "a"
        tx = "west"
        rx = ["east"]
        [[flow]]
        name = "b"
        tx = "pci:0000:17:00.0"
        [[flow]]
        name = "c"
        tx = "gen1@lab"
        rx = "ens1f0"
        "#,
        super::LAYERS
    ))
    .unwrap();
    let port = |name: &str, interface: &str| PortSpec {
        name: name.into(),
        interface: interface.into(),
        addresses: Vec::new(),
        gateways: Vec::new(),
        line_bps: None,
    };
    let west = PortSpec {
        addresses: vec!["198.18.0.2/24".parse().unwrap(), "2001:2::2/64".parse().unwrap()],
        gateways: vec!["198.18.0.1".parse().unwrap(), "2001:2::1".parse().unwrap()],
        ..port("west", "ens1f0")
    };
    let east = PortSpec { line_bps: Some(1_000_000_000), ..port("east", "gen1@lab") };
    assert_eq!(spec.ports, [west, east, port("pci:0000:17:00.0", "pci:0000:17:00.0")]);
    let ends: Vec<_> = spec.flows.iter().map(|flow| (flow.tx, flow.rx)).collect();
    assert_eq!(ends, [(0, Some(1)), (2, None), (1, Some(0))]);
}

#[test]
fn a_flow_may_be_received_on_several_ports() {
    let flow =
        "[[flow]]\nname = \"f\"\ntx = \"a\"\nrx = [\"b\", \"c\"]\n".to_owned() + super::LAYERS;
    let flow = &Spec::from_toml(&flow).unwrap().flows[0];
    assert_eq!(flow.receivers().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn single_addresses_and_gateways_need_no_list() {
    let text = format!(
        "[ports]\nwest = {{if = \"a\", addr = \"10.0.0.1/8\", gw = \"::1\"}}\n{}",
        file(super::LAYERS)
    );
    let port = Spec::from_toml(&text).unwrap().ports.remove(0);
    assert_eq!((port.addresses.len(), port.gateways.len()), (1, 1));
}

#[test]
fn defaults_stand_in_for_what_a_flow_does_not_say() {
    let spec = Spec::from_toml(&format!(
        r#"
        defaults = {{ tx = "a", rx = "b", rate = "10%", size = 128, duration = "5s", vary = "zip", {} }}
        flow = [{{name = "x"}}, {{name = "y", rate = "max", frames = 9}}, {{name = "z", burst = {{frames = 1, gap = "1s"}}}}]
        "#,
        super::LAYERS
    ))
    .unwrap();
    let [x, y, z] = &spec.flows[..] else { panic!("three flows") };
    assert_eq!(x.rate, Rate::LineShare(Ratio::new(1, 10)));
    assert_eq!(
        (x.end, y.end, z.end),
        (End::After(Duration::from_secs(5)), End::Frames(9), End::Never)
    );
    assert_eq!((y.rate, z.rate), (Rate::Max, x.rate));
    assert!([x, y, z].iter().all(|flow| flow.sizes[0].bytes() == 128 && flow.vary == Vary::Zip));
    assert!(z.burst.is_some() && y.burst.is_none());
}

#[test]
fn repeat_counts_from_zero_in_every_text() {
    let spec = Spec::from_toml(
        r#"
        [defaults]
        rate = "1{i}%"
        [[flow]]
        name = "cust{i}"
        repeat = 3
        tx = "gen{i}"
        layers = [{eth = {}}, {vlan = {id = "10{i}"}}, {ipv4 = {src = "10.0.{i}.1", dst = {range = "10.{i}.0.1-10.{i}.0.9"}}},
                  {udp = {src = "{i}", dst = {list = ["{i}", 9]}}}]
        [[flow]]
        name = "once{i}"
        tx = "gen1"
        layers = [{eth = {dst = "02:00:00:00:00:0{i}"}}]
        "#,
    )
    .unwrap();
    let names: Vec<_> = spec.flows.iter().map(|flow| flow.name.as_str()).collect();
    assert_eq!(names, ["cust0", "cust1", "cust2", "once0"]);
    let ports: Vec<_> = spec.ports.iter().map(|port| port.interface.as_str()).collect();
    assert_eq!(ports, ["gen0", "gen1", "gen2"]);
    let last = &spec.flows[2];
    assert_eq!(last.rate, Rate::LineShare(Ratio::new(12, 100)));
    assert_eq!(last.layers[1].fields()[0], ("id", &One(102)));
    assert_eq!(last.destination(), Some(&Values::Range { first: 0x0a02_0001, step: 1, count: 9 }));
    assert_eq!(last.layers[3].fields(), [("src", &One(2)), ("dst", &Values::List(vec![2, 9]))]);
}

#[test]
fn bidir_is_two_rows_with_addresses_and_ports_swapped() {
    let spec = Spec::from_toml(&file(
        r#"bidir = true
        rate = "5%"
        layers = [{eth = {dst = "02:00:00:00:00:01", src = "02:00:00:00:00:02"}}, {vlan = {id = 5}},
                  {ipv4 = {src = "0.0.0.1", dst = {list = ["0.0.0.2", "0.0.0.3"]}, dscp = 46}}, {udp = {src = 10, dst = 20}}]"#,
    ))
    .unwrap();
    let [there, back] = &spec.flows[..] else { panic!("two rows") };
    assert_eq!((there.name.as_str(), there.tx, there.rx), ("f/fwd", 0, Some(1)));
    assert_eq!((back.name.as_str(), back.tx, back.rx), ("f/rev", 1, Some(0)));
    assert_eq!(back.rate, there.rate);
    let field = |flow: &Flow, layer: usize, at: usize| flow.layers[layer].fields()[at].1.clone();
    for (layer, src, dst) in [(0, 0, 1), (2, 0, 1), (3, 0, 1)] {
        assert_eq!(field(there, layer, src), field(back, layer, dst));
        assert_eq!(field(there, layer, dst), field(back, layer, src));
    }
    assert_eq!(field(back, 2, 2), One(46));
    assert_eq!(back.layers[1], there.layers[1]);
}

#[test]
fn the_way_back_resolves_what_the_file_does_not_say() {
    let (a, auto) = (|| MacAddress::Given(One(0x0200_0000_0001)), || MacAddress::Auto);
    for (eth, src, dst) in [
        ("{}", auto(), auto()),
        ("{dst = \"02:00:00:00:00:01\"}", auto(), auto()),
        ("{src = \"02:00:00:00:00:01\"}", auto(), a()),
    ] {
        let lines = format!(
            "bidir = true\nlayers = [{{eth = {eth}}}, {{ipv4 = {{src = \"0.0.0.1\", dst = \"0.0.0.2\"}}}}]"
        );
        let back = Spec::from_toml(&file(&lines)).unwrap().flows.remove(1);
        assert_eq!(back.layers[0], Layer::Eth { src, dst, ethertype: None }, "{eth}");
    }
}

#[test]
fn the_least_size_with_a_tag_is_that_of_the_contract() {
    let (v4, v6) = (
        r#"{ipv4 = {src = "0.0.0.1", dst = "0.0.0.2"}}"#,
        r#"{ipv6 = {src = "::1", dst = "::2"}}"#,
    );
    let (udp, tcp) = ("{udp = {src = 1, dst = 2}}", "{tcp = {src = 1, dst = 2}}");
    let (eth, vlan) = ("{eth = {}}", "{vlan = {id = 1}}");
    for (stack, least) in [
        ([eth, v4, udp].as_slice(), 60),
        (&[eth, vlan, v4, udp], 64),
        (&[eth, vlan, vlan, v4, udp], 68),
        (&[eth, v4, tcp], 72),
        (&[eth, v6, udp], 80),
        (&[eth, v6, tcp], 92),
        (&[eth, v4, "{icmp = {}}"], 60),
        (&[eth, v6, "{icmpv6 = {}}"], 80),
        (&[eth, v4, udp, "{raw = {hex = \"00112233\"}}"], 64),
    ] {
        let text = |size| format!("size = {size}\nlayers = [{}]", stack.join(", "));
        assert_eq!(layered(&text(least.max(64))).least_bytes(), least, "{stack:?}");
        if least > 64 {
            let said = super::error(&file(&text(least - 1)));
            assert!(
                said.contains(&format!("allowed: size {least} to 9216")) && said.contains("track"),
                "{said}"
            );
        }
    }
}
