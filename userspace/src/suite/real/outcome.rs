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
    let mut nic_error_ns = None;
    for flow in flows.filter(|flow| flow.totals.tx_frames > 0) {
        if flow.latency_void.is_some() {
            return None;
        }
        let rx = flow.totals.rx.as_ref()?;
        nic_error_ns = nic_error_ns.max(flow.nic_error_ns);
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
        uncertainty_ns: match correction.map(|correction| correction.uncertainty_ns) {
            Some(spread_ns) => Some(spread_ns + nic_error_ns.unwrap_or(0)),
            None => nic_error_ns,
        },
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

#[cfg(test)]
mod tests {
    use super::{super::lanes::Member, *};
    use crate::{
        collect::{Collector, FlowId, FlowReading},
        nic::DropCounter,
        rx::{Counters, Observed},
        session::{PortFacts, ToldBy},
        spec::Expect,
        tx::TxMode,
        units::Ratio,
    };
    use std::time::Duration;

    const SECOND: u64 = 1_000_000_000;
    const BASE: u64 = 100 * SECOND;

    fn port(name: &str, sent: u64, received: u64) -> PortFacts {
        PortFacts {
            name: name.to_owned(),
            interface: name.to_owned(),
            driver: "igb".to_owned(),
            tx_mode: Some(TxMode::Copy),
            rx_mode: xdp_ebpf::XdpMode::Native,
            queues: 1,
            link_bps: Some(SECOND),
            calibrations: Vec::new(),
            settings_changed: Vec::new(),
            tx_frames: Some(sent),
            tx_dropped: Some(0),
            rx_frames: Some(received),
            rx_dropped: Some(0),
            seen: Some(received),
            rx_drops: Vec::new(),
            pause_frames: Some(0),
            xsk: None,
            clock: None,
            nic_times: None,
            peer: None,
        }
    }

    /// A flow that sends a thousand frames in a second, of which `unique` arrive.
    fn flow(sent: u64, counters: Counters) -> FlowFacts {
        let mut collector = Collector::new(1, 10, Duration::from_secs(1));
        collector.begin_trial(BASE);
        collector.record(
            FlowId(0),
            &FlowReading {
                time_ns: BASE + SECOND,
                tx_frames: sent,
                tx_bytes: 60 * sent,
                tx_intervals: vec![(0, sent)],
                rx: Some(Observed { counters, ..Observed::default() }),
            },
        );
        FlowFacts {
            name: "west to east".to_owned(),
            tx_port: 0,
            rx_port: Some(1),
            more_rx_ports: Vec::new(),
            streams: 1,
            told_by: ToldBy::Tag,
            requested: Some(1000),
            intended_pps: Some(1000.0),
            random: false,
            completed: Some(sent),
            first_tx_ns: Some(BASE),
            last_tx_ns: Some(BASE + SECOND - 1_000_000),
            tx_gap: None,
            totals: collector.take_totals(FlowId(0)).unwrap(),
            samples: None,
            correction: None,
            lost_ns: Some((5, 7)),
            store_and_forward: false,
            latency_void: None,
            clock_error_ns: None,
            nic_error_ns: None,
            faults: Vec::new(),
            expect: Expect::default(),
        }
    }

    fn received(unique: u64) -> Counters {
        Counters { unique, bytes: 60 * unique, banks: 1, gap_max_ns: 77, ..Counters::default() }
    }

    fn facts(flows: Vec<FlowFacts>) -> RunFacts {
        let sum = |count: &dyn Fn(&FlowFacts) -> u64| flows.iter().map(count).sum::<u64>();
        let sent = sum(&|flow| flow.totals.tx_frames);
        let came = sum(&|flow| {
            let rx = flow.totals.rx.as_ref().unwrap().counters;
            rx.frames() + rx.corrupt + rx.late
        });
        RunFacts {
            started: jiff::Timestamp::UNIX_EPOCH,
            base_ns: BASE,
            ports: vec![port("west", sent, 0), port("east", 0, came)],
            flows,
            faults: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// A direction with a member for each flow, the last of them uncounted if so.
    fn lane(flows: usize, last_counts: bool) -> Vec<Lane> {
        let member = |flow| Member {
            weight: Ratio::ONE,
            each_second: false,
            counted: last_counts || flow + 1 < flows,
            sizes: None,
            flows: vec![flow],
        };
        vec![Lane { tx: 0, rx: 1, members: (0..flows).map(member).collect() }]
    }

    fn cause(facts: &RunFacts) -> Option<(InvalidCause, String)> {
        result(facts, &lane(facts.flows.len(), true), &Seconds::default()).invalid
    }

    #[test]
    fn the_flows_of_a_direction_are_summed_up_and_a_loss_is_valid() {
        let lossy = Counters { duplicate: 3, reordered: 2, corrupt: 4, ..received(990) };
        let facts = facts(vec![flow(1000, received(1000)), flow(1000, lossy)]);
        let result = result(&facts, &lane(2, true), &Seconds::default());
        assert_eq!(result.invalid, None);
        assert_eq!(result.duration_ns, SECOND);
        let expected = DirectionResult {
            tx_frames: 2000,
            rx_frames: 1993,
            rx_unique_frames: 1990,
            lost_frames: 10,
            duplicate_frames: 3,
            reordered_frames: 2,
            corrupt_frames: 4,
            last_lost_ns: Some(7),
            rx_gap_max_ns: Some(77),
            ..DirectionResult::default()
        };
        assert_eq!(result.directions, [expected]);
    }

    #[test]
    fn what_is_no_test_frame_does_not_count_and_yet_is_judged() {
        let mut facts = facts(vec![flow(1000, received(1000)), flow(900, received(0))]);
        let result = result(&facts, &lane(2, false), &Seconds::default());
        let way = &result.directions[0];
        assert_eq!((way.tx_frames, way.lost_frames, way.unsent_frames), (1000, 0, 0));
        assert_eq!(result.invalid.unwrap().0, InvalidCause::TesterTx, "100 could not be sent");
        facts.flows.truncate(1);
        assert_eq!(cause(&facts), None);
    }

    #[test]
    fn each_fault_is_laid_at_the_right_door() {
        let clean = || facts(vec![flow(1000, received(990))]);
        assert_eq!(cause(&clean()), None, "a loss of the device's is a result");
        let found = |change: &dyn Fn(&mut RunFacts)| {
            let mut facts = clean();
            change(&mut facts);
            let (cause, why) = cause(&facts).expect("an invalid trial");
            assert!(why.starts_with("west to east: ") && !why.contains('\n'), "{why}");
            cause
        };
        assert_eq!(found(&|facts| facts.flows[0].requested = Some(1100)), InvalidCause::TesterTx);
        let rx_drop = |facts: &mut RunFacts| {
            facts.ports[1].rx_dropped = Some(3);
            let name = "rx_missed_errors".into();
            facts.ports[1].rx_drops = vec![DropCounter { name, frames: 3 }];
        };
        assert_eq!(found(&rx_drop), InvalidCause::TesterRx);
        let paused = |facts: &mut RunFacts| facts.ports[0].pause_frames = Some(1);
        assert_eq!(found(&paused), InvalidCause::Backpressure);
        let stale = |facts: &mut RunFacts| {
            facts.flows[0].totals.rx.as_mut().unwrap().counters.stale = 1;
        };
        assert_eq!(found(&stale), InvalidCause::Stale);
        let fault = |facts: &mut RunFacts| facts.faults.push("link lost".into());
        assert_eq!(found(&fault), InvalidCause::Fault);
        let drops = |facts: &mut RunFacts| rx_drop(facts);
        let mut facts = clean();
        drops(&mut facts);
        let result = result(&facts, &lane(1, true), &Seconds::default());
        assert_eq!(result.directions[0].tester_drops, 3, "of ten lost");
    }
}
