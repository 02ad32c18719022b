//! A comparison for people.

use super::{Comparison, Match, ValueComparison};
use crate::report::{table::or_dash, text};
use comfy_table::{CellAlignment, Table};

/// Above this many flows only what is outside is listed.
const FLOWS_MAX: usize = 20;
/// Reasons printed at most; the JSON has all.
const REASONS: usize = 20;
const NAME_WIDTH: usize = 32;

/// A row per value, then how many flows agree, and why others do not.
pub fn comparison_table(comparison: &Comparison) -> String {
    let all = comparison.flows.len() <= FLOWS_MAX;
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["flow", "value", "A", "B", "difference", "", "verdict"]);
    for flow in &comparison.flows {
        let listed = flow.values.iter().filter(|value| all || value.verdict != Match::Within);
        for (place, value) in listed.enumerate() {
            let name = if place == 0 { flow.name.as_str() } else { "" };
            table.add_row([
                text::fit(name, NAME_WIDTH),
                value.name.to_owned(),
                show(value, value.a),
                show(value, value.b),
                show(value, value.difference),
                or_dash(value.difference_ratio, |ratio| format!("{:+.2} %", ratio * 100.0)),
                value.verdict.name().to_owned(),
            ]);
        }
    }
    for (place, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if place == 0 { 0 } else { 2 }, 0));
        if (2..6).contains(&place) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    let within = comparison.flows.iter().filter(|flow| flow.verdict == Match::Within).count();
    lines.push(String::new());
    lines.push(format!("A  {}  {}", comparison.a.started, comparison.a.path));
    lines.push(format!("B  {}  {}", comparison.b.started, comparison.b.path));
    lines.push(format!(
        "{within} of {} flows within {} %: {}",
        comparison.flows.len(),
        comparison.tolerance_ratio * 100.0,
        comparison.verdict.name()
    ));
    lines.extend(comparison.reasons.iter().take(REASONS).map(|reason| format!("  {reason}")));
    let more = comparison.reasons.len().saturating_sub(REASONS);
    lines.extend((more > 0).then(|| format!("  and {more} more, see the JSON")));
    lines.join("\n")
}

fn show(value: &ValueComparison, amount: Option<f64>) -> String {
    or_dash(amount, |amount| match value.name {
        "loss_ratio" if amount == 0.0 => "0 %".to_owned(),
        // As many digits as it takes: a small loss is never shown as none.
        "loss_ratio" if amount.abs() < 1e-4 => format!("{:.2e} %", amount * 100.0),
        "loss_ratio" => format!("{:.3} %", amount * 100.0),
        name if name.starts_with("latency_ns") => text::nanoseconds(amount as i64),
        _ if amount < 0.0 => format!("-{}", text::scaled(-amount)),
        _ => text::scaled(amount),
    })
}
