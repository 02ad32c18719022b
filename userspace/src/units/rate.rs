use super::Ratio;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// How fast a flow sends, per direction (CONTRACT, flow file, `rate`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rate {
    /// Frames per second: `100kpps`.
    Frames(Ratio),
    /// L2 bits per second, FCS included: `800Mbps`.
    L2Bits(Ratio),
    /// L1 bits per second, preamble and gap included: `1Gbps-l1`.
    L1Bits(Ratio),
    /// Share of the L1 line rate, 1 = 100 %: `40%`.
    LineShare(Ratio),
    /// As fast as the port can.
    Max,
}

/// Why a text is no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no rate; allowed: {}", Rate::FORMS)]
pub struct RateError {
    text: String,
}

impl Rate {
    /// The forms that a rate may take, for messages.
    pub const FORMS: &str = "\"100kpps\", \"2.5Mpps\", \"800Mbps\", \"1Gbps-l1\", \"40%\" or \"max\", above 0 and of at most 12 digits (9 in a percentage)";

    /// The frames per second this means for frames of `mean_bytes` (L2 with FCS) on a
    /// link of `link_bps`; `None` for [`Rate::Max`].
    pub fn frames_per_second(self, link_bps: u64, mean_bytes: Ratio) -> Option<Ratio> {
        let l2_bits = mean_bytes.times(8.into());
        let l1_bits = mean_bytes.plus(u64::from(super::L1_OVERHEAD_BYTES).into()).times(8.into());
        match self {
            Rate::Frames(pps) => Some(pps),
            Rate::L2Bits(bps) => Some(bps.over(l2_bits)),
            Rate::L1Bits(bps) => Some(bps.over(l1_bits)),
            Rate::LineShare(share) => Some(share.times(link_bps.into()).over(l1_bits)),
            Rate::Max => None,
        }
    }

    /// The rate times `factor`; `None` for [`Rate::Max`], of which there is no part.
    pub fn scaled(self, factor: Ratio) -> Option<Rate> {
        match self {
            Rate::Frames(pps) => Some(Rate::Frames(pps.times(factor))),
            Rate::L2Bits(bps) => Some(Rate::L2Bits(bps.times(factor))),
            Rate::L1Bits(bps) => Some(Rate::L1Bits(bps.times(factor))),
            Rate::LineShare(share) => Some(Rate::LineShare(share.times(factor))),
            Rate::Max => None,
        }
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        parse(text).ok_or_else(|| RateError { text: text.to_owned() })
    }
}

fn parse(text: &str) -> Option<Rate> {
    if text == "max" {
        return Some(Rate::Max);
    }
    if let Some(share) = parse_percentage(text) {
        return Some(Rate::LineShare(share));
    }
    if let Some(number) = text.strip_suffix("bps-l1") {
        return Some(Rate::L1Bits(scaled(number)?));
    }
    if let Some(number) = text.strip_suffix("bps") {
        return Some(Rate::L2Bits(scaled(number)?));
    }
    if let Some(number) = text.strip_suffix("pps").or_else(|| text.strip_suffix("fps")) {
        return Some(Rate::Frames(scaled(number)?));
    }
    None
}

/// A percentage above 0, as a share of 1: `50%`, `0.1%`, at most 9 digits. `None` if the
/// text is none.
pub fn parse_percentage(text: &str) -> Option<Ratio> {
    Some(decimal(text.strip_suffix('%')?.trim_end(), 9)?.over(100.into()))
}

/// Bits per second as a link speed is written: `1G`, `2.5Gbps`, `100M`. `None` if the
/// text is none or no whole number of bits.
pub fn parse_link_speed(text: &str) -> Option<u64> {
    let bps = scaled(text.strip_suffix("bps").unwrap_or(text))?;
    (bps.denominator() == 1).then(|| bps.floor().try_into().ok())?
}

/// A plain number above 0, such as a factor: `2`, `0.5`, of at most 9 digits. `None` if the
/// text is none.
pub fn parse_decimal(text: &str) -> Option<Ratio> {
    decimal(text, 9)
}

/// SI prefixes, largest first.
const PREFIXES: [(&str, u64); 4] =
    [("T", 1_000_000_000_000), ("G", 1_000_000_000), ("M", 1_000_000), ("k", 1_000)];

/// The greatest number that a rate may be: 1 Pbps.
const GREATEST: u64 = 1_000_000_000_000_000;

/// A decimal with an optional SI prefix: `2.5M`.
fn scaled(text: &str) -> Option<Ratio> {
    let prefix = PREFIXES
        .into_iter()
        .chain([("K", 1_000)])
        .find_map(|(prefix, factor)| Some((text.strip_suffix(prefix)?, factor)));
    let (number, factor) = prefix.unwrap_or((text, 1));
    let value = decimal(number.trim_end(), 12)?.times(factor.into());
    (value <= GREATEST.into()).then_some(value)
}

/// A decimal number above 0, kept exact.
fn decimal(text: &str, most_digits: usize) -> Option<Ratio> {
    let (digits, scale) = super::decimal_digits(text, most_digits)?;
    (digits > 0).then(|| Ratio::new(digits, scale))
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, unit) = match self {
            Rate::Frames(pps) => (pps, "pps"),
            Rate::L2Bits(bps) => (bps, "bps"),
            Rate::L1Bits(bps) => (bps, "bps-l1"),
            Rate::LineShare(share) => return write!(f, "{}%", share.times(100.into())),
            Rate::Max => return f.write_str("max"),
        };
        match PREFIXES.into_iter().find(|(_, factor)| *value >= Ratio::from(*factor)) {
            Some((prefix, factor)) => write!(f, "{}{prefix}{unit}", value.over(factor.into())),
            None => write!(f, "{value}{unit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    #[test]
    fn every_form_is_read_exactly() {
        let r = |n: u128, d: u128| Ratio::new(n, d);
        for (text, expected) in [
            ("100kpps", Rate::Frames(r(100_000, 1))),
            ("2.5Mpps", Rate::Frames(r(2_500_000, 1))),
            ("1fps", Rate::Frames(r(1, 1))),
            ("0.5pps", Rate::Frames(r(1, 2))),
            ("800Mbps", Rate::L2Bits(r(800_000_000, 1))),
            ("1Gbps-l1", Rate::L1Bits(r(1_000_000_000, 1))),
            ("1.2Tbps", Rate::L2Bits(r(1_200_000_000_000, 1))),
            ("40%", Rate::LineShare(r(2, 5))),
            ("33.3333%", Rate::LineShare(r(333_333, 1_000_000))),
            ("100%", Rate::LineShare(r(1, 1))),
            ("max", Rate::Max),
        ] {
            assert_eq!(rate(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_rate_is_refused_with_the_forms() {
        for text in [
            "",
            "100",
            "pps",
            "%",
            "0pps",
            "0%",
            "-1pps",
            "1e6pps",
            "1.5.1pps",
            "10mpps",
            "10Mpp",
            "Max",
            "10 %x",
            "9999999999999pps",
            "9999Tbps",
            "1.0000000001pps",
            "12345.1234567891pps",
            "33.33333333%x",
            "1.123456789%%",
            "10.12345678%",
            "1Gbps-l2",
            ".5%",
            "∞%",
        ] {
            let error = text.parse::<Rate>().expect_err(text).to_string();
            assert!(error.contains(&format!("`{text}`")) && error.contains("100kpps"), "{error}");
        }
    }

    #[test]
    fn line_rates_of_rfc_2544_are_exact() {
        let full = rate("100%");
        for (bytes, link, fps) in [
            (64, 10_000_000, 14_880),
            (64, 10_000_000_000, 14_880_952),
            (1518, 10_000_000_000, 812_743),
            (1518, 100_000_000_000, 8_127_438),
        ] {
            let pps = full.frames_per_second(link, Ratio::from(bytes)).unwrap();
            assert_eq!(pps.floor(), fps, "{bytes} at {link}");
        }
        let exact = full.frames_per_second(10_000_000_000, 64.into()).unwrap();
        assert_eq!(exact, Ratio::new(10_000_000_000, 672));
    }

    #[test]
    fn layers_of_bits_differ_by_what_they_count() {
        let pps = |text| rate(text).frames_per_second(10_000_000_000, 64.into()).unwrap();
        assert_eq!(pps("672kbps-l1"), Ratio::from(1_000));
        assert_eq!(pps("512kbps"), Ratio::from(1_000));
        assert_eq!(pps("1kpps"), Ratio::from(1_000));
        assert_eq!(rate("max").frames_per_second(1, 64.into()), None);
    }

    #[test]
    fn link_speeds_are_whole_bits() {
        for (text, bps) in [
            ("1G", Some(1_000_000_000)),
            ("2.5Gbps", Some(2_500_000_000)),
            ("100M", Some(100_000_000)),
            ("10000000", Some(10_000_000)),
            ("0", None),
            ("0.5", None),
            ("fast", None),
            ("", None),
        ] {
            assert_eq!(parse_link_speed(text), bps, "{text}");
        }
    }

    #[test]
    fn people_read_prefixes() {
        for text in ["100kpps", "2.5Mpps", "999pps", "800Mbps", "1Gbps-l1", "40%", "0.1%", "max"] {
            assert_eq!(rate(text).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(
            digits in 1_u64..1_000_000_000, decimals in 0..=6_u32, prefix in 0..5_usize, unit in 0..4_usize
        ) {
            let prefix = ["", "k", "M", "G", "T"][prefix];
            let unit = ["pps", "bps", "bps-l1", "%"][unit];
            let prefix = if unit == "%" { "" } else { prefix };
            let scale = 10_u64.pow(decimals);
            let text = format!("{}.{:0width$}{prefix}{unit}", digits / scale, digits % scale, width = decimals as usize);
            let text = if decimals == 0 { format!("{digits}{prefix}{unit}") } else { text };
            let factor = PREFIXES.into_iter().find(|(p, _)| *p == prefix).map_or(1, |(_, f)| f);
            let value = Ratio::new(digits.into(), scale.into()).times(factor.into());
            match text.parse::<Rate>() {
                Ok(rate) => prop_assert_eq!(rate.to_string().parse::<Rate>(), Ok(rate), "{}", text),
                Err(_) => prop_assert!(value > Ratio::from(GREATEST), "{} is a rate", text),
            }
        }

        #[test]
        fn no_text_panics(text in "[-0-9.kMGTpbs%l1 ]{0,32}") {
            let _ = text.parse::<Rate>();
            let _ = parse_link_speed(&text);
        }

        #[test]
        fn scaling_a_rate_scales_its_frames(percent in 1_u64..400, bytes in 64_u64..9217) {
            let factor = Ratio::new(percent.into(), 100);
            for text in ["100kpps", "800Mbps", "1Gbps-l1", "40%"] {
                let (link, mean) = (10_000_000_000, Ratio::from(bytes));
                let whole = rate(text).frames_per_second(link, mean).unwrap();
                let part = rate(text).scaled(factor).unwrap().frames_per_second(link, mean).unwrap();
                prop_assert_eq!(part, whole.times(factor));
            }
        }
    }
}
