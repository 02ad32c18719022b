use super::*;

fn row(name: &'static str, fps: &[f64]) -> Row {
    let generator = Generator { name, frames: "x", state: State::Ready(Vec::new()) };
    let rounds = fps.iter().map(|&fps| (fps > 0.0).then_some(Sample { fps, others_busy: 0.0 }));
    Row { rounds: rounds.collect(), ..Row::new(&generator) }
}

fn report(rows: Vec<Row>) -> Report {
    let machine = Machine {
        cpu: "c".into(),
        cpus: 2,
        kernel: "k".into(),
        date: "d".into(),
        commit: "0".into(),
    };
    Report { rows, window: Duration::from_secs(3), rounds: 1, machine }
}

#[test]
fn the_median_does_not_mind_one_bad_round() {
    let median = |fps: &[f64]| row("a", fps).fps().map(|fps| fps.median);
    assert_eq!(median(&[5.0, 1.0, 4.0]), Some(4.0));
    assert_eq!(median(&[4.0, 1.0, 2.0, 100.0]), Some(3.0));
    assert_eq!(median(&[]), None);
}

#[test]
fn ratios_pair_the_rounds_in_which_both_ran() {
    // The machine halves its pace in the third round, and the other fails in the second.
    let (own, other) = (row("linerate a", &[20.0, 9.0, 10.0]), row("b", &[10.0, 0.0, 5.0]));
    assert_eq!(own.ratio(&other), Some(Spread { median: 2.0, min: 2.0, max: 2.0 }));
}

#[test]
fn every_linerate_is_compared_and_the_best_one_meets_the_target() {
    let rows = vec![
        row("linerate af_xdp", &[110.0]),
        row("linerate live_frames", &[510.0]),
        row("testpmd net_af_xdp", &[100.0]),
        row("trafgen", &[80.0]),
    ];
    let report = report(rows);
    let table = report.table();
    for line in [
        "target 5.00 x testpmd net_af_xdp: met, linerate live_frames has 5.10 x",
        "target 1.05 x testpmd net_af_xdp: met, linerate af_xdp has 1.10 x",
        "target 1.80 x trafgen: MISSED, linerate af_xdp has 1.38 x",
    ] {
        assert!(table.contains(line), "{line}\n{table}");
    }
    let json = report.json();
    assert_eq!(json["rows"][2]["linerate_ratios"][1]["ratio"]["median"], 5.1);
    assert_eq!(json["rows"][0]["linerate_ratios"], json!([]));
    assert_eq!(report.svg().matches("class=\"ours\"").count(), 2);
}

#[test]
fn what_is_absent_is_named_and_has_no_number() {
    let absent = Generator { name: "b", frames: "x", state: State::NotInstalled("pkg") };
    let report = report(vec![row("linerate a", &[200.0]), row("c", &[100.0]), Row::new(&absent)]);
    let table = report.table();
    assert!(table.contains("NOT INSTALLED (package pkg)"), "{table}");
    assert!(table.contains("2.00 x"), "{table}");
    assert!(report.json()["rows"][2]["fps"].is_null());
}
