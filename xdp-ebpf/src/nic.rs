#![allow(unsafe_code, reason = "words that are shared with the kernel")]

use crate::{abi, mapped::MappedArray};
use std::sync::atomic::{AtomicU64, Ordering};

/// Tells the program of [`Analyser::load_nic`](crate::Analyser::load_nic) how the NIC's clock
/// goes against `CLOCK_MONOTONIC`. The only writer, from whatever thread. The program takes
/// each frame's time by one whole line, or by the kernel's clock.
#[derive(Debug)]
pub struct NicFits {
    control: MappedArray<abi::analyser_control>,
    number: u64,
}

impl NicFits {
    pub(crate) fn new(control: MappedArray<abi::analyser_control>) -> Self {
        Self { control, number: 0 }
    }

    /// From now on stamps are taken by this line, where it reaches them. `fit` is within
    /// `NIC_REACH_MAX_NS` and `NIC_DRIFT_MAX`.
    pub fn publish(&mut self, fit: &abi::nic_fit) {
        debug_assert!(fit.reach_ns <= abi::NIC_REACH_MAX_NS);
        debug_assert!(fit.drift_q38.unsigned_abs() <= abi::NIC_DRIFT_MAX);
        self.number += 1;
        let place = (self.number % u64::from(abi::NIC_FITS)) as usize;
        let words = [fit.nic_ns, fit.monotonic_ns, fit.drift_q38 as u64, fit.reach_ns];
        let control = self.control.entry(0).as_ptr();
        // SAFETY: the address of a field of a mapped entry.
        let line = unsafe { &raw mut (*control).nic_fits[place] }.cast::<u64>();
        for (at, word) in words.into_iter().enumerate() {
            // SAFETY: inside the line, which is as many words; all access it by whole words.
            unsafe { AtomicU64::from_ptr(line.add(at)) }.store(word, Ordering::Relaxed);
        }
        // SAFETY: an aligned word of the entry. Release: whoever sees the number sees the line.
        unsafe { AtomicU64::from_ptr(&raw mut (*control).nic_fit) }
            .store(self.number, Ordering::Release);
    }

    /// From now on the kernel's clock times every frame.
    pub fn withdraw(&mut self) {
        self.publish(&abi::nic_fit::default());
    }
}
