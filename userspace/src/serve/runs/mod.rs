//! Every run of the daemon: started, changed, watched, ended, and kept.
//!
//! REST, the live stream and every other interface start their runs here, so that each
//! sees those of the others.

mod alias;
mod captures;
mod events;
mod history;
mod pictures;
mod request;

pub(super) use alias::with_aliases;
pub use captures::{CaptureHead, Captures};
pub use pictures::{Gaps, LatencyRow};
pub(super) use request::invalid;
pub use request::{Planned, PlannedFlow, RunRequest, StartError};

use super::{
    engine::{Command, Engine, EngineError, RunSnapshot, RunStart},
    live::{About, Live},
    store::{RunRow, RunState, Store, StoreError},
};
use crate::report::SampleRow;
use history::History;
use pictures::Pictures;
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

/// All runs.
#[derive(Debug)]
pub struct Runs {
    engine: OnceLock<Arc<Engine>>,
    captures: Captures,
    store: Arc<Store>,
    live: Arc<Live>,
    settings: Settings,
    state: Mutex<BTreeMap<u64, Active>>,
}

/// How runs are watched.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Length of a sample, and time between snapshots.
    pub interval: Duration,
    /// Samples kept of each flow.
    pub samples: usize,
}

/// A run that goes on, or was over lately.
#[derive(Debug)]
struct Active {
    head: RunHead,
    latest: Option<Arc<RunSnapshot>>,
    history: History,
    pictures: Pictures,
    /// Snapshots stored.
    stored: u64,
    /// To be stopped as soon as it can be.
    stop_asked: bool,
}

/// A run as a list shows it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct RunHead {
    /// What is kept of it.
    #[serde(flatten)]
    pub row: RunRow,
    /// How long it takes; `null`: not known before, or over long ago.
    pub planned_ns: Option<u64>,
    /// Its PORTs, while they are held.
    pub ports: Vec<String>,
    /// Flows that are paused, by the names of their rows.
    pub paused: Vec<String>,
    /// How the ports are used, and why not better.
    pub notes: Vec<String>,
}

impl From<RunRow> for RunHead {
    fn from(row: RunRow) -> Self {
        Self { row, planned_ns: None, ports: Vec::new(), paused: Vec::new(), notes: Vec::new() }
    }
}

impl RunHead {
    /// Whether it holds its ports.
    pub fn is_active(&self) -> bool {
        matches!(self.row.state, RunState::Starting | RunState::Running)
    }
}

impl Runs {
    /// None yet; the engine is told to [`Self::attach`].
    pub fn new(store: Arc<Store>, live: Arc<Live>, settings: Settings) -> Self {
        Self {
            engine: OnceLock::new(),
            captures: Captures::default(),
            store,
            live,
            settings,
            state: Mutex::default(),
        }
    }

    /// Gives it the engine that its events come from.
    pub fn attach(&self, engine: Arc<Engine>) {
        // There is one, from the start.
        let _ = self.engine.set(engine);
    }

    /// The data plane.
    ///
    /// # Errors
    /// [`EngineError::Gone`] before there is one.
    pub fn engine(&self) -> Result<&Engine, EngineError> {
        let reason = || EngineError::Gone { reason: "it was not started".to_owned() };
        self.engine.get().map(AsRef::as_ref).ok_or_else(reason)
    }

    /// All captures.
    pub fn captures(&self) -> &Captures {
        &self.captures
    }

    /// Starts a run, and returns once its ports are held and it sends.
    ///
    /// # Errors
    /// If the flows cannot be used, a port is busy, or it cannot be started.
    pub async fn start(self: &Arc<Self>, request: RunRequest) -> Result<RunHead, StartError> {
        // A client that leaves must not leave half a run behind.
        let (runs, started) = (Arc::clone(self), tokio::spawn(Arc::clone(self).begin(request)));
        match started.await {
            Ok(started) => started,
            Err(_) => Err(StartError::Engine(EngineError::Failed {
                message: format!("the start failed within ({} runs)", runs.state().len()),
            })),
        }
    }

    async fn begin(self: Arc<Self>, request: RunRequest) -> Result<RunHead, StartError> {
        let request = Arc::new(request);
        let of_plan = Arc::clone(&request);
        let planned = blocking(move || of_plan.plan()).await??;
        let (store, of_row) = (Arc::clone(&self.store), Arc::clone(&request));
        let row =
            blocking(move || store.add_run(&of_row.name, of_row.flow_set, &of_row.spec)).await??;
        let id = row.id;
        let mut head = RunHead::from(row);
        head.ports = planned.ports;
        head.paused.clone_from(&request.held);
        self.state().insert(
            id,
            Active {
                head,
                latest: None,
                history: History::new(planned.flows.len(), self.settings.samples),
                pictures: Pictures::new(planned.flows.len(), self.settings.samples),
                stored: 0,
                stop_asked: false,
            },
        );
        self.tell(id);
        let started = match self.engine() {
            Ok(engine) => engine.start_run(self.start_of(id, &request)).await,
            Err(error) => Err(error),
        };
        match started {
            Ok(started) => {
                let stop = self.change(id, |active| {
                    active.head.planned_ns = started.planned_ns;
                    active.head.notes = [started.modes, started.notes].concat();
                    // It may be over before this is heard.
                    if active.head.row.state == RunState::Starting {
                        active.head.row.state = RunState::Running;
                    }
                    active.stop_asked
                });
                let store = Arc::clone(&self.store);
                blocking(move || store.run_started(id)).await??;
                self.tell(id);
                if stop == Some(true) {
                    self.order(id, Command::Stop { run: id }).await?;
                }
                self.head(id).ok_or(StartError::Engine(EngineError::Unknown {
                    what: "run".to_owned(),
                    number: id,
                }))
            }
            Err(error) => {
                self.state().remove(&id);
                let store = Arc::clone(&self.store);
                blocking(move || store.forget_run(id)).await??;
                self.live.put(
                    "run",
                    About::Run(id),
                    &serde_json::json!({"id": id, "state": "refused"}),
                    None,
                );
                Err(error.into())
            }
        }
    }

    fn start_of(&self, run: u64, request: &RunRequest) -> RunStart {
        RunStart {
            run,
            spec: request.spec.clone(),
            duration: request.duration.clone(),
            scale: request.scale.clone(),
            held: request.held.clone(),
            backend: request.backend,
            interval_ns: self.settings.interval.as_nanos() as u64,
            samples: if request.samples { self.settings.samples } else { 0 },
            listened: Vec::new(),
        }
    }

    /// Asks a run to end; its result comes after the drain.
    ///
    /// # Errors
    /// [`EngineError::Unknown`] if it does not go on.
    pub async fn stop(&self, id: u64) -> Result<(), EngineError> {
        let starting = self.change(id, |active| {
            active.stop_asked = true;
            active.head.row.state == RunState::Starting
        });
        if starting == Some(true) {
            return Ok(());
        }
        self.order(id, Command::Stop { run: id }).await
    }

    /// Pauses flows; none named: all.
    ///
    /// # Errors
    /// If the run does not go on, or a flow is not there or cannot be paused.
    pub async fn pause(&self, id: u64, flows: Vec<String>) -> Result<(), EngineError> {
        self.order(id, Command::Pause { run: id, flows: flows.clone() }).await?;
        self.mark(id, flows, true);
        Ok(())
    }

    /// Lets paused flows go on; none named: all.
    ///
    /// # Errors
    /// As of [`Self::pause`].
    pub async fn resume(&self, id: u64, flows: Vec<String>) -> Result<(), EngineError> {
        self.order(id, Command::Resume { run: id, flows: flows.clone() }).await?;
        self.mark(id, flows, false);
        Ok(())
    }

    /// Changes the rate of a flow, as written in a flow file.
    ///
    /// # Errors
    /// If the run does not go on, or the flow does not take the rate.
    pub async fn set_rate(&self, id: u64, flow: String, rate: String) -> Result<(), EngineError> {
        self.order(id, Command::SetRate { run: id, flow, rate }).await
    }

    async fn order(&self, id: u64, command: Command) -> Result<(), EngineError> {
        if !self.head(id).is_some_and(|head| head.is_active()) {
            return Err(EngineError::Unknown { what: "run".to_owned(), number: id });
        }
        self.engine()?.order(command).await
    }

    fn mark(&self, id: u64, flows: Vec<String>, paused: bool) {
        self.change(id, |active| {
            let all = || active.latest.iter().flat_map(|shot| &shot.flows).map(|f| f.name.clone());
            let flows = if flows.is_empty() { all().collect() } else { flows };
            let mut marked: BTreeSet<_> = active.head.paused.drain(..).collect();
            for flow in flows {
                if paused {
                    marked.insert(flow)
                } else {
                    marked.remove(&flow)
                };
            }
            active.head.paused = marked.into_iter().collect();
        });
        self.tell(id);
    }

    /// A run that goes on or was over lately.
    pub fn head(&self, id: u64) -> Option<RunHead> {
        self.state().get(&id).map(|active| active.head.clone())
    }

    /// Every run that goes on.
    pub fn active(&self) -> Vec<RunHead> {
        let state = self.state();
        let heads = state.values().map(|active| &active.head);
        heads.filter(|head| head.is_active()).cloned().collect()
    }

    /// The newest snapshot of a run.
    pub fn latest(&self, id: u64) -> Option<Arc<RunSnapshot>> {
        self.state().get(&id)?.latest.clone()
    }

    /// The newest snapshot of every run that is in memory, by number.
    pub fn all_latest(&self) -> Vec<Arc<RunSnapshot>> {
        self.state().values().filter_map(|active| active.latest.clone()).collect()
    }

    /// The newest run in memory that has a flow of this name.
    pub fn run_of(&self, flow: &str) -> Option<u64> {
        let state = self.state();
        let mut runs = state.iter().rev();
        let has = |active: &Active| active.history.last(flow, 0).is_some();
        runs.find(|(_, active)| has(active)).map(|(id, _)| *id)
    }

    /// The last `count` samples of a flow, oldest first; `None`: it is not in memory.
    pub fn history(&self, id: u64, flow: &str, count: usize) -> Option<Vec<SampleRow>> {
        self.state().get(&id)?.history.last(flow, count)
    }

    /// Latency of the last `count` intervals of a flow, oldest first; `None`: not in memory.
    pub fn latencies(&self, id: u64, flow: &str, count: usize) -> Option<Vec<LatencyRow>> {
        self.state().get(&id)?.pictures.latencies(flow, count)
    }

    /// Times between the frames of a flow; `None`: not in memory.
    pub fn gaps(&self, id: u64, flow: &str) -> Option<Gaps> {
        self.state().get(&id)?.pictures.gaps(flow)
    }

    /// Forgets the samples of a flow; whether there were any.
    pub fn remove_flow(&self, id: u64, flow: &str) -> bool {
        let remove = |active: &mut Active| {
            active.pictures.remove(flow);
            active.history.remove(flow)
        };
        self.change(id, remove).unwrap_or(false)
    }

    /// Ends every run, and waits until all have their results, but no longer than `patience`.
    pub async fn stop_all(&self, patience: Duration) {
        for head in self.active() {
            // One that ended meanwhile is stopped too.
            let _ = self.stop(head.row.id).await;
        }
        let ended = async {
            while !self.active().is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(patience, ended).await;
    }

    /// Tells the live stream where a run stands.
    fn tell(&self, id: u64) {
        if let Some(head) = self.head(id) {
            self.live.put("run", About::Run(id), &head, None);
        }
    }

    fn change<T>(&self, id: u64, change: impl FnOnce(&mut Active) -> T) -> Option<T> {
        self.state().get_mut(&id).map(change)
    }

    fn state(&self) -> MutexGuard<'_, BTreeMap<u64, Active>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does what waits for a disk or takes its time beside the requests.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let failed = |error: tokio::task::JoinError| StoreError::Unfit { what: error.to_string() };
    tokio::task::spawn_blocking(work).await.map_err(failed)
}
