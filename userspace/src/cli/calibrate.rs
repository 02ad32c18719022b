//! `linerate calibrate`: both directions of a cable, size by size and rate by rate.

use super::{Failure, args::CalibrateArgs, live::Screen, output::stop_flag};
use crate::{
    calibration::{self, Calibration, Point, SCHEMA, Setting},
    collect::Verdict,
    nic::{PortInfo, PortName, port_info},
    packet::format_mac,
    report::{self, RunResult},
    session::{Session, Settings},
    spec::{QuickFlow, Spec},
    tx::Backend,
    units::parse_duration,
};
use std::{
    io::Write,
    path::Path,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

pub(super) fn main(args: &CalibrateArgs) -> Result<u8, Failure> {
    let json_on_stdout = args.json.as_deref() == Some(Path::new("-"));
    let screen = if json_on_stdout { Screen::Stderr } else { Screen::Stdout };
    let ends = [info(&args.a)?, info(&args.b)?];
    let stop = stop_flag()?;
    let directory = calibration::directory();
    let mut calibrations = Vec::new();
    let mut failed = 0;
    screen.print(&format!(
        "{:<32}{:>6}{:>10}{:>10}{:>10}{:>10}{:>10}",
        "from and to", "size", "rate", "least", "median", "p99", "max"
    ));
    for [tx, rx] in [[&ends[0], &ends[1]], [&ends[1], &ends[0]]] {
        let mut measured: Option<(Setting, Vec<Point>)> = None;
        for size in args.sizes.split(',') {
            for rate in args.rates.split(',') {
                if stop.load(Relaxed) {
                    return Err(Failure {
                        code: 2,
                        message: "interrupted; nothing is kept".into(),
                    });
                }
                match patiently(|| point(tx, rx, size, rate, args, &stop))? {
                    Ok((setting, point)) => {
                        screen.print(&row(tx, rx, &point));
                        let (_, points) = measured.get_or_insert_with(|| (setting, Vec::new()));
                        points.push(point);
                    }
                    Err(why) => {
                        failed += 1;
                        screen.print(&format!(
                            "{:<32}{size:>6}{rate:>10}  not measured: {why}",
                            path(tx, rx)
                        ));
                    }
                }
            }
        }
        let Some((setting, points)) = measured else { continue };
        let calibration = Calibration {
            schema: SCHEMA.to_owned(),
            measured: jiff::Timestamp::now(),
            setting,
            points,
        };
        let kept = calibration::save(&directory, &calibration)
            .map_err(|error| Failure { code: 2, message: error.to_string() })?;
        screen.print(&format!("kept in {}", kept.display()));
        calibrations.push(calibration);
    }
    if let Some(path) = &args.json {
        write_json(path, json_on_stdout, &calibrations)?;
    }
    if failed == 0 {
        return Ok(0);
    }
    Err(Failure { code: 2, message: format!("{failed} points were not measured, see above") })
}

fn info(port: &str) -> Result<PortInfo, Failure> {
    let name = port.parse::<PortName>();
    name.and_then(|name| port_info(&name))
        .map_err(|error| Failure { code: error.exit_code(), message: error.to_string() })
}

/// The machine may have been busy with something else: what has no result is tried again.
fn patiently<T>(
    mut attempt: impl FnMut() -> Result<Result<T, String>, Failure>,
) -> Result<Result<T, String>, Failure> {
    const TRIES: usize = 3;
    for _ in 1..TRIES {
        if let Ok(done) = attempt()? {
            return Ok(Ok(done));
        }
    }
    attempt()
}

/// One size and rate in one direction. The inner error is why this one has no result,
/// which the others may have all the same.
fn point(
    tx: &PortInfo,
    rx: &PortInfo,
    size: &str,
    rate: &str,
    args: &CalibrateArgs,
    stop: &AtomicBool,
) -> Result<Result<(Setting, Point), String>, Failure> {
    let spec = Spec::from_quick(&QuickFlow {
        tx: Some(tx.name.to_string()),
        rx: Some(rx.name.to_string()),
        eth: Some(format!("{},{}", format_mac(tx.mac), format_mac(rx.mac))),
        ipv4: Some("198.18.0.1,198.19.0.1".into()),
        udp: Some("49184,7".into()),
        size: Some(size.trim().into()),
        rate: Some(rate.trim().into()),
        duration: Some(args.duration.clone()),
        ..QuickFlow::default()
    })
    .map_err(|error| Failure::usage(error.to_string()))?;
    let [frame] = spec.flows[0].sizes[..] else {
        return Err(Failure::usage(format!("--sizes: \"{size}\" is more than one size")));
    };
    let failure = |error: crate::session::SessionError| Failure {
        code: error.exit_code(),
        message: error.to_string(),
    };
    let (sends, receives) = (spec.flows[0].tx, spec.flows[0].rx.unwrap_or_default());
    // One back end for all points; a run on the other one finds the mode changed.
    let settings = Settings { backend: Backend::AfXdp, ..Settings::default() };
    let mut session = Session::open(spec, settings).map_err(failure)?;
    let facts = session.run(stop, &mut |_| ()).map_err(failure)?;
    let result = RunResult::new(&facts);
    let flow = &result.flows[0];
    let Some(rate_pps) = facts.flows[0].intended_pps else {
        return Err(Failure::usage("--rates: \"max\" times the tester's own queue"));
    };
    if flow.verdict != Verdict::Ok {
        let reasons = result.reasons.iter().filter_map(|reason| reason.strip_prefix("flow: "));
        let reasons: Vec<&str> = reasons.collect();
        return Ok(Err(format!("{}: {}", flow.verdict.name(), reasons.join("; "))));
    }
    let timed = flow.latency_ns.as_ref().and_then(|latency| {
        Some(Point {
            frame_bytes: frame.bytes(),
            rate_pps,
            frames: latency.count,
            min_ns: latency.min,
            p50_ns: latency.p50?,
            p99_ns: latency.p99?,
            max_ns: latency.max,
        })
    });
    let setting = session.setting(sends, receives);
    let timed = timed.ok_or_else(|| "no latency was measured".to_owned()).and_then(|point| {
        // What is kept is of one clock.
        match facts.ports[receives].nic_times {
            Some(times) if times.unstamped > 0 => {
                Err(format!("the NIC did not time {} of the frames", times.unstamped))
            }
            _ => Ok(point),
        }
    });
    Ok(timed.map(|point| (setting, point)))
}

fn path(tx: &PortInfo, rx: &PortInfo) -> String {
    format!("{} to {}", tx.name, rx.name)
}

fn row(tx: &PortInfo, rx: &PortInfo, point: &Point) -> String {
    let times = [point.min_ns, point.p50_ns, point.p99_ns, point.max_ns];
    let times = times.map(|ns| format!("{:>10}", report::nanoseconds(ns))).concat();
    let rate = report::scaled(point.rate_pps);
    format!("{:<32}{:>6}{rate:>10}{times}", path(tx, rx), point.frame_bytes)
}

fn write_json(path: &Path, on_stdout: bool, calibrations: &[Calibration]) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure {
        code: 2,
        message: format!("--json {}: {error}", path.display()),
    };
    let document = serde_json::json!({
        "schema": "linerate.calibrate/1",
        "calibrations": calibrations,
    });
    let text = serde_json::to_string_pretty(&document).map_err(|error| failed(&error))? + "\n";
    let written = if on_stdout {
        std::io::stdout().write_all(text.as_bytes())
    } else {
        std::fs::write(path, text)
    };
    written.map_err(|error| failed(&error))
}

/// `--for`: long enough for a 99th percentile.
pub(super) fn duration(text: &str) -> Result<String, String> {
    match parse_duration(text) {
        Some(time) if time.as_millis() >= 100 => Ok(text.to_owned()),
        _ => Err("write a time of at least 100ms, such as 500ms, 2s or 1m".to_owned()),
    }
}
