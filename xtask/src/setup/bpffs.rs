//! The file system that BPF links and maps are pinned in.

use std::path::Path;

use anyhow::{Context as _, Result};
use rustix::mount::{MountFlags, mount};

/// Where every distribution mounts it.
pub const BPFFS: &str = "/sys/fs/bpf";

/// BPF_FS_MAGIC of linux/magic.h.
const MAGIC: i64 = 0xcafe_4a11;

pub fn mounted() -> bool {
    rustix::fs::statfs(BPFFS).is_ok_and(|fs| fs.f_type == MAGIC)
}

/// Mounts it where it is absent, as init systems do; wants root.
pub fn ensure_mounted() -> Result<()> {
    if mounted() {
        return Ok(());
    }
    let options = c"mode=0700";
    mount("bpf", Path::new(BPFFS), "bpf", MountFlags::NOSUID | MountFlags::NODEV, Some(options))
        .with_context(|| format!("cannot mount the BPF file system on {BPFFS}"))
}
