//! The page around the sections of a suite.

use crate::report::suite::{
    model::{SuitePort, SuiteResult, TrialRow},
    number::{fps, long_time, loss_percent, time_ns},
    sheet::Sheet,
};
use crate::report::{table::or_dash, text::count};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");

/// Nothing may come from anywhere else, whatever a name in the result says.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// Trials shown; the JSON and the CSV have all.
const TRIALS: usize = 2_000;

/// A part of the page: tables, and the graphs beneath them.
pub(in super::super) struct Section {
    pub(in super::super) sheets: Vec<Sheet>,
    pub(in super::super) charts: Vec<Markup>,
}

/// The whole page.
pub(in super::super) fn page<R>(
    title: &str,
    result: &SuiteResult<R>,
    sections: &[Section],
) -> String {
    let body = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (title) ", " (result.started) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (head(title, result))
                @for section in sections { (drawn(section)) }
                h2 { "How it was measured" }
                (setup(result))
                (compliance(result))
                (trials(result))
                (configuration(result))
            }
        }
    };
    body.into_string()
}

fn head<R>(title: &str, result: &SuiteResult<R>) -> Markup {
    let verdict = result.verdict.name();
    let device = result.setup.device.as_deref().and_then(|text| text.lines().next());
    let clock = if result.setup.simulated.is_some() { " of virtual time" } else { "" };
    html! {
        h1 { (title) " " span class={ "badge " (verdict) } { (verdict) } }
        p {
            @match (&result.setup.simulated, device) {
                (Some(device), _) => { "Simulated device: " code { (device) } },
                (None, Some(device)) => { "Device under test: " (device) },
                (None, None) => { "Device under test: not described (RFC 2544 section 7 wants it to be)" },
            }
        }
        p class="quiet" {
            (result.started) " · " (count(result.trials.len() as u64)) " trials in "
            (long_time(result.duration_ns)) (clock) " · profile " (result.setup.profile)
            " · " (result.tool.name) " " (result.tool.version)
        }
        @if !result.reasons.is_empty() {
            ul { @for reason in &result.reasons { li { (reason) } } }
        }
    }
}

fn drawn(section: &Section) -> Markup {
    html! {
        @for sheet in &section.sheets {
            h2 { (sheet.title) }
            (table(sheet))
        }
        @if !section.charts.is_empty() {
            div class="charts" { @for chart in &section.charts { (chart) } }
        }
    }
}

fn table(sheet: &Sheet) -> Markup {
    let class = |place: usize| match (sheet.is_text(place), sheet.columns[place]) {
        (_, "note") => "text long",
        (true, _) => "text",
        (false, _) => "",
    };
    // A column of nothing says nothing.
    let shown: Vec<usize> = (0..sheet.columns.len())
        .filter(|&place| {
            sheet.columns[place] != "note" || sheet.rows.iter().any(|row| !row[place].is_empty())
        })
        .collect();
    html! {
        div class="wide" {
            table {
                thead { tr { @for &place in &shown { th class=(class(place)) { (sheet.columns[place]) } } } }
                tbody {
                    @for row in &sheet.rows {
                        tr { @for &place in &shown { td class=(class(place)) { (row[place]) } } }
                    }
                }
            }
        }
    }
}

fn setup<R>(result: &SuiteResult<R>) -> Markup {
    let (setup, host) = (&result.setup, &result.host);
    let timing = &setup.timing;
    let time = |ns: u64| time_ns(ns as f64);
    let speeds = setup.directions.iter().map(|way| {
        format!(
            "{} to {} ({}bit/s)",
            way.tx,
            way.rx,
            crate::report::text::scaled(way.link_bps as f64)
        )
    });
    let lines: Vec<(&str, String)> = [
        (
            "Tool",
            format!(
                "{} {}, git {}",
                result.tool.name,
                result.tool.version,
                result.tool.git.as_deref().unwrap_or("unknown")
            ),
        ),
        (
            "Host",
            format!(
                "{}, Linux {}, {}, {} CPUs",
                host.name,
                host.kernel,
                host.cpu.as_deref().unwrap_or(&host.machine),
                host.cpus
            ),
        ),
        ("Began and ended", format!("{} to {}", result.started, result.ended)),
        ("Directions", speeds.collect::<Vec<_>>().join("; ")),
        ("Frames", setup.frames.clone()),
        ("Destination networks", setup.networks.to_string()),
        (
            "Modifiers",
            if setup.modifiers.is_empty() { "none".to_owned() } else { setup.modifiers.join("; ") },
        ),
        ("Media overhead", format!("{} octets a frame", setup.media_overhead_bytes)),
        ("Latency", setup.definition.clone().unwrap_or_else(|| "not measured".to_owned())),
        (
            "Learning",
            format!(
                "{} frames, again every {}",
                timing.learning_frames,
                time(timing.learning_refresh_ns)
            ),
        ),
        (
            "Waits",
            format!(
                "{} before a load, {} for residual frames, {} after",
                time(timing.before_ns),
                time(timing.residual_ns),
                time(timing.after_ns)
            ),
        ),
    ]
    .into();
    html! {
        dl {
            @for (name, text) in lines { dt { (name) } dd { (text) } }
            @for port in &result.ports { dt { "Port " (port.name) } dd { (port_line(port)) } }
            @if let Some(device) = &setup.device { dt { "Device" } dd { pre { (device) } } }
        }
    }
}

fn port_line(port: &SuitePort) -> String {
    let mode = |mode: &Option<String>, what: &str| {
        mode.as_ref().map_or(String::new(), |mode| format!(", {what} {mode}"))
    };
    format!(
        "{} ({}){}{}, {} queues, clock {}{}",
        port.interface,
        port.driver,
        mode(&port.tx_mode, "sends by"),
        mode(&port.rx_mode, "analyser"),
        port.queues,
        port.clock,
        if port.calibration.is_some() { ", calibrated" } else { ", not calibrated" }
    )
}

fn compliance<R>(result: &SuiteResult<R>) -> Markup {
    let compliance = &result.setup.compliance;
    html! {
        @if let Some(level) = &compliance.level {
            h2 { "Compliance" }
            p { (level) }
        }
        @if !compliance.deviations.is_empty() {
            ul { @for deviation in &compliance.deviations { li { (deviation) } } }
        }
    }
}

fn trials<R>(result: &SuiteResult<R>) -> Markup {
    let left_out = result.trials.len().saturating_sub(TRIALS);
    html! {
        h2 { "Trials" }
        details {
            summary { "All " (count(result.trials.len() as u64)) " trials" }
            div class="wide" {
                table {
                    thead { tr {
                        @for title in ["trial", "intended fps", "actual fps", "time", "sent", "received", "lost", "lost %", "dup", "reord"] {
                            th { (title) }
                        }
                        th class="text" { "test" }
                        th class="text" { "frame" }
                        th class="text long" { "note" }
                    } }
                    tbody { @for trial in result.trials.iter().take(TRIALS) { (trial_line(trial)) } }
                }
            }
            @if left_out > 0 { p class="quiet" { "and " (count(left_out as u64)) " more, see the CSV or the JSON" } }
        }
    }
}

fn trial_line(trial: &TrialRow) -> Markup {
    html! {
        tr {
            td { (trial.id) }
            td { (fps(trial.intended_fps)) }
            td { (or_dash(trial.actual_fps, fps)) }
            td { (time_ns(trial.duration_ns as f64)) }
            td { (count(trial.tx_frames)) }
            td { (count(trial.rx_unique_frames)) }
            td { (count(trial.lost_frames)) }
            td { (or_dash(trial.loss_ratio, loss_percent)) }
            td { (count(trial.duplicate_frames)) }
            td { (count(trial.reordered_frames)) }
            td class="text" { (trial.test) @if let Some(goal) = &trial.goal { " " (goal) } }
            td class="text" { (trial.frame) }
            td class="text long" { (trial.reason.as_deref().unwrap_or("")) }
        }
    }
}

fn configuration<R>(result: &SuiteResult<R>) -> Markup {
    let config = &result.setup.config;
    let effective = serde_json::to_string_pretty(&config.effective).unwrap_or_default();
    html! {
        h2 { "Configuration" }
        p class="quiet" { "SHA-256 " code { (config.sha256) } }
        pre { (config.arguments.join(" ")) }
        @if let Some(text) = &config.suite_file { details { summary { "Suite file" } pre { (text) } } }
        @if let Some(text) = &config.flow_file { details { summary { "Flow file" } pre { (text) } } }
        details { summary { "With flags and profile" } pre { (effective) } }
    }
}
