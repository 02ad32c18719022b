//! Words of a filter against frames.

use crate::packet::{Filter, Seen};

/// A UDP frame from 198.18.1.1:49184 to 198.19.1.1:7 in VLAN 5.
fn frame() -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0, 5, 8, 0, 0x45, 0];
    frame.extend([0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 198, 18, 1, 1, 198, 19, 1, 1]);
    frame.extend([0xc0, 0x20, 0, 7, 0, 26, 0, 0]);
    frame.resize(64, 0);
    frame
}

fn holds(filter: &str) -> bool {
    let filter: Filter = filter.parse().unwrap();
    filter.holds(&Seen { frame: &frame(), tagged: true, outgoing: false })
}

#[test]
fn every_word_says_what_it_says_to_tcpdump() {
    for filter in [
        "ip",
        "udp",
        "vlan",
        "vlan 5",
        "port 7",
        "port 49184",
        "host 198.18.1.1",
        "tagged",
        "net 198.19.0.0/16",
        "ether host 02:00:00:00:00:01",
        "inbound",
        "not arp",
        "tcp or udp and vlan 5",
        "(tcp or udp) and not (arp or host 10.0.0.1)",
        "ip[8] = 64",
        "ip[8:1]==64 and ip[2:2]>40",
        "ether[14:2] & 0xfff = 5",
        "ether [ 0:4 ] = 0x02000000",
        "ip[16:4] = 0xc6130101",
        "udp[2:2] != 8 and udp[4:2] <= 26 and udp[4:2] >= 26 and udp[4:2] < 27",
        "payload[0] & 0xf0 = 0xc0",
        "not tcp[13] & 2 != 0",
        "not ether[62:4] >= 0",
    ] {
        assert!(holds(filter), "{filter}");
    }
    for filter in [
        "ip6",
        "arp",
        "tcp",
        "icmp",
        "icmp6",
        "vlan 6",
        "port 8",
        "host 198.18.1.2",
        "outbound",
        "not udp",
        "udp and port 9",
        "ether host 02:00:00:00:00:03",
        "net 10.0.0.0/8",
        "ip[8] != 64",
        "ip6[0] >= 0",
        "tcp[0:2] >= 0",
        "ether[64] >= 0",
        "ether[65535:4] = 0",
        "ip[8] & 0xf0 = 64 and ip[8] > 64",
    ] {
        assert!(!holds(filter), "{filter}");
    }
}

#[test]
fn what_is_no_filter_is_refused_with_the_words() {
    for text in [
        "",
        "udp port",
        "port x",
        "( udp",
        "udp )",
        "udp 7",
        "and",
        "host 1.2.3",
        "not",
        "ip[8]",
        "ip[8",
        "ip[8:3] = 1",
        "ip[x] = 1",
        "vlan[0] = 1",
        "ip[8] ! 1",
        "ip[8] = 0x100000000",
        "ip[8] & = 1",
        "port[0] = 1",
    ] {
        let error = text.parse::<Filter>().unwrap_err().to_string();
        assert!(error.contains("inbound"), "{text}: {error}");
    }
}

#[test]
fn a_frame_cut_anywhere_is_no_harm() {
    let filter: Filter =
        "port 7 or host 10.0.0.1 or vlan 9 or arp or ip[3:4] = 1 or payload[7] = 1 or udp[2:2] = 1"
            .parse()
            .unwrap();
    let frame = frame();
    for length in 0..frame.len() {
        filter.holds(&Seen { frame: &frame[..length], tagged: false, outgoing: true });
    }
}
