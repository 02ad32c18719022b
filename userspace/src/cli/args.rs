//! The command line (CONTRACT, Commands).

use super::ring::RingSize;
use super::suite::{MlrsearchArgs, ReportArgs, Rfc2544Args, Y1564Args};
use crate::units::parse_duration;
use clap::{Args, Parser, Subcommand};
use std::{path::PathBuf, time::Duration};

/// Traffic generation and measurement on ordinary Linux NICs.
#[derive(Debug, Parser)]
#[command(name = "linerate", version, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the ports of this machine, or tell all about one
    #[command(
        after_help = "Example:\n  linerate ports\n  linerate ports ens1f0@lab --probe\n  linerate ports --json -"
    )]
    Ports(PortsArgs),
    /// Send flows and measure every frame
    #[command(after_help = "Examples:\n  linerate run customers.toml --for 10s\n  \
        linerate run --tx ens1f0 --rx ens1f1 --ipv4 198.18.1.2,198.19.1.2 --udp 49184,7 \\\n    \
        --size 64 --rate 10% --bidir --for 10s")]
    Run(Box<RunArgs>),
    /// Show the frames of a flow file without sending them; needs no privilege
    #[command(after_help = "Examples:\n  linerate show customers.toml --count 5\n  \
        linerate show customers.toml --pcap - | tshark -r -")]
    Show(Box<ShowArgs>),
    /// Measure what the tester itself adds to a latency, over a cable between two ports
    #[command(
        after_help = "Only a cable (or a veth pair) may be between the ports; frames are sent both ways.\n\
        Results are kept under $XDG_STATE_HOME/linerate, else /var/lib/linerate (root) or\n\
        ~/.local/state/linerate, and taken off by `run` while they hold.\n\n\
        Example:\n  linerate calibrate ens1f0 ens1f1"
    )]
    Calibrate(CalibrateArgs),
    /// Compare two results of run, flow by flow; exits 1 where they differ by more
    #[command(after_help = "Example:\n  linerate compare before.json after.json --tolerance 2%")]
    Compare(CompareArgs),
    /// Write what passes a port to a pcapng file; the kernel keeps its traffic
    #[command(after_help = "Examples:\n  linerate capture ens1f1 --write all.pcapng --for 10s\n  \
        linerate capture ens1f1 --write - --filter 'udp and not port 53' | tshark -r -")]
    Capture(CaptureArgs),
    /// Send the frames of a capture again, and count them where they arrive
    #[command(after_help = "Examples:\n  linerate replay dns.pcapng --tx ens1f0 --rx ens1f1\n  \
        linerate replay dns.pcapng --tx ens1f0 --rx ens1f1 --rate 100kpps --for 60s")]
    Replay(Box<ReplayArgs>),
    /// Send test frames back, or datagrams to UDP port 7; everything else passes
    #[command(
        after_help = "A sender whose `tx` and `rx` are one port measures the round trip.\n\n\
        Examples:\n  linerate respond ens1f1\n  \
        linerate respond ens1f1 --udp-echo --addr 198.18.1.1,2001:2::1 --for 60s --json result.json"
    )]
    Respond(super::RespondArgs),
    /// Serve REST and a live stream: one daemon for people, scripts and programs
    #[cfg(feature = "serve")]
    #[command(after_help = "Examples:\n  linerate serve\n  \
        linerate serve --listen 192.0.2.1:8080 --token-file token --alias west=ens1f0")]
    Serve(super::ServeArgs),
    /// Find throughput, latency, loss and bursts of a device (RFC 2544, RFC 9004, RFC 6201)
    #[command(
        after_help = "Examples:\n  linerate rfc2544 --tx ens1f0 --rx ens1f1 --bidir --html report.html\n  \
        linerate rfc2544 suite.toml --profile rfc --json result.json --csv tables\n  \
        linerate rfc2544 --dut sim:link=10G,capacity=10Mpps,buffer=1024 --sizes rfc\n\n\
        Without a profile it is quick: trials of 1s, a few repeats, minutes in all.\n\
        Exit code 1: a threshold of [pass] was missed; 2: not measured to its end, or the\n\
        tester was the limit where a threshold asks for more."
    )]
    Rfc2544(Box<Rfc2544Args>),
    /// Find several loss goals in one search (RFC 9971)
    #[command(
        after_help = "Examples:\n  linerate mlrsearch --tx ens1f0 --rx ens1f1 --goals NDR,PDR\n  \
        linerate mlrsearch suite.toml --json -"
    )]
    Mlrsearch(Box<MlrsearchArgs>),
    /// Test services against what they were promised (ITU-T Y.1564)
    #[command(after_help = "Examples:\n  linerate y1564 services.toml --html report.html\n  \
        linerate y1564 services.toml --dut sim:link=1G,capacity=100Mbps --json -")]
    Y1564(Box<Y1564Args>),
    /// Show a suite's result again, or in other forms; exits as the suite did
    #[command(after_help = "Examples:\n  linerate report result.json --html report.html\n  \
        linerate report --schema rfc2544")]
    Report(ReportArgs),
    /// The data plane of `serve`, which starts it
    #[cfg(feature = "serve")]
    #[command(hide = true)]
    Engine(EngineArgs),
}

/// `linerate engine`.
#[cfg(feature = "serve")]
#[derive(Debug, Args)]
pub struct EngineArgs {
    /// The worker of this generation; without it the process that starts them
    #[arg(long)]
    pub generation: Option<u32>,
}

/// `linerate ports`.
#[derive(Debug, Args)]
pub struct PortsArgs {
    /// A PORT: `ens1f0`, `ens1f0@netns` or `pci:0000:17:00.0`
    pub port: Option<String>,
    /// Measure the ceiling of the port: sends for two seconds, as fast as it goes
    #[arg(long, requires = "port")]
    pub probe: bool,
    /// Write everything about the ports as JSON to PATH; `-`: to stdout, and nothing else
    #[arg(long, value_name = "PATH")]
    pub json: Option<PathBuf>,
}

/// Where flows come from: a file, or one flow from flags.
#[derive(Debug, Args)]
pub struct FlowArgs {
    /// Flow file (TOML, or YAML by its ending)
    #[arg(conflicts_with_all = ["tx", "rx", "ipv4", "ipv6", "udp", "tcp", "vlan", "eth", "size", "track", "rate", "bidir", "frames"])]
    pub file: Option<PathBuf>,
    /// Transmitting PORT
    #[arg(long, value_name = "PORT", required_unless_present = "file")]
    pub tx: Option<String>,
    /// Receiving PORT; without it nothing is measured
    #[arg(long, value_name = "PORT")]
    pub rx: Option<String>,
    /// MAC addresses of the frames; `auto` asks by ARP or ND
    #[arg(long, value_name = "SRC,DST")]
    pub eth: Option<String>,
    /// VLAN id; repeat for `QinQ`, outermost first
    #[arg(long, value_name = "ID")]
    pub vlan: Vec<String>,
    /// IPv4 addresses
    #[arg(long, value_name = "SRC,DST", conflicts_with = "ipv6")]
    pub ipv4: Option<String>,
    /// IPv6 addresses
    #[arg(long, value_name = "SRC,DST")]
    pub ipv6: Option<String>,
    /// UDP ports
    #[arg(long, value_name = "SRC,DST", conflicts_with = "tcp")]
    pub udp: Option<String>,
    /// TCP ports
    #[arg(long, value_name = "SRC,DST")]
    pub tcp: Option<String>,
    /// Frame size with FCS: `64`, `64,512,1518` or `imix`
    #[arg(long, value_name = "SIZE")]
    pub size: Option<String>,
    /// How frames are told: `tag` (the default), `count` (by their headers, counted only) or `none`
    #[arg(long, value_name = "HOW")]
    pub track: Option<String>,
    /// `100kpps`, `800Mbps`, `1Gbps-l1`, `10%` or `max`
    #[arg(long, value_name = "RATE")]
    pub rate: Option<String>,
    /// The other direction too, addresses and ports swapped
    #[arg(long)]
    pub bidir: bool,
    /// Send exactly so many frames
    #[arg(long, value_name = "N", conflicts_with = "for")]
    pub frames: Option<String>,
    /// How long every flow sends: `10s`
    #[arg(long = "for", id = "for", value_name = "TIME")]
    pub duration: Option<String>,
    /// Scale all rates
    #[arg(long, value_name = "PERCENT")]
    pub scale: Option<String>,
    /// Another PORT for a name of the file
    #[arg(long = "port", value_name = "NAME=PORT")]
    pub ports: Vec<String>,
}

/// `linerate run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Where flows come from.
    #[command(flatten)]
    pub flow: FlowArgs,
    /// How frames are sent
    #[arg(long, default_value = "auto", value_name = "BACKEND")]
    pub backend: Backend,
    /// How the result is shown.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How the result of a run is shown.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Write the result as JSON; `-`: to stdout, and all else to stderr
    #[arg(long, value_name = "PATH")]
    pub json: Option<PathBuf>,
    /// Put the ring of samples into the JSON
    #[arg(long, requires = "json")]
    pub samples: bool,
    /// Write a row per flow and sample for as long as it runs; `.jsonl` or `.csv`
    #[arg(long, value_name = "PATH")]
    pub series: Option<PathBuf>,
    /// Length of a sample
    #[arg(long, default_value = "1s", value_name = "TIME", value_parser = duration)]
    pub interval: Duration,
    /// Samples kept of each flow
    #[arg(long, default_value_t = 300, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub history: u32,
    /// No live lines and no table
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say how the ports are used
    #[arg(short, long)]
    pub verbose: bool,
}

/// `linerate show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Where flows come from.
    #[command(flatten)]
    pub flow: FlowArgs,
    /// Frames to show of each flow
    #[arg(long, default_value_t = 3, value_name = "N")]
    pub count: u64,
    /// Write these frames as pcap; `-`: to stdout
    #[arg(long, value_name = "PATH")]
    pub pcap: Option<PathBuf>,
}

/// `linerate calibrate`.
#[derive(Debug, Args)]
pub struct CalibrateArgs {
    /// One PORT
    pub a: String,
    /// The PORT at the other end of the cable
    pub b: String,
    /// Frame sizes with FCS; later runs may use sizes between the least and the greatest
    #[arg(long, default_value = "64,512,1518", value_name = "SIZE,...")]
    pub sizes: String,
    /// Rates; later runs may use rates between the least and the greatest
    #[arg(long, default_value = "1kpps,10kpps,100kpps", value_name = "RATE,...")]
    pub rates: String,
    /// How long each size and rate is measured, each way
    #[arg(long = "for", default_value = "2s", value_name = "TIME", value_parser = super::calibrate::duration)]
    pub duration: String,
    /// Write what was measured as JSON; `-`: to stdout, and all else to stderr
    #[arg(long, value_name = "PATH")]
    pub json: Option<PathBuf>,
}

/// `linerate compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// A result of `run --json PATH`: what is compared with
    pub a: PathBuf,
    /// The result that is compared
    pub b: PathBuf,
    /// How far each value of B may lie from that of A
    #[arg(long, default_value = "2%", value_name = "PERCENT")]
    pub tolerance: String,
    /// Write the comparison as JSON; `-`: to stdout, and all else to stderr
    #[arg(long, value_name = "PATH")]
    pub json: Option<PathBuf>,
}

/// `linerate capture`.
#[derive(Debug, Args)]
pub struct CaptureArgs {
    /// A PORT: `ens1f0`, `ens1f0@netns` or `pci:0000:17:00.0`
    pub port: String,
    /// The pcapng file; `-`: stdout
    #[arg(short, long, value_name = "PATH")]
    pub write: PathBuf,
    /// Keep the last frames in files of this size that take turns: `5x100MB` with `--write
    /// all.pcapng` is all.1.pcapng to all.5.pcapng
    #[arg(long, value_name = "FILESxSIZE")]
    pub ring: Option<RingSize>,
    /// Octets kept of each frame
    #[arg(long, default_value_t = 262_144, value_name = "N", value_parser = clap::value_parser!(u32).range(14..=262_144))]
    pub snap: u32,
    /// Which frames: `udp and not port 53`, as in tcpdump; the message to a wrong one has all words
    #[arg(long, value_name = "EXPRESSION")]
    pub filter: Option<String>,
    /// Stop after so many frames
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Stop after this time: `10s`
    #[arg(long = "for", id = "for", value_name = "TIME", value_parser = duration)]
    pub duration: Option<Duration>,
    /// No summary
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say how the port is used
    #[arg(short, long)]
    pub verbose: bool,
}

/// `linerate replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Capture of Ethernet frames: pcap or pcapng; `-`: from stdin
    pub file: PathBuf,
    /// Transmitting PORT
    #[arg(long, value_name = "PORT")]
    pub tx: String,
    /// Receiving PORT, where frames are known by their content; without it none is counted
    #[arg(long, value_name = "PORT")]
    pub rx: Option<String>,
    /// The gaps of the capture, so many times as fast: `2x`, `0.5x`
    #[arg(long, value_name = "FACTOR", conflicts_with = "rate")]
    pub speed: Option<String>,
    /// Instead of the gaps of the capture: `100kpps`, `800Mbps`, `1Gbps-l1`, `10%` or `max`
    #[arg(long, value_name = "RATE")]
    pub rate: Option<String>,
    /// Send the file so many times, or `forever`; 1 unless --for or --frames ends it
    #[arg(long = "loop", value_name = "N")]
    pub rounds: Option<String>,
    /// Stop after so many frames
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub frames: Option<u64>,
    /// Stop after this time: `10s`
    #[arg(long = "for", id = "for", value_name = "TIME", value_parser = duration)]
    pub duration: Option<Duration>,
    /// Fill frames that are too short, or were captured in part, with zeros
    #[arg(long)]
    pub pad: bool,
    /// How the result is shown.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `--backend`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Backend {
    /// The fastest that keeps what the flow asks
    Auto,
    /// `AF_XDP` sockets
    #[value(name = "af_xdp")]
    AfXdp,
    /// BPF live frames
    #[value(name = "live_frames")]
    LiveFrames,
}

impl From<Backend> for crate::tx::Backend {
    fn from(backend: Backend) -> Self {
        match backend {
            Backend::Auto => Self::Auto,
            Backend::AfXdp => Self::AfXdp,
            Backend::LiveFrames => Self::LiveFrames,
        }
    }
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text)
        .filter(|time| *time >= Duration::from_millis(1))
        .ok_or_else(|| "write a time of at least 1ms, such as 500ms, 10s, 5m or 1h".to_owned())
}
