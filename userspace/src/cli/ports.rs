//! `linerate ports [PORT]`: what could be a port, and all that is known of one.

use super::{Failure, args::PortsArgs};
use crate::{
    nic::{Netns, NicError, PortInfo, PortName, XdpAttached, XdpHook, list_ports, port_info},
    packet::format_mac,
    units::FCS_BYTES,
};
use anstyle::{AnsiColor, Style};
use comfy_table::{Table, presets};
use std::{
    collections::HashSet,
    io::{self, Write},
    net::IpAddr,
};

const ETHERNET_HEADER_BYTES: u32 = 14;

/// Columns that a narrow terminal goes without, in this order; `ports PORT` has them.
const DISPENSABLE: [&str; 4] = ["MAC", "DRIVER", "MTU", "XDP"];

/// The command: prints to stdout, with colours where that is a terminal.
pub(super) fn main(args: &PortsArgs) -> Result<u8, Failure> {
    let failed =
        |error: &PortsError| Failure { code: error.exit_code(), message: error.to_string() };
    let port = args
        .port
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|e: NicError| failed(&e.into()))?;
    let width = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0);
    match ports(port.as_ref(), args.probe, width, &mut anstream::stdout()) {
        // Whoever reads has read enough: `linerate ports | head`.
        Err(PortsError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        done => done.map(|()| 0).map_err(|error| failed(&error)),
    }
}

/// Why the ports could not be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PortsError {
    /// They could not be looked up.
    #[error(transparent)]
    Nic(#[from] NicError),
    /// They could not be printed.
    #[error("cannot print the ports: {0}")]
    Output(#[from] io::Error),
}

impl PortsError {
    /// The exit code of CONTRACT.md.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Nic(error) => error.exit_code(),
            Self::Output(_) => 2,
        }
    }
}

/// Writes one line per Ethernet interface of this and of every named namespace, or with
/// a `port` all that is known of it, a line each. `width`: columns of the terminal, if it
/// is one. The text is styled: give a writer that strips that where it is none.
///
/// # Errors
/// Those of [`port_info`] and [`list_ports`]; [`NicError::NotBuilt`] for `probe`.
pub(crate) fn ports(
    port: Option<&PortName>,
    probe: bool,
    width: Option<u16>,
    out: &mut dyn Write,
) -> Result<(), PortsError> {
    if probe {
        return Err(NicError::NotBuilt { what: "`ports --probe` is".to_owned() }.into());
    }
    if let Some(name) = port {
        return Ok(details(&port_info(name)?, out)?);
    }
    let (ports, hidden) = everywhere()?;
    table(&ports, width, out)?;
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

fn table(ports: &[PortInfo], width: Option<u16>, out: &mut dyn Write) -> io::Result<()> {
    if ports.is_empty() {
        return writeln!(out, "no Ethernet interface here, nor in a named namespace");
    }
    let mut columns =
        vec!["PORT", "DRIVER", "STATE", "SPEED", "RX/TX", "MTU", "MAC", "XDP", "ADDRESSES"];
    let fits = |lines: &[String]| {
        width.is_none_or(|width| lines.iter().all(|line| line.len() <= usize::from(width)))
    };
    let mut lines = aligned(&columns, ports);
    for dispensable in DISPENSABLE {
        if fits(&lines) {
            break;
        }
        columns.retain(|column| *column != dispensable);
        lines = aligned(&columns, ports);
    }
    let styles = ports.iter().flat_map(|port| {
        let style = match (port.up, port.carrier) {
            (true, true) => Style::new(),
            (true, false) => AnsiColor::Yellow.on_default(),
            (false, _) => Style::new().dimmed(),
        };
        vec![style; table_addresses(port).len().max(1)]
    });
    let styles = std::iter::once(Style::new().bold()).chain(styles);
    for (line, style) in lines.iter().zip(styles) {
        writeln!(out, "{style}{line}{style:#}")?;
    }
    Ok(())
}

fn aligned(columns: &[&str], ports: &[PortInfo]) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(columns.iter().copied());
    for port in ports {
        table.add_row(columns.iter().map(|column| cell(column, port)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

fn cell(column: &str, port: &PortInfo) -> String {
    match column {
        "PORT" => port.name.to_string(),
        "DRIVER" => port.driver.clone(),
        "STATE" => state(port).to_owned(),
        // A speed that means nothing is better not read at a glance.
        "SPEED" => port.link_bps.filter(|_| port.physical).map_or("-".to_owned(), speed),
        "RX/TX" => format!("{}/{}", port.rx_queues, port.tx_queues),
        "MTU" => port.mtu.to_string(),
        "MAC" => format_mac(port.mac),
        "XDP" => port.xdp.map_or("-".to_owned(), |xdp| hook(xdp).to_owned()),
        _ => table_addresses(port).join("\n"),
    }
}

/// Link-local addresses are on every port and tell nobody anything.
fn table_addresses(port: &PortInfo) -> Vec<String> {
    let told = port.addresses.iter().filter(|net| match net.addr() {
        IpAddr::V4(_) => true,
        IpAddr::V6(address) => !address.is_unicast_link_local(),
    });
    told.map(ToString::to_string).collect()
}

fn details(port: &PortInfo, out: &mut dyn Write) -> io::Result<()> {
    let on = |on: bool| if on { "on" } else { "off" };
    let unknown = || "unknown".to_owned();
    let features = port.features;
    let mut lines = vec![
        ("port", port.name.to_string()),
        ("index", port.ifindex.to_string()),
        ("kind", port.kind.clone().unwrap_or_else(|| "device".to_owned())),
        ("driver", port.driver.clone()),
        ("firmware", port.firmware.clone().unwrap_or_else(unknown)),
        ("bus", port.bus.clone().unwrap_or_else(|| "none".to_owned())),
        ("state", state(port).to_owned()),
        (
            "speed",
            match port.link_bps {
                None => unknown(),
                Some(bps) if port.physical => format!("{}bit/s", speed(bps)),
                Some(bps) => format!("{}bit/s (a constant of the driver)", speed(bps)),
            },
        ),
        ("queues", format!("{} RX, {} TX", port.rx_queues, port.tx_queues)),
        (
            "MTU",
            format!(
                "{} (frames of up to {} octets with FCS)",
                port.mtu,
                port.mtu + ETHERNET_HEADER_BYTES + u32::from(FCS_BYTES)
            ),
        ),
        ("MAC", format_mac(port.mac)),
        (
            "XDP",
            port.xdp.map_or("no program".to_owned(), |xdp| {
                format!("{}, program {}", hook(xdp), xdp.program)
            }),
        ),
        (
            "offloads",
            format!(
                "rx-gro {}, rx-gro-hw {}, rx-lro {}",
                on(features.gro),
                on(features.gro_hw),
                on(features.lro)
            ),
        ),
        ("promiscuous", on(port.promiscuity > 0).to_owned()),
    ];
    lines.extend(port.addresses.iter().map(|address| ("address", address.to_string())));
    let bold = Style::new().bold();
    for (what, value) in lines {
        writeln!(out, "{bold}{what:<12}{bold:#} {value}")?;
    }
    Ok(())
}

fn state(port: &PortInfo) -> &'static str {
    match (port.up, port.carrier) {
        (true, true) => "up",
        (true, false) => "no carrier",
        (false, _) => "down",
    }
}

fn hook(xdp: XdpAttached) -> &'static str {
    match xdp.hook {
        XdpHook::Native => "native",
        XdpHook::Generic => "generic",
        XdpHook::Offloaded => "offloaded",
        XdpHook::Several => "several",
    }
}

/// `25G`, `2.5G`, `100M`.
fn speed(bps: u64) -> String {
    let (unit, name) = if bps >= 1_000_000_000 { (1e9, 'G') } else { (1e6, 'M') };
    format!("{}{name}", bps as f64 / unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nic::testbed::{Lab, without_capability};
    use caps::Capability;

    fn shown(port: Option<&PortName>, width: Option<u16>) -> String {
        let mut out = anstream::StripStream::new(Vec::new());
        ports(port, false, width, &mut out).unwrap();
        String::from_utf8(out.into_inner()).unwrap()
    }

    #[test]
    fn the_table_has_the_ports_of_every_named_namespace() {
        let lab = Lab::new();
        lab.west.ip("addr add 198.18.0.2/24 dev west");
        lab.west.ip("addr add 2001:2::2/64 dev west");
        lab.east.ip("link set east down");
        let text = shown(None, None);
        let (west, east) = (lab.west.info(), lab.east.info());
        let line = |port: &PortInfo| {
            let name = port.name.to_string();
            let found = text.lines().find(|line| line.starts_with(&format!("{name} ")));
            found.unwrap_or_else(|| panic!("no {name} in\n{text}")).to_owned()
        };
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let mac = format_mac(west.mac);
        let expected = format!("{} veth no carrier - 2/2 1500 {mac} - 198.18.0.2/24", west.name);
        assert_eq!(words(&line(&west)), words(&expected));
        assert_eq!(words(&line(&east))[2], "down");
        assert!(text.contains("2001:2::2/64") && !text.contains("fe80:"), "{text}");
        let start = |line: &str, part: &str| line.find(part).unwrap();
        let header = text.lines().next().unwrap();
        assert_eq!(start(header, "MAC"), start(&line(&west), &mac), "aligned:\n{text}");
    }

    #[test]
    fn a_narrow_terminal_goes_without_the_mac_first() {
        let lab = Lab::new();
        let ports = [lab.west.info()];
        let text = |width| {
            let mut out = anstream::StripStream::new(Vec::new());
            table(&ports, width, &mut out).unwrap();
            String::from_utf8(out.into_inner()).unwrap()
        };
        let full = text(None).lines().map(str::len).max().unwrap() as u16;
        assert!(text(Some(full)).contains("MAC"));
        let narrower = text(Some(full - 1));
        assert!(!narrower.contains("MAC") && narrower.contains("DRIVER"), "{narrower}");
        let least = text(Some(1));
        assert!(least.contains("PORT") && least.contains("STATE"), "{least}");
    }

    #[test]
    fn one_port_is_told_in_full() {
        let lab = Lab::new();
        let text = shown(Some(&lab.west.name()), None);
        let info = lab.west.info();
        for line in [
            format!("port         {}", info.name),
            "speed        10Gbit/s (a constant of the driver)".to_owned(),
            "MTU          1500 (frames of up to 1518 octets with FCS)".to_owned(),
            "XDP          no program".to_owned(),
        ] {
            assert!(text.lines().any(|shown| shown == line), "no `{line}` in\n{text}");
        }
        for address in &info.addresses {
            assert!(text.contains(&format!("address      {address}\n")), "{text}");
        }
    }

    #[test]
    fn a_namespace_that_may_not_be_entered_is_said_to_be_missing() {
        let lab = Lab::new();
        let text = without_capability(Capability::CAP_SYS_ADMIN, || shown(None, None));
        let line = text.lines().find(|line| line.starts_with("CAP_SYS_ADMIN")).unwrap();
        assert!(line.contains(&lab.west.netns()) && line.contains(&lab.east.netns()), "{text}");
    }

    #[test]
    fn probing_is_refused_until_it_is_built() {
        let error = ports(None, true, None, &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "`ports --probe` is not built yet");
        assert_eq!(error.exit_code(), 77);
    }

    #[test]
    fn speeds_are_short() {
        let speeds = [100_000_000, 1_000_000_000, 2_500_000_000, 25_000_000_000].map(speed);
        assert_eq!(speeds, ["100M", "1G", "2.5G", "25G"]);
    }
}
