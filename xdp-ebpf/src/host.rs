//! The pure C headers (parse.h, payload.h, histogram.h, record.h, edit.h) as they run in this
//! process (feature `host`), so that tests can hold them against Rust.
#![allow(unsafe_code, reason = "calls into C")]

use crate::abi;

#[allow(
    dead_code,
    non_camel_case_types,
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::pedantic,
    clippy::undocumented_unsafe_blocks,
    reason = "generated from host.h"
)]
mod c {
    include!(concat!(env!("OUT_DIR"), "/host.rs"));
}

/// A frame of a stream that is expected.
pub use c::host_arrived as Arrived;
/// What parse.h and payload.h find in a frame: offsets, kinds and sums as documented there.
pub use c::host_parsed as Parsed;
/// A decoded tag.
pub use c::host_tag as Tag;

/// Octets of a payload chunk.
pub const CHUNK_BYTES: usize = 128;

/// A stream of a plan, as the program in the kernel would go through it.
#[derive(Debug)]
pub struct Editor {
    lanes: Vec<abi::lane>,
    values: Vec<u64>,
    variants: Vec<abi::size_variant>,
    magic: u32,
    sequence: u32,
    stream: abi::live_stream,
}

impl Editor {
    /// Of the stream at this place in the plan.
    pub fn new(plan: &crate::GeneratorPlan, stream: usize) -> Self {
        Self {
            lanes: plan.lanes.clone(),
            values: plan.values.clone(),
            variants: plan.variants.clone(),
            magic: plan.magic,
            sequence: 0,
            stream: plan.streams[stream],
        }
    }

    /// `write_frame()`: the stream's next frame, over whatever is there; its octets, or `None`
    /// if it does not fit.
    pub fn write(&mut self, time_ns: u64, frame: &mut [u8]) -> Option<usize> {
        let worker = c::host_worker {
            lanes: self.lanes.as_mut_ptr(),
            values: self.values.as_ptr(),
            variants: self.variants.as_ptr(),
            lane_count: self.lanes.len() as u32,
            value_count: self.values.len() as u32,
        };
        let room = frame.len() as u32;
        // SAFETY: every pointer is to memory that is borrowed for the call, and the lengths are
        // theirs; the variants are those that the plan's own cycles name.
        let octets = unsafe {
            c::host_write_frame(
                &raw const worker,
                &raw mut self.stream,
                self.magic,
                self.sequence,
                time_ns,
                frame.as_mut_ptr(),
                room,
            )
        };
        (octets > 0).then_some(octets as usize)
    }

    /// `stream_advance()`: whether there is another frame.
    pub fn advance(&mut self) -> bool {
        self.sequence += 1;
        advance(&mut self.stream)
    }
}

/// `stream_advance()`.
pub fn advance(stream: &mut abi::live_stream) -> bool {
    // SAFETY: the stream is borrowed for the call.
    unsafe { c::host_stream_advance(stream) != 0 }
}

/// `histogram_index()`.
pub fn histogram_index(value: u64, precision: u32) -> u64 {
    // SAFETY: touches no memory.
    unsafe { c::host_histogram_index(value, precision) }
}

/// `histogram_index_low()`.
pub fn histogram_index_low(value: u64, precision: u32) -> u64 {
    // SAFETY: touches no memory.
    unsafe { c::host_histogram_index_low(value, precision) }
}

/// `parse_l3()` and, if the packet has an end, what depends on it.
pub fn parse(frame: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    // SAFETY: reads the frame, writes one struct; both outlive the call.
    unsafe { c::host_parse(frame.as_ptr(), frame.len() as u32, &raw mut parsed) };
    parsed
}

/// `decode_tag()`.
pub fn decode_tag(octets: &[u8; 14]) -> Tag {
    let mut tag = Tag::default();
    // SAFETY: reads 14 octets, writes one struct; both outlive the call.
    unsafe { c::host_decode_tag(octets.as_ptr(), &raw mut tag) };
    tag
}

/// `fold()`.
pub fn fold(sum: u64) -> u64 {
    // SAFETY: touches no memory.
    unsafe { c::host_fold(sum) }
}

/// Sum of a chunk that holds these octets.
///
/// # Panics
/// If there are more than [`CHUNK_BYTES`].
pub fn chunk_sum(octets: &[u8]) -> u64 {
    assert!(octets.len() <= CHUNK_BYTES);
    // SAFETY: reads as many octets as there are, into a chunk that holds them.
    unsafe { c::host_chunk_sum(octets.as_ptr(), octets.len() as u32) }
}

/// Whether octets of the payload, from `position` on, are not the incrementing ones.
///
/// # Panics
/// If there are more than [`CHUNK_BYTES`].
pub fn pattern_differs(octets: &[u8], position: u32) -> bool {
    assert!(octets.len() <= CHUNK_BYTES);
    // SAFETY: reads as many octets as there are, into a chunk that holds them.
    unsafe { c::host_pattern_differs(octets.as_ptr(), octets.len() as u32, position) != 0 }
}

/// Outcome of marking a sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Seen for the first time.
    Unique,
    /// Seen before.
    Duplicate,
    /// Older than its word of the window.
    Late,
}

/// `window_mark()`, by compare-exchange if `shared`.
pub fn window_mark(window: &mut abi::window, sequence: u32, shared: bool) -> Arrival {
    // SAFETY: the window is borrowed for the call.
    match unsafe { c::host_window_mark(window, sequence, shared.into()) } {
        0 => Arrival::Unique,
        1 => Arrival::Duplicate,
        _ => Arrival::Late,
    }
}

/// `window_mark()` and, of a unique frame, `record_lost()`.
pub fn window_follow(window: &mut abi::window, record: &mut abi::record, sequence: u32) -> Arrival {
    // SAFETY: both are borrowed for the call.
    match unsafe { c::host_window_follow(window, record, sequence) } {
        0 => Arrival::Unique,
        1 => Arrival::Duplicate,
        _ => Arrival::Late,
    }
}

/// `latency_ns()`.
pub fn latency_ns(now_ns: u64, tag_time_ns: u64) -> i64 {
    // SAFETY: touches no memory.
    unsafe { c::host_latency_ns(now_ns, tag_time_ns) }
}

/// `latency_plausible()`.
pub fn latency_plausible(latency_ns: i64) -> bool {
    // SAFETY: touches no memory.
    unsafe { c::host_latency_plausible(latency_ns) != 0 }
}

/// `sequence_plausible()`.
pub fn sequence_plausible(record: &abi::record, sequence: u32, now_ns: u64, base_ns: u64) -> bool {
    // SAFETY: the record is borrowed for the call.
    unsafe { c::host_sequence_plausible(record, sequence, now_ns, base_ns) != 0 }
}

/// `interval_slot()`.
pub fn interval_slot(record: &mut abi::record, tx_ns: u64, base_ns: u64, interval_ns: u64) -> u32 {
    // SAFETY: the record is borrowed for the call.
    unsafe { c::host_interval_slot(record, tx_ns, base_ns, interval_ns) }
}

/// `is_stamped()`.
pub fn is_stamped(stamp_mask: u32, sequence: u32) -> bool {
    // SAFETY: touches no memory.
    unsafe { c::host_is_stamped(stamp_mask, sequence) != 0 }
}

/// `record_unique()`: the gap, if the record had a frame before.
pub fn record_unique(record: &mut abi::record, sequence: u32, now_ns: u64) -> Option<u64> {
    // SAFETY: the record is borrowed for the call.
    u64::try_from(unsafe { c::host_record_unique(record, sequence, now_ns) }).ok()
}

/// `record_latency()`.
pub fn record_latency(record: &mut abi::record, latency_ns: i64) {
    // SAFETY: the record is borrowed for the call.
    unsafe { c::host_record_latency(record, latency_ns) }
}

/// `record_variation()`, and keeps the latency for the next one.
pub fn record_variation(record: &mut abi::record, latency_ns: i64, consecutive: bool) -> i64 {
    // SAFETY: the record is borrowed for the call.
    unsafe { c::host_record_variation(record, latency_ns, consecutive.into()) }
}

/// `slab_latency()`.
pub fn slab_latency(slab: &mut abi::slab, latency_ns: i64) {
    // SAFETY: the slab is borrowed for the call.
    unsafe { c::host_slab_latency(slab, latency_ns) };
}

/// `slab_gap()`.
pub fn slab_gap(slab: &mut abi::slab, gap_ns: u64) {
    // SAFETY: the slab is borrowed for the call.
    unsafe { c::host_slab_gap(slab, gap_ns as i64) };
}

/// `slab_ipdv()`.
pub fn slab_ipdv(slab: &mut abi::slab, variation_ns: i64) {
    // SAFETY: the slab is borrowed for the call.
    unsafe { c::host_slab_ipdv(slab, variation_ns) };
}

/// `count_usual()` of frames that all have a stamp: whether it counted the frame.
pub fn count_usual(
    record: &mut abi::record,
    window: &mut abi::window,
    slab: &mut abi::slab,
    frame: &Arrived,
    interval_ns: u64,
    shared: bool,
) -> bool {
    // SAFETY: all are borrowed for the call.
    unsafe { c::host_count_usual(record, window, slab, frame, interval_ns, 1, shared.into()) != 0 }
}

/// `nic_to_monotonic()`; `None`: out of reach.
pub fn nic_to_monotonic(fit: &abi::nic_fit, stamp_ns: u64) -> Option<u64> {
    let mut monotonic_ns = 0;
    // SAFETY: both are borrowed for the call.
    let reached = unsafe { c::host_nic_to_monotonic(fit, stamp_ns, &raw mut monotonic_ns) != 0 };
    reached.then_some(monotonic_ns)
}
