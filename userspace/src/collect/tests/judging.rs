//! The ledger and the verdict.

use super::super::*;
use crate::nic::DropCounter;
use crate::rx::Counters;

/// 1,000,000 frames sent in a second, of which `rx` came.
fn sent(rx: Counters) -> FlowCounts {
    let submitted = 1_000_000;
    FlowCounts { requested: submitted, submitted, completed: Some(submitted), rx: Some(rx) }
}

fn received(unique: u64) -> Counters {
    Counters { unique, ..Counters::default() }
}

fn west() -> Departure {
    let frames = 1_000_000;
    Departure {
        flows: 1,
        handed: frames,
        frames: Some(frames),
        dropped: Some(0),
        into: FarEnd::Wire,
    }
}

fn east(frames: u64) -> Arrival {
    Arrival {
        flows: 1,
        frames: Some(frames),
        dropped: Some(0),
        fill_ring_empty: 0,
        seen: Some(frames),
        matched: frames,
    }
}

fn evidence(ledger: &Ledger) -> Evidence<'_> {
    Evidence {
        random: false,
        ledger,
        intended_pps: Some(1e6),
        duration_ns: Some(1_000_000_000),
        stale: 0,
        pause_frames: 0,
        invalid_descriptors: 0,
        rx_drops: &[],
        faults: &[],
    }
}

fn verdict(ledger: &Ledger) -> Verdict {
    judge(&evidence(ledger)).verdict
}

#[test]
fn nothing_missing_is_ok_and_gives_no_reason() {
    let ledger = Ledger::trace(&sent(received(1_000_000)), &west(), Some(&east(1_000_000)));
    assert_eq!(
        judge(&evidence(&ledger)),
        Finding { verdict: Verdict::Ok, limit: None, reasons: vec![] }
    );
    assert_eq!((ledger.missing_at(), ledger.in_order), (None, Some(1_000_000)));
}

#[test]
fn a_duplicate_never_hides_a_loss() {
    let rx = Counters { duplicate: 1, reordered: 2, ..received(999_999) };
    let ledger = Ledger::trace(&sent(rx), &west(), Some(&east(1_000_000)));
    assert_eq!(ledger.loss, Some(Loss { sent: 1_000_000, lost: 1 }));
    assert_eq!((ledger.matched, ledger.in_order), (Some(1_000_000), Some(999_997)));
    let finding = judge(&evidence(&ledger));
    assert_eq!(finding.verdict, Verdict::Loss);
    assert_eq!(
        finding.reasons,
        ["1 of 1000000 frames lost (<0.001 %): 1 on the wire or in the device"]
    );
}

#[test]
fn every_missing_frame_has_a_place() {
    let rx = Counters { corrupt: 10, misdirected: 20, late: 30, ..received(999_000) };
    let flow = FlowCounts { completed: Some(999_995), ..sent(rx) };
    let departure = Departure { frames: Some(999_988), handed: 999_995, ..west() };
    let arrival = Arrival { dropped: Some(100), ..east(999_060) };
    let ledger = Ledger::trace(&flow, &departure, Some(&arrival));
    let expected = [
        (Border::TxRing, 5),
        (Border::TxPort, 7),
        (Border::Device, 828),
        (Border::RxBeforeXdp, 100),
        (Border::Misdirected, 20),
        (Border::Corrupt, 10),
        (Border::Late, 30),
    ];
    assert_eq!(ledger.missing, expected);
    assert_eq!(ledger.missing_at().map(Border::name), Some("tx ring"));
    let placed: u64 = ledger.missing.iter().map(|&(_, frames)| frames).sum();
    assert_eq!(Some(placed), ledger.loss.map(|loss| loss.lost));
}

#[test]
fn each_border_is_named_when_it_is_the_only_one() {
    let only = |rx, completed, departure, arrival: Arrival| {
        let flow = FlowCounts { completed: Some(completed), ..sent(rx) };
        Ledger::trace(&flow, &departure, Some(&arrival)).missing
    };
    let all = 1_000_000;
    let short = received(all - 3);
    assert_eq!(only(short, all, west(), east(all - 3)), [(Border::Device, 3)]);
    assert_eq!(only(short, all - 3, west(), east(all)), [(Border::TxRing, 3)]);
    let dropped = Departure { dropped: Some(3), ..west() };
    assert_eq!(only(short, all, dropped, east(all)), [(Border::TxPort, 3)]);
    let dropped = Arrival { dropped: Some(9), ..east(all) };
    assert_eq!(only(short, all, west(), dropped), [(Border::RxBeforeXdp, 3)]);
    for (rx, border) in [
        (Counters { corrupt: 3, ..short }, Border::Corrupt),
        (Counters { late: 3, ..short }, Border::Late),
        (Counters { misdirected: 3, ..short }, Border::Misdirected),
    ] {
        assert_eq!(only(rx, all, west(), east(all)), [(border, 3)]);
    }
}

#[test]
fn drops_of_a_port_are_no_finding_while_the_flow_lost_nothing() {
    let arrival = Arrival { dropped: Some(40), ..east(1_000_000) };
    let ledger = Ledger::trace(&sent(received(1_000_000)), &west(), Some(&arrival));
    assert_eq!(verdict(&ledger), Verdict::Ok, "the drops were foreign frames");
    assert_eq!(ledger.rx_dropped, Some(40));
}

#[test]
fn a_full_ring_behind_a_veth_is_the_receivers_or_the_devices() {
    let dropped = |into| Departure { frames: Some(999_995), dropped: Some(5), into, ..west() };
    let at = |into| {
        let ledger = Ledger::trace(&sent(received(999_995)), &dropped(into), Some(&east(999_995)));
        let finding = judge(&evidence(&ledger));
        (ledger.missing.clone(), finding.verdict, finding.reasons[0].clone())
    };
    let (missing, verdict, reason) = at(FarEnd::Receiver);
    assert_eq!((missing, verdict), (vec![(Border::PeerRing, 5)], Verdict::ReceiverLimited));
    assert_eq!(reason, "5 frames did not fit into the receiving port's ring");
    let (missing, verdict, reason) = at(FarEnd::Device);
    assert_eq!((missing, verdict), (vec![(Border::DeviceRing, 5)], Verdict::Loss));
    assert!(reason.ends_with("5 at the device's full receive ring"), "{reason}");
    let (missing, verdict, _) = at(FarEnd::Wire);
    assert_eq!((missing, verdict), (vec![(Border::TxPort, 5)], Verdict::TesterLimited));
}

#[test]
fn what_a_nic_drops_for_want_of_buffers_is_missing_at_the_fill_ring() {
    let arrival = Arrival { dropped: Some(7), fill_ring_empty: 300, ..east(999_993) };
    let ledger = Ledger::trace(&sent(received(999_993)), &west(), Some(&arrival));
    assert_eq!(ledger.missing, [(Border::FillRing, 7)]);
    let drops = [DropCounter { name: "rx_missed_errors".to_owned(), frames: 7 }];
    let finding = judge(&Evidence { rx_drops: &drops, ..evidence(&ledger) });
    assert_eq!(finding.verdict, Verdict::ReceiverLimited);
    assert_eq!(
        finding.reasons[0],
        "7 frames found no buffer, for the fill ring was empty (rx_missed_errors 7)"
    );
    let arrival = Arrival { fill_ring_empty: 300, ..east(999_993) };
    let ledger = Ledger::trace(&sent(received(999_993)), &west(), Some(&arrival));
    assert_eq!(ledger.missing, [(Border::Device, 7)], "the NIC dropped none");
}

#[test]
fn what_the_port_counts_and_the_analyser_does_not_see_came_past_it() {
    let arrival = Arrival { seen: Some(999_990), ..east(1_000_000) };
    let ledger = Ledger::trace(&sent(received(999_990)), &west(), Some(&arrival));
    assert_eq!(ledger.missing, [(Border::RxUnseen, 10)]);
    assert_eq!(verdict(&ledger), Verdict::ReceiverLimited);
    // Some drivers leave out of their count what XDP consumed (mlx5).
    let arrival = Arrival { frames: Some(0), ..east(999_990) };
    let ledger = Ledger::trace(&sent(received(999_990)), &west(), Some(&arrival));
    assert_eq!(ledger.missing, [(Border::Device, 10)]);
}

#[test]
fn descriptors_that_the_kernel_refused_are_told_with_the_frames_that_stayed() {
    let flow = FlowCounts { completed: Some(999_998), ..sent(received(999_998)) };
    let departure = Departure { handed: 999_998, ..west() };
    let ledger = Ledger::trace(&flow, &departure, Some(&east(999_998)));
    let finding = judge(&Evidence { invalid_descriptors: 2, ..evidence(&ledger) });
    assert_eq!(ledger.missing_at(), Some(Border::TxRing));
    assert_eq!(
        finding.reasons[0],
        "2 frames handed to the kernel did not leave the port; the kernel refused 2 descriptors"
    );
}

#[test]
fn counters_of_a_shared_port_are_a_flows_where_they_leave_no_doubt() {
    let departure = Departure { flows: 2, handed: 2_000_000, frames: Some(2_000_003), ..west() };
    let arrival = Arrival { flows: 2, ..east(1_999_999) };
    let trace = |departure: &Departure, arrival: &Arrival| {
        let ledger = Ledger::trace(&sent(received(999_999)), departure, Some(arrival));
        [ledger.tx_port, ledger.rx_port, ledger.rx_dropped, ledger.seen]
    };
    let all = [Some(1_000_000), Some(999_999), Some(0), Some(999_999)];
    assert_eq!(trace(&departure, &arrival), all, "three foreign frames left too");
    let short = Departure { dropped: Some(1), ..departure };
    assert_eq!(trace(&short, &arrival)[0], None, "of which flow was it?");
    let foreign = Arrival { matched: 1_999_000, ..arrival };
    assert_eq!(trace(&departure, &foreign)[1..], [None, Some(0), None]);
    let dropped = Arrival { dropped: Some(1), ..arrival };
    assert_eq!(trace(&departure, &dropped)[1..], [None, None, Some(999_999)]);
}

#[test]
fn what_is_not_measured_is_unknown_and_not_lost() {
    let flow = FlowCounts { rx: None, completed: None, ..sent(Counters::default()) };
    let ledger = Ledger::trace(&flow, &Departure { frames: None, ..west() }, None);
    assert_eq!((ledger.loss, ledger.matched, ledger.in_order), (None, None, None));
    assert_eq!((ledger.missing_at(), verdict(&ledger)), (None, Verdict::Ok));
}

#[test]
fn unsent_over_a_hundred_thousandth_is_the_testers_limit() {
    let unsent = |unsent| {
        let mut flow = sent(received(1_000_000));
        flow.requested += unsent;
        Ledger::trace(&flow, &west(), Some(&east(1_000_000)))
    };
    assert_eq!(verdict(&unsent(10)), Verdict::Ok);
    let ledger = unsent(11);
    assert_eq!(ledger.missing_at(), Some(Border::Unsent));
    let finding = judge(&evidence(&ledger));
    assert_eq!(finding.verdict, Verdict::TesterLimited);
    assert_eq!(finding.reasons, ["11 of 1000011 frames could not be sent in time"]);
}

#[test]
fn a_rate_off_by_more_than_a_thousandth_is_the_testers_limit_but_never_at_max() {
    let ledger = Ledger::trace(&sent(received(1_000_000)), &west(), Some(&east(1_000_000)));
    let duration_ns = Some(100_000_000_000);
    let at = |intended_pps| judge(&Evidence { intended_pps, duration_ns, ..evidence(&ledger) });
    assert_eq!(at(Some(10_009.0)).verdict, Verdict::Ok);
    assert_eq!(at(Some(9_991.0)).verdict, Verdict::Ok);
    assert_eq!(at(Some(9_980.0)).verdict, Verdict::TesterLimited);
    let slow = at(Some(10_020.0));
    assert_eq!(slow.verdict, Verdict::TesterLimited);
    assert_eq!(slow.reasons, ["sent 10000 frames a second where 10020 were asked (-0.20 %)"]);
    assert_eq!(at(None).verdict, Verdict::Ok);
}

#[test]
fn a_first_frame_that_is_late_by_some_ms_is_no_wrong_rate_of_a_short_run() {
    let ledger = Ledger::trace(&sent(received(1_000_000)), &west(), Some(&east(1_000_000)));
    let in_ns = |duration_ns| {
        let duration_ns = Some(duration_ns);
        judge(&Evidence { intended_pps: Some(1e6), duration_ns, ..evidence(&ledger) }).verdict
    };
    assert_eq!(in_ns(991_000_000), Verdict::Ok);
    assert_eq!(in_ns(1_009_000_000), Verdict::Ok);
    assert_eq!(in_ns(1_011_000_000), Verdict::TesterLimited, "it took longer than that");
}

#[test]
fn a_single_frame_more_or_less_is_no_wrong_rate() {
    let flow = FlowCounts { requested: 3, submitted: 3, completed: None, rx: Some(received(3)) };
    let ledger = Ledger::trace(&flow, &Departure::default(), None);
    let evidence = Evidence { intended_pps: Some(3.9), ..evidence(&ledger) };
    assert_eq!(judge(&evidence).verdict, Verdict::Ok);
}

#[test]
fn frames_that_never_left_the_tester_are_not_the_devices_loss() {
    let departure = Departure { dropped: Some(5), ..west() };
    let ledger = Ledger::trace(&sent(received(999_995)), &departure, Some(&east(999_995)));
    let finding = judge(&Evidence { intended_pps: None, ..evidence(&ledger) });
    assert_eq!(finding.verdict, Verdict::TesterLimited);
    assert_eq!(finding.reasons[0], "5 frames handed to the kernel did not leave the port");
}

#[test]
fn a_drop_between_nic_and_analyser_is_the_receivers_limit() {
    let arrival = Arrival { dropped: Some(1), ..east(999_998) };
    let ledger = Ledger::trace(&sent(received(999_997)), &west(), Some(&arrival));
    let finding = judge(&evidence(&ledger));
    assert_eq!(finding.verdict, Verdict::ReceiverLimited);
    assert_eq!(
        finding.reasons,
        [
            "1 frame dropped between the NIC and the analyser",
            "3 of 1000000 frames lost (<0.001 %): 2 on the wire or in the device, \
             1 between the NIC and the analyser"
        ]
    );
}

#[test]
fn a_device_that_pauses_the_tester_is_to_blame_for_what_was_not_sent() {
    let mut flow = sent(received(1_000_000));
    flow.requested *= 2;
    let ledger = Ledger::trace(&flow, &west(), Some(&east(1_000_000)));
    let evidence = Evidence { pause_frames: 7, ..evidence(&ledger) };
    assert_eq!(judge(&evidence).verdict, Verdict::DeviceBackpressure);
}

#[test]
fn stale_frames_and_faults_void_the_measurement_whatever_else_there_is() {
    let mut flow = sent(received(900_000));
    flow.requested *= 2;
    let ledger = Ledger::trace(&flow, &west(), Some(&east(900_000)));
    let stale = judge(&Evidence { stale: 1, ..evidence(&ledger) });
    assert_eq!(stale.verdict, Verdict::Invalid);
    assert_eq!(stale.reasons[0], "1 frame of an earlier trial arrived");
    assert_eq!(stale.limit, Some(Verdict::TesterLimited), "and what else held it back");
    let faults = ["the link of west went down".to_owned()];
    let fault = judge(&Evidence { faults: &faults, ..evidence(&ledger) });
    assert_eq!((fault.verdict, &*fault.reasons[0]), (Verdict::Invalid, &*faults[0]));
    assert_eq!(fault.reasons.len(), 3, "what else was found is told too");
}
