//! `linerate ports [PORT]`: what could be a port, and all that is known of one.

mod details;
mod probe;
mod table;
#[cfg(test)]
mod tests;

use super::{
    Failure,
    args::PortsArgs,
    output::{create, stop_flag},
};
use crate::{
    nic::{Netns, NicError, PortInfo, PortName, list_ports, port_info},
    report::PortsReport,
    session::SessionError,
};
use std::{
    collections::HashSet,
    io::{self, Write},
    path::Path,
};

/// Octets with FCS that a ceiling is predicted for (RFC 2544, section 9.1).
const SIZES: [u16; 7] = [64, 128, 256, 512, 1024, 1280, 1518];

/// The command: prints to stdout, with colours where that is a terminal.
pub(super) fn main(args: &PortsArgs) -> Result<u8, Failure> {
    match run(args) {
        // Whoever reads has read enough: `linerate ports | head`.
        Err(PortsError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        Err(PortsError::Failure(failure)) => Err(failure),
        Err(error) => Err(Failure { code: error.exit_code(), message: error.to_string() }),
        Ok(()) => Ok(0),
    }
}

fn run(args: &PortsArgs) -> Result<(), PortsError> {
    let port: Option<PortName> = args.port.as_deref().map(str::parse).transpose()?;
    let json_on_stdout = args.json.as_deref() == Some(Path::new("-"));
    let json = args.json.as_deref().filter(|_| !json_on_stdout).map(create).transpose()?;
    let width = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0);
    let mut out = anstream::stdout();
    let (ports, hidden) = match &port {
        Some(name) => (vec![port_info(name)?], Vec::new()),
        None => everywhere()?,
    };
    if port.is_none() && args.json.is_none() {
        return list(&ports, hidden, width, &mut out);
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u32;
    let mut report = PortsReport::new(&ports, cores, &SIZES)?;
    if let (true, [info], [told]) = (args.probe, &ports[..], &mut report.ports[..]) {
        anstream::eprintln!("{}", probe::warning(info));
        let stop = stop_flag()?;
        probe::probe(info, told, &stop)?;
    }
    if let Some((mut file, path)) = json {
        let failed = |error: io::Error| io::Error::new(error.kind(), format!("{path}: {error}"));
        file.write_all(report.to_json()?.as_bytes()).map_err(failed)?;
    }
    match &report.ports[..] {
        _ if json_on_stdout => out.write_all(report.to_json()?.as_bytes())?,
        [told] if port.is_some() => details::details(&ports[0], told, width, &mut out)?,
        _ => return list(&ports, hidden, width, &mut out),
    }
    Ok(())
}

/// Why the ports could not be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PortsError {
    /// They could not be looked up.
    #[error(transparent)]
    Nic(#[from] NicError),
    /// The port could not be sent from.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The probe did not measure.
    #[error("the probe of {port} measured nothing: {reason}")]
    Probe {
        /// The port.
        port: PortName,
        /// What made it void.
        reason: String,
    },
    /// They could not be printed.
    #[error("cannot print the ports: {0}")]
    Output(#[from] io::Error),
    /// They could not be written as JSON.
    #[error("cannot write the ports as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// What other commands share.
    #[error("{}", .0.message)]
    Failure(Failure),
}

impl From<Failure> for PortsError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl PortsError {
    /// The exit code of CONTRACT.md.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Nic(error) => error.exit_code(),
            Self::Session(error) => error.exit_code(),
            Self::Failure(failure) => failure.code,
            Self::Probe { .. } | Self::Output(_) | Self::Json(_) => 2,
        }
    }
}

/// One line per port, and what could not be looked into.
fn list(
    ports: &[PortInfo],
    hidden: Vec<Hidden>,
    width: Option<u16>,
    out: &mut dyn Write,
) -> Result<(), PortsError> {
    table::table(ports, width, out)?;
    let (closed, broken): (Vec<Hidden>, Vec<Hidden>) =
        hidden.into_iter().partition(|(_, error)| matches!(error, NicError::Privilege { .. }));
    for (netns, error) in broken {
        writeln!(out, "namespace {netns} is not shown: {error}")?;
    }
    if !closed.is_empty() {
        let names: Vec<String> = closed.into_iter().map(|(netns, _)| netns).collect();
        let names = names.join(", ");
        writeln!(out, "CAP_SYS_ADMIN is needed to look into these namespaces: {names}")?;
    }
    Ok(())
}

/// A namespace that could not be looked into, and why.
type Hidden = (String, NicError);

/// The ports of this namespace and of every other that has a name.
fn everywhere() -> Result<(Vec<PortInfo>, Vec<Hidden>), NicError> {
    let mut seen = HashSet::from([Netns::open(None)?.id()]);
    let (mut ports, mut hidden) = (list_ports(None)?, Vec::new());
    for name in Netns::names()? {
        let listed = Netns::open(Some(&name)).and_then(|netns| {
            // One namespace may have several names, and be this one.
            if seen.insert(netns.id()) { list_ports(Some(&name)) } else { Ok(Vec::new()) }
        });
        match listed {
            Ok(mut listed) => ports.append(&mut listed),
            // Deleted since its name was read.
            Err(NicError::UnknownNetns { .. }) => {}
            Err(error) => hidden.push((name, error)),
        }
    }
    Ok((ports, hidden))
}
