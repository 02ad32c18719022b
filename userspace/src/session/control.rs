//! Rates changed while a session runs.

use super::plan;
use crate::{
    spec::{Leg, Spec, SpecError, change_rate, frames_within},
    tx::Change,
    units::{Rate, monotonic_ns},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A change counts from so long after it was asked for: longer than a worker sleeps, so
/// that each has heard of it by then.
const LEAD_NS: u64 = 25_000_000;

/// Changes the rates of a session's flows while it runs, from any thread.
#[derive(Debug, Clone)]
pub struct RateControl(Arc<Mutex<State>>);

/// Why a rate was not changed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ControlError {
    #[error("nothing is being sent; a rate is changed while a run sends")]
    NotRunning,
    #[error("no flow is named `{flow}`")]
    NoFlow { flow: String },
    #[error("flow {flow}: a rate can be changed only from one number to another, not {what}")]
    Unpaced { flow: String, what: &'static str },
    #[error("flow {flow}: live frames keep their rate; send by AF_XDP to change it")]
    LiveFrames { flow: String },
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

#[derive(Debug)]
struct State {
    /// With the rates of now.
    spec: Arc<Spec>,
    /// Line rates by port, 0: not known.
    link_bps: Vec<u64>,
    /// By port: whether live frames leave by it.
    live_frames: Vec<bool>,
    start_ns: u64,
    /// The change that the next one is appended to; `None`: nothing is being sent.
    last: Option<Arc<Change>>,
    /// By flow.
    changed: HashMap<usize, Changed>,
}

impl RateControl {
    pub(super) fn new(spec: &Arc<Spec>, link_bps: Vec<u64>, live_frames: Vec<bool>) -> Self {
        Self(Arc::new(Mutex::new(State {
            spec: Arc::clone(spec),
            link_bps,
            live_frames,
            start_ns: 0,
            last: None,
            changed: HashMap::new(),
        })))
    }

    /// A trial begins; returns what its workers follow.
    pub(super) fn begin(&self, spec: &Arc<Spec>, start_ns: u64) -> Arc<Change> {
        let mut state = self.state();
        let first = Arc::new(Change::default());
        state.spec = Arc::clone(spec);
        state.start_ns = start_ns;
        state.last = Some(Arc::clone(&first));
        state.changed.clear();
        first
    }

    /// A trial has sent all it sends; returns, by flow, where that was not the plan.
    pub(super) fn end(&self) -> HashMap<usize, Changed> {
        let mut state = self.state();
        state.last = None;
        std::mem::take(&mut state.changed)
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
        let Some(last) = &state.last else { return Err(ControlError::NotRunning) };
        let found = state.spec.flows.iter().position(|other| other.name == flow);
        let index = found.ok_or_else(|| ControlError::NoFlow { flow: flow.to_owned() })?;
        let mut changed_flow = state.spec.flows[index].clone();
        let link_bps = state.link_bps[changed_flow.tx];
        if state.live_frames[changed_flow.tx] {
            return Err(ControlError::LiveFrames { flow: flow.to_owned() });
        }
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
        let time_ns = (monotonic_ns() + LEAD_NS).max(last.time_ns + 1).max(start_ns);
        let stop_ns = plan::stop_ns(&changed_flow, state.start_ns);
        if stop_ns.is_some_and(|stop_ns| time_ns >= stop_ns) {
            return Err(ControlError::Ended { flow: flow.to_owned() });
        }
        let before =
            std::mem::replace(&mut Arc::make_mut(&mut state.spec).flows[index], changed_flow);
        if let Err(error) = state.spec.check_line_rates(&state.link_bps) {
            Arc::make_mut(&mut state.spec).flows[index] = before;
            return Err(error.into());
        }

        if let Some(changed) = state.changed.remove(&index) {
            legs = changed.legs;
        }
        change_rate(&mut legs, time_ns.saturating_sub(start_ns), fps);
        let frames = match stop_ns {
            Some(stop_ns) => Some(frames_within(&legs, stop_ns - start_ns)),
            None => plan::requested_frames(&before, link_bps),
        };
        let change = Arc::new(Change::new(index as u32, time_ns, fps.to_f64(), frames));
        last.append(Arc::clone(&change));
        state.last = Some(change);
        state.changed.insert(index, Changed { legs, frames });
        Ok(())
    }

    /// No holder of the lock leaves the state half changed.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
