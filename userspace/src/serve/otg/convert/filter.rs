//! `captures[].filters[]` in the words of a capture's filter.
//!
//! The filters of a capture go along a frame: a `vlan` is the next tag, and a `custom` counts
//! its bits from the end of the filter before it.

use super::super::{
    Refusal,
    model::{
        CaptureFilter, CustomFilter, EthernetFilter, FilterField, FilterForm, Ipv4Filter,
        Ipv6Filter, VlanFilter,
    },
    refusal::At,
};
use std::fmt::Write as _;

/// Bits that one filter may compare.
const LONGEST_BITS: u64 = 1024;
/// Bits up to where a filter may look.
const FARTHEST_BIT: u64 = 8 * 9216;
const ETHERNET_BITS: u64 = 14 * 8;
const TAG_BITS: u64 = 4 * 8;
const IPV6_BITS: u64 = 40 * 8;
/// The types that begin a VLAN tag (IEEE 802.1Q, 802.1ad and before it).
const TAG_TYPES: [&str; 3] = ["0x8100", "0x88a8", "0x9100"];

/// Bits of a header: whose, by the word of the filter, and from where on.
#[derive(Debug, Clone, Copy)]
struct Place {
    of: &'static str,
    bit: u64,
}

/// A field of a header: its name, its first bit, its bits.
type FieldAt<'a> = (&'a str, &'a Option<FilterField>, u64, u64);

/// The filter of a capture; empty: all frames.
pub(super) fn filter(filters: &[CaptureFilter], at: &At<'_>) -> Result<String, Refusal> {
    let mut words = Words { terms: Vec::new(), end: Place { of: "ether", bit: 0 }, tags: 0 };
    let mut seen = Vec::new();
    for (index, filter) in filters.iter().enumerate() {
        let at = at.index(index);
        let given = [
            (FilterForm::Custom, "custom", filter.custom.is_some()),
            (FilterForm::Ethernet, "ethernet", filter.ethernet.is_some()),
            (FilterForm::Vlan, "vlan", filter.vlan.is_some()),
            (FilterForm::Ipv4, "ipv4", filter.ipv4.is_some()),
            (FilterForm::Ipv6, "ipv6", filter.ipv6.is_some()),
        ];
        let form = super::chosen(filter.choice, &given, FilterForm::Custom, &at)?;
        let once = !matches!(form, FilterForm::Custom | FilterForm::Vlan);
        if once && seen.contains(&form) {
            return Err(at.refuse("a second filter of this header; put its fields into the first"));
        }
        seen.push(form);
        match form {
            FilterForm::Custom => {
                words.custom(filter.custom.as_ref().unwrap_or(&CustomFilter::default()), &at)?;
            }
            FilterForm::Ethernet => {
                let header = filter.ethernet.clone().unwrap_or_default();
                words.ethernet(&header, &at.key("ethernet"))?;
            }
            FilterForm::Vlan => {
                words.vlan(&filter.vlan.clone().unwrap_or_default(), &at.key("vlan"))?;
            }
            FilterForm::Ipv4 => {
                words.ipv4(&filter.ipv4.clone().unwrap_or_default(), &at.key("ipv4"))?;
            }
            FilterForm::Ipv6 => {
                words.ipv6(&filter.ipv6.clone().unwrap_or_default(), &at.key("ipv6"))?;
            }
        }
    }
    Ok(words.terms.join(" and "))
}

struct Words {
    terms: Vec<String>,
    /// Where what the last filter looks at ends.
    end: Place,
    tags: u64,
}

impl Words {
    fn custom(&mut self, filter: &CustomFilter, at: &At<'_>) -> Result<(), Refusal> {
        let at = at.key("custom");
        let offset = filter.offset.map_or(0, |offset| offset.0);
        let bits = filter.bit_length.map_or(8, |bits| bits.0);
        if !(1..=LONGEST_BITS).contains(&bits) {
            let problem = format!("{bits}; allowed: 1 to {LONGEST_BITS}");
            return Err(at.key("bit_length").refuse(problem));
        }
        let start = self.end.bit.saturating_add(offset);
        if start > FARTHEST_BIT {
            return Err(at.key("offset").refuse(format!("{offset}: no frame is as long")));
        }
        let place = Place { bit: start, ..self.end };
        let field = FilterField {
            value: filter.value.clone(),
            mask: filter.mask.clone(),
            negate: filter.negate,
        };
        self.compare(place, bits, &field, &at)?;
        self.end = Place { bit: start + bits, ..place };
        Ok(())
    }

    fn ethernet(&mut self, header: &EthernetFilter, at: &At<'_>) -> Result<(), Refusal> {
        if header.pfc_queue.is_some() {
            return Err(at.key("pfc_queue").refuse("no octet of a frame says so"));
        }
        let fields = [
            ("dst", &header.dst, 0, 48),
            ("src", &header.src, 48, 48),
            ("ether_type", &header.ether_type, 96, 16),
        ];
        self.end = Place { of: "ether", bit: ETHERNET_BITS };
        self.fields(Place { of: "ether", bit: 0 }, &fields, at)
    }

    fn vlan(&mut self, header: &VlanFilter, at: &At<'_>) -> Result<(), Refusal> {
        let start = ETHERNET_BITS + TAG_BITS * self.tags;
        // Up to this one, each tag is one.
        let octet = start / 8 - 2;
        let types = TAG_TYPES.map(|tag| format!("ether[{octet}:2] = {tag}"));
        self.terms.push(format!("( {} )", types.join(" or ")));
        self.tags += 1;
        let fields = [
            ("priority", &header.priority, 0, 3),
            ("cfi", &header.cfi, 3, 1),
            ("id", &header.id, 4, 12),
            ("protocol", &header.protocol, 16, 16),
        ];
        self.end = Place { of: "ether", bit: start + TAG_BITS };
        self.fields(Place { of: "ether", bit: start }, &fields, at)
    }

    fn ipv4(&mut self, header: &Ipv4Filter, at: &At<'_>) -> Result<(), Refusal> {
        self.terms.push("ip".into());
        let fields = [
            ("version", &header.version, 0, 4),
            ("header_length", &header.header_length, 4, 4),
            ("priority", &header.priority, 8, 8),
            ("total_length", &header.total_length, 16, 16),
            ("identification", &header.identification, 32, 16),
            ("reserved", &header.reserved, 48, 1),
            ("dont_fragment", &header.dont_fragment, 49, 1),
            ("more_fragments", &header.more_fragments, 50, 1),
            ("fragment_offset", &header.fragment_offset, 51, 13),
            ("time_to_live", &header.time_to_live, 64, 8),
            ("protocol", &header.protocol, 72, 8),
            ("header_checksum", &header.header_checksum, 80, 16),
            ("src", &header.src, 96, 32),
            ("dst", &header.dst, 128, 32),
        ];
        // Its options take what they take.
        self.end = Place { of: "payload", bit: 0 };
        self.fields(Place { of: "ip", bit: 0 }, &fields, at)
    }

    fn ipv6(&mut self, header: &Ipv6Filter, at: &At<'_>) -> Result<(), Refusal> {
        self.terms.push("ip6".into());
        let fields = [
            ("version", &header.version, 0, 4),
            ("traffic_class", &header.traffic_class, 4, 8),
            ("flow_label", &header.flow_label, 12, 20),
            ("payload_length", &header.payload_length, 32, 16),
            ("next_header", &header.next_header, 48, 8),
            ("hop_limit", &header.hop_limit, 56, 8),
            ("src", &header.src, 64, 128),
            ("dst", &header.dst, 192, 128),
        ];
        self.end = Place { of: "ip6", bit: IPV6_BITS };
        self.fields(Place { of: "ip6", bit: 0 }, &fields, at)
    }

    fn fields(
        &mut self,
        header: Place,
        fields: &[FieldAt<'_>],
        at: &At<'_>,
    ) -> Result<(), Refusal> {
        for (name, field, bit, bits) in fields {
            if let Some(field) = field {
                let place = Place { bit: header.bit + bit, ..header };
                self.compare(place, *bits, field, &at.key(name))?;
            }
        }
        Ok(())
    }

    /// These bits have, or have not, the value.
    fn compare(
        &mut self,
        place: Place,
        bits: u64,
        field: &FilterField,
        at: &At<'_>,
    ) -> Result<(), Refusal> {
        let digits = |given: &Option<String>, name| {
            let text = given.as_deref().unwrap_or("00");
            number(text, bits as usize, &at.key(name))
        };
        let (value, ignored) = (digits(&field.value, "value")?, digits(&field.mask, "mask")?);
        if ignored.iter().all(|ignored| *ignored) {
            return Err(at.key("mask").refuse(
                "it leaves no bit to compare; bits that are 1 in it are not compared, and without it all are",
            ));
        }
        let (Place { of, bit }, last) = (place, (place.bit + bits - 1) / 8);
        let first = bit / 8;
        let mut octets = vec![(0_u8, 0_u8); (last - first + 1) as usize];
        for (index, (value, ignored)) in value.into_iter().zip(ignored).enumerate() {
            let at = bit - first * 8 + index as u64;
            let (mask, wanted) = &mut octets[(at / 8) as usize];
            let one = 0x80_u8 >> (at % 8);
            *mask |= if ignored { 0 } else { one };
            *wanted |= if value && !ignored { one } else { 0 };
        }
        let mut tests = Vec::new();
        let (mut from, mut rest) = (first, &octets[..]);
        while !rest.is_empty() {
            let size = [4, 2, 1].into_iter().find(|size| *size <= rest.len()).unwrap_or(1);
            let (chunk, after) = rest.split_at(size);
            let hex = |part: fn(&(u8, u8)) -> u8| {
                chunk.iter().fold("0x".to_owned(), |mut hex, octet| {
                    // Writing to a String cannot fail.
                    let _ = write!(hex, "{:02x}", part(octet));
                    hex
                })
            };
            if chunk.iter().any(|(mask, _)| *mask != 0) {
                let (mask, wanted) = (hex(|octet| octet.0), hex(|octet| octet.1));
                tests.push(format!("{of}[{from}:{size}] & {mask} = {wanted}"));
            }
            (from, rest) = (from + size as u64, after);
        }
        let tests = tests.join(" and ");
        self.terms.push(if field.negate == Some(true) {
            // A frame that ends before has no other value: it has none.
            format!("{of}[{last}] >= 0 and not ( {tests} )")
        } else {
            tests
        });
        Ok(())
    }
}

/// The bits of a number in hexadecimal digits, the highest first.
fn number(text: &str, bits: usize, at: &At<'_>) -> Result<Vec<bool>, Refusal> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let values: Option<Vec<u32>> = digits.chars().map(|digit| digit.to_digit(16)).collect();
    let Some(values) = values.filter(|values| !values.is_empty()) else {
        return Err(at.refuse(format!("\"{text}\" is not made of hexadecimal digits")));
    };
    let given: Vec<bool> = values
        .iter()
        .flat_map(|digit| (0..4).rev().map(move |bit| digit >> bit & 1 == 1))
        .collect();
    let over = given.len().saturating_sub(bits);
    if given[..over].contains(&true) {
        return Err(at.refuse(format!("0x{digits} has more than the {bits} bits of the field")));
    }
    let missing = vec![false; bits.saturating_sub(given.len())];
    Ok(missing.into_iter().chain(given.into_iter().skip(over)).collect())
}
