//! `linerate replay`.

use super::{
    Failure,
    args::ReplayArgs,
    output::{Output, stop_flag},
};
use crate::{
    nic::PortName,
    packet::Recording,
    session::{Replay, ReplayPace, ReplaySpec, SessionError},
    units::{Rate, Ratio, parse_decimal},
};
use std::{fs::File, io, path::Path, sync::Arc};

pub(super) fn main(args: &ReplayArgs) -> Result<u8, Failure> {
    let spec = spec(args)?;
    let mut output = Output::open(&args.output)?;
    let stop = stop_flag()?;
    let replay = Replay::open(spec, output.settings())?;
    output.say(&replay.notes());
    let facts = output.watch(replay.planned(), |observe| replay.run(&stop, observe))?;
    output.finish(&facts)
}

fn spec(args: &ReplayArgs) -> Result<ReplaySpec, Failure> {
    let port = |text: &String| {
        text.parse::<PortName>().map_err(|error| Failure::from(SessionError::from(error)))
    };
    // Cheap refusals first: the file may be long.
    let (tx, rx) = (port(&args.tx)?, args.rx.as_ref().map(port).transpose()?);
    let (pace, rounds) = (pace(args)?, rounds(args)?);
    let is_stdin = args.file == Path::new("-");
    let name = args.file.file_name().map_or("-".into(), |name| name.to_string_lossy());
    let file =
        |error: &dyn std::fmt::Display| Failure::usage(format!("{}: {error}", args.file.display()));
    let recording = if is_stdin {
        Recording::read(io::stdin(), args.pad)
    } else {
        Recording::read(File::open(&args.file).map_err(|error| file(&error))?, args.pad)
    };
    Ok(ReplaySpec {
        name: if is_stdin { "stdin".into() } else { name.into_owned() },
        tx,
        rx,
        recording: Arc::new(recording.map_err(|error| file(&error))?),
        pace,
        rounds,
        frames: args.frames,
        duration: args.duration,
    })
}

fn pace(args: &ReplayArgs) -> Result<ReplayPace, Failure> {
    if let Some(rate) = &args.rate {
        let rate: Rate =
            rate.parse().map_err(|error| Failure::usage(format!("--rate: {error}")))?;
        return Ok(ReplayPace::Rate(rate));
    }
    let Some(text) = &args.speed else { return Ok(ReplayPace::Original { speed: Ratio::ONE }) };
    let speed = text.strip_suffix('x').and_then(parse_decimal).ok_or_else(|| {
        Failure::usage(format!("--speed: `{text}` is no factor; such as 2x, 0.5x or 1000x"))
    })?;
    Ok(ReplayPace::Original { speed })
}

/// `None`: forever.
fn rounds(args: &ReplayArgs) -> Result<Option<u64>, Failure> {
    match args.rounds.as_deref() {
        None if args.duration.is_some() || args.frames.is_some() => Ok(None),
        None => Ok(Some(1)),
        Some("forever") => Ok(None),
        Some(text) => match text.parse() {
            Ok(rounds @ 1..=1_000_000_000_000) => Ok(Some(rounds)),
            _ => Err(Failure::usage(format!("--loop: `{text}`; allowed: 1, 2, ... or forever"))),
        },
    }
}
