//! What the engine tells of suites.

use super::{SuiteHead, Suites};
use crate::serve::{
    engine::{Command, Engine, SuiteEnd, SuiteEvent, SuiteProgress},
    live::About,
    store::{Store, SuiteOutcome, SuiteState},
};
use std::{
    io,
    sync::{Arc, mpsc::channel},
    thread,
};

/// Lines of a trial log: the suite, the number of the first, and the lines.
pub(super) type Lines = (u64, u64, Vec<String>);

impl Suites {
    /// Gives it the engine that its events come from.
    ///
    /// # Errors
    /// If the thread that keeps trials cannot be made.
    pub fn attach(&self, engine: Arc<Engine>) -> io::Result<()> {
        let (lines, coming) = channel::<Lines>();
        let (store, weak) = (Arc::clone(&self.store), Arc::downgrade(&engine));
        // The disk is waited for here, so that nobody else's events are late.
        thread::Builder::new().name("trials".into()).spawn(move || {
            for (suite, first, lines) in coming {
                let Some(engine) = weak.upgrade() else { return };
                engine.tell(kept(&store, suite, first, &lines));
            }
        })?;
        // There is one of each, from the start.
        let _ = (self.engine.set(engine), self.lines.set(lines));
        Ok(())
    }

    /// Something happened to a suite, on the thread of the engine's reader.
    pub fn event(&self, event: SuiteEvent) {
        match event {
            SuiteEvent::Log { suite, first, lines } => {
                // Without the thread the suite goes on, and says that nothing is kept.
                let _ = self.lines.get().map(|to| to.send((suite, first, lines)));
            }
            SuiteEvent::Progress(progress) => self.progress(progress),
            SuiteEvent::Rates(rates) => {
                self.live.put("rates", About::Suite(rates.suite), &rates, None);
            }
            SuiteEvent::Over { suite, end, verdict, result } => {
                let (state, reason) = match &end {
                    SuiteEnd::Done => (SuiteState::Done, None),
                    SuiteEnd::Stopped => (SuiteState::Stopped, None),
                    SuiteEnd::Failed(reason) => (SuiteState::Failed, Some(reason.as_str())),
                };
                // Of one that failed, some may not have been told.
                let trials = self.trials(suite).filter(|_| reason.is_none());
                let trials = trials.and_then(|trials| serde_json::to_string(&trials).ok());
                let (result, trials) = (result.as_deref(), trials.as_deref());
                let outcome = SuiteOutcome { state, verdict: &verdict, reason, result, trials };
                self.over(suite, &outcome);
            }
        }
    }

    /// The engine died, and every suite with it.
    pub fn died(&self, reason: &str) {
        let reason = format!("the data plane ended: {reason}");
        let mut running = Vec::new();
        for (id, active) in self.state().iter_mut() {
            match active.head.row.state {
                SuiteState::Running => running.push(*id),
                // Who asked for it is told.
                _ => active.died = Some(reason.clone()),
            }
        }
        for id in running {
            self.over(id, &failed(&reason));
        }
    }

    fn progress(&self, mut progress: SuiteProgress) {
        self.live.put("progress", About::Suite(progress.suite), &progress, None);
        self.change(progress.suite, |active| {
            active.trials.append(&mut progress.finished);
            active.progress = progress;
        });
    }

    /// Kept first, and only then told: what anybody has seen to be over stays so.
    pub(super) fn over(&self, id: u64, outcome: &SuiteOutcome<'_>) {
        if let Err(error) = self.store.suite_ended(id, outcome) {
            eprintln!("suite {id}: its result is not kept: {error}");
        }
        let row = self.store.suite(id).ok().flatten();
        self.state().remove(&id);
        if let Some(row) = row {
            self.live.put("suite", About::Suite(id), &SuiteHead::from(row), None);
        }
    }
}

/// Of a suite without a result.
pub(super) fn failed(reason: &str) -> SuiteOutcome<'_> {
    SuiteOutcome {
        state: SuiteState::Failed,
        verdict: "invalid",
        reason: Some(reason),
        result: None,
        trials: None,
    }
}

fn kept(store: &Store, suite: u64, first: u64, lines: &[String]) -> Command {
    let fault = store.keep_trials(suite, first, lines).err().map(|error| error.to_string());
    Command::SuiteKept { suite, upto: first + lines.len() as u64, fault }
}
