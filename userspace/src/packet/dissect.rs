//! A frame as a line for people.

use super::{TAG_BYTES, Tag, layers};
use std::fmt::Write as _;

/// One readable line about a frame without FCS: its headers, what is wrong with their
/// lengths and checksums, and, if it is `tagged`, the tag at the end of its L3 packet.
/// It reads the octets only, and knows nothing of the flow they came from.
pub fn dissect(frame: &[u8], tagged: bool) -> String {
    let mut text = format!("{} octets; ", frame.len());
    let packet = layers::read_frame(frame, &mut text);
    if tagged {
        match packet.last_chunk::<TAG_BYTES>().map(Tag::decode) {
            Some(Tag { trial, stream, sequence, time_ns, .. }) => {
                let _ = write!(
                    text,
                    "; tag trial {trial} stream {stream} seq {sequence} time {time_ns} ns"
                );
            }
            None => text.push_str("; NO ROOM FOR A TAG"),
        }
    }
    text
}
