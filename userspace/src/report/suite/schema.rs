//! The published schemas (JSON Schema, draft 2020-12), made of the types themselves.

use super::{BenchResult, ServiceResult};
use schemars::{Schema, generate::SchemaSettings};

/// The suites whose results have a schema.
pub const SCHEMAS: [&str; 3] = ["rfc2544", "mlrsearch", "y1564"];

/// The schema of a suite's results; `None`: there is no such suite.
pub fn schema(suite: &str) -> Option<Schema> {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = match suite {
        "rfc2544" | "mlrsearch" => generator.into_root_schema_for::<BenchResult>(),
        "y1564" => generator.into_root_schema_for::<ServiceResult>(),
        _ => return None,
    };
    let name = format!("linerate.{suite}/1");
    schema.insert("title".into(), name.clone().into());
    // Without this, a result of one suite would pass for one of another.
    if let Some(property) = schema.pointer_mut("/properties/schema") {
        property["const"] = name.into();
    }
    Some(schema)
}
