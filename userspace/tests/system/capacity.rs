//! What it must be able to bear: a rate held, and a thousand flows in 512 MiB.

use crate::testbed::{Lab, Linerate, eventually};
use std::fs;

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
    let lab = Lab::cable();
    let text = flow("c{i}", "repeat = 1000\nrate = \"15pps\"\nduration = \"4s\"");
    let run = Linerate::start(&lab.flow_file(&text));
    eventually("all flows send", || lab.west.counters().tx_packets > 30_000);
    let (user, kernel) = (peak_resident_bytes(run.pid()), bpf_map_bytes(run.pid()));
    assert!(kernel > 0, "no BPF map is open");
    let total = user + kernel;
    println!("1,000 flows: {} MiB resident, {} MiB of BPF maps", user / MIB, kernel / MIB);
    assert!(total <= 512 * MIB, "{} MiB resident and {} MiB of maps", user / MIB, kernel / MIB);
    let result = run.wait().exits(0).result();
    assert_eq!(result.flows().len(), 1000);
    for row in result.flows() {
        row.assert_clean(60);
    }
}

fn peak_resident_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

/// `memlock` of every BPF map that the process has open, each counted once.
fn bpf_map_bytes(pid: u32) -> u64 {
    let mut maps = std::collections::BTreeMap::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fdinfo")).expect("a running process").flatten() {
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key))?;
            line.trim().parse::<u64>().ok()
        };
        if let (Some(id), Some(bytes)) = (value("map_id:"), value("memlock:")) {
            maps.insert(id, bytes);
        }
    }
    maps.values().sum()
}
