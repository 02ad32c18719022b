//! The least size of a flow's frames.

use super::{Flow, Layer, Track, error::SpecError, stack::Parts};
use crate::units::{FCS_BYTES, FrameSize};
use xdp_ebpf::abi;

impl Flow {
    /// Octets of all headers.
    pub fn header_bytes(&self) -> usize {
        self.layers.iter().map(Layer::bytes).sum()
    }

    /// The least frame size, with FCS, that holds the headers and the tag if there is one.
    pub fn least_bytes(&self) -> usize {
        let tag = if self.track == Track::Tag { abi::TAG_BYTES as usize } else { 0 };
        self.header_bytes() + tag + usize::from(FCS_BYTES)
    }
}

/// Fails if a frame cannot hold its headers and its tag.
pub(super) fn check(flow: &Flow, parts: &Parts<'_>) -> Result<(), SpecError> {
    let least = flow.least_bytes();
    let Some(short) = flow.sizes.iter().find(|size| usize::from(size.bytes()) < least) else {
        return Ok(());
    };
    let untagged = flow.header_bytes() + usize::from(FCS_BYTES);
    let untagged = untagged.max(FrameSize::MIN.bytes().into());
    let (holds, way_out) = match flow.track {
        Track::Tag => (
            format!(
                "headers of {}, tag of {} and FCS of {FCS_BYTES}",
                flow.header_bytes(),
                abi::TAG_BYTES
            ),
            format!("; or from {untagged} on track = \"count\""),
        ),
        Track::Count | Track::None => {
            (format!("headers of {} and FCS of {FCS_BYTES}", flow.header_bytes()), String::new())
        }
    };
    let default = if parts.size.is_none() { " (the default)" } else { "" };
    let node = parts.size.unwrap_or(parts.flow);
    Err(node.wrong(
        format!("a frame of {short} octets{default} cannot hold its {holds} octets"),
        format!("size {least} to {}{way_out}", FrameSize::MAX),
    ))
}
