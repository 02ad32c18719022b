//! The flows of a user's file as the load: their headers and proportions, not their rates.

use super::{
    FILE_FRAME,
    frames::Way,
    lanes::{Lane, Lanes, Member},
};
use crate::{
    spec::{Flow, Frame, FrameKind, ServiceSpec, Spec, Track},
    units::{FrameSize, Ratio},
};

/// The longest cycle that stands for the sizes of several flows.
const CYCLE_MAX: u128 = 65_536;

/// Flows of the file with a lane for each way; those whose way is not among `ways` send
/// nothing. Without ways, every way of the file is one.
///
/// # Errors
/// A sentence.
pub(super) fn lanes(
    file: Spec,
    ways: &[Way],
    stages: usize,
    link_bps: &[u64],
) -> Result<Lanes, String> {
    let way = |flow: &Flow| flow.rx.map(|rx| (flow.tx, rx));
    let mut wanted = ways.to_vec();
    if wanted.is_empty() {
        for way in file.flows.iter().filter_map(way) {
            if !wanted.contains(&way) {
                wanted.push(way);
            }
        }
    }
    let name = |way: Way| format!("{} to {}", file.ports[way.0].name, file.ports[way.1].name);
    let groups = wanted.iter().map(|&one| {
        let flows: Vec<_> =
            (0..file.flows.len()).filter(|&flow| way(&file.flows[flow]) == Some(one)).collect();
        (name(one), flows)
    });
    // Of pairs that are tested both ways, a file may have flows one way only.
    let groups: Vec<_> = groups.filter(|(_, flows)| !flows.is_empty()).collect();
    if groups.is_empty() {
        let ways: Vec<_> = wanted.iter().map(|&one| name(one)).collect();
        return Err(format!("the file has no flow {}", ways.join(" or ")));
    }
    grouped(file, &groups, stages, link_bps)
}

/// Flows of the file with a lane for each service.
///
/// # Errors
/// A sentence.
pub(super) fn services(
    file: Spec,
    services: &[ServiceSpec],
    link_bps: &[u64],
) -> Result<Lanes, String> {
    let mut groups = Vec::with_capacity(services.len());
    for service in services {
        let place = |name: &String| {
            let found = file.flows.iter().position(|flow| flow.name == *name);
            found.ok_or_else(|| format!("service {}: the file has no flow {name}", service.name))
        };
        let flows = service.flows.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        groups.push((format!("service {}", service.name), flows));
    }
    grouped(file, &groups, 1, link_bps)
}

fn grouped(
    mut file: Spec,
    groups: &[(String, Vec<usize>)],
    stages: usize,
    link_bps: &[u64],
) -> Result<Lanes, String> {
    let mut lanes = Vec::with_capacity(groups.len());
    let own = std::mem::take(&mut file.flows);
    for (name, flows) in groups {
        let way = |&flow: &usize| (own[flow].tx, own[flow].rx);
        let Some((tx, Some(rx))) = flows.first().map(way) else {
            return Err(format!("{name}: a flow without `rx` measures nothing"));
        };
        if flows.iter().any(|flow| way(flow) != (tx, Some(rx))) {
            return Err(format!("{name}: its flows go between different ports"));
        }
        let mut members = Vec::with_capacity(flows.len());
        for &flow in flows {
            let flow = &own[flow];
            check(flow)?;
            let first = file.flows.len();
            file.flows.extend((0..stages.max(1)).map(|_| flow.clone()));
            members.push(Member {
                weight: weight(flow, &own, link_bps)?,
                counted: true,
                sizes: Some(flow.sizes.clone()),
                flows: (first..file.flows.len()).collect(),
            });
        }
        lanes.push(Lane { tx, rx, members });
    }
    Ok(Lanes { spec: file, lanes })
}

fn check(flow: &Flow) -> Result<(), String> {
    let unfit = if !flow.more_rx.is_empty() {
        "several `rx`"
    } else if flow.track != Track::Tag {
        "no tag, without which nothing is measured"
    } else if flow.burst.is_some() {
        "a `burst`; a suite sets the load itself"
    } else if !flow.schedule.is_empty() || !flow.delay.is_zero() {
        "a load over time; a suite sets the load itself"
    } else {
        return Ok(());
    };
    Err(format!("flow {} has {unfit}", flow.name))
}

/// Rates in the file are proportions here; flows that are all at "max" share evenly.
fn weight(flow: &Flow, all: &[Flow], link_bps: &[u64]) -> Result<Ratio, String> {
    let fps = |flow: &Flow| {
        let line = link_bps.get(flow.tx).copied().filter(|&bps| bps > 0);
        flow.frames_per_second(line.unwrap_or(10_000_000_000))
    };
    if let Some(fps) = fps(flow) {
        return Ok(fps);
    }
    if all.iter().all(|flow| fps(flow).is_none()) {
        return Ok(Ratio::ONE);
    }
    let name = &flow.name;
    Err(format!("flow {name} is at \"max\" and others have rates; as a load, all have one or none"))
}

/// The frame that stands for the sizes that the flows of a file have, each as often as its
/// rate gives; what it takes of the line is exact.
///
/// # Errors
/// A sentence, if rates and sizes of the flows have no short common cycle.
pub fn file_frame(file: &Spec) -> Result<Frame, String> {
    let mut parts: Vec<(Ratio, &[FrameSize])> = Vec::new();
    for flow in &file.flows {
        let each = Ratio::from(flow.sizes.len().max(1) as u64);
        let weight = weight(flow, &file.flows, &[])?.over(each);
        match parts.iter_mut().find(|(_, sizes)| *sizes == flow.sizes) {
            Some((sum, _)) => *sum = sum.plus(weight),
            None => parts.push((weight, &flow.sizes)),
        }
    }
    let cycle = if let [(_, sizes)] = parts[..] { Some(sizes.to_vec()) } else { common(&parts) };
    let cycle = cycle.ok_or(
        "the flows of the file have different sizes at rates without a short common cycle; give `sizes`",
    )?;
    let kind =
        if cycle.iter().all(|size| *size == cycle[0]) { FrameKind::Fixed } else { FrameKind::Imix };
    Ok(Frame { kind, ..Frame::mix(FILE_FRAME, &cycle) })
}

/// Every list of sizes as often as its weight says; `None`: too long.
fn common(parts: &[(Ratio, &[FrameSize])]) -> Option<Vec<FrameSize>> {
    let least = parts.iter().map(|(weight, _)| *weight).min()?;
    // Weights as multiples of the least one, over their common denominator.
    let parts: Vec<_> = parts.iter().map(|(weight, sizes)| (weight.over(least), sizes)).collect();
    let common = parts.iter().try_fold(1_u128, |common, (weight, _)| {
        let added = Ratio::new(common, weight.denominator()).denominator();
        common.checked_mul(added).filter(|&common| common <= CYCLE_MAX)
    })?;
    let mut cycle = Vec::new();
    for (weight, sizes) in parts {
        let times = weight.floor_times(common)?;
        if times * sizes.len() as u128 + cycle.len() as u128 > CYCLE_MAX {
            return None;
        }
        (0..times).for_each(|_| cycle.extend_from_slice(sizes));
    }
    (!cycle.is_empty()).then_some(cycle)
}
