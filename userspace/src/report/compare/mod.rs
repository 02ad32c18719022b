//! Two runs beside each other: `linerate.compare/1`.
//!
//! Flows are matched by name. A value of B is within tolerance where it differs from
//! that of A by at most the tolerance times A; a latency may differ by the uncertainties
//! of both as well. No loss against any loss is never within.

mod read;
mod table;
#[cfg(test)]
mod tests;

pub use read::{CompareError, Recorded};
pub use table::comparison_table;

use crate::units::Ratio;
use read::{Flow, Latency};
use serde::Serialize;

/// Two runs, value by value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// `linerate.compare/1`.
    pub schema: &'static str,
    /// The run that is compared with.
    pub a: Side,
    /// The run that is compared.
    pub b: Side,
    /// How far a value of B may lie from that of A, as a share of it.
    pub tolerance_ratio: f64,
    /// The worst of all flows.
    pub verdict: Match,
    /// A sentence for everything that bears on the answer, with the flow's name.
    pub reasons: Vec<String>,
    /// Flows of A in their order, then those only in B.
    pub flows: Vec<FlowComparison>,
}

/// One of the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// The file.
    pub path: String,
    /// RFC 3339, UTC.
    pub started: String,
}

/// A flow in both.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FlowComparison {
    /// Name of the row.
    pub name: String,
    /// The worst of its values.
    pub verdict: Match,
    /// What was measured in at least one of the two; empty where only one has the flow.
    pub values: Vec<ValueComparison>,
}

/// One value in both. Units are in the name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ValueComparison {
    /// Its key in `linerate.run/1`.
    pub name: &'static str,
    /// In A.
    pub a: Option<f64>,
    /// In B.
    pub b: Option<f64>,
    /// B less A.
    pub difference: Option<f64>,
    /// The difference as a share of A; `None` where A is 0.
    pub difference_ratio: Option<f64>,
    /// What the difference may be.
    pub allowed: Option<f64>,
    /// Whether it is.
    pub verdict: Match,
}

/// Whether B is as A; from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Match {
    /// As near as asked for.
    Within,
    /// Further away, or only in one of the two.
    Outside,
    /// Not to be compared: one of them was not measured validly.
    Invalid,
}

impl Match {
    /// As in the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Within => "within",
            Self::Outside => "outside",
            Self::Invalid => "invalid",
        }
    }

    /// CONTRACT's exit code: 0 within, 1 outside, 2 not measured validly.
    pub fn exit_code(self) -> u8 {
        self as u8
    }
}

impl Comparison {
    /// Compares `b` with `a`.
    pub fn new(a: &Recorded, b: &Recorded, tolerance: Ratio) -> Self {
        let tolerance_ratio = tolerance.to_f64();
        let mut reasons = Vec::new();
        let mut flows = Vec::with_capacity(a.document.flows.len());
        for flow in &a.document.flows {
            flows.push(match b.flow(&flow.name) {
                Some(other) => compare(flow, other, tolerance_ratio, &mut reasons),
                None => alone(flow, "A", &mut reasons),
            });
        }
        let added = b.document.flows.iter().filter(|flow| a.flow(&flow.name).is_none());
        flows.extend(added.map(|flow| alone(flow, "B", &mut reasons)));
        if flows.is_empty() {
            reasons.push("neither file has a flow".to_owned());
        }
        Self {
            schema: "linerate.compare/1",
            a: a.side(),
            b: b.side(),
            tolerance_ratio,
            verdict: flows.iter().map(|flow| flow.verdict).max().unwrap_or(Match::Invalid),
            reasons,
            flows,
        }
    }
}

type Pick = fn(&Latency) -> Option<f64>;

const PERCENTILES: [(&str, Pick); 5] = [
    ("latency_ns.p50", |latency| latency.p50),
    ("latency_ns.p90", |latency| latency.p90),
    ("latency_ns.p99", |latency| latency.p99),
    ("latency_ns.p999", |latency| latency.p999),
    ("latency_ns.p9999", |latency| latency.p9999),
];

fn alone(flow: &Flow, side: &str, reasons: &mut Vec<String>) -> FlowComparison {
    reasons.push(format!("{}: only in {side}", flow.name));
    FlowComparison { name: flow.name.clone(), verdict: Match::Outside, values: Vec::new() }
}

fn compare(a: &Flow, b: &Flow, tolerance: f64, reasons: &mut Vec<String>) -> FlowComparison {
    let mut verdict = Match::Within;
    for (flow, side) in [(a, "A"), (b, "B")] {
        match flow.verdict.as_str() {
            "invalid" => {
                verdict = Match::Invalid;
                reasons.push(format!("{}: not measured validly in {side}", flow.name));
            }
            "ok" | "loss" => (),
            other => reasons.push(format!("{}: {other} in {side}", flow.name)),
        }
    }
    if a.frame_bytes() != b.frame_bytes() {
        reasons.push(format!("{}: the frames of A and B differ in size", a.name));
    }
    let allowed = |a: f64, more: f64| a.abs() * tolerance + more;
    let mut values = vec![
        value("tx_pps", a.tx_pps, b.tx_pps, |a| allowed(a, 0.0)),
        value("rx_pps", a.rx_pps, b.rx_pps, |a| allowed(a, 0.0)),
        value("loss_ratio", a.loss_ratio, b.loss_ratio, |a| allowed(a, 0.0)),
    ];
    let both = a.latency_ns.as_ref().zip(b.latency_ns.as_ref());
    let differ = both.and_then(|(a, b)| a.unlike(b));
    if let Some(what) = differ {
        verdict = verdict.max(Match::Outside);
        reasons.push(format!("{}: latency cannot be compared: {what}", a.name));
    } else {
        let spread = |flow: &Flow| flow.latency_ns.as_ref().and_then(|l| l.uncertainty);
        let uncertainty = spread(a).unwrap_or(0.0) + spread(b).unwrap_or(0.0);
        let of = |flow: &Flow, pick: Pick| flow.latency_ns.as_ref().and_then(pick);
        values.extend(PERCENTILES.map(|(name, pick)| {
            value(name, of(a, pick), of(b, pick), |a| allowed(a, uncertainty))
        }));
    }
    values.retain(|value| value.a.is_some() || value.b.is_some());
    for value in values.iter().filter(|value| value.difference.is_none()) {
        let side = if value.a.is_none() { "A" } else { "B" };
        reasons.push(format!("{}: {} was not measured in {side}", a.name, value.name));
    }
    let worst = values.iter().map(|value| value.verdict).max().unwrap_or(Match::Within);
    FlowComparison { name: a.name.clone(), verdict: verdict.max(worst), values }
}

fn value(
    name: &'static str,
    a: Option<f64>,
    b: Option<f64>,
    allowed: impl FnOnce(f64) -> f64,
) -> ValueComparison {
    let difference = a.zip(b).map(|(a, b)| b - a);
    let allowed = a.map(allowed);
    let within = difference.zip(allowed).is_some_and(|(difference, allowed)| {
        // The last digit of a double is no difference.
        difference.abs() <= allowed * (1.0 + 1e-12)
    });
    ValueComparison {
        name,
        a,
        b,
        difference,
        difference_ratio: difference
            .zip(a.filter(|&a| a != 0.0))
            .map(|(difference, a)| difference / a.abs()),
        allowed,
        verdict: if within { Match::Within } else { Match::Outside },
    }
}
