//! A network namespace for the calling thread, with a pair of veth interfaces. It goes
//! away with the thread.
#![allow(unsafe_code, reason = "unshare and if_nametoindex are libc's")]

use super::require_root;
use std::{ffi::CString, process::Command, thread};

/// Runs a test on a thread in its own namespace, with veth `west` and `east` of so many
/// queues each, up.
pub fn with_veth(queues: u32, test: impl FnOnce() + Send + 'static) {
    require_root();
    let run = move || {
        // SAFETY: moves only this thread.
        assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0, "a new network namespace");
        let q = queues.to_string();
        ip(&[
            "link",
            "add",
            "west",
            "numtxqueues",
            &q,
            "numrxqueues",
            &q,
            "type",
            "veth",
            "peer",
            "name",
            "east",
            "numtxqueues",
            &q,
            "numrxqueues",
            &q,
        ]);
        ip(&["link", "set", "west", "up"]);
        ip(&["link", "set", "east", "up"]);
        test();
    };
    thread::spawn(run).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

/// Runs `ip` in the namespace of this thread.
pub fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().expect("iproute2 is installed");
    assert!(
        output.status.success(),
        "ip {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// What `ip` prints.
pub fn ip_says(arguments: &[&str]) -> String {
    let output = Command::new("ip").args(arguments).output().expect("iproute2 is installed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn ifindex(name: &str) -> u32 {
    let name = CString::new(name).unwrap();
    // SAFETY: reads one C string.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    assert_ne!(index, 0, "no interface {name:?}");
    index
}
