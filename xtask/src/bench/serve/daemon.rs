//! The daemon under load, and what the kernel says of its processes.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result};

use crate::stop;

/// Ended when dropped.
pub struct Daemon {
    child: Child,
    pub address: SocketAddr,
}

/// Of one process, KiB.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    pub resident: u64,
    pub highest: u64,
}

/// Listener, keeper, worker.
pub const PROCESSES: [&str; 3] = ["listener", "keeper", "data plane"];

impl Daemon {
    pub fn start(linerate: &Path, folder: &Path) -> Result<Self> {
        let mut command = Command::new(linerate);
        command.args(["serve", "--listen", "127.0.0.1:0", "--otg", "127.0.0.1:0", "--store"]);
        command.arg(folder.join("serve.db")).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start the daemon")?;
        let out = child.stdout.take().context("the daemon has no output")?;
        let mut address = None;
        for line in BufReader::new(out).lines().take(2) {
            // `linerate serves http://ADDRESS/api/v1/`
            let line = line?;
            let place = line.split("http://").nth(1).and_then(|rest| rest.strip_suffix("/api/v1/"));
            address = place.map(str::parse).transpose()?.or(address);
        }
        let address = address.context("the daemon did not say where it listens");
        match address {
            Ok(address) => Ok(Self { child, address }),
            Err(error) => {
                stop::end(&mut child);
                Err(error)
            }
        }
    }

    /// Itself, the keeper of its data plane, the data plane.
    pub fn family(&self) -> Result<[u32; 3]> {
        let keeper = child_of(self.child.id())?;
        Ok([self.child.id(), keeper, child_of(keeper)?])
    }

    pub fn memory(&self) -> Result<[Memory; 3]> {
        let mut memory = [Memory::default(); 3];
        for (pid, memory) in self.family()?.into_iter().zip(&mut memory) {
            let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
            let of = |key: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(key));
                line.and_then(|line| line.split_whitespace().next()?.parse().ok())
                    .with_context(|| format!("no {key} of process {pid}"))
            };
            *memory = Memory { resident: of("VmRSS:")?, highest: of("VmHWM:")? };
        }
        Ok(memory)
    }

    /// CPUs that a worker of the data plane is bound to.
    pub fn senders_cpus(&self) -> Result<Vec<usize>> {
        let worker = self.family()?[2];
        let mut cpus = Vec::new();
        for task in fs::read_dir(format!("/proc/{worker}/task"))?.flatten() {
            let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
            let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
            let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
            // One CPU: it is bound.
            if let (true, Some(Ok(cpu))) =
                (name.starts_with("tx-"), allowed.map(|allowed| allowed.trim().parse()))
            {
                cpus.push(cpu);
            }
        }
        Ok(cpus)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        stop::end(&mut self.child);
    }
}

fn child_of(pid: u32) -> Result<u32> {
    for task in fs::read_dir(format!("/proc/{pid}/task"))?.flatten() {
        let children = fs::read_to_string(task.path().join("children"))?;
        if let Some(child) = children.split_whitespace().next() {
            return Ok(child.parse()?);
        }
    }
    anyhow::bail!("process {pid} has no child")
}
