//! JUnit XML, as CI servers read it: a test suite for each row, a case for each test of it.

use super::{
    findings::bench_findings,
    model::{BenchResult, BenchRow, SuiteVerdict, ThresholdResult},
};
use maud::{Markup, PreEscaped, html};

/// A case: what was tested, what was found, and what is wrong with it.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) found: String,
    /// `None`: it does not apply here, as bursts do not where the line is the limit.
    pub(super) verdict: Option<SuiteVerdict>,
    pub(super) faults: Vec<String>,
}

/// A named list of cases.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) cases: Vec<Case>,
}

/// The document of a suite of RFC 2544 or RFC 9971.
pub(super) fn bench_junit(result: &BenchResult) -> String {
    let groups = result.rows.iter().map(|row| Group {
        name: format!("{} {}", result.schema, row.frame.name),
        cases: cases(row),
    });
    document(&result.schema, &result.started, &groups.collect::<Vec<_>>())
}

fn cases(row: &BenchRow) -> Vec<Case> {
    let findings = bench_findings(row);
    let case = |(test, valid, found): (&str, bool, String)| {
        let bounds = row.thresholds.iter().filter(|bound| bound.test == test);
        let unmet: Vec<&ThresholdResult> =
            bounds.clone().filter(|bound| bound.verdict != SuiteVerdict::Pass).collect();
        let verdict = unmet.iter().map(|bound| bound.verdict).max();
        let verdict = verdict.or(match valid {
            true if bounds.count() > 0 => Some(SuiteVerdict::Pass),
            true => Some(SuiteVerdict::Done),
            // Of a row that was measured, it is a test that has no answer.
            false => (row.verdict == SuiteVerdict::Invalid).then_some(SuiteVerdict::Invalid),
        });
        let faults = unmet.iter().map(|bound| bound.text.clone()).collect();
        Case { name: test.to_owned(), found, verdict, faults }
    };
    findings.into_iter().map(case).collect()
}

/// Of any suite. What was not valid is an error, what missed its threshold a failure.
pub(super) fn document(name: &str, started: &str, groups: &[Group]) -> String {
    let count = |of: Option<SuiteVerdict>| {
        let cases = groups.iter().flat_map(|group| &group.cases);
        cases.filter(|case| of.is_none_or(|verdict| case.verdict == Some(verdict))).count()
    };
    let body: Markup = html! {
        testsuites name=(clean(name)) tests=(count(None))
            failures=(count(Some(SuiteVerdict::Fail))) errors=(count(Some(SuiteVerdict::Invalid))) {
            @for group in groups {
                @let of = |verdict| group.cases.iter().filter(|case| case.verdict == Some(verdict)).count();
                testsuite name=(clean(&group.name)) tests=(group.cases.len())
                    failures=(of(SuiteVerdict::Fail)) errors=(of(SuiteVerdict::Invalid))
                    timestamp=(clean(started)) {
                    @for case in &group.cases { (one(&group.name, case)) }
                }
            }
        }
    };
    let head = PreEscaped("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    html! { (head) (body) "\n" }.into_string()
}

fn one(group: &str, case: &Case) -> Markup {
    let why = case.faults.join("; ");
    let why = clean(if why.is_empty() { &case.found } else { &why });
    html! {
        testcase classname=(clean(group)) name=(clean(&case.name)) {
            @match case.verdict {
                None => skipped message=(why) {},
                Some(SuiteVerdict::Fail) => failure message=(why) { (why) },
                Some(SuiteVerdict::Invalid) => error message=(why) { (why) },
                Some(SuiteVerdict::Pass | SuiteVerdict::Done) => {},
            }
            system-out { (clean(&case.found)) }
        }
    }
}

/// Text without the control characters that XML has no way to write (XML 1.0 section 2.2).
fn clean(text: &str) -> String {
    let fits = |c: &char| {
        !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}') || matches!(c, '\n' | '\t')
    };
    text.chars().filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::suite::tests::sample;

    #[test]
    fn it_is_well_formed_and_counts_its_cases() {
        let mut result = sample();
        result.rows[0].thresholds.push(ThresholdResult {
            test: "throughput".into(),
            verdict: SuiteVerdict::Fail,
            text: "throughput <is> \"67 %\" & \u{1b}[1m too little".into(),
        });
        let text = bench_junit(&result);
        let document = roxmltree::Document::parse(&text).unwrap();
        let cases: Vec<_> =
            document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
        let root = document.root_element();
        assert_eq!(root.attribute("tests"), Some(cases.len().to_string().as_str()));
        assert_eq!(root.attribute("failures"), Some("1"));
        let failure = document.descendants().find(|node| node.has_tag_name("failure")).unwrap();
        assert_eq!(failure.text(), Some("throughput <is> \"67 %\" & [1m too little"));
        assert_eq!(failure.parent().unwrap().attribute("name"), Some("throughput"));
        for group in document.descendants().filter(|node| node.has_tag_name("testsuite")) {
            let inside = group.children().filter(|node| node.has_tag_name("testcase")).count();
            assert_eq!(group.attribute("tests"), Some(inside.to_string().as_str()));
        }
    }
}
