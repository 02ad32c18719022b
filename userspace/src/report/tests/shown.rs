//! What people see: tables, live lines, numbers.

use super::{super::*, collected, flow, result_of, run};
use crate::collect::{FlowId, Sample};

#[test]
fn the_table_is_one_block_where_there_is_room() {
    let expected = "\
flow              tx          rx  lost  loss %  dup  reord  tx pps  rx pps  tx Mb/s  rx Mb/s     p50     p99   p99.9     max
west/fwd  14,880,000  14,880,000     0       0    0      0  1.488M  1.488M    761.9    761.9  12.4us  12.4us  12.4us  1.50ms

verdict: ok
";
    assert_eq!(table(&result_of(&["west/fwd"], 0), None), expected);
}

#[test]
fn the_table_is_two_blocks_on_eighty_columns() {
    let expected = "\
flow                        tx          rx  lost  loss %  dup  reord
west/fwd            14,880,000  14,879,999     1  <0.001    0      0
customer-4711/east  14,880,000  14,879,999     1  <0.001    0      0

flow                tx pps  rx pps  tx Mb/s  rx Mb/s     p50     p99   p99.9     max
west/fwd            1.488M  1.488M    761.9    761.9  12.4us  12.4us  12.4us  1.50ms
customer-4711/east  1.488M  1.488M    761.9    761.9  12.4us  12.4us  12.4us  1.50ms

verdict: loss
  west/fwd: 1 of 14880000 frames lost (<0.001 %): 1 on the wire or in the device
  customer-4711/east: 1 of 14880000 frames lost (<0.001 %): 1 on the wire or in the device
";
    assert_eq!(table(&result_of(&["west/fwd", "customer-4711/east"], 1), Some(88)), expected);
    let eighty = table(&result_of(&["west/fwd", "customer-4711/east"], 14_879_998), Some(80));
    let expected = "\
flow                    tx  rx        lost   loss %  dup  reord
west/fwd        14,880,000   2  14,879,998  >99.999    0      0
customer-4711…  14,880,000   2  14,879,998  >99.999    0      0

flow            tx pps  rx pps  tx Mb/s  rx Mb/s     p50     p99   p99.9     max
";
    assert_eq!(&eighty[..expected.len()], expected);
}

#[test]
fn a_very_narrow_terminal_gets_a_paragraph_per_flow() {
    let text = table(&result_of(&["west/fwd"], 0), Some(40));
    assert!(text.starts_with("west/fwd\n  tx        14,880,000\n  rx        14,880,000\n"));
    assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
}

#[test]
fn what_is_not_measured_is_a_dash_and_a_flood_of_reasons_is_cut() {
    let collector = collected(1000, 990);
    let mut unmeasured = flow("a", collector.totals(FlowId(0)).unwrap());
    unmeasured.rx_port = None;
    let mut facts = run(vec![unmeasured]);
    facts.notes = (0..25).map(|note| format!("note {note}")).collect();
    let text = table(&RunResult::new(&facts), None);
    let row: Vec<&str> = text.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row, "a 1,000 - - - - - 100.0 - 0.051 - - - - -".split(' ').collect::<Vec<_>>());
    assert!(text.ends_with("  note 19\n  and 5 more, see the JSON\n"), "{text}");
}

#[test]
fn a_live_line_fits_eighty_columns_under_its_titles() {
    let collector = collected(14_880_000, 14_879_999);
    let sample = collector.latest(FlowId(0)).unwrap();
    let line =
        |settled: Option<&Sample>, width| live_line(10, "customer-4711", sample, settled, width);
    assert_eq!(
        format!("{}\n{}\n{}", live_header(80), line(Some(sample), 80), line(None, 80)),
        "   t flow      tx pps  Mbit/s rx pps  Mbit/s  loss %    p50    p99  p99.9    max\n  \
           10 customer… 1.488M   761.9 1.488M   761.9  <0.001 12.4us 12.4us 12.4us 1.50ms\n  \
           10 customer… 1.488M   761.9 1.488M   761.9       - 12.4us 12.4us 12.4us 1.50ms"
    );
    assert_eq!(live_header(80).chars().count(), 80);
    assert!(line(None, 100).contains(" customer-4711 "), "room for the name is used");
}

#[test]
fn numbers_for_people() {
    assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
    let times = [0, -5, 999, 1000, 12_345, 999_499, 999_500, -1_500_000, 68_700_000_000];
    let shown = ["0ns", "-5ns", "999ns", "1.00us", "12.3us", "999us", "1.00ms", "-1.50ms", "68.7s"];
    assert_eq!(times.map(nanoseconds), shown);
    let amounts = [1.0, 999.94, 999.96, 14_880_952.4, 148_809_523.8, 99_999_999.0];
    let shown = ["1.000", "999.9", "1.000k", "14.88M", "148.8M", "100.0M"];
    assert_eq!(amounts.map(scaled), shown);
    assert_eq!([512.0 * 1e3, 7.619e9, 1e11].map(text::megabits), ["0.512", "7619.0", "100000"]);
}
