//! What all forms of a result have in common.

mod sample;

use super::*;
pub(super) use sample::sample;

#[test]
fn what_is_written_reads_back_the_same() {
    let result = sample();
    let text = serde_json::to_string(&result).unwrap();
    assert_eq!(serde_json::from_str::<BenchResult>(&text).unwrap(), result);
}

#[test]
fn a_page_fetches_nothing_and_takes_no_name_for_markup() {
    let page = bench_html(&sample());
    for foreign in
        ["http://", "https://", "<script", "url(", "@import", "<link", "<img", "<b>", "<X>"]
    {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quotes&quot;"));
    // A figure for throughput, loss, bursts, the search, and latency of each row.
    assert_eq!(page.matches("<figure>").count(), 1 + 1 + 1 + 1 + 2);
}

#[test]
fn loss_that_is_tiny_is_shown_everywhere() {
    let mut result = sample();
    let point = &mut result.rows[0].frame_loss.as_mut().unwrap()[0];
    (point.lost_frames, point.loss_ratio) = (Some(1), Some(1e-9));
    let ratio = &mut result.rows[0].throughput.as_mut().unwrap().ratio;
    *ratio = Some(0.999_999_9);
    for text in
        [bench_table(&result), bench_html(&result).replace("&lt;", "<").replace("&gt;", ">")]
    {
        assert!(text.contains("<0.000001") && text.contains(">99.9999"), "{text}");
    }
}
