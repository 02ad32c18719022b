//! How long a device was silent, and what is expected of it.

use super::{super::*, BASE, SECOND, below, collected, expecting, flow, run};
use crate::{
    collect::{FlowId, Totals},
    session::FlowFacts,
    spec::Expect,
};

#[test]
fn an_outage_is_what_the_sender_did_not_make_itself() {
    let by_gap = |unique, edit: &dyn Fn(&mut FlowFacts, &mut Totals)| {
        let collector = collected(1000, unique);
        let mut totals = collector.totals(FlowId(0)).unwrap().clone();
        let mut copy = totals.clone();
        let mut facts = flow("a", &totals);
        edit(&mut facts, &mut copy);
        let (first, last, gap) = (facts.first_tx_ns, facts.last_tx_ns, facts.tx_gap.take());
        totals = copy;
        let facts =
            FlowFacts { first_tx_ns: first, last_tx_ns: last, tx_gap: gap, ..flow("a", &totals) };
        RunResult::new(&run(vec![facts])).flows.remove(0).outage.by_gap_ns
    };
    // One frame every 10 ms; silences of up to 10 ms are the flow's own.
    let silence = |ns: u64| {
        move |_: &mut FlowFacts, totals: &mut Totals| {
            totals.rx.as_mut().unwrap().counters.gap_max_ns = ns;
        }
    };
    assert_eq!(by_gap(1000, &silence(9_000_000)), Some(0));
    assert_eq!(by_gap(1000, &silence(80_000_000)), Some(70_000_000));
    let stalled = |facts: &mut FlowFacts, totals: &mut Totals| {
        silence(80_000_000)(facts, totals);
        facts.tx_gap.get_or_insert_default().record(&[(100, 1)], 75_000_000);
    };
    assert_eq!(by_gap(1000, &stalled), Some(5_000_000), "the tester paused for 75 ms itself");
    let dead = |_: &mut FlowFacts, totals: &mut Totals| {
        totals.rx.as_mut().unwrap().counters.last_rx_ns = Some(BASE + 4 * SECOND);
    };
    let tail = by_gap(500, &dead).unwrap();
    assert_eq!(tail, 6 * SECOND - 20_000_000 + 12_345, "from the last frame to the end");
    assert_eq!(by_gap(0, &|_, _| ()), Some(10 * SECOND), "nothing came at all");
    let sprayed = |_: &mut FlowFacts, totals: &mut Totals| {
        totals.rx.as_mut().unwrap().counters.banks = 2;
    };
    assert_eq!(by_gap(1000, &sprayed), None, "gaps of a queue are not those of the stream");
}

#[test]
fn a_pause_of_the_tester_does_not_pass_for_an_outage_of_the_device() {
    // One frame every 10 ms; 5 lost ones explain a silence of 50 ms, delays one of 1.5 ms.
    let outage = |limit_ms: u64, pause_ms: u64| {
        let expect = Expect { outage: Some(below(limit_ms * 1_000_000)), ..Expect::default() };
        expecting(5, expect, |flow| {
            flow.totals.rx.as_mut().unwrap().counters.gap_max_ns = 60_000_000;
            flow.tx_gap.get_or_insert_default().record(&[(100, 1)], pause_ms * 1_000_000);
        })
    };
    assert_eq!(exit_code(&outage(51, 0)), 0, "50 ms: less than 51");
    assert_eq!(exit_code(&outage(50, 0)), 1, "50 ms: not less than 50");
    let unsure = outage(40, 30);
    assert_eq!(exit_code(&unsure), 2, "from 30 to 50 ms: less than 40, perhaps");
    let text =
        "a: outage is from 30.0ms to 50.0ms, for the tester paused itself, expected < 40.0ms";
    assert_eq!(unsure.reasons.last().unwrap(), text);
    assert_eq!(exit_code(&outage(30, 30)), 1, "at least 30 ms");
    assert_eq!(exit_code(&outage(51, 30)), 0, "at most 50 ms");
    assert_eq!(exit_code(&outage(52, 55)), 0, "however long it paused: what was lost is 50 ms");
}
