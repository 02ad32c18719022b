//! Ports against the kernel's own tools: `ip`, `ethtool`, `ping`, neighbour tables.

use super::{
    testbed::{Lab, Side, eventually, run, without_capability},
    *,
};
use crate::packet::format_mac;
use caps::Capability;
use std::{fs, net::IpAddr, time::Duration};

/// Limit of waits that succeed at once; only a defect reaches it.
const LONG: Duration = Duration::from_secs(10);

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn what_a_port_is_agrees_with_ip_and_ethtool() {
    let lab = Lab::new();
    lab.west.ip("link set west mtu 3000");
    lab.west.ip("addr add 198.18.0.2/24 dev west");
    lab.west.ip("addr add 2001:2::2/64 dev west");
    lab.west.exec("ethtool -L west rx 1");
    eventually("carrier", || lab.west.info().carrier);
    let info = lab.west.info();
    let link = lab.west.link_json();
    assert_eq!(info.name, lab.west.name());
    assert_eq!(u64::from(info.ifindex), link["ifindex"]);
    assert_eq!(format_mac(info.mac), link["address"]);
    assert_eq!(u64::from(info.mtu), link["mtu"]);
    assert_eq!(info.kind.as_deref(), link["linkinfo"]["info_kind"].as_str());
    assert_eq!(info.kind.as_deref(), Some("veth"));
    assert_eq!((info.up, info.physical, info.xdp), (true, false, None));
    assert_eq!(u64::from(info.promiscuity), link["promiscuity"]);
    // The kernel has two RX queues; ethtool left one in use.
    assert_eq!((&link["num_rx_queues"], info.rx_queues, info.tx_queues), (&2.into(), 1, 2));

    let driver = lab.west.exec("ethtool -i west");
    assert!(driver.contains(&format!("driver: {}\n", info.driver)), "{driver}");
    let speed = lab.west.exec("ethtool west");
    let expected = format!("Speed: {}Mb/s\n", info.link_bps.unwrap() / 1_000_000);
    assert!(speed.contains(&expected), "{speed}");
    let features = lab.west.exec("ethtool -k west");
    let state = if info.features.gro { "on" } else { "off" };
    assert!(features.contains(&format!("generic-receive-offload: {state}")), "{features}");

    let addresses: Vec<String> = info.addresses.iter().map(ToString::to_string).collect();
    assert!(addresses.contains(&"198.18.0.2/24".to_owned()), "{addresses:?}");
    assert!(addresses.contains(&"2001:2::2/64".to_owned()), "{addresses:?}");
}

#[test]
fn the_ends_of_a_veth_are_joined_and_no_others_whatever_their_index() {
    let (one, other) = (Lab::new(), Lab::new());
    let joined = |a: &Side, b: &Side| are_joined(&a.info(), &b.info()).unwrap();
    assert!(joined(&one.west, &one.east) && joined(&one.east, &one.west));
    assert_eq!(one.east.info().ifindex, other.east.info().ifindex, "or this proves nothing");
    assert!(!joined(&one.west, &other.east) && !joined(&one.west, &one.west));
    one.west.ip("link add name a type veth peer name b");
    let port = |interface: &str| {
        let name = PortName {
            interface: interface.to_owned(),
            netns: Some(one.west.netns()),
            daemon: None,
        };
        port_info(&name).unwrap()
    };
    assert!(are_joined(&port("a"), &port("b")).unwrap());
}

#[test]
fn what_a_port_can_do_agrees_with_ethtool_and_the_kernel() {
    let lab = Lab::new();
    lab.west.exec("ethtool -L west tx 1");
    let found = capabilities(&lab.west.info()).unwrap();
    let channels = found.channels.unwrap();
    assert_eq!((channels.rx, channels.tx, channels.rx_max, channels.tx_max), (2, 1, 2, 2));
    let shown = lab.west.exec("ethtool -l west");
    assert!(shown.contains("RX:\t\t2\nTX:\t\t1\n"), "{shown}");
    let stamps = found.timestamping.clone().unwrap();
    assert_eq!(stamps.stamps, ["tx-software", "rx-software"]);
    assert_eq!((stamps.phc, found.duplex), (None, Some("full")));
    assert_eq!(stamps.rx_filters, Vec::<&str>::new());
    // A veth has neither of these (`ethtool -g`, `-c`: not supported), nor a slot.
    assert_eq!((found.rings, found.rx_coalesce_us, &found.pci), (None, None, &None));
    assert!(found.interrupts.is_empty(), "{found:?}");
    // drivers/net/veth.c: native XDP, no zero-copy; stamps and more for device-bound programs.
    let xdp = found.xdp.expect("the netdev family of this kernel");
    assert!(xdp.xdp.contains(&"basic") && !xdp.zero_copy(), "{xdp:?}");
    assert_eq!(xdp.rx_metadata, ["timestamp", "hash", "vlan-tag"]);
    assert_eq!(found.harmful_offloads, Vec::<&str>::new());
    lab.west.exec("ethtool -K west rx-udp-gro-forwarding on");
    let found = capabilities(&lab.west.info()).unwrap();
    assert_eq!(found.harmful_offloads, ["rx-udp-gro-forwarding"]);
}

#[test]
fn a_reading_has_the_counters_of_kernel_and_driver() {
    let lab = Lab::new();
    lab.west.ip("addr add 198.18.0.2/24 dev west");
    lab.west.ip("neigh add 198.18.0.9 lladdr 02:00:00:00:00:09 dev west nud permanent");
    eventually("carrier", || lab.west.info().carrier);
    let mut counters = PortCounters::open(&lab.west.info()).unwrap();
    let before = counters.read().unwrap();
    lab.west.send(ip("198.18.0.9"), 5);
    let gained = counters.read().unwrap().since(&before);
    assert!(gained.link.tx_packets >= 5, "{gained:?}");
    assert_eq!((gained.driver.as_str(), gained.rx_dropped()), ("veth", 0));
    assert!(gained.statistics.iter().any(|(name, _)| name == "rx_queue_1_drops"), "{gained:?}");
    assert_eq!((gained.rx_hw_drops, gained.pause_frames()), (None, None), "a veth has neither");
}

#[test]
fn link_states_and_features_follow_the_kernel() {
    let lab = Lab::new();
    lab.east.ip("link set east down");
    eventually("no carrier", || !lab.west.info().carrier);
    assert!(lab.west.info().up);
    assert!(!lab.east.info().up);
    assert!(matches!(lab.east.info().require_up(), Err(NicError::Down { .. })));
    for state in ["on", "off"] {
        lab.west.exec(&format!("ethtool -K west gro {state}"));
        assert_eq!(lab.west.info().features.gro, state == "on");
    }
}

#[test]
fn an_attached_xdp_program_is_the_one_that_ip_shows() {
    let lab = Lab::new();
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let source = "__attribute__((section(\"xdp\"))) int pass(void *frame) { return 2; }";
    fs::write(path("pass.c"), source).unwrap();
    run(&format!("clang -O2 -target bpf -c {} -o {}", path("pass.c"), path("pass.o")));
    for (mode, hook) in [("xdpdrv", XdpHook::Native), ("xdpgeneric", XdpHook::Generic)] {
        lab.west.ip(&format!("link set west {mode} obj {} sec xdp", path("pass.o")));
        let attached = lab.west.info().xdp.unwrap();
        assert_eq!(attached.hook, hook);
        assert_eq!(lab.west.link_json()["xdp"]["prog"]["id"], attached.program);
        lab.west.ip(&format!("link set west {mode} off"));
        assert_eq!(lab.west.info().xdp, None);
    }
}

#[test]
fn an_unknown_interface_is_answered_with_the_nearest_that_exists() {
    let lab = Lab::new();
    lab.west.ip("link add wrest type bridge");
    let name = PortName { interface: "west0".into(), ..lab.west.name() };
    let error = port_info(&name).unwrap_err();
    let NicError::UnknownInterface { existing, .. } = &error else { panic!("{error}") };
    assert_eq!(existing[..], ["west", "wrest"]);
    assert_eq!(error.exit_code(), 64);

    let loopback = PortName { interface: "lo".into(), ..lab.west.name() };
    assert!(matches!(port_info(&loopback), Err(NicError::NotEthernet { .. })));
    let listed = list_ports(Some(&lab.west.netns())).unwrap();
    let listed: Vec<&str> = listed.iter().map(|port| port.name.interface.as_str()).collect();
    assert_eq!(listed, ["west", "wrest"]);
}

#[test]
fn a_port_is_found_by_its_alternative_name() {
    let lab = Lab::new();
    lab.west.ip("link property add dev west altname enp23s0f0np0-the-long-one");
    let name = PortName { interface: "enp23s0f0np0-the-long-one".into(), ..lab.west.name() };
    assert_eq!(port_info(&name).unwrap().name, lab.west.name());
}

#[test]
fn a_bus_address_finds_the_device_that_ethtool_shows_there() {
    let devices = list_ports(None).unwrap();
    let lab = Lab::new();
    // Any device of the machine that has a bus address; without one, only the refusal.
    if let Some(device) = devices.iter().find(|port| port.bus.is_some()) {
        let bus = device.bus.as_ref().unwrap();
        let shown = run(&format!("ethtool -i {}", device.name));
        assert!(shown.contains(&format!("bus-info: {bus}\n")), "{shown}");
        if let Ok(name) = format!("pci:{bus}").parse() {
            assert_eq!(port_info(&name).unwrap().ifindex, device.ifindex);
        }
    }
    let name = PortName { interface: "pci:ffff:ff:1f.7".into(), ..lab.west.name() };
    assert!(matches!(port_info(&name), Err(NicError::UnknownInterface { .. })));
}

#[test]
fn a_held_port_cannot_be_held_again_until_it_is_dropped() {
    let lab = Lab::new();
    let info = lab.west.info();
    let hold = Hold::take(&info).unwrap();
    let error = Hold::take(&info).unwrap_err();
    assert!(matches!(error, NicError::Held { pid: Some(_), .. }), "{error}");
    assert!(error.to_string().contains(&format!("(pid {})", std::process::id())), "{error}");
    assert_eq!(error.exit_code(), 2);
    // The same index in another namespace is another port.
    drop(Hold::take(&PortInfo { ifindex: info.ifindex, ..lab.east.info() }).unwrap());
    drop(hold);
    Hold::take(&info).unwrap().release().unwrap();
}

#[test]
fn a_held_port_is_promiscuous_and_hears_all_multicast() {
    let lab = Lab::new();
    let modes = || {
        let link = lab.west.link_json();
        (link["promiscuity"].as_u64().unwrap(), link["allmulti"].as_u64())
    };
    let before = modes();
    let hold = Hold::take(&lab.west.info()).unwrap();
    let held = modes();
    assert_eq!(held.0, before.0 + 1);
    assert_eq!(held.1, before.1.map(|count| count + 1));
    let settings: Vec<&str> =
        hold.settings_changed().iter().map(|change| change.setting.as_str()).collect();
    assert_eq!(settings, ["promiscuous", "all-multicast"]);
    assert_eq!(hold.not_controllable(), ["pause: the driver has no control"]);
    drop(hold);
    assert_eq!(modes(), before);
}

#[test]
fn missing_capabilities_are_named_with_their_purpose() {
    let lab = Lab::new();
    let info = lab.west.info();
    // The threads enter the namespace first: that takes another capability.
    let inside = |capability, work: fn(&PortInfo) -> NicError| {
        let netns = Netns::open(Some(&lab.west.netns())).unwrap();
        netns.run(|| without_capability(capability, || work(&info))).unwrap()
    };
    let raw = Capability::CAP_NET_RAW;
    let errors = [
        inside(raw, |info| Hold::take(info).unwrap_err()),
        inside(raw, |info| Responder::start(info, |_| true).unwrap_err()),
        inside(raw, |info| {
            resolve_neighbours(info, &[], &[ip("198.18.0.1")], &[], LONG).unwrap_err()
        }),
    ];
    for error in errors {
        assert!(matches!(error, NicError::Privilege { capability: "CAP_NET_RAW", .. }), "{error}");
        assert!(error.to_string().contains(&info.name.to_string()), "{error}");
        assert_eq!(error.exit_code(), 77);
    }
}

#[test]
fn the_watch_sees_down_up_lost_carrier_and_deletion() {
    let lab = Lab::new();
    let watch = LinkWatch::start(&[lab.west.info(), lab.east.info()]).unwrap();
    watch.wait_for_carrier(0, LONG).unwrap();
    watch.wait_for_carrier(1, LONG).unwrap();
    let losses = watch.losses(0);
    lab.west.ip("link set west down");
    eventually("west down", || watch.state(0) == LinkState::Down);
    eventually("east without carrier", || watch.state(1) == LinkState::NoCarrier);
    assert!(matches!(watch.check(0), Err(NicError::Down { .. })));
    assert!(matches!(watch.check(1), Err(NicError::NoCarrier { .. })));
    lab.west.ip("link set west up");
    eventually("both up", || (0..2).all(|port| watch.state(port) == LinkState::Up));
    assert_eq!(watch.losses(0), losses + 1);
    lab.west.ip("link delete west");
    eventually("both gone", || (0..2).all(|port| watch.state(port) == LinkState::Gone));
    let error = watch.wait_for_carrier(0, LONG).unwrap_err();
    assert!(matches!(error, NicError::Gone { .. }), "{error}");
}

#[test]
fn a_port_that_moves_to_another_namespace_is_gone() {
    let lab = Lab::new();
    let watch = LinkWatch::start(&[lab.west.info()]).unwrap();
    lab.west.ip(&format!("link set west netns {}", lab.east.netns()));
    eventually("west gone", || watch.state(0) == LinkState::Gone);
}

#[test]
fn a_port_that_leaves_a_bridge_is_not_gone() {
    let lab = Lab::new();
    let watch = LinkWatch::start(&[lab.west.info()]).unwrap();
    watch.wait_for_carrier(0, LONG).unwrap();
    lab.west.ip("link add br0 type bridge");
    lab.west.ip("link set west master br0");
    lab.west.ip("link set west nomaster");
    // Messages come in order: once this one is heard, the bridge's were too.
    lab.west.ip("link set west down");
    eventually("west down", || watch.state(0) != LinkState::Up);
    assert_eq!(watch.state(0), LinkState::Down);
}

#[test]
fn waiting_for_carrier_ends_with_the_reason() {
    let lab = Lab::new();
    lab.east.ip("link set east down");
    let short = Duration::from_millis(20);
    let error = wait_for_carriers(&[lab.west.info()], short).unwrap_err();
    assert!(matches!(error, NicError::NoCarrier { .. }), "{error}");
    let error = wait_for_carriers(&[lab.east.info()], short).unwrap_err();
    assert!(matches!(error, NicError::Down { .. }), "{error}");
    lab.east.ip("link set east up");
    wait_for_carriers(&[lab.west.info()], LONG).unwrap();
}

#[test]
fn threads_end_with_what_they_serve() {
    let lab = Lab::new();
    let threads = |name: &str| {
        let tasks = fs::read_dir("/proc/self/task").unwrap();
        let names =
            tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
        names.filter(|comm| comm.trim() == name).count()
    };
    // Other tests run in this process: the thread is told by a name of its own.
    let worker = wake::Worker::start("nic-ends", |wake| while wake.wait(&[]).is_some() {}).unwrap();
    eventually("started", || threads("nic-ends") == 1);
    drop(worker);
    assert_eq!(threads("nic-ends"), 0);
    drop(LinkWatch::start(&[lab.west.info()]).unwrap());
    drop(Responder::start(&lab.west.info(), |_| true).unwrap());
}

#[test]
fn counters_agree_with_ip_and_ethtool_and_follow_the_port() {
    let lab = Lab::new();
    lab.west.ip("addr add 198.18.0.2/24 dev west");
    lab.east.ip("addr add 198.18.0.1/24 dev east");
    wait_for_carriers(&[lab.west.info()], LONG).unwrap();
    let mut counters = PortCounters::open(&lab.west.info()).unwrap();
    let before = counters.link().unwrap();
    lab.east.send(ip("198.18.0.2"), 5);
    let octets = 5 * (14 + 20 + 8 + Side::DATAGRAM as u64);
    eventually("all are counted", || {
        let after = link_counters(&lab.west.info()).unwrap();
        after.rx_packets >= before.rx_packets + 5 && after.rx_bytes >= before.rx_bytes + octets
    });
    lab.east.ip("link set east down");
    // What is still in the veth's rings is counted before long.
    eventually("the same picture", || {
        let text = lab.west.ip("-s -j link show west");
        let theirs: serde_json::Value = serde_json::from_str(&text).unwrap();
        let theirs = |side: &str, what: &str| theirs[0]["stats64"][side][what].as_u64().unwrap();
        let ours = link_counters(&lab.west.info()).unwrap();
        [ours.rx_packets, ours.rx_bytes, ours.tx_packets, ours.tx_bytes, ours.tx_dropped]
            == [
                theirs("rx", "packets"),
                theirs("rx", "bytes"),
                theirs("tx", "packets"),
                theirs("tx", "bytes"),
                theirs("tx", "dropped"),
            ]
    });
    let shown = lab.west.exec("ethtool -S west");
    let driver = counters.driver().unwrap();
    assert!(driver.iter().any(|(name, _)| name == "peer_ifindex"), "{driver:?}");
    for (name, value) in &driver {
        assert!(shown.contains(&format!("{name}: {value}\n")), "{name} {value} in {shown}");
    }
    lab.west.ip("link set west down");
    lab.west.ip("link set west name renamed");
    assert_eq!(counters.driver().unwrap().len(), driver.len());
    lab.west.ip("link delete renamed");
    assert!(matches!(counters.link(), Err(NicError::Gone { .. })));
    assert!(matches!(counters.driver(), Err(NicError::Gone { .. })));
}
