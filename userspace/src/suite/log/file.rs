//! A log in a file of its own: JSON, a line each.

use super::{Keep, LogError, LogHeader, TrialLog};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

/// A file that grows by whole lines.
#[derive(Debug)]
struct LogFile {
    file: File,
    /// Octets of whole lines in the file.
    whole: u64,
}

impl Keep for LogFile {
    fn keep(&mut self, lines: &[u8]) -> io::Result<()> {
        let written = self
            .file
            .seek(SeekFrom::Start(self.whole))
            .and_then(|_| self.file.write_all(lines))
            .and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => self.whole += lines.len() as u64,
            // Where even that fails, the next reader cuts the torn line off.
            Err(_) => drop(self.file.set_len(self.whole)),
        }
        written
    }
}

impl TrialLog {
    /// A new log; what the file held is gone.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn create(path: &Path, header: LogHeader) -> Result<Self, LogError> {
        let file = open(path, OpenOptions::new().create(true).truncate(false))?;
        let failed = |source| LogError::Io { log: path.display().to_string(), source };
        file.set_len(0).map_err(failed)?;
        let log = Self::begin(path.display().to_string(), LogFile { file, whole: 0 }, header);
        log.map_err(failed)
    }

    /// A log to go on with. A last line that was not written to its end is cut off.
    ///
    /// # Errors
    /// [`LogError`]; above all where `header` is not that of the log.
    pub fn resume(path: &Path, header: &LogHeader) -> Result<Self, LogError> {
        let mut file = open(path, &mut OpenOptions::new())?;
        let failed = |source| LogError::Io { log: path.display().to_string(), source };
        let mut octets = Vec::new();
        file.read_to_end(&mut octets).map_err(failed)?;
        let whole = octets.iter().rposition(|&octet| octet == b'\n').map_or(0, |at| at + 1);
        let cut = file.try_clone().map_err(failed)?;
        let kept = LogFile { file, whole: whole as u64 };
        let log = Self::go_on(path.display().to_string(), kept, &octets[..whole], header)?;
        cut.set_len(whole as u64).map_err(failed)?;
        Ok(log)
    }
}

fn open(path: &Path, options: &mut OpenOptions) -> Result<File, LogError> {
    let failed = |source| LogError::Io { log: path.display().to_string(), source };
    let file = options.read(true).write(true).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LogError::Busy { log: path.display().to_string() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}
