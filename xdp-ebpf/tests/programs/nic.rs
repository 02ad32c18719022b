//! From the NIC's clock to the kernel's, with a clock that is made up.

use crate::common::{
    SECOND,
    frame::{IPV4, tag},
    now_ns, require_root, setup, take,
};
use proptest::prelude::*;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use xdp_ebpf::{Analyser, NicFits, abi, host};

const REACH_MAX_NS: u64 = abi::NIC_REACH_MAX_NS;
const DRIFT_MAX: i64 = abi::NIC_DRIFT_MAX as i64;

/// The line through analyser_clock.bpf.c's clock, which holds for so long around now.
fn line(reach_ns: u64) -> abi::nic_fit {
    let now = now_ns();
    let nic_ns = now - (now >> 14) + 1_000 * SECOND;
    // 1 / (1 - 2^-14) - 1, in 2^-38.
    let drift_q38 = (1 << 38) / ((1 << 14) - 1);
    abi::nic_fit { nic_ns, monotonic_ns: now, drift_q38, reach_ns }
}

fn loaded() -> (Analyser, NicFits) {
    require_root();
    let (mut analyser, fits) = Analyser::load_clock(&setup(1)).unwrap();
    analyser.begin_trial(1, now_ns() - 30 * SECOND);
    (analyser, fits)
}

/// Takes so many frames and gives how many the NIC and the kernel timed.
fn timed(analyser: &Analyser, frames: std::ops::Range<u32>) -> (u64, u64) {
    let before = analyser.port_record(0);
    for sequence in frames {
        let begun = now_ns();
        take(analyser, &IPV4.frame(tag(sequence)));
        let arrived = analyser.record(0, 0).last_rx_ns;
        // 1 ns either way for the rounding of two divisions.
        assert!((begun - 1..=now_ns() + 1).contains(&arrived), "{sequence}: {begun} {arrived}");
    }
    let after = analyser.port_record(0);
    (after.stamped - before.stamped, after.unstamped - before.unstamped)
}

#[test]
fn a_stamp_becomes_the_kernels_time_and_a_missing_one_is_the_kernels_own() {
    let (analyser, mut fits) = loaded();
    assert_eq!(timed(&analyser, 0..8), (0, 8), "nothing is known of the NIC's clock yet");
    fits.publish(&line(REACH_MAX_NS));
    assert_eq!(timed(&analyser, 8..48), (30, 10), "one in four has no stamp");
    fits.withdraw();
    assert_eq!(timed(&analyser, 48..56), (0, 8));
    fits.publish(&line(REACH_MAX_NS));
    assert_eq!(timed(&analyser, 56..64), (6, 2));
    fits.publish(&abi::nic_fit { reach_ns: 1_000, ..line(0) });
    std::thread::sleep(std::time::Duration::from_millis(2));
    assert_eq!(timed(&analyser, 64..72), (0, 8), "the line does not reach so far");
}

#[test]
fn a_shifted_session_clock_shifts_both() {
    let (analyser, mut fits) = loaded();
    fits.publish(&line(REACH_MAX_NS));
    analyser.set_clock_offset(5 * SECOND as i64);
    for sequence in 0..4 {
        let mut tag = tag(sequence);
        tag.time_ns = now_ns() + 5 * SECOND;
        take(&analyser, &IPV4.frame(tag));
        let ahead = analyser.record(0, 0).last_rx_ns - now_ns();
        assert!(ahead > 4 * SECOND && ahead <= 5 * SECOND, "{ahead}");
    }
    assert_eq!((analyser.port_record(0).stamped, analyser.port_record(0).unstamped), (3, 1));
}

#[test]
fn a_frame_is_timed_by_one_line_while_another_is_published() {
    let (analyser, mut fits) = loaded();
    fits.publish(&line(REACH_MAX_NS));
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let writer = std::thread::spawn(move || {
        // Lines through points seconds apart: a mix of two is off by as much.
        let lines = [0, 3, 1, 4, 2].map(|seconds| {
            let line = line(REACH_MAX_NS);
            let monotonic_ns = line.monotonic_ns - seconds * SECOND;
            // As the program's clock was then.
            let nic_ns = monotonic_ns - (monotonic_ns >> 14) + 1_000 * SECOND;
            abi::nic_fit { nic_ns, monotonic_ns, ..line }
        });
        let mut published = 0_u64;
        while !stopped.load(Ordering::Relaxed) {
            for line in &lines {
                fits.publish(line);
                published += 1;
            }
        }
        published
    });
    let (by_nic, by_kernel) = timed(&analyser, 0..20_000);
    stop.store(true, Ordering::Relaxed);
    assert!(writer.join().unwrap() > 5);
    assert_eq!(by_nic + by_kernel, 20_000);
    assert!(by_nic > 0);
}

proptest! {
    #[test]
    fn the_line_is_what_exact_arithmetic_gives(
        nic_ns: u64,
        monotonic_ns in 1_u64 << 40..1 << 62,
        drift_q38 in -DRIFT_MAX..=DRIFT_MAX,
        reach_ns in 0..=REACH_MAX_NS,
        since in -(2 * REACH_MAX_NS as i64)..2 * REACH_MAX_NS as i64,
    ) {
        let fit = abi::nic_fit { nic_ns, monotonic_ns, drift_q38, reach_ns };
        let found = host::nic_to_monotonic(&fit, nic_ns.wrapping_add_signed(since));
        let reach = reach_ns as i64;
        let gained = (i128::from(since) * i128::from(drift_q38)).div_euclid(1 << 38);
        let exact = i128::from(monotonic_ns) + i128::from(since) + gained;
        let expected = (-reach..reach).contains(&since).then_some(exact as u64);
        prop_assert_eq!(found, expected);
    }
}
