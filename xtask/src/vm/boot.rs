//! One VM: its command line, what it prints, and what it asks of the machine around it.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};

use super::{Driver, Kernel, Lab, packages::Image};
use crate::{shell, stop, workspace};

/// A VM takes two minutes on a quiet machine, and much longer on a busy one: TCG computes.
const LONGEST: Duration = Duration::from_mins(15);

/// The target folder, as the VM sees it.
pub const SHARED: &str = "/mnt";

/// Where the VM finds this machine's programs and libraries until they are its own.
const PROGRAMS: &str = "/srv";

/// What stands before a line in which the VM asks for a command of QEMU's monitor.
pub const ASK: &str = "@monitor ";
/// What stands before the outcome of a check.
pub const PASSED: &str = "ok      ";
pub const FAILED: &str = "FAILED  ";
/// What stands before the modes that were obtained, TX and XDP.
pub const MODES: &str = "@modes ";
/// The last line.
pub const DONE: &str = "@done";

/// What was obtained, and how many checks passed and failed.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub modes: Option<String>,
    pub passed: u32,
    pub failed: u32,
}

/// A VM that dies with this.
struct Machine {
    child: Child,
    monitor: PathBuf,
}

impl Drop for Machine {
    fn drop(&mut self) {
        // `timeout` hands the signal on to QEMU.
        stop::end(&mut self.child);
        for socket in
            [&self.monitor, &end_of_wire(&self.monitor, 0), &end_of_wire(&self.monitor, 1)]
        {
            let _ = std::fs::remove_file(socket);
        }
    }
}

/// Boots, lets the guest check, and wants its last line.
pub fn boot(lab: &Lab, image: &Image, driver: Driver, kernel: Kernel) -> Result<Tally> {
    let name = format!("{}-{}", image.version, driver.module());
    let monitor = std::env::temp_dir().join(format!("linerate-vm-{}", std::process::id()));
    let console = workspace::target().join("vm").join(format!("{name}.console"));
    let mut command = command_line(lab, image, driver, kernel, &monitor);
    command.stdout(Stdio::piped()).stderr(File::create(&console)?);
    let child =
        command.spawn().with_context(|| format!("cannot start {}", shell::shown(&command)))?;
    let mut machine = Machine { child, monitor };
    let output = machine.child.stdout.take().context("no pipe")?;

    let (lines, heard) = mpsc::channel();
    thread::spawn(move || {
        // A guest that dies may cut a character in half.
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if lines.send(line).is_err() {
                return;
            }
        }
    });
    let begun = Instant::now();
    let mut tally = Tally::default();
    loop {
        stop::check()?;
        ensure!(begun.elapsed() < LONGEST, "it hangs; see {}", console.display());
        match heard.recv_timeout(Duration::from_millis(200)) {
            Ok(line) if line.starts_with(DONE) => return Ok(tally),
            Ok(line) => {
                if let Some(wanted) = line.strip_prefix(ASK) {
                    ask(&machine.monitor, wanted)?;
                    continue;
                }
                if let Some(modes) = line.strip_prefix(MODES) {
                    tally.modes = Some(modes.to_owned());
                    continue;
                }
                tally.passed += u32::from(line.starts_with(PASSED));
                tally.failed += u32::from(line.starts_with(FAILED));
                println!("{:6.1} s  {line}", begun.elapsed().as_secs_f64());
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                bail!("it ended before its checks did; see {}", console.display())
            }
        }
    }
}

fn command_line(
    lab: &Lab,
    image: &Image,
    driver: Driver,
    kernel: Kernel,
    monitor: &Path,
) -> Command {
    let limit = (LONGEST.as_secs() + 10).to_string();
    let mut command = shell::command("nice", &["-n", "5", "timeout", "-k", "5", &limit]);
    command.arg(&lab.virtme).arg("--kimg").arg(&image.path);
    // --disable-microvm: a board with PCI Express. Its own file system stays read-only.
    command.args(["--mods", "auto", "--disable-kvm", "--disable-microvm", "--force-9p"]);
    command.args(["--memory", "2G", "--cpus", "2", "--kopt", "net.ifnames=0"]);
    // On a busy machine an emulated timer may seem broken, at which a kernel panics.
    command.args(["--kopt", "no_timer_check"]);
    command.arg("--rodir").arg(format!("{SHARED}={}", workspace::target().display()));
    command.arg("--rodir").arg(format!("{PROGRAMS}=/usr"));
    let modes = driver.modes(kernel);
    command.arg("--script-sh").arg(format!(
        "{} && {SHARED}/debug/xtask vm-guest --kernel {kernel} --module {} --modules {} --program-tests {} --tx-mode {} --rx-mode {}",
        cached(),
        driver.module(),
        in_vm(&image.root),
        in_vm(&lab.program_tests),
        modes.tx,
        modes.rx
    ));
    command.arg("--qemu-opts");
    command.args([
        "-chardev",
        &format!("socket,id=hmp,path={},server=on,wait=off", monitor.display()),
    ]);
    command.args(["-mon", "chardev=hmp,mode=readline"]);
    for (index, mac) in super::nic::MACS.iter().enumerate() {
        let slot = 21 + index;
        // igb wants a root port of its own.
        command
            .args(["-device", &format!("pcie-root-port,id=rp{index},slot={slot},chassis={slot}")]);
        command.args(["-netdev", &wire(index, monitor)]);
        let device = driver.device();
        command.args([
            "-device",
            &format!("{device},id=nic{index},bus=rp{index},netdev=end{index},mac={mac}"),
        ]);
    }
    command
}

/// A path under the target folder, as the VM sees it.
fn in_vm(path: &Path) -> String {
    let path = path.strip_prefix(workspace::target()).unwrap_or(path);
    Path::new(SHARED).join(path).display().to_string()
}

/// Mounts both folders anew, with a cache: without it every start of linerate takes four
/// seconds, and of `ethtool` one. Nothing in them changes while the VM runs.
fn cached() -> String {
    let mount = "mount -t 9p -o ro,version=9p2000.L,trans=virtio,msize=524288,cache=loose";
    format!(
        "umount {SHARED} {PROGRAMS} && {mount} virtme.initmount0 {SHARED} && {mount} virtme.initmount1 /usr"
    )
}

/// One end of what joins the NICs: sockets keep the order of the frames. A hub lets new ones
/// overtake those that it had to hold back while the receiving NIC had no buffers.
fn wire(index: usize, monitor: &Path) -> String {
    let [here, there] = [index, 1 - index].map(|index| end_of_wire(monitor, index));
    let (here, there) = (here.display(), there.display());
    format!(
        "dgram,id=end{index},local.type=unix,local.path={here},remote.type=unix,remote.path={there}"
    )
}

fn end_of_wire(monitor: &Path, index: usize) -> PathBuf {
    monitor.with_extension(format!("end{index}"))
}

/// Gives a command to QEMU's monitor. What it answers is an echo; the guest sees the effect.
fn ask(monitor: &Path, command: &str) -> Result<()> {
    let mut stream = UnixStream::connect(monitor).context("QEMU's monitor does not answer")?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(format!("{command}\n").as_bytes())?;
    // The prompt after the command says that it was carried out.
    let mut prompts = 0;
    for part in BufReader::new(stream).split(b'(').map_while(Result::ok) {
        prompts += u32::from(part.starts_with(b"qemu)"));
        if prompts > 1 {
            break;
        }
    }
    Ok(())
}
