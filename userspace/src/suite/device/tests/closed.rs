//! The published cases and the closed forms of methodology 4.4, at full length.

use super::*;
use proptest::prelude::*;

/// Rule 2: of `frames` at `load`, those that `capacity` and `buffer` let through.
fn received(frames: u64, load: Ratio, capacity: Ratio, buffer: u64) -> u64 {
    if load <= capacity {
        return frames;
    }
    let ratio = capacity.over(load);
    // floor((B-1)/(1-r)) + 1, as B-1 over (den-num)/den.
    let burst = Ratio::new(
        u128::from(buffer - 1) * ratio.denominator(),
        ratio.denominator() - ratio.numerator(),
    );
    if u128::from(frames) <= burst.floor() + 1 {
        return frames;
    }
    (ratio.floor_times(u128::from(frames - 1)).unwrap() as u64) + buffer
}

#[test]
fn case_2_is_met_to_the_frame() {
    let mut device = device("link=10G,capacity=10Mpps,buffer=1024");
    let line = frame(64).line_rate_fps(10_000_000_000);
    for (percent, sent, came) in [
        (100, 892_857_142, 600_001_022),
        (90, 803_571_428, 600_001_022),
        (80, 714_285_714, 600_001_022),
        (70, 625_000_000, 600_001_023),
        (60, 535_714_285, 535_714_285),
    ] {
        let result = run(&mut device, line.times(Ratio::new(percent, 100)), 60);
        let direction = &result.directions[0];
        assert_eq!((direction.tx_frames, direction.rx_unique_frames), (sent, came), "{percent} %");
    }
    for (frames, lost) in [(3119, 0), (3120, 1)] {
        let result = device.run(&plan(&[Stage { fps: line, frames }])).unwrap();
        assert_eq!(result.directions[0].lost_frames, lost, "{frames} back to back");
    }
    for (fps, seconds, lossless) in [
        (10_000_017, 60, true),
        (10_000_018, 60, false),
        (10_001_023, 1, true),
        (10_001_024, 1, false),
    ] {
        let result = run(&mut device, fps.into(), seconds);
        assert_eq!(result.loss_ratio() == Some(Ratio::ZERO), lossless, "{fps} fps, {seconds} s");
    }
}

#[test]
fn case_8_is_met_to_the_frame() {
    let mut device = device("link=100M,capacity=100kpps,buffer=100");
    let line = frame(64).line_rate_fps(100_000_000);
    let rows = [(100, 148_809), (90, 133_928), (80, 119_047), (70, 104_166)];
    for (percent, sent) in rows {
        let result = run(&mut device, line.times(Ratio::new(percent, 100)), 1);
        let direction = &result.directions[0];
        assert_eq!(
            (direction.tx_frames, direction.rx_unique_frames),
            (sent, 100_098),
            "{percent} %"
        );
    }
}

#[test]
fn a_wire_loses_nothing_at_line_rate() {
    let mut device = device("link=10G");
    let result = run(&mut device, frame(64).line_rate_fps(10_000_000_000), 60);
    assert_eq!((result.sum(|d| d.tx_frames), result.sum(|d| d.lost_frames)), (892_857_142, 0));
    assert_eq!(result.latency.map(|l| (l.min_ns, l.max_ns)), Some((0, 0)));
}

#[test]
fn a_full_queue_is_seen_in_the_latency() {
    // 1,023 frames of 100 ns ahead of each, and 10 us.
    let mut device = device("link=10G,capacity=10Mpps,buffer=1024,latency=10us");
    let line = frame(64).line_rate_fps(10_000_000_000);
    let full = run(&mut device, line, 60).latency.unwrap();
    assert_eq!((full.min_ns, full.max_ns), (10_000, 112_300));
    assert!((112_200..=112_300).contains(&full.p50_ns), "{full:?}");
    let idle = run(&mut device, 9_999_999.into(), 60).latency.unwrap();
    assert_eq!((idle.min_ns, idle.max_ns, idle.mean_ns), (10_000, 10_000, 10_000.0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn long_trials_follow_the_closed_form(
        capacity in 1_u64..2_000_000_000, load in 1_u64..2_000_000_000, thirds in 1_u64..7,
        buffer in 2_u64..100_000, seconds in 1_u64..120,
    ) {
        let mut device = device(&format!("link=1000G,capacity={capacity}pps,buffer={buffer}"));
        let load = Ratio::new(load.into(), thirds.into());
        let result = run(&mut device, load, seconds);
        let frames = load.times(seconds.into()).floor() as u64;
        let direction = &result.directions[0];
        let unsent = load > frame(64).line_rate_fps(1_000_000_000_000);
        prop_assert_eq!(direction.unsent_frames > 0, unsent);
        if !unsent {
            prop_assert_eq!(direction.tx_frames, frames);
            prop_assert_eq!(
                direction.rx_unique_frames, received(frames, load, capacity.into(), buffer)
            );
        }
    }
}
