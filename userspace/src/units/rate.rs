use super::Ratio;
use std::{fmt, str::FromStr};

/// How fast a flow sends, per direction (CONTRACT, flow file, `rate`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[error("`{text}` is no rate; write `100kpps`, `2.5Mpps`, `800Mbps`, `1Gbps-l1`, `40%` or `max`")]
pub struct RateError {
    text: String,
}

impl Rate {
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
    if let Some(number) = text.strip_suffix('%') {
        return Some(Rate::LineShare(decimal(number)?.over(100.into())));
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

/// A decimal with an optional SI prefix: `2.5M`.
fn scaled(text: &str) -> Option<Ratio> {
    let (number, factor) = match text.chars().last()? {
        'k' | 'K' => (&text[..text.len() - 1], 1_000),
        'M' => (&text[..text.len() - 1], 1_000_000),
        'G' => (&text[..text.len() - 1], 1_000_000_000),
        'T' => (&text[..text.len() - 1], 1_000_000_000_000),
        _ => (text, 1),
    };
    Some(decimal(number.trim_end())?.times(factor.into()))
}

/// A positive decimal number, kept exact.
fn decimal(text: &str) -> Option<Ratio> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty()
        || !digits(whole)
        || !digits(fraction)
        || fraction.len() > 12
        || whole.len() > 15
    {
        return None;
    }
    let scale = 10_u128.pow(fraction.len() as u32);
    let fraction: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let value = Ratio::new(whole.parse::<u128>().ok()? * scale + fraction, scale);
    (value > Ratio::ZERO).then_some(value)
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rate::Frames(pps) => write!(f, "{pps}pps"),
            Rate::L2Bits(bps) => write!(f, "{bps}bps"),
            Rate::L1Bits(bps) => write!(f, "{bps}bps-l1"),
            Rate::LineShare(share) => write!(f, "{}%", share.times(100.into())),
            Rate::Max => f.write_str("max"),
        }
    }
}
