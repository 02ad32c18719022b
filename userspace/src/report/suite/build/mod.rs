//! From what a suite found to its result.

mod compliance;
mod head;
mod judge;
mod mlrsearch;
mod trials;

pub use head::SuiteFacts;
pub use mlrsearch::mlrsearch_result;
