//! The published cases of methodology 4.5 and 4.6.

use super::*;

const CASE_2: &str = "link=10G,capacity=10Mpps,buffer=1024";
const CASE_8: &str = "link=100M,capacity=100kpps,buffer=100";

/// Lost in percent, to six decimals.
fn losses(row: &Row) -> Vec<(u64, String)> {
    let rows = row.frame_loss.as_ref().unwrap();
    let percent = |loss: Ratio| format!("{:.6}", loss.to_f64() * 100.0);
    rows.iter().map(|row| (row.tx_frames.unwrap(), percent(row.loss_ratio.unwrap()))).collect()
}

#[test]
fn case_1_a_wire_is_exact_at_line_rate_and_has_no_buffer() {
    let row = row(&with_all(spec("link=10G", &[64], seconds(60)), seconds(120), 2));
    let throughput = row.throughput.as_ref().unwrap();
    assert_eq!(lossless(&row), (14_880_952, Bound::Exact));
    assert_eq!((throughput.ratio, throughput.limited_by), (Ratio::ONE, Some(LimitedBy::Line)));
    assert_eq!((throughput.trials, throughput.next_failing_fps), (1, None));
    let lost = losses(&row);
    assert_eq!(lost.len(), 2, "100 % and 90 %");
    assert!(lost.iter().all(|(_, percent)| percent == "0.000000"), "{lost:?}");
    let burst = row.back_to_back.unwrap();
    assert_eq!((burst.valid, burst.corrected_buffer_ns), (false, None));
    assert!(burst.reason.unwrap().contains("line rate"));
    let recovery = row.system_recovery.unwrap();
    assert_eq!((recovery.valid, recovery.recovery_ns), (false, None));
}

#[test]
fn case_2_throughput_depends_on_the_length_of_a_trial() {
    for (length, fps) in [(60, 10_000_017), (10, 10_000_102), (2, 10_000_511), (1, 10_001_023)] {
        let row = row(&spec(CASE_2, &[64], seconds(length)));
        assert_eq!(lossless(&row), (fps, Bound::Exact), "{length} s");
        let throughput = row.throughput.unwrap();
        assert_eq!(throughput.next_failing_fps.unwrap().floor(), fps + 1);
        assert_eq!(throughput.verified, Some(seconds(length)));
        assert_eq!(throughput.limited_by, Some(LimitedBy::Device));
    }
}

#[test]
fn case_2_loss_and_bursts_are_exact() {
    let mut spec = with_all(spec(CASE_2, &[64], seconds(60)), seconds(120), 3);
    spec.recovery = None;
    let row = row(&spec);
    let expected = ["32.799885", "25.333206", "15.999857", "3.999836", "0.000000", "0.000000"];
    let lost = losses(&row);
    assert_eq!(lost.iter().map(|(_, percent)| percent.as_str()).collect::<Vec<_>>(), expected);
    assert_eq!(lost[0].0, 892_857_142);
    let burst = row.back_to_back.unwrap();
    assert!(burst.valid && burst.bursts == [3119; 3], "{burst:?}");
    assert_eq!((burst.frames_stddev, burst.frames_mean), (Some(0.0), Some(3119.0)));
    assert!((burst.implied_buffer_ns.unwrap() - 209_597.0).abs() < 1.0);
    assert!((burst.corrected_buffer_ns.unwrap() - 68_748.0).abs() < 1.0);
    assert!((burst.corrected_buffer_frames.unwrap() - 1023.03).abs() < 0.01);
}

#[test]
fn case_8_is_met_with_trials_of_1_s_and_of_60_s() {
    let mut spec = with_all(spec(CASE_8, &[64], seconds(1)), seconds(2), 2);
    spec.recovery = None;
    let short = row(&spec);
    assert_eq!(lossless(&short), (100_099, Bound::Exact));
    let expected = [
        (148_809, "32.733907"),
        (133_928, "25.259841"),
        (119_047, "15.917243"),
        (104_166, "3.905305"),
        (89_285, "0.000000"),
        (74_404, "0.000000"),
    ];
    assert_eq!(losses(&short), expected.map(|(sent, percent)| (sent, percent.to_owned())));
    let burst = short.back_to_back.unwrap();
    assert_eq!(burst.frames_max, Some(302));
    assert!((burst.corrected_buffer_ns.unwrap() - 664_310.0).abs() < 5.0);
    assert!((burst.corrected_buffer_frames.unwrap() - 98.86).abs() < 0.005);
    spec.throughput.trial = seconds(60);
    let long = row(&spec);
    assert_eq!(lossless(&long), (100_001, Bound::Exact));
    let burst = long.back_to_back.unwrap();
    assert!((burst.corrected_buffer_ns.unwrap() - 665_640.0).abs() < 5.0);
    assert!((burst.corrected_buffer_frames.unwrap() - 99.05).abs() < 0.005);
}

#[test]
fn latency_streams_longer_than_a_trial_are_sent_at_a_load_without_loss() {
    let mut spec = with_all(
        spec("link=10G,capacity=10Mpps,buffer=1024,latency=10us", &[64], seconds(60)),
        seconds(120),
        20,
    );
    (spec.loss, spec.back_to_back, spec.recovery) = (None, None, None);
    let latency = row(&spec).latency.unwrap().remove(0);
    // 120 s hold 10,000,008 fps; of 17, 16, 15, 13, 9 and 1 above 10 Mpps that is the last.
    assert_eq!((latency.load, latency.derated), (10_000_001.into(), true));
    assert_eq!((latency.repeats, latency.lost_frames), (20, 0));
    let all = latency.all.unwrap();
    assert!(all.min_ns >= 10_000 && all.max_ns <= 112_300, "{all:?}");
    assert!(all.min_ns as f64 <= all.mean_ns && all.mean_ns <= all.max_ns as f64);
    assert_eq!(latency.per_direction, [Some(all)]);
}

#[test]
fn store_and_forward_latency_is_the_same_at_every_size() {
    let mut spec = with_all(spec("link=10G,latency=10us", &[64, 1518], seconds(1)), seconds(2), 3);
    spec.back_to_back = None;
    for row in outcome(&spec).rows {
        let all = row.latency.unwrap()[0].all.unwrap();
        assert_eq!((all.min_ns, all.mean_ns, all.max_ns), (10_000, 10_000.0, 10_000));
    }
}

#[test]
fn a_shaper_counts_the_octets_of_layer_2() {
    // 500 Mbps of L2 bits on 1 Gbps: 976,562.5 frames of 64 octets a second, 41,172 of 1518.
    let spec = spec("link=1G,capacity=500Mbps,buffer=64", &[64, 1518], seconds(60));
    let rates: Vec<_> = outcome(&spec).rows.iter().map(lossless).collect();
    assert_eq!(rates, [(976_563, Bound::Exact), (41_173, Bound::Exact)]);
}

#[test]
fn recovery_ends_with_the_overload_where_the_queue_drains_at_once() {
    let mut spec = with_all(spec(CASE_2, &[64], seconds(10)), seconds(2), 1);
    (spec.loss, spec.latency, spec.back_to_back) = (None, None, None);
    let recovery = row(&spec).system_recovery.unwrap();
    assert!(recovery.valid, "{recovery:?}");
    assert_eq!(recovery.recovery_ns, Some(0.0));
    assert_eq!(recovery.overload_fps.floor(), 11_000_112);
}

#[test]
fn a_reset_is_timed_by_loss_and_by_silence() {
    let mut spec = spec(CASE_8, &[512, 64], seconds(1));
    spec.suite.hooks.reset = Some("1500ms".into());
    spec.reset = Some(ResetSpec { limit: seconds(10), repeats: 2 });
    let rows = outcome(&spec).rows;
    assert_eq!(rows[0].reset, None, "only the least size");
    let reset = rows[1].reset.as_ref().unwrap();
    assert!(reset.valid, "{reset:?}");
    for times in [&reset.by_loss_ns, &reset.by_timestamps_ns] {
        // The queue, up to 1 ms of it, is lost too.
        assert!(
            times.len() == 2
                && times.iter().all(|&ns| (1_499_900_000..1_501_100_000).contains(&ns)),
            "{reset:?}"
        );
    }
}
