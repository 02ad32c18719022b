//! `size` to the flow file's.

use super::super::{
    Refusal,
    model::{Mix, Size, SizeForm, WeightForm, WeightPair, WeightPairs},
    refusal::At,
};
use crate::units::FrameSize;
use serde_json::{Map, Value, json};

/// Greatest sum of weights (as in the flow file).
const CYCLE_MAX: u64 = 65_536;

/// The mixes of the schema: sizes with FCS, and weights times 100. Sizes below the least
/// frame of Ethernet are given as the mix has them.
fn mix(mix: Mix) -> &'static [(u64, u64)] {
    match mix {
        Mix::Imix => &[(64, 700), (570, 400), (1518, 100)],
        Mix::IpsecImix => &[(90, 5867), (92, 200), (594, 2366), (1418, 1567)],
        Mix::Ipv6Imix => &[(60, 5867), (496, 200), (594, 2366), (1518, 1567)],
        Mix::StandardImix => &[(58, 5867), (62, 200), (594, 2366), (1518, 1567)],
        Mix::TcpImix => &[(90, 5867), (92, 200), (594, 2366), (1518, 1567)],
    }
}

/// Converts the sizes of a flow; what a client should know goes to `warnings`.
pub(super) fn size(
    size: Option<&Size>,
    at: &At<'_>,
    warnings: &mut Vec<String>,
) -> Result<Value, Refusal> {
    let Some(size) = size else { return Ok(json!(64)) };
    let given = [
        (SizeForm::Fixed, "fixed", size.fixed.is_some()),
        (SizeForm::Increment, "increment", size.increment.is_some()),
        (SizeForm::Random, "random", size.random.is_some()),
        (SizeForm::WeightPairs, "weight_pairs", size.weight_pairs.is_some()),
    ];
    let form = super::chosen(size.choice, &given, SizeForm::Fixed, at)?;
    let octets = |size: Option<super::super::model::Whole>, default, at: &At<'_>| {
        frame(size.map_or(default, |size| size.0), at)
    };
    match form {
        SizeForm::Fixed => Ok(json!(octets(size.fixed, 64, &at.key("fixed"))?)),
        SizeForm::Increment => {
            let at = at.key("increment");
            let sizes = size.increment.clone().unwrap_or_default();
            let start = octets(sizes.start, 64, &at.key("start"))?;
            let end = octets(sizes.end, 1518, &at.key("end"))?;
            let step = sizes.step.map_or(1, |step| step.0);
            if start > end {
                return Err(at.refuse(format!("start {start} is over end {end}")));
            }
            if step == 0 {
                return Err(at.key("step").refuse("a step of 0; allowed: 1 or more"));
            }
            // A step beyond the end leaves the first size alone.
            let step = step.min(u64::from(u16::MAX));
            Ok(json!({"range": format!("{start}-{end}"), "step": step}))
        }
        SizeForm::Random => {
            let at = at.key("random");
            let sizes = size.random.clone().unwrap_or_default();
            let min = octets(sizes.min, 64, &at.key("min"))?;
            let max = octets(sizes.max, 1518, &at.key("max"))?;
            if min > max {
                return Err(at.refuse(format!("min {min} is over max {max}")));
            }
            Ok(json!({"random": format!("{min}-{max}")}))
        }
        SizeForm::WeightPairs => {
            let pairs = size.weight_pairs.clone().unwrap_or_default();
            weights(&pairs, &at.key("weight_pairs"), warnings)
        }
    }
}

/// A size that a frame can have.
fn frame(octets: u64, at: &At<'_>) -> Result<u16, Refusal> {
    let size = u16::try_from(octets).ok().and_then(FrameSize::new);
    size.map(FrameSize::bytes).ok_or_else(|| {
        at.refuse(format!(
            "no frame has {octets} octets; allowed: {} to {}, with FCS",
            FrameSize::MIN,
            FrameSize::MAX
        ))
    })
}

fn weights(pairs: &WeightPairs, at: &At<'_>, warnings: &mut Vec<String>) -> Result<Value, Refusal> {
    let given = [
        (WeightForm::Predefined, "predefined", pairs.predefined.is_some()),
        (WeightForm::Custom, "custom", pairs.custom.is_some()),
    ];
    let weights = match super::chosen(pairs.choice, &given, WeightForm::Predefined, at)? {
        WeightForm::Predefined => {
            let pairs = mix(pairs.predefined.unwrap_or(Mix::Imix));
            let least = u64::from(FrameSize::MIN.bytes());
            let short: Vec<_> =
                pairs.iter().map(|(size, _)| *size).filter(|size| *size < least).collect();
            if !short.is_empty() {
                warnings.push(format!(
                    "{}: frames of {short:?} octets are sent with {least}, the least of Ethernet",
                    at.key("predefined")
                ));
            }
            pairs.iter().map(|&(size, weight)| (size.max(least) as u16, weight)).collect()
        }
        WeightForm::Custom => {
            custom(pairs.custom.as_deref().unwrap_or_default(), &at.key("custom"))?
        }
    };
    let mut sums: Vec<(u16, u64)> = Vec::new();
    for (size, weight) in weights {
        match sums.iter_mut().find(|(other, _)| *other == size) {
            Some((_, sum)) => *sum += weight,
            None => sums.push((size, weight)),
        }
    }
    let sum: u64 = sums.iter().map(|(_, weight)| weight).sum();
    let divisor = sums.iter().fold(0, |divisor, (_, weight)| greatest_common(divisor, *weight));
    let divisor = divisor.max(1);
    if sum / divisor > CYCLE_MAX {
        return Err(at.refuse(format!(
            "the weights make a cycle of {} frames; allowed: {CYCLE_MAX}, use rounder weights",
            sum / divisor
        )));
    }
    let keys = sums.iter().map(|(size, weight)| (size.to_string(), json!(weight / divisor)));
    Ok(json!({"weights": keys.collect::<Map<_, _>>()}))
}

/// The weights as whole numbers: all times the least power of ten that makes them so.
fn custom(pairs: &[WeightPair], at: &At<'_>) -> Result<Vec<(u16, u64)>, Refusal> {
    if pairs.is_empty() {
        return Err(at.refuse("no size at all; give at least one"));
    }
    let weight = |pair: &WeightPair| pair.weight.unwrap_or(1.0);
    for (index, pair) in pairs.iter().enumerate() {
        if !(weight(pair) > 0.0 && weight(pair) <= 1e6) {
            return Err(at.index(index).key("weight").refuse(format!(
                "a weight of {}; allowed: above 0, at most 1000000",
                weight(pair)
            )));
        }
    }
    let whole = |scale: f64| {
        // Weights are 32-bit floats in the schema: seven digits.
        pairs.iter().all(|pair| {
            let scaled = weight(pair) * scale;
            (scaled - scaled.round()).abs() < 1e-4 && scaled >= 0.5
        })
    };
    let scale = [1.0, 10.0, 100.0, 1000.0].into_iter().find(|&scale| whole(scale));
    let Some(scale) = scale else {
        return Err(at.refuse("the weights have more than three decimals; use rounder ones"));
    };
    let convert = |(index, pair): (usize, &WeightPair)| {
        let at = at.index(index);
        let octets = pair.size.map_or(64, |size| size.0);
        Ok((frame(octets, &at.key("size"))?, (weight(pair) * scale).round() as u64))
    };
    pairs.iter().enumerate().map(convert).collect()
}

fn greatest_common(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
