#![allow(unsafe_code, reason = "buckets are shared with the kernel")]

use crate::{Analyser, abi};
use std::{ptr::NonNull, slice, sync::atomic::AtomicU32};

/// The buckets of one stream on one bank (abi.h, `slab`), as the kernel counts them.
/// Buckets may wrap.
#[derive(Debug, Clone, Copy)]
pub struct Slab<'a> {
    pub(crate) slab: NonNull<abi::slab>,
    pub(crate) _analyser: &'a Analyser,
}

impl<'a> Slab<'a> {
    /// Latencies of unique frames, ns: `LATENCY_BUCKETS` of [`crate::histogram`].
    pub fn latency(&self) -> &'a [AtomicU32] {
        // SAFETY: the address of a field of a mapped entry.
        buckets(unsafe { &raw const (*self.slab.as_ptr()).latency }.cast(), abi::LATENCY_BUCKETS)
    }

    /// Latencies below zero, mirrored.
    pub fn negative(&self) -> &'a [AtomicU32] {
        // SAFETY: the address of a field of a mapped entry.
        buckets(unsafe { &raw const (*self.slab.as_ptr()).negative }.cast(), abi::NEGATIVE_BUCKETS)
    }

    /// Gaps between arrivals of unique frames, ns.
    pub fn gap(&self) -> &'a [AtomicU32] {
        // SAFETY: the address of a field of a mapped entry.
        buckets(unsafe { &raw const (*self.slab.as_ptr()).gap }.cast(), abi::GAP_BUCKETS)
    }

    /// How much latency rose from one sequence number to the next, ns, and how much it fell.
    pub fn ipdv(&self) -> [&'a [AtomicU32]; 2] {
        [0, 1].map(|fell| {
            // SAFETY: the address of a field of a mapped entry.
            let row = unsafe { &raw const (*self.slab.as_ptr()).ipdv[fell] };
            buckets(row.cast(), abi::GAP_BUCKETS)
        })
    }
}

fn buckets<'a>(first: *const AtomicU32, count: u32) -> &'a [AtomicU32] {
    // SAFETY: only called with an array of a slab and its length; it is mapped as long as
    // the analyser that `Slab` borrows, and others write it with whole words only.
    unsafe { slice::from_raw_parts(first, count as usize) }
}
