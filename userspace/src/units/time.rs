use nix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Units with their length in ns, longest first.
const UNITS: [(&str, u128); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// The longest duration that a text can ask for: 100 years of 365 days.
const LONGEST: Duration = Duration::from_hours(24 * 365 * 100);

/// A duration as files and flags write it: `10s`, `5ms`, `1.5m`, `200us`, `64ns`, `2h`.
/// `None` if the text is none, is no whole number of nanoseconds, or is over a century.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic())?);
    let unit = if unit == "min" { "m" } else { unit };
    let (_, unit_ns) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    let (digits, scale) = super::decimal_digits(number.trim(), 20)?;
    let ns = digits * unit_ns;
    if ns % scale != 0 {
        return None;
    }
    let duration = Duration::from_nanos(u64::try_from(ns / scale).ok()?);
    (duration <= LONGEST).then_some(duration)
}

/// A form that [`parse_duration`] reads back exactly: `1.5s`, `200us`.
pub fn format_duration(duration: Duration) -> String {
    let ns = duration.as_nanos();
    let units = &UNITS[2..];
    let (unit, unit_ns) = *units.iter().find(|(_, unit)| ns >= *unit).unwrap_or(&("ns", 1));
    let (whole, rest) = (ns / unit_ns, ns % unit_ns);
    if rest == 0 {
        return format!("{whole}{unit}");
    }
    let width = unit_ns.ilog10() as usize;
    let fraction = format!("{rest:0width$}");
    format!("{whole}.{}{unit}", fraction.trim_end_matches('0'))
}

/// The same for people: at most three decimals, rounded.
pub fn format_duration_short(duration: Duration) -> String {
    let ns = duration.as_nanos();
    let unit_ns = UNITS[2..].iter().map(|(_, unit)| *unit).find(|unit| ns >= *unit).unwrap_or(1);
    let grain = (unit_ns / 1_000).max(1);
    let rounded = (ns + grain / 2) / grain * grain;
    format_duration(Duration::from_nanos(rounded.try_into().unwrap_or(u64::MAX)))
}

/// CLOCK_MONOTONIC in nanoseconds, the clock of `bpf_ktime_get_ns` (kernel/time/timekeeping.c).
#[inline]
pub fn monotonic_ns() -> u64 {
    let now =
        clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap_or(nix::sys::time::TimeSpec::new(0, 0));
    now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_unit_is_read() {
        for (text, ns) in [
            ("64ns", 64),
            ("200us", 200_000),
            ("5ms", 5_000_000),
            ("10s", 10_000_000_000),
            ("1.5m", 90_000_000_000),
            ("2min", 120_000_000_000),
            ("2h", 7_200_000_000_000),
            ("0s", 0),
            ("0.000000001s", 1),
            ("1.5us", 1_500),
            ("10 s", 10_000_000_000),
        ] {
            assert_eq!(parse_duration(text), Some(Duration::from_nanos(ns)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "10",
            "s",
            "-1s",
            "+1s",
            "1e3s",
            "10S",
            "1 0s",
            "10sec",
            "1d",
            ".5s",
            "1.2.3s",
            "inf",
            "0.5ns",
            "1.0000000001s",
            "999999999h",
            "99999999999999999999s",
            "１s",
            "10s ",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn short_form_has_three_decimals_at_most() {
        for (ns, text) in [
            (0, "0ns"),
            (999, "999ns"),
            (1_500, "1.5us"),
            (1_234_567, "1.235ms"),
            (999_999_999, "1s"),
            (61_000_000_000, "61s"),
        ] {
            assert_eq!(format_duration_short(Duration::from_nanos(ns)), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(ns in prop_oneof![0..10_000_u64, 0..3_000_000_000_000_000_000_u64]) {
            let duration = Duration::from_nanos(ns);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Some(duration));
        }

        #[test]
        fn no_text_panics(text in "[-0-9.a-zµ ]{0,24}") {
            let _ = parse_duration(&text);
        }
    }
}
