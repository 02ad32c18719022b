//! Captures of the daemon: what is known of each. The frames are with the engine.

use crate::serve::engine::CaptureCounts;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Every capture that was not removed, by number.
#[derive(Debug, Default)]
pub struct Captures(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    last: u64,
    captures: BTreeMap<u64, CaptureHead>,
}

/// A capture as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CaptureHead {
    /// Given by the daemon; not kept beyond its end.
    pub id: u64,
    /// The PORT.
    pub port: String,
    /// Which frames, in tcpdump's words.
    pub filter: Option<String>,
    /// RFC 3339, UTC.
    pub started: String,
    /// Whether it goes on.
    pub active: bool,
    /// What it counted; `null` while it goes on.
    pub counts: Option<CaptureCounts>,
    /// Why it ended before its time.
    pub fault: Option<String>,
}

impl Captures {
    /// Adds one, unless there are `most` already.
    pub fn add(&self, port: &str, filter: Option<&str>, most: usize) -> Option<u64> {
        let mut table = self.table();
        if table.captures.len() >= most {
            return None;
        }
        table.last += 1;
        let id = table.last;
        let head = CaptureHead {
            id,
            port: port.to_owned(),
            filter: filter.map(str::to_owned),
            started: jiff::Timestamp::now().to_string(),
            active: true,
            counts: None,
            fault: None,
        };
        table.captures.insert(id, head);
        Some(id)
    }

    /// All of them, by number.
    pub fn all(&self) -> Vec<CaptureHead> {
        self.table().captures.values().cloned().collect()
    }

    /// One of them.
    pub fn get(&self, id: u64) -> Option<CaptureHead> {
        self.table().captures.get(&id).cloned()
    }

    /// Whether there was one.
    pub fn remove(&self, id: u64) -> bool {
        self.table().captures.remove(&id).is_some()
    }

    pub(super) fn over(&self, id: u64, counts: CaptureCounts, fault: Option<String>) {
        if let Some(head) = self.table().captures.get_mut(&id) {
            (head.active, head.counts, head.fault) = (false, Some(counts), fault);
        }
    }

    /// The engine died, and with it what was captured.
    pub(super) fn lost(&self, reason: &str) {
        for head in self.table().captures.values_mut() {
            (head.active, head.fault) = (false, Some(reason.to_owned()));
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
