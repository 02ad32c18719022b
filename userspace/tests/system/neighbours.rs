//! ARP and ND in both roles: asking for next hops, answering for what a port plays.

use crate::testbed::{Lab, Linerate, Port, eventually};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

/// Has the kernel of a port look for a neighbour, and returns the MAC address it found.
fn look_for(port: &Port, address: &str) -> Option<String> {
    let from = if address.contains(':') { "[::]:0" } else { "0.0.0.0:0" };
    let ip: IpAddr = address.parse().unwrap();
    let to = SocketAddr::new(ip, 9);
    port.inside(|| UdpSocket::bind(from).unwrap().send_to(b"anybody there?", to).unwrap());
    let found = || {
        let shown = port.command("ip", &["neighbour", "show", address]);
        let mut words = shown.split_whitespace().skip_while(|word| *word != "lladdr");
        words.nth(1).map(str::to_owned)
    };
    for _ in 0..100 {
        if let Some(mac) = found() {
            return Some(mac);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}

/// Without duplicate address detection, which would keep the port silent for a second.
fn allow_ipv6(port: &Port, forwarding: &str) {
    for (what, value) in [("accept_dad", "0"), ("disable_ipv6", "0")] {
        port.set_sysctl(&format!("net/ipv6/conf/{}/{what}", port.interface), value);
    }
    port.set_sysctl("net/ipv6/conf/all/forwarding", forwarding);
}

fn give_address(port: &Port, address: &str) {
    let mut arguments = vec!["address", "add", address, "dev", &port.interface];
    if address.contains(':') {
        arguments.push("nodad");
    }
    port.command("ip", &arguments);
}

#[test]
fn it_answers_for_the_addresses_it_plays_and_for_no_others() {
    let lab = Lab::cable();
    allow_ipv6(&lab.east, "0");
    give_address(&lab.east, "198.18.0.99/24");
    give_address(&lab.east, "2001:2::99/64");
    let text = r#"
        [ports]
        west = { if = "WEST", addr = ["198.18.0.2/24", "2001:2::2/64"] }
        [[flow]]
        name = "four"
        tx = "west"
        rate = "100pps"
        layers = [{eth = {dst = "02:00:00:00:00:02"}}, {ipv4 = {src = {range = "198.18.0.10-198.18.0.12"}, dst = "198.18.0.99"}}, {udp = {src = 1, dst = 7}}]
        [[flow]]
        name = "six"
        tx = "west"
        rate = "100pps"
        size = 80
        layers = [{eth = {dst = "02:00:00:00:00:02"}}, {ipv6 = {src = "2001:2::10", dst = "2001:2::99"}}, {udp = {src = 1, dst = 7}}]
        "#;
    let run = Linerate::start(&lab.flow_file(text));
    eventually("the run sends", || lab.west.counters().tx_packets > 20);
    let own = Some(lab.west.mac());
    for address in ["198.18.0.2", "198.18.0.10", "198.18.0.12", "2001:2::2", "2001:2::10"] {
        assert_eq!(look_for(&lab.east, address), own, "{address}");
    }
    for address in ["198.18.0.13", "2001:2::13"] {
        assert_eq!(look_for(&lab.east, address), None, "{address} is nobody's");
    }
    run.signal(libc::SIGINT);
    run.wait().exits(0);
    assert_eq!(look_for(&lab.east, "198.18.0.11"), None, "it answers after its end");
}

/// A lab whose device is a Linux router: 198.18.0.1 and 2001:2:0:0::1 to the west, 198.18.1.1 and
/// 2001:2:0:1::1 to the east.
pub(crate) fn router() -> Lab {
    let lab = Lab::with_device();
    let (facing_west, facing_east) = lab.device.clone().unwrap();
    facing_west.set_sysctl("net/ipv4/ip_forward", "1");
    for (port, four, six) in [
        (&facing_west, "198.18.0.1/24", "2001:2:0:0::1/64"),
        (&facing_east, "198.18.1.1/24", "2001:2:0:1::1/64"),
    ] {
        allow_ipv6(port, "1");
        give_address(port, four);
        give_address(port, six);
    }
    lab
}

#[test]
fn frames_pass_a_linux_router_in_both_directions() {
    let lab = router();
    let text = r#"
        [ports]
        west = { if = "WEST", addr = ["198.18.0.2/24", "2001:2:0:0::2/64"], gw = ["198.18.0.1", "2001:2:0:0::1"] }
        east = { if = "EAST", addr = ["198.18.1.2/24", "2001:2:0:1::2/64"], gw = ["198.18.1.1", "2001:2:0:1::1"] }
        [[flow]]
        name = "four"
        tx = "west"
        rx = "east"
        bidir = true
        rate = "4kpps"
        frames = 4000
        integrity = "full"
        layers = [{eth = {dst = "auto"}}, {ipv4 = {src = {range = "198.18.0.10-198.18.0.19"}, dst = {range = "198.18.1.10-198.18.1.29"}}}, {udp = {src = 49184, dst = 7}}]
        [[flow]]
        name = "six"
        tx = "west"
        rx = "east"
        bidir = true
        rate = "4kpps"
        frames = 4000
        size = 128
        integrity = "full"
        layers = [{eth = {dst = "auto"}}, {ipv6 = {src = "2001:2:0:0::10", dst = {range = "2001:2:0:1::10-2001:2:0:1::19"}}}, {udp = {src = 49184, dst = 7}}]
        "#;
    let result = Linerate::run(&lab.flow_file(text)).exits(0).result();
    for name in ["four/fwd", "four/rev", "six/fwd", "six/rev"] {
        let row = result.flow(name);
        row.assert_counts(&[("tx_frames", 4000), ("rx_unique_frames", 4000), ("lost_frames", 0)]);
        row.assert_counts(&[("duplicate_frames", 0), ("corrupt_frames", 0)]);
    }
    lab.assert_nothing_attached();
}
