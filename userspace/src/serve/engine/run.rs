//! One run: its thread, and the handle by which commands reach it.

use super::{
    protocol::{Answer, EngineError, Event, Holder, Line, RunStart, Started},
    snapshot::{RunHistograms, RunSnapshot},
    worker::{Shared, refusal},
};
use crate::{
    calibration,
    report::RunResult,
    session::{ControlError, RateControl, Session, SessionError, Settings, Snapshot},
    spec::{Overrides, Spec},
};
use serde_json::value::to_raw_value;
use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

/// How commands reach a run.
#[derive(Debug)]
pub(super) struct Run {
    stop: Arc<AtomicBool>,
    control: RateControl,
    flows: Vec<String>,
}

impl Run {
    pub(super) fn stop(&self) {
        self.stop.store(true, Relaxed);
    }

    pub(super) fn pause(&self, flows: &[String]) -> Result<(), EngineError> {
        Ok(self.control.pause(self.named(flows))?)
    }

    pub(super) fn resume(&self, flows: &[String]) -> Result<(), EngineError> {
        Ok(self.control.resume(self.named(flows))?)
    }

    pub(super) fn set_rate(&self, flow: &str, rate: &str) -> Result<(), EngineError> {
        let rate = rate.parse().map_err(|error: crate::units::RateError| EngineError::Invalid {
            place: "rate".into(),
            message: error.to_string(),
        })?;
        Ok(self.control.set_rate(flow, rate)?)
    }

    /// None named: all.
    fn named<'a>(&'a self, flows: &'a [String]) -> &'a [String] {
        if flows.is_empty() { &self.flows } else { flows }
    }
}

impl From<ControlError> for EngineError {
    fn from(error: ControlError) -> Self {
        Self::Control { message: error.to_string() }
    }
}

/// A run's whole life, on the thread that it is called on.
pub(super) fn main(
    shared: &Arc<Shared>,
    start: RunStart,
    answer: &dyn Fn(Result<Answer, EngineError>),
) {
    let run = start.run;
    let (taken, session) = match open(shared, start) {
        Ok(opened) => opened,
        Err(error) => return answer(Err(error)),
    };
    let stop = Arc::new(AtomicBool::new(false));
    let handle =
        Run { stop: Arc::clone(&stop), control: session.control(), flows: session.flows() };
    shared.add_run(run, handle);
    let senders_cpus = session.senders_cpus();
    shared.away.begin(run, &senders_cpus);
    answer(Ok(Answer::Started(Started {
        run,
        senders_cpus,
        planned_ns: session.planned().map(|planned| planned.as_nanos() as u64),
        modes: session.modes(),
        notes: session.notes(),
    })));
    let event = event_of(shared, run, session, &stop);
    shared.remove_run(run);
    shared.away.end(run);
    // The ports are free before anybody hears that the run is over.
    drop(taken);
    shared.say(Line::Event(event));
}

fn open(
    shared: &Arc<Shared>,
    start: RunStart,
) -> Result<(super::worker::Taken, Session), EngineError> {
    let refused = |error: SessionError| refusal(&error);
    let mut spec = Spec::from_json(&start.spec).map_err(|error| refused(error.into()))?;
    let overrides = Overrides { duration: start.duration, scale: start.scale, ports: Vec::new() };
    spec.apply(&overrides).map_err(|error| refused(error.into()))?;
    let ports: Vec<_> = spec.ports.iter().map(|port| port.interface.clone()).collect();
    let taken = shared.take_ports(&ports, Holder::Run(start.run))?;
    let settings = Settings {
        interval: Duration::from_nanos(start.interval_ns.max(1_000_000)),
        samples: start.samples.max(16),
        keep_samples: start.samples > 0,
        series: true,
        backend: start.backend.into(),
        calibrations: Some(calibration::directory()),
        listened: start.listened,
    };
    let session = Session::open(spec, settings).map_err(refused)?;
    session.control().hold(&start.held)?;
    Ok((taken, session))
}

/// Sends, drains, and gives everything back; a defect in it ends this run and no other.
fn event_of(shared: &Shared, run: u64, mut session: Session, stop: &AtomicBool) -> Event {
    let ran = catch_unwind(AssertUnwindSafe(move || {
        let mut waiting = None;
        let facts = session.run(stop, &mut |snapshot: &Snapshot| {
            let histograms = RunHistograms::new(run, snapshot);
            let snapshot = later(waiting.take(), RunSnapshot::new(run, snapshot));
            if let Some(Event::Snapshot(unheard)) = shared.try_say(Event::Snapshot(snapshot)) {
                waiting = Some(unheard);
            }
            // One picture less is no number less.
            let _ = shared.try_say(Event::Histograms(histograms));
        })?;
        drop(session);
        if let Some(waiting) = waiting {
            shared.say(Line::Event(Event::Snapshot(waiting)));
        }
        Ok::<_, SessionError>(RunResult::new(&facts))
    }));
    match ran {
        Ok(Ok(result)) => match to_raw_value(&result) {
            Ok(result) => Event::Done { run, result: result.into() },
            Err(error) => Event::Failed { run, reason: error.to_string() },
        },
        Ok(Err(error)) => Event::Failed { run, reason: error.to_string() },
        Err(_) => Event::Failed {
            run,
            reason: "the run failed within; this is a defect, please report it".to_owned(),
        },
    }
}

/// The later of two snapshots, with all that became final in both.
fn later(earlier: Option<RunSnapshot>, mut snapshot: RunSnapshot) -> RunSnapshot {
    let flows = earlier.into_iter().flat_map(|earlier| earlier.flows);
    for (flow, mut before) in snapshot.flows.iter_mut().zip(flows) {
        before.finished.append(&mut flow.finished);
        flow.finished = mem::take(&mut before.finished);
    }
    snapshot
}
