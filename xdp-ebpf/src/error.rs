use crate::XdpMode;
use std::io;

/// Why the analyser could not be loaded, attached or run. Each names what is wrong and
/// what to do about it, in one line.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The set-up asks for something that cannot be.
    #[error("the analyser cannot be set up with {what}")]
    Setup {
        /// Which number, and what is allowed.
        what: String,
    },
    /// Another XDP program is attached to the interface.
    #[error(
        "interface {ifindex} already carries an XDP program; detach it first (`ip link set dev IF xdp off`, or end its owner)"
    )]
    Busy {
        /// The interface.
        ifindex: u32,
    },
    /// The driver does not attach XDP programs in this mode, or not with its present
    /// MTU and queues.
    #[error("interface {ifindex} refuses {mode} XDP ({source}); {}", advice(source))]
    Unsupported {
        /// The interface.
        ifindex: u32,
        /// The mode that was asked for.
        mode: XdpMode,
        /// The driver's answer.
        source: io::Error,
    },
    /// No such interface in the network namespace of this thread.
    #[error("interface {ifindex} is gone, or lives in another network namespace than this thread")]
    Gone {
        /// The interface.
        ifindex: u32,
    },
    /// The kernel does not let this process do it.
    #[error(
        "not allowed to {action}: it needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN (run as root, \
         or `setcap cap_bpf,cap_perfmon,cap_net_admin,cap_net_raw+ep`)"
    )]
    Permission {
        /// What was attempted.
        action: &'static str,
    },
    /// The kernel's verifier refused the program.
    #[error("the kernel's verifier refuses the {program} program: {}", last_line(log))]
    Verifier {
        /// Which program.
        program: &'static str,
        /// All that the verifier said.
        log: String,
    },
    /// The maps do not fit in memory.
    #[error("no memory for {bytes} bytes of kernel maps; use fewer flows or queues")]
    Memory {
        /// Sum of all maps.
        bytes: u64,
    },
    /// The kernel lacks something that the program needs: its type information, a map
    /// type or a helper.
    #[error(
        "this kernel cannot load the {program} program ({reason}); Linux 5.18 or newer with CONFIG_DEBUG_INFO_BTF is needed"
    )]
    Kernel {
        /// Which program.
        program: &'static str,
        /// The last words of the loader.
        reason: String,
    },
    /// A system call failed that never should.
    #[error("cannot {action}: {source}")]
    System {
        /// What was attempted.
        action: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
}

fn advice(refusal: &io::Error) -> &'static str {
    match refusal.raw_os_error() {
        Some(libc::EOPNOTSUPP) => "its driver has none",
        Some(libc::ERANGE | libc::EINVAL | libc::E2BIG) => "try a smaller MTU",
        Some(libc::ENOSPC | libc::ENOMEM) => {
            "give it fewer queues, or the peer no more than it has"
        }
        _ => "see the kernel log",
    }
}

/// The line of a verifier log that says why: the last one before the statistics.
fn last_line(log: &str) -> &str {
    let said = |line: &&str| {
        !line.trim().is_empty()
            && !line.starts_with("processed ")
            && !line.starts_with("verification time")
    };
    log.lines().rev().find(said).unwrap_or("it gave no reason").trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_the_last_line_before_the_statistics() {
        let log =
            "0: R1=ctx()\nR3 invalid mem access 'scalar'\nprocessed 9 insns (limit 1000000)\n\n";
        assert_eq!(last_line(log), "R3 invalid mem access 'scalar'");
        assert_eq!(last_line(""), "it gave no reason");
    }

    #[test]
    fn messages_are_one_line() {
        let log = "a\nb\n".to_owned();
        let error = Error::Verifier { program: "analyser", log };
        assert_eq!(error.to_string(), "the kernel's verifier refuses the analyser program: b");
    }
}
