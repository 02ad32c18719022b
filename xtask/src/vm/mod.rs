//! `cargo xtask vm-test`: linerate on the drivers of NICs, under the kernels of Debian.
//!
//! QEMU emulates two NICs with a wire between them (no KVM: every machine can), virtme-ng boots a
//! kernel on this machine's own file system, and `guest` runs linerate there as a black box.
//!
//! ```text
//!   linerate --tx west --rx east          (inside the VM)
//!     west  igb | e1000e | virtio-net ====== east
//! ```

use std::{fmt, path::PathBuf, time::Instant};

use anyhow::{Result, anyhow, bail};

use crate::{
    setup::{self, Tier},
    shell, stop, workspace,
};

mod boot;
mod checks;
pub mod guest;
mod nic;
mod obtained;
pub mod packages;
mod programs;

#[derive(clap::Args)]
pub struct Args {
    /// Only this kernel
    #[arg(long, value_enum)]
    kernel: Option<Kernel>,
    /// Only this driver
    #[arg(long, value_enum)]
    driver: Option<Driver>,
}

/// A kernel of Debian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kernel {
    /// Debian 12
    #[value(name = "6.1")]
    V6_1,
    /// Debian 12's backports
    #[value(name = "6.12")]
    V6_12,
    /// Debian 13's backports
    Newest,
}

/// Whose NICs are emulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Driver {
    Igb,
    Virtio,
    E1000e,
}

/// What a driver gives under a kernel: asserted of every result, never assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modes {
    pub tx: &'static str,
    pub rx: &'static str,
}

const KERNELS: [Kernel; 3] = [Kernel::V6_1, Kernel::V6_12, Kernel::Newest];
const DRIVERS: [Driver; 3] = [Driver::Igb, Driver::Virtio, Driver::E1000e];

impl Driver {
    /// By the kernels' sources, and as seen: igb sends zero-copy since 6.14, e1000e has no
    /// native XDP.
    fn modes(self, kernel: Kernel) -> Modes {
        match (self, kernel) {
            (Self::Igb, Kernel::Newest) => Modes { tx: "zero-copy", rx: "native" },
            (Self::Igb | Self::Virtio, _) => Modes { tx: "copy", rx: "native" },
            (Self::E1000e, _) => Modes { tx: "copy", rx: "generic" },
        }
    }

    /// QEMU's name for the device, with what it takes.
    fn device(self) -> &'static str {
        match self {
            Self::Igb => "igb",
            // As long as the rings that the VM gives the others.
            Self::Virtio => "virtio-net-pci,rx_queue_size=1024",
            Self::E1000e => "e1000e",
        }
    }

    /// The kernel's module.
    fn module(self) -> &'static str {
        match self {
            Self::Igb => "igb",
            Self::Virtio => "virtio_net",
            Self::E1000e => "e1000e",
        }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V6_1 => "6.1",
            Self::V6_12 => "6.12",
            Self::Newest => "newest",
        })
    }
}

/// How one VM ended.
struct Row {
    kernel: String,
    driver: Driver,
    result: Result<boot::Tally>,
    seconds: u64,
}

pub fn main(args: &Args) -> Result<()> {
    stop::catch_signals()?;
    let kernels: Vec<_> =
        KERNELS.into_iter().filter(|kernel| args.kernel.is_none_or(|k| k == *kernel)).collect();
    let drivers: Vec<_> =
        DRIVERS.into_iter().filter(|driver| args.driver.is_none_or(|d| d == *driver)).collect();
    run(&kernels, &drivers)
}

/// The one that no change may break: zero-copy.
pub fn zero_copy() -> Result<()> {
    run(&[Kernel::Newest], &[Driver::Igb])
}

/// What can and cannot be had is found before the first VM starts.
fn run(kernels: &[Kernel], drivers: &[Driver]) -> Result<()> {
    let not_run = |error: anyhow::Error| match error.downcast_ref::<shell::Exit>() {
        Some(_) => error,
        None => shell::Exit { code: 1, message: format!("no VM: {error:#}") }.into(),
    };
    setup::ensure(Tier::Vm).map_err(not_run)?;
    let lab = Lab::prepare().map_err(not_run)?;
    let images: Vec<_> = kernels.iter().map(|&kernel| (kernel, packages::kernel(kernel))).collect();
    if let [(kernel, Err(why)), rest @ ..] = &images[..]
        && rest.iter().all(|(_, image)| image.is_err())
    {
        return Err(not_run(anyhow!("kernel {kernel} cannot be had: {why:#}")));
    }
    let mut rows = Vec::new();
    for (kernel, image) in &images {
        for &driver in drivers {
            stop::check()?;
            rows.push(match &image {
                Ok(image) => machine(&lab, image, driver, *kernel),
                Err(why) => Row::without_kernel(*kernel, driver, why),
            });
        }
    }
    summary(&rows)
}

fn machine(lab: &Lab, image: &packages::Image, driver: Driver, kernel: Kernel) -> Row {
    println!("\n== Linux {}, {driver:?}", image.version);
    let begun = Instant::now();
    let result = boot::boot(lab, image, driver, kernel);
    if let Err(error) = &result {
        println!("FAILED: {error:#}");
    }
    Row { kernel: image.version.clone(), driver, result, seconds: begun.elapsed().as_secs() }
}

impl Row {
    fn without_kernel(kernel: Kernel, driver: Driver, why: &anyhow::Error) -> Self {
        let result = Err(anyhow!("the kernel cannot be had: {why:#}"));
        Self { kernel: kernel.to_string(), driver, result, seconds: 0 }
    }
}

/// The modes are those that were obtained, by the word of the kernel in the VM.
fn summary(rows: &[Row]) -> Result<()> {
    println!("\n{:22}{:10}{:22}{:>6}  result", "kernel", "driver", "tx, xdp", "s");
    let mut failed = 0;
    for Row { kernel, driver, result, seconds } in rows {
        let modes = result.as_ref().ok().and_then(|tally| tally.modes.as_deref()).unwrap_or("-");
        let result = match result {
            Ok(tally) if tally.failed == 0 && tally.passed > 0 => {
                format!("{} passed", tally.passed)
            }
            Ok(tally) => format!("FAILED: {} of {}", tally.failed, tally.passed + tally.failed),
            Err(error) => format!("FAILED: {error:#}").lines().next().unwrap_or("").to_owned(),
        };
        failed += usize::from(result.starts_with("FAILED"));
        let driver = format!("{driver:?}").to_lowercase();
        println!("{kernel:22}{driver:10}{modes:22}{seconds:>6}  {result}");
    }
    if failed > 0 {
        bail!("{failed} of {} machines failed", rows.len());
    }
    Ok(())
}

/// What every VM needs beside its kernel.
struct Lab {
    /// virtme-ng's starter.
    virtme: PathBuf,
    /// The tests of xdp-ebpf.
    program_tests: PathBuf,
}

impl Lab {
    fn prepare() -> Result<Self> {
        let virtme = packages::virtme()?;
        // As the tests build it: with other features it would be built once more.
        let tests = ["--test", "system", "--test", "programs"];
        let build = [&["test", "--locked", "--workspace", "--no-run"], &tests[..]].concat();
        let program_tests = workspace::built(&build, "programs")?;
        Ok(Self { virtme, program_tests })
    }
}
