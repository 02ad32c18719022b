//! What a [`Generator`] is told while it runs (feed.h).
#![allow(unsafe_code, reason = "words of the mapped maps are shared with the program")]

use crate::{Generator, abi};
use std::{
    ptr::NonNull,
    sync::atomic::{
        AtomicU32, AtomicU64,
        Ordering::{Acquire, Relaxed, Release, SeqCst},
    },
};

/// A word of an entry of a mapped map, shared with the program.
macro_rules! word {
    ($atomic:ident, $entry:expr, $field:ident) => {{
        let entry: NonNull<_> = $entry;
        // SAFETY: an aligned word of the mapping, which lives as long as `self`.
        unsafe { $atomic::from_ptr(&raw mut (*entry.as_ptr()).$field) }
    }};
}

impl Generator {
    /// How many entries it can be fed now.
    pub fn feed_room(&self) -> usize {
        let head = word!(AtomicU64, self.control.entry(0), feed_head).load(Relaxed);
        let tail = word!(AtomicU64, self.control.entry(0), feed_tail).load(Acquire);
        abi::FEED_ENTRIES as usize - (head - tail) as usize
    }

    /// Says what is due next, in order of time. There is one who feeds.
    ///
    /// # Panics
    /// If there is no [room](Self::feed_room).
    pub fn feed(&self, entries: &[abi::due]) {
        assert!(entries.len() <= self.feed_room(), "the ring overflows");
        let head = word!(AtomicU64, self.control.entry(0), feed_head);
        let first = head.load(Relaxed);
        for (place, entry) in (first..).zip(entries) {
            self.feed.store(place as usize % abi::FEED_ENTRIES as usize, entry);
        }
        head.store(first + entries.len() as u64, Release);
    }

    /// Whether it waits for more, once it has sent all that it knows of.
    pub fn keep_feed_open(&self, is_open: bool) {
        word!(AtomicU32, self.control.entry(0), feed_open).store(is_open.into(), Release);
    }

    /// What is due from `time_ns` on, CLOCK_MONOTONIC, comes by the feed, whatever the paces of
    /// the streams say.
    pub fn feed_from(&self, time_ns: u64) {
        word!(AtomicU64, self.control.entry(0), fed_from_ns).store(time_ns, SeqCst);
    }

    /// Whether no paced stream goes by its own pace any more.
    pub fn is_fed_only(&self) -> bool {
        word!(AtomicU32, self.control.entry(0), paced).load(Acquire) == 0
    }

    /// Frames that a stream has still to send.
    pub fn left(&self, stream: usize) -> u64 {
        word!(AtomicU64, self.streams.entry(stream), left).load(Relaxed)
    }

    /// None of a paced stream's frames leaves from `over_ns` on.
    pub fn set_over_ns(&self, stream: usize, over_ns: u64) {
        word!(AtomicU64, self.streams.entry(stream), over_ns).store(over_ns, Relaxed);
    }

    /// When an unpaced stream ends, that joins the others again.
    pub fn set_stop_ns(&self, stream: usize, stop_ns: u64) {
        word!(AtomicU64, self.streams.entry(stream), stop_ns).store(stop_ns, Relaxed);
    }
}
