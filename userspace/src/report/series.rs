//! A row per flow and sample, for as long as a run lasts: CSV (RFC 4180) or JSON Lines.
//!
//! The columns are `time` (wall clock at the sample's end, RFC 3339, UTC), `flow`, and
//! those of a sample in `linerate.run/1`.

use super::{SampleRow, csv::cell};
use serde::Serialize;
use std::path::Path;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeriesFormat {
    /// A header, then a line per row; empty: not measured.
    Csv,
    /// One JSON object per line; `null`: not measured.
    JsonLines,
}

#[derive(Serialize)]
struct Row<'a> {
    time: String,
    flow: &'a str,
    #[serde(flatten)]
    sample: &'a SampleRow,
}

/// The columns, in the order in which they are written.
const COLUMNS: [&str; 14] = [
    "time",
    "flow",
    "t",
    "tx_frames",
    "rx_frames",
    "tx_pps",
    "rx_pps",
    "tx_bps_l2",
    "rx_bps_l2",
    "loss_ratio",
    "p50_ns",
    "p99_ns",
    "p999_ns",
    "max_ns",
];

impl SeriesFormat {
    /// By the ending of a file's name, `.csv` or `.jsonl`; `None`: another one.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "csv" => Some(Self::Csv),
            "jsonl" => Some(Self::JsonLines),
            _ => None,
        }
    }

    /// What stands before the first row.
    pub fn header(self) -> String {
        match self {
            Self::Csv => COLUMNS.join(",") + "\r\n",
            Self::JsonLines => String::new(),
        }
    }

    /// One row with its line end. `time` is the wall clock at the end of the sample.
    pub fn row(self, time: jiff::Timestamp, flow: &str, sample: &SampleRow) -> String {
        let row = Row { time: format!("{time:.3}"), flow, sample };
        // Only maps with keys that are no strings can fail, and there are none.
        let row = serde_json::to_value(&row).unwrap_or_default();
        match self {
            Self::Csv => COLUMNS.map(|column| cell(&row[column])).join(",") + "\r\n",
            Self::JsonLines => {
                let cells = COLUMNS.map(|column| format!("\"{column}\":{}", row[column]));
                format!("{{{}}}\n", cells.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn sample() -> SampleRow {
        SampleRow {
            t: 1_000_000_000,
            tx_frames: 10,
            rx_frames: None,
            tx_pps: 10.0,
            rx_pps: None,
            tx_bps_l2: 5120.0,
            rx_bps_l2: None,
            loss_ratio: None,
            p50_ns: Some(-5),
            p99_ns: None,
            p999_ns: None,
            max_ns: None,
        }
    }

    #[test]
    fn every_column_of_a_sample_is_in_both_formats_and_no_other() {
        let time = "2026-01-02T03:04:05.678Z".parse().unwrap();
        let line = SeriesFormat::JsonLines.row(time, "a \"b\", c", &sample());
        let row: Value = serde_json::from_str(&line).unwrap();
        let keys: Vec<&String> = row.as_object().unwrap().keys().collect();
        let mut columns = COLUMNS;
        columns.sort_unstable();
        assert_eq!(keys, columns);
        let whole = serde_json::to_value(sample()).unwrap();
        assert_eq!(whole.as_object().unwrap().len() + 2, COLUMNS.len());
        assert_eq!(row["time"], "2026-01-02T03:04:05.678Z");
        assert_eq!((&row["flow"], &row["p50_ns"]), (&"a \"b\", c".into(), &(-5).into()));
        assert!(row["rx_frames"].is_null());

        let line = SeriesFormat::Csv.row(time, "a \"b\", c", &sample());
        let expected =
            "2026-01-02T03:04:05.678Z,\"a \"\"b\"\", c\",1000000000,10,,10.0,,5120.0,,,-5,,,\r\n";
        assert_eq!(line, expected);
    }

    #[test]
    fn the_ending_of_the_name_is_the_format() {
        let of = |name: &str| SeriesFormat::of(Path::new(name));
        assert_eq!(of("a.csv"), Some(SeriesFormat::Csv));
        assert_eq!(of("b/a.jsonl"), Some(SeriesFormat::JsonLines));
        assert_eq!((of("a.json"), of("csv")), (None, None));
    }
}
