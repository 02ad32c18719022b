//! The judges judged: plain AF_PACKET traffic, no linerate.

use crate::testbed::{
    Act, Behaviour, Books, Device, ForeignProgram, Lab, Layout, PacketSocket, Part, Receiver, Tag,
    command, dissect, exchange_echoes, transfer_over_tcp,
};
use std::net::Ipv4Addr;
use std::time::Duration;

const FRAMES: u64 = 2000;

/// An IPv4/UDP frame of 124 octets with a sequence in the place of the tag.
fn udp_frame(destination_port: u16, sequence: u32) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
    frame.extend([0x45, 0, 0, 110, 0, 0, 0, 0, 64, 17, 0xed, 0x58]);
    frame.extend([198, 18, 0, 1, 198, 18, 1, 1]);
    frame.extend(50_000_u16.to_be_bytes());
    frame.extend(destination_port.to_be_bytes());
    frame.extend([0, 90, 0, 0]);
    frame.extend([0; 68]);
    frame.extend([1, 2, 3, 0, 5]);
    frame.extend(sequence.to_be_bytes());
    frame.extend([0, 0, 0, 0, 9]);
    frame
}

fn sequence(frame: &[u8]) -> u32 {
    let layout = Layout::of_udp(frame).expect("a UDP frame");
    Tag::ending_at(frame, layout.end).sequence
}

/// Sends the frames paced below what the testbed can take.
fn send(lab: &Lab, port: u16, count: u64) {
    let socket = PacketSocket::open(&lab.west);
    for number in 0..count {
        socket.send(&udp_frame(port, number as u32));
        if number % 16 == 15 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// What the device's books and the receiver say about `FRAMES` frames.
fn through(behaviour: Behaviour) -> (Books, Vec<Vec<u8>>) {
    let lab = Lab::with_device();
    let receiver = Receiver::start(&lab.east);
    let device = Device::eastward(&lab, behaviour);
    send(&lab, 7, FRAMES);
    device.await_seen(FRAMES);
    let books = device.stop();
    let frames = receiver.stop();
    assert_eq!(books.seen, FRAMES);
    assert_eq!(books.forwarded, frames.len() as u64);
    assert_eq!(
        books.seen + books.duplicated,
        books.forwarded + books.dropped + books.reflected + books.held
    );
    (books, frames)
}

#[test]
fn the_receiver_stores_every_frame_as_it_was_sent() {
    let lab = Lab::cable();
    let receiver = Receiver::start(&lab.east);
    let before = (lab.west.counters(), lab.east.counters());
    send(&lab, 7, FRAMES);
    receiver.await_frames(FRAMES as usize);
    let frames = receiver.stop();
    let sent: Vec<_> = (0..FRAMES).map(|number| udp_frame(7, number as u32)).collect();
    assert!(frames == sent, "frames changed on the way");
    assert_eq!(lab.west.counters().tx_packets - before.0.tx_packets, FRAMES);
    assert_eq!(lab.east.counters().rx_packets - before.1.rx_packets, FRAMES);
}

#[test]
fn the_receiver_puts_vlan_tags_back_and_tshark_checks_sums() {
    let lab = Lab::cable();
    let receiver = Receiver::start(&lab.east);
    let socket = PacketSocket::open(&lab.west);
    let mut tagged = udp_frame(7, 1);
    tagged.splice(12..12, [0x88, 0xa8, 0x20, 10, 0x81, 0, 0xa0, 20]);
    let mut damaged = udp_frame(7, 2);
    damaged[24] ^= 1;
    socket.send(&tagged);
    socket.send(&damaged);
    receiver.await_frames(2);
    let frames = receiver.stop();
    assert_eq!(frames, [tagged, damaged]);
    let dissection = dissect(&frames, &["ip.checksum.status", "ip.len", "vlan.id", "udp.dstport"]);
    assert_eq!(dissection.column("vlan.id")[0], "20");
    assert_eq!(dissection.column("ip.checksum.status"), ["1", "0"]);
    dissection.every("ip.len", "110").every("udp.dstport", "7");
}

#[test]
fn a_faithful_device_forwards_every_frame_in_order() {
    let (books, frames) = through(Behaviour::default());
    assert_eq!(books.forwarded, FRAMES);
    assert!(frames.iter().map(|frame| sequence(frame)).eq(0..FRAMES as u32));
}

#[test]
fn a_device_drops_duplicates_swaps_and_corrupts_what_its_books_say() {
    let (books, frames) = through(Behaviour::of(|number| match number % 100 {
        10 => Act::Drop,
        20 => Act::Duplicate,
        30 => Act::SwapWithNext,
        40 => Act::Corrupt(Part::Payload),
        50 => Act::Corrupt(Part::IpHeader),
        60 => Act::Corrupt(Part::Tag),
        _ => Act::Pass,
    }));
    let rounds = FRAMES / 100;
    assert_eq!((books.dropped, books.duplicated, books.swapped), (rounds, rounds, rounds));
    assert_eq!(books.corrupted, 3 * rounds);
    let mut expected = Vec::new();
    for base in (0..FRAMES as u32).step_by(100) {
        expected.extend((base..base + 100).flat_map(|number| match number - base {
            10 => vec![],
            20 => vec![number; 2],
            30 => vec![number + 1],
            31 => vec![number - 1],
            _ => vec![number],
        }));
    }
    assert!(frames.iter().map(|frame| sequence(frame)).eq(expected));
    let changed = frames.iter().filter(|frame| ***frame != udp_frame(7, sequence(frame))).count();
    assert_eq!(changed as u64, 3 * rounds);
}

#[test]
fn a_device_leaves_other_ports_alone() {
    let lab = Lab::with_device();
    let receiver = Receiver::start(&lab.east);
    let device = Device::eastward(
        &lab,
        Behaviour { ports: 7..=7, act: |_| Act::Drop, ..Behaviour::default() },
    );
    send(&lab, 9, 100);
    send(&lab, 7, 100);
    device.await_seen(100);
    assert_eq!(device.stop().dropped, 100);
    let frames = receiver.stop();
    assert_eq!(frames.len(), 100);
    assert!(frames.iter().all(|frame| Layout::of_udp(frame).unwrap().destination_port == 9));
}

#[test]
fn a_device_delays_no_less_than_asked() {
    let delay = Duration::from_millis(30);
    let (books, _) = through(Behaviour { delay, ..Behaviour::default() });
    assert_eq!(books.stays_ns.len() as u64, FRAMES);
    assert!(books.stays_ns.iter().all(|stay| *stay >= delay.as_nanos() as u64));
}

#[test]
fn a_device_holds_frames_until_released() {
    let lab = Lab::with_device();
    let receiver = Receiver::start(&lab.east);
    let hold = |number| if number < 5 { Act::Hold } else { Act::Pass };
    let device = Device::eastward(&lab, Behaviour::of(hold));
    send(&lab, 7, 10);
    receiver.await_frames(5);
    device.release();
    receiver.await_frames(10);
    assert_eq!(device.stop().released, 5);
    let order: Vec<u32> = receiver.stop().iter().map(|frame| sequence(frame)).collect();
    assert_eq!(order, [5, 6, 7, 8, 9, 0, 1, 2, 3, 4]);
}

#[test]
fn a_spraying_device_uses_both_receive_queues() {
    let lab = Lab::with_device();
    let _native = ForeignProgram::attach(&lab.east);
    let device = Device::eastward(&lab, Behaviour { spray: true, ..Behaviour::default() });
    send(&lab, 7, FRAMES);
    device.await_seen(FRAMES);
    assert_eq!(device.stop().forwarded, FRAMES);
    for queue in ["rx_queue_0_xdp_packets", "rx_queue_1_xdp_packets"] {
        assert_eq!(lab.east.driver_statistic(queue), FRAMES / 2, "{queue}");
    }
}

#[test]
fn echoes_and_tcp_pass_between_the_kernels() {
    let lab = Lab::cable();
    lab.address_kernels();
    let east = Ipv4Addr::new(198, 18, 0, 2);
    assert_eq!(exchange_echoes(&lab.west, east, 5, Duration::ZERO), 5);
    transfer_over_tcp(&lab.west, &lab.east, east, 5, Duration::ZERO);
}

#[test]
fn a_lab_is_gone_with_its_guard() {
    let lab = Lab::with_device();
    let names = [lab.west.netns.clone(), lab.east.netns.clone()];
    drop(lab);
    let left = command("ip", &["netns", "list"]);
    assert!(names.iter().all(|name| !left.contains(name.as_str())), "{left}");
}
