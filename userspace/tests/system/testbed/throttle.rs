//! A port that receives too slowly.

use super::{Port, command};
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Makes a veth end receive in threads of idle priority, on a CPU that a busy loop takes
/// away from them, until dropped.
#[derive(Debug)]
pub(crate) struct Throttle {
    threads: Vec<String>,
    stop: Arc<AtomicBool>,
    spinner: Option<JoinHandle<()>>,
}

impl Throttle {
    /// Of other tests' throttles it must not hear: hold `much_of_the_machine`.
    pub(crate) fn of(port: &Port) -> Self {
        // GRO is what gives a veth NAPI before a program is attached.
        port.command("ethtool", &["-K", &port.interface, "gro", "on"]);
        let before = napi_threads();
        let set = format!("echo 1 > /sys/class/net/{}/threaded", port.interface);
        port.command("sh", &["-c", &set]);
        let threads: Vec<String> = napi_threads().difference(&before).cloned().collect();
        assert!(!threads.is_empty(), "{port} has no NAPI threads");
        for thread in &threads {
            command("chrt", &["--idle", "--pid", "0", thread]);
            command("taskset", &["-pc", "0", thread]);
        }
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let spinner = std::thread::spawn(move || {
            let mut cpu = nix::sched::CpuSet::new();
            cpu.set(0).expect("a CPU number");
            nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &cpu).expect("CPU 0");
            while !stopped.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        });
        Self { threads, stop, spinner: Some(spinner) }
    }
}

impl Drop for Throttle {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(spinner) = self.spinner.take() {
            let _ = spinner.join();
        }
        // Left idle, they would leave frames in the ring for as long as the machine is busy.
        for thread in &self.threads {
            // It may have ended with its port.
            let _ = Command::new("chrt").args(["--other", "--pid", "0", thread]).output();
        }
    }
}

/// Process ids of the kernel's NAPI threads.
fn napi_threads() -> BTreeSet<String> {
    let processes = fs::read_dir("/proc").expect("/proc").flatten();
    let ids = processes.filter_map(|entry| entry.file_name().into_string().ok());
    ids.filter(|id| {
        let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
        id.bytes().all(|octet| octet.is_ascii_digit()) && name.starts_with("napi/")
    })
    .collect()
}
