//! `size` as one fixed cycle of frame sizes.

use super::{
    error::SpecError,
    field::{self, Kind},
    node::{Node, Section, Value, parse_whole},
    random::{mix, scale},
};
use crate::units::FrameSize;
use std::{cmp::Reverse, collections::BinaryHeap};

/// Longest cycle.
const CYCLE_MAX: u64 = 65_536;

/// Sizes drawn when `count` is absent.
const RANDOM_COUNT: i128 = 4096;

/// The mixes that have a name: sizes with FCS and their weights.
const MIXES: [(&str, [(u16, u64); 3]); 2] = [
    // OTG's and CSIT's IMIX; mean 353.833.
    ("imix", [(64, 7), (570, 4), (1518, 1)]),
    // TRex stl/imix.py, 60, 590 and 1514 there without FCS; mean 361.833.
    ("imix:trex", [(64, 7), (594, 4), (1518, 1)]),
];

const ALLOWED: &str = "64 to 9216, [64, 512, 1518], {range = \"64-1518\", step = 64}, {random = \"64-1518\"}, {weights = {64 = 7, 570 = 4}}, \"imix\" or \"imix:trex\"";

/// Reads `size`.
pub(super) fn read(node: &Node) -> Result<Vec<FrameSize>, SpecError> {
    match &node.value {
        Value::List(nodes) if nodes.is_empty() || nodes.len() as u64 > CYCLE_MAX => Err(node
            .wrong(format!("a list of {} sizes", nodes.len()), format!("1 to {CYCLE_MAX} sizes"))),
        Value::List(nodes) => nodes.iter().map(one).collect(),
        Value::Table(_) => read_set(node),
        Value::Text(text) => match MIXES.into_iter().find(|(name, _)| name == text) {
            Some((_, weights)) => {
                let sizes = weights.map(|(bytes, weight)| Some((FrameSize::new(bytes)?, weight)));
                let known: Vec<_> = sizes.into_iter().flatten().collect();
                Ok(interleave(&known))
            }
            None if parse_whole(text).is_none() => Err(node.unfit(ALLOWED)),
            None => Ok(vec![one(node)?]),
        },
        Value::Integer(_) => Ok(vec![one(node)?]),
        _ => Err(node.unfit(ALLOWED)),
    }
}

fn one(node: &Node) -> Result<FrameSize, SpecError> {
    let (least, most) = (FrameSize::MIN.bytes(), FrameSize::MAX.bytes());
    let bytes = node.whole(least.into(), most.into())?;
    FrameSize::new(bytes as u16).ok_or_else(|| node.unfit(format!("{least} to {most}")))
}

fn read_set(node: &Node) -> Result<Vec<FrameSize>, SpecError> {
    let section = Section::open(node, &["range", "step", "random", "seed", "count", "weights"])?;
    match ["range", "random", "weights"].map(|key| section.get(key)) {
        [Some(range), None, None] => {
            Section::open(node, &["range", "step"])?;
            read_range(range, section.get("step"))
        }
        [None, Some(random), None] => {
            read_random(random, &Section::open(node, &["random", "seed", "count"])?)
        }
        [None, None, Some(weights)] => {
            Section::open(node, &["weights"])?;
            read_weights(weights)
        }
        _ => {
            Err(node.wrong("a size takes exactly one of `range`, `random` and `weights`", ALLOWED))
        }
    }
}

/// Both ends of `"64-1518"`.
fn read_ends(node: &Node) -> Result<(u128, u128), SpecError> {
    let (first, last) = field::read_ends(node, Kind::Bits(16))?;
    for end in [first, last] {
        if FrameSize::new(end as u16).is_none() {
            let allowed = format!("{} to {}", FrameSize::MIN, FrameSize::MAX);
            return Err(node.wrong(format!("no frame has {end} octets"), allowed));
        }
    }
    Ok((first, last))
}

/// A fixed cycle of sizes drawn from all between the ends.
fn read_random(node: &Node, section: &Section<'_>) -> Result<Vec<FrameSize>, SpecError> {
    let (low, high) = read_ends(node)?;
    if low > high {
        let problem = format!("the range {} runs backward", node.show());
        return Err(node.wrong(problem, "the lower end first"));
    }
    let whole = |key, default, least, most| {
        section.get(key).map_or(Ok(default), |node| node.whole(least, most))
    };
    let seed = whole("seed", 1, 0, u64::MAX.into())? as u64;
    let count = whole("count", RANDOM_COUNT, 1, CYCLE_MAX.into())? as u64;
    let draw = |n| low as u16 + scale(mix(seed, n), (high - low) as u64 + 1) as u16;
    Ok((0..count).filter_map(|n| FrameSize::new(draw(n))).collect())
}

fn read_range(node: &Node, step: Option<&Node>) -> Result<Vec<FrameSize>, SpecError> {
    let (first, last) = read_ends(node)?;
    let (step, count) = field::read_steps(node, step, first, last)?;
    let sizes = (0..i128::from(count)).map(|at| FrameSize::new((first as i128 + at * step) as u16));
    Ok(sizes.flatten().collect())
}

fn read_weights(node: &Node) -> Result<Vec<FrameSize>, SpecError> {
    let allowed = "sizes with their weights, such as {64 = 7, 570 = 4, 1518 = 1}";
    let Value::Table(entries) = &node.value else { return Err(node.unfit(allowed)) };
    let mut weights = Vec::new();
    for entry in entries {
        let key = Node { place: entry.place.clone(), value: Value::Text(entry.key.clone()) };
        weights.push((one(&key)?, entry.node.whole(1, CYCLE_MAX.into())? as u64));
    }
    // By size, since TOML tables have no order.
    weights.sort_unstable();
    if let Some(twice) = weights.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(node.wrong(format!("size {} stands there twice", twice[0].0), allowed));
    }
    let sum: u64 = weights.iter().map(|(_, weight)| weight).sum();
    if sum == 0 || sum > CYCLE_MAX {
        return Err(node.wrong(format!("the weights sum up to {sum}"), format!("1 to {CYCLE_MAX}")));
    }
    Ok(interleave(&weights))
}

/// One cycle of the sum of the weights in which every size keeps its even share: after
/// n frames of a cycle of W, a size of weight w was sent less than one frame more or less
/// than n w / W times.
///
/// The k-th frame of a size may go out from k W / w on and must have by (k + 1) W / w;
/// taking the earliest deadline meets them all, since the shares fill the cycle exactly
/// (Liu and Layland 1973; proportionate fairness on one processor, Baruah et al. 1996).
fn interleave(weights: &[(FrameSize, u64)]) -> Vec<FrameSize> {
    let sum: u64 = weights.iter().map(|(_, weight)| weight).sum();
    let deadline = |weight: u64, sent: u64| ((sent + 1) * sum).div_ceil(weight);
    // Waiting for their release, and ready by deadline; both with the index of the size.
    let mut waiting: BinaryHeap<_> = (0..weights.len()).map(|index| Reverse((0, index))).collect();
    let mut ready = BinaryHeap::new();
    let mut sent = vec![0; weights.len()];
    let mut cycle = Vec::with_capacity(sum as usize);
    for now in 0..sum {
        while let Some(&Reverse((release, index))) = waiting.peek()
            && release <= now
        {
            waiting.pop();
            ready.push(Reverse((deadline(weights[index].1, sent[index]), index)));
        }
        if let Some(Reverse((_, index))) = ready.pop() {
            let (size, weight) = weights[index];
            cycle.push(size);
            sent[index] += 1;
            waiting.push(Reverse((sent[index] * sum / weight, index)));
        }
    }
    cycle
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sizes(weights: &[u64]) -> Vec<(FrameSize, u64)> {
        let size = |at: usize| FrameSize::new(64 + at as u16).unwrap();
        weights.iter().enumerate().map(|(at, weight)| (size(at), *weight)).collect()
    }

    #[test]
    fn imix_has_the_cycle_of_its_weights() {
        let cycle: Vec<_> =
            interleave(&sizes(&[7, 4, 1])).iter().map(|size| size.bytes() - 64).collect();
        assert_eq!(cycle, [0, 1, 0, 0, 1, 0, 0, 1, 0, 1, 0, 2]);
    }

    proptest! {
        #[test]
        fn a_cycle_has_exact_counts_and_is_even_everywhere(
            weights in prop::collection::vec(1_u64..200, 1..8)
        ) {
            let weights = sizes(&weights);
            let sum: u64 = weights.iter().map(|(_, weight)| weight).sum();
            let cycle = interleave(&weights);
            prop_assert_eq!(cycle.len() as u64, sum);
            for (size, weight) in weights {
                let mut sent = 0_u64;
                for (at, frame) in cycle.iter().enumerate() {
                    sent += u64::from(*frame == size);
                    let due = (at as u64 + 1) * weight;
                    prop_assert!((sent * sum).abs_diff(due) < sum, "{size}: {sent} after {}", at + 1);
                }
                prop_assert_eq!(sent, weight);
            }
        }
    }
}
