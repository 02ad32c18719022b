//! The trial log of a suite whose disk is behind the pipe.

use super::{
    super::protocol::{Event, Line},
    SuiteEvent,
};
use crate::{serve::engine::worker::Shared, suite::Keep};
use std::{
    io,
    sync::{Arc, mpsc::Receiver},
    time::Duration,
};

/// How long the listener may take to keep a trial.
const PATIENCE: Duration = Duration::from_secs(30);

/// Up to which line all are kept, or why they are not.
pub(in crate::serve::engine) type Kept = (u64, Option<String>);

/// Gives lines to the listener, and waits until they are on its disk.
#[derive(Debug)]
pub(super) struct Keeper {
    shared: Arc<Shared>,
    suite: u64,
    /// Number of the next line.
    next: u64,
    kept: Receiver<Kept>,
}

impl Keeper {
    pub(super) fn new(shared: Arc<Shared>, suite: u64, next: u64, kept: Receiver<Kept>) -> Self {
        Self { shared, suite, next, kept }
    }
}

impl Keep for Keeper {
    fn keep(&mut self, lines: &[u8]) -> io::Result<()> {
        let text = String::from_utf8_lossy(lines);
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let next = self.next + lines.len() as u64;
        let event = SuiteEvent::Log { suite: self.suite, first: self.next, lines };
        self.shared.say(Line::Event(Event::Suite(event)));
        loop {
            match self.kept.recv_timeout(PATIENCE) {
                Ok((upto, None)) if upto == next => break,
                Ok((upto, Some(fault))) if upto == next => return Err(io::Error::other(fault)),
                // The late answer to an earlier question.
                Ok(_) => (),
                Err(_) => return Err(io::Error::other("the store gave no answer")),
            }
        }
        self.next = next;
        Ok(())
    }
}
