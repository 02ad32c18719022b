//! Where and when numbers were measured: without this they say nothing.

use std::fs;

use serde_json::{Value, json};

use crate::{shell, workspace};

pub struct Machine {
    pub cpu: String,
    pub cpus: usize,
    pub kernel: String,
    /// UTC, RFC 3339.
    pub date: String,
    /// Of the tree that was built; `+`: with changes.
    pub commit: String,
}

impl Machine {
    pub fn this() -> Self {
        let unknown = || "unknown".to_owned();
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find(|line| line.starts_with("model name"));
        let says = |program: &str, arguments: &[&str]| {
            let mut command = shell::command(program, arguments);
            shell::read(command.current_dir(workspace::root()))
                .ok()
                .map(|said| said.trim().to_owned())
        };
        let changed = says("git", &["status", "--porcelain"]).is_some_and(|said| !said.is_empty());
        let commit = says("git", &["rev-parse", "--short", "HEAD"]).unwrap_or_else(unknown);
        Self {
            cpu: model
                .and_then(|line| Some(line.split_once(':')?.1.trim().to_owned()))
                .unwrap_or_else(unknown),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
                .map_or_else(|_| unknown(), |release| release.trim().to_owned()),
            date: says("date", &["-u", "+%Y-%m-%dT%H:%M:%SZ"]).unwrap_or_else(unknown),
            commit: if changed { commit + "+" } else { commit },
        }
    }

    pub fn line(&self) -> String {
        format!(
            "{}, {} CPUs, Linux {}, {}, commit {}",
            self.cpu, self.cpus, self.kernel, self.date, self.commit
        )
    }

    pub fn json(&self) -> Value {
        json!({
            "cpu": self.cpu,
            "cpus": self.cpus,
            "kernel": self.kernel,
            "date": self.date,
            "commit": self.commit,
        })
    }
}
