//! What the tests of the analyser share: frames built by hand, independent of every
//! other codec of this project, and an analyser with few streams.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "tests; each uses a part")]
#![allow(unsafe_code, reason = "the clock and the user id come from libc")]

use xdp_ebpf::{Action, Analyser, AnalyserSetup, Role, StreamSetup, XdpMode, abi};

pub mod frame;
pub mod netns;

pub const NONCE: u32 = 0x2_5a5a;
pub const SECOND: u64 = 1_000_000_000;

/// Fails the test, for an analyser that was not run proves nothing.
pub fn require_root() {
    // SAFETY: no arguments, no memory.
    assert_eq!(unsafe { libc::geteuid() }, 0, "this test loads BPF programs: run it as root");
}

/// `CLOCK_MONOTONIC`, which is `bpf_ktime_get_ns`.
pub fn now_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as u64 * SECOND + time.tv_nsec as u64
}

/// Streams 0 and 1 expected, 2 checked in full, 3 for another port, 4 in full with its
/// payload 50 octets after L3.
pub fn setup(queues: u32) -> AnalyserSetup {
    let expected = StreamSetup::default();
    let full = StreamSetup { full_integrity: true, ..expected };
    let elsewhere = StreamSetup { role: Role::Elsewhere, ..expected };
    let tunnel = StreamSetup { payload_offset: 50, ..full };
    AnalyserSetup {
        nonce: NONCE,
        interval_ns: 10 * SECOND,
        queues,
        streams: vec![expected, expected, full, elsewhere, tunnel],
        ..AnalyserSetup::default()
    }
}

/// An analyser in trial 1 that began 30 seconds ago, on one queue, not attached.
pub fn analyser() -> Analyser {
    require_root();
    let mut analyser = Analyser::load(&setup(1), XdpMode::Native).unwrap();
    analyser.begin_trial(1, now_ns() - 30 * SECOND);
    analyser
}

/// Runs a frame that must be dropped as one of ours.
pub fn take(analyser: &Analyser, frame: &[u8]) {
    assert_eq!(analyser.test_run(frame, 0, 1).unwrap().action, Action::Drop);
}

/// What one frame moves in the record of its stream.
pub fn outcome(frame: &[u8], stream: u16) -> Vec<(&'static str, u64)> {
    let analyser = analyser();
    take(&analyser, frame);
    assert_eq!(analyser.port_record(0).matched, 1);
    moved(&analyser.record(stream, 0))
}

/// The counters of a record that are not 0, by name.
pub fn moved(record: &abi::record) -> Vec<(&'static str, u64)> {
    let counts = [
        ("unique", record.unique),
        ("duplicate", record.duplicate),
        ("reordered", record.reordered),
        ("late", record.late),
        ("corrupt", record.corrupt),
        ("misdirected", record.misdirected),
        ("stale", record.stale),
        ("negative", record.negative),
        ("unbucketed", record.unbucketed),
    ];
    counts.into_iter().filter(|(_, count)| *count > 0).collect()
}

pub const CAP_NET_ADMIN: u32 = 12;
pub const CAP_PERFMON: u32 = 38;
pub const CAP_BPF: u32 = 39;

/// Takes every capability from the calling thread.
pub fn drop_capabilities() {
    keep_capabilities(&[]);
}

/// Takes every capability but these from the calling thread (capset(2), version 3).
pub fn keep_capabilities(kept: &[u32]) {
    let mask = kept.iter().fold(0_u64, |mask, capability| mask | 1 << capability);
    let (low, high) = (mask as u32, (mask >> 32) as u32);
    let header = [0x2008_0522_u32, 0];
    let sets = [low, low, 0, high, high, 0];
    // SAFETY: the kernel reads a header and two sets; both outlive the call.
    let result = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), sets.as_ptr()) };
    assert_eq!(result, 0, "capset: {}", std::io::Error::last_os_error());
}
