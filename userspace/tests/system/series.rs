//! `--series`: rows on disk while the run goes on, judged by python's csv and json.

use crate::testbed::{Lab, Linerate, command, eventually, much_of_the_machine};
use std::path::Path;

const FLOWS: &str = r#"
    [[flow]]
    name = "cust, {i}"
    repeat = 2
    tx = "west"
    rx = "east"
    rate = "2kpps"
    duration = "3s"
    size = 128
    layers = [
      {eth = {dst = "02:00:00:00:00:02"}},
      {ipv4 = {src = "198.18.0.2", dst = "198.19.0.2"}},
      {udp = {src = 49184, dst = 7}},
    ]
    "#;

fn python(code: &str, file: &Path) -> String {
    command("python3", &["-c", code, file.to_str().unwrap()])
}

#[test]
fn the_rows_of_a_flow_add_up_to_its_run_even_where_the_ring_holds_one_sample() {
    // Its neighbours by name are suites at real-time priority.
    let _machine = much_of_the_machine();
    let lab = Lab::cable();
    let series = lab.file("series.csv", b"");
    let file = lab.flow_file(FLOWS);
    let (file, path) = (file.to_str().unwrap(), series.to_str().unwrap());
    let arguments =
        ["run", file, "--series", path, "--history", "1", "--interval", "250ms", "--json", "-"];
    let outcome = Linerate::spawn(arguments).wait().exits(0);
    for flow in outcome.result().flows() {
        flow.assert_clean(6000);
    }
    let sums = python(
        "import csv, sys, collections, datetime\n\
         sums, last = collections.Counter(), {}\n\
         for row in csv.DictReader(open(sys.argv[1], newline='')):\n\
         \x20 sums[row['flow'], 'tx'] += int(row['tx_frames'])\n\
         \x20 sums[row['flow'], 'rx'] += int(row['rx_frames'])\n\
         \x20 sums[row['flow'], 'rows'] += 1\n\
         \x20 assert int(row['t']) > last.get(row['flow'], 0), 'time goes on'\n\
         \x20 last[row['flow']] = int(row['t'])\n\
         \x20 datetime.datetime.fromisoformat(row['time'].replace('Z', '+00:00'))\n\
         for flow in ('cust, 0', 'cust, 1'):\n\
         \x20 print(sums[flow, 'tx'], sums[flow, 'rx'], sums[flow, 'rows'] >= 12)\n",
        &series,
    );
    assert_eq!(sums, "6000 6000 True\n6000 6000 True\n");
}

#[test]
fn every_row_has_its_final_loss() {
    let lab = Lab::cable();
    let series = lab.file("series.jsonl", b"");
    let file = lab.flow_file(FLOWS);
    let arguments = ["run", file.to_str().unwrap(), "-q", "--series", series.to_str().unwrap()];
    Linerate::spawn(arguments).wait().exits(0);
    let losses = python(
        "import json, sys\n\
         for line in open(sys.argv[1]):\n\
         \x20 row = json.loads(line)\n\
         \x20 if row['tx_frames'] > 0: print(row['loss_ratio'])\n",
        &series,
    );
    assert!(losses.lines().count() >= 6, "{losses}");
    assert!(losses.lines().all(|loss| loss == "0.0"), "{losses}");
}

#[test]
fn rows_are_on_disk_while_an_endless_run_goes_on() {
    let lab = Lab::cable();
    let series = lab.file("series.jsonl", b"");
    let file = lab.flow_file(&FLOWS.replace("duration = \"3s\"", ""));
    let arguments = ["run", file.to_str().unwrap(), "-q", "--series", series.to_str().unwrap()];
    let mut run = Linerate::spawn(arguments);
    let lines = || std::fs::read_to_string(&series).unwrap().lines().count();
    eventually("four rows", || lines() >= 4);
    run.assert_running();
    run.signal(libc::SIGINT);
    run.wait().exits(0);
    assert!(lines() > 4, "the last rows come with the end");
}

#[test]
fn a_full_disk_is_told_and_ends_no_run() {
    let lab = Lab::cable();
    let full = lab.file("placeholder", b"").with_file_name("full.jsonl");
    std::os::unix::fs::symlink("/dev/full", &full).unwrap();
    let file = lab.flow_file(FLOWS);
    let arguments =
        ["run", file.to_str().unwrap(), "--json", "-", "--series", full.to_str().unwrap()];
    let outcome = Linerate::spawn(arguments).wait().exits(2);
    for flow in outcome.result().flows() {
        flow.assert_clean(6000);
    }
    outcome.says(&["full.jsonl", "no space left"]);
}

#[test]
fn an_unknown_ending_is_64_before_anything_is_sent() {
    let lab = Lab::cable();
    let file = lab.flow_file(FLOWS);
    let arguments = ["run", file.to_str().unwrap(), "--series", "series.xlsx"];
    Linerate::spawn(arguments).wait().exits(64).says(&["series.xlsx", ".jsonl", ".csv"]);
    assert_eq!(lab.west.counters().tx_packets, 0);
}
