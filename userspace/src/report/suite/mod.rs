//! What a suite leaves behind. [`SuiteResult`] is the source of truth, written as JSON;
//! tables, CSV, HTML and JUnit are made of it, now or later from the file.

mod chart;
mod csv;
mod findings;
mod html;
mod junit;
mod model;
mod number;
mod schema;
mod sheet;
mod table;
#[cfg(test)]
mod tests;

pub use csv::{CsvFile, bench_csv, trials_csv};
pub use html::bench_html;
pub use junit::bench_junit;
pub use model::*;
pub use schema::{SCHEMAS, schema};
pub use table::bench_table;
