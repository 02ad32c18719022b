//! What of RFC 2544 and RFC 9004 was relaxed (RFC 2544 section 5 wants every one named).

use crate::{
    report::suite::model::Compliance,
    spec::{SuiteSpec, Topology},
    units::format_duration,
};
use std::time::Duration;

/// A requirement that was not kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Deviation {
    /// MUST rather than SHOULD.
    must: bool,
    text: String,
}

pub(super) fn must(text: impl Into<String>) -> Deviation {
    Deviation { must: true, text: text.into() }
}

pub(super) fn should(text: impl Into<String>) -> Deviation {
    Deviation { must: false, text: text.into() }
}

/// A time that is shorter than asked, as a sentence.
pub(super) fn shorter(what: &str, time: Duration, asked_s: u64, section: &str) -> Option<String> {
    let asked = Duration::from_secs(asked_s);
    (time < asked).then(|| {
        format!(
            "{what} {} rather than {asked_s}s (RFC 2544 section {section})",
            format_duration(time)
        )
    })
}

/// The level, and every deviation in words.
pub(super) fn of(deviations: &[Deviation], judged: bool) -> Compliance {
    let level = match (deviations.iter().any(|one| one.must), deviations.is_empty()) {
        (true, _) => "none",
        (false, false) => "conditional",
        (false, true) => "unconditional",
    };
    let sentence = |one: &Deviation| {
        let word = if one.must { "MUST" } else { "SHOULD" };
        if judged { format!("{word}: {}", one.text) } else { one.text.clone() }
    };
    Compliance {
        level: judged.then(|| level.to_owned()),
        deviations: deviations.iter().map(sentence).collect(),
    }
}

/// What all suites may relax.
pub(super) fn common(suite: &SuiteSpec, described: bool) -> Vec<Deviation> {
    let mut all = Vec::new();
    let (both, simulated) = match &suite.topology {
        Topology::Pairs { both, .. } => (*both, false),
        Topology::Simulated { both, .. } => (*both, true),
    };
    if simulated {
        all.push(must("the device is simulated: these are results of a model"));
    } else if !described {
        all.push(must(
            "the device's version and configuration are not in this report (RFC 2544 section 7); a `describe` hook prints them",
        ));
    }
    let sizes = suite.frames.iter().filter(|frame| frame.cycle.len() == 1).count();
    if sizes < 5 {
        all.push(should(format!(
            "{sizes} frame sizes rather than at least five (RFC 2544 section 9)"
        )));
    }
    if suite.flows.is_some() {
        all.push(should(
            "frames of a flow file rather than those of appendix C (RFC 2544 section 8)",
        ));
    }
    if !both {
        all.push(should("one direction only (RFC 2544 section 14)"));
    }
    if suite.addressing.networks {
        all.push(must(
            "no routing updates are sent: the 256 networks need static routes (RFC 2544 section 13)",
        ));
    } else if suite.flows.is_none() {
        all.push(should("one address pair, not 256 networks too (RFC 2544 section 12)"));
    }
    all.push(should("constant loads only, no repeated bursts (RFC 2544 section 21)"));
    let waits = &suite.waits;
    let waits = [
        shorter("a wait after learning frames of", waits.before, 2, "23 b"),
        shorter("a wait for residual frames of", waits.residual, 2, "23 d"),
        shorter("a wait for the device to restabilise of", waits.after, 5, "23 e"),
    ];
    all.extend(waits.into_iter().flatten().map(should));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_that_of_the_worst_deviation() {
        let level = |deviations: &[Deviation]| of(deviations, true).level.unwrap();
        assert_eq!(level(&[]), "unconditional");
        assert_eq!(level(&[should("a")]), "conditional");
        assert_eq!(level(&[should("a"), must("b")]), "none");
        assert_eq!(of(&[must("b")], true).deviations, ["MUST: b"]);
        assert_eq!(
            of(&[must("b")], false),
            Compliance { level: None, deviations: vec!["b".into()] }
        );
    }

    #[test]
    fn a_time_that_is_long_enough_is_no_deviation() {
        assert_eq!(shorter("trials of", Duration::from_mins(1), 60, "24"), None);
        assert_eq!(
            shorter("trials of", Duration::from_secs(1), 60, "24").unwrap(),
            "trials of 1s rather than 60s (RFC 2544 section 24)"
        );
    }
}
