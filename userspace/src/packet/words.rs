//! Words of a frame in network order, and the Internet checksum over them (RFC 1071).
//!
//! A sum here is a `u64` accumulator of 32-bit halves. Since 2^16 = 1 modulo 65,535, a
//! word of 2, 4 or 8 octets at an even offset adds the same as its 16-bit parts.

/// What a word of up to 64 bits adds to a checksum, not yet folded.
#[inline]
pub(super) fn part(word: u64) -> u64 {
    (word >> 32) + (word & 0xffff_ffff)
}

/// A sum folded to 16 bits; 0 only if nothing but zeros was added.
#[inline]
pub(super) fn fold(sum: u64) -> u16 {
    let sum = part(sum);
    let sum = (sum >> 16) + (sum & 0xffff);
    let sum = (sum >> 16) + (sum & 0xffff);
    ((sum >> 16) + (sum & 0xffff)) as u16
}

/// The sum of octets that start at an even offset; an odd last one is padded with zero.
pub(super) fn sum(bytes: &[u8]) -> u64 {
    bytes
        .chunks(2)
        .map(|pair| u64::from(pair[0]) << 8 | u64::from(*pair.get(1).unwrap_or(&0)))
        .sum()
}

/// Writes `bits` into the `mask` of the word of `width` octets (2, 4, else 8) at `at`.
///
/// # Panics
/// If the word does not lie inside `frame`.
#[inline]
pub(super) fn splice(frame: &mut [u8], at: usize, width: u8, mask: u64, bits: u64) {
    match width {
        2 => store(
            frame,
            at,
            (u16::from_be_bytes(load(frame, at)) & !(mask as u16) | bits as u16).to_be_bytes(),
        ),
        4 => store(
            frame,
            at,
            (u32::from_be_bytes(load(frame, at)) & !(mask as u32) | bits as u32).to_be_bytes(),
        ),
        _ => store(frame, at, (u64::from_be_bytes(load(frame, at)) & !mask | bits).to_be_bytes()),
    }
}

/// The `N` octets at `at`.
#[inline]
pub(super) fn load<const N: usize>(frame: &[u8], at: usize) -> [u8; N] {
    let mut word = [0; N];
    word.copy_from_slice(&frame[at..at + N]);
    word
}

/// Puts `N` octets at `at`.
#[inline]
pub(super) fn store<const N: usize>(frame: &mut [u8], at: usize, word: [u8; N]) {
    frame[at..at + N].copy_from_slice(&word);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_word_adds_the_same_as_its_sixteen_bit_parts(words in proptest::collection::vec(any::<u64>(), 1..40)) {
            let whole = words.iter().map(|&word| part(word)).sum();
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
            prop_assert_eq!(fold(whole), fold(sum(&bytes)));
        }
    }

    #[test]
    fn the_example_of_rfc_1071_section_3_adds_up() {
        assert_eq!(fold(sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7])), 0xddf2);
    }
}
