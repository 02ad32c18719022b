//! The suites on a simulated device: results, forms, exit codes, ends and new beginnings.
//! Schemas are held up by python's jsonschema, CSV and XML by python's own parsers.

use crate::testbed::{Linerate, Outcome, command, eventually};
use nix::sched::{CloneFlags, unshare};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

/// A device of 100,000 frames a second on a link of 148,809, with room for 100.
const DEVICE: &str = "sim:link=100M,capacity=100kpps,buffer=100";

/// Where reports are kept to be looked at: `target/tmp/suites/NAME`.
pub(crate) fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("suites").join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a directory for reports");
    path
}

pub(crate) fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&text(path)).expect("JSON")
}

/// The one document on stdout.
#[track_caller]
pub(crate) fn document(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome}"))
}

fn python(code: &str, arguments: &[&Path]) -> String {
    let arguments = arguments.iter().map(|path| path.to_str().expect("a plain path"));
    command("/usr/bin/python3", &["-c", code].into_iter().chain(arguments).collect::<Vec<_>>())
}

/// Holds a result against the schema that the binary publishes.
pub(crate) fn assert_schema(suite: &str, result: &Path) {
    let schema = Linerate::spawn(["report", "--schema", suite]).wait().exits(0).stdout;
    let file = result.with_file_name(format!("{suite}.schema.json"));
    fs::write(&file, schema).expect("write the schema");
    python(
        "import json, sys, jsonschema\n\
         schema, result = (json.load(open(path)) for path in sys.argv[1:])\n\
         jsonschema.Draft202012Validator.check_schema(schema)\n\
         jsonschema.Draft202012Validator(schema).validate(result)\n\
         # What the contract promises is never absent, and a foreign key is no result.\n\
         validator = jsonschema.Draft202012Validator(schema)\n\
         for row in result['rows']:\n\
         \x20   for key in list(row):\n\
         \x20       value = row.pop(key)\n\
         \x20       assert not validator.is_valid(result), f'valid without {key}'\n\
         \x20       row[key] = value\n\
         assert validator.is_valid(result)\n",
        &[&file, result],
    );
}

/// Every form beside the JSON, read by parsers that are not ours.
fn assert_forms(directory: &Path) {
    python(
        "import csv, json, pathlib, sys, xml.etree.ElementTree as xml\n\
         place = pathlib.Path(sys.argv[1])\n\
         result = json.load(open(place / 'result.json'))\n\
         trials = list(csv.DictReader(open(place / 'tables' / 'trials.csv', newline='')))\n\
         assert len(trials) == len(result['trials']) > 0\n\
         for row, trial in zip(trials, result['trials']):\n\
         \x20   assert set(row) == set(trial), set(row) ^ set(trial)\n\
         \x20   for key, value in trial.items():\n\
         \x20       text = '' if value is None else json.dumps(value).strip('\"')\n\
         \x20       assert row[key] == text or float(row[key]) == value, (key, row[key], value)\n\
         root = xml.parse(place / 'result.xml').getroot()\n\
         cases = root.findall('.//testcase')\n\
         assert int(root.get('tests')) == len(cases) > 0\n\
         assert int(root.get('failures')) == len(root.findall('.//failure'))\n",
        &[directory],
    );
    let page = text(&directory.join("report.html"));
    for foreign in ["http:", "https:", "<script", "<link", "<img", "url(", "@import"] {
        assert!(!page.contains(foreign), "the page has `{foreign}`");
    }
}

/// Runs a suite with all forms into a directory of its own.
#[track_caller]
fn run(name: &str, arguments: &[&str]) -> (PathBuf, Outcome) {
    let place = directory(name);
    let path = |file: &str| place.join(file).to_str().expect("a plain path").to_owned();
    let forms = [
        "--json".into(),
        path("result.json"),
        "--html".into(),
        path("report.html"),
        "--csv".into(),
        path("tables"),
        "--junit".into(),
        path("result.xml"),
    ];
    let arguments = arguments.iter().map(|text| (*text).to_owned()).chain(forms);
    let outcome = Linerate::spawn(arguments.collect::<Vec<_>>()).wait();
    (place, outcome)
}

#[test]
fn a_device_of_known_capacity_is_measured_as_the_closed_forms_say() {
    let arguments =
        ["rfc2544", "--dut", DEVICE, "--sizes", "64", "--trial", "1s", "--resolution", "1fps"];
    let (place, outcome) = run("rfc2544", &arguments);
    let outcome = outcome.exits(0);
    let result = json(&place.join("result.json"));
    let row = &result["rows"][0];
    // C + (B - 1) / T = 100,099 frames a second; two bounds a step apart.
    let throughput = &row["throughput"];
    let fps = throughput["fps"].as_f64().unwrap();
    assert!((100_098.0..=100_099.0).contains(&fps), "{throughput}");
    assert_eq!(
        (&throughput["bound"], &throughput["limited_by"]),
        (&"exact".into(), &"device".into())
    );
    let losses = row["frame_loss"].as_array().unwrap();
    let counts = losses.iter().map(|point| {
        (point["tx_frames"].as_u64().unwrap(), point["rx_unique_frames"].as_u64().unwrap())
    });
    assert_eq!(
        counts.collect::<Vec<_>>(),
        [
            (148_809, 100_098),
            (133_928, 100_098),
            (119_047, 100_098),
            (104_166, 100_098),
            (89_285, 89_285),
            (74_404, 74_404)
        ]
    );
    assert_eq!(row["back_to_back"]["frames_mean"], 302.0);
    for word in ["Throughput (RFC 2544, 26.1)", "100,09", "32.7339", "302.0", "verdict: done"] {
        assert!(outcome.stdout.contains(word), "no {word}: {outcome}");
    }
    assert_schema("rfc2544", &place.join("result.json"));
    assert_forms(&place);
}

#[test]
fn goals_are_found_and_reported() {
    let arguments = ["mlrsearch", "--dut", DEVICE, "--sizes", "64,1518", "--goals", "NDR,PDR"];
    let (place, outcome) = run("mlrsearch", &arguments);
    outcome.exits(0);
    let result = json(&place.join("result.json"));
    let ndr = &result["rows"][0]["goals"][0];
    let bound = |key: &str| ndr[key].as_f64().unwrap();
    let (lower, upper) = (bound("relevant_lower_bound_fps"), bound("relevant_upper_bound_fps"));
    assert!(lower <= 100_099.0 && 100_099.0 <= upper, "{ndr}");
    assert!(upper - lower <= 0.005 * upper, "{ndr}");
    assert_schema("mlrsearch", &place.join("result.json"));
    assert_forms(&place);
}

const SERVICES: &str = r#"
[topology]
dut = "sim:link=1G,capacity=100Mbps,buffer=64"
direction = "forward"
[y1564]
performance = "20s"
[[service]]
name = "a <b> & c"
size = 512
cir = "90Mbps"
flr = "0.1%"
ftd = "10ms"
fdv = "2ms"
availability = "99.9%"
"#;

#[test]
fn services_are_judged_and_reported() {
    let file = directory("y1564-file").join("suite.toml");
    fs::write(&file, SERVICES).unwrap();
    let (place, outcome) = run("y1564", &["y1564", file.to_str().unwrap()]);
    let code = outcome.code;
    let result = json(&place.join("result.json"));
    // The device lets 100 Mbit/s pass: more than CIR, which the policing step must find.
    assert_eq!((code, &result["verdict"]), (Some(1), &"fail".into()), "{outcome}");
    let steps = result["rows"][0]["configuration"].as_array().unwrap();
    let verdicts: Vec<_> = steps.iter().map(|step| step["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["pass", "pass", "pass", "pass", "fail"], "{result:#}");
    assert_schema("y1564", &place.join("result.json"));
    assert_forms(&place);
}

#[test]
fn json_on_stdout_is_one_document_and_the_table_goes_to_stderr() {
    let arguments =
        ["rfc2544", "--dut", DEVICE, "--sizes", "64", "--tests", "throughput", "--json", "-"];
    let outcome = Linerate::spawn(arguments).wait().exits(0);
    assert_eq!(document(&outcome)["schema"], "linerate.rfc2544/1");
    assert!(outcome.stderr.contains("verdict: done"), "{outcome}");
}

#[test]
fn a_report_is_made_again_from_its_json() {
    let arguments = ["rfc2544", "--dut", DEVICE, "--sizes", "64", "--tests", "throughput,loss"];
    let (place, outcome) = run("again", &arguments);
    let outcome = outcome.exits(0);
    let [first, again] = ["report.html", "again.html"].map(|name| place.join(name));
    let result = place.join("result.json");
    let arguments = ["report", result.to_str().unwrap(), "--html", again.to_str().unwrap()];
    let shown = Linerate::spawn(arguments).wait().exits(0);
    assert_eq!(text(&again), text(&first));
    assert_eq!(shown.stdout, outcome.stdout);
    for (name, body, word) in [
        ("run.json", "{\"schema\": \"linerate.run/1\"}", "linerate.run/1"),
        ("half.json", "{\"schema\": \"linerate.rfc2544/1\"}", "does not keep to"),
        ("no.json", "no", "no JSON"),
    ] {
        let file = place.join(name);
        fs::write(&file, body).unwrap();
        Linerate::spawn(["report", file.to_str().unwrap()]).wait().exits(64).says(&[name, word]);
    }
}

#[test]
fn thresholds_decide_the_exit_code() {
    let place = directory("thresholds");
    for (need, code) in [(">=67%", 0), (">=100kpps", 0), (">=68%", 1)] {
        let file = place.join("suite.toml");
        let body = format!(
            "sizes = [64]\ntests = [\"throughput\"]\n[topology]\ndut = \"{DEVICE}\"\n\
             direction = \"forward\"\n[pass]\nthroughput = {{64 = \"{need}\"}}\n"
        );
        fs::write(&file, body).unwrap();
        let outcome = Linerate::spawn(["rfc2544", file.to_str().unwrap(), "--json", "-"]).wait();
        let outcome = outcome.exits(code);
        let verdict = if code == 0 { "pass" } else { "fail" };
        assert_eq!(document(&outcome)["verdict"], verdict, "{need}: {outcome}");
    }
}

#[test]
fn what_cannot_be_is_64_and_one_line_that_names_the_place() {
    let place = directory("refused");
    let file = place.join("suite.toml");
    fs::write(&file, "sizes = [64]\nthroughputs = 1\n").unwrap();
    let path = file.to_str().unwrap();
    let refused: [(&[&str], &[&str]); 9] = [
        (&["rfc2544"], &["--tx PORT --rx PORT", "--dut"]),
        (&["rfc2544", path, "--dut", DEVICE], &["suite.toml:2:1", "throughputs", "allowed"]),
        (&["rfc2544", "/nowhere/suite.toml"], &["/nowhere/suite.toml"]),
        (&["rfc2544", "--dut", "sim:speed=1"], &["speed"]),
        (&["rfc2544", "--dut", "router"], &["--dut", "sim:"]),
        (&["rfc2544", "--dut", DEVICE, "--sizes", "63"], &["--sizes", "63", "64"]),
        (&["rfc2544", "--dut", DEVICE, "--tests", "jitter"], &["--tests", "jitter"]),
        (&["rfc2544", "--dut", DEVICE, "--json", "/nowhere/a.json"], &["--json /nowhere/a.json"]),
        (&["report", "--schema", "rfc1"], &["rfc1", "rfc2544"]),
    ];
    for (arguments, words) in refused {
        let outcome = Linerate::spawn(arguments).wait().exits(64).says(words);
        assert_eq!(outcome.stderr.lines().count(), 1, "{outcome}");
    }
}

/// A suite whose trials take a while, since a command goes before each.
fn slow_suite(place: &Path) -> PathBuf {
    let file = place.join("suite.toml");
    let device = format!("{DEVICE},loss=1e-5,seed=3");
    let body = format!(
        "sizes = [64]\ntests = [\"throughput\", \"loss\"]\n[topology]\ndut = \"{device}\"\n\
         [throughput]\nmax_loss = \"0.01%\"\n[hooks]\nbefore_trial = \"sleep 0.1\"\n"
    );
    fs::write(&file, body).unwrap();
    file
}

#[test]
fn a_suite_that_was_interrupted_keeps_its_trials_and_goes_on_to_the_same_result() {
    let place = directory("resume");
    let file = slow_suite(&place);
    let (file, log) = (file.to_str().unwrap(), place.join("trials.jsonl"));
    let log_text = log.to_str().unwrap();
    let whole = document(&Linerate::spawn(["rfc2544", file, "--json", "-"]).wait().exits(0));

    let broken = Linerate::spawn(["rfc2544", file, "--json", "-", "--log", log_text]);
    let lines = || fs::read_to_string(&log).unwrap_or_default().lines().count();
    eventually("three trials", || lines() >= 5);
    broken.signal(libc::SIGINT);
    let broken = broken.wait().exits(2).says(&["interrupted", "--resume", log_text]);
    let kept = document(&broken);
    assert_eq!(kept["verdict"], "invalid");
    let count = kept["trials"].as_array().unwrap().len();
    assert!(count >= 3 && count < whole["trials"].as_array().unwrap().len(), "{count} trials");

    // Of another configuration it is no log; limits and thresholds may change.
    let other = ["rfc2544", file, "--resume", log_text, "--trial", "2s"];
    Linerate::spawn(other).wait().exits(64).says(&["another configuration"]);
    let resumed = Linerate::spawn(["rfc2544", file, "--json", "-", "--resume", log_text]);
    let resumed = document(&resumed.wait().exits(0));
    for key in ["rows", "trials", "verdict", "duration_ns"] {
        assert_eq!(resumed[key], whole[key], "{key}");
    }
}

/// Runs a test that finds a file system with so many KiB at `path`. It is in a mount namespace of
/// their thread and of what that starts, and gone with them, however they end.
fn with_small_disk(path: &Path, kib: u32, test: impl FnOnce() + Send) {
    fs::create_dir_all(path).expect("a place to mount");
    let body = || {
        unshare(CloneFlags::CLONE_NEWNS).expect("a mount namespace");
        command("mount", &["--make-rprivate", "/"]);
        let size = format!("size={kib}k");
        command("mount", &["-t", "tmpfs", "-o", &size, "tmpfs", path.to_str().unwrap()]);
        test();
    };
    thread::scope(|scope| {
        scope.spawn(body);
    });
}

#[test]
fn a_full_disk_loses_no_finished_trial() {
    let disk = directory("full").join("disk");
    let log = disk.join("trials.jsonl");
    let arguments =
        ["rfc2544", "--dut", DEVICE, "--sizes", "64", "--tests", "throughput,loss", "--json", "-"];
    with_small_disk(&disk, 8, || {
        let logged = [&arguments[..], &["--log", log.to_str().unwrap()]].concat();
        let outcome =
            Linerate::spawn(&logged).wait().exits(2).says(&["no space left", "trials.jsonl"]);
        let whole = document(&outcome);
        assert_eq!(whole["verdict"], "done", "all was measured: {outcome}");
        // What is in the log is whole lines, and a suite goes on from them on a larger disk.
        let kept = text(&log);
        assert!(kept.ends_with("}\n") && kept.lines().count() > 2, "{kept}");
        command("mount", &["-o", "remount,size=10m", disk.to_str().unwrap()]);
        let resumed = [&arguments[..], &["--resume", log.to_str().unwrap()]].concat();
        let resumed = document(&Linerate::spawn(&resumed).wait().exits(0));
        assert_eq!((&resumed["rows"], &resumed["trials"]), (&whole["rows"], &whole["trials"]));
    });
}

#[test]
fn every_suite_has_help_with_examples() {
    for suite in ["rfc2544", "mlrsearch", "y1564", "report"] {
        let help = Linerate::spawn([suite, "--help"]).wait().exits(0).stdout;
        assert!(help.contains("Example") && help.contains(&format!("linerate {suite}")), "{help}");
    }
}
