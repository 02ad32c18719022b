//! `linerate ports`: a line per port.

use super::details::{hook, speed, state};
use crate::{nic::PortInfo, packet::format_mac};
use anstyle::{AnsiColor, Style};
use comfy_table::{Table, presets};
use std::{
    io::{self, Write},
    net::IpAddr,
};

/// Columns that a narrow terminal goes without, in this order; `ports PORT` has them.
const DISPENSABLE: [&str; 4] = ["MAC", "DRIVER", "MTU", "XDP"];

pub(super) fn table(ports: &[PortInfo], width: Option<u16>, out: &mut dyn Write) -> io::Result<()> {
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
