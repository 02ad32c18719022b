//! One layer of the flow file while its fields are put in.

use super::{
    super::{
        Refusal,
        model::{Checksum, Pattern, Scalar},
        refusal::At,
    },
    field::{self, Field, Kind},
};
use crate::spec::Values;
use serde_json::{Map, Value, json};

/// A field's pattern, if there is one, and its name in the schema.
pub(super) type Given<'a, T> = (&'static str, &'a Option<Pattern<T>>);

/// The keys of a layer.
pub(super) struct Layer<'a> {
    at: At<'a>,
    keys: Map<String, Value>,
}

impl<'a> Layer<'a> {
    pub(super) fn new(at: At<'a>) -> Self {
        Self { at, keys: Map::new() }
    }

    /// The entry of `layers`.
    pub(super) fn named(self, name: &str) -> Value {
        json!({ name: self.keys })
    }

    pub(super) fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.keys.insert(key.to_owned(), value.into());
    }

    pub(super) fn at(&self) -> &At<'a> {
        &self.at
    }

    /// The values of a field; `None`: the server finds them.
    pub(super) fn values<T: Scalar>(
        &self,
        (name, pattern): Given<'_, T>,
        field: Field,
    ) -> Result<Option<Values>, Refusal> {
        field.read(pattern.as_ref(), &self.at.key(name))
    }

    /// Puts the values of a field under `key`, unless the server finds them.
    pub(super) fn field<T: Scalar>(
        &mut self,
        key: &str,
        given: Given<'_, T>,
        field: Field,
    ) -> Result<(), Refusal> {
        if let Some(values) = self.values(given, field)? {
            self.set(key, field.kind.json(&values));
        }
        Ok(())
    }

    /// The same for a number of so many bits, by default 0.
    pub(super) fn number<T: Scalar>(
        &mut self,
        key: &str,
        given: Given<'_, T>,
        bits: u32,
    ) -> Result<(), Refusal> {
        self.field(key, given, Field::new(Kind::Bits(bits), 0))
    }

    /// The same for a number that the flow file fills in as `usual`, or computes: it is said
    /// only where it is another.
    pub(super) fn rare<T: Scalar>(
        &mut self,
        key: &str,
        given: Given<'_, T>,
        field: Field,
        usual: Option<u128>,
    ) -> Result<(), Refusal> {
        if given.1.is_none() {
            return Ok(());
        }
        match (self.values(given, field)?, usual) {
            (None, _) => (),
            (Some(Values::One(value)), Some(usual)) if value == usual => (),
            (Some(values), _) => self.set(key, field.kind.json(&values)),
        }
        Ok(())
    }

    pub(super) fn checksum(&mut self, name: &str, given: Option<&Checksum>) -> Result<(), Refusal> {
        if let Some(value) = field::checksum(given, &self.at.key(name))? {
            self.set("checksum", value);
        }
        Ok(())
    }
}
