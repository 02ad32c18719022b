//! What a flow asks of its port: frames, bits, and whether the line can carry them.

use super::{Burst, End, Flow, PortSpec, Spec, error::SpecError};
use crate::units::{L1_OVERHEAD_BYTES, Rate, Ratio};

impl Flow {
    /// Mean frame size of a cycle, L2 with FCS.
    pub fn mean_size(&self) -> Ratio {
        let sum: u128 = self.sizes.iter().map(|size| u128::from(size.bytes())).sum();
        Ratio::new(sum, self.sizes.len().max(1) as u128)
    }

    /// The frames per second asked on a link of `link_bps` (see [`PortSpec::link_bps`]),
    /// of a `schedule` the most; `None` at `rate = "max"`.
    pub fn frames_per_second(&self, link_bps: u64) -> Option<Ratio> {
        let mean = self.mean_size();
        self.rates().filter_map(|rate| rate.frames_per_second(link_bps, mean)).max()
    }

    /// The key that says its rate, for messages.
    pub fn rate_key(&self) -> &'static str {
        if self.schedule.is_empty() { "rate" } else { "schedule" }
    }

    /// How many frames the flow asks for at `pps`: exactly floor(rate x seconds), or the
    /// number given. `None` when it runs until stopped.
    pub fn requested_frames(&self, pps: Ratio) -> Option<u64> {
        match self.end {
            End::Never => None,
            End::Frames(frames) => Some(frames),
            End::After(duration) => {
                let ns = duration.as_nanos();
                let frames = match self.burst {
                    None => frames_within(pps, ns),
                    Some(burst) => burst.frames_within(pps, ns),
                };
                Some(u64::try_from(frames).unwrap_or(u64::MAX))
            }
        }
    }

    /// L1 bits per second asked on a link of `link_bps`, of a `schedule` the most; `None`
    /// at `rate = "max"`.
    fn l1_bps(&self, link_bps: u64) -> Option<Ratio> {
        let l2_bytes = self.mean_size();
        let l1_bytes = l2_bytes.plus(u64::from(L1_OVERHEAD_BYTES).into());
        let bps = |rate| match rate {
            Rate::Frames(pps) => Some(pps.times(l1_bytes.times(8.into()))),
            Rate::L2Bits(bps) => Some(bps.times(l1_bytes.over(l2_bytes))),
            Rate::L1Bits(bps) => Some(bps),
            Rate::LineShare(share) => Some(share.times(link_bps.into())),
            Rate::Max => None,
        };
        self.rates().filter_map(bps).max()
    }
}

/// floor(pps x ns / 10^9), exact: flooring twice by whole divisors floors once.
fn frames_within(pps: Ratio, ns: u128) -> u128 {
    pps.floor_times(ns).map_or(u128::MAX, |frame_ns| frame_ns / 1_000_000_000)
}

impl Burst {
    /// Frames due after `ns`, when bursts at `pps` alternate with the gap. The time of a
    /// whole burst counts in full nanoseconds, rounded up.
    fn frames_within(&self, pps: Ratio, ns: u128) -> u128 {
        if pps == Ratio::ZERO {
            return 0;
        }
        let burst_frames = u128::from(self.frames);
        let seconds_each = Ratio::ONE.over(pps);
        let burst_ns = seconds_each.floor_times(burst_frames * 1_000_000_000).unwrap_or(u128::MAX);
        let burst_ns = if frames_within(pps, burst_ns) < burst_frames {
            burst_ns.saturating_add(1)
        } else {
            burst_ns
        };
        let cycle_ns = burst_ns.saturating_add(self.gap.as_nanos()).max(1);
        let (bursts, rest) = (ns / cycle_ns, ns % cycle_ns);
        bursts * burst_frames + frames_within(pps, rest).min(burst_frames)
    }
}

impl PortSpec {
    /// The line rate: what the file says, else what the link reports.
    pub fn link_bps(&self, reported: u64) -> u64 {
        self.line_bps.unwrap_or(reported)
    }
}

/// Parts of a bit that sums are kept in: rounding down a hundred thousand flows loses
/// less than a ten-thousandth of a bit per second.
const NANO: u128 = 1_000_000_000;

impl Spec {
    /// Checks every flow's rate, and their sum on each transmitting port, against the L1
    /// line rate. `link_bps` has what the link of each of [`Spec::ports`] reports, 0
    /// where that is unknown; a `line` in the file goes before it.
    pub fn check_line_rates(&self, link_bps: &[u64]) -> Result<(), SpecError> {
        for (at, port) in self.ports.iter().enumerate() {
            self.check_port(at, port, port.link_bps(link_bps.get(at).copied().unwrap_or(0)))?;
        }
        Ok(())
    }

    fn check_port(&self, at: usize, port: &PortSpec, line: u64) -> Result<(), SpecError> {
        let mut sum = 0_u128;
        for (index, flow) in self.flows.iter().enumerate().filter(|(_, flow)| flow.tx == at) {
            let wrong = |problem: String, allowed: String| {
                Err(SpecError::invalid(&self.place(index, flow.rate_key()), problem, allowed))
            };
            let share = flow.rates().find(|rate| matches!(rate, Rate::LineShare(_)));
            if let (Some(share), 0) = (share, line) {
                return wrong(
                    format!("{share} of a line whose rate port `{}` does not report", port.name),
                    format!("line = \"10G\" under [ports] {}, or a rate in pps or bps", port.name),
                );
            }
            let Some(bps) = flow.l1_bps(line).filter(|_| line > 0) else { continue };
            if bps > line.into() {
                return wrong(
                    format!(
                        "flow \"{}\" asks for {} of L1 on port `{}`, whose line carries {}",
                        flow.name,
                        Rate::L1Bits(bps),
                        port.name,
                        Rate::L1Bits(line.into())
                    ),
                    "at most 100% of L1 line rate".into(),
                );
            }
            sum = sum.saturating_add(bps.floor_times(NANO).unwrap_or(u128::MAX));
            if sum > u128::from(line) * NANO {
                return wrong(
                    format!(
                        "with flow \"{}\" the flows of port `{}` ask for {} of L1, and its line carries {}",
                        flow.name,
                        port.name,
                        Rate::L1Bits(Ratio::new(sum, NANO)),
                        Rate::L1Bits(line.into())
                    ),
                    "at most 100% of L1 line rate for all flows of a port together".into(),
                );
            }
        }
        Ok(())
    }
}
