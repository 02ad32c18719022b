//! Ports against the kernel's own tools: `ip`, `ethtool`, `ping`, neighbour tables.

use super::{
    testbed::{Lab, Side, eventually, run, without_capability},
    *,
};
use crate::packet::format_mac;
use caps::Capability;
use std::{
    fs,
    net::IpAddr,
    time::{Duration, Instant},
};

/// Limit of waits that succeed at once; only a defect reaches it.
const LONG: Duration = Duration::from_secs(10);

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// What the kernel of `side` knows of a neighbour.
struct Neighbour {
    mac: Option<String>,
    failed: bool,
}

fn neighbour(side: &Side, address: IpAddr) -> Neighbour {
    let text = side.ip(&format!("-j neigh show {address}"));
    let entries: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let entry = entries.first();
    let mac = entry.and_then(|entry| Some(entry.get("lladdr")?.as_str()?.to_owned()));
    let failed = entry.is_some_and(|entry| entry["state"] == serde_json::json!(["FAILED"]));
    Neighbour { mac, failed }
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
    let error = wait_for_carrier(&lab.west.info(), short).unwrap_err();
    assert!(matches!(error, NicError::NoCarrier { .. }), "{error}");
    let error = wait_for_carrier(&lab.east.info(), short).unwrap_err();
    assert!(matches!(error, NicError::Down { .. }), "{error}");
    lab.east.ip("link set east up");
    wait_for_carrier(&lab.west.info(), LONG).unwrap();
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
fn the_kernel_next_door_resolves_what_the_responder_answers_for() {
    let lab = Lab::new();
    lab.east.ip("addr add 198.18.0.1/24 dev east");
    lab.east.ip("addr add 2001:2::1/64 dev east");
    // So that the kernel gives up on a silent neighbour soon.
    lab.east.exec("sysctl -qw net.ipv4.neigh.east.retrans_time_ms=50");
    lab.east.exec("sysctl -qw net.ipv6.neigh.east.retrans_time_ms=50");
    let west = lab.west.info();
    let ours = [ip("198.18.0.7"), ip("2001:2::7")];
    let responder = Responder::start(&west, move |address| ours.contains(&address)).unwrap();
    wait_for_carrier(&lab.east.info(), LONG).unwrap();
    for address in ours {
        lab.east.send(address, 1);
        let found = || neighbour(&lab.east, address).mac == Some(format_mac(west.mac));
        eventually("the kernel finds the tester", found);
    }
    assert!(responder.answers() >= 2);
    for address in [ip("198.18.0.8"), ip("2001:2::8")] {
        lab.east.send(address, 1);
        eventually("the kernel gives up", || neighbour(&lab.east, address).failed);
    }
}

#[test]
fn the_responder_leaves_the_kernels_own_addresses_to_the_kernel() {
    let lab = Lab::new();
    lab.west.ip("addr add 198.18.0.2/24 dev west");
    lab.east.ip("addr add 198.18.0.1/24 dev east");
    let responder = Responder::start(&lab.west.info(), |_| true).unwrap();
    wait_for_carrier(&lab.east.info(), LONG).unwrap();
    lab.east.send(ip("198.18.0.2"), 1);
    let found = || neighbour(&lab.east, ip("198.18.0.2")).mac.is_some();
    eventually("the kernels find each other", found);
    assert_eq!(responder.answers(), 0);
}

#[test]
fn scapy_gets_each_answer_within_the_vlans_it_asked_in() {
    let lab = Lab::new();
    let west = lab.west.info();
    let _responder = Responder::start(&west, |_| true).unwrap();
    wait_for_carrier(&lab.east.info(), LONG).unwrap();
    let script = r#"
from scapy.all import *
import sys
mac, me = sys.argv[1], get_if_hwaddr("east")
for tags, ids in [(Dot1Q(vlan=7), [7]), (Dot1AD(vlan=100) / Dot1Q(vlan=7, prio=5), [100, 7])]:
    arp = ARP(op=1, hwsrc=me, psrc="198.18.0.1", pdst="198.18.0.7")
    nd = (IPv6(src="2001:2::1", dst="ff02::1:ff00:7")
          / ICMPv6ND_NS(tgt="2001:2::7") / ICMPv6NDOptSrcLLAddr(lladdr=me))
    for question, group in [(arp, "ff:ff:ff:ff:ff:ff"), (nd, "33:33:ff:00:00:07")]:
        frame = Ether(src=me, dst=group) / tags / question
        wanted = lambda p: p.src == mac and (ARP in p or ICMPv6ND_NA in p)
        sniffer = AsyncSniffer(iface="east", lfilter=wanted, count=1, timeout=10,
                               started_callback=lambda: sendp(frame, iface="east", verbose=0))
        sniffer.start()
        sniffer.join()
        [answer] = sniffer.results
        got, layer = [], answer
        while layer := layer.payload:
            if isinstance(layer, (Dot1Q, Dot1AD)):
                got.append(layer.vlan)
        assert got == ids, (got, ids)
        assert answer.dst == me, answer.dst
        if ARP in answer:
            assert (answer[ARP].op, answer[ARP].hwsrc) == (2, mac), answer
            assert (answer[ARP].psrc, answer[ARP].hwdst) == ("198.18.0.7", me), answer
        else:
            na, given = answer[ICMPv6ND_NA], answer[ICMPv6ND_NA].cksum
            again = answer[IPv6].copy()
            del again[ICMPv6ND_NA].cksum
            assert IPv6(bytes(again))[ICMPv6ND_NA].cksum == given, "checksum"
            assert (na.R, na.S, na.O, na.tgt) == (0, 1, 1, "2001:2::7"), na
            assert answer[ICMPv6NDOptDstLLAddr].lladdr == mac, answer
            assert (answer[IPv6].hlim, answer[IPv6].dst) == (255, "2001:2::1"), answer
print("all answered")
"#;
    let output = lab.east.python(script, &[&format_mac(west.mac)]).wait();
    assert_eq!(output, "all answered\n");
}

#[test]
fn a_duplicate_of_an_address_we_play_is_detected_by_the_kernel() {
    let lab = Lab::new();
    lab.east.exec("sysctl -qw net.ipv6.conf.east.accept_dad=1");
    let ours = ip("2001:2::7");
    let _responder = Responder::start(&lab.west.info(), move |address| address == ours).unwrap();
    wait_for_carrier(&lab.east.info(), LONG).unwrap();
    lab.east.ip("addr add 2001:2::7/64 dev east");
    lab.east.ip("addr add 2001:2::8/64 dev east");
    let failed = || lab.east.ip("-6 addr show dev east dadfailed");
    eventually("duplicate found", || failed().contains("2001:2::7"));
    eventually("the other accepted", || {
        !lab.east.ip("-6 addr show dev east tentative").contains("2001:2::8")
    });
    assert!(!failed().contains("2001:2::8"));
}

#[test]
fn many_neighbours_of_both_families_resolve_to_the_kernels_macs() {
    let lab = Lab::new();
    lab.east.ip("addr add 198.18.0.1/16 dev east");
    lab.east.ip("addr add 2001:2::1/64 dev east");
    // Every address of a prefix is local to the kernel, which answers for all of them.
    lab.east.ip("route add local 198.18.4.0/22 dev east");
    let east = lab.east.info();
    let west = lab.west.info();
    wait_for_carrier(&west, LONG).unwrap();
    let mut targets: Vec<IpAddr> =
        (0..1000).map(|i| IpAddr::from([198, 18, 4 + (i / 256) as u8, i as u8])).collect();
    targets.push(ip("2001:2::1"));
    targets.push(ip("224.0.0.9"));
    targets.push(targets[0]);
    let sources = ["198.18.0.2/16".parse().unwrap(), "2001:2::2/64".parse().unwrap()];
    let macs = resolve_neighbours(&west, &sources, &targets, &[], LONG).unwrap();
    let mut expected = vec![east.mac; targets.len()];
    expected[1001] = [1, 0, 0x5e, 0, 0, 9];
    assert_eq!(macs, expected);
}

#[test]
fn a_port_without_any_address_can_still_ask() {
    let lab = Lab::new();
    lab.west.exec("sysctl -qw net.ipv6.conf.west.disable_ipv6=1");
    lab.east.ip("addr add 198.18.0.1/24 dev east");
    lab.east.ip("addr add 2001:2::1/64 dev east");
    let west = lab.west.info();
    assert_eq!(west.addresses, []);
    wait_for_carrier(&west, LONG).unwrap();
    let targets = [ip("198.18.0.1"), ip("2001:2::1")];
    let macs = resolve_neighbours(&west, &[], &targets, &[], LONG).unwrap();
    assert_eq!(macs, [lab.east.info().mac; 2]);
}

#[test]
fn neighbours_resolve_behind_tags_and_only_there() {
    let lab = Lab::new();
    let west = lab.west.info();
    wait_for_carrier(&west, LONG).unwrap();
    // A device that lives in VLAN 7 within service VLAN 100.
    let script = r#"
from scapy.all import *
mac = "02:00:00:00:00:c7"
def tags(p):
    found = []
    while p := p.payload:
        if isinstance(p, (Dot1Q, Dot1AD)):
            found.append(p)
    return found
def answer(p):
    if p.src == mac or [t.vlan for t in tags(p)] != [100, 7]:
        return
    head = Ether(src=mac, dst=p.src) / Dot1AD(vlan=100) / Dot1Q(vlan=7)
    if ARP in p and p[ARP].op == 1 and p[ARP].psrc == "198.18.2.2":
        sendp(head / ARP(op=2, hwsrc=mac, psrc=p[ARP].pdst, hwdst=p.src, pdst=p[ARP].psrc),
              iface="east", verbose=0)
    if ICMPv6ND_NS in p and p[IPv6].src == "2001:2:0:2::2":
        assert p[ICMPv6NDOptSrcLLAddr].lladdr == p.src
        sendp(head / IPv6(src=p[ICMPv6ND_NS].tgt, dst=p[IPv6].src)
              / ICMPv6ND_NA(tgt=p[ICMPv6ND_NS].tgt, R=0, S=1, O=1)
              / ICMPv6NDOptDstLLAddr(lladdr=mac), iface="east", verbose=0)
sniff(iface="east", prn=answer, store=0)
"#;
    let _device = lab.east.python(script, &[]);
    let tags = [VlanTag { tpid: 0x88a8, tci: 100 }, VlanTag { tpid: 0x8100, tci: 0xa007 }];
    let targets = [ip("198.18.2.1"), ip("2001:2:0:2::1")];
    let sources = ["198.18.2.2/24".parse().unwrap(), "2001:2:0:2::2/64".parse().unwrap()];
    let macs = resolve_neighbours(&west, &sources, &targets, &tags, 3 * LONG).unwrap();
    assert_eq!(macs, [[2, 0, 0, 0, 0, 0xc7]; 2]);
    let other = [tags[0], VlanTag { tci: 8, ..tags[1] }];
    let short = Duration::from_millis(300);
    let error = resolve_neighbours(&west, &sources, &targets, &other, short).unwrap_err();
    assert!(matches!(error, NicError::Unresolved { .. }), "{error}");
}

#[test]
fn silent_neighbours_are_named_and_counted() {
    let lab = Lab::new();
    lab.east.ip("addr add 198.18.0.1/24 dev east");
    let west = lab.west.info();
    wait_for_carrier(&west, LONG).unwrap();
    let targets = [ip("198.18.0.1"), ip("198.18.0.9"), ip("198.18.0.8")];
    let sources = ["198.18.0.2/24".parse().unwrap()];
    let limit = Duration::from_millis(500);
    let error = resolve_neighbours(&west, &sources, &targets, &[], limit).unwrap_err();
    let NicError::Unresolved { missing, asked, .. } = &error else { panic!("{error}") };
    assert_eq!((&missing[..], *asked), (&targets[1..], 3));
    assert_eq!(
        error.to_string(),
        format!(
            "198.18.0.9, 198.18.0.8 (2 of 3) do not answer ARP on {}; \
             set gw, or give eth.dst",
            west.name
        )
    );
}

#[test]
fn asking_on_a_port_that_is_down_or_gone_says_so() {
    let lab = Lab::new();
    let west = lab.west.info();
    lab.west.ip("link set west down");
    let ask = || resolve_neighbours(&west, &[], &[ip("198.18.0.1")], &[], LONG).unwrap_err();
    let started = Instant::now();
    assert!(matches!(ask(), NicError::Down { .. }), "{}", ask());
    lab.west.ip("link delete west");
    assert!(matches!(ask(), NicError::Gone { .. }), "{}", ask());
    assert!(started.elapsed() < LONG, "an error that is known is not waited for");
}

#[test]
fn counters_agree_with_ip_and_ethtool_and_follow_the_port() {
    let lab = Lab::new();
    lab.west.ip("addr add 198.18.0.2/24 dev west");
    lab.east.ip("addr add 198.18.0.1/24 dev east");
    wait_for_carrier(&lab.west.info(), LONG).unwrap();
    let mut counters = PortCounters::open(&lab.west.info()).unwrap();
    let before = counters.link().unwrap();
    lab.east.send(ip("198.18.0.2"), 5);
    let octets = 5 * (14 + 20 + 8 + Side::DATAGRAM as u64);
    eventually("all are counted", || {
        let after = link_counters(&lab.west.info()).unwrap();
        after.rx_packets >= before.rx_packets + 5 && after.rx_bytes >= before.rx_bytes + octets
    });
    // Stop everything that might send, then the two pictures are of the same moment.
    lab.east.ip("link set east down");
    let ours = counters.link().unwrap();
    let text = lab.west.ip("-s -j link show west");
    let theirs: serde_json::Value = serde_json::from_str(&text).unwrap();
    let theirs = &theirs[0]["stats64"];
    assert_eq!((ours.rx_packets, ours.rx_bytes), {
        let rx = &theirs["rx"];
        (rx["packets"].as_u64().unwrap(), rx["bytes"].as_u64().unwrap())
    });
    assert_eq!(ours.tx_dropped, theirs["tx"]["dropped"].as_u64().unwrap());
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
