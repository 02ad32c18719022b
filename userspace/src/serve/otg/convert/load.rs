//! `rate` and `duration` to the flow file's keys.

use super::super::{
    Refusal,
    model::{Duration, DurationForm, Rate, RateForm, Time, TimeForm, Whole},
    refusal::At,
};
use serde_json::{Map, Value, json};

/// Octets between two frames at least, on any line (IEEE 802.3: the interpacket gap).
const GAP: u64 = 12;
/// The longest delay and silence.
const DAY_NS: f64 = 86_400e9;
/// Octets before every frame: preamble and start delimiter.
const PREAMBLE: u64 = 8;

/// The rate as the flow file writes it. A percentage is of `line_bps` where the client gave
/// that speed, else of the link's own.
pub(super) fn rate(
    rate: Option<&Rate>,
    line_bps: Option<u64>,
    at: &At<'_>,
) -> Result<String, Refusal> {
    let Some(rate) = rate else { return Ok("1000pps".into()) };
    let given = [
        (RateForm::Pps, "pps", rate.pps.is_some()),
        (RateForm::Bps, "bps", rate.bps.is_some()),
        (RateForm::Kbps, "kbps", rate.kbps.is_some()),
        (RateForm::Mbps, "mbps", rate.mbps.is_some()),
        (RateForm::Gbps, "gbps", rate.gbps.is_some()),
        (RateForm::Percentage, "percentage", rate.percentage.is_some()),
    ];
    let form = super::chosen(rate.choice, &given, RateForm::Pps, at)?;
    let whole = |name, value: Option<Whole>, default, unit: &str| {
        let value = value.map_or(default, |value| value.0);
        let most = 1_000_000_000_000;
        if value == 0 || value >= most {
            let at = at.key(name);
            return Err(at.refuse(format!("{value} is no rate; allowed: 1 to {}", most - 1)));
        }
        Ok(format!("{value}{unit}"))
    };
    match form {
        RateForm::Pps => whole("pps", rate.pps, 1000, "pps"),
        RateForm::Bps => whole("bps", rate.bps, 1_000_000_000, "bps"),
        RateForm::Kbps => whole("kbps", rate.kbps, 1_000_000, "kbps"),
        RateForm::Mbps => whole("mbps", rate.mbps, 1000, "Mbps"),
        RateForm::Gbps => whole("gbps", rate.gbps, 1, "Gbps"),
        RateForm::Percentage => {
            let at = at.key("percentage");
            let percentage = rate.percentage.unwrap_or(100.0);
            // The schema's are 32-bit floats: seven digits.
            let hundred_thousandths = (percentage * 1e5).round();
            if !(hundred_thousandths >= 1.0 && percentage <= 100.0) {
                return Err(at.refuse(format!("{percentage} %; allowed: above 0, at most 100")));
            }
            let parts = hundred_thousandths as u128;
            Ok(match line_bps {
                // Parts of 10^7 of the line; all speeds are whole multiples of that.
                Some(bps) => format!("{}bps-l1", parts * u128::from(bps) / 10_000_000),
                None => format!("{}.{:05}%", parts / 100_000, parts % 100_000),
            })
        }
    }
}

/// What is known of a flow's port and frames when its times are converted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// Speed, in bits per second.
    pub(super) bps: Option<u64>,
}

impl Line {
    /// The time of so many octets on the line, ns.
    fn octets_ns(self, octets: f64, at: &At<'_>) -> Result<f64, Refusal> {
        match self.bps {
            _ if octets == 0.0 => Ok(0.0),
            Some(bps) => Ok(octets * 8e9 / bps as f64),
            None => Err(at.refuse(
                "a time in bytes on a link that reports no speed; give layer1[].speed, or nanoseconds",
            )),
        }
    }
}

/// A time in whole nanoseconds; `default` where nothing is said.
fn time_ns(
    time: Option<&Time>,
    defaults: (f64, f64, f64),
    line: Line,
    at: &At<'_>,
) -> Result<u64, Refusal> {
    let time = time.cloned().unwrap_or_default();
    let given = [
        (TimeForm::Bytes, "bytes", time.bytes.is_some()),
        (TimeForm::Nanoseconds, "nanoseconds", time.nanoseconds.is_some()),
        (TimeForm::Microseconds, "microseconds", time.microseconds.is_some()),
    ];
    let (bytes, ns, us) = defaults;
    let ns = match super::chosen(time.choice, &given, TimeForm::Bytes, at)? {
        TimeForm::Bytes => line.octets_ns(time.bytes.unwrap_or(bytes), &at.key("bytes"))?,
        TimeForm::Nanoseconds => time.nanoseconds.unwrap_or(ns),
        TimeForm::Microseconds => time.microseconds.unwrap_or(us) * 1e3,
    };
    if !(0.0..=DAY_NS).contains(&ns) {
        return Err(at.refuse(format!("{ns} ns; allowed: 0 to a day")));
    }
    Ok(ns.round() as u64)
}

/// The keys that end a flow and delay its start; the least gap between two frames, in octets.
pub(super) fn duration(
    duration: Option<&Duration>,
    line: Line,
    at: &At<'_>,
) -> Result<(Map<String, Value>, u64), Refusal> {
    let mut keys = Map::new();
    let duration = duration.cloned().unwrap_or_default();
    let given = [
        (DurationForm::FixedPackets, "fixed_packets", duration.fixed_packets.is_some()),
        (DurationForm::FixedSeconds, "fixed_seconds", duration.fixed_seconds.is_some()),
        (DurationForm::Burst, "burst", duration.burst.is_some()),
        (DurationForm::Continuous, "continuous", duration.continuous.is_some()),
    ];
    let whole = |value: Option<Whole>, default| value.map_or(default, |value| value.0);
    let (gap, delay, name) =
        match super::chosen(duration.choice, &given, DurationForm::Continuous, at)? {
            DurationForm::FixedPackets => {
                let fixed = duration.fixed_packets.unwrap_or_default();
                keys.insert("frames".into(), json!(whole(fixed.packets, 1)));
                (fixed.gap, fixed.delay, "fixed_packets")
            }
            DurationForm::FixedSeconds => {
                let fixed = duration.fixed_seconds.unwrap_or_default();
                let seconds = fixed.seconds.unwrap_or(1.0);
                if !(1e-6..=1e9).contains(&seconds) {
                    let at = at.key("fixed_seconds");
                    let at = at.key("seconds");
                    return Err(at.refuse(format!("{seconds} s; allowed: above 0")));
                }
                let ns = (seconds * 1e9).round() as u64;
                keys.insert("duration".into(), json!(format!("{ns}ns")));
                (fixed.gap, fixed.delay, "fixed_seconds")
            }
            DurationForm::Continuous => {
                let continuous = duration.continuous.unwrap_or_default();
                (continuous.gap, continuous.delay, "continuous")
            }
            DurationForm::Burst => {
                let burst = duration.burst.unwrap_or_default();
                let at = at.key("burst");
                let gap = &at.key("inter_burst_gap");
                let gap_ns =
                    time_ns(burst.inter_burst_gap.as_ref(), (12.0, 96.0, 0.096), line, gap)?;
                let mut train = Map::new();
                train.insert("frames".into(), json!(whole(burst.packets, 1)));
                train.insert("gap".into(), json!(format!("{}ns", gap_ns.max(1))));
                if let bursts @ 1.. = whole(burst.bursts, 0) {
                    train.insert("repeat".into(), json!(bursts));
                }
                keys.insert("burst".into(), Value::Object(train));
                (burst.gap, None, "burst")
            }
        };
    let at = at.key(name);
    let delay_ns = time_ns(delay.as_ref(), (0.0, 0.0, 0.0), line, &at.key("delay"))?;
    if delay_ns > 0 {
        keys.insert("delay".into(), json!(format!("{delay_ns}ns")));
    }
    Ok((keys, whole(gap, GAP)))
}

/// Fails if the rate, `fps`, does not leave a gap of so many octets behind the longest frame.
pub(super) fn check_gap(
    gap: u64,
    fps: f64,
    longest: u16,
    line: Line,
    at: &At<'_>,
) -> Result<(), Refusal> {
    if gap <= GAP {
        return Ok(());
    }
    let octet_ns = line.octets_ns(1.0, at)?;
    let left = 1e9 / fps / octet_ns - (u64::from(longest) + PREAMBLE) as f64;
    if left + 1e-6 < gap as f64 {
        return Err(at.refuse(format!(
            "the rate leaves {left:.0} bytes between two frames, but the least gap is {gap}; lower the rate or the gap"
        )));
    }
    Ok(())
}
