//! Answers and questions against the kernel next door, and scapy where tags are needed.

use super::*;
use crate::{
    nic::{
        NicError, link_counters,
        testbed::{Lab, Side, eventually},
        wait_for_carriers,
    },
    packet::format_mac,
};
use std::{
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
    wait_for_carriers(&[lab.east.info()], LONG).unwrap();
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
fn ordinary_traffic_wakes_no_responder() {
    let lab = Lab::new();
    lab.west.ip("addr add 198.18.0.2/24 dev west");
    lab.east.ip("addr add 198.18.0.1/24 dev east");
    let west = lab.west.info();
    wait_for_carriers(&[lab.east.info()], LONG).unwrap();
    let socket = west.netns().unwrap().run(|| responder::questions(west.ifindex)).unwrap().unwrap();
    let before = link_counters(&west).unwrap();
    lab.east.send(ip("198.18.0.2"), 50);
    eventually("all arrive", || link_counters(&west).unwrap().rx_packets >= before.rx_packets + 51);
    let mut heard = Vec::new();
    while let Some(frame) = socket.receive().unwrap() {
        heard.push(frame);
    }
    let arp = |frame: &&Vec<u8>| frame[12..14] == [8, 6] && frame[21] == 1;
    let solicitation = |frame: &&Vec<u8>| frame[12..14] == [0x86, 0xdd] && frame[54] == 135;
    assert!(heard.iter().any(|frame| arp(&frame)), "{heard:02x?}");
    assert!(heard.iter().all(|frame| arp(&frame) || solicitation(&frame)), "{heard:02x?}");
}

#[test]
fn the_responder_leaves_the_kernels_own_addresses_to_the_kernel() {
    let lab = Lab::new();
    lab.west.ip("addr add 198.18.0.2/24 dev west");
    lab.east.ip("addr add 198.18.0.1/24 dev east");
    let responder = Responder::start(&lab.west.info(), |_| true).unwrap();
    wait_for_carriers(&[lab.east.info()], LONG).unwrap();
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
    wait_for_carriers(&[lab.east.info()], LONG).unwrap();
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
    wait_for_carriers(&[lab.east.info()], LONG).unwrap();
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
    wait_for_carriers(std::slice::from_ref(&west), LONG).unwrap();
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
    wait_for_carriers(std::slice::from_ref(&west), LONG).unwrap();
    let targets = [ip("198.18.0.1"), ip("2001:2::1")];
    let macs = resolve_neighbours(&west, &[], &targets, &[], LONG).unwrap();
    assert_eq!(macs, [lab.east.info().mac; 2]);
}

#[test]
fn neighbours_resolve_behind_tags_and_only_there() {
    let lab = Lab::new();
    let west = lab.west.info();
    wait_for_carriers(std::slice::from_ref(&west), LONG).unwrap();
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
    wait_for_carriers(std::slice::from_ref(&west), LONG).unwrap();
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
