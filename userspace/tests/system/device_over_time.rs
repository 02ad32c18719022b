//! A device that delays, holds back and fails for a while: latency, order, the window of
//! sequence numbers, the drain, and frames that arrive in another run than they left.

use crate::device_under_test::{FRAMES, assert_row, flow_of, through};
use crate::testbed::{Act, Behaviour, Device, Lab, Linerate, Outcome, Receiver};
use linerate::{
    collect::Verdict,
    report::RunResult,
    session::{Session, Settings},
    spec::Spec,
};
use std::{sync::atomic::AtomicBool, thread, time::Duration};

#[test]
fn a_gap_of_a_thousand_frames_is_an_outage_of_50_ms() {
    let drop = |number| if (3000..4000).contains(&number) { Act::Drop } else { Act::Pass };
    let (_, outcome) = through(Behaviour::of(drop), "");
    let outcome = outcome.exits(0);
    assert_row(&outcome, FRAMES - 1000, &[("lost_frames", 1000)]);
    let result = outcome.result();
    let row = result.flow("f");
    let outage = row.number("outage.by_loss_ns");
    // The lost frames over the rate that was reached, which a busy machine makes lower.
    let expected = 1000.0 / row.number("tx_pps") * 1e9;
    assert!((outage - expected).abs() < 1000.0, "{outage} ns, not {expected} ns");
    assert!((45e6..60e6).contains(&outage), "{outage} ns");
    // Frames 3000 to 3999 of 10,000 that were sent evenly.
    let gap = 1e9 / row.number("tx_pps");
    for (name, number) in [("first_lost", 3000.0), ("last_lost", 3999.0)] {
        let found = row.number(&format!("outage.{name}"));
        assert!((found - number * gap).abs() < 5e6, "{name}: {found} ns, not frame {number}");
    }
}

#[test]
fn latency_is_what_the_device_added() {
    let delay = Duration::from_millis(100);
    let (books, outcome) = through(Behaviour { delay, ..Behaviour::default() }, "");
    let outcome = outcome.exits(0);
    assert_row(&outcome, FRAMES, &[]);
    let result = outcome.result();
    let row = result.flow("f");
    let mut stays = books.stays_ns;
    stays.sort_unstable();
    assert_eq!(row.count("latency_ns.count"), FRAMES);
    assert_eq!(row.count("latency_ns.negative_count"), 0);
    // Every frame's latency is its stay in the device and a little more, so each
    // statistic is bounded from below by the same statistic of the stays.
    let rank = |share: f64| stays[(share * stays.len() as f64) as usize - 1];
    let bounds = [
        ("min", stays[0]),
        ("p50", rank(0.5)),
        ("p90", rank(0.9)),
        ("p99", rank(0.99)),
        ("max", stays[stays.len() - 1]),
    ];
    for (name, least) in bounds {
        let found = row.count(&format!("latency_ns.{name}"));
        assert!(found >= least, "{name} {found} ns is below the device's own {least} ns");
    }
    let mean = stays.iter().sum::<u64>() as f64 / stays.len() as f64;
    assert!(row.number("latency_ns.mean") >= mean);
    // Wrong units or a wrong clock would be far off.
    let median = row.count("latency_ns.p50");
    assert!(median < 2 * delay.as_nanos() as u64, "median {median} ns");
    assert_eq!(row.value("latency_ns.definition"), "host");
}

#[test]
fn of_two_frames_variation_is_the_difference_of_their_latencies() {
    let lab = Lab::with_device();
    let delay = Duration::from_millis(20);
    let _device = Device::eastward(&lab, Behaviour { delay, ..Behaviour::default() });
    let outcome = Linerate::run(&lab.flow_file(&flow_of(2, ""))).exits(0);
    let result = outcome.result();
    let row = result.flow("f");
    assert_eq!(row.count("latency_ns.count"), 2);
    let difference = row.number("latency_ns.max") - row.number("latency_ns.min");
    for name in ["min", "median", "max"] {
        let found = row.number(&format!("ipdv_ns.{name}")).abs();
        assert!((found - difference).abs() < 0.5, "{name}: {found} ns, not {difference} ns");
    }
    // RFC 3550, A.8: a sixteenth of the first difference.
    let jitter = row.count("jitter_rfc3550_ns");
    assert_eq!(jitter, difference as u64 / 16);
}

#[test]
fn with_a_line_rate_the_time_on_both_wires_is_taken_off() {
    let lab = Lab::cable();
    let lines = "[ports]\nwest = { if = \"WEST\", line = \"10M\" }\neast = { if = \"EAST\", line = \"10M\" }\n";
    let flow = flow_of(50, "").replace("20kpps", "1kpps");
    let result = Linerate::run(&lab.flow_file(&format!("{lines}{flow}"))).exits(0);
    let result = result.result();
    let row = result.flow("f");
    assert_eq!(row.value("latency_ns.definition"), "store-and-forward");
    // 128 octets at 10 Mb/s, twice.
    let wires = 204_800.0;
    let least = row.number("latency_ns.min");
    assert!((-wires..0.0).contains(&least), "{least} ns: a veth takes far less than {wires} ns");
    assert!(row.count("latency_ns.negative_count") > 0);
}

#[test]
fn one_lone_frame_has_no_variation() {
    let lab = Lab::cable();
    let outcome = Linerate::run(&lab.flow_file(&flow_of(1, ""))).exits(0);
    let result = outcome.result();
    assert!(result.flow("f").value("ipdv_ns").is_null());
    assert!(result.flow("f").value("jitter_rfc3550_ns").is_null());
}

/// Starts a run of `frames`, lets the device hold its first five, waits until it has
/// seen `until` of them, and releases the five into the rest of the run.
fn five_frames_held(frames: u64, rate: &str, until: u64) -> Outcome {
    let lab = Lab::with_device();
    let hold = |number| if number < 5 { Act::Hold } else { Act::Pass };
    let device = Device::eastward(&lab, Behaviour::of(hold));
    let text = flow_of(frames, "").replace("20kpps", rate);
    let run = Linerate::start(&lab.flow_file(&text));
    device.await_seen(until);
    device.release();
    let outcome = run.wait().exits(0);
    assert_eq!(device.stop().seen, frames);
    outcome
}

#[test]
fn frames_held_back_within_the_window_are_reordered_and_not_lost() {
    let outcome = five_frames_held(20_000, "20kpps", 8_000);
    let result = outcome.result();
    let row = result.flow("f");
    row.assert_counts(&[("rx_unique_frames", 20_000), ("lost_frames", 0), ("late_frames", 0)]);
    row.assert_counts(&[("reordered_frames", 5), ("duplicate_frames", 0)]);
}

#[test]
fn frames_held_back_beyond_the_window_are_late_and_stay_lost() {
    let outcome = five_frames_held(110_000, "40kpps", 75_000);
    let result = outcome.result();
    let row = result.flow("f");
    row.assert_counts(&[("rx_unique_frames", 109_995), ("lost_frames", 5), ("late_frames", 5)]);
    row.assert_counts(&[("duplicate_frames", 0)]);
}

#[test]
fn frames_of_an_earlier_run_are_foreign_to_the_next() {
    let lab = Lab::with_device();
    let hold = |number| if number < FRAMES && number % 10 == 3 { Act::Hold } else { Act::Pass };
    let device = Device::eastward(&lab, Behaviour::of(hold));
    let file = lab.flow_file(&flow_of(FRAMES, ""));
    let first = Linerate::run(&file).exits(0);
    assert_row(&first, 9000, &[("lost_frames", 1000)]);

    let receiver = Receiver::start(&lab.east);
    let second = Linerate::start(&file);
    device.await_seen(FRAMES + 2000);
    device.release();
    let second = second.wait().exits(0);
    assert_row(&second, FRAMES, &[]);
    let books = device.stop();
    assert_eq!((books.seen, books.released), (2 * FRAMES, 1000));
    // They went up the kernel's stack like any other frame.
    assert_eq!(receiver.stop().len(), 1000, "stragglers that the kernel saw");
}

#[test]
fn frames_of_an_earlier_trial_are_stale_in_the_next_and_void_it() {
    let lab = Lab::with_device();
    let hold = |number| if number < FRAMES && number % 10 == 3 { Act::Hold } else { Act::Pass };
    let device = Device::eastward(&lab, Behaviour::of(hold));
    // A process has one run; it takes the library to have two trials in one session.
    let spec = Spec::from_path(&lab.flow_file(&flow_of(FRAMES, ""))).unwrap();
    let mut session = Session::open(spec, Settings::default()).unwrap();
    let stop = AtomicBool::new(false);
    let first = RunResult::new(&session.run(&stop, &mut |_| ()).unwrap());
    assert_eq!(first.flows[0].lost_frames, Some(1000));

    let second = thread::scope(|scope| {
        let run = scope.spawn(|| session.run(&stop, &mut |_| ()).unwrap());
        device.await_seen(FRAMES + 2000);
        device.release();
        RunResult::new(&run.join().unwrap())
    });
    let row = &second.flows[0];
    assert_eq!((row.rx_unique_frames, row.lost_frames), (Some(FRAMES), Some(0)));
    assert_eq!((row.duplicate_frames, row.stale_frames), (Some(0), Some(1000)));
    assert_eq!(row.verdict, Verdict::Invalid);
    drop(session);
    lab.assert_nothing_attached();
    let books = device.stop();
    assert_eq!((books.seen, books.released), (2 * FRAMES, 1000));
}

#[test]
fn loss_shows_while_it_sends_in_the_samples() {
    let lab = Lab::with_device();
    let drop = |number| if number % 2 == 1 { Act::Drop } else { Act::Pass };
    let device = Device::eastward(&lab, Behaviour::of(drop));
    let file = lab.flow_file(&flow_of(15_000, "").replace("20kpps", "5kpps"));
    let arguments = ["run", file.to_str().unwrap(), "--samples", "--json", "-"];
    let result = Linerate::spawn(arguments).wait().exits(0).result();
    device.stop();
    let row = result.flow("f");
    let samples = row.value("samples").as_array().expect("--samples fills `samples`").clone();
    assert!(samples.len() >= 3, "{} samples of 3 s", samples.len());
    let total = |name: &str| samples.iter().map(|s| s[name].as_u64().unwrap()).sum::<u64>();
    assert_eq!((total("tx_frames"), total("rx_frames")), (15_000, 7_500), "{samples:#?}");
    let half =
        samples.iter().filter_map(|s| s["loss_ratio"].as_f64()).filter(|r| (r - 0.5).abs() < 0.01);
    assert!(half.count() >= 2, "{samples:#?}");
}

#[test]
fn the_drain_waits_for_what_the_device_still_holds() {
    // 300 ms in the device: the last frames arrive long after the last was sent.
    let delay = Duration::from_millis(300);
    let (books, outcome) = through(Behaviour { delay, ..Behaviour::default() }, "");
    assert_eq!(books.forwarded, FRAMES);
    assert_row(&outcome.exits(0), FRAMES, &[]);
}
