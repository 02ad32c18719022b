//! When frames leave, judged by the stamps in the tags that arrive.

use crate::testbed::{Captured, Lab, Tag, much_of_the_machine, transmit, transmit_by, transmit_in};
use linerate::{
    collect::Verdict,
    report::RunResult,
    session::{ControlError, Session, Settings},
    spec::Spec,
    tx::Backend,
    units::Rate,
};
use std::{sync::atomic::AtomicBool, time::Duration};

fn flow(name: &str, settings: &str) -> String {
    format!(
        r#"
        [[flow]]
        name = "{name}"
        tx = "west"
        {settings}
        layers = [
          {{eth = {{dst = "02:00:00:00:00:02"}}}},
          {{ipv4 = {{src = "198.18.0.2", dst = "198.18.1.1"}}}},
          {{udp = {{src = 49184, dst = 7}}}},
        ]
        "#
    )
}

const BACKENDS: [&str; 2] = ["af_xdp", "live_frames"];

fn tags(captured: &Captured) -> Vec<Tag> {
    captured.frames.iter().map(|frame| Tag::ending_at(frame, frame.len())).collect()
}

#[test]
fn the_gaps_reported_are_those_between_the_stamps_on_the_wire() {
    let train = "rate = \"100kpps\"\nburst = {frames = 8, gap = \"5ms\", repeat = 40}";
    let captured = transmit(&flow("f", train));
    let stamps: Vec<u64> = tags(&captured).iter().map(|tag| tag.time_ns).collect();
    let mut gaps: Vec<u64> = stamps.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mean = gaps.iter().sum::<u64>() as f64 / gaps.len() as f64;
    gaps.sort_unstable();
    let row = captured.result.flow("f");
    assert_eq!(row.count("tx_gap_ns.max"), gaps[gaps.len() - 1]);
    assert!((row.number("tx_gap_ns.mean") - mean).abs() < 0.01);
    // Upper edges of buckets that are at most an eighth wide.
    for (name, share) in [("p50", 0.5), ("p99", 0.99), ("p999", 0.999)] {
        let exact = gaps[(share * gaps.len() as f64).ceil() as usize - 1];
        let found = row.count(&format!("tx_gap_ns.{name}"));
        assert!((exact..=exact + exact / 8).contains(&found), "{name}: {found}, exactly {exact}");
    }
    let min = row.count("tx_gap_ns.min");
    assert!((min..=min + min / 8).contains(&gaps[0]), "min: {min}, exactly {}", gaps[0]);
}

/// How long each frame's stamp is after the time it was due, apart from what is common to
/// all; `due` has the times that the flow file asks for.
fn lateness(captured: &Captured, due: impl Fn(usize) -> f64) -> Vec<f64> {
    let stamps = tags(captured).into_iter().map(|tag| tag.time_ns as f64);
    let late: Vec<f64> = stamps.enumerate().map(|(frame, stamp)| stamp - due(frame)).collect();
    let least = late.iter().copied().fold(f64::INFINITY, f64::min);
    let mut late: Vec<f64> = late.into_iter().map(|late| late - least).collect();
    late.sort_by(f64::total_cmp);
    late
}

#[test]
fn a_schedule_sends_the_integral_of_its_rate_at_its_times() {
    let _alone = much_of_the_machine();
    let schedule = r#"[
        {at = "0s", rate = "1kpps"},
        {at = "400ms", rate = "5kpps", ramp = "500ms"},
        {at = "1200ms", rate = "500pps"},
    ]"#;
    // Those that keep their core by waiting may be late at the end where others want it.
    for (backend, end) in BACKENDS.into_iter().zip(["duration = \"1600ms\"", "frames = 3600"]) {
        let text = flow("f", &format!("schedule = {schedule}\n{end}"));
        let captured = transmit_by(backend, &text);
        // 0.4 s at 1,000, 0.5 s at a mean of 3,000, 0.3 s at 5,000, 0.4 s at 500.
        let row = captured.result.flow("f");
        assert_eq!(row.count("requested_frames"), 400 + 1500 + 1500 + 200);
        assert_eq!(row.count("unsent_frames"), 0);
        let due_s = |frame: usize| match frame as f64 {
            frame if frame < 400.0 => frame / 1000.0,
            frame if frame < 1900.0 => {
                // 1000 t + 4000 t^2 = frames
                0.4 + (-1000.0 + (1e6_f64 + 16_000.0 * (frame - 400.0)).sqrt()) / 8000.0
            }
            frame if frame < 3400.0 => 0.9 + (frame - 1900.0) / 5000.0,
            frame => 1.2 + (frame - 3400.0) / 500.0,
        };
        let late = lateness(&captured, |frame| due_s(frame) * 1e9);
        // Any other course of the rate is off by tens of milliseconds for most of the time.
        let median = late[late.len() / 2];
        assert!(median < 1e7, "half of the frames are {median} ns late or more by {backend}");
    }
}

#[test]
fn a_poisson_flow_sends_exactly_its_frames_with_exponential_gaps() {
    let _alone = much_of_the_machine();
    // Gaps that are long beside what a busy machine makes a frame late by.
    let settings = "rate = \"50pps\"\nspacing = \"poisson\"\nframes = 200";
    let stamps = BACKENDS.map(|backend| {
        let captured = transmit_by(backend, &flow("f", settings));
        let row = captured.result.flow("f");
        row.assert_counts(&[("requested_frames", 200), ("unsent_frames", 0)]);
        let stamps: Vec<u64> = tags(&captured).iter().map(|tag| tag.time_ns).collect();
        let gaps: Vec<f64> = stamps.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
        // Of exponential gaps 1 - 1/e are below their mean and 1/e^2 over twice it.
        for (times, share) in [(1.0, 0.632), (2.0, 0.865), (0.5, 0.393)] {
            let below = gaps.iter().filter(|gap| **gap < times * 2e7).count();
            let below = below as f64 / gaps.len() as f64;
            assert!(
                (below - share).abs() < 0.1,
                "{below} of the gaps are below {times} x the mean"
            );
        }
        stamps
    });
    // One file is one draw, whoever sends it: the two are apart by a constant, but for frames
    // that were late.
    let apart = stamps[0].iter().zip(&stamps[1]).map(|(a, b)| *b as i64 - *a as i64);
    let mut apart: Vec<i64> = apart.collect();
    apart.sort_unstable();
    let spread = apart[apart.len() * 3 / 4] - apart[apart.len() / 4];
    assert!(spread < 20_000_000, "half of the frames are within {spread} ns");
}

#[test]
fn flows_of_one_rate_on_one_queue_take_turns() {
    let settings = "repeat = 5\nrate = \"2kpps\"\nframes = 600";
    let captured = transmit_in(&Lab::cable_with_queues(1, 1), &flow("f{i}", settings));
    let streams: Vec<u16> = tags(&captured).iter().map(|tag| tag.stream).collect();
    assert_eq!(streams.len(), 3000);
    for (turn, streams) in streams.chunks(5).enumerate() {
        assert_eq!(streams, [0, 1, 2, 3, 4], "turn {turn}");
    }
}

#[test]
fn flows_of_other_rates_on_one_queue_are_mixed_by_their_rates_all_along() {
    let fast = flow("fast", "rate = \"6kpps\"\nframes = 6000");
    let slow = flow("slow", "rate = \"1kpps\"\nframes = 1000");
    let captured = transmit_in(&Lab::cable_with_queues(1, 1), &format!("{fast}{slow}"));
    let mut sent = [0_f64; 2];
    for tag in tags(&captured) {
        sent[usize::from(tag.stream)] += 1.0;
        let ahead = sent[0] - 6.0 * sent[1];
        assert!((-6.0..=6.0).contains(&ahead), "{sent:?}");
    }
}

#[test]
fn a_rate_changed_while_running_is_kept_and_accounted_for() {
    let _alone = much_of_the_machine();
    for backend in [Backend::AfXdp, Backend::LiveFrames] {
        let lab = Lab::cable();
        lab.east.command("ethtool", &["-K", &lab.east.interface, "gro", "on"]);
        let before = lab.west.counters().tx_packets;
        let file = lab.flow_file(&flow("f", "rate = \"1kpps\"\nduration = \"3s\""));
        let settings = Settings { backend, ..Settings::default() };
        let mut session = Session::open(Spec::from_path(&file).unwrap(), settings).unwrap();
        let control = session.control();
        let rate = |text: &str| text.parse::<Rate>().unwrap();
        assert!(matches!(control.set_rate("f", rate("1pps")), Err(ControlError::NotRunning)));
        let mut asked = None;
        let facts = session.run(&AtomicBool::new(false), &mut |snapshot| {
            if asked.is_none() {
                assert!(matches!(
                    control.set_rate("g", rate("1pps")),
                    Err(ControlError::NoFlow { .. })
                ));
                assert!(matches!(control.set_rate("f", rate("101%")), Err(ControlError::Spec(_))));
                assert!(matches!(
                    control.set_rate("f", Rate::Max),
                    Err(ControlError::Unpaced { .. })
                ));
                control.set_rate("f", rate("5kpps")).unwrap();
                asked = Some(snapshot.elapsed + Duration::from_millis(25));
            }
        });
        let row = RunResult::new(&facts.unwrap()).flows.remove(0);
        let sent = lab.west.counters().tx_packets - before;
        drop(session);
        // One that keeps its core by waiting is late where others want it.
        if backend == Backend::AfXdp {
            assert_eq!((row.verdict, row.unsent_frames), (Verdict::Ok, 0));
        }
        assert!(row.unsent_frames < row.requested_frames / 10);
        assert_eq!(row.tx_frames + row.unsent_frames, row.requested_frames);
        // A kernel may have said a word of its own.
        assert!((row.tx_frames..row.tx_frames + 20).contains(&sent), "{sent} left, {row:?}");
        let changed = asked.unwrap().as_secs_f64();
        let expected = 1000.0 * changed + 5000.0 * (3.0 - changed);
        let off = row.requested_frames as f64 - expected;
        assert!(
            off.abs() < 200.0,
            "{} frames, {expected} by the time of the change",
            row.tx_frames
        );
    }
}
