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
                each_second: false,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(flows: &[&str]) -> Spec {
        let flow = |(number, lines): (usize, &&str)| {
            format!(
                r#"
                [[flow]]
                name = "{number}"
                {lines}
                layers = [{{eth = {{}}}}, {{ipv4 = {{src = "198.18.1.2", dst = "198.19.1.2"}}}}, {{udp = {{src = 1, dst = 7}}}}]
                "#
            )
        };
        let text: String = flows.iter().enumerate().map(flow).collect();
        Spec::from_toml(&text).unwrap_or_else(|error| panic!("{error}"))
    }

    const EAST: &str = "tx = \"west\"\nrx = \"east\"";
    const WEST: &str = "tx = \"east\"\nrx = \"west\"";

    fn with(way: &str, lines: &str) -> String {
        format!("{way}\n{lines}")
    }

    #[test]
    fn every_way_of_the_file_is_a_direction_and_rates_are_proportions() {
        let [a, b] = ["rate = \"30kpps\"", "rate = \"10kpps\""].map(|rate| with(EAST, rate));
        let c = with(WEST, "rate = \"1kpps\"");
        let lanes = lanes(spec(&[&a, &c, &b]), &[], 2, &[0, 0]).unwrap();
        let weights = |lane: &Lane| -> Vec<f64> {
            lane.members.iter().map(|member| member.weight.to_f64()).collect()
        };
        let [east, west] = &lanes.lanes[..] else { panic!("{:?}", lanes.lanes) };
        assert_eq!((weights(east), weights(west)), (vec![30_000.0, 10_000.0], vec![1000.0]));
        assert_eq!(east.all().collect::<Vec<_>>(), [0, 1, 2, 3]);
        let names: Vec<_> = lanes.spec.flows.iter().map(|flow| flow.name.as_str()).collect();
        assert_eq!(names, ["0", "0", "2", "2", "1", "1"], "each once for every stage");
    }

    #[test]
    fn pairs_choose_among_the_ways() {
        let file = || spec(&[EAST, WEST]);
        let ways = |ways: &[Way]| lanes(file(), ways, 1, &[0, 0]).map(|lanes| lanes.lanes.len());
        assert_eq!(ways(&[(1, 0)]), Ok(1));
        assert_eq!(ways(&[(0, 1), (1, 0)]), Ok(2));
        let one_way = lanes(spec(&[EAST]), &[(0, 1), (1, 0)], 1, &[0, 0]).unwrap();
        assert_eq!(one_way.lanes.len(), 1, "a file may have flows one way only");
        let error = lanes(spec(&[EAST]), &[(1, 0)], 1, &[0, 0]).unwrap_err();
        assert_eq!(error, "the file has no flow east to west");
    }

    #[test]
    fn what_is_no_load_is_refused() {
        let said = |lines: &str| lanes(spec(&[&with(EAST, lines)]), &[], 1, &[0, 0]).unwrap_err();
        assert!(said("burst = {frames = 2, gap = \"1ms\"}").starts_with("flow 0 has a `burst`"));
        assert!(said("schedule = [{at = \"0s\", rate = \"1kpps\"}]").contains("load over time"));
        assert!(said("track = \"none\"").contains("no tag"));
        assert!(said("track = \"count\"").contains("no tag"));
        let mixed = [with(EAST, "rate = \"max\""), with(EAST, "rate = \"1kpps\"")];
        let error = lanes(spec(&[&mixed[0], &mixed[1]]), &[], 1, &[0, 0]).unwrap_err();
        assert!(error.starts_with("flow 0 is at \"max\" and others have rates"), "{error}");
    }

    #[test]
    fn the_frame_of_a_file_has_its_mean_size_exactly() {
        let frame = |lines: &[&str]| {
            let flows: Vec<_> = lines.iter().map(|lines| with(EAST, lines)).collect();
            file_frame(&spec(&flows.iter().map(String::as_str).collect::<Vec<_>>()))
        };
        let one = frame(&["size = 128", "size = 128\nrate = \"max\""]).unwrap();
        assert_eq!((one.kind, one.cycle), (FrameKind::Fixed, vec![128]));
        let mix = frame(&["size = 64\nrate = \"3kpps\"", "size = [512, 1518]\nrate = \"2kpps\""]);
        let mix = mix.unwrap();
        // Of five frames, three have 64 octets, one 512 and one 1518.
        assert_eq!(mix.mean_bytes(), Ratio::new(3 * 64 + 512 + 1518, 5));
        assert_eq!((mix.name.as_str(), mix.kind), (FILE_FRAME, FrameKind::Imix));
        let odd = frame(&["size = 64\nrate = \"1pps\"", "size = 65\nrate = \"100.0001kpps\""]);
        assert!(odd.unwrap_err().ends_with("give `sizes`"));
    }
}
