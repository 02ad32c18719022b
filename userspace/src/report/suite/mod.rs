//! What a suite leaves behind. [`SuiteResult`] is the source of truth, written as JSON;
//! tables, CSV, HTML and JUnit are made of it, now or later from the file.

mod build;
mod chart;
mod csv;
mod document;
mod findings;
mod html;
mod junit;
mod model;
mod number;
mod schema;
mod services;
mod sheet;
mod table;
#[cfg(test)]
mod tests;

pub use build::{SuiteFacts, mlrsearch_result, rfc2544_result, trial_row, y1564_result};
pub use csv::CsvFile;
pub use document::{DocumentError, SuiteDocument};
pub use model::*;
pub use number::long_time;
pub use schema::{SCHEMAS, schema};

#[cfg(test)]
use {html::bench_html, table::bench_table};
