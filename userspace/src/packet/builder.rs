//! A frame's headers while the layers append to them.

use super::{PacketError, values, words::splice};
use crate::spec::Values;
use std::ops::Range;

/// What a field is to the flow, beyond its bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing more.
    Plain,
    /// One of the fields that tell one conversation from another.
    Tuple,
    /// The L3 destination address, also one of these.
    Destination,
    /// Has its own values, but the turn of the L3 destination.
    Follows,
}

/// Where a field stands: `bits` bits, `shift` above the low end of the word of `width`
/// octets at `offset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: usize,
    pub(super) width: u8,
    pub(super) shift: u8,
    pub(super) bits: u8,
}

impl Place {
    /// A whole word of `width` octets.
    pub(super) fn word(offset: usize, width: u8) -> Self {
        Self { offset, width, shift: 0, bits: width * 8 }
    }

    /// A MAC address, in the word that also holds the two octets after it.
    pub(super) fn mac(offset: usize) -> Self {
        Self { offset, width: 8, shift: 16, bits: 48 }
    }

    /// Some bits of the 16-bit word at `offset`.
    pub(super) fn bits(offset: usize, shift: u8, bits: u8) -> Self {
        Self { offset, width: 2, shift, bits }
    }

    /// Greatest value of the field.
    pub(super) fn max(self) -> u128 {
        u128::MAX >> (128 - self.bits)
    }

    /// The field's bits in its word.
    pub(super) fn mask(self) -> u64 {
        (self.max() as u64) << self.shift
    }

    /// The octets that the field touches.
    pub(super) fn octets(self) -> Range<usize> {
        let end = self.offset + usize::from(self.width) - usize::from(self.shift / 8);
        end - usize::from((self.shift % 8 + self.bits).div_ceil(8))..end
    }
}

/// A field that varies.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) role: Role,
    pub(super) place: Place,
    pub(super) values: Values,
    /// The word that takes the high 64 bits of each value.
    pub(super) high: Option<Place>,
}

/// Where the source and the final destination of a packet stand.
pub(super) type Addresses = [Range<usize>; 2];

/// A 16-bit length: the octets from `from` to the end of the frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Length {
    pub(super) offset: usize,
    pub(super) from: usize,
}

/// A checksum, over the octets from `from` up to `to` (the end of the frame if absent).
#[derive(Debug, Clone)]
pub(super) struct Checksum {
    pub(super) offset: usize,
    pub(super) from: usize,
    pub(super) to: Option<usize>,
    /// Over the addresses in front too, with this protocol number (RFC 9293 section
    /// 3.1, RFC 8200 section 8.1).
    pub(super) pseudo: Option<(Addresses, u8)>,
    /// UDP: 0 is sent as 0xffff (RFC 768).
    pub(super) never_zero: bool,
    /// Off by one, and so wrong in every frame.
    pub(super) wrong: bool,
}

impl Checksum {
    /// Whether it sums up the octets of `place`, which all lie in one header.
    pub(super) fn covers(&self, place: Place) -> bool {
        let at = place.octets().start;
        at >= self.from && self.to.is_none_or(|to| at < to)
            || self
                .pseudo
                .as_ref()
                .is_some_and(|([src, dst], _)| src.contains(&at) || dst.contains(&at))
    }
}

/// The header octets, with zero where a field varies, and all that depends on the frame.
#[derive(Debug, Default)]
pub(super) struct Builder {
    pub(super) bytes: Vec<u8>,
    pub(super) fields: Vec<Field>,
    pub(super) lengths: Vec<Length>,
    pub(super) checksums: Vec<Checksum>,
    /// Where each layer begins.
    pub(super) starts: Vec<usize>,
    /// Where the addresses of the last L3 header stand.
    pub(super) addresses: Option<Addresses>,
    /// Whether a tunnel began, whose fields do not tell conversations apart.
    inside: bool,
}

impl Builder {
    /// Appends a header as it is without its fields and returns where it begins.
    pub(super) fn header(&mut self, bytes: &[u8]) -> usize {
        self.bytes.extend_from_slice(bytes);
        self.bytes.len() - bytes.len()
    }

    /// The same for an L3 header; the second is inside a tunnel.
    pub(super) fn network_header(&mut self, bytes: &[u8]) -> usize {
        self.inside |= self.addresses.is_some();
        self.header(bytes)
    }

    /// Writes a constant.
    pub(super) fn put(&mut self, place: Place, value: u64) {
        splice(
            &mut self.bytes,
            place.offset,
            place.width,
            place.mask(),
            value << place.shift & place.mask(),
        );
    }

    /// Writes a field of one value, or notes one that varies.
    pub(super) fn field(
        &mut self,
        name: &'static str,
        place: Place,
        values: &Values,
    ) -> Result<(), PacketError> {
        self.role_field(name, Role::Plain, place, values)
    }

    /// The same for a field with a role.
    pub(super) fn role_field(
        &mut self,
        name: &'static str,
        role: Role,
        place: Place,
        values: &Values,
    ) -> Result<(), PacketError> {
        check(name, values, place.max())?;
        let role = if self.inside { Role::Plain } else { role };
        if values::period(values) == 1 {
            self.put(place, values::value(values, 0) as u64);
        } else {
            self.fields.push(Field { name, role, place, values: values.clone(), high: None });
        }
        Ok(())
    }

    /// The same for an IPv6 address, as two words.
    pub(super) fn address6(
        &mut self,
        name: &'static str,
        role: Role,
        offset: usize,
        values: &Values,
    ) -> Result<(), PacketError> {
        let (least, greatest) = check(name, values, u128::MAX)?;
        let (high, low) = (Place::word(offset, 8), Place::word(offset + 8, 8));
        if least >> 64 == greatest >> 64 {
            self.put(high, (least >> 64) as u64);
            return self.role_field(name, role, low, &low_halves(values));
        }
        let role = if self.inside { Role::Plain } else { role };
        self.fields.push(Field {
            name,
            role,
            place: low,
            values: values.clone(),
            high: Some(high),
        });
        Ok(())
    }
}

/// The bounds of values that exist and are at most `max`.
fn check(field: &'static str, values: &Values, max: u128) -> Result<(u128, u128), PacketError> {
    if values::period(values) == 0 {
        return Err(PacketError::NoValue(field));
    }
    values::bounds(values)
        .filter(|(_, greatest)| *greatest <= max)
        .ok_or(PacketError::TooBig { field, max })
}

/// Values that share their high 64 bits, without these.
fn low_halves(values: &Values) -> Values {
    let low = |value: &u128| u128::from(*value as u64);
    match values {
        Values::One(value) => Values::One(low(value)),
        Values::List(list) => Values::List(list.iter().map(low).collect()),
        Values::Range { first, step, count } => {
            Values::Range { first: low(first), step: *step, count: *count }
        }
        Values::Random { low: least, high, seed, count } => {
            Values::Random { low: low(least), high: low(high), seed: *seed, count: *count }
        }
    }
}
