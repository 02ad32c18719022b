//! `[pass]`: what must hold, for every row or for one.

use super::{Need, Pass};
use crate::{
    spec::{
        error::SpecError,
        expect, flow,
        node::{Node, Section, Value},
    },
    units::{Rate, Ratio},
};

const RATE: &str = "\">=95%\" or \">=1Mpps\"; of one frame {64 = \">=95%\"}";

/// Reads `[pass]`.
pub(super) fn read(node: &Node) -> Result<Vec<Pass>, SpecError> {
    let section = Section::open(node, &["throughput", "latency_p99", "back_to_back", "goals"])?;
    let mut all = Vec::new();
    let mut add = |key: &str, read: &dyn Fn(&Node) -> Result<Need, SpecError>| {
        let Some(node) = section.get(key) else { return Ok(()) };
        match &node.value {
            Value::Table(entries) => {
                for entry in entries {
                    all.push(Pass { frame: Some(entry.key.clone()), need: read(&entry.node)? });
                }
            }
            _ => all.push(Pass { frame: None, need: read(node)? }),
        }
        Ok(())
    };
    add("throughput", &|node| rate(node).map(Need::Throughput))?;
    add("latency_p99", &|node| expect::nanosecond_bound(node).map(Need::LatencyP99))?;
    add("back_to_back", &|node| frames(node).map(Need::BackToBack))?;
    if let Some(node) = section.get("goals") {
        let Value::Table(entries) = &node.value else {
            return Err(node.unfit("goals with their rates, such as {NDR = \">=90%\"}"));
        };
        for entry in entries {
            let need = Need::Goal { name: entry.key.clone(), rate: rate(&entry.node)? };
            all.push(Pass { frame: None, need });
        }
    }
    Ok(all)
}

/// A least rate.
fn rate(node: &Node) -> Result<Rate, SpecError> {
    let text = node.text(RATE)?;
    let bare = Node {
        place: node.place.clone(),
        value: Value::Text(text.strip_prefix(">=").unwrap_or(text).trim().to_owned()),
    };
    match flow::read_rate(&bare) {
        Ok(Rate::Max) => Ok(Rate::LineShare(Ratio::ONE)),
        Ok(rate) => Ok(rate),
        Err(_) => Err(node.unfit(RATE)),
    }
}

/// A least number of frames.
fn frames(node: &Node) -> Result<u64, SpecError> {
    let allowed = "a number of frames such as 1000 or \">=1000\"";
    match &node.value {
        Value::Integer(_) => node.whole(1, u64::MAX.into()).map(|frames| frames as u64),
        Value::Text(text) => {
            let digits = text.strip_prefix(">=").unwrap_or(text).trim();
            digits.parse().ok().filter(|frames| *frames > 0).ok_or_else(|| node.unfit(allowed))
        }
        _ => Err(node.unfit(allowed)),
    }
}

/// Every frame that a bound names is a row.
pub(super) fn check_rows(
    node: &Node,
    passes: &[Pass],
    frames: &[super::Frame],
) -> Result<(), SpecError> {
    // Without sizes the rows are those of a flow file.
    if frames.is_empty() {
        return Ok(());
    }
    let names = || frames.iter().map(|frame| frame.name.as_str()).collect::<Vec<_>>().join(", ");
    let unknown = passes.iter().find_map(|pass| {
        let name = pass.frame.as_ref()?;
        (!frames.iter().any(|frame| frame.name == *name)).then_some(name)
    });
    match unknown {
        Some(name) => Err(node.wrong(format!("no row is called {name}"), names())),
        None => Ok(()),
    }
}
