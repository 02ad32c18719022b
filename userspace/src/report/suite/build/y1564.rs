//! `linerate.y1564/1`.

use super::{
    SuiteFacts,
    compliance::{Deviation, must, should},
    head::Found,
    mlrsearch::frame_result,
    trials::{duration_ns, rows},
};
use crate::{
    report::suite::{
        model::{ServiceDirection, ServiceResult, ServiceRow, StepRow, StepVerdict, SuiteVerdict},
        number,
    },
    spec::{Topology, Y1564Spec},
    suite::y1564::{Measured, Outcome, ServiceOutcome, Step, StepOutcome, Verdict},
    units::{Ratio, format_duration},
};
use std::time::Duration;

/// The result of a service activation test.
pub fn y1564_result(facts: &SuiteFacts<'_>, spec: &Y1564Spec, outcome: &Outcome) -> ServiceResult {
    let stopped = outcome.stopped.as_ref().map(ToString::to_string);
    let services = outcome.services.iter().flat_map(|service| {
        let steps = service.configuration.iter().chain(&service.performance);
        let name = &service.service.name;
        let said = move |step: &StepOutcome| {
            let title = title(step.step);
            let said = step.reasons.iter().map(move |why| format!("{name}, {title}: {why}"));
            said.collect::<Vec<_>>()
        };
        steps.flat_map(said)
    });
    let reasons = stopped.into_iter().chain(outcome.performance_left_out.clone()).chain(services);
    facts.result(Found {
        schema: "linerate.y1564/1",
        definition: Some(crate::spec::LatencyDefinition::default()),
        deviations: deviations(spec),
        verdict: match outcome.verdict() {
            Verdict::Pass => SuiteVerdict::Pass,
            Verdict::Fail => SuiteVerdict::Fail,
            Verdict::Invalid | Verdict::NotApplicable => SuiteVerdict::Invalid,
        },
        reasons: reasons.collect(),
        rows: outcome.services.iter().map(row).collect(),
        trials: rows(&outcome.trials),
        duration_ns: duration_ns(&outcome.trials),
    })
}

fn deviations(spec: &Y1564Spec) -> Vec<Deviation> {
    let simulated = matches!(spec.suite.topology, Topology::Simulated { .. });
    let short = spec.performance < Duration::from_mins(15);
    let performance = format!(
        "a performance test of {} rather than 15 minutes, 2 hours or 24 hours (8.2)",
        format_duration(spec.performance)
    );
    let model = || must("the device is simulated: these are results of a model");
    let bursts = should("burst sizes (CBS, EBS) are not searched for (8.1.2 D, optional)");
    let all = [simulated.then(model), short.then(|| should(performance)), Some(bursts)];
    all.into_iter().flatten().collect()
}

fn row(found: &ServiceOutcome) -> ServiceRow {
    let promised = &found.service;
    ServiceRow {
        name: promised.name.clone(),
        frame: frame_result(&promised.frame),
        cir_bps: promised.cir_bps,
        eir_bps: promised.eir_bps,
        max_flr: promised.flr.to_f64(),
        max_ftd_ns: promised.ftd_ns,
        max_fdv_ns: promised.fdv_ns,
        min_availability: promised.availability.map(Ratio::to_f64),
        verdict: verdict(found.verdict()),
        configuration: found.configuration.iter().map(step).collect(),
        performance: found.performance.as_ref().map(step),
    }
}

fn verdict(verdict: Verdict) -> StepVerdict {
    match verdict {
        Verdict::NotApplicable => StepVerdict::NotApplicable,
        Verdict::Pass => StepVerdict::Pass,
        Verdict::Invalid => StepVerdict::Invalid,
        Verdict::Fail => StepVerdict::Fail,
    }
}

fn title(step: Step) -> String {
    match step {
        Step::Cir(share) => format!("{}% CIR", number::percent(share.to_f64())),
        Step::Eir => "CIR + EIR".to_owned(),
        Step::Policing => "policing".to_owned(),
        Step::Performance => "performance".to_owned(),
    }
}

fn step(found: &StepOutcome) -> StepRow {
    StepRow {
        step: title(found.step),
        offered_bps: found.offered_bps.to_f64(),
        trial: found.trial,
        verdict: verdict(found.verdict),
        reasons: found.reasons.clone(),
        per_direction: found.per_direction.iter().map(direction).collect(),
    }
}

fn direction(found: &Measured) -> ServiceDirection {
    let availability = found.availability;
    ServiceDirection {
        tx: found.tx.clone(),
        rx: found.rx.clone(),
        tx_frames: found.tx_frames,
        rx_unique_frames: found.rx_unique_frames,
        lost_frames: found.lost_frames,
        ir_mean_bps: found.ir.mean_bps.to_f64(),
        ir_min_bps: found.ir.min_bps.map(Ratio::to_f64),
        ir_max_bps: found.ir.max_bps.map(Ratio::to_f64),
        flr: found.flr.map(Ratio::to_f64),
        ftd_mean_ns: found.ftd.map(|delay| delay.mean_ns),
        ftd_min_ns: found.ftd.map(|delay| delay.min_ns),
        ftd_max_ns: found.ftd.map(|delay| delay.max_ns),
        fdv_ns: found.fdv_ns,
        availability: availability.and_then(|seen| seen.ratio()).map(Ratio::to_f64),
        severely_errored_seconds: availability.map(|seen| seen.severely_errored),
        unavailable_seconds: availability.map(|seen| seen.unavailable),
    }
}
