//! `compare` on results of real runs.

use crate::testbed::{Lab, Linerate};
use serde_json::Value;
use std::path::{Path, PathBuf};

const FLOW: &str = r#"
    [[flow]]
    name = "customer"
    tx = "west"
    rx = "east"
    rate = "5kpps"
    duration = "1s"
    size = 128
    layers = [
      {eth = {dst = "02:00:00:00:00:02"}},
      {ipv4 = {src = "198.18.0.2", dst = "198.19.0.2"}},
      {udp = {src = 49184, dst = 7}},
    ]
    "#;

fn result(lab: &Lab, name: &str, flows: &str) -> PathBuf {
    let path = lab.file(name, b"");
    let file = lab.flow_file(flows);
    let arguments = ["run", file.to_str().unwrap(), "-q", "--json", path.to_str().unwrap()];
    Linerate::spawn(arguments).wait().exits(0);
    path
}

fn compare(a: &Path, b: &Path, more: &[&str]) -> crate::testbed::Outcome {
    let (a, b) = (a.to_str().unwrap(), b.to_str().unwrap());
    Linerate::spawn([&["compare", a, b], more].concat()).wait()
}

#[test]
fn a_run_equals_itself_and_differs_from_one_at_another_rate() {
    let lab = Lab::cable();
    let five = result(&lab, "five.json", FLOW);
    let six = result(&lab, "six.json", &FLOW.replace("5kpps", "6kpps"));
    let same = compare(&five, &five, &["--tolerance", "0%"]).exits(0);
    assert!(same.stdout.contains("1 of 1 flows within 0 %: within"), "{same}");

    let other = compare(&five, &six, &["--json", "-"]).exits(1);
    let document: Value = serde_json::from_str(&other.stdout).unwrap();
    assert_eq!(
        (&document["schema"], &document["verdict"]),
        (&"linerate.compare/1".into(), &"outside".into())
    );
    let values = document["flows"][0]["values"].as_array().unwrap();
    let ratio = values.iter().find(|value| value["name"] == "tx_pps").unwrap();
    assert!((ratio["difference_ratio"].as_f64().unwrap() - 0.2).abs() < 0.01, "{ratio}");
    assert_eq!(ratio["verdict"], "outside");
    assert!(other.stderr.contains("tx_pps"), "the table is for people: {other}");
}

#[test]
fn what_is_no_result_of_a_run_is_64() {
    let lab = Lab::cable();
    let good = result(&lab, "good.json", FLOW);
    let suite = lab.file("suite.json", br#"{"schema": "linerate.rfc2544/1"}"#);
    let words = ["suite.json", "linerate.rfc2544/1", "linerate.run/1"];
    compare(&good, &suite, &[]).exits(64).says(&words);
    let text = lab.file("text.json", b"hello");
    compare(&text, &good, &[]).exits(64).says(&["text.json"]);
    compare(&good, Path::new("/nowhere.json"), &[]).exits(64).says(&["/nowhere.json"]);
    compare(&good, &good, &["--tolerance", "2"]).exits(64).says(&["--tolerance", "2%"]);
}
