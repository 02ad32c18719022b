//! What an independent receiver saw: tcpdump's stamps of every frame.

use anyhow::{Result, bail, ensure};

/// Bars per doubling, and doublings below and above an even spacing.
const BARS: i32 = 4;
pub const OCTAVES: i32 = 5;

/// Times of arrival, ns since the epoch, from a capture file with nanoseconds.
pub fn arrivals_ns(file: &[u8]) -> Result<Vec<u64>> {
    let word = |at: usize| -> Option<u64> {
        let octets = file.get(at..at + 4)?;
        Some(u64::from(u32::from_ne_bytes(octets.try_into().ok()?)))
    };
    match word(0) {
        Some(0xa1b2_3c4d) => (),
        Some(_) => bail!("no capture with nanoseconds"),
        None => bail!("an empty capture"),
    }
    let (mut at, mut times) = (24, Vec::new());
    while let (Some(seconds), Some(ns), Some(kept)) = (word(at), word(at + 4), word(at + 8)) {
        times.push(seconds * 1_000_000_000 + ns);
        at += 16 + kept as usize;
    }
    ensure!(at == file.len(), "the capture ends within a frame");
    Ok(times)
}

/// How evenly frames came.
#[derive(Debug, PartialEq)]
pub struct Spacing {
    /// First to last frame.
    pub span_ns: u64,
    pub p1_ns: u64,
    pub p50_ns: u64,
    pub p99_ns: u64,
    pub max_ns: u64,
    pub stddev_ns: f64,
    /// Shares of the gaps, by their size over the even one: from 2^-5 to 2^5, four bars a
    /// doubling; what lies beyond is in the outermost bars.
    pub bars: Vec<f64>,
}

impl Spacing {
    /// `None` for fewer than two frames.
    pub fn of(arrivals_ns: &[u64], even_ns: f64) -> Option<Self> {
        let mut gaps: Vec<u64> =
            arrivals_ns.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        gaps.sort_unstable();
        let max_ns = *gaps.last()?;
        let rank = |share: f64| gaps[((gaps.len() as f64 * share).ceil() as usize).max(1) - 1];
        let span_ns = arrivals_ns.last()? - arrivals_ns.first()?;
        let mean = span_ns as f64 / gaps.len() as f64;
        let squares: f64 = gaps.iter().map(|&gap| (gap as f64 - mean).powi(2)).sum();
        let mut bars = vec![0.0; (2 * OCTAVES * BARS + 1) as usize];
        for &gap in &gaps {
            let octaves = (gap.max(1) as f64 / even_ns).log2();
            let bar = (octaves * f64::from(BARS)).round() as i32 + OCTAVES * BARS;
            bars[bar.clamp(0, 2 * OCTAVES * BARS) as usize] += 1.0 / gaps.len() as f64;
        }
        Some(Self {
            span_ns,
            p1_ns: rank(0.01),
            p50_ns: rank(0.5),
            p99_ns: rank(0.99),
            max_ns,
            stddev_ns: (squares / gaps.len() as f64).sqrt(),
            bars,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_whatever_is_kept_of_the_frames() {
        let mut file = Vec::new();
        for word in [0xa1b2_3c4d_u32, 0x0004_0002, 0, 0, 64, 1] {
            file.extend(word.to_ne_bytes());
        }
        for (seconds, ns, kept) in [(1_u32, 5_u32, 3_u32), (2, 7, 0)] {
            for word in [seconds, ns, kept, 60] {
                file.extend(word.to_ne_bytes());
            }
            file.extend(vec![0; kept as usize]);
        }
        assert_eq!(arrivals_ns(&file).unwrap(), [1_000_000_005, 2_000_000_007]);
        assert!(arrivals_ns(&file[..file.len() - 17]).is_err());
        assert!(arrivals_ns(&[1; 24]).is_err());
    }

    #[test]
    fn even_frames_stand_in_the_middle_bar_and_convoys_at_the_sides() {
        let even: Vec<u64> = (0..101).map(|i| i * 1000).collect();
        let spacing = Spacing::of(&even, 1000.0).unwrap();
        assert_eq!((spacing.p1_ns, spacing.p50_ns, spacing.max_ns), (1000, 1000, 1000));
        assert!((spacing.bars[20] - 1.0).abs() < 1e-9 && spacing.stddev_ns < 1e-9);
        // Pairs: a gap of 1 ns and one of 1999 ns.
        let pairs: Vec<u64> = (0..100).flat_map(|i| [i * 2000, i * 2000 + 1]).collect();
        let spacing = Spacing::of(&pairs, 1000.0).unwrap();
        assert!((spacing.bars[0] - 0.5).abs() < 0.01 && (spacing.bars[24] - 0.5).abs() < 0.01);
        assert_eq!(Spacing::of(&[1], 1000.0), None);
    }
}
