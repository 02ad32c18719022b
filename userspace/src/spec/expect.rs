//! `expect`: upper bounds, written `"<50us"`, `"<=1%"` or `"0"` (at most 0).

use super::{
    Expect, Threshold,
    error::SpecError,
    node::{Node, Section, Value},
};
use crate::units::parse_duration;

/// Reads `expect`.
pub(super) fn read(node: &Node) -> Result<Expect, SpecError> {
    let section = Section::open(node, &["loss", "p50", "p99", "p999", "max", "outage"])?;
    let time = |key| section.get(key).map(|node| bound(node, TIME, nanoseconds)).transpose();
    Ok(Expect {
        loss: section.get("loss").map(|node| bound(node, LOSS, share)).transpose()?,
        p50: time("p50")?,
        p99: time("p99")?,
        p999: time("p999")?,
        max: time("max")?,
        outage: time("outage")?,
    })
}

/// A bound of time for a key of another table.
pub(super) fn nanosecond_bound(node: &Node) -> Result<Threshold<u64>, SpecError> {
    bound(node, TIME, nanoseconds)
}

const LOSS: &str = "\"<1%\", \"<=0.001\" or \"0\" (at most), 0 to 100 %";
const TIME: &str = "\"<50us\", \"<=1ms\" or \"50ms\" (at most)";

fn bound<T>(
    node: &Node,
    allowed: &str,
    value: fn(&str) -> Option<T>,
) -> Result<Threshold<T>, SpecError> {
    let text = match &node.value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        _ => return Err(node.unfit(allowed)),
    };
    let text = text.trim();
    let (number, inclusive) = match (text.strip_prefix("<="), text.strip_prefix('<')) {
        (Some(number), _) => (number, true),
        (None, Some(number)) => (number, false),
        (None, None) => (text, true),
    };
    let limit = value(number.trim()).ok_or_else(|| node.unfit(allowed))?;
    Ok(Threshold { limit, inclusive })
}

fn nanoseconds(text: &str) -> Option<u64> {
    if text == "0" { Some(0) } else { parse_duration(text)?.as_nanos().try_into().ok() }
}

fn share(text: &str) -> Option<f64> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim_end().parse::<f64>().ok()? / 100.0,
        None => text.parse().ok()?,
    };
    // An f64 parses from words and signs too; a NaN lies in no range.
    (text.starts_with(|c: char| c.is_ascii_digit()) && (0.0..=1.0).contains(&share))
        .then_some(share)
}
