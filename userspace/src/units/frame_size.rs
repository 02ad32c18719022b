use serde::{Deserialize, Serialize};
use std::fmt;

/// Octets of the Ethernet frame check sequence, which the NIC adds and removes.
pub const FCS_BYTES: u16 = 4;

/// Octets that a frame takes on the wire beyond itself: preamble 7, delimiter 1, gap 12.
pub const L1_OVERHEAD_BYTES: u16 = 20;

/// Size of an Ethernet frame in octets, from destination address to FCS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct FrameSize(u16);

impl FrameSize {
    /// Least size of an Ethernet frame (IEEE 802.3).
    pub const MIN: FrameSize = FrameSize(64);
    /// Greatest size that a flow may ask for: a 9,216-octet jumbo frame.
    pub const MAX: FrameSize = FrameSize(9216);

    /// A size in octets with FCS, if it lies between [`Self::MIN`] and [`Self::MAX`].
    pub fn new(bytes: u16) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0).contains(&bytes).then_some(Self(bytes))
    }

    /// Octets with FCS (L2).
    pub fn bytes(self) -> u16 {
        self.0
    }

    /// Octets that software hands to the NIC.
    pub fn without_fcs(self) -> u16 {
        self.0 - FCS_BYTES
    }

    /// Octets of wire time: with preamble, delimiter and gap (L1).
    pub fn on_wire(self) -> u16 {
        self.0 + L1_OVERHEAD_BYTES
    }
}

impl TryFrom<u16> for FrameSize {
    type Error = &'static str;

    fn try_from(bytes: u16) -> Result<Self, Self::Error> {
        Self::new(bytes).ok_or("a frame has 64 to 9216 octets")
    }
}

impl From<FrameSize> for u16 {
    fn from(size: FrameSize) -> Self {
        size.0
    }
}

impl fmt::Display for FrameSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ethernet_sizes_exist() {
        for (bytes, exists) in [(0, false), (63, false), (64, true), (9216, true), (9217, false)] {
            assert_eq!(FrameSize::new(bytes).is_some(), exists, "{bytes}");
        }
        assert_eq!(FrameSize::new(64), Some(FrameSize::MIN));
        assert_eq!(FrameSize::new(9216), Some(FrameSize::MAX));
    }

    #[test]
    fn fcs_and_wire_time_are_counted_once() {
        let size = FrameSize::MIN;
        assert_eq!((size.without_fcs(), size.bytes(), size.on_wire()), (60, 64, 84));
        assert_eq!(size.to_string(), "64");
    }
}
