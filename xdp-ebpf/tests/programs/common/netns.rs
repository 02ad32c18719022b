//! A network namespace for the calling thread, with a pair of veth interfaces. It goes
//! away with the thread.
#![allow(unsafe_code, reason = "unshare and if_nametoindex are libc's")]

use super::require_root;
use std::{
    ffi::CString,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    process::Command,
    thread,
};

/// Runs a test on a thread in its own namespace, with veth `west` and `east` of so many
/// queues each, up.
pub fn with_veth(queues: u32, test: impl FnOnce() + Send + 'static) {
    require_root();
    let run = move || {
        // SAFETY: moves only this thread.
        assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0, "a new network namespace");
        // The kernel's own IPv6 chatter would count as frames.
        std::fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").expect("a sysctl");
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

/// Sends frames out of an interface through AF_PACKET, without the FCS.
pub fn send_raw(name: &str, frames: &[Vec<u8>]) {
    let index = ifindex(name);
    // SAFETY: no memory.
    let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW, 0) };
    assert!(socket >= 0, "an AF_PACKET socket");
    // SAFETY: a new descriptor that nobody else owns; closed at the end.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    // SAFETY: all zeroes is an address.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_ifindex = index as i32;
    address.sll_halen = 6;
    for frame in frames {
        // SAFETY: frame and address outlive the call and are as long as it is told.
        let sent = unsafe {
            libc::sendto(
                socket.as_raw_fd(),
                frame.as_ptr().cast(),
                frame.len(),
                0,
                (&raw const address).cast(),
                size_of::<libc::sockaddr_ll>() as u32,
            )
        };
        assert_eq!(sent, frame.len() as isize, "{}", std::io::Error::last_os_error());
    }
}
