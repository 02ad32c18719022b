//! `schedule`: a rate that changes over time, in steps and in linear ramps.

use super::{
    Flow,
    error::SpecError,
    flow,
    model::Step,
    node::{Node, Section, Value},
};
use crate::units::{Rate, Ratio};
use std::time::Duration;

/// A stretch of time over which the rate is constant or changes evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg {
    /// Its begin, ns after the flow's.
    pub start_ns: u64,
    /// Its length; `None`: it does not end.
    pub length_ns: Option<u64>,
    /// Frames per second at its begin.
    pub from: Ratio,
    /// Frames per second at its end.
    pub to: Ratio,
}

const FORM: &str = "a list of steps such as [{at = \"0s\", rate = \"10%\"}, {at = \"10s\", rate = \"50%\", ramp = \"5s\"}]";

/// Reads `schedule`: the first step at 0, the others in order, each after the ramp of
/// the one before.
pub(super) fn read(node: &Node) -> Result<Vec<Step>, SpecError> {
    let Value::List(nodes) = &node.value else { return Err(node.unfit(FORM)) };
    if nodes.is_empty() {
        return Err(node.wrong("no step at all", FORM));
    }
    let mut steps: Vec<Step> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let section = Section::open(node, &["at", "rate", "ramp"])?;
        let at_node = section.need("at", "a time after the start, such as \"10s\"")?;
        let rate_node = section.need("rate", Rate::FORMS)?;
        let step = Step {
            at: flow::read_time(at_node)?,
            rate: flow::read_rate(rate_node)?,
            ramp: section.get("ramp").map_or(Ok(Duration::ZERO), flow::read_time)?,
        };
        if step.rate == Rate::Max {
            return Err(rate_node.wrong("\"max\" is no rate to keep", "a rate in pps, bps or %"));
        }
        match steps.last() {
            None if step.at > Duration::ZERO => {
                return Err(at_node.wrong("the first step is not at the start", "at = \"0s\""));
            }
            Some(last) if step.at <= last.at || step.at < last.at + last.ramp => {
                return Err(at_node.wrong(
                    "the step does not come after the one before and its ramp",
                    "steps in order of time",
                ));
            }
            _ => steps.push(step),
        }
    }
    Ok(steps)
}

impl Flow {
    /// Every rate that the flow keeps at some time.
    pub fn rates(&self) -> impl Iterator<Item = Rate> + '_ {
        let fixed = self.schedule.is_empty().then_some(self.rate);
        fixed.into_iter().chain(self.schedule.iter().map(|step| step.rate))
    }

    /// The rate over time on a link of `link_bps`, without a hole; the first ramp begins at
    /// nothing. `None` at `rate = "max"`.
    pub fn legs(&self, link_bps: u64) -> Option<Vec<Leg>> {
        let mean = self.mean_size();
        if self.schedule.is_empty() {
            let fps = self.rate.frames_per_second(link_bps, mean)?;
            return Some(vec![Leg { start_ns: 0, length_ns: None, from: fps, to: fps }]);
        }
        let ns = |time: Duration| time.as_nanos() as u64;
        let mut legs: Vec<Leg> = Vec::with_capacity(2 * self.schedule.len());
        let mut before = Ratio::ZERO;
        for step in &self.schedule {
            let start_ns = ns(step.at);
            if let Some(last) = legs.last_mut() {
                last.length_ns = Some(start_ns - last.start_ns);
            }
            let to = step.rate.frames_per_second(link_bps, mean)?;
            let ramp_ns = ns(step.ramp);
            if ramp_ns > 0 {
                legs.push(Leg { start_ns, length_ns: Some(ramp_ns), from: before, to });
            }
            legs.push(Leg { start_ns: start_ns + ramp_ns, length_ns: None, from: to, to });
            before = to;
        }
        // A step that begins where the ramp before it ends leaves no time between.
        legs.retain(|leg| leg.length_ns != Some(0));
        Some(legs)
    }
}

/// From `ns` on the rate is `fps`, whatever was planned.
pub fn change_rate(legs: &mut Vec<Leg>, ns: u64, fps: Ratio) {
    legs.retain(|leg| leg.start_ns < ns);
    if let Some(last) = legs.last_mut() {
        let length_ns = ns - last.start_ns;
        if let Some(planned_ns) = last.length_ns.filter(|_| last.from != last.to) {
            // Where the ramp is cut, to a millionth of a frame per second.
            let (from, to) = (last.from.to_f64(), last.to.to_f64());
            let rate = from + (to - from) * (length_ns as f64 / planned_ns as f64);
            last.to = Ratio::new((rate * 1e6) as u128, 1_000_000);
        }
        last.length_ns = Some(length_ns);
    }
    legs.push(Leg { start_ns: ns, length_ns: None, from: fps, to: fps });
}

/// Frames due within `ns`: the floor of the integral of the rate, exact where the rates'
/// common denominator is at most 2^32.
pub fn frames_within(legs: &[Leg], ns: u64) -> u64 {
    exact(legs, ns).unwrap_or(u64::MAX)
}

/// `None`: more than 128 bits.
fn exact(legs: &[Leg], ns: u64) -> Option<u64> {
    const DENOMINATOR_MAX: u128 = 1 << 32;
    let ends = || legs.iter().flat_map(|leg| [leg.from, leg.to]);
    let common = ends().try_fold(1_u128, |common, rate| {
        // a/b in lowest terms has for b what the least common multiple adds to `a`.
        let added = Ratio::new(common, rate.denominator()).denominator();
        Some(common * added).filter(|&common| common <= DENOMINATOR_MAX)
    });
    let denominator = common.unwrap_or(DENOMINATOR_MAX);
    // Twice the frames, in parts of a frame: 1 / (denominator x 10^9).
    let mut doubled = 0_u128;
    for leg in legs.iter().take_while(|leg| leg.start_ns < ns) {
        let (from, to) = (leg.from.floor_times(denominator)?, leg.to.floor_times(denominator)?);
        let left_ns = ns - leg.start_ns;
        let length_ns = leg.length_ns.unwrap_or(left_ns).max(1);
        let time_ns = length_ns.min(left_ns);
        let time = u128::from(time_ns);
        // from x t + (to - from) x t^2 / (2 x length), rounded towards less.
        let change = to.abs_diff(from).checked_mul(time)?;
        let share = Ratio::new(time, length_ns.into());
        let curved = share.floor_times(change)?;
        let even = from.checked_mul(2)?.checked_mul(time)?;
        doubled = doubled.checked_add(if to >= from {
            even.checked_add(curved)?
        } else {
            let parts = share.denominator();
            let exact = ((change % parts) * share.numerator()).is_multiple_of(parts);
            even - curved - u128::from(!exact)
        })?;
    }
    u64::try_from(doubled / (2 * denominator * 1_000_000_000)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leg(start_ns: u64, length_ns: Option<u64>, from: u64, to: u64) -> Leg {
        Leg { start_ns, length_ns, from: from.into(), to: to.into() }
    }

    const S: u64 = 1_000_000_000;

    #[test]
    fn steps_and_ramps_are_integrated_exactly() {
        let legs = [
            leg(0, Some(2 * S), 100, 100),
            leg(2 * S, Some(4 * S), 100, 500),
            leg(6 * S, None, 500, 500),
        ];
        for (ns, frames) in [
            (0, 0),
            (S, 100),
            (2 * S, 200),
            (3 * S, 350),
            (4 * S, 600),
            (6 * S, 1400),
            (8 * S, 2400),
            (8 * S - 1, 2399),
        ] {
            assert_eq!(frames_within(&legs, ns), frames, "{ns} ns");
        }
        let down = [leg(0, Some(10 * S), 1000, 0)];
        assert_eq!(frames_within(&down, 5 * S), 3750);
        assert_eq!(frames_within(&down, 10 * S), 5000);
    }

    #[test]
    fn a_change_cuts_what_was_planned() {
        let mut legs = vec![leg(0, Some(S), 100, 100), leg(S, Some(2 * S), 100, 300)];
        change_rate(&mut legs, 2 * S, 10.into());
        change_rate(&mut legs, 4 * S, 1000.into());
        assert_eq!(
            legs,
            [
                leg(0, Some(S), 100, 100),
                leg(S, Some(S), 100, 200),
                leg(2 * S, Some(2 * S), 10, 10),
                leg(4 * S, None, 1000, 1000),
            ]
        );
        assert_eq!(frames_within(&legs, 5 * S), 100 + 150 + 20 + 1000);
        let mut from_the_start = vec![leg(0, None, 7, 7)];
        change_rate(&mut from_the_start, 0, 5.into());
        assert_eq!(from_the_start, [leg(0, None, 5, 5)]);
    }

    #[test]
    fn a_line_share_that_comes_out_even_loses_no_frame() {
        let fps = Ratio::new(31_250_000, 21);
        let legs = [Leg { start_ns: 0, length_ns: None, from: fps, to: fps }];
        assert_eq!(frames_within(&legs, 21 * S), 31_250_000);
    }

    proptest! {
        #[test]
        fn the_integral_is_that_of_small_steps(
            from in 0_u64..5_000, to in 0_u64..5_000, ms in 1_u64..4_000, until_ms in 1_u64..6_000
        ) {
            let legs = [leg(0, Some(ms * 1_000_000), from, to), leg(ms * 1_000_000, None, to, to)];
            // The mean rate of each millisecond, which is exact for a linear rate.
            let rate = |half_ms: u64| {
                let share = half_ms.min(2 * ms) as f64 / (2 * ms) as f64;
                from as f64 + (to as f64 - from as f64) * share
            };
            let sum: f64 = (0..until_ms).map(|at| rate(2 * at + 1) / 1000.0).sum();
            let found = frames_within(&legs, until_ms * 1_000_000) as f64;
            prop_assert!(found <= sum + 1e-6 && found > sum - 1.0 - 1e-6, "{found} of {sum}");
        }
    }
}
