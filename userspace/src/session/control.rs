//! Rates changed, and flows paused, while a session runs.

use super::plan;
use crate::{
    spec::{Leg, Spec, SpecError, change_rate, frames_within},
    tx::{Action, Change},
    units::{Rate, monotonic_ns},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A change counts from so long after it was asked for: longer than a worker sleeps, so
/// that each has heard of it by then.
const LEAD_NS: u64 = 25_000_000;

/// Changes the rates of a session's flows, and pauses them, while it runs, from any thread.
#[derive(Debug, Clone)]
pub struct RateControl(Arc<Mutex<State>>);

/// Why a rate was not changed, or a flow not paused.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ControlError {
    #[error("nothing is being sent; flows are changed while a run sends")]
    NotRunning,
    #[error("no flow is named `{flow}`")]
    NoFlow { flow: String },
    #[error("flow {flow}: a rate can be changed only from one number to another, not {what}")]
    Unpaced { flow: String, what: &'static str },
    #[error("flow {flow} keeps its rate and does not pause: {why}")]
    Unsteerable { flow: String, why: &'static str },
    #[error("flow {flow}: it ends before a new rate could count")]
    Ended { flow: String },
    #[error(transparent)]
    Spec(#[from] SpecError),
}

/// What a run sends where it differs from the plan.
#[derive(Debug, Clone)]
pub(super) struct Changed {
    /// The rate as it was, and as it is now.
    pub(super) legs: Vec<Leg>,
    /// Frames asked for; `None`: until stopped.
    pub(super) frames: Option<u64>,
}

/// A flow's own clock, which stands while the flow is paused.
#[derive(Debug, Clone, Default)]
pub(super) struct Clock {
    /// Pauses that are over: when each began, CLOCK_MONOTONIC, and how long it was.
    pauses: Vec<(u64, u64)>,
    /// Since when it stands.
    since_ns: Option<u64>,
}

impl Clock {
    /// What it shows at a time of CLOCK_MONOTONIC.
    pub(super) fn at(&self, time_ns: u64) -> u64 {
        let time_ns = self.since_ns.unwrap_or(time_ns).min(time_ns);
        time_ns.saturating_sub(self.stood_ns(time_ns))
    }

    /// How long it stood in pauses that began before `time_ns`.
    pub(super) fn stood_ns(&self, time_ns: u64) -> u64 {
        let before = self.pauses.iter().filter(|(began_ns, _)| *began_ns < time_ns);
        before.map(|(_, length_ns)| length_ns).sum()
    }
}

/// Where a run went another way than planned, by flow.
#[derive(Debug, Default)]
pub(super) struct Departures {
    pub(super) changed: HashMap<usize, Changed>,
    pub(super) clocks: HashMap<usize, Clock>,
}

#[derive(Debug)]
struct State {
    /// With the rates of now.
    spec: Arc<Spec>,
    /// Line rates by port, 0: not known.
    link_bps: Vec<u64>,
    /// By port: why the rates of what leaves by it cannot be changed.
    unsteerable: Vec<Option<&'static str>>,
    start_ns: u64,
    /// The change that the next one is appended to; `None`: nothing is being sent.
    last: Option<Arc<Change>>,
    /// Flows that begin paused.
    held: Vec<usize>,
    /// By flow.
    departures: Departures,
}

impl RateControl {
    pub(super) fn new(
        spec: &Arc<Spec>,
        link_bps: Vec<u64>,
        unsteerable: Vec<Option<&'static str>>,
    ) -> Self {
        Self(Arc::new(Mutex::new(State {
            spec: Arc::clone(spec),
            link_bps,
            unsteerable,
            start_ns: 0,
            last: None,
            held: Vec::new(),
            departures: Departures::default(),
        })))
    }

    /// A trial begins; returns what its workers follow.
    pub(super) fn begin(&self, spec: &Arc<Spec>, start_ns: u64) -> Arc<Change> {
        let mut state = self.state();
        let first = Arc::new(Change::default());
        state.spec = Arc::clone(spec);
        state.start_ns = start_ns;
        state.last = Some(Arc::clone(&first));
        state.departures = Departures::default();
        for flow in state.held.clone() {
            state.departures.clocks.entry(flow).or_default().since_ns = Some(start_ns);
            state.append(flow, start_ns, Action::Pause);
        }
        first
    }

    /// A trial has sent all it sends; returns where that was not the plan.
    pub(super) fn end(&self) -> Departures {
        let mut state = self.state();
        state.last = None;
        std::mem::take(&mut state.departures)
    }

    /// Every trial from now on begins with these flows paused.
    ///
    /// # Errors
    /// If there is no such flow, or it cannot be paused.
    pub fn hold(&self, flows: &[String]) -> Result<(), ControlError> {
        let mut state = self.state();
        state.held = flows.iter().map(|flow| state.pausable(flow)).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// From 25 ms on the flows send nothing, and the clock of each stands: its duration,
    /// schedule and frames go on where they were. A paused flow stays so.
    ///
    /// # Errors
    /// If nothing is being sent, or one of the flows is not there or cannot be paused; then
    /// none is.
    pub fn pause(&self, flows: &[String]) -> Result<(), ControlError> {
        let mut state = self.state();
        for flow in state.all_pausable(flows)? {
            let time_ns = state.next_time_ns()?;
            let clock = state.departures.clocks.entry(flow).or_default();
            if clock.since_ns.is_none() {
                clock.since_ns = Some(time_ns);
                state.append(flow, time_ns, Action::Pause);
            }
        }
        Ok(())
    }

    /// From 25 ms on paused flows send again.
    ///
    /// # Errors
    /// As of [`Self::pause`].
    pub fn resume(&self, flows: &[String]) -> Result<(), ControlError> {
        let mut state = self.state();
        for flow in state.all_pausable(flows)? {
            let time_ns = state.next_time_ns()?;
            let Some(clock) = state.departures.clocks.get_mut(&flow) else { continue };
            let Some(since_ns) = clock.since_ns.take() else { continue };
            let stood_ns = time_ns - since_ns;
            clock.pauses.push((since_ns, stood_ns));
            state.append(flow, time_ns, Action::Resume { stood_ns });
        }
        Ok(())
    }

    /// From 25 ms on the flow sends at `rate`, until its end or the next change; what its
    /// `schedule` had planned for later is off. A flow with a duration asks for as many
    /// frames as its rates give in that time, one with a number of frames for that number.
    /// The next run begins with the rates of the file again.
    ///
    /// # Errors
    /// If nothing is being sent, there is no such flow, it does not keep a rate, it is about
    /// to end, or the line would be too slow.
    pub fn set_rate(&self, flow: &str, rate: Rate) -> Result<(), ControlError> {
        let mut state = self.state();
        let state = &mut *state;
        let time_ns = state.next_time_ns()?;
        let index = state.pausable(flow)?;
        let mut changed_flow = state.spec.flows[index].clone();
        let link_bps = state.link_bps[changed_flow.tx];
        let unpaced = |what| Err(ControlError::Unpaced { flow: flow.to_owned(), what });
        if changed_flow.burst.is_some() {
            return unpaced("in bursts");
        }
        let Some(mut legs) = changed_flow.legs(link_bps) else { return unpaced("from \"max\"") };
        changed_flow.rate = rate;
        changed_flow.schedule.clear();
        let Some(fps) = changed_flow.frames_per_second(link_bps) else {
            return unpaced("to \"max\"");
        };
        let start_ns = state.start_ns + plan::delay_ns(&changed_flow);
        let clock = state.departures.clocks.get(&index);
        let shown_ns = clock.map_or(time_ns, |clock| clock.at(time_ns)).max(start_ns);
        let stop_ns = plan::stop_ns(&changed_flow, state.start_ns);
        if stop_ns.is_some_and(|stop_ns| shown_ns >= stop_ns) {
            return Err(ControlError::Ended { flow: flow.to_owned() });
        }
        let before =
            std::mem::replace(&mut Arc::make_mut(&mut state.spec).flows[index], changed_flow);
        if let Err(error) = state.spec.check_line_rates(&state.link_bps) {
            Arc::make_mut(&mut state.spec).flows[index] = before;
            return Err(error.into());
        }

        if let Some(changed) = state.departures.changed.remove(&index) {
            legs = changed.legs;
        }
        change_rate(&mut legs, shown_ns - start_ns, fps);
        let frames = match stop_ns {
            Some(stop_ns) => Some(frames_within(&legs, stop_ns - start_ns)),
            None => plan::requested_frames(&before, link_bps),
        };
        let frames_per_second = fps.to_f64();
        state.append(index, time_ns, Action::Rate { frames_per_second, frames });
        state.departures.changed.insert(index, Changed { legs, frames });
        Ok(())
    }

    /// No holder of the lock leaves the state half changed.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// From when the next change counts.
    fn next_time_ns(&self) -> Result<u64, ControlError> {
        let last = self.last.as_ref().ok_or(ControlError::NotRunning)?;
        Ok((monotonic_ns() + LEAD_NS).max(last.time_ns + 1).max(self.start_ns + 1))
    }

    /// The place of a flow that changes can reach.
    fn pausable(&self, flow: &str) -> Result<usize, ControlError> {
        let found = self.spec.flows.iter().position(|other| other.name == flow);
        let index = found.ok_or_else(|| ControlError::NoFlow { flow: flow.to_owned() })?;
        if let Some(why) = self.unsteerable[self.spec.flows[index].tx] {
            return Err(ControlError::Unsteerable { flow: flow.to_owned(), why });
        }
        Ok(index)
    }

    fn all_pausable(&self, flows: &[String]) -> Result<Vec<usize>, ControlError> {
        self.last.as_ref().ok_or(ControlError::NotRunning)?;
        flows.iter().map(|flow| self.pausable(flow)).collect()
    }

    fn append(&mut self, flow: usize, time_ns: u64, action: Action) {
        let change = Arc::new(Change::new(flow as u32, time_ns, action));
        if let Some(last) = self.last.replace(Arc::clone(&change)) {
            last.append(change);
        }
    }
}
