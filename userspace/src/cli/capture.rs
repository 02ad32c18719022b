//! `linerate capture`.

use super::{Failure, args::CaptureArgs, output::stop_flag, ring::Ring};
use crate::{
    nic::PortName,
    session::{CaptureEnd, CaptureSession, CaptureSpec, SessionError},
};
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

pub(super) fn main(args: &CaptureArgs) -> Result<u8, Failure> {
    let port = args.port.parse::<PortName>().map_err(SessionError::from)?;
    let filter = args.filter.as_ref().map(|text| {
        let filter = text.parse().map_err(|error| Failure::usage(format!("--filter: {error}")));
        filter.map(|filter| (filter, text.clone()))
    });
    let spec = CaptureSpec {
        port,
        snap_bytes: args.snap as usize,
        filter: filter.transpose()?,
        count: args.count,
        duration: args.duration,
    };
    let to_stdout = args.write == Path::new("-");
    if to_stdout && args.ring.is_some() {
        return Err(Failure::usage(
            "--ring: files in turn want a --write PATH, not `-`".to_owned(),
        ));
    }
    let unwritable =
        |error: &io::Error| Failure::usage(format!("--write {}: {error}", args.write.display()));
    let stop = stop_flag()?;
    let session = CaptureSession::open(spec)?;
    // Only now: a capture that cannot start leaves an older file alone.
    let out: Box<dyn Write> = match args.ring {
        None if to_stdout => Box::new(io::stdout().lock()),
        None => {
            let file = File::create(&args.write).map_err(|error| unwritable(&error))?;
            Box::new(BufWriter::with_capacity(1 << 20, file))
        }
        Some(size) => {
            Box::new(Ring::create(&args.write, size).map_err(|error| unwritable(&error))?)
        }
    };
    if args.verbose {
        for note in session.notes() {
            anstream::eprintln!("{note}");
        }
    }
    let end = session.run(out, &stop)?;
    if !args.quiet {
        anstream::eprintln!("{}", summary(&end));
    }
    match end.fault {
        Some(fault) => Err(Failure { code: 2, message: fault }),
        None => Ok(0),
    }
}

fn summary(end: &CaptureEnd) -> String {
    let counts = &end.counts;
    let overruns = end.overruns.filter(|all| all.fill_ring_empty + all.rx_ring_full > 0);
    let places = overruns.map_or_else(String::new, |overruns| {
        format!(
            " (AF_XDP fill ring empty: {}, RX ring full: {})",
            overruns.fill_ring_empty, overruns.rx_ring_full
        )
    });
    format!(
        "{} frames written; {} test frames came through AF_XDP and {} frames by the kernel; \
         dropped by the port: {}, for want of room: {}{places}",
        counts.written, end.tagged, end.heard, counts.interface_dropped, counts.kernel_dropped
    )
}
