//! What it must be able to bear: a rate held, and ten thousand flows in 2 GiB.

use crate::testbed::{Lab, Linerate, command, eventually, much_of_the_machine};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::thread::{self, JoinHandle};
use std::time::Duration;

const MIB: u64 = 1 << 20;

fn flow(name: &str, settings: &str) -> String {
    format!(
        r#"
        [[flow]]
        name = "{name}"
        tx = "west"
        rx = "east"
        {settings}
        layers = [
          {{eth = {{dst = "02:00:00:00:00:02"}}}},
          {{ipv4 = {{src = "198.18.0.2", dst = {{range = "198.18.1.1-198.18.1.9"}}}}}},
          {{udp = {{src = {{range = "1000-1999"}}, dst = 7}}}},
        ]
        "#
    )
}

#[test]
fn a_rate_below_the_ceiling_is_held_for_ten_seconds() {
    let _alone = much_of_the_machine();
    let lab = Lab::cable();
    let before = lab.west.counters().tx_packets;
    let text = flow("f", "rate = \"100kpps\"\nduration = \"10s\"");
    let result = Linerate::run(&lab.flow_file(&text)).exits(0).result();
    let sent = lab.west.counters().tx_packets - before;
    assert!(sent.abs_diff(1_000_000) <= 1000, "{sent} frames for 100 kpps x 10 s");
    let row = result.flow("f");
    row.assert_counts(&[("tx_frames", sent), ("requested_frames", 1_000_000)]);
    let pps = row.number("tx_pps");
    assert!((pps - 100_000.0).abs() <= 100.0, "{pps} frames a second");
}

#[test]
fn a_thousand_flows_fit_in_512_mib() {
    let _alone = much_of_the_machine();
    let lab = Lab::cable();
    let text = flow("c{i}", "repeat = 1000\nrate = \"15pps\"\nframes = 60");
    let run = Linerate::start(&lab.flow_file(&text));
    eventually("all flows send", || lab.west.counters().tx_packets > 30_000);
    let (user, kernel) = (peak_resident_bytes(run.pid()), bpf_bytes(run.pid()));
    assert!(kernel > 1000 * 4096, "{kernel} octets of BPF maps cannot hold 1,000 windows");
    let total = user + kernel;
    println!("1,000 flows: {} MiB resident, {} MiB of BPF maps", user / MIB, kernel / MIB);
    assert!(total <= 512 * MIB, "{} MiB resident and {} MiB of maps", user / MIB, kernel / MIB);
    let result = run.wait().exits(0).result();
    assert_eq!(result.flows().len(), 1000);
    for row in result.flows() {
        row.assert_clean(60);
    }
}

#[test]
fn each_of_ten_thousand_flows_is_exact_within_2_gib() {
    let _alone = much_of_the_machine();
    let lab = Lab::cable();
    let before = (lab.west.counters().tx_packets, lab.east.counters().rx_packets);
    let text = flow("c{i}", "repeat = 10000\nrate = \"4pps\"\nframes = 20");
    let run = Linerate::start(&lab.flow_file(&text));
    eventually("all flows send", || lab.west.counters().tx_packets - before.0 > 120_000);
    // Maps that user space has mapped are resident there too, but they are the kernel's.
    let (user, kernel) = (watch_anonymous_bytes(run.pid()), bpf_bytes(run.pid()));
    let result = run.wait().exits(0).result();
    let user = user.join().expect("the watch");
    println!("10,000 flows: {} MiB of its own, {} MiB of BPF maps", user / MIB, kernel / MIB);
    assert!(user + kernel <= 2048 * MIB, "{} and {} MiB", user / MIB, kernel / MIB);
    assert_eq!(result.flows().len(), 10_000);
    for row in result.flows() {
        row.assert_clean(20);
    }
    for now in
        [lab.west.counters().tx_packets - before.0, lab.east.counters().rx_packets - before.1]
    {
        assert!((200_000..200_100).contains(&now), "the kernel counted {now} frames");
    }
}

/// The most anonymous memory that the process is seen to hold from now to its end.
fn watch_anonymous_bytes(pid: u32) -> JoinHandle<u64> {
    thread::spawn(move || {
        let mut peak = 0;
        // A process that has ended has no such line.
        while let Some(now) = status_bytes(pid, "RssAnon:") {
            peak = peak.max(now);
            thread::sleep(Duration::from_millis(10));
        }
        peak
    })
}

fn peak_resident_bytes(pid: u32) -> u64 {
    status_bytes(pid, "VmHWM:").expect("a running process")
}

/// A line of /proc/PID/status that counts memory (proc_pid_status(5)).
fn status_bytes(pid: u32, key: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

/// Kernel memory of the BPF programs that the process has open and of their maps.
fn bpf_bytes(pid: u32) -> u64 {
    let show = |what: &str, id: &str| -> Value {
        let text = command("bpftool", &["-j", what, "show", "id", id]);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    };
    let (mut programs, mut maps) = (BTreeMap::new(), BTreeMap::new());
    for entry in fs::read_dir(format!("/proc/{pid}/fdinfo")).expect("a running process").flatten() {
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        let id = text.lines().find_map(|line| line.strip_prefix("prog_id:")).map(str::trim);
        if let Some(id) = id {
            programs.insert(id.to_owned(), show("prog", id));
        }
    }
    for id in programs.values().flat_map(|program| program["map_ids"].as_array().unwrap()) {
        maps.insert(id.to_string(), show("map", &id.to_string()));
    }
    let all = programs.values().chain(maps.values());
    all.map(|object| object["bytes_memlock"].as_u64().expect("bytes_memlock")).sum()
}
