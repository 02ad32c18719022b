//! A device that drops, duplicates, swaps, corrupts and reflects is reported as just
//! that: linerate's counts equal the device's own books.

use crate::testbed::{Act, Behaviour, Books, Device, Lab, Linerate, Outcome, Part};

pub(crate) const FRAMES: u64 = 10_000;

pub(crate) fn flow_of(frames: u64, settings: &str) -> String {
    format!(
        r#"
        [[flow]]
        name = "f"
        tx = "west"
        rx = "east"
        rate = "20kpps"
        frames = {frames}
        size = 128
        {settings}
        layers = [
          {{eth = {{dst = "02:00:00:00:00:02"}}}},
          {{ipv4 = {{src = "198.18.0.2", dst = "198.18.1.1"}}}},
          {{udp = {{src = 49184, dst = 7}}}},
        ]
        "#
    )
}

/// Sends `FRAMES` frames in half a second through a device that does this to them.
#[track_caller]
pub(crate) fn through(behaviour: Behaviour, settings: &str) -> (Books, Outcome) {
    send(behaviour, &flow_of(FRAMES, settings))
}

/// The same in small bursts at full speed, for verdicts: only at "max" can a late wake-up
/// not make the tester itself the verdict.
#[track_caller]
fn in_bursts_through(behaviour: Behaviour, settings: &str) -> (Books, Outcome) {
    let flow = flow_of(FRAMES, settings)
        .replace("20kpps", "max")
        .replace("frames = 10000", "burst = {frames = 20, gap = \"4ms\", repeat = 500}");
    assert!(flow.contains("burst"), "{flow}");
    send(behaviour, &flow)
}

#[track_caller]
fn send(behaviour: Behaviour, flow: &str) -> (Books, Outcome) {
    let lab = Lab::with_device();
    let device = Device::eastward(&lab, behaviour);
    let outcome = Linerate::run(&lab.flow_file(flow));
    let books = device.stop();
    assert_eq!(books.seen, FRAMES, "frames at the device; {outcome}");
    lab.assert_nothing_attached();
    (books, outcome)
}

/// Holds the row's counts against these; every count not named must be 0.
#[track_caller]
pub(crate) fn assert_row(outcome: &Outcome, unique: u64, others: &[(&str, u64)]) {
    let result = outcome.result();
    let row = result.flow("f");
    row.assert_counts(&[("tx_frames", FRAMES), ("unsent_frames", 0), ("rx_unique_frames", unique)]);
    let counts = [
        "lost_frames",
        "duplicate_frames",
        "reordered_frames",
        "late_frames",
        "corrupt_frames",
        "misdirected_frames",
        "stale_frames",
    ];
    for name in counts {
        let expected = others.iter().find(|(other, _)| *other == name).map_or(0, |found| found.1);
        row.assert_counts(&[(name, expected)]);
    }
}

#[test]
fn a_faithful_device_loses_nothing() {
    let (_, outcome) = in_bursts_through(Behaviour::default(), "");
    let result = outcome.exits(0).result();
    result.flow("f").assert_clean(FRAMES);
    assert_eq!(result.document["verdict"], "ok");
    assert_eq!(result.flow("f").value("loss_ratio"), 0.0);
}

#[test]
fn every_tenth_frame_dropped_is_lost() {
    let drop = |number| if number % 10 == 9 { Act::Drop } else { Act::Pass };
    let (books, outcome) = in_bursts_through(Behaviour::of(drop), "");
    let outcome = outcome.exits(0); // loss without an `expect` is a finding
    assert_eq!(books.dropped, 1000);
    assert_row(&outcome, 9000, &[("lost_frames", 1000)]);
    let result = outcome.result();
    assert_eq!(result.document["verdict"], "loss", "{:#}", result.document);
    assert!((result.flow("f").number("loss_ratio") - 0.1).abs() < 1e-12);
}

#[test]
fn every_tenth_frame_duplicated_is_a_duplicate() {
    let duplicate = |number| if number % 10 == 5 { Act::Duplicate } else { Act::Pass };
    let (books, outcome) = through(Behaviour::of(duplicate), "");
    assert_eq!(books.duplicated, 1000);
    assert_row(&outcome.exits(0), FRAMES, &[("duplicate_frames", 1000)]);
}

#[test]
fn every_tenth_pair_swapped_is_one_reordered_frame() {
    let swap = |number| if number % 10 == 5 { Act::SwapWithNext } else { Act::Pass };
    let (books, outcome) = through(Behaviour::of(swap), "");
    assert_eq!(books.swapped, 1000);
    assert_row(&outcome.exits(0), FRAMES, &[("reordered_frames", 1000)]);
}

#[test]
fn a_damaged_payload_is_corrupt_with_full_integrity() {
    let corrupt = |number| if number % 10 == 3 { Act::Corrupt(Part::Payload) } else { Act::Pass };
    let (books, outcome) = through(Behaviour::of(corrupt), "integrity = \"full\"");
    assert_eq!(books.corrupted, 1000);
    assert_row(&outcome.exits(0), 9000, &[("corrupt_frames", 1000), ("lost_frames", 1000)]);
}

#[test]
fn a_damaged_payload_is_not_looked_at_by_default() {
    let corrupt = |number| if number % 10 == 3 { Act::Corrupt(Part::Payload) } else { Act::Pass };
    let (_, outcome) = through(Behaviour::of(corrupt), "");
    assert_row(&outcome.exits(0), FRAMES, &[]);
}

#[test]
fn a_damaged_ip_header_is_corrupt() {
    let corrupt = |number| if number % 10 == 3 { Act::Corrupt(Part::IpHeader) } else { Act::Pass };
    let (_, outcome) = through(Behaviour::of(corrupt), "");
    assert_row(&outcome.exits(0), 9000, &[("corrupt_frames", 1000), ("lost_frames", 1000)]);
}

#[test]
fn a_damaged_tag_is_foreign_and_its_frame_lost() {
    let corrupt = |number| if number % 10 == 3 { Act::Corrupt(Part::Tag) } else { Act::Pass };
    let (_, outcome) = through(Behaviour::of(corrupt), "");
    assert_row(&outcome.exits(0), 9000, &[("lost_frames", 1000)]);
}

#[test]
fn a_reflected_frame_is_misdirected() {
    let reflect = |number| if number % 10 == 3 { Act::Reflect } else { Act::Pass };
    let (books, outcome) = through(Behaviour::of(reflect), "");
    assert_eq!(books.reflected, 1000);
    assert_row(&outcome.exits(0), 9000, &[("misdirected_frames", 1000), ("lost_frames", 1000)]);
}

#[test]
fn a_flow_with_two_receivers_is_received_wherever_a_frame_comes() {
    let reflect = |number| if number % 10 == 3 { Act::Reflect } else { Act::Pass };
    let lab = Lab::with_device();
    let device = Device::eastward(&lab, Behaviour::of(reflect));
    let flow = flow_of(FRAMES, "").replace("rx = \"east\"", "rx = [\"east\", \"west\"]");
    let outcome = Linerate::run(&lab.flow_file(&flow)).exits(0);
    assert_eq!(device.stop().reflected, FRAMES / 10);
    assert_row(&outcome, FRAMES, &[]);
    let result = outcome.result();
    let row = result.flow("f");
    assert_eq!(row.value("rx_port"), "east,west");
    assert!(row.value("rx_gap_ns").is_null(), "gaps of a port are not those of the stream");
    lab.assert_nothing_attached();
}

#[test]
fn one_lost_and_one_duplicated_are_just_that() {
    let act = |number| match number {
        4000 => Act::Drop,
        6000 => Act::Duplicate,
        _ => Act::Pass,
    };
    let (_, outcome) = through(Behaviour::of(act), "");
    let outcome = outcome.exits(0);
    assert_row(&outcome, FRAMES - 1, &[("lost_frames", 1), ("duplicate_frames", 1)]);
    assert_eq!(outcome.result().flow("f").count("rx_frames"), FRAMES);
}

#[test]
fn everything_at_once_is_told_apart() {
    let act = |number| match number % 100 {
        10..=12 => Act::Drop,
        20 | 25 => Act::Duplicate,
        30 => Act::SwapWithNext,
        40 => Act::Corrupt(Part::Payload),
        50 => Act::Corrupt(Part::IpHeader),
        60 => Act::Corrupt(Part::Tag),
        70 => Act::Reflect,
        _ => Act::Pass,
    };
    let (_, outcome) = through(Behaviour::of(act), "integrity = \"full\"");
    let expected = [
        ("lost_frames", 700),
        ("duplicate_frames", 200),
        ("reordered_frames", 100),
        ("corrupt_frames", 200),
        ("misdirected_frames", 100),
    ];
    assert_row(&outcome.exits(0), FRAMES - 700, &expected);
}

#[test]
fn the_first_and_the_last_frame_can_be_lost() {
    let act = |number| if number == 0 || number == FRAMES - 1 { Act::Drop } else { Act::Pass };
    let (_, outcome) = through(Behaviour::of(act), "");
    assert_row(&outcome.exits(0), FRAMES - 2, &[("lost_frames", 2)]);
}

#[test]
fn a_device_that_drops_all_loses_all_and_has_no_latency() {
    let (_, outcome) = through(Behaviour::of(|_| Act::Drop), "");
    let outcome = outcome.exits(0);
    assert_row(&outcome, 0, &[("lost_frames", FRAMES)]);
    let result = outcome.result();
    let row = result.flow("f");
    assert_eq!(row.value("loss_ratio"), 1.0);
    let latency = row.value("latency_ns");
    assert!(latency.is_null() || latency["p50"].is_null(), "latency of no frames: {latency}");
}

type Misdeed = fn(u64) -> Act;

#[test]
fn an_expectation_decides_the_exit_code() {
    let faithful = |_| Act::Pass;
    let one_lost = |number| if number == 77 { Act::Drop } else { Act::Pass };
    let cases: [(Misdeed, &str, i32); 3] =
        [(faithful, "0", 0), (one_lost, "0", 1), (one_lost, "<=0.01%", 0)];
    std::thread::scope(|scope| {
        for (act, loss, code) in cases {
            scope.spawn(move || {
                let expect = format!("expect = {{loss = \"{loss}\"}}");
                let (books, outcome) = in_bursts_through(Behaviour::of(act), &expect);
                let lost = ("lost_frames", books.dropped);
                assert_row(&outcome.exits(code), FRAMES - books.dropped, &[lost]);
            });
        }
    });
}

#[test]
fn ipv6_in_two_vlan_tags_is_counted_through_the_device() {
    let lab = Lab::with_device();
    let drop = |number| if number % 10 == 9 { Act::Drop } else { Act::Pass };
    let device = Device::eastward(&lab, Behaviour::of(drop));
    let outcome = Linerate::run(&lab.flow_file(
        r#"
        [[flow]]
        name = "f"
        tx = "west"
        rx = "east"
        rate = "20kpps"
        frames = 10000
        size = [128, 256]
        integrity = "full"
        layers = [
          {eth = {dst = "02:00:00:00:00:02"}},
          {vlan = {id = 10}},
          {vlan = {id = {range = "20-29"}}},
          {ipv6 = {src = "2001:2::1", dst = {range = "2001:2::10-2001:2::19"}}},
          {udp = {src = 49184, dst = 7}},
        ]
        "#,
    ));
    assert_eq!(device.stop().dropped, 1000);
    assert_row(&outcome.exits(0), 9000, &[("lost_frames", 1000)]);
}

#[test]
fn each_direction_has_its_own_misbehaviour() {
    let lab = Lab::with_device();
    let eastward = |number| if number % 10 == 9 { Act::Drop } else { Act::Pass };
    let westward = |number| if number % 4 == 1 { Act::Duplicate } else { Act::Pass };
    let device = Device::start(&lab, Behaviour::of(eastward), Behaviour::of(westward));
    let text = flow_of(FRAMES, "bidir = true").replace("20kpps", "10kpps");
    let result = Linerate::run(&lab.flow_file(&text)).exits(0).result();
    let (east, west) = device.stop_both();
    assert_eq!((east.seen, west.seen), (FRAMES, FRAMES));
    let expected = [("tx_frames", FRAMES), ("lost_frames", 1000), ("duplicate_frames", 0)];
    result.flow("f/fwd").assert_counts(&expected);
    let expected = [("tx_frames", FRAMES), ("lost_frames", 0), ("duplicate_frames", 2500)];
    result.flow("f/rev").assert_counts(&expected);
}

#[test]
fn only_the_flow_that_was_hurt_shows_it() {
    let lab = Lab::with_device();
    let drop = |number| if number % 10 == 9 { Act::Drop } else { Act::Pass };
    let device =
        Device::eastward(&lab, Behaviour { ports: 9..=9, act: drop, ..Behaviour::default() });
    let one = |name: &str, port: &str, size: &str| {
        flow_of(5000, "")
            .replace("name = \"f\"", &format!("name = \"{name}\""))
            .replace("dst = 7}", &format!("dst = {port}}}"))
            .replace("20kpps", "5kpps")
            .replace("size = 128", &format!("size = {size}"))
    };
    let text = [one("a", "7", "64"), one("b", "9", "\"imix\""), one("c", "11", "1518")].concat();
    let result = Linerate::run(&lab.flow_file(&text)).exits(0).result();
    assert_eq!(device.stop().dropped, 500);
    result.flow("a").assert_clean(5000);
    result.flow("b").assert_counts(&[("lost_frames", 500), ("rx_unique_frames", 4500)]);
    result.flow("c").assert_clean(5000);
}

#[test]
fn next_hops_are_resolved_through_the_device() {
    let lab = Lab::with_device();
    let device = Device::faithful(&lab);
    let text = r#"
        [ports]
        west = { if = "WEST", addr = ["198.18.0.2/24", "2001:2::2/64"] }
        east = { if = "EAST", addr = ["198.18.0.3/24", "2001:2::3/64"] }
        [[flow]]
        name = "four"
        tx = "west"
        rx = "east"
        rate = "5kpps"
        frames = 1000
        layers = [{eth = {dst = "auto"}}, {ipv4 = {src = "198.18.0.2", dst = {range = "198.18.0.10-198.18.0.14"}}}, {udp = {src = 1, dst = 7}}]
        [[flow]]
        name = "six"
        tx = "west"
        rx = "east"
        rate = "5kpps"
        frames = 1000
        size = 80
        layers = [{eth = {dst = "auto"}}, {ipv6 = {src = "2001:2::2", dst = {range = "2001:2::10-2001:2::14"}}}, {udp = {src = 1, dst = 7}}]
        "#;
    let result = Linerate::run(&lab.flow_file(text)).exits(0).result();
    result.flow("four").assert_clean(1000);
    result.flow("six").assert_clean(1000);
    assert_eq!(device.stop().seen, 2000);
}

#[test]
fn the_ledger_says_where_frames_went_missing() {
    let drop = |number| if number % 10 == 9 { Act::Drop } else { Act::Pass };
    let (_, outcome) = through(Behaviour::of(drop), "");
    let result = outcome.exits(0).result();
    let row = result.flow("f");
    row.assert_counts(&[
        ("ledger.requested", FRAMES),
        ("ledger.submitted", FRAMES),
        ("ledger.completed", FRAMES),
        ("ledger.tx_port", FRAMES),
        ("ledger.rx_port", 9000),
        ("ledger.rx_dropped", 0),
        ("ledger.seen", 9000),
        ("ledger.matched", 9000),
        ("ledger.in_order", 9000),
    ]);
    assert!(!row.value("ledger.missing_at").is_null(), "{:#}", row.0);
}
