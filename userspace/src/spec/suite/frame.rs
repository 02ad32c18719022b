use crate::units::{FrameSize, Ratio};
use serde::{Deserialize, Serialize};

/// The frames of one row of a result: one size, or a mix of sizes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Frame {
    /// As the user named it: `64`, `imix`.
    pub name: String,
    /// One size or several.
    pub kind: FrameKind,
    /// Octets with FCS, as one fixed cycle: frame i has size `cycle[i % len]`. Never empty.
    pub cycle: Vec<u16>,
}

/// How many sizes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FrameKind {
    /// All frames are as long.
    Fixed,
    /// A mix.
    Imix,
}

impl Frame {
    /// Frames of one size.
    pub fn fixed(size: FrameSize) -> Self {
        Self { name: size.to_string(), kind: FrameKind::Fixed, cycle: vec![size.bytes()] }
    }

    /// A mix of sizes, sent in this order again and again.
    ///
    /// # Panics
    /// If there is no size.
    pub fn mix(name: impl Into<String>, cycle: &[FrameSize]) -> Self {
        assert!(!cycle.is_empty(), "a mix has a size");
        let cycle = cycle.iter().map(|size| size.bytes()).collect();
        Self { name: name.into(), kind: FrameKind::Imix, cycle }
    }

    /// Mean octets with FCS.
    pub fn mean_bytes(&self) -> Ratio {
        let sum: u128 = self.cycle.iter().map(|&bytes| u128::from(bytes)).sum();
        Ratio::new(sum, self.cycle.len() as u128)
    }

    /// Frames a second that fill a link of `link_bps` (RFC 2544 appendix B, kept exact).
    pub fn line_rate_fps(&self, link_bps: u64) -> Ratio {
        let overhead = Ratio::from(u64::from(crate::units::L1_OVERHEAD_BYTES));
        Ratio::from(link_bps).over(self.mean_bytes().plus(overhead).times(8.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_rates_are_those_of_appendix_b_before_rounding() {
        let fps =
            |bytes, link_bps| Frame::fixed(FrameSize::new(bytes).unwrap()).line_rate_fps(link_bps);
        assert_eq!(fps(64, 10_000_000_000), Ratio::new(312_500_000, 21));
        for (bytes, link_bps, floor) in [
            (64, 10_000_000, 14_880),
            (1518, 1_000_000_000, 81_274),
            (1280, 100_000_000_000, 9_615_384),
            (9216, 400_000_000_000, 5_413_598),
        ] {
            assert_eq!(fps(bytes, link_bps).floor(), floor, "{bytes} octets");
        }
    }

    #[test]
    fn a_mix_counts_by_its_mean() {
        let sizes = [64; 7].into_iter().chain([570; 4]).chain([1518]);
        let cycle: Vec<_> = sizes.map(|bytes| FrameSize::new(bytes).unwrap()).collect();
        let imix = Frame::mix("imix", &cycle);
        assert_eq!(imix.mean_bytes(), Ratio::new(4246, 12));
        assert_eq!(imix.line_rate_fps(10_000_000_000).floor(), 3_343_736);
    }
}
