//! The values of one header field.

use super::Whole;
use serde::Deserialize;
use serde_json::Value;

/// Which of its forms a field has. Not every field has every form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// One value.
    Value,
    /// A list, in turn.
    Values,
    /// Upward from `start`.
    Increment,
    /// Downward from `start`.
    Decrement,
    /// Drawn from `min` to `max`.
    Random,
    /// The server finds it.
    Auto,
}

/// A field, `Pattern.Flow.*` in the schema.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct Pattern<T> {
    pub choice: Option<Form>,
    pub value: Option<T>,
    pub values: Option<Vec<T>>,
    pub increment: Option<Counter<T>>,
    pub decrement: Option<Counter<T>>,
    pub random: Option<Draw<T>>,
    pub auto: Option<Value>,
    pub metric_tags: Option<Vec<Value>>,
}

/// `start`, `start` and a step, ... for `count` values.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct Counter<T> {
    pub start: Option<T>,
    pub step: Option<T>,
    pub count: Option<Whole>,
}

/// `count` values from `min` to `max`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct Draw<T> {
    pub min: Option<T>,
    pub max: Option<T>,
    pub seed: Option<Whole>,
    pub count: Option<Whole>,
}

/// A checksum field.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct Checksum {
    pub choice: Option<ChecksumForm>,
    pub generated: Option<Generated>,
    pub custom: Option<Whole>,
}

/// Who makes a checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChecksumForm {
    /// The server.
    Generated,
    /// The client.
    Custom,
}

/// What a generated checksum is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Generated {
    /// Right.
    Good,
    /// Wrong.
    Bad,
}
