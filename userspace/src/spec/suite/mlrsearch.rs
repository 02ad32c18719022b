//! RFC 9971: the goals of a search.

use super::{
    GoalSpec, MlrsearchSpec, common,
    file::Source,
    values::{self, Part, trial},
};
use crate::{
    spec::{
        error::SpecError,
        node::{Node, Section, Value},
    },
    units::{Rate, Ratio},
};
use std::time::Duration;

const PRESETS: [&str; 4] = ["NDR", "PDR", "RFC2544", "TST009"];
const GOALS: &str = "\"NDR\", \"PDR\", \"RFC2544\", \"TST009\" or a table with a name";
const KEYS: [&str; 7] =
    ["name", "final_trial", "duration_sum", "loss_ratio", "exceed_ratio", "initial_trial", "width"];

impl GoalSpec {
    /// A goal that has a name of its own: CSIT's `NDR` and `PDR`, `RFC2544`, and `TST009`
    /// with one failure allowed in two trials. `None`: there is no such goal.
    pub fn preset(name: &str) -> Option<Self> {
        let per_mille = |number| Ratio::new(number, 1000);
        let seconds = Duration::from_secs;
        let (final_trial, duration_sum, loss_ratio, exceed_ratio) = match name {
            "NDR" => (1, 21, 0, 500),
            "PDR" => (1, 21, 5, 500),
            "RFC2544" => (60, 60, 0, 0),
            "TST009" => (60, 120, 0, 500),
            _ => return None,
        };
        Some(Self {
            name: name.to_owned(),
            final_trial: seconds(final_trial),
            duration_sum: seconds(duration_sum),
            loss_ratio: per_mille(loss_ratio),
            exceed_ratio: per_mille(exceed_ratio),
            initial_trial: seconds(1),
            width: per_mille(5),
        })
    }
}

pub(super) fn read(source: Source<'_>) -> Result<MlrsearchSpec, SpecError> {
    let Source { root, flags, .. } = source;
    let part = Part::open(root, "mlrsearch", &["goals", "min_load", "max_rate"])?;
    let presets = PRESETS[..2].iter().copied().filter_map(GoalSpec::preset).collect();
    let mut goals = part.flag_or(flags.goals.as_ref(), "goals", presets, goals)?;
    if let Some(node) = &flags.trial {
        let length = trial(node)?;
        for goal in &mut goals {
            goal.final_trial = length;
            goal.initial_trial = goal.initial_trial.min(length);
            goal.duration_sum = goal.duration_sum.max(length);
        }
    }
    let line = Rate::LineShare(Ratio::ONE);
    Ok(MlrsearchSpec {
        suite: common::read(source)?,
        goals,
        min_load_fps: part.get("min_load").map(values::frames_per_second).transpose()?,
        max_rate: part.flag_or(flags.max_rate.as_ref(), "max_rate", line, values::max_rate)?,
    })
}

fn goals(node: &Node) -> Result<Vec<GoalSpec>, SpecError> {
    let mut goals: Vec<GoalSpec> = Vec::new();
    for one in node.one_or_more() {
        let goal = match &one.value {
            Value::Text(name) => GoalSpec::preset(name).ok_or_else(|| one.unfit(GOALS))?,
            _ => goal(one)?,
        };
        if goals.iter().any(|other| other.name == goal.name) {
            return Err(one.wrong(format!("a second goal {}", goal.name), "a name of its own"));
        }
        goals.push(goal);
    }
    if goals.is_empty() { Err(node.wrong("an empty list of goals", GOALS)) } else { Ok(goals) }
}

/// A goal of the user's; what it does not say is as in NDR.
fn goal(node: &Node) -> Result<GoalSpec, SpecError> {
    let section = Section::open(node, &KEYS)?;
    let usual = GoalSpec::preset(PRESETS[0]).ok_or_else(|| node.unfit(GOALS))?;
    let time = |key, default| section.get(key).map_or(Ok(default), trial);
    let share = |key, default, allowed| {
        section.get(key).map_or(Ok(default), |node| {
            let share = values::share(node, allowed)?;
            if share < Ratio::ONE { Ok(share) } else { Err(node.unfit(allowed)) }
        })
    };
    let final_trial = time("final_trial", usual.final_trial)?;
    let goal = GoalSpec {
        name: values::line(section.need("name", "\"any text\"")?)?,
        final_trial,
        duration_sum: time("duration_sum", usual.duration_sum.max(final_trial))?,
        loss_ratio: share("loss_ratio", usual.loss_ratio, "a share below 1 such as \"0.5%\"")?,
        exceed_ratio: share("exceed_ratio", usual.exceed_ratio, "a share below 1 such as \"50%\"")?,
        initial_trial: time("initial_trial", usual.initial_trial.min(final_trial))?,
        width: share("width", usual.width, "a share above 0 and below 1 such as \"0.5%\"")?,
    };
    let wrong = |key: &str, problem: &str, allowed: &str| {
        Err(section.get(key).unwrap_or(node).wrong(problem, allowed))
    };
    if goal.width == Ratio::ZERO {
        return wrong("width", "a search of no width has no end", "above 0, such as \"0.5%\"");
    }
    if goal.duration_sum < final_trial {
        return wrong("duration_sum", "it is below final_trial", "at least final_trial");
    }
    if goal.initial_trial > final_trial {
        return wrong("initial_trial", "it is over final_trial", "at most final_trial");
    }
    Ok(goal)
}
