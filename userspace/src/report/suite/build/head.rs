//! The head of a result: who measured, on what, under what conditions.

use super::compliance;
use crate::{
    report::{
        Host, PortResult, Tool,
        suite::model::{
            Configuration, DirectionSetup, SuitePort, SuiteResult, SuiteSetup, SuiteVerdict,
            Timing, TrialRow,
        },
    },
    session::PortFacts,
    spec::{LatencyDefinition, Profile, SuiteSpec, Topology},
    suite::Direction,
    units::L1_OVERHEAD_BYTES,
};
use serde_json::Value;

/// What a result says beside what was found.
#[derive(Debug)]
pub struct SuiteFacts<'a> {
    /// What all suites were asked.
    pub suite: &'a SuiteSpec,
    /// All that was asked, as JSON.
    pub effective: Value,
    /// [`config_hash`](crate::suite::config_hash) of it.
    pub sha256: String,
    /// The command line; empty: it did not come by one.
    pub arguments: Vec<String>,
    /// The suite file as it was written.
    pub suite_file: Option<String>,
    /// The flow file as it was written.
    pub flow_file: Option<String>,
    /// What the `describe` hook printed.
    pub device: Option<String>,
    /// Seed of a simulated device.
    pub seed: Option<u64>,
    /// What loads flow through the device.
    pub directions: &'a [Direction],
    /// The ports; empty where the device is simulated.
    pub ports: &'a [PortFacts],
    /// When the first trial began.
    pub started: jiff::Timestamp,
    /// Sentences worth knowing that void nothing.
    pub notes: Vec<String>,
}

/// What was found, as far as all suites have it.
pub(super) struct Found<R> {
    pub(super) schema: &'static str,
    pub(super) definition: Option<LatencyDefinition>,
    pub(super) deviations: Vec<compliance::Deviation>,
    pub(super) verdict: SuiteVerdict,
    pub(super) reasons: Vec<String>,
    pub(super) rows: Vec<R>,
    pub(super) trials: Vec<TrialRow>,
    pub(super) duration_ns: u64,
}

impl SuiteFacts<'_> {
    pub(super) fn result<R>(&self, found: Found<R>) -> SuiteResult<R> {
        let simulated = match &self.suite.topology {
            Topology::Simulated { device, .. } => Some(device.clone()),
            Topology::Pairs { .. } => None,
        };
        let of_rfc2544 = found.schema.contains("rfc2544");
        let setup = SuiteSetup {
            profile: match self.suite.profile {
                Profile::Quick => "quick",
                Profile::Rfc => "rfc",
            }
            .to_owned(),
            simulated,
            seed: self.seed,
            device: self.device.clone(),
            directions: self.directions.iter().map(DirectionSetup::from).collect(),
            frames: self.frames(),
            networks: if self.suite.addressing.networks { 256 } else { 1 },
            modifiers: self.modifiers(),
            media_overhead_bytes: u32::from(L1_OVERHEAD_BYTES),
            definition: found.definition.map(|definition| self.definition(definition).to_owned()),
            timing: self.timing(),
            compliance: compliance::of(&found.deviations, of_rfc2544),
            config: Configuration {
                sha256: self.sha256.clone(),
                arguments: self.arguments.clone(),
                suite_file: self.suite_file.clone(),
                flow_file: self.flow_file.clone(),
                effective: self.effective.clone(),
            },
        };
        SuiteResult {
            schema: found.schema.to_owned(),
            tool: Tool::this(),
            host: Host::this(),
            started: format!("{:.3}", self.started),
            ended: format!("{:.3}", jiff::Timestamp::now()),
            duration_ns: found.duration_ns,
            verdict: found.verdict,
            reasons: found.reasons.into_iter().chain(self.notes.iter().cloned()).collect(),
            ports: self.ports.iter().filter_map(port).collect(),
            setup,
            rows: found.rows,
            trials: found.trials,
        }
    }

    fn frames(&self) -> String {
        match (&self.suite.flows, self.suite.addressing.ipv6) {
            (Some(flows), _) => format!("flows of {flows}"),
            (None, false) => "RFC 2544 appendix C, with the tag in the last 14 octets".to_owned(),
            (None, true) => "RFC 5180 (IPv6), with the tag in the last 14 octets".to_owned(),
        }
    }

    fn modifiers(&self) -> Vec<String> {
        let modifiers = &self.suite.modifiers;
        let broadcast = (modifiers.broadcast > 0)
            .then(|| format!("{} % broadcast frames (11.1)", modifiers.broadcast));
        let management = modifiers
            .management
            .then(|| "a management query as first frame of each second (11.2)".to_owned());
        let vlan = modifiers.vlan.map(|id| format!("VLAN {id}"));
        [broadcast, management, vlan].into_iter().flatten().collect()
    }

    /// Links without a physical speed know only one definition (CONTRACT, Latency).
    pub(super) fn definition(&self, asked: LatencyDefinition) -> &'static str {
        let physical = self.ports.iter().all(|port| port.link_bps.is_some());
        match asked {
            _ if !physical => "host",
            LatencyDefinition::StoreAndForward => "store-and-forward",
            LatencyDefinition::BitForwarding => "bit-forwarding",
        }
    }

    fn timing(&self) -> Timing {
        let ns = |time: std::time::Duration| time.as_nanos() as u64;
        let (waits, learning) = (&self.suite.waits, &self.suite.learning);
        Timing {
            learning_frames: learning.frames,
            learning_refresh_ns: ns(learning.refresh),
            before_ns: ns(waits.before),
            residual_ns: ns(waits.residual),
            after_ns: ns(waits.after),
        }
    }
}

impl From<&Direction> for DirectionSetup {
    fn from(way: &Direction) -> Self {
        Self { tx: way.tx.clone(), rx: way.rx.clone(), link_bps: way.link_bps }
    }
}

/// The keys of `linerate.run/1`, as they read back.
fn port(facts: &PortFacts) -> Option<SuitePort> {
    let value = serde_json::to_value(PortResult::from(facts)).ok()?;
    serde_json::from_value(value).ok()
}
