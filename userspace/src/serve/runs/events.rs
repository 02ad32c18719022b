//! What the engine tells of runs.

use super::Runs;
use crate::serve::{
    engine::{Event, RunSnapshot, Sink},
    live::About,
    store::{RunState, StoredSamples},
};
use crate::spec::JsonText;
use std::sync::Arc;

/// Rows of runs that are over which stay in memory.
const ROWS_OVER: usize = 500_000;
/// Runs that are over which stay in memory.
const RUNS_OVER: usize = 32;

impl Sink for Runs {
    fn event(&self, event: Event) {
        match event {
            Event::Snapshot(snapshot) => self.snapshot(snapshot),
            Event::Histograms(drawn) => {
                self.change(drawn.run, |active| active.pictures.record(drawn));
            }
            Event::Done { run, result } => self.over(run, Ok(&result)),
            Event::Failed { run, reason } => self.over(run, Err(&reason)),
            Event::CaptureDone { capture, counts, fault } => {
                self.captures.over(capture, counts, fault);
            }
            // They are heard elsewhere.
            Event::Suite(_) => (),
        }
    }

    fn died(&self, reason: &str, _is_final: bool) {
        let reason = format!("the data plane ended: {reason}");
        self.captures.lost(&reason);
        self.active().iter().for_each(|head| self.over(head.row.id, Err(&reason)));
    }
}

impl Runs {
    fn snapshot(&self, snapshot: RunSnapshot) {
        let run = snapshot.run;
        let snapshot = Arc::new(snapshot);
        let finished = |flow: &crate::serve::engine::LiveFlow| StoredSamples {
            name: flow.name.clone(),
            samples: flow.finished.clone(),
        };
        // Of a run of another interface, which the store does not know, only the stream tells.
        let settled: Vec<_> =
            snapshot.flows.iter().filter(|flow| !flow.finished.is_empty()).map(finished).collect();
        let stored = self.change(run, |active| {
            snapshot.flows.iter().for_each(|flow| active.history.record(flow));
            active.latest = Some(Arc::clone(&snapshot));
            active.stored += 1;
            (active.stored, active.history.capacity() as u64)
        });
        self.live.put("snapshot", About::Run(run), &*snapshot, Some(Arc::clone(&snapshot)));
        if let Some((number, keep)) = stored.filter(|_| !settled.is_empty())
            && let Err(error) = self.store.add_samples(run, number, &settled, keep)
        {
            eprintln!("run {run}: a sample is not kept: {error}");
        }
    }

    /// Kept first, and only then told: what anybody has seen to be over stays so.
    fn over(&self, run: u64, result: Result<&JsonText, &str>) {
        if let Err(error) = self.store.run_ended(run, result) {
            eprintln!("run {run}: its result is not kept: {error}");
        }
        let row = self.store.run(run).ok().flatten();
        self.change(run, |active| {
            active.head.ports.clear();
            active.head.paused.clear();
            active.head.row.state = if result.is_ok() { RunState::Done } else { RunState::Failed };
            if let Some(row) = row {
                active.head.row = row;
            }
        });
        self.tell(run);
        self.forget_old();
    }

    fn forget_old(&self) {
        let mut state = self.state();
        let over: Vec<_> = state
            .iter()
            .filter(|(_, active)| !active.head.is_active())
            .map(|(id, active)| (*id, active.history.len()))
            .collect();
        let (mut rows, mut runs) = (0, 0);
        for (id, len) in over.into_iter().rev() {
            rows += len;
            runs += 1;
            // The newest stays in any case.
            if runs > 1 && (rows > ROWS_OVER || runs > RUNS_OVER) {
                state.remove(&id);
            }
        }
    }
}
