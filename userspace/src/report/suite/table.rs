//! The result for people in a terminal: a block for each test, then verdict and reasons.

use super::{
    model::{BenchResult, SuiteResult},
    number,
    sheet::{Sheet, bench_sheets},
};
use crate::report::text;
use comfy_table::{CellAlignment, Table};

/// Reasons printed at most; the JSON has all.
const REASONS: usize = 20;

/// The whole result of RFC 2544 or RFC 9971.
pub(super) fn bench_table(result: &BenchResult) -> String {
    whole(result, &bench_sheets(&result.rows))
}

/// Sheets and what follows them.
pub(super) fn whole<R>(result: &SuiteResult<R>, sheets: &[Sheet]) -> String {
    sheets.iter().map(block).collect::<Vec<_>>().concat() + &ending(result)
}

/// A sheet as text, numbers to the right.
fn block(sheet: &Sheet) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(&sheet.columns);
    for row in &sheet.rows {
        table.add_row(row);
    }
    for (place, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if place == 0 { 0 } else { 2 }, 0));
        if !sheet.is_text(place) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    format!("{}\n{}\n\n", sheet.title, lines.join("\n"))
}

/// Verdict, reasons, and how long it took.
fn ending<R>(result: &SuiteResult<R>) -> String {
    let reasons = result.reasons.iter().take(REASONS).map(|reason| format!("  {reason}"));
    let more = result.reasons.len().saturating_sub(REASONS);
    let more = (more > 0).then(|| format!("  and {more} more, see the JSON"));
    let clock = if result.setup.simulated.is_some() { " of virtual time" } else { "" };
    let took = format!(
        "{} trials in {}{clock}",
        text::count(result.trials.len() as u64),
        number::long_time(result.duration_ns)
    );
    let verdict = format!("verdict: {}", result.verdict.name());
    let lines: Vec<_> = [verdict].into_iter().chain(reasons).chain(more).chain([took]).collect();
    lines.join("\n")
}
