//! `linerate run`.

use super::{
    Failure,
    args::{Backend, RunArgs},
    flows,
    live::{Live, Screen},
    series::Series,
};
use crate::{
    report::{self, RunResult},
    session::{Session, Settings},
};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::{
    fs,
    io::Write,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

pub(super) fn main(args: &RunArgs) -> Result<u8, Failure> {
    if args.backend == Backend::LiveFrames {
        return Err(Failure {
            code: 77,
            message: "the live_frames back end is not built yet; use --backend af_xdp".into(),
        });
    }
    let spec = flows::spec(&args.flow)?;
    let json_on_stdout = args.json.as_deref() == Some(Path::new("-"));
    let screen = if json_on_stdout { Screen::Stderr } else { Screen::Stdout };
    // Found out before the run: a result that cannot be written is a run for nothing.
    let json = args.json.as_deref().filter(|_| !json_on_stdout).map(create).transpose()?;

    let mut series = args.series.as_deref().map(Series::create).transpose()?;

    let stop = stop_flag()?;
    let settings = Settings {
        interval: args.interval,
        samples: args.history as usize,
        keep_samples: args.samples,
        series: series.is_some(),
    };
    let mut session = Session::open(spec, settings)
        .map_err(|error| Failure { code: error.exit_code(), message: error.to_string() })?;
    if args.verbose {
        for note in session.notes() {
            screen.print(&note);
        }
    }
    let mut live = Live::new(screen, session.planned(), args.quiet);
    let facts = session
        .run(&stop, &mut |snapshot| {
            live.show(snapshot);
            if let Some(series) = &mut series {
                series.write(snapshot);
            }
        })
        .map_err(|error| Failure { code: error.exit_code(), message: error.to_string() })?;
    drop(session);

    let result = RunResult::new(&facts);
    if !args.quiet {
        screen.print(&report::table(&result, screen.width()));
    }
    write(&result, json, json_on_stdout)?;
    series.map_or(Ok(()), Series::finish)?;
    Ok(report::exit_code(&result))
}

fn create(path: &Path) -> Result<(fs::File, String), Failure> {
    let file = fs::File::create(path)
        .map_err(|error| Failure::usage(format!("--json {}: {error}", path.display())))?;
    Ok((file, path.display().to_string()))
}

fn write(
    result: &RunResult,
    file: Option<(fs::File, String)>,
    on_stdout: bool,
) -> Result<(), Failure> {
    let failed = |path: &str, error: &dyn std::fmt::Display| Failure {
        code: 2,
        message: format!("--json {path}: {error}"),
    };
    let text = result.to_json().map_err(|error| failed("", &error))?;
    if let Some((mut file, path)) = file {
        file.write_all(text.as_bytes()).map_err(|error| failed(&path, &error))?;
    }
    if on_stdout {
        std::io::stdout().write_all(text.as_bytes()).map_err(|error| failed("-", &error))?;
    }
    Ok(())
}

/// Set by SIGINT or SIGTERM; the second of them ends the process at once, and with it
/// everything that is attached.
fn stop_flag() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 2, Arc::clone(&stop))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)))
            .map_err(|error| Failure {
                code: 2,
                message: format!("cannot listen to signals: {error}"),
            })?;
    }
    Ok(stop)
}
