//! The two NICs inside a VM, seen with the kernel's own tools.

use std::{
    fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::shell;

/// By these they are told apart, whatever they are called.
pub const MACS: [&str; 2] = ["52:54:00:00:00:01", "52:54:00:00:00:02"];

/// igb needs three to eight seconds on real hardware; TCG is slow.
const CARRIER: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub struct Nic {
    pub name: String,
}

/// Frames, by the counters of the hardware where the driver reads them.
#[derive(Clone, Copy, Debug)]
pub struct Frames {
    pub tx: u64,
    pub rx: u64,
}

impl Frames {
    pub fn since(self, before: Self) -> Self {
        Self { tx: self.tx - before.tx, rx: self.rx - before.rx }
    }
}

impl Nic {
    pub fn find(mac: &str) -> Result<Self> {
        for entry in fs::read_dir("/sys/class/net")? {
            let entry = entry?;
            let address = fs::read_to_string(entry.path().join("address")).unwrap_or_default();
            if address.trim() == mac {
                return Ok(Self { name: entry.file_name().to_string_lossy().into_owned() });
            }
        }
        anyhow::bail!("no NIC has the MAC {mac}")
    }

    fn sysfs(&self, file: &str) -> PathBuf {
        PathBuf::from("/sys/class/net").join(&self.name).join(file)
    }

    pub fn ip(&self, arguments: &[&str]) -> Result<()> {
        let set = [&["link", "set", &self.name], arguments].concat();
        shell::read(&mut shell::command("ip", &set)).map(drop)
    }

    pub fn set_rx_ring(&self, frames: u32) -> Result<()> {
        let ring = ["-G", &self.name, "rx", &frames.to_string()];
        shell::read(&mut shell::command("ethtool", &ring)).map(drop)
    }

    pub fn has_carrier(&self) -> bool {
        fs::read_to_string(self.sysfs("carrier")).is_ok_and(|text| text.trim() == "1")
    }

    pub fn await_carrier(&self) -> Result<()> {
        let begun = Instant::now();
        while !self.has_carrier() {
            ensure!(begun.elapsed() < CARRIER, "{} gets no carrier", self.name);
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// igb begins its software counters anew when a zero-copy socket is closed; those of the
    /// hardware go on.
    pub fn frames(&self) -> Result<Frames> {
        let driver = shell::read(&mut shell::command("ethtool", &["-S", &self.name]))?;
        let of = |name: &str| -> Result<u64> {
            let line = driver.lines().find_map(|line| line.trim().strip_prefix(name));
            let text = match line.and_then(|rest| rest.strip_prefix(':')) {
                Some(value) => value.to_owned(),
                None => fs::read_to_string(self.sysfs("statistics").join(name))?,
            };
            text.trim().parse().with_context(|| format!("{name} of {}: {text}", self.name))
        };
        Ok(Frames { tx: of("tx_packets")?, rx: of("rx_packets")? })
    }

    /// Everything that a run may change and must restore: offloads, pause, MTU, reception
    /// of foreign frames, XDP.
    pub fn settings(&self) -> Result<String> {
        let mut text = shell::read(&mut shell::command("ethtool", &["-k", &self.name]))?;
        // Not every driver has pause frames.
        let pause = shell::read(&mut shell::command("ethtool", &["-a", &self.name]));
        text += &pause.unwrap_or_default();
        let link = self.link()?;
        for key in ["mtu", "promiscuity", "allmulti", "xdp"] {
            text.extend([key, ": ", &link[key].to_string(), "\n"]);
        }
        // Negotiated with the peer, which may not have its carrier back yet.
        let lines = text.lines().filter(|line| !line.contains("negotiated:"));
        Ok(lines.collect::<Vec<_>>().join("\n"))
    }

    /// Where the kernel runs the XDP program, if one is attached.
    pub fn xdp_mode(&self) -> Result<Option<&'static str>> {
        // XDP_ATTACHED_DRV and XDP_ATTACHED_SKB of linux/if_link.h.
        match self.link()?["xdp"]["mode"].as_u64() {
            Some(1) => Ok(Some("native")),
            Some(2) => Ok(Some("generic")),
            None => Ok(None),
            Some(other) => anyhow::bail!("XDP mode {other} on {}", self.name),
        }
    }

    fn link(&self) -> Result<Value> {
        let arguments = ["-j", "-d", "link", "show", &self.name];
        let text = shell::read(&mut shell::command("ip", &arguments))?;
        let mut links: Value = serde_json::from_str(&text)?;
        Ok(links[0].take())
    }
}
