//! What the flows of a session send in the next trial, where that is not what its file says.

use super::{Session, SessionError, open, plan};
use crate::{
    spec::{End, Spec},
    units::{FrameSize, Rate},
};
use std::{sync::Arc, time::Duration};

/// What one flow sends in a trial.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowLoad {
    /// Its sizes as one cycle; none longer than the longest of all flows of its port that the
    /// session was opened with.
    pub sizes: Vec<FrameSize>,
    /// Its rate.
    pub rate: Rate,
    /// How long it sends: floor(rate x time) frames.
    pub time: Duration,
    /// From the start of the trial to its own.
    pub delay: Duration,
}

impl Session {
    /// Sets what each flow sends from the next trial on; `None`: nothing. Ports, queues and
    /// analysers stay as they are, and so do headers and next hops.
    ///
    /// # Errors
    /// [`SessionError::Packet`] if a size does not hold its headers.
    pub fn load(&mut self, loads: &[Option<FlowLoad>]) -> Result<(), SessionError> {
        let spec = Arc::make_mut(&mut self.spec);
        apply(spec, loads);
        self.phases = plan::phases(spec, |port| self.ports[port].link_bps.unwrap_or(0));
        self.programs = open::compile(spec, &self.ports, &self.next_hops)?;
        for group in &self.groups {
            group.load(spec, &self.phases)?;
        }
        if let Some(directory) = self.settings.calibrations.clone() {
            self.corrections = self.corrections(&directory);
        }
        Ok(())
    }
}

fn apply(spec: &mut Spec, loads: &[Option<FlowLoad>]) {
    for (index, flow) in spec.flows.iter_mut().enumerate() {
        flow.schedule.clear();
        flow.burst = None;
        match loads.get(index).and_then(Option::as_ref) {
            None => flow.end = End::Frames(0),
            Some(load) => {
                flow.sizes.clone_from(&load.sizes);
                flow.rate = load.rate;
                flow.delay = load.delay;
                flow.end = End::After(load.time);
            }
        }
    }
}
