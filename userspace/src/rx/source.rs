//! The analyser in the kernel, as a [`Source`].

use super::{SlabView, Source};
use xdp_ebpf::{Analyser, abi};

impl Source for Analyser {
    fn banks(&self) -> u32 {
        Analyser::banks(self)
    }

    fn record(&self, stream: u16, bank: u32) -> abi::record {
        Analyser::record(self, stream, bank)
    }

    fn port_record(&self, bank: u32) -> abi::port_record {
        Analyser::port_record(self, bank)
    }

    fn slab(&self, index: u32) -> Option<SlabView<'_>> {
        let slab = Analyser::slab(self, index)?;
        Some(SlabView {
            latency: slab.latency(),
            negative: slab.negative(),
            gap: slab.gap(),
            ipdv: slab.ipdv(),
        })
    }

    fn begin_trial(&mut self, trial: u8, base_ns: u64) {
        Analyser::begin_trial(self, trial, base_ns);
    }

    fn rebase(&mut self, base_ns: u64) {
        Analyser::rebase(self, base_ns);
    }
}
