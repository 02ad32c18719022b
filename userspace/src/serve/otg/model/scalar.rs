//! Single values as clients write them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

/// A whole number: `format: uint64` is a string in JSON, all others are numbers, and
/// clients mix the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Whole(pub u64);

impl Serialize for Whole {
    /// As a string, for all that answers hold is `uint64`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor)
    }
}

struct WholeVisitor;

impl de::Visitor<'_> for WholeVisitor {
    type Value = Whole;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number, as a number or a string")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Whole, E> {
        Ok(Whole(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Whole, E> {
        value.try_into().map(Whole).map_err(|_| E::custom(format!("{value} is below 0")))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Whole, E> {
        // Python's floats of whole numbers, exact up to 2^53.
        if value.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&value) {
            return Ok(Whole(value as u64));
        }
        Err(E::custom(format!("{value} is no whole number")))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Whole, E> {
        text.parse().map(Whole).map_err(|_| E::custom(format!("\"{text}\" is no whole number")))
    }
}

/// What a header field may hold.
pub trait Scalar: Copy {
    /// As a number in host order.
    fn number(self) -> u128;
}

impl Scalar for Whole {
    fn number(self) -> u128 {
        self.0.into()
    }
}

/// A MAC address: pairs of digits between colons, or one number of twelve digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mac(pub u64);

impl Scalar for Mac {
    fn number(self) -> u128 {
        self.0.into()
    }
}

impl<'de> Deserialize<'de> for Mac {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let pairs: Vec<_> = text.split(':').collect();
        let fits = |pair: &&str| {
            (1..=2).contains(&pair.len()) && pair.bytes().all(|digit| digit.is_ascii_hexdigit())
        };
        if pairs.len() != 6 || !pairs.iter().all(fits) {
            return Err(de::Error::custom(format!("\"{text}\" is no MAC address")));
        }
        let octet = |pair: &&str| u64::from_str_radix(pair, 16).unwrap_or(0);
        Ok(Self(pairs.iter().map(octet).fold(0, |mac, octet| mac << 8 | octet)))
    }
}

impl Scalar for Ipv4Addr {
    fn number(self) -> u128 {
        self.to_bits().into()
    }
}

impl Scalar for Ipv6Addr {
    fn number(self) -> u128 {
        self.to_bits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_as_strings_and_as_numbers() {
        let read = serde_json::from_str::<Whole>;
        for text in ["1000", "\"1000\"", "1000.0", "1e3"] {
            assert_eq!(read(text).unwrap(), Whole(1000), "{text}");
        }
        assert_eq!(read("\"18446744073709551615\"").unwrap(), Whole(u64::MAX));
        for text in ["-1", "\"-1\"", "1.5", "\"many\"", "true", "1e300"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(serde_json::to_string(&Whole(u64::MAX)).unwrap(), "\"18446744073709551615\"");
    }

    #[test]
    fn mac_addresses_have_six_pairs() {
        let read = |text: &str| serde_json::from_str::<Mac>(&format!("\"{text}\""));
        assert_eq!(read("00:11:22:AA:bb:cc").unwrap(), Mac(0x0011_22aa_bbcc));
        for text in
            ["00:11:22:33:44", "00:11:22:33:44:55:66", "00:11:22:33:44:zz", "", "+1:0:0:0:0:0"]
        {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
