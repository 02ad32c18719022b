//! All trials of a search by their loads, for every goal the same.

use super::classify::{Class, Measured, Target, classify};
use crate::units::Ratio;
use std::collections::BTreeMap;

/// Trials by load, frames a second in each direction.
#[derive(Debug, Default)]
pub(super) struct Database {
    loads: BTreeMap<Ratio, Vec<Measured>>,
}

/// Relevant bounds of a target (RFC 9971).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct RelevantBounds {
    /// The greatest lower bound below `upper`.
    pub(super) lower: Option<Ratio>,
    /// The least upper bound.
    pub(super) upper: Option<Ratio>,
}

impl Database {
    /// Adds a trial.
    pub(super) fn add(&mut self, load: Ratio, trial: Measured) {
        self.loads.entry(load).or_default().push(trial);
    }

    /// The trials at a load.
    pub(super) fn at(&self, load: Ratio) -> &[Measured] {
        self.loads.get(&load).map_or(&[], Vec::as_slice)
    }

    /// The greatest load that was tried.
    pub(super) fn greatest(&self) -> Option<Ratio> {
        self.loads.keys().next_back().copied()
    }

    /// The bounds that matter. A load that meets the target above one that does not (loss
    /// inversion) is none of them.
    pub(super) fn bounds(&self, target: &Target) -> RelevantBounds {
        let mut bounds = RelevantBounds::default();
        for (&load, trials) in &self.loads {
            match classify(trials, target) {
                Class::Lower => bounds.lower = Some(load),
                Class::Upper => {
                    bounds.upper = Some(load);
                    break;
                }
                Class::Undecided => {}
            }
        }
        bounds
    }
}
