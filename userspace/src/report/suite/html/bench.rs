//! The page of RFC 2544 and RFC 9971.

use super::{Section, page};
use crate::report::suite::{
    chart,
    model::{BenchResult, TrialRow},
    sheet::bench_sheets,
};

/// The result as one HTML page.
pub(in super::super) fn bench_html(result: &BenchResult) -> String {
    let mlrsearch = result.schema.contains("mlrsearch");
    let title = if mlrsearch { "Multiple Loss Ratio search (RFC 9971)" } else { "RFC 2544" };
    let rows = &result.rows;
    let mut sections = Vec::new();
    for sheet in bench_sheets(rows) {
        let charts = match sheet.title.split(' ').next() {
            Some("Throughput") if sheet.columns.contains(&"limit") => {
                chart::throughput(rows).into_iter().collect()
            }
            Some("Latency") => rows.iter().filter_map(chart::latency).collect(),
            Some("Frame") => chart::loss(rows).into_iter().collect(),
            Some("Back-to-back") => chart::bursts(rows).into_iter().collect(),
            _ => Vec::new(),
        };
        sections.push(Section { sheets: vec![sheet], charts });
    }
    let traces: Vec<_> = rows
        .iter()
        .filter_map(|row| {
            let of_row = |trial: &&TrialRow| {
                trial.frame == row.frame.name
                    && matches!(trial.test.as_str(), "throughput" | "mlrsearch")
            };
            let trials: Vec<_> = result.trials.iter().filter(of_row).collect();
            chart::trace(&format!("Search, {}", row.frame.title()), &trials)
        })
        .collect();
    sections.push(Section { sheets: Vec::new(), charts: traces });
    page(title, result, &sections)
}
