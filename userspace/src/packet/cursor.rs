//! The hot path: one stream walks over a program and writes its frames.

use super::{
    Program, TagStamp,
    program::{PARTS_MAX, lay, put_lengths},
    words::{fold, part, splice, store},
};
use crate::spec::{mix, scale};
use std::sync::Arc;
use xdp_ebpf::{GeneratorPlan, abi, prefetch};

/// One stream of a flow: the frames `first`, `first + stride`, `first + 2 stride`, ...
#[derive(Debug, Clone)]
pub struct Cursor {
    // Of ten thousand cursors none is in the cache when its turn comes. So what a frame
    // needs lies here, and not behind the program's pointers: one miss, not one after
    // the other.
    variant: abi::size_variant,
    checksums: [abi::checksum; PARTS_MAX],
    checksum_count: u8,
    /// Whether all frames of the flow have one size.
    uniform: bool,
    frame: u64,
    stride: u64,
    /// Position in the size cycle, and how far a stride moves it.
    position: usize,
    hop: usize,
    lanes: Box<[Lane]>,
    template: Arc<[u8]>,
    program: Arc<Program>,
}

/// An edit and where its field stands. The strides are divided out once, so that a
/// frame costs no division.
#[derive(Debug, Clone)]
struct Lane {
    edit: abi::edit,
    index: u32,
    /// Frames that had this index already.
    phase: u64,
    index_hop: u32,
    phase_hop: u64,
}

impl Lane {
    fn new(edit: abi::edit, first: u64, stride: u64) -> Self {
        let period = u64::from(edit.period);
        // A drawn index does not walk.
        let repeat = if shuffled(&edit) { u64::MAX } else { edit.repeat };
        Self {
            edit,
            index: (first / repeat % period) as u32,
            phase: first % repeat,
            index_hop: (stride / repeat % period) as u32,
            phase_hop: stride % repeat,
        }
    }

    #[inline]
    fn advance(&mut self) {
        // The wrapping is for drawn fields, whose `repeat` is a seed and whose walk is idle.
        let mut index = u64::from(self.index) + u64::from(self.index_hop);
        let mut phase = self.phase.wrapping_add(self.phase_hop);
        if phase >= self.edit.repeat {
            phase = phase.wrapping_sub(self.edit.repeat);
            index += 1;
        }
        let period = u64::from(self.edit.period);
        self.index = if index >= period { index - period } else { index } as u32;
        self.phase = phase;
    }

    #[inline]
    fn value(&self, frame: u64, program: &Program) -> u64 {
        let edit = &self.edit;
        let index = if shuffled(edit) {
            scale(mix(edit.repeat, frame), edit.period.into())
        } else {
            self.index.into()
        };
        match u32::from(edit.kind) {
            abi::EDIT_RANGE => edit.start.wrapping_add(index.wrapping_mul(edit.step)),
            abi::EDIT_TABLE => program.table()[edit.seed as usize + index as usize],
            _ => edit.start.wrapping_add(scale(mix(edit.seed, index), edit.step)),
        }
    }
}

#[inline]
fn shuffled(edit: &abi::edit) -> bool {
    u32::from(edit.flags) & abi::EDIT_SHUFFLED != 0
}

fn in_table(edit: &abi::edit) -> bool {
    u32::from(edit.kind) == abi::EDIT_TABLE
}

impl Cursor {
    /// A cursor at frame `first` of the flow; `stride` is the number of streams that
    /// share the flow.
    pub fn new(program: Arc<Program>, first: u32, stride: u32) -> Self {
        let (frame, stride) = (u64::from(first), u64::from(stride));
        let lanes = program.edits().iter().map(|&edit| Lane::new(edit, frame, stride)).collect();
        let cycle = program.cycle().len();
        let (position, hop) = (first as usize % cycle, stride as usize % cycle);
        let mut checksums = [abi::checksum::default(); PARTS_MAX];
        let checksum_count = program.checksums().len();
        checksums[..checksum_count].copy_from_slice(program.checksums());
        Self {
            variant: program.variants()[usize::from(program.cycle()[position])],
            checksums,
            checksum_count: checksum_count as u8,
            uniform: cycle == 1,
            frame,
            stride,
            position,
            hop,
            lanes,
            template: Arc::clone(program.shared_template()),
            program,
        }
    }

    /// Lays all that this cursor would write into the plan of a program in the kernel, and
    /// into its stream there.
    pub fn lay_out(&self, stream: &mut abi::live_stream, plan: &mut GeneratorPlan) {
        let program = &*self.program;
        stream.position = self.position as u32;
        stream.hop = self.hop as u32;
        stream.cycle = program.cycle().len() as u32;
        let table_first = plan.values.len() as u64;
        plan.values.extend(program.table());
        let lanes = self.lanes.iter().map(|lane| abi::lane {
            edit: abi::edit {
                seed: lane.edit.seed + if in_table(&lane.edit) { table_first } else { 0 },
                ..lane.edit
            },
            phase: if shuffled(&lane.edit) { self.frame } else { lane.phase },
            phase_hop: if shuffled(&lane.edit) { self.stride } else { lane.phase_hop },
            index: lane.index,
            index_hop: lane.index_hop,
        });
        stream.lanes = self.lanes.len() as u16;
        let mut octets = [0; abi::HEADER_BYTES_MAX as usize];
        lay(&mut octets, program.template(), abi::HEADER_BYTES_MAX as usize);
        if self.is_simple() {
            stream.flags |= abi::LIVE_SIMPLE as u8;
            stream.checksum_base = std::array::from_fn(|k| self.variant.checksum_base[k]);
            stream.few = std::array::from_fn(|k| self.checksums[k]);
            (stream.frame_bytes, stream.tag_offset) =
                (self.variant.frame_bytes, self.variant.tag_offset);
            put_lengths(&mut octets, &self.variant);
            stream.lane.iter_mut().zip(lanes).for_each(|(place, lane)| *place = lane);
        } else {
            stream.lane_first = plan.lanes.len() as u32;
            plan.lanes.extend(lanes);
            stream.cycle_first = plan.values.len() as u32;
            plan.values.extend(program.cycle().iter().map(|&variant| u64::from(variant)));
            stream.variant_first = plan.variants.len() as u32;
            plan.variants.extend(program.variants());
        }
        stream.checksum = self.checksums;
        stream.header_bytes = program.template().len() as u16;
        for (word, octets) in stream.first.iter_mut().zip(octets.as_chunks().0) {
            *word = u64::from_ne_bytes(*octets);
        }
    }

    /// Whether a stream of a program in the kernel has room for all of it.
    fn is_simple(&self) -> bool {
        self.uniform
            && self.lanes.len() <= abi::EDITS_FEW as usize
            && self.checksum_count <= abi::CHECKSUMS_FEW as u8
    }

    /// Has what the next frame needs, beside this struct, brought into the cache.
    #[inline]
    pub fn fetch(&self) {
        prefetch(&*self.lanes);
        prefetch(&*self.template);
    }

    /// The program it walks over.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Number of the next frame within the flow.
    pub fn frame(&self) -> u64 {
        self.frame
    }

    /// Size variant of the next frame.
    #[inline]
    pub fn variant(&self) -> u16 {
        if self.uniform { 0 } else { self.program.cycle()[self.position] }
    }

    /// Octets of the next frame, without FCS.
    #[inline]
    pub fn frame_bytes(&self) -> usize {
        self.variant.frame_bytes.into()
    }

    /// Lays all that [`Self::write`] takes for granted, for the next frame's variant.
    ///
    /// # Panics
    /// If the chunk is shorter than [`Program::max_frame_bytes`].
    pub fn fill(&self, chunk: &mut [u8]) {
        if self.uniform {
            lay(chunk, &self.template, self.frame_bytes());
            put_lengths(chunk, &self.variant);
        } else {
            self.program.fill(chunk, self.variant());
        }
    }

    /// Makes a chunk that was filled for variant `was` fit the next frame, which costs
    /// little; nothing if the variant is the same.
    ///
    /// # Panics
    /// If the chunk is shorter than [`Program::max_frame_bytes`].
    #[inline]
    pub fn refit(&self, chunk: &mut [u8], was: u16) {
        if was != self.variant() {
            self.program.refit(chunk, was, self.variant());
        }
    }

    /// Writes the next frame over a chunk filled for its variant: the varying fields, the
    /// tag (not where the flow has none) and the checksums. Returns its octets, without
    /// FCS, and moves on.
    ///
    /// # Panics
    /// If the chunk is shorter than the frame.
    #[inline]
    pub fn write(&mut self, chunk: &mut [u8], stamp: &TagStamp) -> usize {
        // A frame without a tunnel does not pay for the sums that it could have.
        if self.checksum_count <= 2 {
            self.write_with::<2>(chunk, stamp)
        } else {
            self.write_with::<PARTS_MAX>(chunk, stamp)
        }
    }

    /// The same, with at most `N` checksums.
    #[inline]
    fn write_with<const N: usize>(&mut self, chunk: &mut [u8], stamp: &TagStamp) -> usize {
        let variant = self.variant;
        let frame = &mut chunk[..usize::from(variant.frame_bytes)];
        let mut sums: [u64; N] = std::array::from_fn(|at| variant.checksum_base[at].into());
        for lane in &mut self.lanes {
            let edit = &lane.edit;
            let bits = lane.value(self.frame, &self.program) << edit.shift & edit.mask;
            splice(frame, edit.offset.into(), edit.width, edit.mask, bits);
            for (at, sum) in sums.iter_mut().enumerate() {
                *sum += part(bits) * u64::from(edit.checksums >> at & 1);
            }
            lane.advance();
        }
        let tag = match variant.tag_offset {
            0 => 0,
            offset => stamp.write(frame, offset.into()),
        };
        let count = usize::from(self.checksum_count);
        for (at, checksum) in self.checksums[..count].iter().enumerate().take(N) {
            let flags = u32::from(checksum.flags);
            let covered = if flags & abi::CHECKSUM_COVERS_TAG != 0 { tag } else { 0 };
            let value = !fold(sums[at] + covered);
            let zero_as_ones = value == 0 && flags & abi::CHECKSUM_NEVER_ZERO != 0;
            let value = if zero_as_ones { 0xffff } else { value };
            store(frame, checksum.offset.into(), value.to_be_bytes());
            for (outer, sum) in sums.iter_mut().enumerate().skip(at + 1) {
                *sum += u64::from(value) * u64::from(checksum.covered_by >> outer & 1);
            }
        }
        self.frame += self.stride;
        if !self.uniform {
            let program = &*self.program;
            self.position += self.hop;
            if self.position >= program.cycle().len() {
                self.position -= program.cycle().len();
            }
            self.variant = program.variants()[usize::from(program.cycle()[self.position])];
        }
        frame.len()
    }
}
