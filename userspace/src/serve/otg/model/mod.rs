//! The objects of the Open Traffic Generator schema that this server knows, by the names
//! of the schema (open-traffic-generator/models, 1.62.0). All others are refused where they
//! stand.

#[macro_use]
mod declare;

mod capture;
mod config;
mod control;
mod flow;
mod header;
mod metrics;
mod pattern;
mod scalar;

pub use capture::*;
pub use config::*;
pub use control::*;
pub use flow::*;
pub use header::*;
pub use metrics::*;
pub use pattern::*;
pub use scalar::*;

use super::Refusal;
use serde::de::DeserializeOwned;

/// Reads an object, or says where it cannot be what it should.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let object = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        Refusal::at(&path, without_position(&error.into_inner().to_string()))
    })?;
    deserializer.end().map_err(|error| Refusal::at(&"", error.to_string()))?;
    Ok(object)
}

/// The path says where; clients send all on one line.
fn without_position(message: &str) -> &str {
    message.rfind(" at line ").map_or(message, |at| &message[..at])
}
