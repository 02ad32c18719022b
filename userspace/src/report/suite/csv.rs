//! CSV (RFC 4180): a file for each test, and one of every trial. Empty: not measured.

use super::model::{BenchResult, BenchRow, SuiteResult};
use crate::report::csv::cell;
use serde::Serialize;
use serde_json::Value;

/// A file: its name without the ending, and its text.
pub type CsvFile = (String, String);

/// What stands before the columns of every test.
const FRAME: [&str; 3] = ["frame", "mean_bytes", "theoretical_fps"];

/// A test: its name, its columns, and what it takes of a row.
type Test = (&'static str, &'static [&'static str], fn(&BenchRow) -> Vec<Value>);

const TESTS: [Test; 7] = [
    ("throughput", &THROUGHPUT, |row| values(row.throughput.iter())),
    ("latency", &LATENCY, |row| values(row.latency.iter().flatten())),
    ("frame-loss", &FRAME_LOSS, |row| values(row.frame_loss.iter().flatten())),
    ("back-to-back", &BACK_TO_BACK, |row| values(row.back_to_back.iter())),
    ("system-recovery", &RECOVERY, |row| values(row.system_recovery.iter())),
    ("reset", &RESET, |row| values(row.reset.iter())),
    ("goals", &GOALS, |row| values(row.goals.iter().flatten())),
];

const THROUGHPUT: [&str; 13] = [
    "bound",
    "limited_by",
    "max_loss",
    "resolution_fps",
    "fps",
    "ratio",
    "next_failing_fps",
    "next_failing_loss_ratio",
    "verified_duration_ns",
    "trial",
    "trials",
    "load_independent_loss_ratio",
    "reason",
];

const LATENCY: [&str; 15] = [
    "at",
    "rate_fps",
    "derated",
    "mean_ns",
    "min_ns",
    "p50_ns",
    "p99_ns",
    "p999_ns",
    "max_ns",
    "uncertainty_ns",
    "definition",
    "repeats",
    "lost_frames",
    "valid",
    "reason",
];

const FRAME_LOSS: [&str; 12] = [
    "offered_ratio",
    "offered_fps",
    "actual_fps",
    "valid",
    "reason",
    "trial",
    "tx_frames",
    "rx_unique_frames",
    "lost_frames",
    "loss_ratio",
    "duplicate_frames",
    "reordered_frames",
];

const BACK_TO_BACK: [&str; 15] = [
    "valid",
    "reason",
    "repeats",
    "frames_mean",
    "frames_min",
    "frames_max",
    "frames_stddev",
    "implied_buffer_ns",
    "corrected_buffer_ns",
    "corrected_buffer_frames",
    "max_rate_fps",
    "throughput_fps",
    "step_frames",
    "verifications",
    "burst_limit_ns",
];

const RECOVERY: [&str; 8] =
    ["valid", "reason", "repeats", "overload_fps", "reduced_fps", "mean_ns", "min_ns", "max_ns"];

const RESET: [&str; 6] =
    ["valid", "reason", "repeats", "rate_fps", "by_loss_mean_ns", "by_time_mean_ns"];

const GOALS: [&str; 13] = [
    "name",
    "final_trial_ns",
    "duration_sum_ns",
    "loss_ratio",
    "exceed_ratio",
    "initial_trial_ns",
    "width",
    "relevant_lower_bound_fps",
    "relevant_upper_bound_fps",
    "conditional_throughput_fps",
    "regular",
    "reason",
    "trials",
];

const TRIALS: [&str; 23] = [
    "id",
    "test",
    "frame",
    "goal",
    "intended_fps",
    "actual_fps",
    "duration_ns",
    "tx_frames",
    "rx_unique_frames",
    "lost_frames",
    "loss_ratio",
    "unsent_frames",
    "duplicate_frames",
    "reordered_frames",
    "corrupt_frames",
    "stale_frames",
    "tester_drops",
    "latency_mean_ns",
    "latency_p99_ns",
    "lower_fps",
    "upper_fps",
    "valid",
    "reason",
];

/// The trials of any suite.
pub(super) fn trials_csv<R>(result: &SuiteResult<R>) -> CsvFile {
    let rows = values(result.trials.iter());
    ("trials".to_owned(), text(&TRIALS, rows.iter().map(|row| line(&TRIALS, row))))
}

/// The tests of RFC 2544 and RFC 9971 that were done, and the trials.
pub(super) fn bench_csv(result: &BenchResult) -> Vec<CsvFile> {
    let file = |(name, columns, pick): Test| {
        let lines: Vec<_> = result
            .rows
            .iter()
            .flat_map(|row| {
                pick(row).into_iter().map(|values| frame(row) + &line(columns, &values))
            })
            .collect();
        let all: Vec<_> = FRAME.into_iter().chain(columns.iter().copied()).collect();
        (!lines.is_empty()).then(|| (name.to_owned(), text(&all, lines.into_iter())))
    };
    TESTS.into_iter().filter_map(file).chain([trials_csv(result)]).collect()
}

/// A table of a suite: its name, its columns, and its rows.
pub(super) fn table(name: &str, columns: &[&str], rows: &[Value]) -> CsvFile {
    (name.to_owned(), text(columns, rows.iter().map(|row| line(columns, row))))
}

fn frame(row: &BenchRow) -> String {
    let cells = [
        Value::from(row.frame.name.clone()),
        row.frame.mean_bytes.into(),
        row.theoretical_fps.into(),
    ];
    cells.iter().map(|value| cell(value) + ",").collect::<Vec<_>>().concat()
}

pub(super) fn values<'a, T: Serialize + 'a>(rows: impl Iterator<Item = &'a T>) -> Vec<Value> {
    // Only maps with keys that are no strings can fail, and there are none.
    rows.map(|row| serde_json::to_value(row).unwrap_or_default()).collect()
}

fn line(columns: &[&str], row: &Value) -> String {
    columns.iter().map(|column| cell(&row[*column])).collect::<Vec<_>>().join(",")
}

fn text(columns: &[&str], lines: impl Iterator<Item = String>) -> String {
    let head = columns.join(",");
    std::iter::once(head).chain(lines).map(|line| line + "\r\n").collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::suite::tests::sample;

    /// The keys of a value that are neither lists nor tables.
    fn plain(value: &Value) -> Vec<&str> {
        let object = value.as_object().unwrap();
        let keys = object.iter().filter(|(_, value)| !value.is_array() && !value.is_object());
        keys.map(|(key, _)| key.as_str()).collect()
    }

    #[test]
    fn every_plain_key_of_a_row_is_a_column_and_no_other() {
        let result = sample();
        let mut seen = 0;
        for (name, columns, pick) in TESTS {
            for value in result.rows.iter().flat_map(pick) {
                let mut columns = columns.to_vec();
                columns.sort_unstable();
                assert_eq!(plain(&value), columns, "{name}");
                seen += 1;
            }
        }
        assert!(seen >= TESTS.len(), "the sample has every test");
        let mut columns = TRIALS;
        columns.sort_unstable();
        assert_eq!(plain(&values(result.trials.iter())[0]), columns);
    }

    #[test]
    fn text_with_commas_and_quotes_stays_one_cell() {
        let mut result = sample();
        result.trials[0].reason = Some("lost \"all\", twice\nover".into());
        let (name, text) = trials_csv(&result);
        assert_eq!(name, "trials");
        assert!(text.contains("\"lost \"\"all\"\", twice\nover\"\r\n"), "{text}");
    }
}
