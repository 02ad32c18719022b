//! RFC 2544: which tests, and how each is done.

use super::{
    BackToBackSpec, LatencyAt, LatencyDefinition, LatencySpec, LossSpec, Profile, RecoverySpec,
    ResetSpec, Resolution, Rfc2544Spec, ThroughputSpec, common,
    file::Source,
    values::{self, Part, repeats, trial},
};
use crate::{
    spec::{error::SpecError, node::Node},
    units::{Rate, Ratio},
};
use std::time::Duration;

/// The tests by their names in files and flags, with the section of each.
const TESTS: [(&str, &str); 6] = [
    ("throughput", "throughput"),
    ("latency", "latency"),
    ("loss", "loss"),
    ("back-to-back", "back_to_back"),
    ("recovery", "recovery"),
    ("reset", "reset"),
];

/// Those that are done where nothing chooses: the benchmarks that need no overload and no
/// reset of the device.
const USUAL: usize = 4;

const SECOND: Duration = Duration::from_secs(1);

/// A tenth of a percent, and ten.
fn percent(tenths: u128) -> Ratio {
    Ratio::new(tenths, 1000)
}

pub(super) fn read(source: Source<'_>) -> Result<Rfc2544Spec, SpecError> {
    let suite = common::read(source)?;
    let chosen = chosen(source, suite.hooks.reset.is_some())?;
    let test = |name: &str| chosen.contains(&name);
    let latency = latency(source)?;
    let loss = loss(source)?;
    let back_to_back = back_to_back(source)?;
    let recovery = recovery(source)?;
    let reset = reset(source)?;
    Ok(Rfc2544Spec {
        suite,
        throughput: throughput(source)?,
        latency: test("latency").then_some(latency),
        loss: test("loss").then_some(loss),
        back_to_back: test("back-to-back").then_some(back_to_back),
        recovery: test("recovery").then_some(recovery),
        reset: test("reset").then_some(reset),
    })
}

/// The names of the tests to do: those of the flag, of the file, or the usual ones and those
/// with a section of their own.
fn chosen(source: Source<'_>, resets: bool) -> Result<Vec<&'static str>, SpecError> {
    let names = TESTS.map(|(name, _)| name);
    let read = |node: &Node| -> Result<Vec<&'static str>, SpecError> {
        let words = node.one_or_more();
        if words.is_empty() {
            return Err(node.wrong("an empty list of tests", names.join(", ")));
        }
        words.iter().map(|word| Ok(names[values::word(word, &names)?])).collect()
    };
    let in_file = source.root.get("tests").map(read).transpose()?;
    let by_flag = source.flags.tests.as_ref().map(read).transpose()?;
    let chosen = by_flag.or(in_file).unwrap_or_else(|| {
        let own = |at: usize| source.root.get(TESTS[at].1).is_some();
        (0..TESTS.len()).filter(|&at| at < USUAL || own(at)).map(|at| names[at]).collect()
    });
    if chosen.contains(&"reset") && !resets {
        let node = source.root.get("reset").unwrap_or(source.root.node);
        let allowed = "a command under [hooks] reset, or --tests without reset";
        return Err(node.wrong("nothing says how the device is reset", allowed));
    }
    Ok(chosen)
}

fn throughput(source: Source<'_>) -> Result<ThroughputSpec, SpecError> {
    let Source { root, flags, profile, .. } = source;
    let keys = ["trial", "resolution", "max_loss", "max_rate"];
    let part = Part::open(root, "throughput", &keys)?;
    let length = if profile == Profile::Quick { SECOND } else { 60 * SECOND };
    let line = Rate::LineShare(Ratio::ONE);
    Ok(ThroughputSpec {
        trial: part.flag_or(flags.trial.as_ref(), "trial", length, trial)?,
        resolution: part.flag_or(
            flags.resolution.as_ref(),
            "resolution",
            Resolution::Share(percent(1)),
            values::resolution,
        )?,
        max_loss: part.or("max_loss", Ratio::ZERO, |node| {
            let allowed = "a loss ratio below 1, such as \"0\" or \"0.001%\"";
            values::share(node, allowed).and_then(|share| {
                if share < Ratio::ONE { Ok(share) } else { Err(node.unfit(allowed)) }
            })
        })?,
        max_rate: part.flag_or(flags.max_rate.as_ref(), "max_rate", line, values::max_rate)?,
    })
}

fn latency(source: Source<'_>) -> Result<LatencySpec, SpecError> {
    let Source { root, flags, profile, .. } = source;
    let keys = ["trial", "from", "repeats", "at", "definition"];
    let part = Part::open(root, "latency", &keys)?;
    let quick = profile == Profile::Quick;
    let length = if quick { 2 * SECOND } else { 120 * SECOND };
    let length = part.flag_or(flags.trial.as_ref(), "trial", length, trial)?;
    let from = part.or("from", length / 2, |node| {
        let from = values::wait(node)?;
        if from < length {
            return Ok(from);
        }
        Err(node.wrong("no frame is sent after it", "less than the length of the trial"))
    })?;
    let throughput = vec![LatencyAt::Throughput];
    let quick_loads = [100, 500, 900].map(|tenths| LatencyAt::Share(percent(tenths)));
    let at = if quick { [quick_loads.to_vec(), throughput].concat() } else { throughput };
    Ok(LatencySpec {
        trial: length,
        from,
        repeats: part.flag_or(
            flags.repeats.as_ref(),
            "repeats",
            if quick { 3 } else { 20 },
            repeats,
        )?,
        at: part.or("at", at, loads)?,
        definition: part.or("definition", LatencyDefinition::default(), |node| {
            let word = values::word(node, &["store-and-forward", "bit-forwarding"])?;
            let definitions =
                [LatencyDefinition::StoreAndForward, LatencyDefinition::BitForwarding];
            Ok(definitions[word])
        })?,
    })
}

fn loads(node: &Node) -> Result<Vec<LatencyAt>, SpecError> {
    let allowed = "\"throughput\" or shares of it such as \"50%\"";
    let mut loads = Vec::new();
    for one in node.one_or_more() {
        let load = match one.text(allowed)? {
            "throughput" => LatencyAt::Throughput,
            _ => LatencyAt::Share(values::positive_share(one, allowed)?),
        };
        if loads.contains(&load) {
            return Err(one.wrong("the same load twice", "each once"));
        }
        loads.push(load);
    }
    if loads.is_empty() { Err(node.wrong("an empty list of loads", allowed)) } else { Ok(loads) }
}

fn loss(source: Source<'_>) -> Result<LossSpec, SpecError> {
    let Source { root, flags, profile, .. } = source;
    let part = Part::open(root, "loss", &["trial", "step"])?;
    let length = if profile == Profile::Quick { SECOND } else { 60 * SECOND };
    Ok(LossSpec {
        trial: part.flag_or(flags.trial.as_ref(), "trial", length, trial)?,
        step: part.or("step", percent(100), |node| {
            let allowed = "above 0% and at most 10% (RFC 2544 section 26.3)";
            match values::positive_share(node, allowed)? {
                step if step <= percent(100) => Ok(step),
                _ => Err(node.unfit(allowed)),
            }
        })?,
    })
}

fn back_to_back(source: Source<'_>) -> Result<BackToBackSpec, SpecError> {
    let Source { root, flags, profile, .. } = source;
    let part = Part::open(root, "back_to_back", &["repeats", "burst_limit", "step"])?;
    let count = if profile == Profile::Quick { 5 } else { 50 };
    Ok(BackToBackSpec {
        repeats: part.flag_or(flags.repeats.as_ref(), "repeats", count, repeats)?,
        burst_limit: part.or("burst_limit", 2 * SECOND, |node| {
            values::time(node, Duration::from_millis(1), 30 * SECOND)
        })?,
        step_frames: part.or("step", 1, |node| Ok(node.whole(1, 1_000_000)? as u64))?,
    })
}

fn recovery(source: Source<'_>) -> Result<RecoverySpec, SpecError> {
    let Source { root, flags, profile, .. } = source;
    let part = Part::open(root, "recovery", &["overload", "reduced", "repeats"])?;
    let quick = profile == Profile::Quick;
    let length = if quick { 2 * SECOND } else { 60 * SECOND };
    let overload = part.flag_or(flags.trial.as_ref(), "overload", length, trial)?;
    Ok(RecoverySpec {
        overload,
        reduced: part.or("reduced", overload, trial)?,
        repeats: part.flag_or(
            flags.repeats.as_ref(),
            "repeats",
            if quick { 3 } else { 20 },
            repeats,
        )?,
    })
}

fn reset(source: Source<'_>) -> Result<ResetSpec, SpecError> {
    let Source { root, flags, profile, .. } = source;
    let part = Part::open(root, "reset", &["limit", "repeats"])?;
    let count = if profile == Profile::Quick { 1 } else { 3 };
    Ok(ResetSpec {
        limit: part.or("limit", 300 * SECOND, |node| {
            values::time(node, SECOND, Duration::from_hours(1))
        })?,
        repeats: part.flag_or(flags.repeats.as_ref(), "repeats", count, repeats)?,
    })
}
