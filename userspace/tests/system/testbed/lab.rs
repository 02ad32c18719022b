//! Namespaces joined by multi-queue veth pairs, gone when the guard goes.
#![allow(unsafe_code, reason = "sched_setscheduler(2) has no safe face in std")]

use super::turn::take_part;
use serde_json::Value;
use std::fmt;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

const PREFIX: &str = "lrtest";

/// An interface in a namespace; displays as linerate's PORT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Port {
    pub(crate) netns: String,
    pub(crate) interface: String,
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.interface, self.netns)
    }
}

/// Kernel counters of an interface (`ip -s link`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LinkCounters {
    pub(crate) rx_packets: u64,
    pub(crate) rx_dropped: u64,
    pub(crate) tx_packets: u64,
    pub(crate) tx_dropped: u64,
}

/// `west` and `east`, joined by a cable or through a device with two interfaces.
///
/// Interface names are the same in every lab: only the namespaces are unique, so
/// parallel tests also show that linerate never takes a name for a port.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) west: Port,
    pub(crate) east: Port,
    /// The two interfaces of the device, facing west and east; `None` in a cable lab.
    pub(crate) device: Option<(Port, Port)>,
    namespaces: Vec<String>,
    directory: TempDir,
}

impl Lab {
    /// A cable: west and east are the two ends of one veth pair with two queues.
    pub(crate) fn cable() -> Self {
        Self::cable_with_queues(2, 2)
    }

    /// A cable whose ends have so many queues (of each kind).
    pub(crate) fn cable_with_queues(west: u32, east: u32) -> Self {
        let lab = Self::bare();
        Self::join(&lab.west, west, &lab.east, east);
        lab
    }

    /// West and east with a namespace between, for a [`super::Device`] to forward.
    pub(crate) fn with_device() -> Self {
        let mut lab = Self::bare();
        let netns = lab.add_namespace("dut");
        let port = |interface: &str| Port { netns: netns.clone(), interface: interface.to_owned() };
        let (facing_west, facing_east) = (port("d0"), port("d1"));
        Self::join(&lab.west, 2, &facing_west, 2);
        Self::join(&facing_east, 2, &lab.east, 2);
        for port in [&facing_west, &facing_east] {
            // With a queue in front of it a full veth ring pushes back instead of dropping.
            tc(
                port,
                &["qdisc", "replace", "dev", &port.interface, "root", "pfifo", "limit", "20000"],
            );
        }
        lab.device = Some((facing_west, facing_east));
        lab
    }

    /// A cable whose two ends are in one namespace, for a linerate that runs inside it.
    pub(crate) fn one_namespace() -> Self {
        let mut lab = Self::bare();
        lab.east.netns.clone_from(&lab.west.netns);
        Self::join(&lab.west, 2, &lab.east, 2);
        lab
    }

    fn bare() -> Self {
        static SWEEP: Once = Once::new();
        take_part();
        require_root();
        SWEEP.call_once(sweep_namespaces_of_dead_tests);
        let directory = tempfile::tempdir().expect("a temporary directory");
        let nowhere = Port { netns: String::new(), interface: String::new() };
        let mut lab = Lab {
            west: nowhere.clone(),
            east: nowhere,
            device: None,
            namespaces: Vec::new(),
            directory,
        };
        lab.west = Port { netns: lab.add_namespace("west"), interface: "west".to_owned() };
        lab.east = Port { netns: lab.add_namespace("east"), interface: "east".to_owned() };
        lab
    }

    fn add_namespace(&mut self, what: &str) -> String {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}-{}-{number}-{what}", std::process::id());
        ip(&["netns", "add", &name]);
        self.namespaces.push(name.clone());
        // The kernel's own IPv6 chatter would count as foreign traffic.
        for which in ["all", "default"] {
            set_sysctl(&name, &format!("net/ipv6/conf/{which}/disable_ipv6"), "1");
        }
        ip(&["-n", &name, "link", "set", "lo", "up"]);
        name
    }

    fn join(a: &Port, a_queues: u32, b: &Port, b_queues: u32) {
        let (from, to) = (a_queues.to_string(), b_queues.to_string());
        let queues = |count| ["numtxqueues", count, "numrxqueues", count];
        let head = ["-n", &a.netns, "link", "add", &a.interface];
        let peer = ["type", "veth", "peer", "name", &b.interface, "netns", &b.netns];
        ip(&[&head[..], &queues(&from), &peer, &queues(&to)].concat());
        for port in [a, b] {
            port.ip_link(&["up"]);
        }
    }

    /// Gives the kernel 198.18.0.1/24 on west and 198.18.0.2/24 on east.
    pub(crate) fn address_kernels(&self) {
        for (port, address) in [(&self.west, "198.18.0.1/24"), (&self.east, "198.18.0.2/24")] {
            ip(&["-n", &port.netns, "address", "add", address, "dev", &port.interface]);
        }
    }

    /// Writes a flow file. `WEST` and `EAST` stand for the PORTs; without a `[ports]`
    /// table of its own the file gets one with just the interfaces.
    pub(crate) fn flow_file(&self, text: &str) -> PathBuf {
        let ports = "[ports]\nwest = { if = \"WEST\" }\neast = { if = \"EAST\" }\n";
        let head = if text.contains("[ports]") { "" } else { ports };
        let text = format!("{head}{text}")
            .replace("WEST", &self.west.to_string())
            .replace("EAST", &self.east.to_string());
        self.file("flows.toml", text.as_bytes())
    }

    /// Writes a file into the lab's directory, which goes with the lab.
    pub(crate) fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = self.directory.path().join(format!("{number}-{name}"));
        std::fs::write(&path, content).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        path
    }

    /// The lab's directory, which goes with the lab.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Opens the lab's directory to other users.
    pub(crate) fn let_everybody_read(&self) {
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(self.directory.path(), mode).expect("open the directory");
    }

    /// Fails unless both ports are free of XDP programs.
    #[track_caller]
    pub(crate) fn assert_nothing_attached(&self) {
        for port in [&self.west, &self.east] {
            assert_eq!(port.xdp(), None, "an XDP program stayed on {port}");
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for name in &self.namespaces {
            // Best effort: a panic here would hide the one that is being reported.
            let _ = Command::new("ip").args(["netns", "delete", name]).output();
        }
    }
}

impl Port {
    /// `ip link set dev PORT ...`
    pub(crate) fn ip_link(&self, arguments: &[&str]) {
        let head = ["-n", &self.netns, "link", "set", "dev", &self.interface];
        ip(&[&head, arguments].concat());
    }

    /// Deletes the interface (and its peer).
    pub(crate) fn delete(&self) {
        ip(&["-n", &self.netns, "link", "delete", &self.interface]);
    }

    pub(crate) fn mac(&self) -> String {
        self.link()["address"].as_str().expect("a MAC address").to_owned()
    }

    pub(crate) fn counters(&self) -> LinkCounters {
        let link = self.link();
        let count = |way: &str, what: &str| {
            link["stats64"][way][what].as_u64().unwrap_or_else(|| panic!("no {way} {what}: {link}"))
        };
        LinkCounters {
            rx_packets: count("rx", "packets"),
            rx_dropped: count("rx", "dropped"),
            tx_packets: count("tx", "packets"),
            tx_dropped: count("tx", "dropped"),
        }
    }

    /// What XDP is attached, as `ip` shows it.
    pub(crate) fn xdp(&self) -> Option<Value> {
        self.link().get("xdp").cloned()
    }

    /// One number of `ethtool -S`, such as `rx_queue_1_xdp_packets`.
    pub(crate) fn driver_statistic(&self, name: &str) -> u64 {
        let text = self.command("ethtool", &["-S", &self.interface]);
        let value = text.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            (key.trim() == name).then(|| value.trim().parse().expect("a number"))
        });
        value.unwrap_or_else(|| panic!("ethtool -S has no {name}:\n{text}"))
    }

    /// Runs a command in the port's namespace and returns its stdout.
    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> String {
        command("ip", &[&["netns", "exec", &self.netns, program], arguments].concat())
    }

    /// Runs `work` on a thread that entered the port's namespace.
    pub(crate) fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        in_namespace(&self.netns, work)
    }

    /// Writes a file below /proc/sys as the port's namespace sees it.
    pub(crate) fn set_sysctl(&self, path: &str, value: &str) {
        set_sysctl(&self.netns, path, value);
    }

    fn link(&self) -> Value {
        let text =
            ip(&["-n", &self.netns, "-s", "-d", "-j", "link", "show", "dev", &self.interface]);
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
        value[0].clone()
    }
}

fn set_sysctl(netns: &str, path: &str, value: &str) {
    let path = format!("/proc/sys/{path}");
    in_namespace(netns, || {
        std::fs::write(&path, value).unwrap_or_else(|error| panic!("{path}: {error}"));
    });
}

/// Runs `work` on a thread that entered the namespace.
fn in_namespace<T: Send>(name: &str, work: impl FnOnce() -> T + Send) -> T {
    let path = format!("/run/netns/{name}");
    let file = File::open(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    std::thread::scope(|scope| {
        let entered = scope.spawn(move || {
            nix::sched::setns(file, nix::sched::CloneFlags::CLONE_NEWNET)
                .unwrap_or_else(|e| panic!("enter {path}: {e}"));
            work()
        });
        entered.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Lets this thread, and those that it starts, go before all others: a machine with much to do
/// must not decide when frames leave.
pub(crate) fn with_priority() {
    let parameters = libc::sched_param { sched_priority: 10 };
    // SAFETY: the parameters live through the call; 0 is the calling thread.
    let result = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameters) };
    assert_eq!(result, 0, "real-time priority: {}", std::io::Error::last_os_error());
}

/// Runs a command, returns its stdout, and fails with its stderr.
#[track_caller]
pub(crate) fn command(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output: Output = output.unwrap_or_else(|error| {
        panic!("`{program}` cannot be run ({error}); install it: cargo xtask setup")
    });
    assert!(
        output.status.success(),
        "{program} {}: {}\n{}{}",
        arguments.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn ip(arguments: &[&str]) -> String {
    command("ip", arguments)
}

#[track_caller]
fn tc(port: &Port, arguments: &[&str]) -> String {
    command("tc", &[&["-n", &port.netns], arguments].concat())
}

#[track_caller]
fn require_root() {
    let user = nix::unistd::geteuid().as_raw();
    assert_eq!(user, 0, "this test makes network namespaces and needs root; run it with sudo");
}

/// A test that was killed could not tidy up: its process is gone, its namespaces are not.
fn sweep_namespaces_of_dead_tests() {
    let Ok(entries) = std::fs::read_dir("/run/netns") else { return };
    for name in entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').nth(1));
        let Some(pid) = owner else { continue };
        // A zombie has a status too, but runs nothing any more.
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        if status.is_empty() || status.contains("State:\tZ") {
            let _ = Command::new("ip").args(["netns", "delete", &name]).output();
        }
    }
}
