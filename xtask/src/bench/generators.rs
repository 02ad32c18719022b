//! The generators and their command lines: what each needs to be at its best on one
//! core, and no more.

use std::{fs, path::Path};

use anyhow::Result;

use super::{CPU, frame, rig::Rig};
use crate::shell;

pub struct Generator {
    pub name: &'static str,
    /// What is in its frames.
    pub frames: &'static str,
    pub state: State,
}

pub enum State {
    /// Its command line.
    Ready(Vec<String>),
    /// The package that would bring it.
    NotInstalled(&'static str),
}

/// linerate first: the row that the others are compared with.
pub fn all(rig: &Rig, linerate: &Path) -> Result<Vec<Generator>> {
    let west = &rig.own.lab.west;
    fs::write(rig.folder.join("linerate.toml"), flow_file(&west.port()))?;
    fs::write(rig.folder.join("frame.trafgen"), frame::trafgen())?;
    fs::write(rig.folder.join("fields.trafgen"), frame::trafgen_two_fields())?;
    fs::write(rig.folder.join("frames.pcap"), frame::pcap(1000))?;

    let on_core = |words: &[&str]| strings(&[&["taskset", "-c", CPU], words].concat());
    let inside = |words: &[&str]| {
        strings(&[&["ip", "netns", "exec", &*west.netns, "taskset", "-c", CPU], words].concat())
    };
    let installed =
        |program: &str, package: &'static str, command: Vec<String>| match shell::find_program(
            program,
        ) {
            Some(_) => State::Ready(command),
            None => State::NotInstalled(package),
        };
    let trafgen = |conf: &str| {
        let device = ["trafgen", "--dev", west.interface, "--conf", conf];
        inside(&[&device[..], &["--cpus", "1", "--no-sock-mem"]].concat())
    };
    let testpmd = |device: String| {
        let lcores = format!("0@{CPU},1@{CPU}");
        let words = [
            "dpdk-testpmd",
            "--no-huge",
            "-m",
            "256",
            "--no-pci",
            "--no-telemetry",
            "--file-prefix",
            "linerate-bench",
            "--lcores",
            &lcores,
            "--vdev",
            &device,
            "--",
            "--forward-mode=txonly",
            "--txpkts=60",
            "--nb-cores=1",
            "--total-num-mbufs=16384",
            // Without a period it would read its commands from stdin and end there.
            "--auto-start",
            "--stats-period=60",
        ];
        installed("dpdk-testpmd", "dpdk-dev", inside(&words))
    };
    let linerate_row = |name, backend| Generator {
        name,
        frames: "tag, 2 fields and checksums written in every frame",
        state: State::Ready(on_core(&[
            &linerate.to_string_lossy(),
            "run",
            "linerate.toml",
            "--quiet",
            "--backend",
            backend,
        ])),
    };
    Ok(vec![
        linerate_row("linerate af_xdp", "af_xdp"),
        linerate_row("linerate live_frames", "live_frames"),
        Generator {
            name: "testpmd net_af_xdp",
            frames: "one template",
            state: testpmd(format!(
                "net_af_xdp0,iface={},start_queue=0,queue_count=1",
                west.interface
            )),
        },
        Generator {
            name: "testpmd net_af_packet",
            frames: "one template",
            state: testpmd(format!(
                "net_af_packet0,iface={},qpairs=1,qdisc_bypass=1",
                west.interface
            )),
        },
        Generator {
            name: "trafgen",
            frames: "one template",
            state: installed("trafgen", "netsniff-ng", trafgen("frame.trafgen")),
        },
        Generator {
            name: "trafgen, 2 fields",
            frames: "2 fields and checksums written in every frame",
            state: installed("trafgen", "netsniff-ng", trafgen("fields.trafgen")),
        },
        Generator {
            name: "tcpreplay --topspeed",
            frames: "a capture of 1000 equal frames",
            state: installed(
                "tcpreplay",
                "tcpreplay",
                inside(&[
                    "tcpreplay",
                    "--intf1",
                    west.interface,
                    "--topspeed",
                    "--preload-pcap",
                    "--loop=100000000",
                    "frames.pcap",
                ]),
            ),
        },
    ])
}

/// Transmit only, so that the receiver is the same for all; the receiver drops ARP
/// too, so the destination is given.
fn flow_file(tx: &str) -> String {
    format!(
        r#"[[flow]]
name = "bench"
tx = "{tx}"
size = 64
rate = "max"
duration = "10m"
layers = [
  {{eth = {{dst = "02:00:00:00:57:02"}}}},
  {{ipv4 = {{src = {{range = "198.18.1.2-198.18.1.254"}}, dst = "198.19.1.2"}}}},
  {{udp = {{src = {{range = "49152-65535"}}, dst = 7}}}},
]
"#
    )
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
