//! How many different address and port tuples a flow has.

use super::{
    NextHop, Program,
    builder::Role,
    program::Variation,
    values::{distinct, period, value},
};
use crate::spec::{Flow, Vary};
use std::collections::{HashMap, HashSet};

/// Frames that are looked at where no formula holds.
const LOOK_MAX: u64 = 1 << 20;

/// A number of tuples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TupleCount {
    /// Counted or computed.
    Exactly(u128),
    /// Among the first 2^20 frames alone.
    AtLeast(u128),
}

/// Frames of a flow until its tuples come again in the same order, each once: so many
/// streams have one tuple each. `None`: they do not come in such a turn.
pub fn tuple_turn(flow: &Flow) -> Option<u64> {
    // Addresses of the link layer are of no matter here.
    let program = Program::compile(flow, [0; 6], &NextHop::One([0; 6])).ok()?;
    match program.tuples(None) {
        TupleCount::Exactly(tuples) if tuples == program.cycle_of(&program.tuple_fields()) => {
            u64::try_from(tuples).ok()
        }
        _ => None,
    }
}

impl Program {
    /// How many different tuples (L3 addresses and L4 ports; without an L3 header, MAC
    /// addresses) the first `frames` frames have, or all if the flow has no end.
    pub fn tuples(&self, frames: Option<u64>) -> TupleCount {
        let fields = self.tuple_fields();
        if fields.is_empty() {
            return TupleCount::Exactly(u128::from(frames != Some(0)));
        }
        let frames = frames.map_or(u128::MAX, u128::from);
        let distinct: Vec<_> =
            fields.iter().map(|field| distinct(&field.values).map(u128::from)).collect();
        let injective = |(field, distinct): (&&Variation, &Option<u128>)| {
            *distinct == Some(period(&field.values).into())
        };
        let combinations =
            distinct.iter().try_fold(1_u128, |product, count| product.checked_mul((*count)?));
        let cycle = self.cycle_of(&fields);
        let mut each = fields.iter().zip(&distinct);
        match self.vary {
            Vary::Independent if each.all(injective) => {
                return TupleCount::Exactly(frames.min(cycle));
            }
            Vary::Zip if each.any(injective) => return TupleCount::Exactly(frames.min(cycle)),
            Vary::Product if frames >= cycle => {
                if let Some(combinations) = combinations {
                    return TupleCount::Exactly(combinations);
                }
            }
            _ => (),
        }
        let all = frames.min(cycle);
        let seen = count(&fields, all.min(LOOK_MAX.into()) as u64);
        if all <= LOOK_MAX.into() || combinations == Some(seen) {
            TupleCount::Exactly(seen)
        } else {
            TupleCount::AtLeast(seen)
        }
    }

    fn tuple_fields(&self) -> Vec<&Variation> {
        let is_tuple = |field: &&Variation| matches!(field.role, Role::Tuple | Role::Destination);
        self.variations.iter().filter(is_tuple).collect()
    }

    /// Frames until the tuples repeat.
    fn cycle_of(&self, fields: &[&Variation]) -> u128 {
        let period = |field: &Variation| u128::from(field.turn.period);
        match self.vary {
            Vary::Independent | Vary::Zip => {
                fields.iter().fold(1, |all, field| lcm(all, period(field)))
            }
            Vary::Product => self
                .variations
                .iter()
                .filter(|field| field.role != Role::Follows)
                .fold(1, |all: u128, field| all.saturating_mul(period(field))),
            Vary::Random => u128::MAX,
        }
    }
}

/// Looks at every frame. Values become small numbers first, in order of appearance.
fn count(fields: &[&Variation], frames: u64) -> u128 {
    let mut names = vec![HashMap::new(); fields.len()];
    let mut tuples = HashSet::new();
    for frame in 0..frames {
        let mut tuple = [0_u32; 4];
        for ((field, names), place) in fields.iter().zip(&mut names).zip(&mut tuple) {
            let next = names.len() as u32;
            *place = *names.entry(value(&field.values, field.turn.index(frame))).or_insert(next);
        }
        tuples.insert(tuple);
    }
    tuples.len() as u128
}

fn lcm(a: u128, b: u128) -> u128 {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    a / x * b
}
