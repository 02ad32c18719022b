//! The responder in the kernel: which frames it sends back, what of them it swaps, and that
//! it touches no others.

use std::net::IpAddr;
use std::time::Duration;
use xdp_ebpf::{Action, RespondMode, Responder, ResponderSetup, XdpMode};

const TESTER: [u8; 6] = [2, 0, 0, 0, 0, 1];
const US: [u8; 6] = [2, 0, 0, 0, 0, 2];

fn load(mode: RespondMode) -> Responder {
    let played: Vec<IpAddr> = ["198.18.1.1", "2001:2::1"].map(|text| text.parse().unwrap()).into();
    let kernel: Vec<IpAddr> = vec!["198.18.1.9".parse().unwrap()];
    let setup = ResponderSetup { mode, played: &played, kernel: &kernel, queues: 1 };
    Responder::load(&setup, XdpMode::Native).unwrap()
}

/// `CLOCK_MONOTONIC`, as the sender of a tag reads it.
fn now_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    #[allow(unsafe_code, reason = "the clock of the tags has no safe face")]
    // SAFETY: the timespec is live.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    assert_eq!(result, 0);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn tag(nonce: u32, trial: u32, sequence: u32, time_ns: u64) -> [u8; 14] {
    let mut tag = [0; 14];
    let magic = (nonce << 6 | trial).to_be_bytes();
    tag[..3].copy_from_slice(&magic[1..]);
    tag[3..5].copy_from_slice(&5_u16.to_be_bytes());
    tag[5..9].copy_from_slice(&sequence.to_be_bytes());
    tag[9..].copy_from_slice(&time_ns.to_be_bytes()[3..]);
    tag
}

fn sum(octets: &[u8], seed: u32) -> u16 {
    let mut sum = seed;
    for pair in octets.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = [US, TESTER].concat();
    frame.extend(ethertype.to_be_bytes());
    frame.extend(payload);
    frame.resize(frame.len().max(60), 0);
    frame
}

/// An IPv4 packet with right checksums.
fn ipv4(to: [u8; 4], protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 61, protocol, 0, 0, 198, 18, 0, 7];
    packet.extend(to);
    packet.extend(payload);
    let length = (packet.len() as u16).to_be_bytes();
    packet[2..4].copy_from_slice(&length);
    let check = sum(&packet[..20], 0).to_be_bytes();
    packet[10..12].copy_from_slice(&check);
    packet
}

fn pseudo(packet: &[u8], protocol: u8) -> u32 {
    let addresses = if packet[0] >> 4 == 4 { &packet[12..20] } else { &packet[8..40] };
    let payload = &packet[if packet[0] >> 4 == 4 { 20 } else { 40 }..];
    u32::from(!sum(addresses, payload.len() as u32 + u32::from(protocol)))
}

fn datagram(from: u16, to: u16, data: &[u8]) -> Vec<u8> {
    let length = 8 + data.len() as u16;
    let mut datagram = [from, to, length, 0].map(u16::to_be_bytes).concat();
    datagram.extend(data);
    datagram
}

fn udp4(to: [u8; 4], ports: (u16, u16), data: &[u8]) -> Vec<u8> {
    let mut packet = ipv4(to, 17, &datagram(ports.0, ports.1, data));
    let check = sum(&packet[20..], pseudo(&packet, 17)).to_be_bytes();
    packet[26..28].copy_from_slice(&check);
    packet
}

fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend((payload.len() as u16).to_be_bytes());
    packet.extend([next, 61]);
    for address in ["2001:2::7", "2001:2::1"] {
        packet.extend(address.parse::<std::net::Ipv6Addr>().unwrap().octets());
    }
    packet.extend(payload);
    packet
}

/// Every checksum of an answer is right.
fn assert_sums(frame: &[u8]) {
    let packet = &frame[14..];
    let (header, length) = match packet[0] >> 4 {
        4 => (20, usize::from(u16::from_be_bytes([packet[2], packet[3]]))),
        _ => (40, 40 + usize::from(u16::from_be_bytes([packet[4], packet[5]]))),
    };
    let packet = &packet[..length];
    let protocol = if header == 20 { packet[9] } else { packet[6] };
    if header == 20 {
        assert_eq!(sum(&packet[..20], 0), 0, "IPv4 header checksum");
    }
    let seed = if protocol == 1 { 0 } else { pseudo(packet, protocol) };
    assert_eq!(sum(&packet[header..], seed), 0, "checksum of protocol {protocol}");
}

fn swapped<const N: usize>(before: &[u8], after: &[u8], at: [usize; 2]) {
    let [a, b] = at;
    assert_eq!(after[a..a + N], before[b..b + N]);
    assert_eq!(after[b..b + N], before[a..a + N]);
}

#[test]
fn a_test_frame_comes_back_from_its_first_on_with_nothing_else_changed() {
    let tagged = |sequence| {
        let data = [&[7; 4][..], &tag(77, 1, sequence, now_ns())].concat();
        ethernet(0x0800, &udp4([198, 18, 1, 1], (49184, 7), &data))
    };
    for mode in [RespondMode::L2, RespondMode::L3] {
        let responder = load(mode);
        for sequence in [0, 1, 100_000] {
            let frame = tagged(sequence);
            let run = responder.test_run(&frame).unwrap();
            assert_eq!(run.action, Action::SendBack);
            swapped::<6>(&frame, &run.frame, [0, 6]);
            if mode == RespondMode::L3 {
                swapped::<4>(&frame, &run.frame, [26, 30]);
            } else {
                assert_eq!(run.frame[26..34], frame[26..34]);
            }
            assert_eq!(run.frame[12..26], frame[12..26]);
            assert_eq!(run.frame[34..], frame[34..]);
            assert_sums(&run.frame);
        }
        let record = responder.records().next().unwrap();
        assert_eq!((record.seen, record.reflected, record.reflected_bytes), (3, 3, 180));
    }
}

#[test]
fn tags_behind_vlans_in_ipv6_and_without_ip_are_found() {
    let tag = tag(3, 63, 0, now_ns());
    let responder = load(RespondMode::L2);
    let mut tagged = ethernet(0x8100, &[&[0, 100, 0x86, 0xdd][..], &ipv6(59, &tag)].concat());
    let raw = ethernet(0x88b5, &[&[9; 32][..], &tag].concat());
    for frame in [&tagged, &raw] {
        assert_eq!(responder.test_run(frame).unwrap().action, Action::SendBack, "{frame:02x?}");
    }
    let responder = load(RespondMode::L3);
    let run = responder.test_run(&tagged).unwrap();
    swapped::<16>(&tagged, &run.frame, [26, 42]);
    // No IP: nothing to swap. From or to a group: no answer can be.
    assert_eq!(responder.test_run(&raw).unwrap().action, Action::Drop);
    tagged[0] = 0x33;
    assert_eq!(responder.test_run(&tagged).unwrap().action, Action::Drop);
    let record = responder.records().next().unwrap();
    assert_eq!((record.refused_no_ip, record.refused_group, record.reflected), (1, 1, 1));
}

#[test]
fn a_sender_whose_beginning_was_missed_is_known_after_eight_frames_of_its_clock() {
    let responder = load(RespondMode::L2);
    // A clock of another host, half the range of the tag away.
    let elsewhere = 1_u64 << 39;
    let send = |time_ns: u64| {
        let tag = tag(1234, 9, 5_000_000, time_ns);
        responder.test_run(&ethernet(0x0800, &ipv4([198, 18, 1, 1], 253, &tag))).unwrap().action
    };
    let mut passed = 0;
    while send(now_ns() + elsewhere) == Action::Pass {
        passed += 1;
        assert!(passed < 100, "it is never known");
        std::thread::sleep(Duration::from_millis(3));
    }
    assert!(passed >= 7, "known after {passed} frames");
    // A frame that has been under way for longer than any device keeps it goes in circles.
    assert_eq!(send(now_ns() + elsewhere - 1_500_000_000), Action::Pass);
    assert_eq!(send(now_ns() + elsewhere - 900_000_000), Action::SendBack);
}

#[test]
fn what_only_looks_like_a_tag_passes_untouched() {
    let responder = load(RespondMode::L2);
    let now = now_ns();
    // STP's end, text and zeros; a tag of no trial; one that never moves on.
    let bpdu = [0x14, 0, 2, 0, 0x0f, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let tails = [bpdu, *b"GET / HTTP/1.1", [0; 14], [0xff; 14], tag(5, 0, 0, now)];
    for tail in tails {
        let frame = ethernet(0x0800, &ipv4([198, 18, 1, 1], 253, &tail));
        for _ in 0..20 {
            let run = responder.test_run(&frame).unwrap();
            assert_eq!((run.action, &run.frame), (Action::Pass, &frame), "{tail:02x?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    let record = responder.records().next().unwrap();
    assert_eq!((record.seen, record.reflected), (100, 0));
}

#[test]
fn random_tails_do_not_take_the_place_of_a_sender_at_work() {
    let responder = load(RespondMode::L2);
    let send = |nonce: u32, sequence: u32| {
        let tag = tag(nonce, 1, sequence, now_ns());
        responder.test_run(&ethernet(0x0800, &ipv4([198, 18, 1, 1], 253, &tag))).unwrap().action
    };
    assert_eq!(send(9, 0), Action::SendBack);
    // The same place of the table.
    (0..50).for_each(|round| assert_eq!(send(9 + 4096, round), Action::Pass));
    assert_eq!(send(9, 700_000), Action::SendBack);
}

#[test]
fn udp_echo_answers_its_addresses_on_port_7_only() {
    let responder = load(RespondMode::UdpEcho);
    let action = |to, ports, data: &[u8]| {
        let frame = ethernet(0x0800, &udp4(to, ports, data));
        (responder.test_run(&frame).unwrap(), frame)
    };
    for to in [[198, 18, 1, 1], [198, 18, 1, 9]] {
        for data in [&b""[..], b"x", b"datagrams come back", &[1; 1000]] {
            let (run, frame) = action(to, (49184, 7), data);
            assert_eq!(run.action, Action::SendBack);
            swapped::<6>(&frame, &run.frame, [0, 6]);
            swapped::<4>(&frame, &run.frame, [26, 30]);
            swapped::<2>(&frame, &run.frame, [34, 36]);
            assert_eq!(run.frame[22], 64, "the answer has its own way ahead");
            assert_sums(&run.frame);
        }
    }
    for (to, ports) in [([198, 18, 1, 1], (49184, 53)), ([198, 18, 1, 2], (49184, 7))] {
        let (run, frame) = action(to, ports, b"not for us");
        assert_eq!((run.action, run.frame), (Action::Pass, frame));
    }
    assert_eq!(action([198, 18, 1, 1], (7, 7), b"for ever").0.action, Action::Drop);
    // A piece of a datagram tells no ports; a tag makes no difference.
    let mut piece = ethernet(0x0800, &udp4([198, 18, 1, 1], (49184, 7), b"a piece of it"));
    piece[20] = 0x20;
    assert_eq!(responder.test_run(&piece).unwrap().action, Action::Pass);
    let tagged = ethernet(0x0800, &udp4([198, 18, 1, 1], (1, 2), &tag(8, 1, 0, now_ns())));
    assert_eq!(responder.test_run(&tagged).unwrap().action, Action::Pass);
    let record = responder.records().next().unwrap();
    assert_eq!((record.seen, record.reflected, record.refused_loop), (13, 8, 1));

    let mut six = ipv6(17, &datagram(49184, 7, b"over IPv6"));
    let check = sum(&six[40..], pseudo(&six, 17)).to_be_bytes();
    six[46..48].copy_from_slice(&check);
    let six = ethernet(0x86dd, &six);
    let run = responder.test_run(&six).unwrap();
    assert_eq!(run.action, Action::SendBack);
    swapped::<16>(&six, &run.frame, [22, 38]);
    swapped::<2>(&six, &run.frame, [54, 56]);
    assert_sums(&run.frame);
}

#[test]
fn pings_to_what_it_plays_are_answered_and_those_to_the_kernel_pass() {
    for mode in [RespondMode::L2, RespondMode::UdpEcho] {
        let responder = load(mode);
        for data in [&b""[..], &[0x55; 56], &[0xff; 1400]] {
            let mut ping = [&[8, 0, 0, 0, 0x12, 0x34, 0, 1][..], data].concat();
            let check = sum(&ping, 0).to_be_bytes();
            ping[2..4].copy_from_slice(&check);
            let frame = ethernet(0x0800, &ipv4([198, 18, 1, 1], 1, &ping));
            let run = responder.test_run(&frame).unwrap();
            assert_eq!((run.action, run.frame[34], run.frame[22]), (Action::SendBack, 0, 64));
            swapped::<4>(&frame, &run.frame, [26, 30]);
            assert_sums(&run.frame);
            let kernels = ethernet(0x0800, &ipv4([198, 18, 1, 9], 1, &ping));
            assert_eq!(responder.test_run(&kernels).unwrap().action, Action::Pass);
        }
        let mut ping = [&[128, 0, 0, 0, 0x12, 0x34, 0, 1][..], &[3; 56]].concat();
        let check = sum(&ping, pseudo(&ipv6(58, &ping), 58)).to_be_bytes();
        ping[2..4].copy_from_slice(&check);
        let run = responder.test_run(&ethernet(0x86dd, &ipv6(58, &ping))).unwrap();
        assert_eq!((run.action, run.frame[54], run.frame[21]), (Action::SendBack, 129, 64));
        assert_sums(&run.frame);
        let record = responder.records().next().unwrap();
        assert_eq!((record.seen, record.answered, record.reflected), (7, 4, 0));
    }
}
