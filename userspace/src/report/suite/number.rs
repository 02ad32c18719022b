//! Numbers of suites for people: nothing rounds up to all or down to nothing.

use crate::report::text;

/// A share of 1 as a percentage with up to four decimals, without the sign. `0` and `100`
/// stand for exactly that; what would round to them is `<0.0001` or `>99.9999`.
pub(super) fn percent(share: f64) -> String {
    bounded(share, 4)
}

/// A loss ratio as a percentage with six decimals (methods want at least as many).
pub(super) fn loss_percent(share: f64) -> String {
    bounded(share, 6)
}

fn bounded(share: f64, decimals: usize) -> String {
    let percent = share * 100.0;
    let grain = 10_f64.powi(-(decimals as i32));
    let text = format!("{percent:.decimals$}");
    if share <= 0.0 {
        "0".to_owned()
    } else if share < 1.0 && text.starts_with("100") {
        format!(">{:.decimals$}", 100.0 - grain)
    } else if text.bytes().all(|digit| matches!(digit, b'0' | b'.')) {
        format!("<{grain:.decimals$}")
    } else {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// Frames a second: whole ones, rounded down, and below 100 with three decimals.
pub(super) fn fps(fps: f64) -> String {
    if fps >= 100.0 {
        text::count(fps as u64)
    } else {
        // Rounded down too: a rate that was never tested is no result.
        let thousandths = (fps * 1000.0).floor() / 1000.0;
        if fps > 0.0 && thousandths == 0.0 {
            return "<0.001".to_owned();
        }
        format!("{thousandths:.3}").trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// A time with three digits from a fraction of nanoseconds.
pub(super) fn time_ns(ns: f64) -> String {
    text::nanoseconds(ns.round() as i64)
}

/// A long time: `45s`, `12m 30s`, `5h 02m`.
pub fn long_time(ns: u64) -> String {
    let seconds = ns.div_ceil(1_000_000_000);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m {:02}s", seconds % 60),
        _ => format!("{hours}h {minutes:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_all_is_never_100_and_what_is_not_nothing_never_0() {
        for (share, shown) in [
            (0.0, "0"),
            (1.0, "100"),
            (0.999_999_9, ">99.9999"),
            (0.999_996, "99.9996"),
            (0.000_000_1, "<0.0001"),
            (0.5, "50"),
            (0.672_001, "67.2001"),
            (1.5, "150"),
        ] {
            assert_eq!(percent(share), shown, "{share}");
        }
        assert_eq!(loss_percent(0.327_998_85), "32.799885");
        assert_eq!(loss_percent(1e-9), "<0.000001");
        assert_eq!(loss_percent(0.999_999_999_9), ">99.999999");
    }

    #[test]
    fn rates_are_rounded_down() {
        for (rate, shown) in [
            (14_880_952.380_952, "14,880,952"),
            (10_000_016.99, "10,000,016"),
            (99.999_9, "99.999"),
            (0.5, "0.5"),
            (0.000_01, "<0.001"),
            (0.0, "0"),
        ] {
            assert_eq!(fps(rate), shown);
        }
    }

    #[test]
    fn long_times_are_rounded_up() {
        for (ns, shown) in [
            (1, "1s"),
            (59_000_000_001, "1m 00s"),
            (750_000_000_000, "12m 30s"),
            (18_120_000_000_000, "5h 02m"),
        ] {
            assert_eq!(long_time(ns), shown);
        }
    }

    proptest! {
        #[test]
        fn only_exactly_all_or_nothing_reads_so(share in prop_oneof![0.0..1.0, 0.9999..1.0, 0.0..1e-5]) {
            for text in [percent(share), loss_percent(share)] {
                prop_assert_eq!(text == "0", share == 0.0, "{} of {}", &text, share);
                prop_assert!(text != "100", "{} of {}", text, share);
            }
        }
    }
}
