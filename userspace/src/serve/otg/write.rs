//! Prints answers as JSON that every client reads.

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use std::io;

/// Numbers without exponents: clients that read JSON as YAML 1.1 take `1e-7` and `1.5e16`
/// for texts.
struct PlainNumbers;

impl Formatter for PlainNumbers {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        write!(writer, "{value}")
    }

    fn write_f32<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        write!(writer, "{value}")
    }
}

/// The JSON of an answer.
pub(super) fn write(answer: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut text = Vec::new();
    answer.serialize(&mut Serializer::with_formatter(&mut text, PlainNumbers))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::super::model::Real;
    use super::*;

    #[test]
    fn numbers_have_no_exponent_and_are_never_infinite() {
        for (value, text) in [
            (0.0, "0"),
            (1.5, "1.5"),
            (1e-7, "0.0000001"),
            (1.763_796_8e18, "1763796800000000000"),
            (1.5e16, "15000000000000000"),
            (-3.25, "-3.25"),
            (f64::NAN, "0"),
            (f64::INFINITY, "0"),
        ] {
            assert_eq!(String::from_utf8(write(&Real(value)).unwrap()).unwrap(), text);
        }
    }
}
