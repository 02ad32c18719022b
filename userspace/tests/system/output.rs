//! What people and programs get to read.

use crate::testbed::{Lab, Linerate, Receiver, Terminal, dissect, dissect_file};
use serde_json::Value;

const FLOW: &str = r#"
    [[flow]]
    name = "customer"
    tx = "west"
    rx = "east"
    rate = "5kpps"
    frames = 15000
    size = 128
    layers = [
      {eth = {src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02"}},
      {ipv4 = {src = "198.18.0.2", dst = {range = "198.18.1.1-198.18.1.9"}}},
      {udp = {src = {list = [5, 6]}, dst = 7}},
    ]
    "#;

/// Escape sequences and carriage returns are for terminals.
fn is_plain(text: &str) -> bool {
    !text.contains(['\u{1b}', '\r'])
}

#[test]
fn json_on_stdout_is_exactly_one_document() {
    let lab = Lab::cable();
    let outcome = Linerate::run(&lab.flow_file(&FLOW.replace("15000", "1500"))).exits(0);
    outcome.result(); // which parses all of stdout
    assert!(is_plain(&outcome.stderr), "{outcome}");
    assert!(outcome.stdout.ends_with('\n'), "{outcome}");
}

#[test]
fn json_in_a_file_is_the_same_document() {
    let lab = Lab::cable();
    let path = lab.file("result.json", b"");
    let file = lab.flow_file(&FLOW.replace("15000", "1500"));
    let arguments = ["run", file.to_str().unwrap(), "--json", path.to_str().unwrap()];
    Linerate::spawn(arguments).wait().exits(0);
    let document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(document["schema"], "linerate.run/1");
    assert_eq!(document["flows"][0]["tx_frames"], 1500);
}

#[test]
fn a_json_file_that_cannot_be_written_is_64_before_anything_is_sent() {
    let lab = Lab::cable();
    let file = lab.flow_file(FLOW);
    let arguments = ["run", file.to_str().unwrap(), "--json", "/proc/nowhere/result.json"];
    Linerate::spawn(arguments).wait().exits(64).says(&["/proc/nowhere/result.json"]);
    assert_eq!(lab.west.counters().tx_packets, 0);
}

#[test]
fn a_reader_that_went_away_is_no_panic() {
    let lab = Lab::cable();
    let file = lab.flow_file(&FLOW.replace("15000", "1500"));
    let script = format!("{} run {} --json - | head -c 1", Linerate::BINARY, file.display());
    let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.stdout, b"{");
    assert!(!stderr.contains("panicked"), "{stderr}");
    lab.assert_nothing_attached();
}

#[test]
fn quiet_when_stdout_is_no_terminal() {
    let lab = Lab::cable();
    let file = lab.flow_file(FLOW);
    let outcome = Linerate::spawn(["run", file.to_str().unwrap()]).wait().exits(0);
    assert!(is_plain(&outcome.stdout) && is_plain(&outcome.stderr), "{outcome}");
    // The final table and no live lines: the flow has one row.
    let rows = outcome.stdout.lines().filter(|line| line.starts_with("customer "));
    assert_eq!(rows.count(), 1, "{outcome}");
    let quiet = Linerate::spawn(["run", file.to_str().unwrap(), "-q"]).wait().exits(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
}

#[test]
fn a_terminal_shows_a_line_a_second_and_the_final_table() {
    let lab = Lab::cable();
    let file = lab.flow_file(FLOW);
    let (screen, code) = Terminal::run(&["run", file.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{screen}");
    let rows = screen.matches("customer").count();
    assert!(rows >= 3, "{rows} rows in 3 s, with the final one:\n{screen}");
    for word in ["loss", "p50", "p99", "p99.9", "max"] {
        assert!(screen.to_lowercase().contains(word), "no {word}:\n{screen}");
    }
    lab.assert_nothing_attached();
}

#[test]
fn the_result_has_every_key_of_the_contract() {
    let lab = Lab::cable();
    let result = Linerate::run(&lab.flow_file(&FLOW.replace("15000", "5000"))).exits(0).result();
    let has = |value: &Value, keys: &str| {
        for key in keys.split_whitespace() {
            assert!(value.get(key).is_some(), "`{key}` is absent: {value:#}");
        }
    };
    let document = &result.document;
    has(document, "schema tool host started duration_ns verdict reasons ports flows");
    assert_eq!(document["ports"].as_array().unwrap().len(), 2);
    for port in document["ports"].as_array().unwrap() {
        has(
            port,
            "name if driver tx_mode rx_mode clock queues link_bps calibration settings_changed",
        );
    }
    let row = result.flow("customer").0;
    has(
        row,
        "name tx_port rx_port verdict requested_frames unsent_frames tx_frames tx_bytes rx_frames \
         rx_bytes rx_unique_frames lost_frames duplicate_frames reordered_frames late_frames \
         corrupt_frames misdirected_frames stale_frames tx_pps rx_pps tx_bps_l1 tx_bps_l2 \
         rx_bps_l1 rx_bps_l2 loss_ratio latency_ns ipdv_ns pdv_ns jitter_rfc3550_ns tx_gap_ns \
         rx_gap_ns outage ledger samples",
    );
    has(
        &row["latency_ns"],
        "min mean stddev p50 p90 p99 p999 p9999 max count negative_count uncertainty definition \
         clock",
    );
    has(
        &row["ledger"],
        "requested submitted completed tx_port rx_port rx_dropped seen matched in_order \
         missing_at limited_by",
    );
    has(&row["outage"], "by_loss_ns by_gap_ns first_lost last_lost");
    assert!(row["samples"].is_null(), "samples without --samples");
    let (west, east) = (&document["ports"][0], &document["ports"][1]);
    assert_eq!((&west["driver"], &west["tx_mode"]), (&"veth".into(), &"copy".into()));
    assert_eq!((&east["clock"], &east["rx_mode"]), (&"monotonic".into(), &"native".into()));
}

#[test]
fn rates_and_latency_of_a_steady_run_fit_together() {
    let lab = Lab::cable();
    let result = Linerate::run(&lab.flow_file(FLOW)).exits(0).result();
    let row = result.flow("customer");
    row.assert_clean(15_000);
    // 15,000 frames in 3 s; CONTRACT's own formulas tie the rest to it.
    let pps = row.number("tx_pps");
    assert!((pps - 5000.0).abs() < 50.0, "tx_pps {pps}");
    assert!((row.number("tx_bps_l2") - pps * 128.0 * 8.0).abs() < 1.0);
    assert!((row.number("tx_bps_l1") - pps * 148.0 * 8.0).abs() < 1.0);
    let order = ["min", "p50", "p90", "p99", "p999", "p9999", "max"];
    let found = order.map(|name| row.count(&format!("latency_ns.{name}")));
    assert!(found.is_sorted() && found[0] > 0, "{order:?} = {found:?}");
    assert_eq!(row.count("latency_ns.count"), 15_000);
}

#[test]
fn show_writes_the_frames_that_run_sends() {
    let lab = Lab::cable();
    let receiver = Receiver::start(&lab.east);
    let text = FLOW.replace("rx = \"east\"", "").replace("15000", "50");
    let file = lab.flow_file(&text);
    Linerate::run(&file).exits(0);
    let sent = receiver.stop();
    let pcap = lab.file("show.pcap", b"");
    let path = pcap.to_str().unwrap();
    let arguments = ["show", file.to_str().unwrap(), "--count", "50", "--pcap", path];
    Linerate::spawn(arguments).wait().exits(0);
    let fields = [
        "eth.src",
        "eth.dst",
        "ip.src",
        "ip.dst",
        "ip.len",
        "ip.checksum",
        "udp.srcport",
        "udp.dstport",
        "udp.length",
        "ip.checksum.status",
        "udp.checksum.status",
    ];
    let (shown, sent) = (dissect_file(&pcap, &fields), dissect(&sent, &fields));
    assert_eq!(shown.column("frame.len").len(), 50);
    for field in fields.iter().chain(&["frame.len"]) {
        assert_eq!(shown.column(field), sent.column(field), "{field}");
    }
    shown.every("udp.checksum.status", "1");
}

#[test]
fn show_decodes_frames_and_counts_tuples() {
    let lab = Lab::cable();
    let file = lab.flow_file(FLOW);
    let outcome = Linerate::spawn(["show", file.to_str().unwrap(), "--count", "4"]).wait().exits(0);
    for word in ["198.18.0.2", "198.18.1.1", "198.18.1.4", "customer", "18"] {
        assert!(outcome.stdout.contains(word), "no {word}: {outcome}"); // 9 addresses x 2 ports
    }
    assert_eq!(lab.west.counters().tx_packets, 0, "show sends nothing");
}
