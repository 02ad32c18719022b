//! The matcher in the kernel knows a frame by the same fingerprint as Rust does, for every
//! length and kind, and what a router changes does not matter to it.

use xdp_ebpf::{Action, Matcher, XdpMode, fingerprint};

/// Ethernet with this type and so many octets after it, no two alike.
fn frame(ethertype: u16, l3: &[u8], padding: usize) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    frame.extend(ethertype.to_be_bytes());
    frame.extend(l3);
    frame.resize(frame.len() + padding, 0xee);
    frame
}

fn ipv4(total: usize) -> Vec<u8> {
    let mut packet: Vec<u8> = (0..total).map(|octet| (octet * 7 + octet / 256) as u8).collect();
    packet[0] = 0x45;
    packet[2..4].copy_from_slice(&(total as u16).to_be_bytes());
    packet
}

fn ipv6(payload: usize) -> Vec<u8> {
    let mut packet: Vec<u8> = (0..40 + payload).map(|octet| (octet * 11) as u8).collect();
    packet[0] = 0x60;
    packet[4..6].copy_from_slice(&(payload as u16).to_be_bytes());
    packet
}

#[test]
fn a_listed_frame_is_counted_and_dropped_and_any_other_passes() {
    let mut frames = Vec::new();
    for total in (20..200).chain([576, 1024, 1499, 1500]) {
        frames.push(frame(0x0800, &ipv4(total), 60_usize.saturating_sub(14 + total)));
    }
    for payload in [0, 1, 7, 8, 24, 25, 64, 1460] {
        frames.push(frame(0x86dd, &ipv6(payload), 6));
        let tagged = [&[0x00, 0x64, 0x86, 0xdd][..], &ipv6(payload)].concat();
        frames.push(frame(0x8100, &tagged, 6));
    }
    // No IP, or what only looks like it: the whole frame counts.
    for octets in 46..120 {
        frames.push(frame(0x0806, &vec![octets as u8; octets], 0));
    }
    let mut lying = ipv4(100);
    lying[2..4].copy_from_slice(&2000_u16.to_be_bytes());
    frames.push(frame(0x0800, &lying, 0));

    for listed in &frames {
        let matcher = Matcher::load(&[fingerprint(listed)], 1, XdpMode::Native).unwrap();
        assert_eq!(matcher.test_run(listed).unwrap().action, Action::Drop, "{listed:02x?}");
        assert_eq!(matcher.count(0), 1);
        let last = listed.len() - 1;
        let mut other = listed.clone();
        // In a packet with padding the last octet is not the packet's.
        other[20] ^= 1;
        assert_eq!(matcher.test_run(&other).unwrap().action, Action::Pass, "{other:02x?}");
        let record = matcher.records().next().unwrap();
        assert_eq!((record.seen, record.matched, record.matched_bytes), (2, 1, last as u64 + 1));
    }
}

#[test]
fn addresses_tags_and_hops_do_not_matter_and_all_else_does() {
    let plain = frame(0x0800, &ipv4(100), 0);
    let routed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut frame = plain.clone();
        change(&mut frame);
        fingerprint(&frame) == fingerprint(&plain)
    };
    assert!(routed(&|frame| frame[5] = 9), "destination MAC");
    assert!(routed(&|frame| frame[15] = 0xb8), "DSCP");
    assert!(routed(&|frame| frame[22] -= 1), "TTL");
    assert!(routed(&|frame| frame[24..26].fill(0x55)), "header checksum");
    assert!(routed(&|frame| frame.extend([0; 4])), "padding");
    assert!(routed(&|frame| drop(frame.splice(12..12, [0x81, 0, 0, 5]))), "VLAN tag");
    for at in (16..22).chain([23]).chain(26..114) {
        assert!(!routed(&|frame| frame[at] ^= 1), "octet {at}");
    }
    let six = frame(0x86dd, &ipv6(24), 0);
    let mut hop = six.clone();
    (hop[14], hop[15], hop[21]) = (0x6f, hop[15] | 0xf0, 1);
    assert_eq!(fingerprint(&hop), fingerprint(&six), "traffic class and hop limit");
    hop[16] ^= 1;
    assert_ne!(fingerprint(&hop), fingerprint(&six), "flow label");
}
