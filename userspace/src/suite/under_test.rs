//! The device under test of a suite: behind real ports, or simulated.

use super::{
    Direction, Trial, TrialError,
    device::{DeviceSpec, SimulatedDevice},
    real::{RealTrial, Setup},
};
use crate::{
    session::PortFacts,
    spec::{LatencyDefinition, ServiceSpec, SuiteSpec, Topology},
};

/// What a suite needs of its device beside the suite's own words.
#[derive(Debug, Clone, Copy)]
pub struct Wants<'a> {
    /// Loads that may follow each other in a trial.
    pub stages: usize,
    /// The services of Y.1564, each a direction.
    pub services: &'a [ServiceSpec],
    /// How latency is defined; `None`: it is not measured.
    pub definition: Option<LatencyDefinition>,
}

/// The device.
#[derive(Debug)]
pub enum UnderTest {
    /// Behind ports.
    Real(Box<RealTrial>),
    /// In virtual time.
    Simulated {
        /// The device.
        device: Box<SimulatedDevice>,
        /// Of its chance.
        seed: u64,
    },
}

impl UnderTest {
    /// Takes the ports of a real one.
    ///
    /// # Errors
    /// [`TrialError::Failed`], with the exit code that a run would have.
    pub fn open(suite: &SuiteSpec, wants: Wants<'_>, setup: Setup) -> Result<Self, TrialError> {
        if let Some((spec, both)) = simulated(suite)? {
            let seed = spec.seed;
            let mut device = SimulatedDevice::new(spec, both, suite.waits);
            if let Some(definition) = wants.definition {
                device = device.with_definition(definition);
            }
            if !wants.services.is_empty() {
                device = device.with_services(wants.services.len());
            }
            return Ok(Self::Simulated { device: Box::new(device), seed });
        }
        let trial = RealTrial::open(suite, wants, setup)?;
        Ok(Self::Real(Box::new(trial)))
    }

    /// The directions of the suite, without taking a port.
    ///
    /// # Errors
    /// As of [`Self::open`].
    pub fn directions(suite: &SuiteSpec, wants: Wants<'_>) -> Result<Vec<Direction>, TrialError> {
        match simulated(suite)? {
            Some((spec, both)) => {
                let device = SimulatedDevice::new(spec, both, suite.waits);
                Ok(device.directions().to_vec())
            }
            None => RealTrial::plan(suite, wants),
        }
    }

    /// Its trials.
    pub fn trial(&mut self) -> &mut dyn Trial {
        match self {
            Self::Real(trial) => trial.as_mut(),
            Self::Simulated { device, .. } => device.as_mut(),
        }
    }

    /// As they were used; none of a simulated one.
    pub fn ports(&self) -> &[PortFacts] {
        match self {
            Self::Real(trial) => trial.ports(),
            Self::Simulated { .. } => &[],
        }
    }

    /// Of a simulated one.
    pub fn seed(&self) -> Option<u64> {
        match self {
            Self::Real(_) => None,
            Self::Simulated { seed, .. } => Some(*seed),
        }
    }

    /// Whether its trials take real time.
    pub fn is_real(&self) -> bool {
        matches!(self, Self::Real(_))
    }

    /// How the ports are used, and sentences worth knowing about it.
    pub fn notes(&self) -> (Vec<String>, Vec<String>) {
        match self {
            Self::Real(trial) => (trial.modes(), trial.notes()),
            Self::Simulated { .. } => (Vec::new(), Vec::new()),
        }
    }
}

/// The simulated device, and whether it is loaded from both sides; `None`: a real one.
fn simulated(suite: &SuiteSpec) -> Result<Option<(DeviceSpec, bool)>, TrialError> {
    let Topology::Simulated { device, both } = &suite.topology else { return Ok(None) };
    let spec = device.parse().map_err(|error| TrialError::Failed {
        message: format!("--dut sim:{device}: {error}"),
        exit_code: 64,
    })?;
    Ok(Some((spec, *both)))
}
