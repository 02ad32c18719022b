//! Whether a calibration holds for a run, and what it says of its frames.

use super::{Calibration, End, Point, Setting, age};
use std::{ops::RangeInclusive, time::Duration};

/// After this a calibration is measured again: 30 days.
pub const MAX_AGE: Duration = Duration::from_hours(30 * 24);

/// What is taken off a latency, and how far the rest may still be off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Correction {
    /// Subtracted from every latency.
    pub bias_ns: i64,
    /// Half-width of what is not known.
    pub uncertainty_ns: u64,
}

impl Calibration {
    /// Why it does not hold for `setting` at `now`; `None`: it does.
    pub fn stale(&self, setting: &Setting, now: jiff::Timestamp) -> Option<String> {
        let age = age(self.measured, now);
        if age > MAX_AGE {
            let days = age.as_secs() / 86_400;
            return Some(format!("it is {days} days old, over {}", MAX_AGE.as_secs() / 86_400));
        }
        let then = &self.setting;
        let changed = [
            ("linerate", &then.tool, &setting.tool),
            ("the kernel", &then.kernel, &setting.kernel),
            ("the definition of latency", &then.definition, &setting.definition),
            ("the clock", &then.clock, &setting.clock),
        ];
        changed
            .iter()
            .find(|(_, then, now)| then != now)
            .map(|(what, then, now)| format!("{what} was {then} and is {now}"))
            .or_else(|| changed_end(&then.tx, &setting.tx))
            .or_else(|| changed_end(&then.rx, &setting.rx))
    }

    /// The correction for frames of these sizes at this rate: from the measured points
    /// that enclose them. Where those differ, it is the middle, and half the difference
    /// is uncertain too.
    ///
    /// # Errors
    /// A sentence where the points do not enclose sizes and rate.
    pub fn correction(
        &self,
        frame_bytes: &RangeInclusive<u16>,
        rate_pps: f64,
    ) -> Result<Correction, String> {
        let sizes = self.points.iter().map(|point| f64::from(point.frame_bytes)).collect();
        let wanted = f64::from(*frame_bytes.start())..=f64::from(*frame_bytes.end());
        let sizes = enclosing(sizes, &wanted)
            .map_err(|(least, most)| format!("it covers frames of {least} to {most} octets"))?;
        let at_size = |point: &&Point| sizes.contains(&f64::from(point.frame_bytes));
        let rates = self.points.iter().filter(at_size).map(|point| point.rate_pps).collect();
        let rates = enclosing(rates, &(rate_pps..=rate_pps)).map_err(|(least, most)| {
            format!("it covers {least} to {most} frames/s, the port sends {rate_pps:.0}")
        })?;
        let points: Vec<&Point> = self
            .points
            .iter()
            .filter(|point| at_size(point) && rates.contains(&point.rate_pps))
            .collect();
        let biases = points.iter().map(|point| point.p50_ns);
        let Some((least, most)) = biases.clone().min().zip(biases.max()) else {
            return Err("it has no point".to_owned());
        };
        let spread = points.iter().map(|point| point.spread_ns()).max().unwrap_or(0);
        Ok(Correction {
            bias_ns: least.midpoint(most),
            uncertainty_ns: spread + (most - least).unsigned_abs().div_ceil(2),
        })
    }
}

/// The values next to `wanted`, below and above, or all there is as an error.
fn enclosing(
    mut values: Vec<f64>,
    wanted: &RangeInclusive<f64>,
) -> Result<RangeInclusive<f64>, (f64, f64)> {
    values.sort_by(f64::total_cmp);
    // A rate is known to some digits only.
    let (low, high) = (wanted.start() * (1.0 + 1e-6), wanted.end() * (1.0 - 1e-6));
    let below = values.iter().rev().find(|&&value| value <= low);
    let above = values.iter().find(|&&value| value >= high);
    match (below, above) {
        (Some(&below), Some(&above)) => Ok(below.min(above)..=above.max(below)),
        _ => Err((
            values.first().copied().unwrap_or_default(),
            values.last().copied().unwrap_or_default(),
        )),
    }
}

fn changed_end(then: &End, now: &End) -> Option<String> {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    let speed = |bps: Option<u64>| bps.map_or("none".to_owned(), |bps| format!("{bps} bit/s"));
    let facts = [
        ("hardware address", then.mac.clone(), now.mac.clone()),
        ("driver", then.driver.clone(), now.driver.clone()),
        ("firmware", or_none(&then.firmware), or_none(&now.firmware)),
        ("MTU", then.mtu.to_string(), now.mtu.to_string()),
        ("mode", then.mode.clone(), now.mode.clone()),
        ("link speed", speed(then.link_bps), speed(now.link_bps)),
    ];
    facts
        .into_iter()
        .find(|(_, then, now)| then != now)
        .map(|(what, then, found)| format!("the {what} of {} was {then} and is {found}", now.port))
}
