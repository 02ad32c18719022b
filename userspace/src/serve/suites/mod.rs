//! Every suite of the daemon: started, watched, ended, resumed, and kept.
//!
//! A trial is in the store before the next begins: the engine sends each line of the trial log
//! here and waits until it is on the disk.

mod events;
mod replay;

pub(super) use replay::replay;

use super::{
    engine::{
        Command, CurrentTrial, Engine, EngineError, SuitePlan, SuiteProgress, SuiteStart, asked,
    },
    live::{About, Live},
    runs::blocking,
    store::{NewSuite, Store, StoreError, SuiteRow, SuiteState},
};
use crate::{report::TrialRow, suite::Direction};
use events::{Lines, failed};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, mpsc::Sender},
    time::Duration,
};

/// Suites that go on at once; each has a thread, and its trials in memory.
const SUITES: usize = 16;

/// All suites.
#[derive(Debug)]
pub struct Suites {
    engine: OnceLock<Arc<Engine>>,
    /// To the thread that keeps trials.
    lines: OnceLock<Sender<Lines>>,
    store: Arc<Store>,
    live: Arc<Live>,
    state: Mutex<BTreeMap<u64, Active>>,
}

/// A suite that goes on.
#[derive(Debug)]
struct Active {
    head: SuiteHead,
    progress: SuiteProgress,
    trials: Vec<TrialRow>,
    /// To be stopped as soon as it can be.
    stop_asked: bool,
    /// The engine died while it was starting.
    died: Option<String>,
}

/// A suite that is asked for.
pub type SuiteRequest = NewSuite;

/// A suite as a list shows it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct SuiteHead {
    /// What is kept of it.
    #[serde(flatten)]
    pub row: SuiteRow,
    /// Its PORTs, while they are held.
    pub ports: Vec<String>,
    /// What loads flow through the device; empty once it is over.
    pub directions: Vec<Direction>,
    /// About how long all trials take, waits included; `null`: it is over.
    pub expected_ns: Option<u64>,
    /// Trials take no real time: the device is simulated; `null`: it is over.
    pub virtual_time: Option<bool>,
    /// Sentences worth knowing: how ports are used, and what RFC 6815 warns of.
    pub notes: Vec<String>,
}

impl From<SuiteRow> for SuiteHead {
    fn from(row: SuiteRow) -> Self {
        let (ports, directions, notes) = (Vec::new(), Vec::new(), Vec::new());
        Self { row, ports, directions, expected_ns: None, virtual_time: None, notes }
    }
}

/// How far a suite is that goes on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct SuiteCourse {
    /// Trials that are over.
    pub trials: u32,
    /// The trial that goes on; `null`: none does.
    pub current: Option<CurrentTrial>,
    /// What the trials took so far, waits included.
    pub spent_ns: u64,
    /// About what the others will take.
    pub remaining_ns: u64,
    /// The search that goes on, or was the last: its trials so far, with the bounds before each.
    pub trace: Vec<TrialRow>,
}

/// Why a suite was not started, stopped or resumed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum SuiteRefusal {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("there is no suite {0}")]
    Unknown(u64),
    #[error("suite {0} goes on; stop it first")]
    GoesOn(u64),
    #[error("suite {0} is over")]
    IsOver(u64),
    #[error("suite {0} came to its end; there is nothing to resume")]
    Whole(u64),
    #[error("{SUITES} suites go on; stop one first")]
    TooMany,
}

impl Suites {
    /// None yet; the engine is told to [`Self::attach`].
    pub fn new(store: Arc<Store>, live: Arc<Live>) -> Self {
        let (engine, lines) = (OnceLock::new(), OnceLock::new());
        Self { engine, lines, store, live, state: Mutex::default() }
    }

    fn engine(&self) -> Result<&Engine, EngineError> {
        let reason = || EngineError::Gone { reason: "it was not started".to_owned() };
        self.engine.get().map(AsRef::as_ref).ok_or_else(reason)
    }

    /// What a suite comes to; nothing is started.
    ///
    /// # Errors
    /// If it cannot be run as it is.
    pub async fn plan(&self, request: SuiteRequest) -> Result<SuitePlan, SuiteRefusal> {
        let NewSuite { kind, spec, backend, .. } = request;
        let start = SuiteStart { suite: 0, kind, document: spec, backend, log: Vec::new() };
        Ok(self.engine()?.suite(Command::PlanSuite(start)).await?)
    }

    /// Starts a suite, and returns once its ports are held.
    ///
    /// # Errors
    /// If it cannot be run as it is, or a port is busy.
    pub async fn start(self: &Arc<Self>, request: SuiteRequest) -> Result<SuiteHead, SuiteRefusal> {
        // Refused without a trace of it.
        let (kind, spec) = (request.kind, request.spec.clone());
        blocking(move || asked(kind, &spec).map(drop)).await??;
        let store = Arc::clone(&self.store);
        let row = blocking(move || store.add_suite(&request)).await??;
        self.begin(row).await
    }

    /// Goes on with a suite that was ended before its end: its trials are not run again.
    ///
    /// # Errors
    /// If it goes on or came to its end, or cannot be started.
    pub async fn resume(self: &Arc<Self>, id: u64) -> Result<SuiteHead, SuiteRefusal> {
        if self.state().contains_key(&id) {
            return Err(SuiteRefusal::GoesOn(id));
        }
        let store = Arc::clone(&self.store);
        let row = blocking(move || store.suite(id)).await??.ok_or(SuiteRefusal::Unknown(id))?;
        match row.state {
            SuiteState::Done => Err(SuiteRefusal::Whole(id)),
            SuiteState::Starting | SuiteState::Running => Err(SuiteRefusal::GoesOn(id)),
            SuiteState::Stopped | SuiteState::Failed => self.begin(row).await,
        }
    }

    /// A client that leaves must not leave half a suite behind.
    async fn begin(self: &Arc<Self>, row: SuiteRow) -> Result<SuiteHead, SuiteRefusal> {
        let suites = Arc::clone(self);
        let begun = tokio::spawn(async move {
            let (id, state) = (row.id, row.state);
            let begun = suites.enter(row).await;
            // One that goes on already is not for us to change.
            if begun.as_ref().is_err_and(|error| !matches!(error, SuiteRefusal::GoesOn(_))) {
                let store = Arc::clone(&suites.store);
                blocking(move || match state {
                    SuiteState::Starting => store.forget_suite(id),
                    before => store.suite_stands(id, before),
                })
                .await??;
            }
            begun
        });
        let failed =
            |error: tokio::task::JoinError| EngineError::Failed { message: error.to_string() };
        begun.await.map_err(failed)?
    }

    async fn enter(&self, row: SuiteRow) -> Result<SuiteHead, SuiteRefusal> {
        let id = row.id;
        let head = SuiteHead::from(SuiteRow { state: SuiteState::Starting, ..row });
        {
            let mut state = self.state();
            if state.contains_key(&id) {
                return Err(SuiteRefusal::GoesOn(id));
            }
            if state.len() >= SUITES {
                return Err(SuiteRefusal::TooMany);
            }
            let progress = SuiteProgress { suite: id, ..SuiteProgress::default() };
            let active =
                Active { head, progress, trials: Vec::new(), stop_asked: false, died: None };
            state.insert(id, active);
        }
        let entered = self.entered(id).await;
        if entered.is_err() {
            self.state().remove(&id);
        }
        entered
    }

    async fn entered(&self, id: u64) -> Result<SuiteHead, SuiteRefusal> {
        let store = Arc::clone(&self.store);
        let found = blocking(move || {
            store.suite_stands(id, SuiteState::Starting)?;
            let (row, document) = (store.suite(id)?, store.suite_document(id)?);
            Ok::<_, StoreError>(row.zip(document).zip(Some(store.trials(id)?)))
        });
        let ((row, document), log) = found.await??.ok_or(SuiteRefusal::Unknown(id))?;
        let start = SuiteStart { suite: id, kind: row.kind, document, backend: row.backend, log };
        let plan = self.engine()?.suite(Command::StartSuite(start)).await?;
        let store = Arc::clone(&self.store);
        let row = blocking(move || {
            store.suite_started(id)?;
            store.suite(id)
        });
        let Some(row) = row.await?? else { return Err(SuiteRefusal::Unknown(id)) };
        let started = self.change(id, |active| {
            let head = &mut active.head;
            head.row = row.clone();
            head.ports = plan.ports;
            head.directions = plan.directions;
            head.expected_ns = Some(plan.expected_ns);
            head.virtual_time = Some(plan.virtual_time);
            head.notes = plan.notes;
            (head.clone(), active.stop_asked, active.died.take())
        });
        // It was over before this was heard.
        let Some((head, stop_asked, died)) = started else { return Ok(row.into()) };
        if let Some(reason) = died {
            self.over(id, &failed(&reason));
            return Err(EngineError::Gone { reason }.into());
        }
        self.live.put("suite", About::Suite(id), &head, None);
        if stop_asked {
            // It may have come to its end by itself.
            let _ = self.engine()?.order(Command::StopSuite { suite: id }).await;
        }
        Ok(head)
    }

    /// Asks a suite to end with what it has.
    ///
    /// # Errors
    /// If it does not go on.
    pub async fn stop(&self, id: u64) -> Result<SuiteHead, SuiteRefusal> {
        let asked = self.change(id, |active| {
            active.stop_asked = true;
            active.head.clone()
        });
        let Some(head) = asked else {
            let store = Arc::clone(&self.store);
            let known = blocking(move || store.suite(id)).await??.is_some();
            return Err(if known { SuiteRefusal::IsOver(id) } else { SuiteRefusal::Unknown(id) });
        };
        if head.row.state == SuiteState::Running {
            match self.engine()?.order(Command::StopSuite { suite: id }).await {
                // It came to its end meanwhile, which its event tells.
                Ok(()) | Err(EngineError::Unknown { .. }) => (),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(head)
    }

    /// Removes a suite that is over, with its trials and its result.
    ///
    /// # Errors
    /// If it goes on, or there is none.
    pub async fn remove(&self, id: u64) -> Result<(), SuiteRefusal> {
        if self.state().contains_key(&id) {
            return Err(SuiteRefusal::GoesOn(id));
        }
        let store = Arc::clone(&self.store);
        let removed = blocking(move || store.remove_suite(id)).await??;
        if removed { Ok(()) } else { Err(SuiteRefusal::Unknown(id)) }
    }

    /// A suite that goes on.
    pub fn head(&self, id: u64) -> Option<SuiteHead> {
        self.state().get(&id).map(|active| active.head.clone())
    }

    /// How far it is; `None`: it does not go on.
    pub fn course(&self, id: u64) -> Option<SuiteCourse> {
        let state = self.state();
        let Active { progress, trials, .. } = state.get(&id)?;
        let search = match (&progress.current, trials.last()) {
            (Some(now), _) => Some((now.test.clone(), now.frame.clone())),
            (None, last) => last.map(|last| (last.test.clone(), last.frame.clone())),
        };
        let mine = |trial: &&TrialRow| {
            search
                .as_ref()
                .is_some_and(|(test, frame)| trial.test == *test && trial.frame == *frame)
        };
        let mut trace: Vec<_> = trials.iter().rev().take_while(mine).cloned().collect();
        trace.reverse();
        Some(SuiteCourse {
            trials: progress.trials,
            current: progress.current.clone(),
            spent_ns: progress.spent_ns,
            remaining_ns: progress.remaining_ns,
            trace,
        })
    }

    /// Its trials so far; `None`: it does not go on.
    pub fn trials(&self, id: u64) -> Option<Vec<TrialRow>> {
        self.state().get(&id).map(|active| active.trials.clone())
    }

    /// Ends every suite, and waits until all are kept, but no longer than `patience`.
    pub async fn stop_all(&self, patience: Duration) {
        let active: Vec<u64> = self.state().keys().copied().collect();
        for id in active {
            // One that ended meanwhile is stopped too.
            let _ = self.stop(id).await;
        }
        let ended = async {
            while !self.state().is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(patience, ended).await;
    }

    fn change<T>(&self, id: u64, change: impl FnOnce(&mut Active) -> T) -> Option<T> {
        self.state().get_mut(&id).map(change)
    }

    fn state(&self) -> MutexGuard<'_, BTreeMap<u64, Active>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
