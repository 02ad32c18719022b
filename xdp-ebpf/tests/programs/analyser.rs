//! The analyser, frame by frame, through `BPF_PROG_TEST_RUN`. Needs root.

use crate::common::{
    NONCE, SECOND, analyser,
    frame::{ICMP, ICMPV6, IPV4, IPV6, Shape, TCP, Tag, other, tag},
    moved,
    netns::{ifindex, with_veth},
    now_ns, outcome, require_root, setup, take,
};
use std::sync::atomic::Ordering;
use xdp_ebpf::{Action, Analyser, XdpMode, abi, histogram, next_trial};

/// Asserts that a frame goes to the kernel untouched, and gives what it was taken for.
fn passed(analyser: &Analyser, frame: &[u8]) -> abi::port_record {
    let before = analyser.port_record(0);
    let run = analyser.test_run(frame, 0, 1).unwrap();
    assert_eq!(run.action, Action::Pass);
    assert_eq!(run.frame, frame, "a passed frame is left alone");
    let after = analyser.port_record(0);
    assert_eq!((after.seen, after.passed), (before.seen + 1, before.passed + 1));
    assert_eq!(after.matched, before.matched);
    after
}

#[test]
fn a_unique_frame_is_counted_and_timed() {
    let analyser = analyser();
    let sent = tag(0);
    let frame = IPV4.frame(sent);
    let before = now_ns();
    take(&analyser, &frame);
    let after = now_ns();

    let record = analyser.record(0, 0);
    assert_eq!(moved(&record), [("unique", 1)]);
    assert_eq!(record.bytes, frame.len() as u64);
    assert!((before..=after).contains(&record.first_rx_ns));
    assert_eq!(record.first_rx_ns, record.last_rx_ns);
    let latency = record.first_rx_ns as i64 - sent.time_ns as i64;
    assert_eq!(
        (record.latency_sum_ns, record.latency_min_ns, record.latency_max_ns),
        (latency, latency, latency)
    );
    let slab = analyser.slab(record.slab).unwrap();
    let bucket = histogram::index(latency as u64, abi::LATENCY_PRECISION, abi::LATENCY_MAX_BITS);
    assert_eq!(slab.latency()[bucket as usize].load(Ordering::Relaxed), 1);
    let port = analyser.port_record(0);
    assert_eq!((port.seen, port.matched, port.passed), (1, 1, 0));
    assert_eq!(port.seen_bytes, frame.len() as u64);
}

#[test]
fn at_a_port_that_is_listened_to_a_counted_frame_goes_on_whole() {
    let analyser = analyser();
    let frame = |sequence| IPV4.frame(tag(sequence));
    analyser.set_listened(true);
    let sent = frame(0);
    let run = analyser.test_run(&sent, 0, 1).unwrap();
    assert_eq!((run.action, run.frame), (Action::Pass, sent));
    assert_eq!(moved(&analyser.record(0, 0)), [("unique", 1)]);
    let port = analyser.port_record(0);
    assert_eq!((port.seen, port.matched, port.passed), (1, 1, 0));
    analyser.set_listened(false);
    take(&analyser, &frame(1));
}

#[test]
fn a_duplicate_never_hides_a_loss() {
    let analyser = analyser();
    let frame = |sequence| IPV4.frame(tag(sequence));
    for sequence in [0, 1, 1, 3] {
        take(&analyser, &frame(sequence));
    }
    let record = analyser.record(0, 0);
    assert_eq!(moved(&record), [("unique", 3), ("duplicate", 1)]);
    assert_eq!(record.bytes, 4 * frame(0).len() as u64);
    // Sent: 0 to 3. So lost = 4 - 3 = 1, with as many frames received as sent.
}

#[test]
fn order_is_that_of_rfc_4737() {
    let analyser = analyser();
    for sequence in [0, 3, 1, 2, 4, 6, 5] {
        take(&analyser, &IPV4.frame(tag(sequence)));
    }
    assert_eq!(moved(&analyser.record(0, 0)), [("unique", 7), ("reordered", 3)]);
}

#[test]
fn a_frame_older_than_the_window_is_late_and_stays_lost() {
    let analyser = analyser();
    for sequence in [70_000, 70_000 - 65_536, 70_001 - 65_536] {
        take(&analyser, &IPV4.frame(tag(sequence)));
    }
    assert_eq!(moved(&analyser.record(0, 0)), [("unique", 1), ("late", 2)]);
}

#[test]
fn sequence_numbers_go_on_through_the_wrap() {
    let analyser = analyser();
    for sequence in [u32::MAX - 1, u32::MAX, 0, 1, u32::MAX] {
        take(&analyser, &IPV4.frame(tag(sequence)));
    }
    assert_eq!(moved(&analyser.record(0, 0)), [("unique", 4), ("duplicate", 1)]);
}

#[test]
fn a_frame_is_found_under_every_header_we_parse() {
    let vlan: &[u16] = &[0x8100];
    for (name, shape) in [
        ("IPv4", IPV4),
        ("one octet of padding", Shape { padding: 1, ..IPV4 }),
        ("VLAN", Shape { vlans: vlan, ..IPV4 }),
        ("QinQ", Shape { vlans: &[0x88a8, 0x8100], ..IPV4 }),
        ("four tags", Shape { vlans: &[0x9100, 0x88a8, 0x8100, 0x8100], ..IPV4 }),
        ("popped VLAN, padded to 60", Shape { payload: 0, padding: 4, ..IPV4 }),
        ("IPv4 options", Shape { options: 3, ..IPV4 }),
        ("all IPv4 options", Shape { options: 10, ..IPV4 }),
        ("IPv6", IPV6),
        ("IPv6 in QinQ, padded", Shape { vlans: &[0x88a8, 0x8100], padding: 7, ..IPV6 }),
        ("TCP", Shape { protocol: TCP, ..IPV4 }),
        ("ICMP", Shape { protocol: ICMP, ..IPV4 }),
        ("ICMPv6", Shape { protocol: ICMPV6, ..IPV6 }),
        ("GRE", Shape { protocol: 47, ..IPV4 }),
        ("jumbo within a page", Shape { payload: 3_000, ..IPV4 }),
    ] {
        assert_eq!(outcome(&shape.frame(tag(0)), 0), [("unique", 1)], "{name}");
    }
    for (name, ethertype) in [("ARP", 0x0806), ("MPLS", 0x8847), ("unknown", 0x88b5)] {
        assert_eq!(outcome(&other(ethertype, 40, tag(0)), 0), [("unique", 1)], "{name}");
    }
    let fifth = Shape { vlans: &[0x8100; 5], ..IPV4 };
    assert_eq!(outcome(&fifth.frame(tag(0)), 0), [("unique", 1)], "five tags: at the frame's end");
}

#[test]
fn a_padded_frame_counts_its_padding_as_bytes() {
    let analyser = analyser();
    let frame = Shape { padding: 9, ..IPV4 }.frame(tag(0));
    take(&analyser, &frame);
    assert_eq!(analyser.record(0, 0).bytes, frame.len() as u64);
}

#[test]
fn a_stream_for_another_port_is_misdirected() {
    let frame = IPV4.frame(Tag { stream: 3, ..tag(0) });
    assert_eq!(outcome(&frame, 3), [("misdirected", 1)]);
}

#[test]
fn a_straggler_is_stale_and_never_enters_the_next_trial() {
    let mut analyser = analyser();
    take(&analyser, &IPV4.frame(tag(0)));
    assert_eq!(moved(&analyser.record(0, 0)), [("unique", 1)]);

    analyser.begin_trial(2, now_ns());
    assert_eq!(moved(&analyser.record(0, 0)), []);
    take(&analyser, &IPV4.frame(tag(1)));
    take(&analyser, &IPV4.frame(Tag { trial: 2, ..tag(0) }));
    assert_eq!(moved(&analyser.record(0, 0)), [("unique", 1), ("stale", 1)]);
    assert_eq!(analyser.port_record(0).matched, 3, "the port counts on");

    // The bank of trial 1 comes back clean, window and buckets too.
    analyser.begin_trial(3, now_ns() - SECOND);
    take(&analyser, &IPV4.frame(Tag { trial: 3, ..tag(0) }));
    let record = analyser.record(0, 0);
    assert_eq!(moved(&record), [("unique", 1)]);
    let slab = analyser.slab(record.slab).unwrap();
    let counted: u32 = slab.latency().iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum();
    assert_eq!(counted, 1);
}

#[test]
fn trials_change_banks_through_the_wrap_of_their_number() {
    let mut analyser = analyser();
    let mut trial = 1;
    for _ in 0..130 {
        take(&analyser, &IPV4.frame(Tag { trial, ..tag(0) }));
        assert_eq!(moved(&analyser.record(0, 0)), [("unique", 1)], "trial {trial}");
        trial = next_trial(trial);
        assert!((1..64).contains(&trial));
        analyser.begin_trial(trial, now_ns() - SECOND);
    }
}

#[test]
fn before_the_first_trial_every_frame_is_stale() {
    require_root();
    let analyser = Analyser::load(&setup(1), XdpMode::Native).unwrap();
    take(&analyser, &IPV4.frame(tag(0)));
    assert_eq!(moved(&analyser.record(0, 0)), [("stale", 1)]);
}

#[test]
fn foreign_frames_are_passed_untouched() {
    let analyser = analyser();
    let ours = IPV4.frame(tag(0));
    let other_session = IPV4.frame(Tag { nonce: NONCE ^ 1, ..tag(0) });
    let mut damaged_tag = ours.clone();
    let magic = damaged_tag.len() - 14;
    damaged_tag[magic] ^= 1;
    for frame in [
        other_session,
        damaged_tag,
        ours[..ours.len() - 1].to_vec(),
        vec![0xff; 14],
        vec![0; 27],
        vec![0x55; 60],
        vec![0x55; 1_500],
    ] {
        assert_eq!(passed(&analyser, &frame).implausible, 0);
    }
    assert_eq!(moved(&analyser.record(0, 0)), []);
}

#[test]
fn a_short_frame_at_every_length_is_read_within_its_bounds() {
    let analyser = analyser();
    let whole = Shape { vlans: &[0x8100; 4], options: 10, ..IPV4 }.frame(tag(0));
    for length in 14..whole.len() {
        passed(&analyser, &whole[..length]);
    }
    take(&analyser, &whole);
}

#[test]
fn what_cannot_be_ours_is_passed_as_implausible() {
    let now = now_ns();
    for (name, tag) in [
        ("unknown stream", Tag { stream: 5, ..tag(0) }),
        ("sent 69 s ago", Tag { time_ns: now - 69 * SECOND, ..tag(0) }),
        ("sent in a minute", Tag { time_ns: now + 60 * SECOND, ..tag(0) }),
        ("sent half the clock ago", Tag { time_ns: now ^ 1 << 39, ..tag(0) }),
    ] {
        let analyser = analyser();
        assert_eq!(passed(&analyser, &IPV4.frame(tag)).implausible, 1, "{name}");
        assert_eq!(moved(&analyser.record(0, 0)), [], "{name}");
    }
    // 30 seconds into the trial no stream has sent eight thousand million frames, but
    // four thousand million are possible: look a moment after its start.
    let mut analyser = analyser();
    analyser.begin_trial(1, now_ns());
    assert_eq!(passed(&analyser, &IPV4.frame(tag(u32::MAX / 2))).implausible, 1);
    take(&analyser, &IPV4.frame(tag(0)));
    assert_eq!(passed(&analyser, &IPV4.frame(tag(i32::MAX as u32))).implausible, 2);
    take(&analyser, &IPV4.frame(tag(60_000)));
    assert_eq!(moved(&analyser.record(0, 0)), [("unique", 2)]);
}

#[test]
fn a_latency_below_zero_is_counted_as_it_is() {
    let analyser = analyser();
    take(&analyser, &IPV4.frame(Tag { time_ns: now_ns() + SECOND / 2, ..tag(0) }));
    let record = analyser.record(0, 0);
    assert_eq!(moved(&record), [("unique", 1), ("negative", 1)]);
    assert!(record.latency_max_ns < 0 && record.latency_sum_ns == record.latency_min_ns);
    let slab = analyser.slab(record.slab).unwrap();
    let bucket = histogram::index(
        record.latency_min_ns.unsigned_abs(),
        abi::COARSE_PRECISION,
        abi::NEGATIVE_MAX_BITS,
    );
    assert_eq!(slab.negative()[bucket as usize].load(Ordering::Relaxed), 1);
    assert!(slab.latency().iter().all(|bucket| bucket.load(Ordering::Relaxed) == 0));
}

#[test]
fn frames_are_binned_by_their_transmit_time() {
    // Ten-second bins; the trial began 30 seconds ago.
    let analyser = analyser();
    let base = now_ns() - 30 * SECOND;
    for (sequence, seconds) in [(0, 25), (1, 1), (2, 2), (3, 11), (4, 29), (5, -5), (6, 12)] {
        let time_ns = base.wrapping_add_signed(seconds * SECOND as i64);
        take(&analyser, &IPV4.frame(Tag { time_ns, ..tag(sequence) }));
    }
    let record = analyser.record(0, 0);
    assert_eq!(record.interval_unique[..4], [3, 2, 2, 0]);
    assert_eq!(record.interval_unique.iter().sum::<u32>(), 7);
}

#[test]
fn gaps_lie_between_unique_frames_only() {
    let analyser = analyser();
    for sequence in [0, 0, 1, 1, 2] {
        take(&analyser, &IPV4.frame(tag(sequence)));
    }
    let record = analyser.record(0, 0);
    let slab = analyser.slab(record.slab).unwrap();
    let gaps: u32 = slab.gap().iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum();
    assert_eq!(gaps, 2);
    assert!(record.gap_max_ns > 0 && record.gap_max_ns <= record.last_rx_ns - record.first_rx_ns);
}

#[test]
fn repetitions_of_one_frame_are_duplicates() {
    let analyser = analyser();
    analyser.test_run(&IPV4.frame(tag(0)), 0, 1_000).unwrap();
    assert_eq!(moved(&analyser.record(0, 0)), [("unique", 1), ("duplicate", 999)]);
}

#[test]
fn two_queues_share_one_window_and_keep_their_own_records() {
    with_veth(2, || {
        let mut analyser = Analyser::load(&setup(2), XdpMode::Native).unwrap();
        analyser.attach(ifindex("east")).unwrap();
        analyser.begin_trial(1, now_ns());
        let take = |sequence, queue| {
            let run = analyser.test_run(&IPV4.frame(tag(sequence)), queue, 1).unwrap();
            assert_eq!(run.action, Action::Drop);
        };
        for (sequence, queue) in [(0, 0), (1, 1), (0, 1), (2, 0), (1, 0), (3, 1)] {
            take(sequence, queue);
        }
        for queue in [0, 1] {
            assert_eq!(moved(&analyser.record(0, queue)), [("unique", 2), ("duplicate", 1)]);
        }
        let slabs = [0, 1].map(|queue| analyser.record(0, queue).slab);
        assert_ne!(slabs[0], slabs[1]);
    });
}

#[test]
fn a_queue_that_came_later_is_passed_and_told() {
    with_veth(2, || {
        let mut analyser = Analyser::load(&setup(1), XdpMode::Native).unwrap();
        analyser.attach(ifindex("east")).unwrap();
        analyser.begin_trial(1, now_ns());
        let run = analyser.test_run(&IPV4.frame(tag(0)), 1, 1).unwrap();
        assert_eq!(run.action, Action::Pass);
        assert_eq!((analyser.unbanked(), analyser.port_record(0).seen), (1, 0));
    });
}

#[test]
fn a_stream_that_finds_no_slab_is_counted_all_the_same() {
    with_veth(6, || {
        let mut setup = setup(6);
        setup.streams.truncate(1);
        let mut analyser = Analyser::load(&setup, XdpMode::Native).unwrap();
        analyser.attach(ifindex("east")).unwrap();
        // Four slabs for one stream on six queues.
        for trial in [1, 2, 3] {
            analyser.begin_trial(trial, now_ns() - SECOND);
            for queue in 0..6 {
                for sequence in [queue, 6 + queue] {
                    let frame = IPV4.frame(Tag { trial, ..tag(sequence) });
                    analyser.test_run(&frame, queue, 1).unwrap();
                }
            }
            let records: Vec<_> = (0..6).map(|queue| analyser.record(0, queue)).collect();
            assert!(records.iter().all(|record| record.unique == 2));
            let unbucketed: Vec<_> = records.iter().map(|record| record.unbucketed).collect();
            assert_eq!(unbucketed, [0, 0, 0, 0, 2, 2], "trial {trial}");
            assert!(analyser.slab(records[3].slab).is_some());
            assert!(analyser.slab(records[4].slab).is_none());
        }
    });
}

#[test]
fn in_generic_mode_a_bank_is_a_cpu() {
    require_root();
    let mut analyser = Analyser::load(&setup(1), XdpMode::Generic).unwrap();
    analyser.begin_trial(1, now_ns());
    take(&analyser, &IPV4.frame(tag(0)));
    let unique: u64 = (0..analyser.banks()).map(|bank| analyser.record(0, bank).unique).sum();
    assert_eq!(unique, 1);
    assert!(analyser.banks() as usize >= std::thread::available_parallelism().unwrap().get());
}

#[test]
fn two_queues_at_once_never_take_a_frame_for_unique_twice() {
    const FRAMES: u32 = 500_000;
    with_veth(2, || {
        let mut analyser = Analyser::load_bench(&setup(2)).unwrap();
        analyser.attach(ifindex("east")).unwrap();
        analyser.begin_trial(1, now_ns());
        // The bench's entry counts the sequence on: both queues bring the same frames.
        let frame = IPV4.frame(tag(0));
        std::thread::scope(|scope| {
            for queue in [0, 1] {
                let (analyser, frame) = (&analyser, &frame);
                scope.spawn(move || analyser.test_run(frame, queue, FRAMES).unwrap());
            }
        });
        let records = [0, 1].map(|queue| analyser.record(0, queue));
        let sum = |count: fn(&abi::record) -> u64| records.iter().map(count).sum::<u64>();
        assert_eq!(sum(|record| record.unique), FRAMES.into());
        // The queue that lags behind by more than the window is late.
        assert_eq!(sum(|record| record.duplicate + record.late), FRAMES.into());
    });
}
