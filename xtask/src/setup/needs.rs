//! The list: what is needed, for what, how one sees that it is there, and the
//! Debian and Ubuntu package that brings it.

use std::{io::Write as _, path::Path, process::Stdio};

use super::{apt, venv};
use crate::{shell, web};

/// What a need is for: tests need what the build needs, the last two what the tests need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Tier {
    /// Compile and run
    Build,
    /// The independent witnesses that the tests ask
    Test,
    /// The virtual machines of `vm-test`
    Vm,
    /// The other generators of `bench`
    Bench,
}

impl Tier {
    /// Whether what is needed for `other` is needed for this too.
    pub fn includes(self, other: Self) -> bool {
        match other {
            Self::Build => true,
            Self::Test => self != Self::Build,
            Self::Vm | Self::Bench => self == other,
        }
    }
}

pub struct Need {
    pub what: &'static str,
    pub why: &'static str,
    pub apt: &'static str,
    pub tier: Tier,
    /// Not every distribution has it; a tier that wants it then does not run.
    pub where_offered: bool,
    check: Check,
}

enum Check {
    Program(&'static str),
    /// A header that the C compiler finds.
    Header(&'static str),
    /// clang 11 or later that can emit BPF.
    ClangBpf,
    /// The shared library that bindgen opens.
    Libclang,
    /// QEMU 8 or later, which has the NIC that sends zero-copy.
    Qemu,
    /// A module of the system's own Python, as the tests call it.
    PythonModule(&'static str),
    /// A module of the environment that holds what is of PyPI.
    PyPi(&'static str),
    /// The system's, or else that of PyPI.
    Node,
}

use Check::{ClangBpf, Header, Libclang, Node, Program, PyPi, PythonModule, Qemu};
use Tier::{Bench, Build, Test, Vm};

const fn need(
    tier: Tier,
    what: &'static str,
    check: Check,
    apt: &'static str,
    why: &'static str,
) -> Need {
    Need { what, why, apt, tier, where_offered: false, check }
}

pub const NEEDS: &[Need] = &[
    need(Build, "C compiler", Program("cc"), "gcc", "links Rust, compiles libbpf and libxdp"),
    need(Build, "C library headers", Header("stdlib.h"), "libc6-dev", "for libbpf and libxdp"),
    need(Build, "kernel headers", Header("linux/if_xdp.h"), "linux-libc-dev", "AF_XDP and BPF"),
    need(Build, "binutils", Program("objcopy"), "binutils", "libxdp embeds its objects with ld"),
    need(Build, "make", Program("make"), "make", "builds libbpf"),
    need(
        Build,
        "pkg-config",
        Program("pkg-config"),
        "pkg-config",
        "libbpf's build asks for libelf",
    ),
    need(Build, "m4", Program("m4"), "m4", "libxdp generates its dispatcher with it"),
    need(Build, "clang with BPF", ClangBpf, "clang", "compiles the XDP programs (11 or later)"),
    need(Build, "libclang", Libclang, "libclang-dev", "bindgen turns abi.h into Rust"),
    need(Build, "libelf", Header("libelf.h"), "libelf-dev", "libbpf reads object files with it"),
    need(Build, "zlib", Header("zlib.h"), "zlib1g-dev", "libelf's compressed sections"),
    need(Build, "ip", Program("ip"), "iproute2", "the lab's namespaces and veth pairs"),
    need(Build, "ethtool", Program("ethtool"), "ethtool", "queue counters of the lab's ports"),
    need(Test, "tc", Program("tc"), "iproute2", "a device under test that duplicates"),
    need(Test, "ping", Program("ping"), "iputils-ping", "foreign traffic through a busy port"),
    need(Test, "tcpdump", Program("tcpdump"), "tcpdump", "an independent capture"),
    need(Test, "tshark", Program("tshark"), "tshark", "an independent decoder of every frame"),
    need(Test, "scapy", PythonModule("scapy"), "python3-scapy", "checks lengths and checksums"),
    need(
        Test,
        "jsonschema",
        PythonModule("jsonschema"),
        "python3-jsonschema",
        "holds results against their schemas",
    ),
    need(Test, "setpriv", Program("setpriv"), "util-linux", "starts a daemon as its unit would"),
    need(Test, "systemd-analyze", Program("systemd-analyze"), "systemd", "reads the daemon's unit"),
    need(Test, "Python's venv", PythonModule("ensurepip"), "python3-venv", "holds what is of PyPI"),
    need(Test, "snappi", PyPi("snappi"), "", "drives the test API that `serve` offers"),
    need(Test, "schemathesis", PyPi("schemathesis"), "", "holds `serve` to its description"),
    need(Test, "MLRsearch", PyPi("MLRsearch"), "", "an independent search"),
    need(Test, "Node 20.19", Node, "", "builds and tests the pages of `serve`"),
    Need {
        where_offered: true,
        ..need(Test, "chromium", Program("chromium"), "chromium", "uses the pages as people do")
    },
    need(Vm, "QEMU with igb", Qemu, "qemu-system-x86", "emulates NICs and the machine around them"),
    need(Vm, "busybox", Program("busybox"), "busybox-static", "the first program in a VM"),
    need(Vm, "modprobe", Program("modprobe"), "kmod", "loads the drivers of the NICs"),
    need(Bench, "dpdk-testpmd", Program("dpdk-testpmd"), "dpdk-dev", "the generator to match"),
    need(Bench, "trafgen", Program("trafgen"), "netsniff-ng", "the generator on AF_PACKET"),
    need(Bench, "tcpreplay", Program("tcpreplay"), "tcpreplay", "the generator that replays"),
    need(Bench, "taskset", Program("taskset"), "util-linux", "keeps a generator on its core"),
];

impl Need {
    /// Whether it comes from PyPI rather than from apt.
    pub fn is_on_pypi(&self) -> bool {
        matches!(self.check, PyPi(_) | Node)
    }

    /// The environment that holds it.
    pub fn environment(&self) -> Option<&'static venv::Environment> {
        match self.check {
            PyPi(_) => Some(&venv::PYTHON),
            Node => Some(&venv::NODE),
            _ => None,
        }
    }

    /// Whether this machine can have it, if not every one can.
    pub fn wanted(&self) -> bool {
        !self.where_offered || self.present() || apt::offers(self.apt)
    }

    pub fn present(&self) -> bool {
        match self.check {
            Program(name) => shell::find_program(name).is_some(),
            Header(name) => compiles("cc", &["-E", "-x", "c"], &format!("#include <{name}>\n")),
            ClangBpf => {
                clang_version().is_some_and(|major| major >= 11)
                    && compiles("clang", &["-target", "bpf", "-O2", "-c", "-x", "c"], "int x;\n")
            }
            Libclang => libclang_present(),
            Qemu => {
                let igb = ["-machine", "none", "-device", "igb,help"];
                let said = shell::read(&mut shell::command("qemu-system-x86_64", &igb));
                said.is_ok_and(|said| said.contains("igb options"))
            }
            PythonModule(name) => shell::succeeds(&mut shell::command(
                "/usr/bin/python3",
                &["-c", &format!("import {name}")],
            )),
            PyPi(module) => venv::PYTHON.has(module),
            Node => web::Node::find().is_ok(),
        }
    }
}

fn compiles(compiler: &str, flags: &[&str], source: &str) -> bool {
    let mut command = shell::command(compiler, flags);
    command.args(["-o", "/dev/null", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else { return false };
    // A compiler that ends early closes the pipe; its status says the rest.
    let written =
        child.stdin.take().is_some_and(|mut pipe| pipe.write_all(source.as_bytes()).is_ok());
    child.wait().is_ok_and(|status| status.success()) && written
}

fn clang_version() -> Option<u32> {
    version_in(&shell::read(&mut shell::command("clang", &["--version"])).ok()?)
}

/// The major number after the word "version", as every vendor's clang prints it.
fn version_in(text: &str) -> Option<u32> {
    let after = text.split("version ").nth(1)?;
    after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The places clang-sys looks in: LIBCLANG_PATH, llvm-config, the library folders.
fn libclang_present() -> bool {
    let mut folders: Vec<std::path::PathBuf> = Vec::new();
    if let Some(path) = std::env::var_os("LIBCLANG_PATH") {
        folders.push(path.into());
    }
    if let Ok(folder) = shell::read(&mut shell::command("llvm-config", &["--libdir"])) {
        folders.push(folder.trim().into());
    }
    folders.extend(["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(Into::into));
    for top in ["/usr/lib", "/usr/local/lib"] {
        for entry in std::fs::read_dir(top).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("llvm") {
                folders.push(entry.path().join("lib"));
            } else if name.ends_with("-linux-gnu") {
                folders.push(entry.path());
            }
        }
    }
    folders.iter().any(|folder| holds_libclang(folder))
}

fn holds_libclang(folder: &Path) -> bool {
    std::fs::read_dir(folder).into_iter().flatten().flatten().any(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.starts_with("libclang.so") || (name.starts_with("libclang-") && name.contains(".so"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_every_vendors_clang_is_read() {
        assert_eq!(version_in("Debian clang version 14.0.6\nTarget: x86_64"), Some(14));
        assert_eq!(version_in("Ubuntu clang version 18.1.3 (1ubuntu1)"), Some(18));
        assert_eq!(version_in("clang: command not found"), None);
    }

    #[test]
    fn what_is_absent_is_seen_as_absent() {
        let absent = |check| !need(Build, "x", check, "x", "x").present();
        assert!(absent(Program("no-such-program-anywhere")));
        assert!(absent(Header("no/such/header.h")));
        assert!(absent(PythonModule("no_such_module_anywhere")));
    }
}
