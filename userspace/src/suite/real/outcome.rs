//! From the facts of a run to the result of a trial: sums by direction, judged as `run` is.

use super::{lanes::Lane, seconds::Seconds};
use crate::{
    calibration::Correction,
    collect::{Border, Latency, Ledger, Verdict},
    session::{FlowFacts, Judged, RunFacts},
    suite::{DirectionResult, InvalidCause, LatencyStats, TrialResult},
};

/// Places where the tester itself lets frames fall.
const TESTERS: [Border; 6] = [
    Border::TxRing,
    Border::TxPort,
    Border::PeerRing,
    Border::FillRing,
    Border::RxBeforeXdp,
    Border::RxUnseen,
];

/// What a trial showed; `duration_with_overheads_ns` is for the caller to fill in.
pub(super) fn result(facts: &RunFacts, lanes: &[Lane], seconds: &Seconds) -> TrialResult {
    let loads = facts.port_loads();
    let judged: Vec<Judged> = facts.flows.iter().map(|flow| facts.judge(&loads, flow)).collect();
    let flows = || lanes.iter().flat_map(Lane::all);
    let directions = lanes
        .iter()
        .map(|lane| DirectionResult {
            seconds: seconds.of(lane),
            ..direction(facts, &judged, lane)
        })
        .collect();
    let end_ns = flows().filter_map(|flow| {
        let (flow, judged) = (&facts.flows[flow], &judged[flow]);
        Some(flow.first_tx_ns? + judged.duration_ns?)
    });
    TrialResult {
        directions,
        latency: latency(lanes.iter().flat_map(Lane::counted).map(|flow| &facts.flows[flow])),
        duration_ns: end_ns.max().map_or(0, |end_ns| end_ns.saturating_sub(facts.base_ns)),
        duration_with_overheads_ns: 0,
        invalid: flows()
            .filter_map(|flow| invalid(facts, &judged, flow))
            .max_by_key(|(weight, ..)| *weight)
            .map(|(_, cause, why)| (cause, why)),
    }
}

fn direction(facts: &RunFacts, judged: &[Judged], lane: &Lane) -> DirectionResult {
    let mut sum = DirectionResult::default();
    for flow in lane.counted() {
        let (flow, ledger) = (&facts.flows[flow], &judged[flow].ledger);
        let rx = flow.totals.rx.as_ref().map(|rx| rx.counters).unwrap_or_default();
        sum.tx_frames += ledger.submitted;
        sum.unsent_frames += ledger.requested - ledger.submitted;
        sum.rx_frames += rx.frames();
        sum.rx_unique_frames += rx.unique;
        sum.lost_frames += ledger.loss.map_or(0, |loss| loss.lost);
        sum.duplicate_frames += rx.duplicate;
        sum.reordered_frames += rx.reordered;
        sum.corrupt_frames += rx.corrupt;
        sum.stale_frames += rx.stale;
        sum.tester_drops += tester_drops(ledger);
        if ledger.loss.is_some_and(|loss| loss.lost > 0) {
            sum.last_lost_ns = sum.last_lost_ns.max(flow.lost_ns.map(|(_, last)| last));
        }
    }
    sum.latency = latency(lane.counted().map(|flow| &facts.flows[flow]));
    sum.rx_gap_max_ns = gap_max_ns(facts, lane);
    sum
}

fn tester_drops(ledger: &Ledger) -> u64 {
    TESTERS.iter().map(|&border| ledger.missing_in(border)).sum()
}

/// A silence of the direction is one of each of its flows: the shortest of their longest.
/// `None` where frames of one stream came on several queues, which hides how close they came.
fn gap_max_ns(facts: &RunFacts, lane: &Lane) -> Option<u64> {
    let flows = lane.counted().map(|flow| &facts.flows[flow].totals);
    let counters: Vec<_> = flows
        .filter(|totals| totals.tx_frames > 0)
        .filter_map(|totals| Some(totals.rx.as_ref()?.counters))
        .collect();
    if counters.iter().any(|rx| rx.banks != 1) {
        return None;
    }
    counters.iter().map(|rx| rx.gap_max_ns).min()
}

/// Latency of several flows together, if all are timed and corrected alike.
fn latency<'a>(flows: impl Iterator<Item = &'a FlowFacts>) -> Option<LatencyStats> {
    let mut all: Option<(Latency, Option<Correction>)> = None;
    for flow in flows.filter(|flow| flow.totals.tx_frames > 0) {
        if flow.latency_void.is_some() {
            return None;
        }
        let rx = flow.totals.rx.as_ref()?;
        match &mut all {
            None => all = Some((rx.latency.clone(), flow.correction)),
            Some((sum, correction)) => {
                if *correction != flow.correction {
                    return None;
                }
                sum.merge(&rx.latency);
            }
        }
    }
    let (latency, correction) = all?;
    let summary = latency.summary()?;
    let bias_ns = correction.map_or(0, |correction| correction.bias_ns);
    Some(LatencyStats {
        count: summary.count,
        min_ns: summary.min - bias_ns,
        mean_ns: summary.mean - bias_ns as f64,
        p50_ns: summary.p50? - bias_ns,
        p99_ns: summary.p99? - bias_ns,
        p999_ns: summary.p999? - bias_ns,
        max_ns: summary.max - bias_ns,
        uncertainty_ns: correction.map(|correction| correction.uncertainty_ns),
    })
}

/// Why the flow says nothing of the device: the verdict, whose fault that is, and the first
/// sentence. A loss says something.
fn invalid(
    facts: &RunFacts,
    judged: &[Judged],
    flow: usize,
) -> Option<(Verdict, InvalidCause, String)> {
    let finding = &judged[flow].finding;
    let stale = facts.flows[flow].totals.rx.as_ref().is_some_and(|rx| rx.counters.stale > 0);
    let cause = match finding.verdict {
        Verdict::Ok | Verdict::Loss => return None,
        Verdict::ReceiverLimited => InvalidCause::TesterRx,
        Verdict::TesterLimited => InvalidCause::TesterTx,
        Verdict::DeviceBackpressure => InvalidCause::Backpressure,
        Verdict::Invalid if stale && facts.faults.is_empty() => InvalidCause::Stale,
        Verdict::Invalid => InvalidCause::Fault,
    };
    let why = finding.reasons.first().cloned().unwrap_or_else(|| finding.verdict.name().to_owned());
    Some((finding.verdict, cause, format!("{}: {why}", facts.flows[flow].name)))
}
