//! The modes of a run while it runs, by the kernel's word.

use std::{fmt, fs, process::Child};

use anyhow::{Context as _, Result, ensure};
use rustix::{
    net::{sockopt, xdp::XdpOptionsFlags},
    process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open},
};
use serde_json::Value;

use super::checks::{array, count};

/// What was bound and attached.
pub struct Obtained {
    /// Of each AF_XDP socket of linerate.
    pub sockets: Vec<&'static str>,
    /// Of the XDP programs of west and east.
    pub xdp: [Option<&'static str>; 2],
}

impl Obtained {
    /// The modes by linerate's word and by the kernel's: both are these.
    pub fn agrees(&self, result: &Value, tx: &str, rx: &str) -> Result<()> {
        let mut queues = 0;
        for port in array(&result["ports"]) {
            let name = &port["name"];
            let said = (port["tx_mode"].as_str(), port["rx_mode"].as_str());
            let is_right = said.0.is_none_or(|mode| mode == tx) && said.1 == Some(rx);
            ensure!(is_right, "{name} ran {said:?}, not ({tx}, {rx}): {}", result["reasons"]);
            let xdp = self.xdp[usize::from(name == "east")];
            ensure!(xdp == said.1, "{name}: the kernel runs XDP as {xdp:?}");
            if said.0.is_some() {
                queues += count(port, "queues")? as usize;
            }
        }
        let Self { sockets, .. } = self;
        ensure!(
            queues > 0 && sockets.len() == queues && sockets.iter().all(|mode| *mode == tx),
            "{queues} queues sent, and the kernel's AF_XDP sockets are {sockets:?}, not {tx}"
        );
        Ok(())
    }
}

impl fmt::Display for Obtained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tx = self.sockets.first().unwrap_or(&"-");
        write!(f, "{tx:11} {}", self.xdp[0].unwrap_or("-"))
    }
}

/// How each AF_XDP socket of another process is bound, by the socket itself: `XDP_OPTIONS`
/// (Documentation/networking/af_xdp.rst).
pub fn sockets(of: &Child) -> Result<Vec<&'static str>> {
    let process = pidfd_open(Pid::from_child(of), PidfdFlags::empty())?;
    let mut modes = Vec::new();
    for entry in fs::read_dir(format!("/proc/{}/fd", of.id()))? {
        let entry = entry?;
        let is_socket = fs::read_link(entry.path())
            .is_ok_and(|target| target.to_string_lossy().starts_with("socket:"));
        if !is_socket {
            continue;
        }
        let number = entry.file_name().to_string_lossy().parse().context("no descriptor")?;
        // It may have been closed since, and no other kind of socket has the option.
        let options = pidfd_getfd(&process, number, PidfdGetfdFlags::empty())
            .and_then(|socket| sockopt::xdp_options(&socket));
        if let Ok(options) = options {
            let is_zero_copy = options.contains(XdpOptionsFlags::XDP_OPTIONS_ZEROCOPY);
            modes.push(if is_zero_copy { "zero-copy" } else { "copy" });
        }
    }
    Ok(modes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn result(tx: &str) -> Value {
        let west = json!({"name": "west", "tx_mode": tx, "rx_mode": "native", "queues": 2});
        let east = json!({"name": "east", "tx_mode": null, "rx_mode": "native", "queues": 2});
        json!({"ports": [west, east]})
    }

    #[test]
    fn a_mode_counts_only_if_linerate_and_the_kernel_name_it_for_every_queue() {
        let native = [Some("native"); 2];
        let agrees = |sockets: &[&'static str], xdp, said| {
            let kernel = Obtained { sockets: sockets.to_vec(), xdp };
            kernel.agrees(&result(said), "zero-copy", "native").is_ok()
        };
        assert!(agrees(&["zero-copy", "zero-copy"], native, "zero-copy"));
        assert!(!agrees(&["zero-copy", "zero-copy"], native, "copy"));
        assert!(!agrees(&["zero-copy", "copy"], native, "zero-copy"));
        assert!(!agrees(&["zero-copy"], native, "zero-copy"));
        assert!(!agrees(&["zero-copy", "zero-copy"], [Some("native"), None], "zero-copy"));
        assert!(!agrees(&["zero-copy", "zero-copy"], [Some("generic"); 2], "zero-copy"));
    }
}
