//! From a suite to ports that are held.

use super::{
    RealTrial,
    addresses::own_address,
    file,
    frames::{self, Form},
    lanes::{Lane, Lanes},
    learning::Teacher,
    queries::Answers,
    usage,
};
use crate::{
    nic::{NicError, PortInfo, VlanTag},
    packet::{NextHop, Program},
    session::{Reach, Session, SessionError, Settings, Snapshot, vlan_tags},
    spec::{Flow, Flows, ServiceSpec, Spec, SuiteSpec, Topology},
    suite::{Direction, TrialError, Wants},
    tx::Backend,
    units::FrameSize,
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

/// How long a gateway has to answer before the device counts as a bridge.
const GATEWAY_WAIT: Duration = Duration::from_secs(1);

/// How a suite's session is opened, beside what the suite says.
#[derive(Debug)]
pub struct Setup {
    /// As for any session.
    pub settings: Settings,
    /// Ends what is under way when it is set.
    pub stop: Arc<AtomicBool>,
    /// Sees every second of every trial.
    pub watch: Watch,
}

type Seen = dyn FnMut(&Snapshot);

/// Whoever looks on while trials go on.
#[derive(Default)]
pub struct Watch(Option<Box<Seen>>);

impl Watch {
    /// Calls this with every snapshot.
    pub fn with(seen: impl FnMut(&Snapshot) + 'static) -> Self {
        Self(Some(Box::new(seen)))
    }

    pub(super) fn see(&mut self, snapshot: &Snapshot) {
        if let Some(seen) = &mut self.0 {
            seen(snapshot);
        }
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Watch").field(&self.0.is_some()).finish()
    }
}

impl RealTrial {
    /// Takes the ports for all trials of the suite.
    ///
    /// # Errors
    /// [`TrialError::Failed`], with the exit code that a run would have.
    pub fn open(suite: &SuiteSpec, wants: Wants<'_>, setup: Setup) -> Result<Self, TrialError> {
        let Planned { mut lanes, infos, reach } =
            Planned::new(suite, wants.services, wants.stages)?;
        check_sizes(&lanes.spec)?;
        let mut notes = Vec::new();
        if suite.flows.is_none() {
            find_routers(suite, &mut lanes.spec, &infos, &reach, &mut notes)?;
        }
        let directions = directions(&lanes, &infos)?;
        // Loads change from trial to trial and are held to the frame: that is what AF_XDP does,
        // while live frames have the rate of the kernel's loop. They are there when asked for.
        let backend = match setup.settings.backend {
            Backend::Auto => Backend::AfXdp,
            asked => asked,
        };
        let settings =
            Settings { interval: Duration::from_secs(1), series: true, backend, ..setup.settings };
        let session = Session::open(lanes.spec.clone(), settings)?;
        let teacher = Teacher::new(suite.learning, &lanes, &infos, &reach)?;
        let asking: BTreeSet<_> = lanes.queries().map(|flow| lanes.spec.flows[flow].tx).collect();
        if let Some(&far) = asking.iter().find(|&&port| infos[port].name.daemon.is_some()) {
            let port = &infos[far].name;
            return Err(usage(&format!(
                "{port}: management queries leave from ports of this host"
            )));
        }
        let answers = if asking.is_empty() {
            None
        } else {
            let ports = asking.into_iter().map(|port| &infos[port]);
            Some(Answers::listen(ports).map_err(SessionError::from)?)
        };
        Ok(Self {
            session,
            lanes,
            directions,
            teacher,
            waits: suite.waits,
            stop: setup.stop,
            ceilings: HashMap::new(),
            notes,
            ports: Vec::new(),
            answers,
            watch: setup.watch,
        })
    }

    /// The directions of the suite, by what the ports are now; none is taken.
    ///
    /// # Errors
    /// [`TrialError::Failed`], as of [`Self::open`].
    pub fn plan(suite: &SuiteSpec, wants: Wants<'_>) -> Result<Vec<Direction>, TrialError> {
        let Planned { lanes, infos, .. } = Planned::new(suite, wants.services, wants.stages)?;
        check_sizes(&lanes.spec)?;
        directions(&lanes, &infos)
    }
}

/// The directions by name.
///
/// # Errors
/// If a port does not know what its line carries.
fn directions(lanes: &Lanes, infos: &[PortInfo]) -> Result<Vec<Direction>, TrialError> {
    let direction = |lane: &Lane| {
        let (tx, rx) = (&lanes.spec.ports[lane.tx], &lanes.spec.ports[lane.rx]);
        let link_bps = tx.link_bps(infos[lane.tx].link_bps.unwrap_or(0));
        if link_bps == 0 {
            let name = &tx.name;
            return Err(usage(&format!(
                "port {name} reports no speed; give its `line` under [ports] of a flow file"
            )));
        }
        Ok(Direction { tx: tx.name.clone(), rx: rx.name.clone(), link_bps })
    };
    lanes.lanes.iter().map(direction).collect()
}

/// What a suite sends, as flows: to be shown, or to be looked at octet by octet. Their rates
/// and ends are those of no trial.
///
/// # Errors
/// [`TrialError::Failed`], as [`RealTrial::open`] has it for a suite that says too much or too
/// little. Ports need not exist.
pub fn test_flows(suite: &SuiteSpec) -> Result<Spec, TrialError> {
    let spec = match &suite.flows {
        Some(flows) => read(flows)?,
        None => appendix_c(suite, &[], pairs(suite)?, 1)?.spec,
    };
    check_sizes(&spec)?;
    Ok(spec)
}

/// Flows and what the ports behind them are.
struct Planned {
    lanes: Lanes,
    infos: Vec<PortInfo>,
    reach: Reach,
}

impl Planned {
    fn new(suite: &SuiteSpec, services: &[ServiceSpec], stages: usize) -> Result<Self, TrialError> {
        let (pairs, both) = pairs(suite)?;
        let Some(flows) = &suite.flows else {
            let lanes = appendix_c(suite, services, (pairs, both), stages)?;
            let reach = Reach::connect(&lanes.spec.ports)?;
            let infos = infos(&lanes.spec, &reach)?;
            return Ok(Self { lanes, infos, reach });
        };
        let file = read(flows)?;
        let reach = Reach::connect(&file.ports)?;
        let infos = infos(&file, &reach)?;
        let lines = file.ports.iter().zip(&infos);
        let link_bps: Vec<_> =
            lines.map(|(port, info)| port.link_bps(info.link_bps.unwrap_or(0))).collect();
        let ways = frames::ways(&file.ports, pairs, both).map_err(|message| usage(&message))?;
        let lanes = if services.is_empty() {
            file::lanes(file, &ways, stages, &link_bps)
        } else {
            file::services(file, services, &link_bps)
        };
        let mut lanes = lanes.map_err(|message| usage(&message))?;
        // The session is opened for the longest frame of all.
        let others = sizes(suite, services);
        for flow in &mut lanes.spec.flows {
            flow.sizes.extend(&others);
            flow.sizes.sort_unstable();
            flow.sizes.dedup();
        }
        Ok(Self { lanes, infos, reach })
    }
}

fn read(flows: &Flows) -> Result<Spec, TrialError> {
    flows.read().map_err(|error| usage(&error.to_string()))
}

fn infos(spec: &Spec, reach: &Reach) -> Result<Vec<PortInfo>, SessionError> {
    spec.ports.iter().map(|port| reach.port_info(&port.interface)).collect()
}

/// Pairs of ports, and whether they are tested both ways.
type Pairs<'a> = (&'a [(String, String)], bool);

fn pairs(suite: &SuiteSpec) -> Result<Pairs<'_>, TrialError> {
    match &suite.topology {
        Topology::Pairs { pairs, both } if !pairs.is_empty() || suite.flows.is_some() => {
            Ok((pairs, *both))
        }
        Topology::Pairs { .. } => Err(usage("no ports; give `pairs` under [topology]")),
        Topology::Simulated { .. } => Err(usage("a simulated device has no ports")),
    }
}

/// Every size that a trial may have.
fn sizes(suite: &SuiteSpec, services: &[ServiceSpec]) -> Vec<FrameSize> {
    let frames = suite.frames.iter().chain(services.iter().map(|service| &service.frame));
    frames.flat_map(|frame| &frame.cycle).filter_map(|&bytes| FrameSize::new(bytes)).collect()
}

fn appendix_c(
    suite: &SuiteSpec,
    services: &[ServiceSpec],
    (pairs, both): Pairs<'_>,
    stages: usize,
) -> Result<Lanes, TrialError> {
    if let Some(service) = services.iter().find(|service| !service.flows.is_empty()) {
        let name = &service.name;
        return Err(usage(&format!("service {name} names flows, but the suite no flow file")));
    }
    let mut ways = frames::ways(&suite.ports, pairs, both).map_err(|message| usage(&message))?;
    if !services.is_empty() {
        ways = vec![ways[0]; services.len()];
    }
    let form = Form {
        addressing: suite.addressing,
        modifiers: suite.modifiers,
        sizes: &sizes(suite, services),
        stages,
    };
    if form.sizes.is_empty() {
        return Err(usage("no frame size; give `sizes`, such as [64, 1518]"));
    }
    frames::lanes(&suite.ports, &ways, form).map_err(|message| usage(&message))
}

/// Before anything is attached: whether every size holds its headers and the tag.
fn check_sizes(spec: &Spec) -> Result<(), TrialError> {
    for flow in &spec.flows {
        let somewhere = NextHop::One([2, 0, 0, 0, 0, 1]);
        Program::compile(flow, [2, 0, 0, 0, 0, 2], &somewhere)
            .map_err(|error| usage(&format!("flow {}: {error}", flow.name)))?;
    }
    Ok(())
}

/// Asks for the device's addresses of the plan on every link that has them. Where nobody answers the device is a
/// bridge, or nothing but a cable: there, every destination is on the link.
fn find_routers(
    suite: &SuiteSpec,
    spec: &mut Spec,
    infos: &[PortInfo],
    reach: &Reach,
    notes: &mut Vec<String>,
) -> Result<(), SessionError> {
    for (at, info) in infos.iter().enumerate() {
        info.require_up()?;
        if own_address(&suite.ports[at], suite.addressing.ipv6).is_some() {
            continue;
        }
        let behind = |flow: &&Flow| flow.tx == at || flow.receivers().any(|rx| rx == at);
        let tags: Vec<VlanTag> = spec.flows.iter().find(behind).map(vlan_tags).unwrap_or_default();
        let port = &mut spec.ports[at];
        match reach.resolve(info, &port.addresses, &port.gateways, &tags, GATEWAY_WAIT) {
            Ok(_) => {}
            Err(SessionError::Nic(NicError::Unresolved { missing, .. })) => {
                let asked: Vec<_> = missing.iter().map(ToString::to_string).collect();
                notes.push(format!(
                    "{}: nobody answers for {}; the device is taken for a bridge",
                    port.name,
                    asked.join(", ")
                ));
                port.gateways.clear();
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
