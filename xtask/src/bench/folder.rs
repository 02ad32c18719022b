//! A place for the files of one bench.

use std::{fs, path::PathBuf};

use anyhow::Result;

/// A folder of this process in the temporary directory, removed when dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn create(bench: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("linerate-{bench}-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It is in the temporary directory and of no use any more.
        let _ = fs::remove_dir_all(&self.0);
    }
}
