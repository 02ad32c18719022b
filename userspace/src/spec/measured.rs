//! What can be asked of a flow, by how its frames are told.

use super::{Expect, Flow, Integrity, Order, Track, error::SpecError, node::Section};

/// Fails if something is asked that this flow cannot measure.
pub(super) fn check(flow: &Flow, section: &Section<'_>) -> Result<(), SpecError> {
    if let Some(node) = section.get("expect")
        && flow.expect != Expect::default()
    {
        if flow.rx.is_none() {
            return Err(
                node.wrong("a flow without `rx` measures nothing to expect", "`expect` with `rx`")
            );
        }
        if flow.track == Track::None {
            return Err(node.wrong(
                "track = \"none\" measures nothing to expect",
                "`expect` with track = \"tag\"",
            ));
        }
        let Expect { loss: _, outage: _, p50, p99, p999, max } = &flow.expect;
        let times = [p50, p99, p999, max].into_iter().any(Option::is_some);
        if flow.track == Track::Count && times {
            return Err(node.wrong(
                "track = \"count\" measures no latency to expect",
                "`loss` and `outage`, or track = \"tag\"",
            ));
        }
    }
    let untagged = match flow.track {
        Track::Tag => None,
        Track::Count => Some("count"),
        Track::None => Some("none"),
    };
    if let (Some(node), Integrity::Full, Some(track)) =
        (section.get("integrity"), flow.integrity, untagged)
    {
        return Err(node.wrong(
            format!("track = \"{track}\" checks no frame"),
            "integrity = \"full\" with track = \"tag\"",
        ));
    }
    if let Some(node) = section.get("order").filter(|_| flow.order == Order::Tuple) {
        if let Some(track) = untagged {
            return Err(node.wrong(
                format!("track = \"{track}\" sees no order"),
                "order = \"tuple\" with track = \"tag\"",
            ));
        }
        if flow.burst.is_some() {
            return Err(node.wrong(
                "a burst is one stream's",
                "order = \"tuple\" without `burst`, or order = \"queue\"",
            ));
        }
    }
    Ok(())
}
