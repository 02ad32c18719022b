//! One veth pair, a receiver that drops in the driver, and the kernel's counter.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use aya::{
    Ebpf,
    programs::{Xdp, XdpMode},
};
use rustix::process::{Pid, Signal, kill_process_group};

use super::frame::FRAME_BYTES;
use crate::{
    ebpf::{build, kernel},
    lab::OwnLab,
    privilege::Privilege,
    stop, workspace,
};

const WARM_UP: Duration = Duration::from_secs(2);

/// One measurement.
#[derive(Clone, Debug)]
pub struct Sample {
    pub fps: f64,
    /// Share of the window that the CPUs of the other cores were busy, with anything.
    pub others_busy: f64,
}

/// Torn down when dropped: first the receiver's program, then the lab.
#[derive(Debug)]
pub struct Rig {
    /// Its XDP program is attached for as long as this lives.
    _receiver: Ebpf,
    pub own: OwnLab,
    /// Configurations, captures and what the generators say.
    pub folder: PathBuf,
}

impl Rig {
    pub fn up() -> Result<Self> {
        // One queue: all frames of a generator meet one receiving queue.
        let own = OwnLab::up("bench", 1, Privilege::Root)?;
        let folder = std::env::temp_dir().join(format!("linerate-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let source = workspace::root().join("xtask/src/bench/drop.bpf.c");
        let object = build::compile(&source, &folder)?;
        let mut receiver = Ebpf::load_file(object).context("cannot load the dropping receiver")?;
        let east = &own.lab.east;
        kernel::in_netns(Some(&east.netns), || {
            let program: &mut Xdp =
                receiver.program_mut("drop_all").context("no drop_all")?.try_into()?;
            program.load()?;
            program.attach(east.interface, XdpMode::Driver)?;
            Ok(())
        })?;
        Ok(Self { _receiver: receiver, own, folder })
    }

    /// Starts a generator, lets it warm up, counts at the receiver, and ends it.
    pub fn measure(&self, command: &[String], window: Duration) -> Result<Sample> {
        let log = self.folder.join("log");
        let out = File::create(&log)?;
        let (program, arguments) = command.split_first().context("an empty command")?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.folder).stdin(std::process::Stdio::null());
        command.stdout(out.try_clone()?).stderr(out);
        // A group of its own: trafgen forks.
        let child = command.process_group(0).spawn();
        let mut running = Running(child.with_context(|| format!("cannot start {program}"))?);
        let sample = self.count(window);
        if let Some(status) = running.0.try_wait()? {
            bail!("it ended by itself with {status}: {}", last_words(&log));
        }
        let sample = sample?;
        ensure!(sample.fps > 0.0, "no frame arrived: {}", last_words(&log));
        Ok(sample)
    }

    fn count(&self, window: Duration) -> Result<Sample> {
        pause(WARM_UP)?;
        let (before, started, idle) = (self.received()?, Instant::now(), Cpus::read()?);
        pause(window)?;
        let (after, elapsed, busy) = (self.received()?, started.elapsed(), Cpus::read()?);
        let (frames, bytes) = (after.0 - before.0, after.1 - before.1);
        // veth counts what native XDP drops without the Ethernet header. The two counters
        // are not read at one instant, and the kernel may send a frame of its own.
        let mean = bytes as f64 / frames.max(1) as f64;
        let sizes = [FRAME_BYTES as f64, FRAME_BYTES as f64 - 14.0];
        ensure!(
            frames == 0 || sizes.iter().any(|size| (mean - size).abs() < 0.1),
            "frames of {mean:.1} octets arrived, not of {FRAME_BYTES}",
        );
        Ok(Sample {
            fps: frames as f64 / elapsed.as_secs_f64(),
            others_busy: busy.others_busy_since(&idle),
        })
    }

    /// Frames and octets that the kernel counted at the receiver.
    fn received(&self) -> Result<(u64, u64)> {
        let link = self.own.lab.link(&self.own.lab.east)?;
        let counter = |key: &str| {
            link["stats64"]["rx"][key].as_u64().with_context(|| format!("no rx {key} in ip's JSON"))
        };
        Ok((counter("packets")?, counter("bytes")?))
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // The folder is in the temporary directory and of no use any more.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Sleeps, but not through a Ctrl-C.
fn pause(time: Duration) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < time {
        stop::check()?;
        thread::sleep(Duration::from_millis(20).min(time.saturating_sub(start.elapsed())));
    }
    Ok(())
}

fn last_words(log: &std::path::Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(3)..].join(" / ")
}

/// A generator with all its children; ended when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let Some(group) = Pid::from_raw(self.0.id() as i32) else { return };
        for (signal, patience) in [(Signal::INT, 2000), (Signal::TERM, 1000), (Signal::KILL, 1000)]
        {
            // An error means that nothing of the group is left.
            if kill_process_group(group, signal).is_err() {
                break;
            }
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(patience)
                && matches!(self.0.try_wait(), Ok(None))
            {
                thread::sleep(Duration::from_millis(10));
            }
        }
        let _ = self.0.wait();
    }
}

/// Busy and all ticks of the CPUs that no generator is bound to.
struct Cpus {
    busy: u64,
    all: u64,
}

impl Cpus {
    fn read() -> Result<Self> {
        Ok(Self::parse(&fs::read_to_string("/proc/stat")?))
    }

    /// The lines of proc_stat(5): user nice system idle iowait irq softirq steal.
    fn parse(text: &str) -> Self {
        let (mut busy, mut all) = (0, 0);
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let name = words.next().unwrap_or_default();
            if !name.starts_with("cpu") || ["cpu", &*format!("cpu{}", super::CPU)].contains(&name) {
                continue;
            }
            let ticks: Vec<u64> = words.take(8).filter_map(|word| word.parse().ok()).collect();
            let total: u64 = ticks.iter().sum();
            let idle = ticks.get(3).unwrap_or(&0) + ticks.get(4).unwrap_or(&0);
            busy += total - idle;
            all += total;
        }
        Self { busy, all }
    }

    fn others_busy_since(&self, before: &Self) -> f64 {
        match self.all.saturating_sub(before.all) {
            0 => 0.0,
            all => self.busy.saturating_sub(before.busy) as f64 / all as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_other_cpus_are_looked_at() {
        let before = Cpus::parse("cpu 9 9 9 9\ncpu0 90 0 10 0 0 0 0 0\ncpu1 0 0 0 100 0 0 0 0\n");
        let after =
            Cpus::parse("cpu 9 9 9 9\ncpu0 190 0 10 0 0 0 0 0\ncpu1 20 0 5 170 5 0 0 0\nintr 1");
        assert!((after.others_busy_since(&before) - 0.25).abs() < 1e-9);
    }
}
