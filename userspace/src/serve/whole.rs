//! Whole numbers as JSON Schema knows them: `7.0` is one too.

use serde::{Deserialize, Deserializer, de::Error};

/// One that the store can number things with: SQLite's have 63 bits.
pub(super) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    whole(&serde_json::Number::deserialize(from)?)
}

/// The same, or none.
pub(super) fn optional<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let given = Option::<serde_json::Number>::deserialize(from)?;
    given.as_ref().map(whole).transpose()
}

fn whole<E: Error>(given: &serde_json::Number) -> Result<u64, E> {
    let of_float = || {
        let float = given.as_f64().filter(|float| float.fract() == 0.0 && *float >= 0.0)?;
        (float < i64::MAX as f64).then_some(float as u64)
    };
    let whole = given.as_u64().or_else(of_float).filter(|whole| i64::try_from(*whole).is_ok());
    whole.ok_or_else(|| E::custom(format!("{given} is no whole number from 0 to {}", i64::MAX)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_number_is_whole_by_its_value_not_by_how_it_is_written() {
        let read = |text: &str| super::optional(&mut serde_json::Deserializer::from_str(text)).ok();
        assert_eq!(read("7"), Some(Some(7)));
        assert_eq!(read("7.0"), Some(Some(7)));
        assert_eq!(read("9223372036854775807"), Some(Some(i64::MAX as u64)));
        assert_eq!(read("null"), Some(None));
        for wrong in ["7.5", "-1", "9223372036854775808", "1e30", "\"7\""] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
