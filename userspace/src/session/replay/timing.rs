//! When the frames of a recording are due: as they were captured, or at a fixed rate.

use super::ReplayError;
use crate::{
    packet::Recording,
    tx::ReplayTiming,
    units::{FCS_BYTES, L1_OVERHEAD_BYTES, Rate, Ratio},
};

/// The spacing of replayed frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayPace {
    /// The gaps of the capture, divided by `speed`.
    Original {
        /// How many times as fast.
        speed: Ratio,
    },
    /// Evenly: frames at a rate in frames, bits at a rate in bits.
    Rate(Rate),
}

const SECOND_NS: u64 = 1_000_000_000;

/// `None`: as fast as they go. `repeats`: whether there is a second round.
pub(super) fn timing(
    recording: &Recording,
    pace: ReplayPace,
    repeats: bool,
    link_bps: Option<u64>,
) -> Result<Option<ReplayTiming>, ReplayError> {
    let frames = recording.len() as u64;
    let even_l1 = |bps: Ratio| {
        let bits = |frame: usize| l1_bits(recording.frame(frame));
        even(frames, bits, Ratio::from(SECOND_NS).over(bps))
    };
    let timing = match pace {
        ReplayPace::Original { speed } => {
            let last_ns = recording.times_ns().last().copied().unwrap_or(0);
            if last_ns == 0 {
                // All at once; but nobody can say when the next round begins.
                return if repeats { Err(ReplayError::NoGaps) } else { Ok(None) };
            }
            let scaled = |ns: u64| (Ratio::from(ns).over(speed).floor()) as u64;
            // Between two rounds lies a mean gap.
            let round_ns =
                Ratio::new(u128::from(last_ns) * u128::from(frames), u128::from(frames - 1));
            ReplayTiming {
                due_ns: recording.times_ns().iter().map(|&ns| scaled(ns)).collect(),
                round_ns: round_ns.over(speed),
            }
        }
        ReplayPace::Rate(Rate::Max) => return Ok(None),
        ReplayPace::Rate(Rate::Frames(fps)) => {
            even(frames, |_| 1, Ratio::from(SECOND_NS).over(fps))
        }
        ReplayPace::Rate(Rate::L2Bits(bps)) => {
            let bits = |frame: usize| l2_bits(recording.frame(frame));
            even(frames, bits, Ratio::from(SECOND_NS).over(bps))
        }
        ReplayPace::Rate(Rate::L1Bits(bps)) => even_l1(bps),
        ReplayPace::Rate(Rate::LineShare(share)) => {
            even_l1(share.times(link_bps.ok_or(ReplayError::NoSpeed)?.into()))
        }
    };
    check_line(recording, &timing, link_bps)?;
    Ok(Some(timing))
}

/// Frames of so many units each, a unit every `unit_ns`.
fn even(frames: u64, units: impl Fn(usize) -> u64, unit_ns: Ratio) -> ReplayTiming {
    let mut total = 0_u64;
    let mut due_ns = Vec::with_capacity(frames as usize);
    for frame in 0..frames as usize {
        due_ns.push(unit_ns.times(total.into()).floor() as u64);
        total += units(frame);
    }
    ReplayTiming { due_ns, round_ns: unit_ns.times(total.into()) }
}

/// A mean over the line rate cannot be kept; bursts above it queue up for a while.
fn check_line(
    recording: &Recording,
    timing: &ReplayTiming,
    link_bps: Option<u64>,
) -> Result<(), ReplayError> {
    let Some(link_bps) = link_bps else { return Ok(()) };
    let bits: u64 = recording.frames().map(l1_bits).sum();
    let mean_bps = Ratio::from(bits).times(SECOND_NS.into()).over(timing.round_ns);
    if mean_bps <= link_bps.into() {
        return Ok(());
    }
    Err(ReplayError::OverLine {
        mean: Rate::L1Bits(Ratio::from(mean_bps.floor() as u64)),
        line: Rate::L1Bits(link_bps.into()),
    })
}

fn l2_bits(frame: &[u8]) -> u64 {
    (frame.len() as u64 + u64::from(FCS_BYTES)) * 8
}

fn l1_bits(frame: &[u8]) -> u64 {
    l2_bits(frame) + u64::from(L1_OVERHEAD_BYTES) * 8
}
