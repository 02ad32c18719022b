use super::*;
use serde_json::{Value, json};

fn flow(name: &str) -> Value {
    json!({
        "name": name, "verdict": "ok", "tx_frames": 1000, "tx_bytes": 64000,
        "tx_pps": 1000.0, "rx_pps": 1000.0, "loss_ratio": 0.0,
        "latency_ns": {"p50": 1000, "p90": 1100, "p99": 2000, "p999": 3000, "p9999": 4000,
            "uncertainty": null, "definition": "host", "clock": "monotonic"},
    })
}

fn document(flows: &[Value]) -> String {
    json!({"schema": "linerate.run/1", "started": "2026-01-02T03:04:05Z", "flows": flows})
        .to_string()
}

fn compared(a: &[Value], b: &[Value], tolerance: (u128, u128)) -> Comparison {
    let read = |name: &str, flows| Recorded::parse(name.into(), &document(flows)).unwrap();
    Comparison::new(&read("a", a), &read("b", b), Ratio::new(tolerance.0, tolerance.1))
}

/// Two runs of one flow; the second is edited.
fn edited(edit: impl FnOnce(&mut Value)) -> Comparison {
    let mut other = flow("x");
    edit(&mut other);
    compared(&[flow("x")], &[other], (2, 100))
}

fn outside(comparison: &Comparison) -> Vec<&'static str> {
    let values = comparison.flows.iter().flat_map(|flow| &flow.values);
    values.filter(|value| value.verdict == Match::Outside).map(|value| value.name).collect()
}

#[test]
fn a_run_is_within_any_tolerance_of_itself() {
    let same = compared(&[flow("x"), flow("y")], &[flow("y"), flow("x")], (0, 1));
    assert_eq!((same.verdict, same.verdict.exit_code()), (Match::Within, 0));
    assert_eq!((same.flows.len(), same.flows[0].values.len()), (2, 8));
    assert!(same.reasons.is_empty(), "{:?}", same.reasons);
}

#[test]
fn the_border_itself_is_within_and_a_step_over_it_is_not() {
    for (pps, expected) in [(980.0, vec![]), (979.9, vec!["tx_pps"]), (1020.1, vec!["tx_pps"])] {
        let comparison = edited(|flow| flow["tx_pps"] = pps.into());
        assert_eq!(outside(&comparison), expected, "{pps}");
        assert_eq!(comparison.verdict.exit_code(), u8::from(!expected.is_empty()));
    }
}

#[test]
fn any_loss_against_none_is_outside() {
    let comparison = edited(|flow| flow["loss_ratio"] = 1e-9.into());
    assert_eq!(outside(&comparison), ["loss_ratio"]);
    assert!(comparison_table(&comparison).contains("1.00e-7 %"));
}

#[test]
fn the_uncertainty_of_both_widens_what_latency_may_differ() {
    let with = |p50: u64, uncertainty: u64| {
        let mut flow = flow("x");
        flow["latency_ns"]["p50"] = p50.into();
        flow["latency_ns"]["uncertainty"] = uncertainty.into();
        flow
    };
    // 2 % of 1000 ns, and 30 + 50 ns.
    let at = |p50| compared(&[with(1000, 30)], &[with(p50, 50)], (2, 100));
    assert_eq!(outside(&at(1100)), [""; 0]);
    assert_eq!(outside(&at(1101)), ["latency_ns.p50"]);
}

#[test]
fn latencies_of_different_kinds_are_not_compared() {
    for (key, value) in [
        ("definition", json!("store-and-forward")),
        ("clock", json!("nic")),
        ("uncertainty", json!(5)),
    ] {
        let comparison = edited(|flow| flow["latency_ns"][key] = value);
        assert_eq!(comparison.verdict, Match::Outside, "{key}");
        assert!(comparison.reasons[0].contains("cannot be compared"), "{:?}", comparison.reasons);
        assert_eq!(comparison.flows[0].values.len(), 3, "rates and loss remain");
    }
}

#[test]
fn what_only_one_has_is_outside_and_named() {
    let comparison = compared(&[flow("x"), flow("y")], &[flow("x"), flow("z")], (2, 100));
    assert_eq!(comparison.reasons, ["y: only in A", "z: only in B"]);
    assert_eq!(comparison.verdict, Match::Outside);
    let comparison = edited(|flow| flow["rx_pps"] = Value::Null);
    assert_eq!(outside(&comparison), ["rx_pps"]);
    assert_eq!(comparison.reasons, ["x: rx_pps was not measured in B"]);
    let neither = |flow: &mut Value| flow["latency_ns"] = Value::Null;
    let (mut a, mut b) = (flow("x"), flow("x"));
    neither(&mut a);
    neither(&mut b);
    assert_eq!(compared(&[a], &[b], (0, 1)).verdict, Match::Within);
}

#[test]
fn what_was_not_measured_validly_decides_nothing() {
    let comparison = edited(|flow| flow["verdict"] = "invalid".into());
    assert_eq!((comparison.verdict, comparison.verdict.exit_code()), (Match::Invalid, 2));
    let comparison = edited(|flow| flow["verdict"] = "tester-limited".into());
    assert_eq!(comparison.reasons, ["x: tester-limited in B"]);
    assert_eq!(comparison.verdict, Match::Within);
    assert_eq!(compared(&[], &[], (2, 100)).verdict, Match::Invalid);
}

#[test]
fn files_that_are_no_run_say_what_they_are() {
    let error = |text: &str| Recorded::parse("f".into(), text).unwrap_err().to_string();
    assert!(error("{").starts_with("f: no result of linerate: "));
    assert!(error("[]").contains("its schema is absent"));
    let other = error(r#"{"schema": "linerate.rfc2544/1"}"#);
    assert!(other.contains("linerate.rfc2544/1; compare knows linerate.run/1"), "{other}");
    assert!(error(r#"{"schema": "linerate.run/1"}"#).contains("missing field"));
    assert!(error(&document(&[flow("x"), flow("x")])).contains("two flows are named x"));
}

#[test]
fn many_flows_show_only_what_differs() {
    let flows: Vec<Value> = (0..500).map(|i| flow(&format!("cust{i}"))).collect();
    let mut others = flows.clone();
    others[7]["tx_pps"] = 1.0.into();
    let table = comparison_table(&compared(&flows, &others, (2, 100)));
    assert!(table.contains("499 of 500 flows within 2 %: outside"), "{table}");
    assert!(table.contains("cust7") && !table.contains("cust8"), "{table}");
    assert!(table.lines().count() < 10);
}
