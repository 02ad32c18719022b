//! `linerate rfc2544` as a user calls it, on real frames through devices that are not
//! linerate's: what it finds, and the reports it leaves.

use crate::{
    suites::{assert_schema, directory, document, text},
    testbed::{Lab, Limit, Linerate, Outcome, much_of_the_machine, with_priority},
};
use serde_json::Value;
use std::path::Path;

/// The devices of these tests hold no frame for longer.
pub(crate) const SHORT_WAITS: &str = "[waits]\nresidual = \"500ms\"\n";

/// Throughput of the way from west to east, and what else `arguments` ask for.
fn rfc2544(lab: &Lab, arguments: &[&str]) -> Outcome {
    let (west, east) = (lab.west.to_string(), lab.east.to_string());
    let ports = ["rfc2544", "--tx", &west, "--rx", &east, "--profile", "quick", "--json", "-"];
    // The machine is shared with the device: who sends must not wait for it.
    with_priority();
    Linerate::spawn(ports.iter().chain(arguments)).wait()
}

#[test]
fn quick_finds_the_rate_of_a_limiter_within_a_hundredth() {
    const LIMIT: u32 = 10_000;
    const DEPTH: u32 = 90;
    let _machine = much_of_the_machine();
    let lab = Lab::with_limiter(Limit { pps: LIMIT, depth: DEPTH, drop_every: 0 });
    let reports = directory("real");
    let path = |name: &str| reports.join(name).to_str().expect("a plain path").to_owned();
    let (html, csv, junit) = (path("result.html"), path("csv"), path("junit.xml"));
    let waits = lab.file("waits.toml", SHORT_WAITS.as_bytes());
    let outcome = rfc2544(
        &lab,
        &[
            waits.to_str().expect("a plain path"),
            "--sizes",
            "64",
            "--tests",
            "throughput,loss",
            "--max-rate",
            "12kpps",
            "--resolution",
            "80fps",
            "--html",
            &html,
            "--csv",
            &csv,
            "--junit",
            &junit,
        ],
    )
    .exits(0);
    let result = document(&outcome);
    let json = reports.join("result.json");
    std::fs::write(&json, &outcome.stdout).expect("keep the result");
    assert_schema("rfc2544", &json);

    let row = &result["rows"][0];
    let throughput = &row["throughput"];
    let fps = throughput["fps"].as_f64().expect("a rate");
    let seconds = throughput["verified_duration_ns"].as_f64().expect("a time") / 1e9;
    // What the bucket holds goes through on top of its rate.
    let most = f64::from(LIMIT) + f64::from(DEPTH) / seconds;
    assert!((fps - most).abs() <= 0.01 * f64::from(LIMIT), "{fps} of {most}: {outcome}");
    assert_eq!(throughput["bound"], "exact", "{outcome}");
    assert_eq!(throughput["limited_by"], "device", "{outcome}");

    let losses = row["frame_loss"].as_array().expect("a table");
    assert!(losses.len() >= 3, "down to two successive trials without loss: {outcome}");
    for loss in losses.iter().filter(|loss| loss["valid"] == true) {
        let count = |key: &str| loss[key].as_u64().expect("a count");
        let (sent, received) = (count("tx_frames"), count("rx_unique_frames"));
        assert_eq!(sent, received + count("lost_frames"));
        let passes = (seconds * most).min(sent as f64);
        assert!(
            (received as f64 - passes).abs() <= 0.01 * passes,
            "{received} of {passes}: {outcome}"
        );
    }
    for file in [&html, &junit] {
        assert!(text(Path::new(file)).contains("64"), "{file}");
    }
    lab.assert_nothing_attached();
}

/// Neither has a limit below the load that is asked for.
#[test]
fn a_bridge_and_a_router_forward_the_greatest_load_that_is_asked_for() {
    let _machine = much_of_the_machine();
    let whole = |lab: &Lab, arguments: &[&str]| {
        let asked = ["--tests", "throughput", "--max-rate", "4kpps", "--sizes", "128", "--bidir"];
        let outcome = rfc2544(lab, &[&asked, arguments].concat()).exits(0);
        let throughput = document(&outcome)["rows"][0]["throughput"].clone();
        let fps: Vec<&Value> = throughput["per_direction"]
            .as_array()
            .expect("directions")
            .iter()
            .map(|direction| &direction["fps"])
            .collect();
        assert_eq!(fps, [4_000.0, 4_000.0], "{outcome}");
        assert_eq!(throughput["bound"], "at-least", "nothing failed above it: {outcome}");
    };
    whole(&Lab::with_bridge(), &[]);
    let router = Lab::with_router();
    let file =
        |name: &str, more: &str| router.file(name, format!("{SHORT_WAITS}{more}").as_bytes());
    let (ipv4, ipv6) = (file("ipv4.toml", ""), file("ipv6.toml", "[addresses]\nipv6 = true\n"));
    whole(&router, &[ipv4.to_str().expect("a plain path")]);
    whole(&router, &[ipv6.to_str().expect("a plain path")]);
}
