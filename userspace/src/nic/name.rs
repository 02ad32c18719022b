use super::NicError;
use std::{fmt, str::FromStr};

/// A PORT as commands and files write it: `ens1f0`, `ens1f0@netns`, `pci:0000:17:00.0`, or
/// `[host]:port/ens1f0` for one of these on the host of another daemon.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct PortName {
    /// The interface, or `pci:` and the address of its function.
    pub interface: String,
    /// The named network namespace it is in; `None`: the one linerate runs in.
    pub netns: Option<String>,
    /// The daemon whose port it is, as `[host]:port`; `None`: it is of this host.
    #[serde(default)]
    pub daemon: Option<String>,
}

impl PortName {
    /// The bus address, if the port is named by one.
    pub fn bus(&self) -> Option<&str> {
        self.interface.strip_prefix("pci:")
    }
}

impl FromStr for PortName {
    type Err = NicError;

    fn from_str(text: &str) -> Result<Self, NicError> {
        let bad = |why| NicError::BadName { text: text.to_owned(), why };
        if text.starts_with('[') {
            let (daemon, port) = text.split_once('/').ok_or_else(|| bad(REMOTE))?;
            check_daemon(daemon).map_err(bad)?;
            let port: Self = port.parse()?;
            if port.daemon.is_some() {
                return Err(bad(REMOTE));
            }
            return Ok(Self { daemon: Some(daemon.to_owned()), ..port });
        }
        let (interface, netns) = match text.split_once('@') {
            Some((interface, netns)) => (interface, Some(netns)),
            None => (text, None),
        };
        if let Some(netns) = netns {
            let sound = |name: &str| !name.is_empty() && name != "." && name != "..";
            if !sound(netns) || netns.contains(['/', '@', '\0']) {
                return Err(bad("what follows `@` is the name of a namespace in /run/netns"));
            }
        }
        let interface = if let Some(address) = interface.strip_prefix("pci:") {
            let address = pci_address(address);
            format!("pci:{}", address.ok_or_else(|| bad("a PCI function is like 0000:17:00.0"))?)
        } else {
            link_name(interface).map_err(bad)?;
            interface.to_owned()
        };
        Ok(Self { interface, netns: netns.map(str::to_owned), daemon: None })
    }
}

const REMOTE: &str = "a port of another daemon is `[host]:port/ens1f0`";

/// `[192.0.2.1]:8080`, `[2001:db8::1]:8080` or `[name]:8080`.
fn check_daemon(text: &str) -> Result<(), &'static str> {
    let (host, port) =
        text.strip_prefix('[').and_then(|rest| rest.split_once("]:")).ok_or(REMOTE)?;
    let of_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-');
    let sound = !host.is_empty() && host.chars().all(of_host);
    match port.parse::<u16>() {
        Ok(1..) if sound => Ok(()),
        _ => Err(REMOTE),
    }
}

/// What the kernel accepts as a name (`dev_valid_name`, net/core/dev.c); alternative
/// names may be longer than IFNAMSIZ.
fn link_name(name: &str) -> Result<(), &'static str> {
    match name {
        "" => Err("the interface has no name"),
        "." | ".." => Err("that is no interface name"),
        _ if name.len() > 127 => Err("the interface name is too long"),
        _ if name.contains(['/', ':', '\0']) || name.contains(char::is_whitespace) => {
            Err("an interface name has no `/`, `:` or blank")
        }
        _ => Ok(()),
    }
}

/// `17:00.0` or `0000:17:00.0` in the kernel's spelling.
fn pci_address(text: &str) -> Option<String> {
    let (front, function) = text.rsplit_once('.')?;
    let parts: Vec<&str> = front.split(':').collect();
    let (domain, bus, device) = match parts[..] {
        [bus, device] => ("0", bus, device),
        [domain, bus, device] => (domain, bus, device),
        _ => return None,
    };
    let hex = |part: &str, max: u32| {
        let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_hexdigit());
        u32::from_str_radix(part, 16).ok().filter(|&value| digits && value <= max)
    };
    let (domain, bus) = (hex(domain, u32::MAX)?, hex(bus, 0xff)?);
    let (device, function) = (hex(device, 0x1f)?, hex(function, 7)?);
    Some(format!("{domain:04x}:{bus:02x}:{device:02x}.{function}"))
}

impl fmt::Display for PortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(daemon) = &self.daemon {
            write!(f, "{daemon}/")?;
        }
        match &self.netns {
            Some(netns) => write!(f, "{}@{netns}", self.interface),
            None => f.write_str(&self.interface),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_printed_again() {
        for text in [
            "ens1f0",
            "eth0.100",
            "ens1f0@lab",
            "pci:0000:17:00.0",
            "pci:0000:17:00.1@x",
            "[192.0.2.1]:80/ens1f0@lab",
            "[2001:db8::1]:8080/pci:0000:17:00.0",
        ] {
            assert_eq!(text.parse::<PortName>().unwrap().to_string(), text);
        }
        let short: PortName = "pci:17:00.0".parse().unwrap();
        assert_eq!(short.bus(), Some("0000:17:00.0"));
        assert_eq!("PCI".parse::<PortName>().unwrap().bus(), None);
    }

    #[test]
    fn what_no_kernel_would_accept_is_refused_as_bad_usage() {
        for text in [
            "",
            "@lab",
            "a b",
            "a/b",
            "eth0:1",
            "x@",
            "x@a/b",
            "x@..",
            "pci:17",
            "pci:17:40.0",
            "[192.0.2.1]/ens1f0",
            "[]:1/ens1f0",
            "[a]:0/ens1f0",
            "[a]:1/",
            "[a]:1/[b]:1/x",
            "[a/b]:1/x",
        ] {
            let error = text.parse::<PortName>().unwrap_err();
            assert_eq!(error.exit_code(), 64, "{text}: {error}");
        }
    }
}
