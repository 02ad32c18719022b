//! One suite: its thread, from ports taken to a result.
//!
//! ```text
//! search (pure) -> Logged -> Announced -> Stoppable -> real or simulated trial
//!                    | lines                 | progress and rates
//!                    '------> listener <-----'
//! ```

mod keeper;
mod protocol;
mod teller;

pub(super) use keeper::Kept;
pub use protocol::{
    CurrentTrial, SuiteEnd, SuiteEvent, SuitePlan, SuiteProgress, SuiteRates, SuiteStart,
};

use super::{
    protocol::{Answer, EngineError, Event, Held, Holder, Line},
    worker::{Shared, Taken},
};
use crate::{
    calibration,
    report::{SuiteDocument, SuiteFacts, SuiteVerdict},
    session::Settings,
    spec::{Hooks, JsonText, SpecError, SuiteFile, Topology},
    suite::{
        AnySuite, Found, LogError, LogHeader, Logged, Stop, Stoppable, SuiteError, SuiteKind,
        TrialError, TrialLog, UnderTest,
        device::DeviceSpec,
        real::{Setup, Watch},
        warnings,
    },
};
use keeper::Keeper;
use std::{
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::{Arc, atomic::AtomicBool, mpsc::channel},
};
use teller::{Announced, Teller};

/// A suite that can be run for a client: one that runs no programs and names no files.
///
/// # Errors
/// [`EngineError::Invalid`] with the place.
pub fn asked(kind: SuiteKind, document: &JsonText) -> Result<(SuiteFile, AnySuite), EngineError> {
    let invalid =
        |place: &str, message: String| EngineError::Invalid { place: place.into(), message };
    let of_spec = |error: SpecError| {
        let place = error.place().map_or_else(String::new, |place| place.key.clone());
        EngineError::Invalid { place, message: error.to_string() }
    };
    let file = SuiteFile::from_json(document).map_err(of_spec)?;
    let suite = AnySuite::read(kind, &file).map_err(|error| match error {
        SuiteError::Spec(error) => of_spec(error),
        SuiteError::Goal(error) => invalid("mlrsearch.goals", error.to_string()),
        SuiteError::Services(error) => invalid("service", error.to_string()),
        SuiteError::Flows { .. } | SuiteError::Read(_) => invalid("flows", error.to_string()),
    })?;
    if suite.suite().hooks != Hooks::default() {
        let why = "hooks: commands are not run for clients; allowed: a suite without them";
        return Err(invalid("hooks", why.to_owned()));
    }
    if let Topology::Simulated { device, .. } = &suite.suite().topology {
        let parsed = device.parse::<DeviceSpec>();
        parsed.map_err(|error| invalid("topology.dut", format!("sim:{device}: {error}")))?;
    }
    Ok((file, suite))
}

/// The PORTs that a suite holds.
fn ports(suite: &AnySuite) -> Result<Vec<String>, EngineError> {
    let suite = suite.suite();
    let own =
        |ports: &[crate::spec::PortSpec]| ports.iter().map(|port| port.interface.clone()).collect();
    match (&suite.topology, &suite.flows) {
        (Topology::Simulated { .. }, _) => Ok(Vec::new()),
        (Topology::Pairs { .. }, None) => Ok(own(&suite.ports)),
        (Topology::Pairs { .. }, Some(flows)) => {
            let flows = flows.read().map_err(|error| EngineError::Invalid {
                place: "flows".to_owned(),
                message: error.to_string(),
            })?;
            Ok(own(&flows.ports))
        }
    }
}

/// What a suite comes to, without taking a port.
pub(super) fn plan(start: &SuiteStart) -> Result<SuitePlan, EngineError> {
    let (_, suite) = asked(start.kind, &start.document)?;
    let directions = UnderTest::directions(suite.suite(), suite.wants()).map_err(refused)?;
    let mut notes = warnings(suite.suite());
    notes.sort_unstable();
    let expected = suite.expected(&directions);
    Ok(SuitePlan {
        ports: ports(&suite)?,
        rows: rows(&suite),
        expected_ns: u64::try_from(expected.as_nanos()).unwrap_or(u64::MAX),
        virtual_time: matches!(suite.suite().topology, Topology::Simulated { .. }),
        directions,
        notes,
    })
}

fn rows(suite: &AnySuite) -> Vec<String> {
    match suite {
        AnySuite::Y1564(spec) => spec.services.iter().map(|one| one.name.clone()).collect(),
        _ => suite.suite().frames.iter().map(|frame| frame.name.clone()).collect(),
    }
}

/// A suite's error before its first trial, as the listener hears it.
#[allow(clippy::needless_pass_by_value, reason = "an error is handed on")]
fn refused(error: TrialError) -> EngineError {
    let message = error.to_string();
    match error {
        TrialError::Failed { exit_code: 64, .. } => {
            EngineError::Invalid { place: String::new(), message }
        }
        TrialError::Failed { exit_code: 77, .. } => EngineError::Unable { message },
        TrialError::Failed { .. } | TrialError::Interrupted => EngineError::Failed { message },
        TrialError::Held { port, pid, .. } => {
            EngineError::Busy(Held { port, holder: Holder::Process(pid) })
        }
    }
}

/// A suite's whole life, on the thread that it is called on.
pub(super) fn main(
    shared: &Arc<Shared>,
    start: &SuiteStart,
    answer: &dyn Fn(Result<Answer, EngineError>),
) {
    let suite = start.suite;
    let (kept, keeping) = channel();
    let stop = Arc::new(AtomicBool::new(false));
    // Before the first line of its log, which is answered by a command.
    shared.add_suite(suite, Arc::clone(&stop), kept);
    let begun = Cell::new(false);
    let told = |plan| {
        begun.set(true);
        answer(Ok(Answer::Suite(plan)));
    };
    let keeper = Keeper::new(Arc::clone(shared), suite, start.log.len() as u64, keeping);
    let ran = catch_unwind(AssertUnwindSafe(|| run(shared, start, &stop, keeper, &told)));
    shared.remove_suite(suite);
    let event = match ran {
        Ok(Ok(over)) => over,
        Ok(Err(error)) => return answer(Err(error)),
        Err(_) => {
            let reason = "the suite failed within; this is a defect, please report it".to_owned();
            if !begun.get() {
                return answer(Err(EngineError::Failed { message: reason }));
            }
            over(suite, SuiteEnd::Failed(reason), None)
        }
    };
    shared.say(Line::Event(Event::Suite(event)));
}

/// # Errors
/// What keeps it from its first trial; then `told` was not called.
fn run(
    shared: &Arc<Shared>,
    start: &SuiteStart,
    stop: &Arc<AtomicBool>,
    keeper: Keeper,
    told: &dyn Fn(SuitePlan),
) -> Result<SuiteEvent, EngineError> {
    let (file, suite) = asked(start.kind, &start.document)?;
    let failed = |error: &dyn std::fmt::Display| EngineError::Failed { message: error.to_string() };
    let flow_file = suite.flow_text().map_err(|error| failed(&error))?;
    let sha256 = suite.config(flow_file.as_deref()).map_err(|error| failed(&error))?;
    let mut plan = plan(start)?;
    let taken: Taken = shared.take_ports(&plan.ports, Holder::Suite(start.suite))?;
    let teller = Rc::new(RefCell::new(Teller::new(Arc::clone(shared), start.suite)));
    let seen = Rc::clone(&teller);
    let settings = Settings {
        backend: start.backend.into(),
        calibrations: Some(calibration::directory()),
        ..Settings::default()
    };
    let watch = Watch::with(move |snapshot| seen.borrow().see(snapshot));
    let setup = Setup { settings, stop: Arc::clone(stop), watch };
    let mut device = UnderTest::open(suite.suite(), suite.wants(), setup).map_err(refused)?;
    let directions = device.trial().directions().to_vec();
    let header = LogHeader {
        suite: start.kind.name().to_owned(),
        config: sha256.clone(),
        directions: directions.clone(),
    };
    let mut log = open_log(start, keeper, header)?;
    let (modes, notes) = device.notes();
    let expected = suite.expected(&directions);
    plan.expected_ns = u64::try_from(expected.as_nanos()).unwrap_or(u64::MAX);
    plan.directions.clone_from(&directions);
    plan.notes.extend(modes.into_iter().chain(notes.iter().cloned()));
    teller.borrow_mut().expect(plan.expected_ns);
    told(plan);

    let real = device.is_real();
    let mut trouble = |error: &std::io::Error| {
        eprintln!("suite {}: a trial is not kept, and is tried again: {error}", start.suite);
    };
    let found = {
        let mut stoppable = Stoppable::new(device.trial(), stop);
        let mut announced = Announced { trial: &mut stoppable, teller: &teller, real };
        let mut logged = Logged::new(&mut announced, &mut log, &mut trouble);
        suite.run(&mut logged, &mut |progress| teller.borrow_mut().hear(&progress))
    };
    teller.borrow_mut().end();
    let found = match found {
        Ok(found) => found,
        Err(error) => return Ok(over(start.suite, SuiteEnd::Failed(error.to_string()), None)),
    };
    let document = SuiteDocument::new(
        &SuiteFacts {
            suite: suite.suite(),
            effective: serde_json::to_value(&suite).unwrap_or_default(),
            sha256,
            arguments: Vec::new(),
            suite_file: file.text(),
            flow_file,
            device: None,
            seed: device.seed(),
            directions: &directions,
            ports: device.ports(),
            started: log.started(),
            notes,
        },
        &found,
    );
    let end = end_of(&found, &mut log);
    // The ports are free before anybody hears that the suite is over.
    drop(device);
    drop(taken);
    Ok(over(start.suite, end, Some(&document)))
}

fn end_of(found: &Found<'_>, log: &mut TrialLog) -> SuiteEnd {
    let end = match found.stopped() {
        Some(Stop::Trial(TrialError::Interrupted)) => SuiteEnd::Stopped,
        Some(Stop::Trial(error)) => SuiteEnd::Failed(error.to_string()),
        // A limit of its own is an end like any other.
        Some(Stop::Trials(_) | Stop::Time(_)) | None => return SuiteEnd::Done,
    };
    match log.flush() {
        Ok(()) => end,
        Err(error) => SuiteEnd::Failed(format!("the last trials are not kept: {error}")),
    }
}

fn over(suite: u64, end: SuiteEnd, document: Option<&SuiteDocument>) -> SuiteEvent {
    let verdict = document.map_or(SuiteVerdict::Invalid, SuiteDocument::verdict);
    let result = document.and_then(|document| document.json().ok());
    SuiteEvent::Over { suite, end, verdict: verdict.name().to_owned(), result }
}

fn open_log(
    start: &SuiteStart,
    keeper: Keeper,
    header: LogHeader,
) -> Result<TrialLog, EngineError> {
    let name = format!("of suite {}", start.suite);
    if start.log.is_empty() {
        return TrialLog::begin(name, keeper, header)
            .map_err(|error| EngineError::Failed { message: format!("trial log: {error}") });
    }
    let lines = start.log.join("\n") + "\n";
    TrialLog::go_on(name, keeper, lines.as_bytes(), &header).map_err(|error| {
        let message = match error {
            LogError::Other { what, .. } => {
                format!("the trials that were kept are of {what}; start the suite anew")
            }
            LogError::Damaged { line, .. } => {
                format!("line {line} of the trial log is damaged; start the suite anew")
            }
            error => error.to_string(),
        };
        EngineError::Failed { message }
    })
}
