//! Learning frames (RFC 2544 section 23 b and C.2.4): so that the device knows, before frames
//! come for it, where each address of the run is.

use super::lanes::Lanes;
use crate::{
    nic::{PortInfo, VlanTag},
    packet::{AddressSet, Program},
    session::{PortAnnouncer, Reach, SessionError, vlan_tags},
    spec::{Learning, PortSpec},
    suite::TrialError,
};
use std::{collections::BTreeSet, net::IpAddr, sync::Arc, time::Duration};

/// Addresses of one port that are announced; a flow may have millions.
const ADDRESSES_MAX: usize = 4096;
/// Between one frame and the next for the same address.
const PAUSE: Duration = Duration::from_millis(5);

/// Knows what to tell the device.
#[derive(Debug, Clone)]
pub(super) struct Teacher {
    learning: Learning,
    lessons: Arc<Vec<Lesson>>,
    /// When it was told last in this trial.
    last: Duration,
}

/// What one port tells.
#[derive(Debug)]
struct Lesson {
    announcer: PortAnnouncer,
    /// Each address, whom it asks for, behind which tags.
    questions: Vec<(IpAddr, IpAddr, Vec<VlanTag>)>,
}

impl Teacher {
    pub(super) fn new(
        learning: Learning,
        lanes: &Lanes,
        infos: &[PortInfo],
        reach: &Reach,
    ) -> Result<Self, SessionError> {
        let mut lessons = Vec::new();
        for (port, info) in infos.iter().enumerate() {
            let questions = questions(lanes, port);
            if learning.frames > 0 && !questions.is_empty() {
                lessons.push(Lesson { announcer: reach.announcer(info)?, questions });
            }
        }
        Ok(Self { learning, lessons: Arc::new(lessons), last: Duration::ZERO })
    }

    /// Tells everything, as often as was asked for.
    pub(super) fn teach(&self) -> Result<(), TrialError> {
        for frame in 0..self.learning.frames {
            if frame > 0 {
                std::thread::sleep(PAUSE);
            }
            for lesson in self.lessons.iter() {
                lesson.announcer.announce(&lesson.questions)?;
            }
        }
        Ok(())
    }

    /// Tells it again in a trial that lasts longer than devices remember.
    pub(super) fn refresh(&mut self, elapsed: Duration) {
        if !self.learning.refresh.is_zero() && elapsed >= self.last + self.learning.refresh {
            self.last = elapsed;
            for lesson in self.lessons.iter() {
                // The link is watched by others.
                let _ = lesson.announcer.announce(&lesson.questions);
            }
        }
    }
}

/// What a port asks, and from which addresses: sources of what it sends, destinations of what
/// it receives, as far as they are on its own link.
fn questions(lanes: &Lanes, port: usize) -> Vec<(IpAddr, IpAddr, Vec<VlanTag>)> {
    let spec = &lanes.spec;
    let mut asked = BTreeSet::new();
    for flow in &spec.flows {
        let (sources, destinations) = (Program::sources(flow), Program::destinations(flow));
        let (behind, beyond) = if flow.tx == port {
            (sources, destinations)
        } else if flow.receivers().any(|rx| rx == port) {
            (destinations, sources)
        } else {
            continue;
        };
        let (Some(behind), Some(beyond)) = (behind, beyond) else { continue };
        let tags = vlan_tags(flow);
        let tags: Vec<_> = tags.iter().map(|tag| (tag.tpid, tag.tci)).collect();
        for source in on_link(&behind, &spec.ports[port]) {
            let target = spec.ports[port]
                .gateways
                .iter()
                .copied()
                .find(|gateway| gateway.is_ipv4() == source.is_ipv4())
                .or_else(|| beyond.iter().next());
            asked.extend(target.map(|target| (source, target, tags.clone())));
            if asked.len() >= ADDRESSES_MAX {
                break;
            }
        }
    }
    let tags = |tags: Vec<(u16, u16)>| {
        tags.into_iter().map(|(tpid, tci)| VlanTag { tpid, tci }).collect::<Vec<_>>()
    };
    asked.into_iter().map(|(source, target, ids)| (source, target, tags(ids))).collect()
}

/// The addresses of the set that the device finds on the port's link. For those further off
/// the port's own addresses speak, among which is the router before them.
fn on_link(behind: &AddressSet, port: &PortSpec) -> Vec<IpAddr> {
    if port.addresses.is_empty() {
        return behind.iter().take(ADDRESSES_MAX).collect();
    }
    let near = behind.iter().take(ADDRESSES_MAX);
    let near = near.filter(|address| port.addresses.iter().any(|net| net.contains(address)));
    let family = |address: &IpAddr| {
        behind.iter().next().is_some_and(|behind| behind.is_ipv4() == address.is_ipv4())
    };
    let own = port.addresses.iter().map(ipnet::IpNet::addr).filter(family);
    near.chain(own).collect()
}
