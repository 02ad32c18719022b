//! What a service offered and what came through, step by step.

use super::{
    amount, figure,
    plot::{Axis, Plot, SERIES, legend},
};
use crate::report::{
    suite::model::{ServiceRow, StepVerdict},
    text::megabits,
};
use maud::Markup;

/// Bars of the information rate received, lines at CIR and at CIR and EIR.
pub(in super::super) fn service(row: &ServiceRow) -> Option<Markup> {
    let steps: Vec<_> = row
        .configuration
        .iter()
        .chain(&row.performance)
        .filter(|step| !step.per_direction.is_empty())
        .collect();
    if steps.is_empty() {
        return None;
    }
    let names: Vec<_> = steps.iter().map(|step| step.step.clone()).collect();
    let ceiling = (row.cir_bps + row.eir_bps) as f64;
    let most = steps.iter().fold(ceiling, |most, step| most.max(step.offered_bps));
    let mut plot = Plot::new(
        Axis::names("step", &names),
        Axis::linear("information rate, bit/s", most, amount),
    );
    let ways = steps.iter().map(|step| step.per_direction.len()).max().unwrap_or(1);
    let room = plot.step() * 0.7;
    let width = (room / ways as f64).min(40.0);
    for (at, step) in steps.iter().enumerate() {
        let offered = [(at as f64 - 0.4, step.offered_bps), (at as f64 + 0.4, step.offered_bps)];
        for (way, found) in step.per_direction.iter().enumerate() {
            let words = format!(
                "{}, {} to {}: {} Mbit/s",
                step.step,
                found.tx,
                found.rx,
                megabits(found.ir_mean_bps)
            );
            let bad = matches!(step.verdict, StepVerdict::Fail | StepVerdict::Invalid);
            let aside = (way as f64 - (ways - 1) as f64 / 2.0) * width / plot.step();
            let series = if bad { SERIES - 1 } else { way };
            plot.bar(series, (at as f64 + aside, found.ir_mean_bps), width * 0.9, &words);
        }
        plot.line("theory", &offered);
    }
    let last = steps.len() as f64 - 0.5;
    plot.line("c1", &[(-0.5, row.cir_bps as f64), (last, row.cir_bps as f64)]);
    if row.eir_bps > 0 {
        plot.line("c4", &[(-0.5, ceiling), (last, ceiling)]);
    }
    let eir = (row.eir_bps > 0).then_some(("c4", "CIR + EIR"));
    let keys = legend(
        [
            ("c0", "received"),
            ("c7", "received, promise not kept"),
            ("theory", "offered"),
            ("c1", "CIR"),
        ]
        .into_iter()
        .chain(eir),
    );
    let title = format!("Service {}", row.name);
    Some(figure(&title, &keys, &plot.draw(&title)))
}
