//! Which frames without a tag each port counts. Pure.

use super::plan;
use crate::{
    nic::PortInfo,
    packet::{count_rule, may_be_mistaken},
    spec::{Flow, Spec, SpecError, Track},
    units::StreamId,
};
use xdp_ebpf::abi;

const RULES_MAX: usize = abi::COUNT_RULES_MAX as usize;

/// The rules of a session.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// By port, those of the flows that it receives first.
    pub(super) rules: Vec<Vec<abi::count_rule>>,
    /// By flow: whether every other port would know its frames too.
    pub(super) everywhere: Vec<bool>,
}

impl Counted {
    /// The rules of flows with `track = "count"`, at their receivers and, where that leaves no
    /// doubt, at all other ports.
    ///
    /// # Errors
    /// Two flows that one receiver could not tell apart, more flows than it can count, or one
    /// whose frames have no common form.
    pub(super) fn new(
        spec: &Spec,
        infos: &[PortInfo],
        streams: &[plan::Stream],
    ) -> Result<Self, SpecError> {
        let is_counted = |flow: &Flow| flow.track == Track::Count && flow.is_measured();
        let mut all = Vec::new();
        for (index, flow) in spec.flows.iter().enumerate().filter(|(_, flow)| is_counted(flow)) {
            // One stream of a flow stands for all: without a tag nobody knows which it was.
            let first = streams.partition_point(|stream| stream.flow < index);
            let stream = streams.get(first).map_or(StreamId(0), |stream| stream.id);
            let rule = count_rule(flow, infos[flow.tx].mac, stream).map_err(|error| {
                let allowed = "track = \"none\", or a flow whose headers can be told";
                SpecError::invalid(&spec.place(index, "track"), error.to_string(), allowed)
            })?;
            all.push((index, rule));
        }
        let mut counted = Self { rules: Vec::new(), everywhere: vec![true; spec.flows.len()] };
        for port in 0..infos.len() {
            let rules = counted.at_port(spec, port, &all)?;
            counted.rules.push(rules);
        }
        Ok(counted)
    }

    fn at_port(
        &mut self,
        spec: &Spec,
        port: usize,
        all: &[(usize, abi::count_rule)],
    ) -> Result<Vec<abi::count_rule>, SpecError> {
        let here = |flow: usize| spec.flows[flow].receivers().any(|rx| rx == port);
        let (mine, others): (Vec<&(usize, abi::count_rule)>, Vec<_>) =
            all.iter().partition(|it| here(it.0));
        for (place, (flow, rule)) in mine.iter().enumerate() {
            let place_in_file = || spec.place(*flow, "track");
            let name = &spec.ports[port].name;
            if place >= RULES_MAX {
                let problem = format!("{name} would count {} flows without a tag", mine.len());
                let allowed = format!("at most {RULES_MAX} of them at a port");
                return Err(SpecError::invalid(&place_in_file(), problem, allowed));
            }
            let twin = mine[..place].iter().find(|(_, other)| may_be_mistaken(rule, other));
            if let Some((twin, _)) = twin {
                let problem = format!(
                    "without a tag {name} cannot tell frames of flow \"{}\" from those of \"{}\"",
                    spec.flows[*flow].name, spec.flows[*twin].name
                );
                let allowed = "headers that differ behind VLAN tags in more than TTL, DSCP and \
                               checksums, or ranges that do not meet; or track = \"tag\"";
                return Err(SpecError::invalid(&place_in_file(), problem, allowed));
            }
        }
        let mut rules: Vec<_> = mine.iter().map(|(_, rule)| *rule).collect();
        for (flow, rule) in others {
            let clear = !rules.iter().any(|other| may_be_mistaken(rule, other));
            if clear && rules.len() < RULES_MAX {
                rules.push(*rule);
            } else {
                self.everywhere[*flow] = false;
            }
        }
        Ok(rules)
    }
}
