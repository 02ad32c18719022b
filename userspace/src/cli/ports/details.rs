//! `linerate ports PORT`: everything about one.

use crate::{
    nic::{Interrupt, PortInfo, XdpAttached},
    packet::format_mac,
    report::{PortReport, TxMode, hook_name, scaled},
    session::{clock_in_words, receive_clock},
    units::FCS_BYTES,
};
use anstyle::Style;
use comfy_table::{CellAlignment, Table, presets};
use std::{
    fmt::Write as _,
    io::{self, Write},
};

const ETHERNET_HEADER_BYTES: u32 = 14;
/// Where values begin.
const INDENT: usize = 14;

/// Writes a line for each thing known, wrapped to `width`, then what can be sent.
pub(super) fn details(
    port: &PortInfo,
    told: &PortReport,
    width: Option<u16>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let bold = Style::new().bold();
    let lines = identity(port).into_iter().chain(link(port, told)).chain(queues(port, told));
    for (what, value) in lines.chain(features(port, told)) {
        let value = wrapped(&value, width.map_or(usize::MAX, usize::from));
        writeln!(out, "{bold}{what:<width$}{bold:#} {value}", width = INDENT - 1)?;
    }
    writeln!(out, "\n{bold}What it can send{bold:#} (predicted; --probe measures)")?;
    ceilings(told, out)
}

type Line = (&'static str, String);

fn identity(port: &PortInfo) -> Vec<Line> {
    let unknown = || "unknown".to_owned();
    let mut lines = vec![
        ("port", port.name.to_string()),
        ("index", port.ifindex.to_string()),
        ("kind", port.kind.clone().unwrap_or_else(|| "device".to_owned())),
        ("driver", port.driver.clone()),
        ("firmware", port.firmware.clone().unwrap_or_else(unknown)),
        ("MAC", format_mac(port.mac)),
    ];
    lines.extend(port.addresses.iter().map(|address| ("address", address.to_string())));
    lines
}

fn link(port: &PortInfo, told: &PortReport) -> Vec<Line> {
    let can = &told.capabilities;
    let duplex = can.duplex.map(|duplex| format!(", {duplex} duplex")).unwrap_or_default();
    let speed = match port.link_bps {
        None => "unknown".to_owned(),
        Some(bps) if port.physical => format!("{}bit/s{duplex}", speed(bps)),
        Some(bps) => format!("{}bit/s (a constant of the driver)", speed(bps)),
    };
    let frame_bytes = port.mtu + ETHERNET_HEADER_BYTES + u32::from(FCS_BYTES);
    let mut bus = port.bus.clone().unwrap_or_else(|| "none".to_owned());
    if let Some(pci) = &can.pci {
        if let Some(link) = pci.link {
            let generation = f64::from(link.megatransfers) / 1000.0;
            let _ = write!(bus, ", PCIe {generation} GT/s x{}", link.lanes);
        }
        if let Some(node) = pci.numa_node {
            let _ = write!(bus, ", NUMA node {node}");
        }
    }
    let pause = can.pause.map_or("no control".to_owned(), |pause| {
        let rx = if pause.rx { "; the other end can pause it" } else { "" };
        format!("rx {}, tx {}{rx}", on(pause.rx), on(pause.tx))
    });
    vec![
        ("bus", bus),
        ("state", state(port).to_owned()),
        ("speed", speed),
        ("MTU", format!("{} (frames of up to {frame_bytes} octets with FCS)", port.mtu)),
        ("pause", pause),
    ]
}

fn queues(port: &PortInfo, told: &PortReport) -> Vec<Line> {
    let can = &told.capabilities;
    let at_most = |count: u32, most: Option<u32>| {
        most.filter(|&most| most > count).map(|most| format!(" of {most}")).unwrap_or_default()
    };
    let mut lines = vec![(
        "queues",
        format!(
            "{}{} RX, {}{} TX",
            port.rx_queues,
            at_most(port.rx_queues, can.channels.map(|it| it.rx_max)),
            port.tx_queues,
            at_most(port.tx_queues, can.channels.map(|it| it.tx_max)),
        ),
    )];
    if let Some(rings) = can.rings {
        let text = format!(
            "{}{} RX, {}{} TX",
            rings.rx,
            at_most(rings.rx, Some(rings.rx_max)),
            rings.tx,
            at_most(rings.tx, Some(rings.tx_max)),
        );
        lines.push(("rings", text));
    }
    if let Some(us) = can.rx_coalesce_us {
        lines.push(("coalescing", format!("RX interrupts put off: rx-usecs {us}")));
    }
    lines.extend(can.interrupts.iter().map(|interrupt| ("interrupt", interrupt_text(interrupt))));
    lines
}

fn interrupt_text(interrupt: &Interrupt) -> String {
    let list =
        |numbers: &[u32]| numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let cpus: Vec<u32> = interrupt.cpus.iter().map(|&cpu| cpu as u32).collect();
    let mut text = format!("{} on CPU {}", interrupt.irq, list(&cpus));
    for (what, queues) in [("RX", &interrupt.rx_queues), ("TX", &interrupt.tx_queues)] {
        if !queues.is_empty() {
            let _ = write!(text, ", {what} queue {}", list(queues));
        }
    }
    text
}

fn features(port: &PortInfo, told: &PortReport) -> Vec<Line> {
    let can = &told.capabilities;
    let or_none = |names: &[&str]| {
        if names.is_empty() { "none".to_owned() } else { names.join(" ") }
    };
    let mut lines = vec![(
        "XDP",
        port.xdp.map_or("no program".to_owned(), |xdp| {
            format!("{}, program {}", hook(xdp), xdp.program)
        }),
    )];
    match &can.xdp {
        None => {
            lines.push(("XDP features", "the kernel does not say (6.3 and newer do)".to_owned()));
        }
        Some(xdp) => {
            let segments = xdp.zero_copy_segments.filter(|_| xdp.zero_copy());
            let segments =
                segments.map(|count| format!(" (up to {count} buffers)")).unwrap_or_default();
            lines.push(("XDP features", or_none(&xdp.xdp) + &segments));
            lines.push(("RX metadata", or_none(&xdp.rx_metadata)));
            lines.push(("AF_XDP", or_none(&xdp.xsk)));
        }
    }
    if let Some(stamping) = &can.timestamping {
        let clock = stamping.phc.map(|number| format!(" (clock /dev/ptp{number})"));
        lines.push(("timestamps", or_none(&stamping.stamps) + &clock.unwrap_or_default()));
        if !stamping.rx_filters.is_empty() {
            lines.push(("RX stamps", stamping.rx_filters.join(" ")));
        }
        lines.extend(stamping.phc.map(|number| ("NIC clock", clock_in_words(number))));
    }
    lines.push((
        "timed by",
        match receive_clock(can) {
            Ok(number) => format!("the NIC, by /dev/ptp{number}"),
            Err(why) => format!("the kernel: {why}"),
        },
    ));
    let offloads = port.features;
    lines.push((
        "offloads",
        format!(
            "rx-gro {}, rx-gro-hw {}, rx-lro {}",
            on(offloads.gro),
            on(offloads.gro_hw),
            on(offloads.lro)
        ),
    ));
    if !can.harmful_offloads.is_empty() {
        let names = can.harmful_offloads.join(" ");
        lines.push(("harmful", format!("{names}: on; they merge or change frames before XDP")));
    }
    lines.push(("promiscuous", on(port.promiscuity > 0).to_owned()));
    lines
}

fn ceilings(told: &PortReport, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let probed = told.ceilings.iter().any(|ceiling| ceiling.measured.is_some());
    let mut header = vec!["SIZE", "FRAMES/S"];
    header.extend(probed.then_some("MEASURED"));
    table.set_header(header.into_iter().chain(["LIMIT"]));
    for ceiling in &told.ceilings {
        let mut row = vec![ceiling.size.to_string(), scaled(ceiling.predicted_fps)];
        let measured = ceiling.measured.map_or("-".to_owned(), |it| {
            let how = match it.tx_mode {
                Some(TxMode::ZeroCopy) => " (zero-copy)",
                Some(TxMode::Copy) => " (copy)",
                Some(TxMode::LiveFrames) => " (live)",
                None => "",
            };
            scaled(it.fps) + how
        });
        row.extend(probed.then_some(measured));
        row.push(ceiling.reason.clone());
        table.add_row(row);
    }
    let numbers = if probed { 3 } else { 2 };
    for (place, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if place < numbers {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    for ceiling in &told.ceilings {
        let Some(measured) = ceiling.measured.filter(|it| it.dropped_frames > 0) else { continue };
        writeln!(
            out,
            "at {} octets the interface dropped {} frames on the way out",
            ceiling.size, measured.dropped_frames
        )?;
    }
    Ok(())
}

/// Broken at blanks so that no line is wider than the terminal, where words allow.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if INDENT + line.len() + 1 + word.len() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join(&format!("\n{}", " ".repeat(INDENT)))
}

fn on(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

pub(super) fn state(port: &PortInfo) -> &'static str {
    match (port.up, port.carrier) {
        (true, true) => "up",
        (true, false) => "no carrier",
        (false, _) => "down",
    }
}

pub(super) fn hook(xdp: XdpAttached) -> &'static str {
    hook_name(xdp.hook)
}

/// `25G`, `2.5G`, `100M`.
pub(super) fn speed(bps: u64) -> String {
    let (unit, name) = if bps >= 1_000_000_000 { (1e9, 'G') } else { (1e6, 'M') };
    format!("{}{name}", bps as f64 / unit)
}
