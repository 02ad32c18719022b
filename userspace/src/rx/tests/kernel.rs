//! The receiver over the real analyser, fed by `BPF_PROG_TEST_RUN`. Frames are built by
//! hand, without the codec of this project.

use super::{super::*, SECOND};
use crate::units::{StreamId, monotonic_ns};
use std::time::Duration;
use xdp_ebpf::{Action, Analyser, AnalyserSetup, Role, Stamping, StreamSetup, XdpMode};

const NONCE: u32 = 0x1_2345;

/// 60 octets: Ethernet, IPv4, UDP without checksum, and the tag at the end.
fn frame(trial: u8, stream: u16, sequence: u32, time_ns: u64) -> Vec<u8> {
    let mut frame = vec![0; 60];
    frame[12] = 0x08;
    frame[14..34]
        .copy_from_slice(&[0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 198, 18, 0, 1, 198, 18, 0, 2]);
    let sum: u32 =
        frame[14..34].chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    frame[24..26].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    frame[34..42].copy_from_slice(&[0xc0, 0x20, 0, 7, 0, 26, 0, 0]);
    let magic = NONCE << 6 | u32::from(trial);
    frame[46..49].copy_from_slice(&magic.to_be_bytes()[1..]);
    frame[49..51].copy_from_slice(&stream.to_be_bytes());
    frame[51..55].copy_from_slice(&sequence.to_be_bytes());
    frame[55..60].copy_from_slice(&time_ns.to_be_bytes()[3..]);
    frame
}

fn total<K>(counts: &[(K, u64)]) -> u64 {
    counts.iter().map(|&(_, count)| count).sum()
}

#[test]
fn what_the_kernel_counted_is_what_is_read() {
    assert!(nix::unistd::geteuid().is_root(), "this test loads a BPF program: run it as root");
    let elsewhere = StreamSetup { role: Role::Elsewhere, ..StreamSetup::default() };
    let setup = AnalyserSetup {
        nonce: NONCE,
        interval_ns: SECOND,
        queues: 1,
        mtu: 1500,
        stamping: Stamping::Every,
        shared_windows: false,
        streams: vec![StreamSetup::default(), elsewhere],
        counted: Vec::new(),
    };
    let analyser = Analyser::load(&setup, XdpMode::Native).unwrap();
    let mut receiver =
        Receiver::new(analyser, 0..2, |stream| stream.0 == 0, Duration::from_secs(1));
    let base_ns = monotonic_ns() - 10 * SECOND;
    receiver.begin_trial(1, base_ns);
    let send = |receiver: &Receiver<Analyser>, frame: &[u8]| {
        receiver.source().test_run(frame, 0, 1).unwrap().action
    };
    let sent_ns = |sequence: u32| base_ns + u64::from(sequence % 10) * SECOND + SECOND / 2;
    for sequence in 0..100 {
        let frame = frame(1, 0, sequence, sent_ns(sequence));
        assert_eq!(send(&receiver, &frame), Action::Drop);
    }
    send(&receiver, &frame(1, 0, 50, sent_ns(50)));
    send(&receiver, &frame(1, 1, 0, sent_ns(0)));
    assert_eq!(send(&receiver, &[0xff; 60]), Action::Pass);

    let reading = receiver.read(monotonic_ns());
    let observed = &reading.streams[0].observed;
    let counters = observed.counters;
    assert_eq!((counters.unique, counters.duplicate, counters.bytes), (100, 1, 101 * 60));
    assert_eq!((counters.banks, counters.unbucketed, counters.negative), (1, 0, 0));
    let expected: Vec<IntervalCount> = (0..10).map(|interval| (interval, 10)).collect();
    assert_eq!(observed.intervals, expected);
    assert_eq!((total(&observed.latency), total(&observed.gap)), (100, 99));
    assert!(counters.latency_min_ns >= Some(SECOND as i64 / 2), "{counters:?}");
    assert_eq!(reading.strays, [Stray { stream: StreamId(1), misdirected: 1, stale: 0 }]);
    let port = reading.port;
    assert_eq!((port.seen, port.matched, port.passed), (103, 102, 1));

    // Nothing came since.
    let observed = &receiver.read(monotonic_ns()).streams[0].observed;
    assert_eq!((total(&observed.latency), total(&observed.intervals)), (0, 0));
    assert_eq!(observed.counters, counters);

    // The next trial, with a straggler of this one.
    let base_ns = monotonic_ns() - SECOND;
    receiver.begin_trial(2, base_ns);
    send(&receiver, &frame(1, 0, 100, base_ns));
    send(&receiver, &frame(2, 0, 0, base_ns));
    let reading = receiver.read(monotonic_ns());
    let observed = &reading.streams[0].observed;
    assert_eq!((observed.counters.unique, observed.counters.stale), (1, 1));
    assert_eq!((&*observed.intervals, total(&observed.latency)), (&[(0, 1)][..], 1));
    assert_eq!(reading.port.seen, 2);
}
