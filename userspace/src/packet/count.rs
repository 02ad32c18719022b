//! How frames without a tag are told: by what all frames of their flow have in common (abi.h,
//! `count_rule`).

use super::{Cursor, Mac, NextHop, PacketError, Program, TagStamp};
use crate::{spec::Flow, units::StreamId};
use std::{ops::Range, sync::Arc};
use xdp_ebpf::{abi, extent};

const LOOKED_BYTES: usize = abi::COUNT_BYTES as usize;
const FIELDS_MAX: usize = abi::COUNT_FIELDS_MAX as usize;

/// The octets of a frame that are looked at, and for each which bits are compared.
struct Common {
    start: usize,
    value: Vec<u8>,
    mask: Vec<u8>,
    /// Bits that routers change.
    hop: Vec<u8>,
}

/// The rule that holds for every frame of the flow, whatever routers change on the way: MAC
/// addresses, VLAN tags, TTL, DSCP, ECN and the IPv4 header checksum of the outermost IP packet.
/// `stream` is where its frames are counted.
///
/// # Errors
/// [`PacketError::Formless`] where frames of the flow differ in what says where their IP
/// packet is, and whatever [`Program::compile`] refuses.
pub fn count_rule(
    flow: &Flow,
    own_mac: Mac,
    stream: StreamId,
) -> Result<abi::count_rule, PacketError> {
    // The next hop is not known yet, and not compared.
    let program = Arc::new(Program::compile(flow, own_mac, &NextHop::One([0; 6]))?);
    let frames = one_of_each_size(&program);
    let extents: Vec<_> = frames.iter().map(|frame| extent(frame)).collect();
    let (packet, version) = extents[0].clone();
    let alike = extents.iter().all(|(other, of)| (other.start, *of) == (packet.start, version));
    let form = form(&frames[0], packet.start, version);
    let varies = |&(octet, bits): &(usize, u8)| {
        program.edits().iter().any(|edit| bits_at(edit, octet) & bits != 0)
    };
    if !alike || form.iter().any(varies) {
        return Err(PacketError::Formless);
    }
    let lengths = || extents.iter().map(|(packet, _)| packet.len());
    let least = lengths().min().unwrap_or(0);
    let mut common = Common::new(&frames, packet.start, least.min(LOOKED_BYTES), version);
    if version == 0 && flow.resolves_destination() {
        common.ignore(0..6);
    }
    let mut rule = abi::count_rule {
        stream: stream.0.into(),
        version: version.into(),
        least_bytes: least as u32,
        most_bytes: lengths().max().unwrap_or(0) as u32,
        ..abi::count_rule::default()
    };
    for edit in program.edits() {
        if let Some(field) = common.bounded(edit, program.table())
            && (rule.fields as usize) < FIELDS_MAX
        {
            rule.field[rule.fields as usize] = field;
            rule.fields += 1;
        }
        octets(edit).for_each(|octet| common.drop_bits(octet, bits_at(edit, octet)));
    }
    for offset in varying_checksums(&program) {
        common.ignore(offset..offset + 2);
    }
    common.lay(&mut rule);
    Ok(rule)
}

/// Whether some frame may fit both rules.
pub fn may_be_mistaken(a: &abi::count_rule, b: &abi::count_rule) -> bool {
    let lengths = a.least_bytes <= b.most_bytes && b.least_bytes <= a.most_bytes;
    let words = a.value.iter().zip(&a.mask).zip(b.value.iter().zip(&b.mask));
    let alike = words.clone().all(|((a, a_mask), (b, b_mask))| (a ^ b) & a_mask & b_mask == 0);
    let meet = |one: &abi::count_rule, other: &abi::count_rule| {
        let fields = &one.field[..one.fields as usize];
        fields.iter().all(|field| {
            let (low, high) = bounds_at(other, field);
            low <= field.low + field.span && field.low <= high
        })
    };
    a.version == b.version && lengths && alike && meet(a, b) && meet(b, a)
}

/// Between what a rule has the field.
fn bounds_at(rule: &abi::count_rule, field: &abi::count_field) -> (u64, u64) {
    let same = |other: &&abi::count_field| {
        (other.offset, other.drop, other.bits) == (field.offset, field.drop, field.bits)
    };
    if let Some(other) = rule.field[..rule.fields as usize].iter().find(same) {
        return (other.low, other.low + other.span);
    }
    let octets = |words: &[u64]| -> Vec<u8> {
        let octets = words.iter().flat_map(|word| word.to_ne_bytes());
        octets.chain([0; 8]).collect()
    };
    let read = |octets: &[u8]| {
        let at = field.offset as usize;
        let word = octets[at..].first_chunk().map_or(0, |word| u64::from_be_bytes(*word));
        word >> field.drop & field.bits
    };
    if read(&octets(&rule.mask)) == field.bits {
        let value = read(&octets(&rule.value));
        return (value, value);
    }
    (0, field.bits)
}

/// The first frame of each size.
fn one_of_each_size(program: &Arc<Program>) -> Vec<Vec<u8>> {
    let nothing = TagStamp { magic: 0, stream: 0, sequence: 0, time_ns: 0 };
    let frame = |variant: usize| {
        let first = program.cycle().iter().position(|&other| usize::from(other) == variant);
        let mut cursor = Cursor::new(Arc::clone(program), first.unwrap_or(0) as u32, 1);
        let mut frame = vec![0; program.max_frame_bytes()];
        cursor.fill(&mut frame);
        let bytes = cursor.write(&mut frame, &nothing);
        frame.truncate(bytes);
        frame
    };
    (0..program.variants().len()).map(frame).collect()
}

/// Octets, and bits of them, that say where a packet begins and ends: Ethernet types, IP version
/// and length.
fn form(frame: &[u8], start: usize, version: u8) -> Vec<(usize, u8)> {
    let is_tag = |at: usize| matches!(frame.get(at..at + 2), Some([0x81 | 0x91, 0] | [0x88, 0xa8]));
    let mut types = vec![12];
    while is_tag(types[types.len() - 1]) && types.len() <= 4 {
        types.push(types[types.len() - 1] + 4);
    }
    let l3 = if version == 0 { types[types.len() - 1] + 2 } else { start };
    let claims_ip = matches!(frame.get(l3 - 2..l3), Some([8, 0] | [0x86, 0xdd]));
    let length = if frame.get(l3).is_some_and(|first| first >> 4 == 4) { l3 + 2 } else { l3 + 4 };
    let ip = [(l3, 0xf0), (length, 0xff), (length + 1, 0xff)];
    let ip = ip.into_iter().filter(|_| claims_ip);
    types.iter().flat_map(|&at| [(at, 0xff), (at + 1, 0xff)]).chain(ip).collect()
}

/// The octets of an edit's word.
fn octets(edit: &abi::edit) -> Range<usize> {
    let offset = usize::from(edit.offset);
    offset..offset + usize::from(edit.width)
}

/// The bits of an octet that an edit writes.
fn bits_at(edit: &abi::edit, octet: usize) -> u8 {
    let word = octets(edit);
    if !word.contains(&octet) {
        return 0;
    }
    (edit.mask >> (8 * (word.end - 1 - octet))) as u8
}

/// Where checksums stand that change with what varies.
fn varying_checksums(program: &Program) -> Vec<usize> {
    let checksums = program.checksums();
    let mut varying = program.edits().iter().fold(0, |all, edit| all | edit.checksums);
    for (at, checksum) in checksums.iter().enumerate() {
        if varying >> at & 1 != 0 {
            varying |= checksum.covered_by;
        }
    }
    let changes = |(at, _): &(usize, _)| varying >> at & 1 != 0;
    let changing = checksums.iter().enumerate().filter(changes);
    changing.map(|(_, checksum)| usize::from(checksum.offset)).collect()
}

/// The least and the greatest value of an edit.
fn bounds(edit: &abi::edit, table: &[u64]) -> (u64, u64) {
    let bits = edit.mask >> edit.shift;
    let last = i128::from(edit.period) - 1;
    let (first, last) = match u32::from(edit.kind) {
        abi::EDIT_RANGE => {
            let first = i128::from(edit.start);
            (first, first + last * i128::from(edit.step.cast_signed()))
        }
        abi::EDIT_TABLE => {
            let values = &table[edit.seed as usize..][..edit.period as usize];
            let ends = (values.iter().min(), values.iter().max());
            (ends.0.copied().unwrap_or(0).into(), ends.1.copied().unwrap_or(u64::MAX).into())
        }
        // The span of all 2^64 values is written as 0.
        _ => {
            let first = i128::from(edit.start);
            (first, first + i128::from(edit.step.wrapping_sub(1)))
        }
    };
    let (low, high) = (first.min(last), first.max(last));
    if low < 0 || high > i128::from(bits) { (0, bits) } else { (low as u64, high as u64) }
}

impl Common {
    fn new(frames: &[Vec<u8>], start: usize, looked: usize, version: u8) -> Self {
        let looked = start..start + looked;
        let mut hop = vec![0; looked.len()];
        let changed: &[(usize, u8)] = match version {
            4 => &[(1, 0xff), (8, 0xff), (10, 0xff), (11, 0xff)],
            6 => &[(0, 0x0f), (1, 0xf0), (7, 0xff)],
            _ => &[],
        };
        for &(at, bits) in changed {
            hop[at] = bits;
        }
        let value = frames[0][looked.clone()].to_vec();
        let mut mask: Vec<u8> = hop.iter().map(|bits| !bits).collect();
        for frame in frames {
            let differ = value.iter().zip(&frame[looked.clone()]).map(|(a, b)| a ^ b);
            mask.iter_mut().zip(differ).for_each(|(mask, differ)| *mask &= !differ);
        }
        Self { start, value, mask, hop }
    }

    /// The field of an edit, if all of it is looked at.
    fn bounded(&self, edit: &abi::edit, table: &[u64]) -> Option<abi::count_field> {
        let touched = |octet: &usize| bits_at(edit, *octet) != 0;
        let looked = |octet: usize| {
            let hop = *self.hop.get(octet.checked_sub(self.start)?)?;
            (hop & bits_at(edit, octet) == 0).then_some(())
        };
        octets(edit).filter(touched).try_for_each(looked)?;
        let (low, high) = bounds(edit, table);
        let first = octets(edit).find(touched)?;
        // Words begin at the first octet of the field: so they never begin before the packet.
        let cut = 8 * (first - usize::from(edit.offset)) as u32;
        Some(abi::count_field {
            low,
            span: high - low,
            bits: edit.mask >> edit.shift,
            offset: (first - self.start) as u32,
            drop: 64 - 8 * u32::from(edit.width) + u32::from(edit.shift) + cut,
        })
    }

    fn drop_bits(&mut self, octet: usize, bits: u8) {
        let at = octet.checked_sub(self.start);
        if let Some(mask) = at.and_then(|at| self.mask.get_mut(at)) {
            *mask &= !bits;
        }
    }

    fn ignore(&mut self, octets: Range<usize>) {
        octets.for_each(|octet| self.drop_bits(octet, 0xff));
    }

    fn lay(&self, rule: &mut abi::count_rule) {
        let words = |octets: &mut dyn Iterator<Item = u8>, words: &mut [u64]| {
            let mut all = [0; LOOKED_BYTES];
            all.iter_mut().zip(octets).for_each(|(place, octet)| *place = octet);
            for (word, octets) in words.iter_mut().zip(all.as_chunks().0) {
                *word = u64::from_ne_bytes(*octets);
            }
        };
        let compared = self.value.iter().zip(&self.mask).map(|(value, mask)| value & mask);
        words(&mut compared.into_iter(), &mut rule.value);
        words(&mut self.mask.iter().copied(), &mut rule.mask);
    }
}
