//! When frames leave, judged by the stamps in the tags that arrive.

use crate::testbed::{Captured, Tag, transmit};

fn flow(name: &str, settings: &str) -> String {
    format!(
        r#"
        [[flow]]
        name = "{name}"
        tx = "west"
        {settings}
        layers = [
          {{eth = {{dst = "02:00:00:00:00:02"}}}},
          {{ipv4 = {{src = "198.18.0.2", dst = "198.18.1.1"}}}},
          {{udp = {{src = 49184, dst = 7}}}},
        ]
        "#
    )
}

fn tags(captured: &Captured) -> Vec<Tag> {
    captured.frames.iter().map(|frame| Tag::ending_at(frame, frame.len())).collect()
}

#[test]
fn the_gaps_reported_are_those_between_the_stamps_on_the_wire() {
    let train = "rate = \"100kpps\"\nburst = {frames = 8, gap = \"5ms\", repeat = 40}";
    let captured = transmit(&flow("f", train));
    let stamps: Vec<u64> = tags(&captured).iter().map(|tag| tag.time_ns).collect();
    let mut gaps: Vec<u64> = stamps.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mean = gaps.iter().sum::<u64>() as f64 / gaps.len() as f64;
    gaps.sort_unstable();
    let row = captured.result.flow("f");
    assert_eq!(row.count("tx_gap_ns.max"), gaps[gaps.len() - 1]);
    assert!((row.number("tx_gap_ns.mean") - mean).abs() < 0.01);
    // Upper edges of buckets that are at most an eighth wide.
    for (name, share) in [("p50", 0.5), ("p99", 0.99), ("p999", 0.999)] {
        let exact = gaps[(share * gaps.len() as f64).ceil() as usize - 1];
        let found = row.count(&format!("tx_gap_ns.{name}"));
        assert!((exact..=exact + exact / 8).contains(&found), "{name}: {found}, exactly {exact}");
    }
    let min = row.count("tx_gap_ns.min");
    assert!((min..=min + min / 8).contains(&gaps[0]), "min: {min}, exactly {}", gaps[0]);
}
