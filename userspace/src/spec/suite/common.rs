//! What all suites share.

use super::{
    Addressing, Flows, Hooks, Learning, Modifiers, Profile, SuiteSpec, Topology, Waits,
    file::Source,
    pass,
    values::{self, Part, wait},
};
use crate::spec::{
    Spec,
    error::SpecError,
    node::{Node, Section, Value},
    port::Ports,
};
use std::time::Duration;

/// Sizes of the quick profile: the least, the mean and the greatest of a plain network.
const QUICK_SIZES: [u16; 3] = [64, 512, 1518];

/// Reads everything but the tests.
pub(super) fn read(source: Source<'_>) -> Result<SuiteSpec, SpecError> {
    let Source { root, flags, profile, .. } = source;
    let quick = profile == Profile::Quick;
    let flows = root.get("flows").map(|node| flows(node, source)).transpose()?;
    let default_sizes: &[u16] = match (&flows, quick) {
        (Some(_), _) => &[],
        (None, true) => &QUICK_SIZES,
        (None, false) => &values::RFC_SIZES,
    };
    let file_sizes = root.get("sizes").map(values::frames).transpose()?;
    let flag_sizes = flags.sizes.as_ref().map(values::frames).transpose()?;
    let passes = root.get("pass").map_or(Ok(Vec::new()), pass::read)?;
    let frames = match (flag_sizes, file_sizes) {
        // Bounds for rows that a flag leaves out are not needed.
        (Some(frames), _) => frames,
        (None, frames) => {
            let frames = frames.unwrap_or_else(|| values::fixed(default_sizes));
            root.get("pass").map_or(Ok(()), |node| pass::check_rows(node, &passes, &frames))?;
            frames
        }
    };
    let (topology, ports) = topology(source)?;
    let learning = Part::open(root, "learning", &["frames", "refresh"])?;
    let waits = Part::open(root, "waits", &["before", "residual", "after"])?;
    let limits = Part::open(root, "limits", &["trials", "time"])?;
    let second = Duration::from_secs(1);
    Ok(SuiteSpec {
        flows,
        frames,
        profile,
        topology,
        ports,
        addressing: addressing(root)?,
        learning: Learning {
            frames: learning.or("frames", 3, |node| Ok(node.whole(0, 1000)? as u32))?,
            refresh: learning.or("refresh", 60 * second, |node| {
                values::time(node, second, Duration::from_hours(24))
            })?,
        },
        waits: Waits {
            before: waits.or("before", if quick { second / 10 } else { 5 * second }, wait)?,
            residual: waits
                .or("residual", 2 * second, |node| values::time(node, second / 2, 30 * second))?,
            after: waits.or("after", if quick { second / 10 } else { 5 * second }, wait)?,
        },
        modifiers: modifiers(root)?,
        hooks: hooks(root)?,
        pass: passes,
        max_trials: limits.or("trials", if quick { 5_000 } else { 50_000 }, |node| {
            Ok(node.whole(1, 1_000_000)? as u32)
        })?,
        max_time: limits.or(
            "time",
            Duration::from_hours(if quick { 2 } else { 24 * 7 }),
            |node| values::time(node, second, Duration::from_hours(24 * 365)),
        )?,
    })
}

/// A file beside the suite's own; a suite that is no file has them within.
fn flows(node: &Node, source: Source<'_>) -> Result<Flows, SpecError> {
    match (source.directory, source.inline) {
        (Some(directory), _) => Ok(Flows::File(directory.join(values::line(node)?))),
        (None, Some(inline)) => {
            Spec::from_json_at(inline, &node.place.key)?;
            Ok(Flows::Inline(inline.clone()))
        }
        (None, None) => Err(node.unfit("the flows themselves, in the shape of a flow file")),
    }
}

fn topology(source: Source<'_>) -> Result<(Topology, Vec<crate::spec::PortSpec>), SpecError> {
    let Source { root, flags, .. } = source;
    let part = Part::open(root, "topology", &["pairs", "direction", "dut"])?;
    let mut ports = Ports::read(root.get("ports"))?;
    let there = root.get("topology").is_some();
    let direction = part.get("direction").map(|node| values::word(node, &["both", "forward"]));
    // A file with a topology is bidirectional unless it says otherwise, flags alone are not.
    let both = flags.bidir || direction.transpose()?.map_or(there, |word| word == 0);
    let file_pairs = part.get("pairs").map(|node| pairs(node, &mut ports)).transpose()?;
    let file_dut = part.get("dut").map(device).transpose()?;
    if let (Some(_), Some(node)) = (&file_pairs, part.get("dut")) {
        return Err(node.wrong("a simulated device has no ports", "`dut` or `pairs`"));
    }
    let simulated = |device| Topology::Simulated { device, both };
    let topology = match (&flags.dut, &flags.tx, &flags.rx, file_pairs, file_dut) {
        (Some(dut), ..) => simulated(device(dut)?),
        (_, Some(tx), Some(rx), ..) => {
            // Only the ports of the flags are used then.
            ports = Ports::read(root.get("ports"))?;
            Topology::Pairs { pairs: vec![pair(tx, tx, rx, &mut ports)?], both }
        }
        (.., Some(pairs), _) => Topology::Pairs { pairs, both },
        (.., Some(device)) => simulated(device),
        // The flows say between which ports.
        _ if root.get("flows").is_some() => Topology::Pairs { pairs: Vec::new(), both },
        _ => {
            let allowed = "--tx PORT --rx PORT, --dut sim:..., or a suite file with a [topology]";
            return Err(root.node.wrong("nothing says between which ports", allowed));
        }
    };
    let ports = if flags.dut.is_some() { Vec::new() } else { ports.into_used() };
    Ok((topology, ports))
}

const PAIRS: &str = "pairs of ports, such as [[\"west\", \"east\"]]";

fn pairs(node: &Node, ports: &mut Ports) -> Result<Vec<(String, String)>, SpecError> {
    let Value::List(nodes) = &node.value else { return Err(node.unfit(PAIRS)) };
    let mut all = Vec::new();
    for one in nodes {
        let Value::List(ends) = &one.value else { return Err(one.unfit(PAIRS)) };
        let [tx, rx] = &ends[..] else { return Err(one.wrong("no pair", PAIRS)) };
        let pair = pair(one, tx, rx, ports)?;
        if all.contains(&pair) {
            return Err(one.wrong("the same pair twice", "each pair once"));
        }
        all.push(pair);
    }
    if all.is_empty() { Err(node.wrong("an empty list of pairs", PAIRS)) } else { Ok(all) }
}

fn pair(
    place: &Node,
    tx: &Node,
    rx: &Node,
    ports: &mut Ports,
) -> Result<(String, String), SpecError> {
    let [tx, rx] = [ports.index(tx)?, ports.index(rx)?];
    if tx == rx {
        return Err(place.wrong("the same port twice", "two ports"));
    }
    Ok((ports.name(tx).to_owned(), ports.name(rx).to_owned()))
}

/// What stands behind `sim:`.
fn device(node: &Node) -> Result<String, SpecError> {
    let allowed = "a simulated device such as \"sim:link=10G,capacity=10Mpps\"";
    let text = node.text(allowed)?;
    text.strip_prefix("sim:").map(str::to_owned).ok_or_else(|| node.unfit(allowed))
}

fn addressing(root: Section<'_>) -> Result<Addressing, SpecError> {
    let part = Part::open(root, "addresses", &["ipv6", "networks"])?;
    Ok(Addressing {
        ipv6: part.or("ipv6", false, Node::boolean)?,
        networks: part.or("networks", false, |node| match node.whole(1, 256)? {
            1 => Ok(false),
            256 => Ok(true),
            _ => Err(node.unfit("1 or 256")),
        })?,
    })
}

fn modifiers(root: Section<'_>) -> Result<Modifiers, SpecError> {
    let part = Part::open(root, "modifiers", &["broadcast", "management", "vlan"])?;
    let percent = |node: &Node| match values::share(node, "0% to 49%, in whole percents")? {
        share
            if share.times(100.into()).denominator() == 1 && share.times(2.into()).floor() == 0 =>
        {
            Ok(share.times(100.into()).floor() as u8)
        }
        _ => Err(node.unfit("0% to 49%, in whole percents")),
    };
    Ok(Modifiers {
        broadcast: part.or("broadcast", 0, percent)?,
        management: part.or("management", false, Node::boolean)?,
        vlan: part.or("vlan", None, |node| Ok(Some(node.whole(1, 4094)? as u16)))?,
    })
}

fn hooks(root: Section<'_>) -> Result<Hooks, SpecError> {
    let keys = ["before_suite", "before_trial", "after_trial", "after_suite", "reset", "describe"];
    let part = Part::open(root, "hooks", &keys)?;
    let command = |key| part.get(key).map(values::line).transpose();
    Ok(Hooks {
        before_suite: command("before_suite")?,
        before_trial: command("before_trial")?,
        after_trial: command("after_trial")?,
        after_suite: command("after_suite")?,
        reset: command("reset")?,
        describe: command("describe")?,
    })
}
