//! The final table.

use super::{FlowResult, RunResult, text};
use crate::collect::Loss;
use comfy_table::{CellAlignment, Table};

/// Reasons printed at most; the JSON has all.
const REASONS: usize = 20;
/// Longest name printed in full, and what names are cut to where there is less room.
const NAME_WIDTHS: [usize; 4] = [40, 20, 14, 10];

/// A column: its title and how it shows a flow.
type Column = (&'static str, fn(&FlowResult) -> String);

const COUNTS: [Column; 6] = [
    ("tx", |flow| text::count(flow.tx_frames)),
    ("rx", |flow| or_dash(flow.rx_frames, text::count)),
    ("lost", |flow| or_dash(flow.lost_frames, text::count)),
    ("loss %", loss_percent),
    ("dup", |flow| or_dash(flow.duplicate_frames, text::count)),
    ("reord", |flow| or_dash(flow.reordered_frames, text::count)),
];

const RATES: [Column; 8] = [
    ("tx pps", |flow| or_dash(flow.tx_pps, text::scaled)),
    ("rx pps", |flow| or_dash(flow.rx_pps, text::scaled)),
    ("tx Mb/s", |flow| or_dash(flow.tx_bps_l2, text::megabits)),
    ("rx Mb/s", |flow| or_dash(flow.rx_bps_l2, text::megabits)),
    ("p50", |flow| latency(flow, |latency| latency.p50)),
    ("p99", |flow| latency(flow, |latency| latency.p99)),
    ("p99.9", |flow| latency(flow, |latency| latency.p999)),
    ("max", |flow| latency(flow, |latency| Some(latency.max))),
];

/// The result for people: a row per flow, then the verdict and a line per reason.
///
/// `width` is the terminal's; `None` is no limit. The table is one block where that
/// fits, else counts and rates are two blocks, else every flow is a paragraph.
/// Mb/s are megabits a second, L2 with FCS.
pub fn table(result: &RunResult, width: Option<usize>) -> String {
    let width = width.unwrap_or(usize::MAX);
    let all: Vec<Column> = COUNTS.iter().chain(&RATES).copied().collect();
    let one_block = block(result, &all, NAME_WIDTHS[0]);
    let two_blocks = NAME_WIDTHS.iter().map(|&name| {
        let (counts, rates) = (block(result, &COUNTS, name), block(result, &RATES, name));
        format!("{counts}\n{rates}")
    });
    let mut text = std::iter::once(one_block)
        .chain(two_blocks)
        .find(|text| text.lines().all(|line| line.chars().count() <= width))
        .unwrap_or_else(|| paragraphs(result, &all));
    let reasons = result.reasons.iter().take(REASONS).cloned();
    let more = result.reasons.len().saturating_sub(REASONS);
    let more = (more > 0).then(|| format!("and {more} more, see the JSON"));
    text.push_str("\nverdict: ");
    text.push_str(result.verdict.name());
    for line in reasons.chain(more) {
        text.push_str("\n  ");
        text.push_str(&line);
    }
    text.push('\n');
    text
}

fn block(result: &RunResult, columns: &[Column], name_width: usize) -> String {
    let mut table = Table::new();
    let titles = columns.iter().map(|&(title, _)| title);
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(std::iter::once("flow").chain(titles));
    for flow in &result.flows {
        let cells = columns.iter().map(|(_, show)| show(flow));
        table.add_row(std::iter::once(text::fit(&flow.name, name_width)).chain(cells));
    }
    for (place, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if place == 0 { 0 } else { 2 }, 0));
        if place > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}

fn paragraphs(result: &RunResult, columns: &[Column]) -> String {
    let paragraph = |flow: &FlowResult| {
        let lines = columns.iter().map(|(title, show)| format!("\n  {title:<9} {}", show(flow)));
        flow.name.clone() + &lines.collect::<Vec<_>>().concat() + "\n"
    };
    result.flows.iter().map(paragraph).collect::<Vec<_>>().concat()
}

fn loss_percent(flow: &FlowResult) -> String {
    or_dash(flow.lost_frames, |lost| Loss { sent: flow.tx_frames, lost }.percent())
}

fn latency(flow: &FlowResult, pick: fn(&super::LatencyResult) -> Option<i64>) -> String {
    let uncertainty = flow.latency_ns.as_ref().and_then(|latency| latency.uncertainty);
    or_dash(flow.latency_ns.as_ref().and_then(pick), |ns| match uncertainty {
        Some(uncertainty) => {
            format!("{} +-{}", text::nanoseconds(ns), text::nanoseconds(uncertainty as i64))
        }
        None => text::nanoseconds(ns),
    })
}

pub(super) fn or_dash<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), show)
}
