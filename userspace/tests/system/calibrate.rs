//! `calibrate` on a veth pair, and what `run` makes of it.

use crate::testbed::{Lab, Linerate, Outcome, RunResult};
use serde_json::Value;
use std::ffi::OsStr;

/// With `line`, a veth is treated as a link of that speed.
fn flow(lab: &Lab, rate: &str) -> String {
    format!(
        r#"
    [ports]
    west = {{ if = "{}", line = "10G" }}
    east = {{ if = "{}", line = "10G" }}
    [[flow]]
    name = "customer"
    tx = "west"
    rx = "east"
    rate = "{rate}"
    duration = "1s"
    size = 256
    layers = [
      {{eth = {{dst = "02:00:00:00:00:02"}}}},
      {{ipv4 = {{src = "198.18.0.2", dst = "198.19.0.2"}}}},
      {{udp = {{src = 49184, dst = 7}}}},
    ]
    "#,
        lab.west, lab.east
    )
}

/// linerate with its state in the lab's directory.
fn with_state(lab: &Lab, arguments: &[&str]) -> Outcome {
    let state = lab.file("anchor", b"").with_file_name("state");
    let variable = format!("XDG_STATE_HOME={}", state.display());
    let whole = [OsStr::new(&variable), OsStr::new(Linerate::BINARY)];
    let arguments = whole.into_iter().chain(arguments.iter().map(OsStr::new));
    Linerate::spawn_as("env", arguments).wait()
}

fn calibrate(lab: &Lab) -> Value {
    let (west, east) = (lab.west.to_string(), lab.east.to_string());
    let grid = ["--sizes", "64,512", "--rates", "1kpps,4kpps", "--for", "500ms", "--json", "-"];
    let outcome = with_state(lab, &[&["calibrate", &west, &east], &grid[..]].concat()).exits(0);
    serde_json::from_str(&outcome.stdout).expect("one document")
}

fn run(lab: &Lab, rate: &str) -> RunResult {
    let file = lab.file("calibrated.toml", flow(lab, rate).as_bytes());
    with_state(lab, &["run", file.to_str().unwrap(), "--json", "-"]).exits(0).result()
}

#[test]
fn a_run_takes_the_bias_off_and_gives_the_spread() {
    let lab = Lab::cable();
    let before = run(&lab, "2kpps");
    assert!(before.flow("customer").value("latency_ns.uncertainty").is_null());
    assert!(before.document["ports"][1]["calibration"].is_null());

    let document = calibrate(&lab);
    let both = document["calibrations"].as_array().unwrap();
    assert_eq!(both.len(), 2, "both directions");
    for calibration in both {
        assert_eq!(calibration["schema"], "linerate.calibration/1");
        assert_eq!(calibration["points"].as_array().unwrap().len(), 4);
    }

    let after = run(&lab, "2kpps");
    let row = after.flow("customer");
    let points = &after.document["ports"][1]["calibration"]["paths"][0]["points"];
    assert_eq!(points, &both[0]["points"], "the receiving port says what was taken off");
    assert!(after.document["ports"][0]["calibration"].is_null());
    // Size and rate lie among all four points: the bias is the middle of their medians.
    let medians = points.as_array().unwrap().iter().map(|point| point["p50_ns"].as_i64().unwrap());
    let (least, most) = (medians.clone().min().unwrap(), medians.max().unwrap());
    let uncertainty = row.count("latency_ns.uncertainty") as i64;
    assert!(uncertainty >= (most - least) / 2, "{uncertainty} for {least} to {most}");
    // The same cable again: what is left of the median is within what is uncertain, with
    // room for a machine that others use too.
    let left = row.value("latency_ns.p50").as_i64().unwrap();
    assert!(left.abs() <= uncertainty + most, "p50 {left} +-{uncertainty}");
    let raw = before.flow("customer").count("latency_ns.min") as i64;
    assert!(row.value("latency_ns.min").as_i64().unwrap() < raw, "the least was {raw}");
}

#[test]
fn what_the_calibration_does_not_cover_is_as_stamped_with_the_reason() {
    let lab = Lab::cable();
    calibrate(&lab);
    let fast = run(&lab, "8kpps");
    assert!(fast.flow("customer").value("latency_ns.uncertainty").is_null());
    let reasons = fast.document["reasons"].to_string();
    assert!(reasons.contains("1000 to 4000 frames/s, the port sends 8000"), "{reasons}");

    lab.east.ip_link(&["mtu", "1400"]);
    let stale = run(&lab, "2kpps");
    assert!(stale.flow("customer").value("latency_ns.uncertainty").is_null());
    let reasons = stale.document["reasons"].to_string();
    assert!(reasons.contains("stale") && reasons.contains("was 1500 and is 1400"), "{reasons}");
}

#[test]
fn the_table_shows_the_uncertainty_beside_every_latency() {
    let lab = Lab::cable();
    calibrate(&lab);
    let file = lab.file("calibrated.toml", flow(&lab, "2kpps").as_bytes());
    let outcome = with_state(&lab, &["run", file.to_str().unwrap()]).exits(0);
    let row = outcome.stdout.lines().find(|line| line.starts_with("customer")).unwrap();
    assert_eq!(row.matches("+-").count(), 4, "{outcome}");
}

#[test]
fn ports_without_a_cable_between_are_2_and_nothing_is_kept() {
    let (one, other) = (Lab::cable(), Lab::cable());
    let (west, east) = (one.west.to_string(), other.east.to_string());
    let arguments =
        ["calibrate", &west, &east, "--sizes", "64", "--rates", "1kpps", "--for", "200ms"];
    let outcome = with_state(&one, &arguments).exits(2).says(&["2 points were not measured"]);
    assert!(outcome.stdout.contains("lost"), "{outcome}");
    assert!(!outcome.stdout.contains("kept in"), "{outcome}");
    with_state(&one, &["calibrate", &west, "nowhere0"]).exits(64).says(&["nowhere0"]);
}
