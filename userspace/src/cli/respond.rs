//! `linerate respond`.

use super::{
    Failure,
    args::duration,
    live::Screen,
    output::{create, stop_flag},
};
use crate::{
    nic::PortName,
    report::{RespondResult, respond_header, respond_line},
    session::{RespondFacts, RespondSession, RespondSpec, SessionError},
};
use clap::Args;
use std::{
    io::Write,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use xdp_ebpf::RespondMode;

/// Lines after which the titles are repeated.
const TITLES_EVERY: u64 = 20;

/// `linerate respond`.
#[derive(Debug, Args)]
pub struct RespondArgs {
    /// A PORT: `ens1f0`, `ens1f0@netns` or `pci:0000:17:00.0`
    pub port: String,
    /// What is sent back.
    #[command(flatten)]
    pub mode: ModeArgs,
    /// Addresses to play beside the kernel's own: answers ARP, ND and pings for them
    #[arg(long, value_name = "ADDRESS,...", value_delimiter = ',')]
    pub addr: Vec<IpAddr>,
    /// Stop after this time: `10s`
    #[arg(long = "for", id = "for", value_name = "TIME", value_parser = duration)]
    pub duration: Option<Duration>,
    /// Write what was counted as JSON; `-`: to stdout, and all else to stderr
    #[arg(long, value_name = "PATH")]
    pub json: Option<PathBuf>,
    /// No lines and no summary
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say how the port is used
    #[arg(short, long)]
    pub verbose: bool,
}

/// What is sent back; test frames with MAC addresses swapped unless asked otherwise.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct ModeArgs {
    /// Send test frames back with MAC addresses swapped: so it is unless asked otherwise
    #[arg(long)]
    pub l2: bool,
    /// Send test frames back with MAC and IP addresses swapped
    #[arg(long)]
    pub l3: bool,
    /// Send datagrams to UDP port 7 of its addresses back, ports swapped too (RFC 862)
    #[arg(long)]
    pub udp_echo: bool,
}

pub(super) fn main(args: &RespondArgs) -> Result<u8, Failure> {
    let port = args.port.parse::<PortName>().map_err(SessionError::from)?;
    let mode = match () {
        () if args.mode.udp_echo => RespondMode::UdpEcho,
        () if args.mode.l3 => RespondMode::L3,
        () => RespondMode::L2,
    };
    let addresses = args.addr.clone();
    if let Some(group) = addresses.iter().find(|address| address.is_multicast()) {
        return Err(Failure::usage(format!("--addr {group}: nobody is a group; give an address")));
    }
    let on_stdout = args.json.as_deref() == Some(Path::new("-"));
    let screen = if on_stdout { Screen::Stderr } else { Screen::Stdout };
    let json = args.json.as_deref().filter(|_| !on_stdout).map(create).transpose()?;
    let stop = stop_flag()?;
    let spec = RespondSpec { port, mode, addresses, duration: args.duration };
    let session = RespondSession::open(spec)?;
    let say = |notes: &[String]| notes.iter().for_each(|note| anstream::eprintln!("{note}"));
    if args.verbose {
        say(&session.notes());
    }
    let live = screen.is_terminal() && !args.quiet;
    let mut before: Option<RespondFacts> = None;
    let mut told = if args.verbose { session.notes() } else { Vec::new() };
    let mut lines = 0;
    let facts = session.run(&stop, &mut |facts| {
        if live {
            if lines % TITLES_EVERY == 0 {
                screen.print(&respond_header());
            }
            lines += 1;
            screen.print(&respond_line(facts, before.as_ref()));
        }
        // Once: the numbers in it grow.
        if !args.quiet && facts.notes.len() > told.len() {
            say(&facts.notes[told.len()..]);
            told.clone_from(&facts.notes);
        }
        before = Some(facts.clone());
    })?;
    let result = RespondResult::new(&facts, mode);
    if !args.quiet {
        screen.print(&result.summary());
        say(&facts.notes);
    }
    let failed = |path: &str, error: &dyn std::fmt::Display| Failure {
        code: 2,
        message: format!("--json {path}: {error}"),
    };
    let text = result.to_json().map_err(|error| failed("", &error))?;
    if let Some((mut file, path)) = json {
        file.write_all(text.as_bytes()).map_err(|error| failed(&path, &error))?;
    }
    if on_stdout {
        std::io::stdout().write_all(text.as_bytes()).map_err(|error| failed("-", &error))?;
    }
    match facts.fault {
        Some(fault) => Err(Failure { code: 2, message: fault }),
        None => Ok(0),
    }
}
