//! The forms of ITU-T Y.1564: a sheet of steps and one of promises, CSV, HTML, JUnit.

use super::{
    CsvFile, chart,
    csv::{table, trials_csv},
    html::{Section, page},
    junit::{Case, Group, document},
    model::{ServiceDirection, ServiceResult, ServiceRow, StepRow, StepVerdict, SuiteVerdict},
    number::{loss_percent, percent, time_ns},
    sheet::Sheet,
    table::whole,
};
use crate::report::{
    table::or_dash,
    text::{count, megabits},
};
use serde_json::{Value, json};

/// Every step of a service in every direction.
fn steps(row: &ServiceRow) -> impl Iterator<Item = (&StepRow, Option<&ServiceDirection>)> {
    row.configuration.iter().chain(&row.performance).flat_map(|step| {
        let none = step.per_direction.is_empty().then_some((step, None));
        none.into_iter().chain(step.per_direction.iter().map(move |way| (step, Some(way))))
    })
}

fn sheets(rows: &[ServiceRow]) -> Vec<Sheet> {
    let mut promised = Sheet::new(
        "Services (ITU-T Y.1564)",
        &[
            "service",
            "size",
            "CIR Mbit/s",
            "EIR Mbit/s",
            "FLR <= %",
            "FTD <=",
            "FDV <=",
            "AVAIL >= %",
            "verdict",
        ],
    );
    let mut measured = Sheet::new(
        "Configuration and performance",
        &[
            "service",
            "step",
            "direction",
            "offered Mbit/s",
            "IR Mbit/s",
            "IR min",
            "IR max",
            "sent",
            "lost",
            "FLR %",
            "FTD mean",
            "FTD max",
            "FDV",
            "AVAIL %",
            "verdict",
            "note",
        ],
    );
    for row in rows {
        promised.rows.push(vec![
            row.name.clone(),
            row.frame.name.clone(),
            megabits(row.cir_bps as f64),
            megabits(row.eir_bps as f64),
            loss_percent(row.max_flr),
            or_dash(row.max_ftd_ns, |ns| time_ns(ns as f64)),
            or_dash(row.max_fdv_ns, |ns| time_ns(ns as f64)),
            or_dash(row.min_availability, percent),
            row.verdict.name().to_owned(),
        ]);
        for (step, way) in steps(row) {
            let number = |pick: &dyn Fn(&ServiceDirection) -> String| or_dash(way, pick);
            measured.rows.push(vec![
                row.name.clone(),
                step.step.clone(),
                number(&|way| format!("{} to {}", way.tx, way.rx)),
                megabits(step.offered_bps),
                number(&|way| megabits(way.ir_mean_bps)),
                number(&|way| or_dash(way.ir_min_bps, megabits)),
                number(&|way| or_dash(way.ir_max_bps, megabits)),
                number(&|way| count(way.tx_frames)),
                number(&|way| count(way.lost_frames)),
                number(&|way| or_dash(way.flr, loss_percent)),
                number(&|way| or_dash(way.ftd_mean_ns, time_ns)),
                number(&|way| or_dash(way.ftd_max_ns, |ns| time_ns(ns as f64))),
                number(&|way| or_dash(way.fdv_ns, |ns| time_ns(ns as f64))),
                number(&|way| or_dash(way.availability, percent)),
                step.verdict.name().to_owned(),
                step.reasons.join("; "),
            ]);
        }
    }
    vec![promised, measured]
}

/// For a terminal.
pub(super) fn service_table(result: &ServiceResult) -> String {
    whole(result, &sheets(&result.rows))
}

/// One self-contained page.
pub(super) fn service_html(result: &ServiceResult) -> String {
    let charts = result.rows.iter().filter_map(chart::service).collect();
    let sections = [Section { sheets: sheets(&result.rows), charts }];
    page("ITU-T Y.1564", result, &sections)
}

const STEP: [&str; 23] = [
    "service",
    "step",
    "offered_bps",
    "trial",
    "verdict",
    "reasons",
    "tx",
    "rx",
    "tx_frames",
    "rx_unique_frames",
    "lost_frames",
    "ir_mean_bps",
    "ir_min_bps",
    "ir_max_bps",
    "flr",
    "ftd_mean_ns",
    "ftd_min_ns",
    "ftd_max_ns",
    "fdv_ns",
    "availability",
    "severely_errored_seconds",
    "unavailable_seconds",
    "cir_bps",
];

/// A file of all steps, and one of every trial.
pub(super) fn service_csv(result: &ServiceResult) -> Vec<CsvFile> {
    let rows = result.rows.iter().flat_map(|row| {
        steps(row).map(|(step, way)| {
            // Only maps with keys that are no strings can fail, and there are none.
            let mut cells =
                way.map_or(json!({}), |way| serde_json::to_value(way).unwrap_or_default());
            cells["service"] = row.name.clone().into();
            cells["cir_bps"] = row.cir_bps.into();
            cells["step"] = step.step.clone().into();
            cells["offered_bps"] = step.offered_bps.into();
            cells["trial"] = step.trial.map_or(Value::Null, Value::from);
            cells["verdict"] = step.verdict.name().into();
            cells["reasons"] = step.reasons.join("; ").into();
            cells
        })
    });
    vec![table("services", &STEP, &rows.collect::<Vec<_>>()), trials_csv(result)]
}

/// JUnit XML.
pub(super) fn service_junit(result: &ServiceResult) -> String {
    let groups = result.rows.iter().map(|row| Group {
        name: format!("{} {}", result.schema, row.name),
        cases: row.configuration.iter().chain(&row.performance).map(case).collect(),
    });
    document(&result.schema, &result.started, &groups.collect::<Vec<_>>())
}

fn case(step: &StepRow) -> Case {
    let found = step.per_direction.iter().map(|way| {
        format!(
            "{} to {}: {} Mbit/s of {}, FLR {} %",
            way.tx,
            way.rx,
            megabits(way.ir_mean_bps),
            megabits(step.offered_bps),
            or_dash(way.flr, loss_percent)
        )
    });
    Case {
        name: step.step.clone(),
        found: found.collect::<Vec<_>>().join("; "),
        verdict: match step.verdict {
            StepVerdict::NotApplicable => None,
            StepVerdict::Pass => Some(SuiteVerdict::Pass),
            StepVerdict::Invalid => Some(SuiteVerdict::Invalid),
            StepVerdict::Fail => Some(SuiteVerdict::Fail),
        },
        faults: step.reasons.clone(),
    }
}
