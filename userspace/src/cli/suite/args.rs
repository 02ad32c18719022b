//! The flags of the suites (CONTRACT, Commands).

use crate::{cli::args::Backend, spec::SuiteFlags};
use clap::Args;
use std::path::PathBuf;

/// `linerate rfc2544`.
#[derive(Debug, Args)]
pub struct Rfc2544Args {
    /// Suite file (TOML, or YAML by its ending)
    pub file: Option<PathBuf>,
    /// What all suites take.
    #[command(flatten)]
    pub suite: SuiteArgs,
    /// Sizes of the rows: `64,1518,imix`, or `rfc` for the seven of RFC 2544
    #[arg(long, value_name = "SIZE,...")]
    pub sizes: Option<String>,
    /// Of throughput,latency,loss,back-to-back,recovery,reset; the throughput is always sought
    #[arg(long, value_name = "TEST,...")]
    pub tests: Option<String>,
    /// Where the search for the throughput ends: `0.1%` of line rate, or `1fps`
    #[arg(long, value_name = "STEP")]
    pub resolution: Option<String>,
    /// How often latency, bursts, recovery and reset are measured
    #[arg(long, value_name = "N")]
    pub repeats: Option<String>,
    /// No load above it is tried: `50%`, `1Mpps`
    #[arg(long, value_name = "RATE")]
    pub max_rate: Option<String>,
}

/// `linerate mlrsearch`.
#[derive(Debug, Args)]
pub struct MlrsearchArgs {
    /// Suite file (TOML, or YAML by its ending)
    pub file: Option<PathBuf>,
    /// What all suites take.
    #[command(flatten)]
    pub suite: SuiteArgs,
    /// Sizes of the rows: `64,1518,imix`, or `rfc` for the seven of RFC 2544
    #[arg(long, value_name = "SIZE,...")]
    pub sizes: Option<String>,
    /// What is sought: NDR, PDR, RFC2544, TST009
    #[arg(long, value_name = "GOAL,...")]
    pub goals: Option<String>,
    /// No load above it is tried: `50%`, `1Mpps`
    #[arg(long, value_name = "RATE")]
    pub max_rate: Option<String>,
}

/// `linerate y1564`.
#[derive(Debug, Args)]
pub struct Y1564Args {
    /// Suite file (TOML, or YAML by its ending) with a [[service]] or more
    pub file: PathBuf,
    /// What all suites take.
    #[command(flatten)]
    pub suite: SuiteArgs,
}

/// What all suites take.
#[derive(Debug, Args)]
pub struct SuiteArgs {
    /// Sending PORT, or a name under [ports]
    #[arg(long, value_name = "PORT", requires = "rx")]
    pub tx: Option<String>,
    /// Receiving PORT
    #[arg(long, value_name = "PORT", requires = "tx")]
    pub rx: Option<String>,
    /// A simulated device, in virtual time: `sim:link=10G,capacity=10Mpps,buffer=1024`
    #[arg(long, value_name = "sim:...", conflicts_with_all = ["tx", "rx"])]
    pub dut: Option<String>,
    /// Both directions at once
    #[arg(long)]
    pub bidir: bool,
    /// Length of the trials of all chosen tests: `60s`
    #[arg(long, value_name = "TIME")]
    pub trial: Option<String>,
    /// Where values come from that are not given: quick (minutes) or rfc (what RFCs ask)
    #[arg(long, value_name = "PROFILE")]
    pub profile: Option<String>,
    /// How frames are sent
    #[arg(long, default_value = "auto", value_name = "BACKEND")]
    pub backend: Backend,
    /// Write every finished trial to a file that --resume reads
    #[arg(long, value_name = "PATH", conflicts_with = "resume")]
    pub log: Option<PathBuf>,
    /// Go on with a suite that was broken off: the file that --log wrote
    #[arg(long, value_name = "PATH")]
    pub resume: Option<PathBuf>,
    /// Where the result goes.
    #[command(flatten)]
    pub forms: FormArgs,
    /// No progress and no table
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say how the ports are used
    #[arg(short, long)]
    pub verbose: bool,
}

/// Where the result of a suite goes.
#[derive(Debug, Args)]
pub struct FormArgs {
    /// Write the result as JSON; `-`: to stdout, and all else to stderr
    #[arg(long, value_name = "PATH")]
    pub json: Option<PathBuf>,
    /// Write it as one self-contained HTML page
    #[arg(long, value_name = "PATH")]
    pub html: Option<PathBuf>,
    /// Write a CSV file for each test, and one of every trial, into this directory
    #[arg(long, value_name = "DIR")]
    pub csv: Option<PathBuf>,
    /// Write it as JUnit XML
    #[arg(long, value_name = "PATH")]
    pub junit: Option<PathBuf>,
}

/// `linerate report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// A result that a suite wrote with --json
    #[arg(required_unless_present = "schema")]
    pub file: Option<PathBuf>,
    /// Print the JSON Schema of a suite's results instead: rfc2544, mlrsearch or y1564
    #[arg(long, value_name = "SUITE", conflicts_with_all = ["file", "json", "html", "csv", "junit"])]
    pub schema: Option<String>,
    /// Where the result goes.
    #[command(flatten)]
    pub forms: FormArgs,
    /// No table
    #[arg(short, long)]
    pub quiet: bool,
}

impl SuiteArgs {
    fn flags(&self) -> SuiteFlags {
        SuiteFlags {
            tx: self.tx.clone(),
            rx: self.rx.clone(),
            dut: self.dut.clone(),
            bidir: self.bidir,
            trial: self.trial.clone(),
            profile: self.profile.clone(),
            ..SuiteFlags::default()
        }
    }
}

impl Rfc2544Args {
    pub(in crate::cli) fn flags(&self) -> SuiteFlags {
        SuiteFlags {
            sizes: self.sizes.clone(),
            tests: self.tests.clone(),
            resolution: self.resolution.clone(),
            repeats: self.repeats.clone(),
            max_rate: self.max_rate.clone(),
            ..self.suite.flags()
        }
    }
}

impl MlrsearchArgs {
    pub(in crate::cli) fn flags(&self) -> SuiteFlags {
        SuiteFlags {
            sizes: self.sizes.clone(),
            goals: self.goals.clone(),
            max_rate: self.max_rate.clone(),
            ..self.suite.flags()
        }
    }
}

impl Y1564Args {
    pub(in crate::cli) fn flags(&self) -> SuiteFlags {
        self.suite.flags()
    }
}
