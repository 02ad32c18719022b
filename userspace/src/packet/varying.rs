//! Which octets of a frame differ from frame to frame of its flow.

use super::{Program, TAG_BYTES};
use std::ops::Range;
use xdp_ebpf::abi;

impl Program {
    /// The octets that the edit program writes anew in each frame of a size variant: fields,
    /// lengths, checksums and the tag; in order, and those that touch as one.
    pub fn varying(&self, variant: u16) -> Vec<Range<usize>> {
        let this = self.variants()[usize::from(variant)];
        let mut octets: Vec<Range<usize>> = Vec::new();
        let mut sums = 0_u8;
        for edit in self.edits() {
            octets.extend(edited(edit));
            sums |= edit.checksums;
        }
        for at in 0..abi::LENGTHS_MAX as usize {
            let differs =
                |other: &abi::size_variant| other.length_value[at] != this.length_value[at];
            if this.length_offset[at] != 0 && self.variants().iter().any(differs) {
                octets.push(word(this.length_offset[at]));
            }
        }
        for (at, checksum) in self.checksums().iter().enumerate() {
            let differs =
                |other: &abi::size_variant| other.checksum_base[at] != this.checksum_base[at];
            let tagged = u32::from(checksum.flags) & abi::CHECKSUM_COVERS_TAG != 0;
            if tagged || self.variants().iter().any(differs) {
                sums |= 1 << at;
            }
            // The innermost comes first, so those that cover it are still to be seen.
            if sums >> at & 1 == 1 {
                sums |= checksum.covered_by;
                octets.push(word(checksum.offset));
            }
        }
        if this.tag_offset != 0 {
            let tag = usize::from(this.tag_offset);
            octets.push(tag..tag + TAG_BYTES);
        }
        joined(octets)
    }
}

fn word(offset: u16) -> Range<usize> {
    usize::from(offset)..usize::from(offset) + 2
}

/// The octets of an edit's word that have bits of its mask.
fn edited(edit: &abi::edit) -> impl Iterator<Item = Range<usize>> {
    let (offset, width, mask) = (usize::from(edit.offset), edit.width, edit.mask);
    let touched = (0..width).filter(move |octet| mask >> (8 * (width - 1 - octet)) & 0xff != 0);
    touched.map(move |octet| offset + usize::from(octet)..offset + usize::from(octet) + 1)
}

fn joined(mut octets: Vec<Range<usize>>) -> Vec<Range<usize>> {
    octets.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in octets {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}
