//! Expectations, and the exit code.

use super::{FlowResult, RunResult, text};
use crate::{
    collect::{Loss, Verdict},
    spec::{Expect, Threshold},
};

/// An expectation that a flow did not meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// Name of the flow.
    pub flow: String,
    /// What was expected and what was found, as a sentence.
    pub text: String,
    /// Whether the device is to blame: false where the tester was the limit, or the
    /// value was not measured.
    pub judged: bool,
}

/// The expectations that a flow does not meet. Where the tester itself was the limit
/// nothing can be met: a pass below the load asked for would be no pass.
pub fn check(expect: &Expect, flow: &FlowResult) -> Vec<Unmet> {
    if *expect == Expect::default() {
        return Vec::new();
    }
    let unmet = |text: String, judged| Unmet { flow: flow.name.clone(), text, judged };
    if matches!(flow.verdict, Verdict::Invalid | Verdict::TesterLimited | Verdict::ReceiverLimited)
    {
        let text = format!("expectations cannot be judged: {}", flow.verdict.name());
        return vec![unmet(text, false)];
    }
    let mut all = Vec::new();
    if let Some(limit) = expect.loss {
        let loss = flow.lost_frames.map(|lost| Loss { sent: flow.tx_frames, lost });
        let found = loss.and_then(Loss::ratio);
        let bound = format!("{} %", limit.limit * 100.0);
        let shown = || loss.map_or(String::new(), |loss| format!("{} %", loss.percent()));
        all.extend(verdict("loss", limit, found, &bound, shown));
    }
    let latency = flow.latency_ns.as_ref();
    for (name, limit, found) in [
        ("p50", expect.p50, latency.and_then(|latency| latency.p50)),
        ("p99", expect.p99, latency.and_then(|latency| latency.p99)),
        ("p99.9", expect.p999, latency.and_then(|latency| latency.p999)),
        ("max latency", expect.max, latency.map(|latency| latency.max)),
        ("outage", expect.outage, outage_ns(flow)),
    ] {
        if let Some(limit) = limit {
            let bound = text::nanoseconds(limit.limit as i64);
            let limit = Threshold { limit: limit.limit as i64, inclusive: limit.inclusive };
            let shown = || found.map_or(String::new(), text::nanoseconds);
            all.extend(verdict(name, limit, found, &bound, shown));
        }
    }
    all.extend(expect.outage.and_then(|limit| unsure_outage(limit, flow)));
    all.into_iter().map(|(text, judged)| unmet(text, judged)).collect()
}

/// The longest outage: by silence, or where that is not known by what was lost.
fn outage_ns(flow: &FlowResult) -> Option<i64> {
    flow.outage.by_gap_ns.or(flow.outage.by_loss_ns).map(|ns| ns as i64)
}

/// An outage that is within the limit only if the tester's own longest pause made the silence.
fn unsure_outage(limit: Threshold<u64>, flow: &FlowResult) -> Option<(String, bool)> {
    let (least, most) = flow.outage.by_gap_ns.zip(flow.outage.by_gap_most_ns)?;
    let within = |ns: u64| ns < limit.limit || limit.inclusive && ns == limit.limit;
    (within(least) && !within(most)).then(|| {
        let [least, most, bound] =
            [least, most, limit.limit].map(|ns| text::nanoseconds(ns as i64));
        let sign = if limit.inclusive { "<=" } else { "<" };
        let text = format!(
            "outage is from {least} to {most}, for the tester paused itself, expected {sign} {bound}"
        );
        (text, false)
    })
}

fn verdict<T: PartialOrd + Copy>(
    name: &str,
    limit: Threshold<T>,
    found: Option<T>,
    bound: &str,
    shown: impl FnOnce() -> String,
) -> Option<(String, bool)> {
    let sign = if limit.inclusive { "<=" } else { "<" };
    match found {
        None => Some((format!("{name} was not measured, expected {sign} {bound}"), false)),
        Some(found) if found < limit.limit || (limit.inclusive && found == limit.limit) => None,
        Some(_) => Some((format!("{name} is {}, expected {sign} {bound}", shown()), true)),
    }
}

/// The exit code of a run that ended (CONTRACT, Exit codes): 2 where something was not
/// measured validly, 1 where an expectation failed, else 0.
pub fn exit_code(result: &RunResult) -> u8 {
    if result.verdict == Verdict::Invalid {
        2
    } else if result.unmet.iter().any(|unmet| unmet.judged) {
        1
    } else if result.unmet.is_empty() {
        0
    } else {
        2
    }
}
