//! Calibrations on disk: a file per sending and receiving port.

use super::{Calibration, SCHEMA};
use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// Why a calibration could not be kept or read.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum StoreError {
    #[error("{path}: {source}")]
    Io { path: String, source: io::Error },
    #[error("{path}: no calibration: {source}; remove it or calibrate again")]
    Malformed { path: String, source: serde_json::Error },
    #[error("{path}: its schema is {found}, not {SCHEMA}; calibrate again")]
    Schema { path: String, found: String },
}

/// Where calibrations are kept: `$XDG_STATE_HOME/linerate/calibration`, without it
/// `/var/lib/linerate/calibration` for root, `~/.local/state/linerate/calibration` for others.
pub fn directory() -> PathBuf {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| {
        let home = absolute("HOME").filter(|_| !nix::unistd::Uid::effective().is_root())?;
        Some(home.join(".local/state"))
    });
    state.unwrap_or_else(|| "/var/lib".into()).join("linerate/calibration")
}

/// The calibration of what `tx` sends and `rx` receives; `None`: there is none.
///
/// # Errors
/// [`StoreError`]: a file that cannot be read, or is of another kind.
pub fn load(directory: &Path, tx: &str, rx: &str) -> Result<Option<Calibration>, StoreError> {
    let path = file(directory, tx, rx);
    let shown = || path.display().to_string();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(StoreError::Io { path: shown(), source }),
    };
    let malformed = |source| StoreError::Malformed { path: shown(), source };
    let any: serde_json::Value = serde_json::from_str(&text).map_err(malformed)?;
    if any["schema"] != SCHEMA {
        let found = any["schema"].as_str().unwrap_or("absent").to_owned();
        return Err(StoreError::Schema { path: shown(), found });
    }
    serde_json::from_value(any).map(Some).map_err(malformed)
}

/// Keeps a calibration in place of an older one of the same ports; returns the file.
///
/// # Errors
/// [`StoreError::Io`].
pub fn save(directory: &Path, calibration: &Calibration) -> Result<PathBuf, StoreError> {
    let setting = &calibration.setting;
    let path = file(directory, &setting.tx.port, &setting.rx.port);
    let failed = |source| StoreError::Io { path: path.display().to_string(), source };
    fs::create_dir_all(directory).map_err(failed)?;
    let text = serde_json::to_string_pretty(calibration).map_err(|error| failed(error.into()))?;
    // Whole or not at all, also when the machine stops in between.
    let new = path.with_extension("json.new");
    fs::write(&new, text + "\n").map_err(failed)?;
    fs::rename(&new, &path).map_err(failed)?;
    Ok(path)
}

fn file(directory: &Path, tx: &str, rx: &str) -> PathBuf {
    // Neither an interface nor a namespace may have a slash in its name.
    directory.join(format!("{tx}--{rx}.json"))
}
