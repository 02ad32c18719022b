//! One line a second per flow.

use super::{table::or_dash, text};
use crate::collect::{Loss, Sample, SampleLatency};

/// Width of a line but for the flow's name.
const FIXED: usize = 71;
/// Bounds of the name's width.
const NAME: std::ops::RangeInclusive<usize> = 9..=32;

fn name_width(width: usize) -> usize {
    width.saturating_sub(FIXED).clamp(*NAME.start(), *NAME.end())
}

/// The titles above [`live_line`], for a terminal of `width` columns (80 or more).
pub fn live_header(width: usize) -> String {
    line(
        "t",
        "flow",
        width,
        &["tx pps", "Mbit/s", "rx pps", "Mbit/s"],
        "loss %",
        &["p50", "p99", "p99.9", "max"],
    )
}

/// One second of one flow on one line. `seconds` is the time since the trial began.
///
/// `settled` is the newest sample whose loss is known: while frames are in flight the
/// sample itself has none yet, so the loss shown is that of a second or two before.
pub fn live_line(
    seconds: u64,
    flow: &str,
    sample: &Sample,
    settled: Option<&Sample>,
    width: usize,
) -> String {
    let rates = [
        text::scaled(sample.tx_pps()),
        text::megabits(sample.tx_bps_l2()),
        or_dash(sample.rx_pps(), text::scaled),
        or_dash(sample.rx_bps_l2(), text::megabits),
    ];
    let loss = settled.and_then(Sample::loss).filter(|loss| loss.sent > 0);
    let loss = or_dash(loss, Loss::percent);
    let picks: [fn(SampleLatency) -> i64; 4] = [
        |latency| latency.p50,
        |latency| latency.p99,
        |latency| latency.p999,
        |latency| latency.max,
    ];
    let times = picks.map(|pick| or_dash(sample.latency.map(pick), text::nanoseconds));
    line(
        &seconds.to_string(),
        flow,
        width,
        &rates.each_ref().map(String::as_str),
        &loss,
        &times.each_ref().map(String::as_str),
    )
}

fn line(
    time: &str,
    flow: &str,
    width: usize,
    [tx_pps, tx_bits, rx_pps, rx_bits]: &[&str; 4],
    loss: &str,
    [p50, p99, p999, max]: &[&str; 4],
) -> String {
    let name_width = name_width(width);
    let name = text::fit(flow, name_width);
    format!(
        "{time:>4} {name:<name_width$} {tx_pps:>6} {tx_bits:>7} {rx_pps:>6} {rx_bits:>7} \
         {loss:>7} {p50:>6} {p99:>6} {p999:>6} {max:>6}"
    )
}
