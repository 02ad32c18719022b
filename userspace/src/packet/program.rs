//! A flow compiled: header template, edits, checksums and what depends on the size.

use super::{
    AddressSet, Mac, NextHop, PacketError, TAG_BYTES,
    builder::{Builder, Checksum, Field, Place, Role},
    layers,
    schedule::{Turn, schedule},
    values,
    words::{fold, store, sum},
};
use crate::spec::{Flow, Layer, Track, Values, Vary};
use crate::units::FCS_BYTES;
use std::sync::Arc;
use xdp_ebpf::abi;

/// Listed values that one flow may hold; 8 MiB.
pub(super) const TABLE_MAX: usize = 1 << 20;

/// Checksums, and lengths, that one frame may have.
pub(super) const PARTS_MAX: usize = {
    assert!(abi::CHECKSUMS_MAX == abi::LENGTHS_MAX, "one message for both");
    abi::CHECKSUMS_MAX as usize
};

/// Octets of payload, 00 01 02 .., as many as the largest frame can hold.
static PATTERN: [u8; 9216] = {
    let mut pattern = [0; 9216];
    let mut at = 0;
    while at < pattern.len() {
        pattern[at] = at as u8;
        at += 1;
    }
    pattern
};

/// A varying field and when it moves, for those who count values and not frames.
#[derive(Debug, Clone)]
pub(super) struct Variation {
    pub(super) role: Role,
    pub(super) values: Values,
    pub(super) turn: Turn,
}

/// How frame i of a flow is made from a template: the edit program of abi.h.
#[derive(Debug, Clone)]
pub struct Program {
    pub(super) vary: Vary,
    pub(super) variations: Vec<Variation>,
    template: Arc<[u8]>,
    edits: Vec<abi::edit>,
    table: Vec<u64>,
    checksums: Vec<abi::checksum>,
    variants: Vec<abi::size_variant>,
    cycle: Vec<u16>,
    max_frame_bytes: usize,
}

impl Program {
    /// Compiles the headers, sizes and `vary` of a flow. `own_mac` stands for
    /// `eth.src = "auto"`, `next_hop` for `eth.dst = "auto"`.
    pub fn compile(flow: &Flow, own_mac: Mac, next_hop: &NextHop) -> Result<Self, PacketError> {
        let Builder { bytes: template, fields, lengths, mut checksums, .. } =
            layers::build(&flow.layers, &flow.settings, own_mac, next_hop)?;
        // abi.h: the innermost comes first.
        checksums.reverse();
        for (what, count) in [("checksums", checksums.len()), ("lengths", lengths.len())] {
            if count > PARTS_MAX {
                return Err(PacketError::TooDeep { what, count });
            }
        }
        let turns = turns(flow.vary, &fields)?;
        let (mut edits, mut table) = (Vec::new(), Vec::new());
        for (field, turn) in fields.iter().zip(&turns) {
            lower(field, turn, &checksums, &mut edits, &mut table)?;
        }
        if edits.len() > abi::EDITS_MAX as usize {
            return Err(PacketError::TooManyEdits(edits.len()));
        }
        let tagged = flow.track == Track::Tag;
        let mut program = Self {
            vary: flow.vary,
            variations: fields
                .into_iter()
                .zip(turns)
                .map(|(field, turn)| Variation { role: field.role, values: field.values, turn })
                .collect(),
            template: template.into(),
            edits,
            table,
            checksums: (0..checksums.len()).map(|at| slot(&checksums, at, tagged)).collect(),
            variants: Vec::new(),
            cycle: Vec::new(),
            max_frame_bytes: 0,
        };
        let mut sizes: Vec<_> = flow.sizes.clone();
        sizes.sort_unstable();
        sizes.dedup();
        let least = program.template.len() + if tagged { TAG_BYTES } else { 0 };
        for size in &sizes {
            let frame_bytes = size.without_fcs();
            if usize::from(frame_bytes) < least {
                let least = least + usize::from(FCS_BYTES);
                return Err(PacketError::TooShort { size: size.bytes(), least, tagged });
            }
            let mut variant = abi::size_variant {
                frame_bytes,
                tag_offset: if tagged { frame_bytes - TAG_BYTES as u16 } else { 0 },
                ..Default::default()
            };
            for (at, length) in lengths.iter().enumerate() {
                variant.length_offset[at] = length.offset as u16;
                variant.length_value[at] = frame_bytes - length.from as u16;
            }
            program.add_variant(variant, &checksums);
        }
        program.max_frame_bytes = sizes.last().ok_or(PacketError::NoSize)?.without_fcs().into();
        program.cycle = flow
            .sizes
            .iter()
            .map(|size| sizes.partition_point(|other| other < size) as u16)
            .collect();
        Ok(program)
    }

    /// The L3 destination addresses of a flow; `None`: it has no L3 header.
    pub fn destinations(flow: &Flow) -> Option<AddressSet> {
        AddressSet::of(&flow.layers, false)
    }

    /// The L3 source addresses of a flow; `None`: it has no L3 header.
    pub fn sources(flow: &Flow) -> Option<AddressSet> {
        AddressSet::of(&flow.layers, true)
    }

    /// Octets of the longest frame, without FCS. A chunk must hold so many.
    pub fn max_frame_bytes(&self) -> usize {
        self.max_frame_bytes
    }

    /// The headers, with zero where a frame, a size or a checksum decides.
    pub fn template(&self) -> &[u8] {
        &self.template
    }

    pub(super) fn shared_template(&self) -> &Arc<[u8]> {
        &self.template
    }

    /// The varying words.
    pub fn edits(&self) -> &[abi::edit] {
        &self.edits
    }

    /// The values of the `EDIT_TABLE` edits.
    pub fn table(&self) -> &[u64] {
        &self.table
    }

    /// Where checksums go, the innermost first; at most `CHECKSUMS_MAX`.
    pub fn checksums(&self) -> &[abi::checksum] {
        &self.checksums
    }

    /// One for each distinct frame size, ascending.
    pub fn variants(&self) -> &[abi::size_variant] {
        &self.variants
    }

    /// Frame i is of variant `cycle[i % len]`.
    pub fn cycle(&self) -> &[u16] {
        &self.cycle
    }

    /// Lays the template, lengths and payload of a size variant. The payload goes on to
    /// [`Self::max_frame_bytes`], so that [`Self::refit`] can later lengthen the frame.
    ///
    /// # Panics
    /// If the chunk is shorter than that.
    pub fn fill(&self, chunk: &mut [u8], variant: u16) {
        lay(chunk, &self.template, self.max_frame_bytes);
        put_lengths(chunk, &self.variants[usize::from(variant)]);
    }

    /// Turns a chunk that was filled for variant `was` into one of another variant,
    /// without laying all of it again.
    ///
    /// # Panics
    /// If the chunk is shorter than [`Self::max_frame_bytes`].
    pub fn refit(&self, chunk: &mut [u8], was: u16, variant: u16) {
        let old = usize::from(self.variants[usize::from(was)].tag_offset);
        if old != 0 {
            let payload = old - self.template.len();
            chunk[old..old + TAG_BYTES].copy_from_slice(&PATTERN[payload..payload + TAG_BYTES]);
        }
        put_lengths(chunk, &self.variants[usize::from(variant)]);
    }

    /// Sums up what no frame changes, and adds the variant.
    fn add_variant(&mut self, mut variant: abi::size_variant, checksums: &[Checksum]) {
        let number = self.variants.len() as u16;
        self.variants.push(variant);
        self.max_frame_bytes = variant.frame_bytes.into();
        let mut frame = vec![0; self.max_frame_bytes];
        self.fill(&mut frame, number);
        if variant.tag_offset != 0 {
            frame[variant.tag_offset.into()..].fill(0);
        }
        for (at, checksum) in checksums.iter().enumerate() {
            let to = checksum.to.unwrap_or(frame.len());
            let pseudo = checksum.pseudo.as_ref().map_or(0, |([src, dst], protocol)| {
                sum(&frame[src.clone()])
                    + sum(&frame[dst.clone()])
                    + u64::from(*protocol)
                    + (to - checksum.from) as u64
            });
            let base = fold(pseudo + sum(&frame[checksum.from..to]));
            variant.checksum_base[at] = u32::from(base) + u32::from(checksum.wrong);
        }
        self.variants[usize::from(number)] = variant;
    }
}

/// Lays headers and payload, so many octets in all.
#[inline]
pub(super) fn lay(chunk: &mut [u8], template: &[u8], frame_bytes: usize) {
    let (headers, payload) = chunk[..frame_bytes].split_at_mut(template.len());
    headers.copy_from_slice(template);
    payload.copy_from_slice(&PATTERN[..payload.len()]);
}

#[inline]
pub(super) fn put_lengths(chunk: &mut [u8], variant: &abi::size_variant) {
    for (offset, value) in variant.length_offset.into_iter().zip(variant.length_value) {
        if offset != 0 {
            store(chunk, offset.into(), value.to_be_bytes());
        }
    }
}

/// The turn of every field; that of a follower is the turn of the L3 destination.
fn turns(vary: Vary, fields: &[Field]) -> Result<Vec<Turn>, PacketError> {
    let own = |field: &&Field| field.role != Role::Follows;
    let leaders: Vec<_> = fields.iter().filter(own).collect();
    let periods: Vec<_> = leaders.iter().map(|field| values::period(&field.values)).collect();
    let mut turns = schedule(vary, &periods).map_err(|(a, b)| PacketError::ZipPeriods {
        a: leaders[a].name,
        a_period: periods[a],
        b: leaders[b].name,
        b_period: periods[b],
    })?;
    if let Some(follower) = fields.iter().position(|field| !own(&field))
        && let Some(leader) = leaders.iter().position(|field| field.role == Role::Destination)
    {
        turns.insert(follower, turns[leader]);
    }
    Ok(turns)
}

/// Appends the edits of a field: one, or two for the halves of an IPv6 address.
fn lower(
    field: &Field,
    turn: &Turn,
    checksums: &[Checksum],
    edits: &mut Vec<abi::edit>,
    table: &mut Vec<u64>,
) -> Result<(), PacketError> {
    let edit = |place: Place, kind, start: u128, step, seed| abi::edit {
        mask: place.mask(),
        start: start as u64,
        step,
        seed,
        repeat: turn.shuffled.unwrap_or(turn.repeat),
        period: turn.period,
        offset: place.offset as u16,
        width: place.width,
        shift: place.shift,
        kind: kind as u8,
        flags: if turn.shuffled.is_some() { abi::EDIT_SHUFFLED as u8 } else { 0 },
        checksums: (0..).zip(checksums).map(|(at, sum)| u8::from(sum.covers(place)) << at).sum(),
        ..abi::edit::default()
    };
    let halves = [field.high.map(|high| (high, 64)), Some((field.place, 0))];
    for (place, half) in halves.into_iter().flatten() {
        edits.push(match &field.values {
            Values::Range { first, step, .. } if field.high.is_none() => {
                edit(place, abi::EDIT_RANGE, *first, *step as u64, 0)
            }
            Values::Random { low, high, seed, .. } if field.high.is_none() => {
                edit(place, abi::EDIT_RANDOM, *low, ((high - low) as u64).wrapping_add(1), *seed)
            }
            listed => {
                let first = table.len();
                if turn.period as usize > TABLE_MAX - first {
                    return Err(PacketError::TableTooLong);
                }
                table.extend(
                    (0..turn.period).map(|index| (values::value(listed, index) >> half) as u64),
                );
                edit(place, abi::EDIT_TABLE, 0, 0, first as u64)
            }
        });
    }
    Ok(())
}

/// The checksum at `at`; those after it stand further out.
fn slot(checksums: &[Checksum], at: usize, tagged: bool) -> abi::checksum {
    let checksum = &checksums[at];
    let place = Place::word(checksum.offset, 2);
    let covered_by = (0..)
        .zip(checksums)
        .skip(at + 1)
        .map(|(outer, sum)| u8::from(sum.covers(place)) << outer)
        .sum();
    let tag = if tagged && checksum.to.is_none() { abi::CHECKSUM_COVERS_TAG } else { 0 };
    let zero = if checksum.never_zero { abi::CHECKSUM_NEVER_ZERO } else { 0 };
    abi::checksum { offset: checksum.offset as u16, flags: (tag | zero) as u8, covered_by }
}

/// The addresses of the outermost L3 header, and whether it is IPv6.
pub(super) fn network(layers: &[Layer]) -> Option<(bool, &Values, &Values)> {
    match Layer::outermost_ip(layers)? {
        Layer::Ipv4 { src, dst, .. } => Some((false, src, dst)),
        Layer::Ipv6 { src, dst, .. } => Some((true, src, dst)),
        _ => None,
    }
}
