//! One flow's row, from counts to conclusions.

use super::{FlowResult, GapResult, IpdvResult, LatencyResult, LedgerResult, Outage, SampleRow};
use crate::{
    calibration::Correction,
    collect::{
        Border, Finding, Gap, GapSummary, IpdvSummary, LatencySummary, Ledger, Loss, RxTotals,
        Sample, Verdict, l1_bits, l2_bits,
    },
    session::{FlowFacts, Judged, PortLoad, RunFacts, ToldBy},
    units::FCS_BYTES,
};

/// The row of one flow, and the sentences about it.
///
/// `loads`: see [`RunFacts::port_loads`].
pub(super) fn result(
    facts: &RunFacts,
    loads: &[PortLoad],
    flow: &FlowFacts,
) -> (FlowResult, Vec<String>) {
    let totals = &flow.totals;
    let rx = flow.rx_port.and(totals.rx.as_ref());
    let counters = rx.map(|rx| rx.counters);
    // What only a tag can tell.
    let tagged = counters.filter(|_| flow.told_by == ToldBy::Tag);
    let each = counters.filter(|_| flow.told_by.knows_each());
    let Judged { duration_ns, ledger, finding } = facts.judge(loads, flow);
    let per_second = |amount: u64| duration_ns.map(|ns| amount as f64 * 1e9 / ns as f64);
    let tx_pps = per_second(totals.tx_frames);
    let limited_by = limited_by(facts, loads, flow, &finding);

    let mut reasons = finding.reasons;
    let timed = rx.filter(|_| flow.latency_void.is_none());
    let latency = timed.and_then(|rx| rx.latency.summary());
    if let Some(void) = flow.latency_void.as_ref().filter(|_| rx.is_some()) {
        reasons.push(format!("latency is not reported: {void}"));
    } else if let Some(rx) = rx.filter(|rx| rx.latency.unbucketed() > 0) {
        reasons.push(format!(
            "percentiles are not reported: {} frames found no room in the histograms",
            rx.latency.unbucketed()
        ));
    }

    let by_loss_ns = ledger.loss.and_then(|loss| Some((loss.lost as f64 * 1e9 / tx_pps?) as u64));
    let by_gap = rx
        .filter(|_| flow.told_by == ToldBy::Tag)
        .and_then(|rx| outage_by_gap(flow, rx, duration_ns, by_loss_ns));

    // Only what is lost: a run that broke off may miss frames that were still to come.
    let lost_ns = flow.lost_ns.filter(|_| ledger.loss.is_some_and(|loss| loss.lost > 0));

    let row = FlowResult {
        name: flow.name.clone(),
        tx_port: facts.ports[flow.tx_port].name.clone(),
        rx_port: flow.rx_port.map(|_| {
            let names = flow.receivers().map(|port| facts.ports[port].name.as_str());
            names.collect::<Vec<_>>().join(",")
        }),
        verdict: finding.verdict,
        requested_frames: ledger.requested,
        unsent_frames: ledger.requested - totals.tx_frames.min(ledger.requested),
        tx_frames: totals.tx_frames,
        tx_bytes: with_fcs(totals.tx_frames, totals.tx_bytes),
        rx_frames: counters.map(|counters| counters.frames()),
        rx_bytes: counters.map(|counters| with_fcs(counters.frames(), counters.bytes)),
        rx_unique_frames: each.map(|counters| counters.unique),
        lost_frames: ledger.loss.map(|loss| loss.lost),
        duplicate_frames: each.map(|counters| counters.duplicate),
        reordered_frames: tagged.map(|counters| counters.reordered),
        late_frames: tagged.map(|counters| counters.late),
        corrupt_frames: tagged.map(|counters| counters.corrupt),
        misdirected_frames: counters
            .filter(|_| flow.told_by.knows_strays())
            .map(|counters| counters.misdirected),
        stale_frames: tagged.map(|counters| counters.stale),
        tx_pps,
        rx_pps: counters.and_then(|counters| per_second(counters.frames())),
        tx_bps_l1: per_second(l1_bits(totals.tx_frames, totals.tx_bytes)),
        tx_bps_l2: per_second(l2_bits(totals.tx_frames, totals.tx_bytes)),
        rx_bps_l1: counters.and_then(|rx| per_second(l1_bits(rx.frames(), rx.bytes))),
        rx_bps_l2: counters.and_then(|rx| per_second(l2_bits(rx.frames(), rx.bytes))),
        loss_ratio: ledger.loss.and_then(Loss::ratio),
        pdv_ns: latency.and_then(|latency| Some(latency.p999? - latency.min)),
        latency_ns: latency.map(|latency| {
            let result = LatencyResult::new(&latency, flow.correction);
            // A cable is one wire: with its bias off, the time on one of the two is left.
            let wires_off = flow.store_and_forward && flow.correction.is_none();
            let definition = match () {
                () if flow.is_round_trip() => "round-trip",
                () if wires_off => "store-and-forward",
                () => result.definition,
            };
            // A flow between two clocks is not calibrated.
            let uncertainty = flow.clock_error_ns.or(result.uncertainty);
            let uncertainty = match (uncertainty, flow.nic_error_ns) {
                (Some(other_ns), Some(nic_ns)) => Some(other_ns.saturating_add(nic_ns)),
                (other, nic) => other.or(nic),
            };
            let clock = if flow.nic_error_ns.is_some() { "nic" } else { result.clock };
            LatencyResult { uncertainty, definition, clock, ..result }
        }),
        ipdv_ns: timed.and_then(|rx| rx.ipdv.summary()).map(IpdvResult::from),
        jitter_rfc3550_ns: timed.and_then(|rx| rx.counters.jitter_ns),
        tx_gap_ns: flow.tx_gap.as_ref().and_then(Gap::summary).map(GapResult::from),
        rx_gap_ns: rx
            .filter(|rx| rx.counters.banks == 1)
            .and_then(|rx| rx.gap.summary())
            .map(GapResult::from),
        outage: Outage {
            by_loss_ns,
            by_gap_ns: by_gap.map(|(least, _)| least),
            by_gap_most_ns: by_gap.map(|(_, most)| most),
            first_lost: lost_ns.map(|(first, _)| first),
            last_lost: lost_ns.map(|(_, last)| last),
        },
        ledger: LedgerResult {
            in_order: tagged.and(ledger.in_order),
            ..LedgerResult::new(&ledger, limited_by)
        },
        samples: flow.samples.as_ref().map(|samples| {
            samples.iter().map(|sample| SampleRow::new(sample, facts.base_ns)).collect()
        }),
    };
    (row, reasons)
}

/// Who held the flow back.
fn limited_by(
    facts: &RunFacts,
    loads: &[PortLoad],
    flow: &FlowFacts,
    finding: &Finding,
) -> Option<&'static str> {
    match finding.limit {
        Some(Verdict::Loss | Verdict::DeviceBackpressure) => Some("device"),
        Some(Verdict::ReceiverLimited) => Some("tester-rx"),
        Some(Verdict::TesterLimited) => Some("tester-tx"),
        // At "max" something always is the limit: the line if it was full.
        None if finding.verdict == Verdict::Ok
            && flow.intended_pps.is_none()
            && flow.requested.is_none() =>
        {
            let load_bps = loads[flow.tx_port].bps_l1();
            let link_bps = facts.ports[flow.tx_port].link_bps;
            let full = link_bps.is_some_and(|link_bps| load_bps >= 0.999 * link_bps as f64);
            Some(if full { "line" } else { "tester-tx" })
        }
        _ => None,
    }
}

/// The longest silence at the receiver that the sender did not make: at least and at most.
///
/// A silence is a gap between arrivals, or the time from when the first or until the
/// last frame was due. What the sender itself paused at most is taken off, so this is
/// a lower bound: a stall of the tester is no outage of the device. It may have stalled at
/// another time, though: then the silence is explained by what was lost and held back.
fn outage_by_gap(
    flow: &FlowFacts,
    rx: &RxTotals,
    duration_ns: Option<u64>,
    by_loss_ns: Option<u64>,
) -> Option<(u64, u64)> {
    let (first_tx, last_tx, duration_ns) = (flow.first_tx_ns?, flow.last_tx_ns?, duration_ns?);
    let counters = &rx.counters;
    let Some((first_rx, last_rx)) = counters.first_rx_ns.zip(counters.last_rx_ns) else {
        return Some((duration_ns, duration_ns));
    };
    if counters.banks > 1 {
        return None;
    }
    let flight = counters.latency_min_ns.unwrap_or(0).max(0) as u64;
    let silence = counters
        .gap_max_ns
        .max(first_rx.saturating_sub(first_tx + flight))
        .max((last_tx + flight).saturating_sub(last_rx));
    let frames = flow.totals.tx_frames.max(1);
    let nominal = (u128::from(duration_ns) * u128::from(flow.streams) / u128::from(frames)) as u64;
    let sender = flow.tx_gap.as_ref().map_or(0, Gap::max_ns).max(nominal);
    let least = silence.saturating_sub(sender);
    let held_ns = counters.latency_max_ns.zip(counters.latency_min_ns);
    let explained = held_ns.zip(by_loss_ns).map(|((max, min), lost)| max.abs_diff(min) + lost);
    let most = silence.saturating_sub(nominal);
    Some((least, explained.map_or(most, |ns| ns.min(most)).max(least)))
}

fn with_fcs(frames: u64, bytes: u64) -> u64 {
    bytes + frames * u64::from(FCS_BYTES)
}

impl LedgerResult {
    fn new(ledger: &Ledger, limited_by: Option<&'static str>) -> Self {
        Self {
            requested: ledger.requested,
            submitted: ledger.submitted,
            completed: ledger.completed,
            tx_port: ledger.tx_port,
            rx_port: ledger.rx_port,
            rx_dropped: ledger.rx_dropped,
            seen: ledger.seen,
            matched: ledger.matched,
            in_order: ledger.in_order,
            missing_at: ledger.missing_at().map(Border::name),
            limited_by,
        }
    }
}

impl LatencyResult {
    /// The summary with the tester's own part, as far as it is known, taken off.
    fn new(summary: &LatencySummary, correction: Option<Correction>) -> Self {
        let bias_ns = correction.map_or(0, |correction| correction.bias_ns);
        let less = |value: Option<i64>| value.map(|value| value - bias_ns);
        Self {
            min: summary.min - bias_ns,
            mean: summary.mean - bias_ns as f64,
            stddev: summary.stddev,
            p50: less(summary.p50),
            p90: less(summary.p90),
            p99: less(summary.p99),
            p999: less(summary.p999),
            p9999: less(summary.p9999),
            max: summary.max - bias_ns,
            count: summary.count,
            negative_count: summary.negative_count,
            uncertainty: correction.map(|correction| correction.uncertainty_ns),
            definition: "host",
            clock: "monotonic",
        }
    }
}

impl From<IpdvSummary> for IpdvResult {
    fn from(IpdvSummary { min, median, max }: IpdvSummary) -> Self {
        Self { min, median, max }
    }
}

impl From<GapSummary> for GapResult {
    fn from(GapSummary { min, p50, p99, p999, max, mean }: GapSummary) -> Self {
        Self { min, p50, p99, p999, max, mean }
    }
}

impl SampleRow {
    /// A sample as a row; `base_ns` is when the trial began.
    pub fn new(sample: &Sample, base_ns: u64) -> Self {
        Self {
            t: sample.time_ns.saturating_sub(base_ns),
            tx_frames: sample.tx_frames,
            rx_frames: sample.rx_frames,
            tx_pps: sample.tx_pps(),
            rx_pps: sample.rx_pps(),
            tx_bps_l2: sample.tx_bps_l2(),
            rx_bps_l2: sample.rx_bps_l2(),
            loss_ratio: sample.loss().and_then(Loss::ratio),
            p50_ns: sample.latency.map(|latency| latency.p50),
            p99_ns: sample.latency.map(|latency| latency.p99),
            p999_ns: sample.latency.map(|latency| latency.p999),
            max_ns: sample.latency.map(|latency| latency.max),
        }
    }
}
