//! What the kernel holds for processes, and whether it has let go of it.
#![allow(unsafe_code, reason = "bpf(2) has no safe face in std")]

use super::{Lab, Port};
use std::{collections::BTreeSet, fs, io, path::Path};

/// BPF programs, maps and links that processes had in hand, by kind and number. The kernel
/// gives no number twice while it has others, so one that is found later is the same object.
#[derive(Debug, Default)]
pub(crate) struct BpfObjects(BTreeSet<(Kind, u32)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Program,
    Map,
    Link,
}

impl BpfObjects {
    /// Those of these processes, by what the kernel says of their descriptors.
    pub(crate) fn of(processes: &[u32]) -> Self {
        let keys = [("prog_id:", Kind::Program), ("map_id:", Kind::Map), ("link_id:", Kind::Link)];
        let mut found = BTreeSet::new();
        for pid in processes {
            let descriptors = fs::read_dir(format!("/proc/{pid}/fdinfo")).into_iter().flatten();
            // One that is closed meanwhile is none.
            let texts =
                descriptors.flatten().filter_map(|file| fs::read_to_string(file.path()).ok());
            for text in texts {
                for (key, kind) in keys {
                    let lines = text.lines().filter_map(|line| line.strip_prefix(key));
                    found.extend(lines.map(|id| (kind, id.trim().parse().expect("a number"))));
                }
            }
        }
        Self(found)
    }

    pub(crate) fn has_programs(&self) -> bool {
        self.0.iter().any(|(kind, _)| *kind == Kind::Program)
    }

    /// Those that the kernel still has.
    pub(crate) fn left(&self) -> Vec<String> {
        let left = self.0.iter().filter(|(kind, id)| exists(*kind, *id));
        left.map(|object| format!("{object:?}")).collect()
    }
}

/// BPF_PROG_GET_FD_BY_ID and its like: ENOENT where there is none.
fn exists(kind: Kind, id: u32) -> bool {
    let command: libc::c_long = match kind {
        Kind::Program => 13,
        Kind::Map => 14,
        Kind::Link => 30,
    };
    // union bpf_attr: id, next id, open flags.
    let attributes = [id, 0, 0];
    // SAFETY: the attributes are live and as long as said.
    let fd = unsafe {
        libc::syscall(libc::SYS_bpf, command, attributes.as_ptr(), size_of_val(&attributes))
    };
    if fd < 0 {
        let error = io::Error::last_os_error();
        assert_eq!(error.raw_os_error(), Some(libc::ENOENT), "bpf({command}): {error}");
        return false;
    }
    // SAFETY: bpf(2) just gave this descriptor to nobody else.
    unsafe { libc::close(fd as i32) };
    true
}

/// What is pinned to the BPF file system.
pub(crate) fn pins() -> BTreeSet<String> {
    let entries = fs::read_dir("/sys/fs/bpf").into_iter().flatten().flatten();
    entries.map(|entry| entry.path().display().to_string()).collect()
}

/// Namespaces with names that are not this testbed's.
pub(crate) fn foreign_namespaces() -> BTreeSet<String> {
    let entries = fs::read_dir("/run/netns").into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.starts_with("lrtest")).collect()
}

/// Whether a process is there, and more than a name that waits to be asked for.
pub(crate) fn lives(pid: u32) -> bool {
    let status = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"));
    status.is_ok_and(|status| !status.contains("State:\tZ"))
}

impl Lab {
    /// What programs, sockets and settings are still on the ports; empty: none.
    pub(crate) fn left_on_ports(&self) -> Vec<String> {
        [&self.west, &self.east].into_iter().flat_map(Port::left).collect()
    }
}

impl Port {
    fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        if let Some(program) = self.xdp() {
            left.push(format!("XDP on {self}: {program}"));
        }
        let sockets = self.command("ss", &["-H", "--xdp"]);
        left.extend(sockets.lines().map(|socket| format!("in {}: {socket}", self.netns)));
        let sockets = self.command("cat", &["/proc/net/packet"]);
        left.extend(sockets.lines().skip(1).map(|socket| format!("in {}: {socket}", self.netns)));
        let link = self.command("ip", &["-d", "link", "show", "dev", &self.interface]);
        if !link.contains("promiscuity 0") {
            left.push(format!("{self} is promiscuous: {link}"));
        }
        left
    }
}
