use super::*;
use crate::spec::Track;
use std::process::Command;

/// What scapy makes of these expressions, read back.
fn scapy(packets: &str) -> Recording {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made.pcap");
    let script = format!(
        "import sys\nfrom scapy.all import *\nfrom scapy.contrib.mpls import MPLS\n\
         from scapy.layers.vxlan import VXLAN\n\
         packets = {packets}\n\
         for number, packet in enumerate(packets):\n    packet.time = 1000 + number / 1000\n\
         wrpcap(sys.argv[1], packets)\n"
    );
    let made = Command::new("/usr/bin/python3").args(["-c", &script]).arg(&path).output();
    let made = made.expect("python3 with scapy must be installed for this test");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Recording::read(std::fs::File::open(&path).unwrap(), true).unwrap()
}

const ETH: &str = "Ether(src='02:00:00:00:00:01', dst='02:00:00:00:00:02')";

fn flow(captured: &Captured, at: usize) -> &Value {
    &captured.spec["flow"][at]
}

/// The layers of the only flow.
fn only(captured: &Captured) -> &Value {
    assert_eq!(captured.spec["flow"].as_array().unwrap().len(), 1, "{captured:?}");
    &flow(captured, 0)["layers"]
}

#[test]
fn a_conversation_is_one_flow_that_has_every_field_of_its_frames() {
    let recording = scapy(&format!(
        "[{ETH}/Dot1Q(vlan=100, prio=5)/IP(src='198.18.0.2', dst='198.18.1.2', id=7 + 2 * n, tos=0xb8, flags='DF')\
         /UDP(sport=1000, dport=7)/Raw(b'x' * (22 + 100 * (n % 2))) for n in range(6)]"
    ));
    let captured = flows(&recording, 20);
    assert_eq!(
        *only(&captured),
        json!([
            {"eth": {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}},
            {"vlan": {"id": 100, "pcp": 5, "tpid": "0x8100"}},
            {"ipv4": {"src": "198.18.0.2", "dst": "198.18.1.2", "ttl": 64, "dscp": 46,
                "id": {"range": "7-17", "step": 2}, "df": true}},
            {"udp": {"src": 1000, "dst": 7}},
        ])
    );
    let only = flow(&captured, 0);
    assert_eq!(only["size"], json!([72, 172, 72, 172, 72, 172]));
    assert_eq!((&only["rate"], &only["track"]), (&json!("1000pps"), &json!("tag")));
    assert_eq!(captured.frames, 6);
}

#[test]
fn conversations_that_differ_in_one_field_are_one_flow_and_others_are_not() {
    let to = |dst: &str, sport: &str| {
        format!("{ETH}/IP(src='10.0.0.1', dst={dst})/UDP(sport={sport}, dport=7)/Raw(b'x' * 30)")
    };
    let merged = scapy(&format!("[{} for n in range(9)]", to("'10.1.0.%d' % (n % 3)", "5")));
    let captured = flows(&merged, 20);
    assert_eq!(only(&captured)[1]["ipv4"]["dst"]["list"][4], "10.1.0.1");
    let apart = scapy(&format!("[{} for n in range(9)]", to("'10.1.0.%d' % (n % 3)", "n // 3")));
    let captured = flows(&apart, 20);
    assert_eq!(captured.spec["flow"].as_array().unwrap().len(), 3, "{captured:?}");
    assert_eq!(captured.frames, 9);
    let few = flows(&apart, 2);
    assert_eq!((few.spec["flow"].as_array().unwrap().len(), few.frames), (2, 6));
    assert!(few.notes.iter().any(|note| note.starts_with("3 frames are left out")), "{few:?}");
}

#[test]
fn options_tunnels_padding_and_unknown_protocols_stand_in_the_flow() {
    let recording = scapy(&format!(
        "[{ETH}/IP(src='10.0.0.1', dst='10.0.0.2')/TCP(sport=1, dport=80, flags='S', seq=9, options=[('MSS', 1460)]),\
          {ETH}/MPLS(label=16, s=1, ttl=9)/IPv6(src='2001:2::1', dst='2001:2::2')/UDP(sport=1, dport=4789)\
            /VXLAN(vni=77, flags=8)/Ether(src='02:00:00:00:00:03', dst='02:00:00:00:00:04')/IP(src='10.0.0.3', dst='10.0.0.4')/ICMP(id=3, seq=4)/Raw(b'y' * 40),\
          {ETH}/IP(src='10.0.0.1', dst='10.0.0.2', proto=89)/Raw(bytes(range(80))),\
          {ETH}/ARP(op=1, psrc='10.0.0.1', pdst='10.0.0.9', hwsrc='02:00:00:00:00:01'),\
          {ETH}/IP(src='10.0.0.1', dst='10.0.0.2', options=[IPOption_RR()])/UDP(sport=1, dport=2)/Raw(b'z' * 40),\
          Ether(src='02:00:00:00:00:01', dst='01:80:c2:00:00:0e', type=0x88cc)/Raw(bytes(range(100)))]"
    ));
    let captured = flows(&recording, 20);
    let all = captured.spec["flow"].as_array().unwrap();
    let names = |at: usize| -> Vec<String> {
        let layers = all[at]["layers"].as_array().unwrap().iter();
        layers.flat_map(|layer| layer.as_object().unwrap().keys().cloned()).collect()
    };
    assert_eq!(names(0), ["eth", "ipv4", "tcp", "raw"]);
    assert_eq!(all[0]["layers"][2]["tcp"]["data_offset"], 6);
    assert_eq!(all[0]["layers"][3]["raw"]["hex"], "020405b4");
    // Ethernet's padding behind 44 octets of IPv4.
    assert_eq!(
        (&all[0]["layers"][1]["ipv4"]["length"], &all[0]["track"]),
        (&json!(44), &json!("none"))
    );
    assert_eq!(names(1), ["eth", "mpls", "ipv6", "udp", "vxlan", "eth", "ipv4", "icmp"]);
    assert_eq!(names(2), ["eth", "ipv4", "raw"]);
    assert_eq!(all[2]["layers"][1]["ipv4"]["protocol"], 89);
    assert_eq!(names(3), ["eth", "arp"]);
    assert_eq!(names(4), ["eth", "raw"], "options of IPv4 have no layer");
    assert_eq!(names(5), ["eth", "raw"]);
    assert_eq!(all.len(), 6, "{captured:?}");
    // Whoever loads it finds nothing wrong.
    let spec = Spec::from_json(&captured.spec.clone().into()).unwrap();
    assert_eq!(spec.flows[1].track, Track::Tag);
}

#[test]
fn frames_of_any_octets_are_told_or_left_out_and_harm_nothing() {
    let recording = scapy(
        "[Ether(bytes([(n * 37 + at * at * (n + 3)) % 256 for at in range(60 + 7 * n)])) for n in range(90)]",
    );
    let captured = flows(&recording, 100);
    assert!(Spec::from_json(&captured.spec.clone().into()).is_ok());
    assert_eq!(captured.frames, 90, "{:?}", captured.notes);
}
