//! Files made octet by octet from the two drafts.

use crate::packet::{Recording, RecordingError};

fn frame(octets: usize) -> Vec<u8> {
    (0..octets).map(|octet| octet as u8).collect()
}

/// A pcap file; `word` gives the byte order.
fn pcap(
    word: fn(u32) -> [u8; 4],
    magic: u32,
    network: u32,
    packets: &[(u32, u32, usize, &[u8])],
) -> Vec<u8> {
    let version = if word(1) == 1_u32.to_le_bytes() { 4 << 16 | 2 } else { 2 << 16 | 4 };
    let head = [magic, version, 0, 0, 65_535, network];
    let mut file: Vec<u8> = head.into_iter().flat_map(word).collect();
    for &(seconds, fraction, original, captured) in packets {
        let head = [seconds, fraction, captured.len() as u32, original as u32];
        file.extend(head.into_iter().flat_map(word));
        file.extend(captured);
    }
    file
}

fn read(file: &[u8]) -> Result<Recording, RecordingError> {
    Recording::read(file, false)
}

#[track_caller]
fn refusal(file: &[u8]) -> String {
    read(file).unwrap_err().to_string()
}

const MICRO: u32 = 0xa1b2_c3d4;
const NANO: u32 = 0xa1b2_3c4d;

#[test]
fn pcap_is_read_in_both_byte_orders_and_both_resolutions() {
    let (a, b) = (frame(60), frame(1514));
    for word in [u32::to_le_bytes, u32::to_be_bytes] {
        for (magic, unit) in [(MICRO, 1000), (NANO, 1)] {
            let packets = [(7, 999_999, 60, &a[..]), (8, 3, 1514, &b[..])];
            let recording = read(&pcap(word, magic, 1, &packets)).unwrap();
            assert_eq!(recording.frames().collect::<Vec<_>>(), [&a[..], &b[..]]);
            assert_eq!(recording.times_ns(), [0, 1_000_000_000 - 999_996 * unit]);
        }
    }
}

#[test]
fn a_stated_fcs_is_taken_off() {
    let a = frame(64);
    let with_fcs = 1 | 1 << 26 | 2 << 28;
    let recording = read(&pcap(u32::to_le_bytes, MICRO, with_fcs, &[(0, 0, 64, &a)])).unwrap();
    assert_eq!(recording.frame(0), &a[..60]);
}

#[test]
fn a_stamp_that_goes_back_is_no_gap() {
    let a = frame(60);
    let packets =
        [(9, 0, 60, &a[..]), (10, 0, 60, &a[..]), (5, 0, 60, &a[..]), (11, 0, 60, &a[..])];
    let recording = read(&pcap(u32::to_le_bytes, NANO, 1, &packets)).unwrap();
    assert_eq!(recording.times_ns(), [0, 1, 1, 2].map(|s| s * 1_000_000_000));
    assert_eq!(recording.backward(), 1);
}

/// A pcapng block.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = (12 + body.len().next_multiple_of(4)) as u32;
    let mut block = [kind.to_le_bytes(), length.to_le_bytes()].concat();
    block.extend(body);
    block.resize(length as usize - 4, 0);
    block.extend(length.to_le_bytes());
    block
}

fn section() -> Vec<u8> {
    block(0x0a0d_0d0a, &[&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat())
}

fn interface(link_type: u16, options: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = [&link_type.to_le_bytes()[..], &[0, 0], &0_u32.to_le_bytes()].concat();
    for (code, value) in options {
        body.extend([code.to_le_bytes(), (value.len() as u16).to_le_bytes()].concat());
        body.extend(*value);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    body.extend([0; 4]);
    block(1, &body)
}

fn packet(interface: u32, ticks: u64, original: usize, captured: &[u8]) -> Vec<u8> {
    let words =
        [interface, (ticks >> 32) as u32, ticks as u32, captured.len() as u32, original as u32];
    block(6, &[&words.map(u32::to_le_bytes).concat()[..], captured].concat())
}

#[test]
fn pcapng_times_follow_the_resolution_of_their_interface() {
    let a = frame(61);
    let file = [
        section(),
        interface(1, &[]),                         // microseconds
        interface(1, &[(2, b"veth0"), (9, &[9])]), // nanoseconds
        interface(1, &[(9, &[0x8a])]),             // 2^-10 s
        packet(0, 1_000_000, 61, &a),
        block(0x0bad, b"unknown"),
        packet(1, 1_500_000_000, 61, &a),
        packet(2, 2048, 61, &a),
        block(3, &[&61_u32.to_le_bytes()[..], &a].concat()), // simple: without a stamp
    ]
    .concat();
    let recording = read(&file).unwrap();
    assert_eq!(recording.times_ns(), [0, 500_000_000, 1_000_000_000, 1_000_000_000]);
    assert!(recording.frames().all(|frame| frame == a));
}

#[test]
fn what_is_no_capture_is_named() {
    assert!(refusal(b"").contains("neither"));
    assert!(refusal(b"hello, world, this is no capture").contains("neither"));
    assert!(refusal(&section()).contains("no frame"));
    assert!(refusal(&pcap(u32::to_le_bytes, MICRO, 1, &[])).contains("no frame"));
    let cooked = pcap(u32::to_le_bytes, MICRO, 113, &[(0, 0, 60, &frame(60))]);
    assert!(refusal(&cooked).contains("link type 113"));
}

#[test]
fn broken_frames_are_named_by_number() {
    let a = frame(60);
    let whole = (0, 0, 60, &a[..]);
    let mut file = pcap(u32::to_le_bytes, MICRO, 1, &[whole, whole]);
    file.pop();
    assert!(refusal(&file).contains("middle of frame 2"));
    let snapped = pcap(u32::to_le_bytes, MICRO, 1, &[whole, (0, 0, 1514, &a)]);
    assert!(refusal(&snapped).contains("frame 2 was captured in part: 60 of 1514"));
    let short = pcap(u32::to_le_bytes, MICRO, 1, &[whole, (0, 0, 42, &a[..42])]);
    assert!(refusal(&short).contains("frame 2 has 42 octets"));
    let absurd = pcap(u32::to_le_bytes, MICRO, 1, &[whole, (0, 0, 1 << 30, &a)]);
    assert!(refusal(&absurd).contains("frame 2 claims"));
    let mut endless = pcap(u32::to_le_bytes, MICRO, 1, &[whole, whole]);
    endless[24 + 76 + 8..][..4].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    endless.resize(8 << 20, 0);
    assert!(refusal(&endless).contains("frame 1 is damaged"), "{}", refusal(&endless));
    let stray = [section(), interface(1, &[]), packet(5, 0, 60, &a)].concat();
    assert!(refusal(&stray).contains("damaged"));
}

#[test]
fn padding_fills_what_is_short_or_cut() {
    let a = frame(60);
    let packets = [(0, 0, 42, &a[..42]), (0, 0, 100, &a[..]), (0, 0, 60, &a[..])];
    let file = pcap(u32::to_le_bytes, MICRO, 1, &packets);
    let recording = Recording::read(&file[..], true).unwrap();
    let lengths: Vec<usize> = recording.frames().map(<[u8]>::len).collect();
    assert_eq!((lengths, recording.padded()), (vec![60, 100, 60], 2));
    assert!(recording.frame(0)[42..].iter().chain(&recording.frame(1)[60..]).all(|&o| o == 0));
}
