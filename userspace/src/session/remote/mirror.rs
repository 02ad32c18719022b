//! The maps of an analyser on another host, as they were when last read.

use super::wire::PortPart;
use crate::rx::{SlabView, Source};
use std::{
    collections::HashMap,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};
use xdp_ebpf::{Analyser, XdpMode, abi, from_words};

/// What a port's receiver reads.
#[derive(Debug)]
pub(in crate::session) enum Watch {
    Here(Analyser),
    There(Mirror),
}

/// A copy of what an analyser elsewhere counts.
#[derive(Debug)]
pub(in crate::session) struct Mirror {
    banks: u32,
    streams: usize,
    native: bool,
    map_bytes: u64,
    unbanked: u64,
    ports: Vec<abi::port_record>,
    /// By stream and bank.
    records: HashMap<(u16, u32), abi::record>,
    slabs: HashMap<u32, Slab>,
    windows: HashMap<u16, abi::window>,
}

/// Latencies, those below zero, gaps, and rises and falls of latency, one after the other.
#[derive(Debug)]
struct Slab(Vec<AtomicU32>);

const BUCKETS: [u32; 5] = [
    abi::LATENCY_BUCKETS,
    abi::NEGATIVE_BUCKETS,
    abi::GAP_BUCKETS,
    abi::GAP_BUCKETS,
    abi::GAP_BUCKETS,
];

impl Default for Slab {
    fn default() -> Self {
        Self((0..BUCKETS.iter().sum::<u32>()).map(|_| AtomicU32::new(0)).collect())
    }
}

impl Slab {
    fn view(&self) -> SlabView<'_> {
        let mut rest = &self.0[..];
        let mut part = |count: u32| {
            let (part, after) = rest.split_at(count as usize);
            rest = after;
            part
        };
        SlabView {
            latency: part(BUCKETS[0]),
            negative: part(BUCKETS[1]),
            gap: part(BUCKETS[2]),
            ipdv: [part(BUCKETS[3]), part(BUCKETS[4])],
        }
    }
}

/// All buckets of a slab in the order in which they are sent.
pub(super) fn buckets<'a>(slab: &SlabView<'a>) -> impl Iterator<Item = u32> + use<'a> {
    let [rises, falls] = slab.ipdv;
    let parts = [slab.latency, slab.negative, slab.gap, rises, falls];
    parts.into_iter().flatten().map(|bucket| bucket.load(Relaxed))
}

impl Mirror {
    pub(super) fn new(banks: u32, streams: usize, native: bool, map_bytes: u64) -> Self {
        Self {
            banks,
            streams,
            native,
            map_bytes,
            unbanked: 0,
            ports: vec![abi::port_record::default(); banks as usize],
            records: HashMap::new(),
            slabs: HashMap::new(),
            windows: HashMap::new(),
        }
    }

    /// Takes what has changed. What does not fit is the other daemon's defect, and left out.
    pub(super) fn apply(&mut self, part: &PortPart) {
        self.unbanked = part.unbanked;
        for (port, words) in self.ports.iter_mut().zip(&part.banks) {
            *port = from_words(words).unwrap_or(*port);
        }
        for (stream, bank, words) in &part.records {
            if usize::from(*stream) < self.streams
                && *bank < self.banks
                && let Some(record) = from_words(words)
            {
                self.records.insert((*stream, *bank), record);
            }
        }
        for (number, changed) in &part.slabs {
            let slab = self.slabs.entry(*number).or_default();
            for (at, count) in changed {
                if let Some(bucket) = slab.0.get(*at as usize) {
                    bucket.store(*count, Relaxed);
                }
            }
        }
    }

    /// For a new trial: the other daemon tells everything anew.
    pub(in crate::session) fn clear(&mut self) {
        self.records.clear();
        self.slabs.clear();
        self.windows.clear();
    }

    pub(in crate::session) fn set_window(&mut self, stream: u16, words: &[u64]) {
        if let Some(window) = from_words(words) {
            self.windows.insert(stream, window);
        }
    }
}

impl Watch {
    pub(in crate::session) fn attach_mode(&self) -> XdpMode {
        match self {
            Self::Here(analyser) => analyser.attach_mode(),
            Self::There(mirror) if mirror.native => XdpMode::Native,
            Self::There(_) => XdpMode::Generic,
        }
    }

    pub(in crate::session) fn memory_bytes(&self) -> u64 {
        match self {
            Self::Here(analyser) => analyser.memory_bytes(),
            Self::There(mirror) => mirror.map_bytes,
        }
    }

    pub(in crate::session) fn unbanked(&self) -> u64 {
        match self {
            Self::Here(analyser) => analyser.unbanked(),
            Self::There(mirror) => mirror.unbanked,
        }
    }

    /// The analyser, where it is on this host.
    pub(in crate::session) fn here(&self) -> Option<&Analyser> {
        match self {
            Self::Here(analyser) => Some(analyser),
            Self::There(_) => None,
        }
    }

    /// Its mirror, where it is not.
    pub(in crate::session) fn there(&mut self) -> Option<&mut Mirror> {
        match self {
            Self::Here(_) => None,
            Self::There(mirror) => Some(mirror),
        }
    }

    pub(in crate::session) fn window(&self, stream: u16) -> abi::window {
        match self {
            Self::Here(analyser) => analyser.window(stream),
            Self::There(mirror) => mirror.windows.get(&stream).copied().unwrap_or_default(),
        }
    }
}

impl Source for Watch {
    fn banks(&self) -> u32 {
        match self {
            Self::Here(analyser) => analyser.banks(),
            Self::There(mirror) => mirror.banks,
        }
    }

    fn record(&self, stream: u16, bank: u32) -> abi::record {
        match self {
            Self::Here(analyser) => analyser.record(stream, bank),
            Self::There(mirror) => mirror.records.get(&(stream, bank)).copied().unwrap_or_default(),
        }
    }

    fn port_record(&self, bank: u32) -> abi::port_record {
        match self {
            Self::Here(analyser) => analyser.port_record(bank),
            Self::There(mirror) => mirror.ports[bank as usize],
        }
    }

    fn slab(&self, index: u32) -> Option<SlabView<'_>> {
        match self {
            Self::Here(analyser) => Source::slab(analyser, index),
            Self::There(mirror) => mirror.slabs.get(&index).map(Slab::view),
        }
    }

    fn begin_trial(&mut self, trial: u8, base_ns: u64) {
        match self {
            Self::Here(analyser) => analyser.begin_trial(trial, base_ns),
            // The other daemon was told; here, the copies of the last trial go.
            Self::There(mirror) => mirror.clear(),
        }
    }

    fn rebase(&mut self, base_ns: u64) {
        // The other daemon is told of the start when it is known.
        if let Self::Here(analyser) = self {
            analyser.rebase(base_ns);
        }
    }
}
