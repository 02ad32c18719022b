//! PORT of the command line, as xtask needs it: `IFACE` or `IFACE@netns`.

use std::{path::PathBuf, str::FromStr};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{setup::bpffs::BPFFS, shell};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    pub interface: String,
    pub netns: Option<String>,
}

impl FromStr for Port {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (interface, netns) = match text.split_once('@') {
            Some((interface, netns)) => (interface, Some(netns)),
            None => (text, None),
        };
        if interface.is_empty() || netns.is_some_and(str::is_empty) || text.contains('/') {
            return Err(format!("{text:?} is not IFACE or IFACE@netns"));
        }
        Ok(Self { interface: interface.to_owned(), netns: netns.map(str::to_owned) })
    }
}

impl Port {
    /// Where its links and maps are pinned; the BPF file system refuses dots.
    pub fn pins(&self) -> PathBuf {
        let name = match &self.netns {
            Some(netns) => format!("{}@{netns}", self.interface),
            None => self.interface.clone(),
        };
        PathBuf::from(BPFFS).join("linerate").join(name.replace('.', "_"))
    }

    /// What `ip` says of it.
    pub fn link(&self) -> Result<Value> {
        let mut arguments = Vec::new();
        if let Some(netns) = &self.netns {
            arguments.extend(["-n", netns]);
        }
        arguments.extend(["-d", "-j", "link", "show", "dev", &self.interface]);
        let text = shell::read(&mut shell::command("ip", &arguments))?;
        let links: Value = serde_json::from_str(&text).context("ip's JSON")?;
        links.get(0).cloned().with_context(|| format!("no interface {}", self.interface))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_read_and_its_pins_are_a_name_bpffs_takes() {
        let port: Port = "eth0.5@lab".parse().unwrap();
        assert_eq!((port.interface.as_str(), port.netns.as_deref()), ("eth0.5", Some("lab")));
        assert_eq!(port.pins(), PathBuf::from("/sys/fs/bpf/linerate/eth0_5@lab"));
        for wrong in ["", "@lab", "eth0@", "../x"] {
            assert!(wrong.parse::<Port>().is_err(), "{wrong}");
        }
    }
}
