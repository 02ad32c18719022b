use super::PortName;
use std::{io, net::IpAddr, time::Duration};

/// Why a port could not be found, held, watched or asked. One line each, which names
/// the thing and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum NicError {
    /// A text that is no PORT.
    #[error("`{text}` is no PORT: {why}; write `ens1f0`, `ens1f0@netns` or `pci:0000:17:00.0`")]
    BadName {
        /// The text as given.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Something that the documentation promises and that this version cannot do.
    #[error("{what} not built yet")]
    NotBuilt {
        /// What it is, with its verb: `remote responders are`.
        what: String,
    },
    /// A port of another daemon, where only one of this host will do.
    #[error("{port}: a port of another daemon is for flows and suites; run this on its host")]
    Elsewhere {
        /// The port.
        port: PortName,
    },
    /// No such named network namespace.
    #[error("no network namespace `{name}`; {}", alternatives("namespaces", .existing))]
    UnknownNetns {
        /// The name that was asked for.
        name: String,
        /// Names that exist, nearest first.
        existing: Vec<String>,
    },
    /// A file in `/run/netns` that is no namespace.
    #[error("/run/netns/{name} is no network namespace any more; run `ip netns delete {name}`")]
    StaleNetns {
        /// Its file name.
        name: String,
    },
    /// No such interface.
    #[error("no interface `{port}`; {}", alternatives("interfaces", .existing))]
    UnknownInterface {
        /// The port that was asked for.
        port: PortName,
        /// Interfaces of that namespace, nearest first.
        existing: Vec<String>,
    },
    /// One PCI function with several interfaces.
    #[error("`{port}` has several interfaces: {}; name one of them", interfaces.join(", "))]
    Ambiguous {
        /// The port that was asked for.
        port: PortName,
        /// The interfaces behind that function.
        interfaces: Vec<String>,
    },
    /// Loopback, tunnels and the like.
    #[error("`{port}` is no Ethernet interface; see `linerate ports`")]
    NotEthernet {
        /// The port that was asked for.
        port: PortName,
    },
    /// The kernel said EPERM or EACCES.
    #[error("{capability} is needed {purpose}; run as root or grant the capability")]
    Privilege {
        /// The capability, as in capabilities(7).
        capability: &'static str,
        /// What for: `to ...`.
        purpose: String,
    },
    /// Another process holds the port.
    #[error("port {port} is held by another linerate{}; stop it first", process(*.pid))]
    Held {
        /// The port.
        port: PortName,
        /// Its process id, where it can be seen.
        pid: Option<i32>,
    },
    /// The interface is administratively down.
    #[error("port {port} is down; run `ip link set {} up`{}", port.interface, inside(port))]
    Down {
        /// The port.
        port: PortName,
    },
    /// The interface is up and there is no link.
    #[error("port {port} has no carrier{}; check the cable and the other end", after(*.waited))]
    NoCarrier {
        /// The port.
        port: PortName,
        /// How long it was given.
        waited: Duration,
    },
    /// The interface was deleted or left its namespace.
    #[error("port {port} is gone: deleted, or moved to another namespace")]
    Gone {
        /// The port.
        port: PortName,
    },
    /// Next hops that did not answer.
    #[error("{}", unanswered(.port, .missing, *.asked))]
    Unresolved {
        /// The port that asked.
        port: PortName,
        /// Those that did not answer, in the order asked.
        missing: Vec<IpAddr>,
        /// How many different addresses were asked.
        asked: usize,
    },
    /// Anything else that the kernel refused.
    #[error("cannot {action}: {source}")]
    Kernel {
        /// What was tried: `open a packet socket on ens1f0`.
        action: String,
        /// What the kernel said.
        source: io::Error,
    },
}

impl NicError {
    /// The exit code of CONTRACT.md: 64 bad usage, 77 missing privilege or feature,
    /// 2 not measured validly.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::BadName { .. }
            | Self::UnknownNetns { .. }
            | Self::StaleNetns { .. }
            | Self::UnknownInterface { .. }
            | Self::Ambiguous { .. }
            | Self::NotEthernet { .. }
            | Self::Elsewhere { .. } => 64,
            Self::Privilege { .. } | Self::NotBuilt { .. } => 77,
            Self::Held { .. }
            | Self::Down { .. }
            | Self::NoCarrier { .. }
            | Self::Gone { .. }
            | Self::Unresolved { .. }
            | Self::Kernel { .. } => 2,
        }
    }

    /// What the kernel's refusal of `action` (a bare verb phrase) means, given the
    /// capability that it takes.
    pub(super) fn refused(
        action: impl Into<String>,
        capability: &'static str,
        source: io::Error,
    ) -> Self {
        let action = action.into();
        match source.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => {
                Self::Privilege { capability, purpose: format!("to {action}") }
            }
            _ => Self::Kernel { action, source },
        }
    }

    pub(super) fn kernel(action: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self::Kernel { action: action.into(), source: source.into() }
    }
}

/// Sorted so that what was probably meant comes first.
pub(super) fn nearest_first(wanted: &str, mut names: Vec<String>) -> Vec<String> {
    names.sort_by_cached_key(|name| (strsim::damerau_levenshtein(wanted, name), name.clone()));
    names
}

fn alternatives(things: &str, names: &[String]) -> String {
    const SHOWN: usize = 12;
    match names.len() {
        0 => format!("there are no {things}"),
        n if n > SHOWN => {
            format!("there are {} and {} more", names[..SHOWN].join(", "), n - SHOWN)
        }
        _ => format!("there are {}", names.join(", ")),
    }
}

fn process(pid: Option<i32>) -> String {
    pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}

fn inside(port: &PortName) -> String {
    port.netns.as_ref().map(|name| format!(" inside namespace {name}")).unwrap_or_default()
}

fn after(waited: Duration) -> String {
    let seconds = waited.as_secs_f64();
    if waited.is_zero() { String::new() } else { format!(" after {seconds:.1} s") }
}

fn unanswered(port: &PortName, missing: &[IpAddr], asked: usize) -> String {
    const SHOWN: usize = 3;
    let protocol = match (missing.iter().any(IpAddr::is_ipv4), missing.iter().any(IpAddr::is_ipv6))
    {
        (true, false) => "ARP",
        (false, true) => "ND",
        _ => "ARP or ND",
    };
    let shown: Vec<String> = missing.iter().take(SHOWN).map(ToString::to_string).collect();
    let shown = shown.join(", ");
    let advice = "set gw, or give eth.dst";
    match missing.len() {
        1 if asked == 1 => format!("{shown} does not answer {protocol} on {port}; {advice}"),
        n if n <= SHOWN => {
            format!("{shown} ({n} of {asked}) do not answer {protocol} on {port}; {advice}")
        }
        n => format!(
            "{n} of {asked} next hops do not answer {protocol} on {port} ({shown}, ...); {advice}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port() -> PortName {
        "veth0@lab".parse().unwrap()
    }

    #[test]
    fn one_silent_next_hop_is_named() {
        let error = NicError::Unresolved {
            port: port(),
            missing: vec!["198.18.0.1".parse().unwrap()],
            asked: 1,
        };
        assert_eq!(
            error.to_string(),
            "198.18.0.1 does not answer ARP on veth0@lab; set gw, or give eth.dst"
        );
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn many_silent_next_hops_are_counted_and_the_first_named() {
        let missing = (1..=9).map(|i| IpAddr::from([198, 18, 0, i])).collect();
        let text = NicError::Unresolved { port: port(), missing, asked: 20 }.to_string();
        assert_eq!(
            text,
            "9 of 20 next hops do not answer ARP on veth0@lab \
             (198.18.0.1, 198.18.0.2, 198.18.0.3, ...); set gw, or give eth.dst"
        );
    }

    #[test]
    fn a_carrier_that_was_awaited_says_for_how_long() {
        let text = |waited| NicError::NoCarrier { port: port(), waited }.to_string();
        let waited = Duration::from_nanos(9_999_282_933);
        let advice = "; check the cable and the other end";
        assert_eq!(text(waited), format!("port veth0@lab has no carrier after 10.0 s{advice}"));
        assert_eq!(text(Duration::ZERO), format!("port veth0@lab has no carrier{advice}"));
    }

    #[test]
    fn a_misspelt_name_gets_its_neighbour_first() {
        let names = ["lo", "veth0", "ens1f1", "ens1f0"].map(String::from).to_vec();
        assert_eq!(nearest_first("ens1f00", names)[0], "ens1f0");
    }

    #[test]
    fn only_permission_errors_speak_of_capabilities() {
        let refused =
            |errno| NicError::refused("do it", "CAP_NET_RAW", io::Error::from_raw_os_error(errno));
        assert_eq!(refused(libc::EPERM).exit_code(), 77);
        assert_eq!(
            refused(libc::EPERM).to_string(),
            "CAP_NET_RAW is needed to do it; run as root or grant the capability"
        );
        assert_eq!(refused(libc::ENODEV).exit_code(), 2);
    }
}
