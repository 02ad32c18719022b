//! `--series`: rows of finished samples go to a file while the run goes on.
//!
//! A thread of its own writes, so that a slow disk or reader cannot hold up the readings.

use super::Failure;
use crate::{
    report::{SampleRow, SeriesFormat},
    session::Snapshot,
    units::monotonic_ns,
};
use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::mpsc::{SyncSender, TrySendError, sync_channel},
    thread::{self, JoinHandle},
    time::Duration,
};

/// Snapshots that may wait for the file: a minute of seconds.
const WAITING_MAX: usize = 60;

/// A file that grows by the samples of a run.
#[derive(Debug)]
pub(super) struct Series {
    path: PathBuf,
    format: SeriesFormat,
    /// `None` once writing has failed.
    rows: Option<SyncSender<String>>,
    writer: JoinHandle<io::Result<()>>,
    skipped: u64,
}

impl Series {
    /// Creates the file, in the format of its ending.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let format = SeriesFormat::of(path).ok_or_else(|| {
            let path = path.display();
            Failure::usage(format!("--series {path}: the name must end in .jsonl or .csv"))
        })?;
        let failed =
            |error: io::Error| Failure::usage(format!("--series {}: {error}", path.display()));
        let mut file = File::create(path).map_err(failed)?;
        file.write_all(format.header().as_bytes()).map_err(failed)?;
        let (rows, waiting) = sync_channel::<String>(WAITING_MAX);
        let shown = path.display().to_string();
        let writer = thread::Builder::new().name("series".into()).spawn(move || {
            // A file has no buffer of ours: what was written is with the kernel.
            let written = waiting.iter().try_for_each(|rows| file.write_all(rows.as_bytes()));
            if let Err(error) = &written {
                anstream::eprintln!("--series {shown}: {error}; the run goes on without it");
            }
            written
        });
        let writer = writer.map_err(failed)?;
        Ok(Self { path: path.to_owned(), format, rows: Some(rows), writer, skipped: 0 })
    }

    /// Hands over the rows that became final.
    pub(super) fn write(&mut self, snapshot: &Snapshot) {
        let Some(rows) = &self.rows else { return };
        let (now, now_ns) = (jiff::Timestamp::now(), monotonic_ns());
        let mut text = String::new();
        let mut count = 0;
        for flow in &snapshot.flows {
            for sample in &flow.finished {
                let age = Duration::from_nanos(now_ns.saturating_sub(sample.time_ns));
                let row = SampleRow::new(sample, snapshot.base_ns);
                text += &self.format.row(now - age, &flow.name, &row);
                count += 1;
            }
        }
        match rows.try_send(text) {
            Ok(()) => (),
            Err(TrySendError::Full(_)) => self.skipped += count,
            Err(TrySendError::Disconnected(_)) => self.rows = None,
        }
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// Exit code 2 where a row is missing in the file.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let path = self.path.display();
        let failed = |message| Failure { code: 2, message };
        drop(self.rows);
        match self.writer.join() {
            Ok(Ok(())) if self.skipped == 0 => Ok(()),
            Ok(Ok(())) => Err(failed(format!(
                "--series {path}: {} rows are missing: it was read or written too slowly",
                self.skipped
            ))),
            Ok(Err(error)) => {
                Err(failed(format!("--series {path}: {error}; later rows are missing")))
            }
            Err(_) => Err(failed(format!("--series {path}: the writer failed"))),
        }
    }
}
