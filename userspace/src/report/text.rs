//! Numbers for people.

/// A count with its thousands set apart: `1,488,095`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time with three digits: `987ns`, `12.3us`, `-1.50ms`, `68.7s`.
pub fn nanoseconds(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let ns = ns.unsigned_abs();
    if ns < 1000 {
        return format!("{sign}{ns}ns");
    }
    let (number, unit) = shortened(ns as f64, 3, &["ns", "us", "ms", "s"]);
    format!("{sign}{number}{unit}")
}

/// A positive amount with four digits and an SI prefix: `14.88M`, `999.9k`, `12.00`.
pub fn scaled(amount: f64) -> String {
    let (number, prefix) = shortened(amount, 4, &["", "k", "M", "G", "T"]);
    format!("{number}{prefix}")
}

/// Megabits a second: `7619.0`, `0.512`.
pub(super) fn megabits(bps: f64) -> String {
    let mega = bps / 1e6;
    match mega {
        _ if mega >= 99_999.95 => format!("{mega:.0}"),
        _ if mega >= 9.9995 => format!("{mega:.1}"),
        _ => format!("{mega:.3}"),
    }
}

/// With the first prefix that leaves at most three digits before the point, rounded to
/// `digits` in all.
fn shortened<'a>(mut amount: f64, digits: usize, prefixes: &[&'a str]) -> (String, &'a str) {
    for prefix in prefixes {
        for before_point in 1..=3 {
            let decimals = digits - before_point;
            let text = format!("{amount:.decimals$}");
            if text.find('.').unwrap_or(text.len()) <= before_point {
                return (text, prefix);
            }
        }
        amount /= 1000.0;
    }
    (format!("{:.0}", amount * 1000.0), prefixes[prefixes.len() - 1])
}

/// Text of at most `width` characters; what is cut is marked.
pub(super) fn fit(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept = text.chars().take(width.saturating_sub(1));
    kept.chain(std::iter::once('…')).collect()
}
