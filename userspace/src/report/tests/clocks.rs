//! Which clock timed the frames, and how well it was known.

use super::{super::*, collected, flow, run};
use crate::{
    calibration::Correction,
    collect::{FlowId, Verdict},
    session::{FlowFacts, NicTimes},
};

#[test]
fn stamps_of_the_nic_are_named_and_its_clock_is_part_of_the_uncertainty() {
    let collector = collected(1000, 1000);
    let timed = |nic_error_ns, correction| {
        let flow = flow("a", collector.totals(FlowId(0)).unwrap());
        let mut facts = run(vec![FlowFacts { correction, nic_error_ns, ..flow }]);
        let stamped = if nic_error_ns.is_some() { 1000 } else { 0 };
        facts.ports[1].nic_times = Some(NicTimes { stamped, unstamped: 1000 - stamped });
        let result = RunResult::new(&facts);
        let latency = result.flows[0].latency_ns.as_ref().unwrap();
        let clocks = [result.ports[0].clock, result.ports[1].clock, latency.clock];
        (clocks, latency.uncertainty)
    };
    assert_eq!(timed(None, None), (["monotonic"; 3], None));
    assert_eq!(timed(Some(40), None), (["monotonic", "nic", "nic"], Some(40)));
    let calibrated = Correction { bias_ns: 100, uncertainty_ns: 7 };
    assert_eq!(timed(Some(40), Some(calibrated)).1, Some(47));
}

#[test]
fn void_latency_is_null_with_the_reason() {
    let collector = collected(1000, 1000);
    let mut flow = flow("a", collector.totals(FlowId(0)).unwrap());
    flow.latency_void = Some("the tester's own queue would be timed at rate max".to_owned());
    let result = RunResult::new(&run(vec![flow]));
    assert_eq!((&result.flows[0].latency_ns, result.flows[0].pdv_ns), (&None, None));
    assert_eq!(
        result.reasons,
        ["a: latency is not reported: the tester's own queue would be timed at rate max"]
    );
    assert_eq!(result.verdict, Verdict::Ok);
}
