//! The tag: the 14 octets that mark a frame (abi.h, `tag_layout`).

use super::words::{load, part, store};
use xdp_ebpf::abi;

/// Octets of the tag.
pub const TAG_BYTES: usize = abi::TAG_BYTES as usize;

/// What a tag says, field by field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag {
    /// Session nonce, 18 bits.
    pub nonce: u32,
    /// Trial number, 0 to 63; 0: none.
    pub trial: u8,
    /// Stream id.
    pub stream: u16,
    /// Sequence number in its stream (serial arithmetic, RFC 1982).
    pub sequence: u32,
    /// Transmit time, `CLOCK_MONOTONIC` ns modulo 2^40.
    pub time_ns: u64,
}

/// What a worker writes into the tag of its next frame; fields as in [`Tag`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TagStamp {
    /// Nonce and trial as they stand in the frame, 24 bits; see [`TagStamp::magic`].
    pub magic: u32,
    /// Stream id.
    pub stream: u16,
    /// Sequence number.
    pub sequence: u32,
    /// Transmit time, `CLOCK_MONOTONIC` ns; the high 24 bits are cut off.
    pub time_ns: u64,
}

impl TagStamp {
    /// The magic of a session's nonce (low 18 bits) and a trial number (low 6 bits).
    pub fn magic(nonce: u32, trial: u8) -> u32 {
        let nonce = nonce & ((1 << abi::TAG_NONCE_BITS) - 1);
        nonce << abi::TAG_TRIAL_BITS | u32::from(trial) & (abi::TAG_TRIALS - 1)
    }

    /// Writes the tag at `at` and returns what it adds to a checksum whose sum starts at
    /// an even offset.
    ///
    /// # Panics
    /// If the tag does not lie inside `frame`.
    #[inline]
    pub(super) fn write(&self, frame: &mut [u8], at: usize) -> u64 {
        let tag = u128::from(self.magic & 0xff_ffff) << 88
            | u128::from(self.stream) << 72
            | u128::from(self.sequence) << 40
            | u128::from(self.time_ns & ((1 << abi::TAG_TIME_BITS) - 1));
        let (head, tail) = ((tag >> 48) as u64, tag as u64);
        // Two words that overlap by two octets, for want of one of 14.
        let frame = &mut frame[at..at + TAG_BYTES];
        store(frame, 0, head.to_be_bytes());
        store(frame, 6, tail.to_be_bytes());
        let sum = part(head) + part(tail & 0xffff_ffff_ffff);
        // At an odd offset every octet falls on the other half of its word; 8 bits of
        // rotation modulo 2^16 - 1 are a multiplication by 256 (RFC 1071, byte order).
        if at & 1 == 0 { sum } else { sum << 8 }
    }
}

impl Tag {
    /// Reads 14 octets.
    pub fn decode(bytes: &[u8; TAG_BYTES]) -> Self {
        let head = u64::from_be_bytes(load(bytes, 0));
        let tail = u64::from_be_bytes(load(bytes, 6));
        Self {
            nonce: (head >> (40 + abi::TAG_TRIAL_BITS)) as u32,
            trial: (head >> 40) as u8 & (abi::TAG_TRIALS - 1) as u8,
            stream: (head >> 24) as u16,
            sequence: u32::from_be_bytes(load(bytes, 5)),
            time_ns: tail & ((1 << abi::TAG_TIME_BITS) - 1),
        }
    }

    /// The 14 octets; what does not fit its field is cut off.
    pub fn encode(&self) -> [u8; TAG_BYTES] {
        let mut bytes = [0; TAG_BYTES];
        let magic = TagStamp::magic(self.nonce, self.trial);
        TagStamp { magic, stream: self.stream, sequence: self.sequence, time_ns: self.time_ns }
            .write(&mut bytes, 0);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_octets_stand_where_abi_h_puts_them() {
        let tag = Tag {
            nonce: 0x2_a5c3,
            trial: 0x15,
            stream: 0x1234,
            sequence: 0x89ab_cdef,
            time_ns: 0x11_2233_4455,
        };
        // 10_1010_0101_1100_0011 then 01_0101.
        let bytes =
            [0xa9, 0x70, 0xd5, 0x12, 0x34, 0x89, 0xab, 0xcd, 0xef, 0x11, 0x22, 0x33, 0x44, 0x55];
        assert_eq!(tag.encode(), bytes);
        assert_eq!(Tag::decode(&bytes), tag);
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            nonce in 0_u32..1 << 18, trial in 0_u8..64, stream: u16, sequence: u32, time_ns in 0_u64..1 << 40,
        ) {
            let tag = Tag { nonce, trial, stream, sequence, time_ns };
            prop_assert_eq!(Tag::decode(&tag.encode()), tag);
        }
    }
}
