//! Namespaces joined by a veth pair, for tests: gone when the value is dropped, also by
//! a panic.

use super::{Netns, PortInfo, PortName, port_info};
use caps::{CapSet, Capability};
use std::{
    net::{IpAddr, UdpSocket},
    process::{self, Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Two namespaces; `west` and `east` are the ends of one veth pair of two queues.
pub(crate) struct Lab {
    pub(crate) west: Side,
    pub(crate) east: Side,
}

/// One namespace with its end of the pair.
pub(crate) struct Side {
    netns: String,
    interface: &'static str,
}

impl Lab {
    /// Both ends up, without addresses.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        assert!(
            nix::unistd::geteuid().is_root(),
            "this test makes network namespaces: run as root"
        );
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let side = |interface| Side {
            netns: format!("nic-{}-{number}-{interface}", process::id()),
            interface,
        };
        let lab = Self { west: side("west"), east: side("east") };
        for side in [&lab.west, &lab.east] {
            run(&format!("ip netns add {}", side.netns));
            // No router solicitations, no duplicate address detection.
            side.exec("sysctl -qw net.ipv6.conf.default.accept_dad=0");
            side.exec("sysctl -qw net.ipv6.conf.default.router_solicitations=0");
        }
        let queues = "numtxqueues 2 numrxqueues 2";
        lab.west.ip(&format!(
            "link add west {queues} type veth peer name east {queues} netns {}",
            lab.east.netns
        ));
        lab.west.ip("link set west up");
        lab.east.ip("link set east up");
        lab
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for side in [&self.west, &self.east] {
            // Deletes the veth at once, even if a socket keeps the namespace alive.
            for command in [
                format!("ip -n {} link delete {}", side.netns, side.interface),
                format!("ip netns delete {}", side.netns),
            ] {
                let mut words = command.split(' ');
                let _ = Command::new(words.next().unwrap()).args(words).output();
            }
        }
    }
}

impl Side {
    pub(crate) fn netns(&self) -> String {
        self.netns.clone()
    }

    pub(crate) fn name(&self) -> PortName {
        PortName {
            interface: self.interface.to_owned(),
            netns: Some(self.netns.clone()),
            daemon: None,
        }
    }

    pub(crate) fn info(&self) -> PortInfo {
        port_info(&self.name()).unwrap()
    }

    /// `ip` inside the namespace; its output.
    pub(crate) fn ip(&self, arguments: &str) -> String {
        run(&format!("ip -n {} {arguments}", self.netns))
    }

    /// Any command inside the namespace; its output.
    pub(crate) fn exec(&self, command: &str) -> String {
        run(&format!("ip netns exec {} {command}", self.netns))
    }

    /// Octets of the datagrams that [`Self::send`] sends.
    pub(crate) const DATAGRAM: usize = 100;

    /// Sends UDP datagrams from the kernel inside, to a port where nobody listens.
    pub(crate) fn send(&self, to: IpAddr, count: usize) {
        let netns = Netns::open(Some(&self.netns)).unwrap();
        netns
            .run(|| {
                let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                let socket = UdpSocket::bind(any).unwrap();
                for _ in 0..count {
                    socket.send_to(&[0; Self::DATAGRAM], (to, 9)).unwrap();
                }
            })
            .unwrap();
    }

    /// Starts the system's Python, which has scapy, inside the namespace.
    pub(crate) fn python(&self, script: &str, arguments: &[&str]) -> Script {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.netns, "/usr/bin/python3", "-c", script]);
        let command = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        Script(Some(command.spawn().unwrap()))
    }

    /// `ip -d -j link show` of this end, as JSON.
    pub(crate) fn link_json(&self) -> serde_json::Value {
        let text = self.ip(&format!("-d -j link show {}", self.interface));
        serde_json::from_str::<Vec<_>>(&text).unwrap().remove(0)
    }
}

/// A script that runs; killed when the value is dropped.
pub(crate) struct Script(Option<Child>);

impl Script {
    /// What it printed, once it ended well.
    pub(crate) fn wait(mut self) -> String {
        let output = self.0.take().unwrap().wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "needs /usr/bin/python3 with scapy: {error}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Runs a command of words without quotes, which has to succeed.
pub(crate) fn run(command: &str) -> String {
    let mut words = command.split(' ');
    let output = Command::new(words.next().unwrap()).args(words).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs `work` on a thread that lacks one capability.
pub(crate) fn without_capability<T: Send>(
    capability: Capability,
    work: impl FnOnce() -> T + Send,
) -> T {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            caps::drop(None, CapSet::Effective, capability).unwrap();
            work()
        });
        thread.join().unwrap()
    })
}

/// Waits for something that happens soon; a limit that only a defect reaches.
pub(crate) fn eventually(what: &str, happened: impl Fn() -> bool) {
    let limit = Instant::now() + Duration::from_secs(10);
    while !happened() {
        assert!(Instant::now() < limit, "never: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}
