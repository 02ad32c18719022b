//! The whole run's result.

use super::{Host, PortResult, RunResult, Tool, check, flow};
use crate::{collect::Verdict, session::RunFacts};

impl RunResult {
    /// Draws every conclusion from the facts. Flows must name ports that exist.
    pub fn new(facts: &RunFacts) -> Self {
        let mut flows = Vec::with_capacity(facts.flows.len());
        let mut reasons = Vec::new();
        let mut unmet = Vec::new();
        let loads = facts.port_loads();
        for flow in &facts.flows {
            let (row, sentences) = flow::result(facts, &loads, flow);
            reasons.extend(sentences.into_iter().map(|text| format!("{}: {text}", flow.name)));
            let missed = check(&flow.expect, &row);
            reasons.extend(missed.iter().map(|missed| format!("{}: {}", flow.name, missed.text)));
            unmet.extend(missed);
            flows.push(row);
        }
        reasons.extend(facts.notes.iter().cloned());
        Self {
            schema: "linerate.run/1",
            tool: Tool::this(),
            host: Host::this(),
            started: facts.started.to_string(),
            duration_ns: duration_ns(facts),
            verdict: flows.iter().map(|flow| flow.verdict).max().unwrap_or(Verdict::Invalid),
            reasons,
            ports: facts.ports.iter().map(PortResult::from).collect(),
            flows,
            unmet,
        }
    }

    /// The document, indented, with a line end.
    ///
    /// # Errors
    /// None that the values can cause; kept because writing JSON may fail in principle.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|json| json + "\n")
    }
}

/// From the first submit of any flow to the end of the one that ends last.
fn duration_ns(facts: &RunFacts) -> Option<u64> {
    let start = facts.flows.iter().filter_map(|flow| flow.first_tx_ns).min()?;
    let end = facts
        .flows
        .iter()
        .filter_map(|flow| Some(flow.first_tx_ns? + flow.duration_ns()?))
        .max()?;
    Some(end - start)
}
