//! What another daemon was told of an analyser here, so that only changes are told.

use super::{mirror::buckets, wire::PortPart};
use crate::rx::Source;
use std::collections::HashMap;
use xdp_ebpf::{Analyser, abi, words};

/// What was last told of one port in this trial.
#[derive(Debug, Default)]
pub(super) struct Told {
    records: HashMap<(u16, u32), Vec<u64>>,
    slabs: HashMap<u32, Vec<u32>>,
}

impl Told {
    /// Puts what has changed since into `part`.
    pub(super) fn read(&mut self, analyser: &Analyser, part: &mut PortPart) {
        part.unbanked = analyser.unbanked();
        part.banks = (0..analyser.banks()).map(|bank| words(&analyser.port_record(bank))).collect();
        for stream in 0..analyser.streams() {
            for bank in 0..analyser.banks() {
                let record: abi::record = analyser.record(stream, bank);
                let slab = Source::slab(analyser, record.slab);
                let now = words(&record);
                let then = self.records.entry((stream, bank)).or_default();
                let changed = *then != now;
                if changed {
                    then.clone_from(&now);
                    part.records.push((stream, bank, now));
                }
                let Some(slab) = slab else { continue };
                let known = self.slabs.entry(record.slab).or_default();
                let counts: Vec<u32> = buckets(&slab).collect();
                known.resize(counts.len(), 0);
                let moved =
                    (0..).zip(counts.iter().zip(&*known)).filter(|(_, (now, then))| now != then);
                let moved: Vec<(u32, u32)> = moved.map(|(at, (now, _))| (at, *now)).collect();
                if !moved.is_empty() {
                    *known = counts;
                    part.slabs.push((record.slab, moved));
                }
            }
        }
    }
}
