//! From what a suite found to its result.

mod compliance;
mod head;
mod judge;
mod mlrsearch;
mod rfc2544;
mod trials;
mod y1564;

pub use head::SuiteFacts;
pub use mlrsearch::mlrsearch_result;
pub use rfc2544::rfc2544_result;
pub use trials::trial_row;
pub use y1564::y1564_result;
