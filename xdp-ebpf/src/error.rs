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
        "not allowed to {action}: {} (run as root, or \
         `setcap cap_bpf,cap_perfmon,cap_net_admin,cap_net_raw+ep`)",
        lacking(missing)
    )]
    Permission {
        /// What was attempted.
        action: &'static str,
        /// Capabilities that it takes and this thread has not; none: the kernel is set to
        /// refuse it all the same.
        missing: Vec<&'static str>,
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

/// What programs that read packets take to load and attach, with the number of each
/// (capabilities(7)).
const WANTED: [(u32, &str); 3] = [(39, "CAP_BPF"), (38, "CAP_PERFMON"), (12, "CAP_NET_ADMIN")];
/// Stands in for the others.
const CAP_SYS_ADMIN: u32 = 21;

impl Error {
    /// The kernel's EPERM, with the capabilities that this thread lacks.
    pub(crate) fn permission(action: &'static str) -> Self {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
        let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
        let effective = effective.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        Self::Permission { action, missing: missing(effective.unwrap_or(0)) }
    }
}

/// Of a mask of effective capabilities.
fn missing(effective: u64) -> Vec<&'static str> {
    let has = |bit: u32| effective >> bit & 1 == 1;
    let lacking = WANTED.iter().filter(|&&(bit, _)| !has(bit) && !has(CAP_SYS_ADMIN));
    lacking.map(|&(_, name)| name).collect()
}

fn lacking(missing: &[&str]) -> String {
    match missing {
        [] => "the kernel refuses it, with every capability that it takes".to_owned(),
        [one] => format!("{one} is missing"),
        several => format!("{} are missing", several.join(", ")),
    }
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
    fn only_what_is_missing_is_named() {
        let all = 1 << 39 | 1 << 38 | 1 << 12;
        assert_eq!(missing(all), Vec::<&str>::new());
        assert_eq!(missing(all & !(1 << 38)), ["CAP_PERFMON"]);
        assert_eq!(missing(1 << CAP_SYS_ADMIN), Vec::<&str>::new());
        assert_eq!(missing(0), ["CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN"]);
        let error = Error::Permission { action: "load BPF programs", missing: missing(1 << 39) };
        let told = "not allowed to load BPF programs: CAP_PERFMON, CAP_NET_ADMIN are missing (";
        assert!(error.to_string().starts_with(told), "{error}");
    }

    #[test]
    fn messages_are_one_line() {
        let log = "a\nb\n".to_owned();
        let error = Error::Verifier { program: "analyser", log };
        assert_eq!(error.to_string(), "the kernel's verifier refuses the analyser program: b");
    }
}
