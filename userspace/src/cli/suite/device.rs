//! The device under test of a suite: behind real ports, or simulated.

use crate::{
    cli::Failure,
    session::{PortFacts, Settings},
    spec::{LatencyDefinition, ServiceSpec, SuiteSpec, Topology},
    suite::{
        Trial, TrialError,
        device::{DeviceSpec, SimulatedDevice},
        real::{RealTrial, Setup},
    },
};
use std::sync::{Arc, atomic::AtomicBool};

/// What a suite needs of its device beside the suite's own words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wants<'a> {
    /// Loads that may follow each other in a trial.
    pub(super) stages: usize,
    /// The services of Y.1564, each a direction.
    pub(super) services: &'a [ServiceSpec],
    pub(super) definition: Option<LatencyDefinition>,
}

/// The device.
pub(super) enum Device {
    Real(Box<RealTrial>),
    Simulated { device: Box<SimulatedDevice>, seed: u64 },
}

impl Device {
    pub(super) fn open(
        suite: &SuiteSpec,
        wants: Wants<'_>,
        settings: Settings,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, Failure> {
        if let Topology::Simulated { device, both } = &suite.topology {
            let spec: DeviceSpec = device
                .parse()
                .map_err(|error| Failure::usage(format!("--dut sim:{device}: {error}")))?;
            let seed = spec.seed;
            let mut device = SimulatedDevice::new(spec, *both, suite.waits);
            if let Some(definition) = wants.definition {
                device = device.with_definition(definition);
            }
            if !wants.services.is_empty() {
                device = device.with_services(wants.services.len());
            }
            return Ok(Self::Simulated { device: Box::new(device), seed });
        }
        let setup = Setup { stages: wants.stages, services: wants.services, settings, stop };
        let trial = RealTrial::open(suite, setup)?;
        Ok(Self::Real(Box::new(trial)))
    }

    pub(super) fn trial(&mut self) -> &mut dyn Trial {
        match self {
            Self::Real(trial) => trial.as_mut(),
            Self::Simulated { device, .. } => device.as_mut(),
        }
    }

    pub(super) fn ports(&self) -> &[PortFacts] {
        match self {
            Self::Real(trial) => trial.ports(),
            Self::Simulated { .. } => &[],
        }
    }

    pub(super) fn seed(&self) -> Option<u64> {
        match self {
            Self::Real(_) => None,
            Self::Simulated { seed, .. } => Some(*seed),
        }
    }

    pub(super) fn is_real(&self) -> bool {
        matches!(self, Self::Real(_))
    }

    /// How the ports are used, and sentences worth knowing about it.
    pub(super) fn notes(&self) -> (Vec<String>, Vec<String>) {
        match self {
            Self::Real(trial) => (trial.modes(), trial.notes()),
            Self::Simulated { .. } => (Vec::new(), Vec::new()),
        }
    }
}

impl From<TrialError> for Failure {
    fn from(error: TrialError) -> Self {
        let code = match error {
            TrialError::Interrupted => 2,
            TrialError::Failed { exit_code, .. } => exit_code,
        };
        Self { code, message: error.to_string() }
    }
}
