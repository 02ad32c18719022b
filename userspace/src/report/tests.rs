use super::*;
use crate::{
    collect::{Collector, FlowId, FlowReading, Gap, Totals, Verdict},
    nic::{DropCounter, SettingChange},
    rx::{Counters, Observed},
    session::{FlowFacts, PortFacts, RunFacts, ToldBy},
    spec::{Expect, Threshold},
    tx,
};
use std::{collections::BTreeSet, time::Duration};
use xdp_ebpf::{XdpMode, abi, histogram};

mod clocks;
mod outage;
mod shown;

const SECOND: u64 = 1_000_000_000;
const BASE: u64 = 100 * SECOND;

/// A flow that sends `sent` frames of 64 octets in ten seconds, of which `unique` arrive
/// after 12,345 ns, and the last of them after 1,500,000 ns.
fn collected(sent: u64, unique: u64) -> Collector {
    let bucket = |ns| histogram::index(ns, abi::LATENCY_PRECISION, abi::LATENCY_MAX_BITS) as u16;
    let mut observed = Observed::default();
    if unique > 1 {
        observed.latency = vec![(bucket(12_345), unique - 1), (bucket(1_500_000), 1)];
        observed.counters = Counters {
            unique,
            timed: unique,
            bytes: unique * 60,
            latency_sum_ns: i128::from(12_345 * (unique - 1) + 1_500_000),
            latency_min_ns: Some(12_345),
            latency_max_ns: Some(1_500_000),
            ipdv_ns: Some((-1_000, 2_000)),
            gap_max_ns: 2_000_000,
            first_rx_ns: Some(BASE + 12_345),
            last_rx_ns: Some(BASE + 10 * SECOND),
            banks: 1,
            ..Counters::default()
        };
        observed.gap = vec![(56, unique - 1)];
        observed.ipdv = vec![(-5, 1), (3, unique - 1)];
    }
    observed.intervals = vec![(0, unique)];
    let mut collector = Collector::new(2, 300, Duration::from_secs(10));
    collector.begin_trial(BASE);
    let reading = FlowReading {
        time_ns: BASE + 10 * SECOND,
        tx_frames: sent,
        tx_bytes: sent * 60,
        tx_intervals: vec![(0, sent)],
        rx: Some(observed),
    };
    collector.record(FlowId(0), &reading);
    collector.finish();
    collector
}

fn port(name: &str) -> PortFacts {
    PortFacts {
        name: name.to_owned(),
        interface: format!("{name}0@lab"),
        driver: "veth".to_owned(),
        tx_mode: Some(tx::TxMode::Copy),
        rx_mode: XdpMode::Native,
        queues: 2,
        link_bps: None,
        calibrations: Vec::new(),
        settings_changed: vec![SettingChange {
            setting: "rx-lro".to_owned(),
            from: "on".to_owned(),
            to: "off".to_owned(),
        }],
        tx_frames: None,
        tx_dropped: None,
        rx_frames: None,
        rx_dropped: None,
        seen: None,
        rx_drops: Vec::new(),
        pause_frames: None,
        xsk: None,
        clock: None,
        nic_times: None,
        peer: None,
    }
}

fn flow(name: &str, totals: &Totals) -> FlowFacts {
    let sent = totals.tx_frames;
    FlowFacts {
        name: name.to_owned(),
        tx_port: 0,
        rx_port: Some(1),
        more_rx_ports: Vec::new(),
        streams: 1,
        told_by: ToldBy::Tag,
        requested: Some(sent),
        intended_pps: Some(sent as f64 / 10.0),
        completed: Some(sent),
        first_tx_ns: Some(BASE),
        last_tx_ns: Some(BASE + (10 * SECOND) / sent * (sent - 1)),
        random: false,
        tx_gap: None,
        totals: totals.clone(),
        samples: None,
        correction: None,
        lost_ns: None,
        store_and_forward: false,
        latency_void: None,
        clock_error_ns: None,
        nic_error_ns: None,
        faults: Vec::new(),
        expect: Expect::default(),
    }
}

fn run(flows: Vec<FlowFacts>) -> RunFacts {
    RunFacts {
        started: "2026-01-02T03:04:05Z".parse().unwrap(),
        base_ns: BASE,
        ports: vec![port("west"), port("east")],
        flows,
        faults: Vec::new(),
        notes: Vec::new(),
    }
}

/// Flows of 14,880,000 frames with `lost` of them missing.
fn result_of(names: &[&str], lost: u64) -> RunResult {
    let collector = collected(14_880_000, 14_880_000 - lost);
    let totals = collector.totals(FlowId(0)).unwrap();
    RunResult::new(&run(names.iter().map(|name| flow(name, totals)).collect()))
}

fn keys(value: &serde_json::Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_json_has_every_key_of_the_contract_and_no_other() {
    let collector = collected(1000, 990);
    let mut flow = flow("a", collector.totals(FlowId(0)).unwrap());
    let mut gap = Gap::default();
    gap.record(&[(56, 999)], 2_000_000);
    flow.tx_gap = Some(gap);
    flow.samples = Some(collector.history(FlowId(0), 60).into_iter().cloned().collect());
    let run = serde_json::to_value(RunResult::new(&run(vec![flow]))).unwrap();
    let flow = &run["flows"][0];
    for (value, contract) in [
        (&run, "schema tool host started duration_ns verdict reasons ports flows"),
        (
            &run["ports"][0],
            "name if driver tx_mode rx_mode clock clock_offset_ns clock_error_ns clock_drift_ns \
             queues link_bps calibration settings_changed",
        ),
        (
            flow,
            "name tx_port rx_port verdict requested_frames unsent_frames tx_frames tx_bytes \
             rx_frames rx_bytes rx_unique_frames lost_frames duplicate_frames reordered_frames \
             late_frames corrupt_frames misdirected_frames stale_frames tx_pps rx_pps tx_bps_l1 \
             tx_bps_l2 rx_bps_l1 rx_bps_l2 loss_ratio latency_ns ipdv_ns pdv_ns \
             jitter_rfc3550_ns tx_gap_ns rx_gap_ns outage ledger samples",
        ),
        (
            &flow["latency_ns"],
            "min mean stddev p50 p90 p99 p999 p9999 max count negative_count uncertainty \
             definition clock",
        ),
        (&flow["outage"], "by_loss_ns by_gap_ns first_lost last_lost"),
        (
            &flow["ledger"],
            "requested submitted completed tx_port rx_port rx_dropped seen matched in_order \
             missing_at limited_by",
        ),
        (
            &flow["samples"][0],
            "t tx_frames rx_frames tx_pps rx_pps tx_bps_l2 rx_bps_l2 loss_ratio p50_ns p99_ns \
             p999_ns max_ns",
        ),
    ] {
        assert_eq!(keys(value), contract.split_whitespace().collect());
    }
    assert_eq!(run["schema"], "linerate.run/1");
    assert_eq!(run["started"], "2026-01-02T03:04:05Z");
    assert_eq!((&run["verdict"], &flow["verdict"]), (&"loss".into(), &"loss".into()));
    assert_eq!(run["ports"][0]["tx_mode"], "copy");
    assert_eq!(flow["ledger"]["missing_at"], "wire/device");
    assert_eq!(flow["samples"][0]["loss_ratio"], 0.01);
    assert!(flow["tx_bytes"].is_u64() && flow["latency_ns"]["p50"].is_i64());
}

#[test]
fn what_is_not_measured_is_null_and_never_zero_or_absent() {
    let collector = collected(1000, 990);
    let mut unmeasured = flow("a", collector.totals(FlowId(0)).unwrap());
    unmeasured.rx_port = None;
    unmeasured.completed = None;
    let json = serde_json::to_value(RunResult::new(&run(vec![unmeasured]))).unwrap();
    let row = &json["flows"][0];
    let nulls: BTreeSet<&str> = keys(row).into_iter().filter(|&key| row[key].is_null()).collect();
    let expected = "rx_port rx_frames rx_bytes rx_unique_frames lost_frames duplicate_frames \
        reordered_frames late_frames corrupt_frames misdirected_frames stale_frames rx_pps \
        rx_bps_l1 rx_bps_l2 loss_ratio latency_ns ipdv_ns pdv_ns jitter_rfc3550_ns tx_gap_ns \
        rx_gap_ns samples";
    assert_eq!(nulls, expected.split_whitespace().collect());
    let ledger = &row["ledger"];
    for key in ["completed", "tx_port", "rx_port", "rx_dropped", "seen", "matched", "in_order"] {
        assert!(ledger[key].is_null(), "{key}");
    }
    assert_eq!(json["verdict"], "ok");
}

#[test]
fn counts_and_rates_follow_the_contract() {
    let flow = result_of(&["a"], 1).flows.remove(0);
    assert_eq!(flow.tx_frames, flow.rx_unique_frames.unwrap() + flow.lost_frames.unwrap());
    assert_eq!(flow.tx_bytes, 64 * 14_880_000);
    assert_eq!(flow.requested_frames, flow.tx_frames + flow.unsent_frames);
    let near = |found: Option<f64>, expected: f64| {
        assert!((found.unwrap() / expected - 1.0).abs() < 1e-4, "{found:?} for {expected}");
    };
    near(flow.tx_pps, 1_488_000.0);
    near(flow.tx_bps_l2, 1_488_000.0 * 64.0 * 8.0);
    near(flow.tx_bps_l1, 1_488_000.0 * 84.0 * 8.0);
    assert_eq!(flow.loss_ratio, Some(1.0 / 14_880_000.0));
    let latency = flow.latency_ns.unwrap();
    assert_eq!((latency.min, latency.max), (12_345, 1_500_000));
    assert_eq!(flow.pdv_ns, Some(latency.p999.unwrap() - 12_345));
    assert_eq!(
        (latency.definition, latency.clock, latency.uncertainty),
        ("host", "monotonic", None)
    );
}

#[test]
fn gaps_of_a_stream_that_was_spread_over_queues_are_unknown() {
    let collector = collected(1000, 1000);
    let mut totals = collector.totals(FlowId(0)).unwrap().clone();
    let gap =
        |totals: &Totals| RunResult::new(&run(vec![flow("a", totals)])).flows[0].rx_gap_ns.clone();
    assert_eq!(gap(&totals).map(|gap| gap.max), Some(2_000_000));
    totals.rx.as_mut().unwrap().counters.banks = 2;
    assert_eq!(gap(&totals), None);
}

#[test]
fn drops_of_a_port_are_charged_to_its_flow_and_named() {
    let collector = collected(1000, 990);
    let totals = collector.totals(FlowId(0)).unwrap();
    let with_ports = |flows| {
        let mut facts = run(flows);
        facts.ports[0].tx_frames = Some(1000);
        facts.ports[1].rx_dropped = Some(10);
        let drop = DropCounter { name: "rx_missed_errors".to_owned(), frames: 10 };
        facts.ports[1].rx_drops.push(drop);
        RunResult::new(&facts)
    };
    let alone = with_ports(vec![flow("a", totals)]);
    assert_eq!(alone.flows[0].ledger.tx_port, Some(1000));
    assert_eq!(alone.verdict, Verdict::ReceiverLimited);
    assert_eq!(alone.flows[0].ledger.limited_by, Some("tester-rx"));
    let reason = "a: 10 frames dropped between the NIC and the analyser (rx_missed_errors 10)";
    assert_eq!(alone.reasons[0], reason);
    let shared = with_ports(vec![flow("a", totals), flow("b", totals)]);
    assert_eq!((shared.flows[0].ledger.tx_port, shared.flows[1].ledger.rx_dropped), (None, None));
}

#[test]
fn at_max_the_line_or_the_tester_is_the_limit() {
    let collector = collected(14_880_000, 14_880_000);
    let limit = |link_bps| {
        let mut flow = flow("a", collector.totals(FlowId(0)).unwrap());
        (flow.intended_pps, flow.requested) = (None, None);
        let mut facts = run(vec![flow]);
        facts.ports[0].link_bps = link_bps;
        RunResult::new(&facts).flows[0].ledger.limited_by
    };
    assert_eq!(limit(Some(1_000_000_000)), Some("line"));
    assert_eq!(limit(Some(10_000_000_000)), Some("tester-tx"));
    assert_eq!(limit(None), Some("tester-tx"));
}

#[test]
fn the_run_is_as_good_as_its_worst_flow() {
    let (good, bad) = (collected(1000, 1000), collected(1000, 999));
    let flows = vec![
        flow("good", good.totals(FlowId(0)).unwrap()),
        flow("bad", bad.totals(FlowId(0)).unwrap()),
    ];
    let result = RunResult::new(&run(flows));
    assert_eq!((result.flows[0].verdict, result.verdict), (Verdict::Ok, Verdict::Loss));
    assert_eq!(
        result.reasons,
        ["bad: 1 of 1000 frames lost (0.100 %): 1 on the wire or in the device"]
    );
    assert!(result.duration_ns.unwrap().abs_diff(10 * SECOND) < 2);
}

fn expecting(lost: u64, expect: Expect, facts: impl Fn(&mut FlowFacts)) -> RunResult {
    let collector = collected(1000, 1000 - lost);
    let mut flow = flow("a", collector.totals(FlowId(0)).unwrap());
    flow.expect = expect;
    facts(&mut flow);
    RunResult::new(&run(vec![flow]))
}

fn below<T>(limit: T) -> Threshold<T> {
    Threshold { limit, inclusive: false }
}

#[test]
fn loss_without_an_expectation_is_a_finding_and_no_failure() {
    assert_eq!(exit_code(&expecting(5, Expect::default(), |_| ())), 0);
}

#[test]
fn expectations_are_met_or_told() {
    let met = Expect {
        loss: Some(Threshold { limit: 0.005, inclusive: true }),
        p50: Some(below(13_000)),
        max: Some(Threshold { limit: 1_500_000, inclusive: true }),
        outage: Some(below(SECOND)),
        ..Expect::default()
    };
    let result = expecting(5, met, |_| ());
    assert_eq!((exit_code(&result), result.unmet), (0, vec![]));
    let failed =
        Expect { loss: Some(below(0.005)), max: Some(below(1_500_000)), ..Expect::default() };
    let result = expecting(5, failed, |_| ());
    assert_eq!(exit_code(&result), 1);
    assert_eq!(
        result.reasons[1..],
        ["a: loss is 0.500 %, expected < 0.5 %", "a: max latency is 1.50ms, expected < 1.50ms"]
    );
}

#[test]
fn what_was_not_measured_validly_exits_2() {
    let expect = Expect { p99: Some(below(SECOND)), ..Expect::default() };
    let slow = |flow: &mut FlowFacts| flow.requested = Some(2000);
    assert_eq!(exit_code(&expecting(0, Expect::default(), slow)), 0, "nothing was to be decided");
    let limited = expecting(0, expect.clone(), slow);
    assert_eq!((exit_code(&limited), limited.unmet[0].judged), (2, false));
    let void = |flow: &mut FlowFacts| flow.latency_void = Some("no clock".to_owned());
    let unmeasured = expecting(0, expect.clone(), void);
    assert_eq!((exit_code(&unmeasured), unmeasured.unmet[0].judged), (2, false));
    let down = expecting(0, Expect::default(), |flow| flow.faults.push("link down".to_owned()));
    assert_eq!(exit_code(&down), 2);
    assert_eq!(exit_code(&RunResult::new(&run(Vec::new()))), 2, "no flow, no measurement");
}
