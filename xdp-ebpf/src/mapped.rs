//! Maps of the kernel as memory of this process.
#![allow(unsafe_code, reason = "memory that the kernel writes is reached by pointers")]

use crate::{Error, abi};
use std::{
    io,
    mem::MaybeUninit,
    ops::Range,
    os::fd::{AsRawFd, BorrowedFd},
    ptr::{self, NonNull},
    sync::atomic::{AtomicU64, Ordering},
};

/// What may lie in a mapped map.
///
/// # Safety
/// Plain data: every bit pattern is a value, and the size is a multiple of 8.
pub unsafe trait Plain: Copy {}

// SAFETY: structs of integers, generated from abi.h; the sizes are checked in `new`.
unsafe impl Plain for abi::port_record {}
// SAFETY: as above.
unsafe impl Plain for abi::record {}
// SAFETY: as above.
unsafe impl Plain for abi::window {}
// SAFETY: as above.
unsafe impl Plain for abi::slab {}
// SAFETY: as above.
unsafe impl Plain for abi::analyser_control {}
// SAFETY: as above.
unsafe impl Plain for abi::analyser_config {}
// SAFETY: as above.
unsafe impl Plain for abi::count_rule {}
// SAFETY: as above.
unsafe impl Plain for abi::generator_control {}
// SAFETY: as above.
unsafe impl Plain for abi::live_stream {}
// SAFETY: as above.
unsafe impl Plain for abi::live_counters {}
// SAFETY: as above.
unsafe impl Plain for abi::lane {}
// SAFETY: as above.
unsafe impl Plain for abi::size_variant {}
// SAFETY: as above.
unsafe impl Plain for abi::due {}
// SAFETY: as above.
unsafe impl Plain for abi::redirect_counters {}
// SAFETY: as above.
unsafe impl Plain for abi::redirect_config {}
// SAFETY: as above.
unsafe impl Plain for abi::match_record {}
// SAFETY: as above.
unsafe impl Plain for abi::match_control {}
// SAFETY: as above.
unsafe impl Plain for abi::capture_record {}
// SAFETY: as above.
unsafe impl Plain for abi::respond_record {}
// SAFETY: as above.
unsafe impl Plain for abi::respond_control {}
// SAFETY: an integer of 8 octets.
unsafe impl Plain for u64 {}

/// A record as words, to be sent to another host.
pub fn words<T: Plain>(record: &T) -> Vec<u64> {
    let start = ptr::from_ref(record).cast::<u64>();
    // SAFETY: plain data whose size is a multiple of 8; words may lie unaligned.
    (0..size_of::<T>() / 8).map(|at| unsafe { start.add(at).read_unaligned() }).collect()
}

/// The record that [`words`] made; `None`: they are not so many.
pub fn from_words<T: Plain>(words: &[u64]) -> Option<T> {
    let fits = words.len() * 8 == size_of::<T>();
    // SAFETY: as many octets as the record has, of which every pattern is a value.
    fits.then(|| unsafe { words.as_ptr().cast::<T>().read_unaligned() })
}

/// An array map with `BPF_F_MMAPABLE`: read and written without a system call. The
/// mapping keeps the map alive.
#[derive(Debug)]
pub(crate) struct MappedArray<T> {
    entries: NonNull<T>,
    count: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread; shared reads are atomic.
unsafe impl<T: Plain> Send for MappedArray<T> {}
// SAFETY: as above.
unsafe impl<T: Plain> Sync for MappedArray<T> {}

impl<T: Plain> MappedArray<T> {
    /// Maps the `count` entries of an array map.
    pub(crate) fn new(map: BorrowedFd<'_>, count: u32) -> Result<Self, Error> {
        const { assert!(size_of::<T>().is_multiple_of(8), "as the kernel spaces them") };
        let count = count as usize;
        // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                size_of::<T>() * count,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                map.as_raw_fd(),
                0,
            )
        };
        match NonNull::new(address.cast()) {
            Some(entries) if address != libc::MAP_FAILED => Ok(Self { entries, count }),
            _ => Err(Error::System {
                action: "map kernel counters",
                source: io::Error::last_os_error(),
            }),
        }
    }

    /// Address of an entry, valid as long as `self`.
    ///
    /// # Panics
    /// If there is no such entry.
    pub(crate) fn entry(&self, index: usize) -> NonNull<T> {
        assert!(index < self.count, "entry {index} of {}", self.count);
        // SAFETY: within the mapping, by the line above.
        unsafe { self.entries.add(index) }
    }

    /// A copy of an entry. Each word is whole, the entry is not a snapshot.
    ///
    /// # Panics
    /// If there is no such entry.
    pub(crate) fn read(&self, index: usize) -> T {
        let words = self.entry(index).cast::<u64>();
        let mut copy = MaybeUninit::<T>::uninit();
        for word in 0..size_of::<T>() / 8 {
            // SAFETY: inside the entry, which is a page-aligned array of 8-octet words
            // that others only write atomically.
            let value =
                unsafe { AtomicU64::from_ptr(words.add(word).as_ptr()) }.load(Ordering::Relaxed);
            // SAFETY: inside `copy`, which is as large as the entry.
            unsafe { copy.as_mut_ptr().cast::<u64>().add(word).write_unaligned(value) };
        }
        // SAFETY: every word was written, and every bit pattern is a value.
        unsafe { copy.assume_init() }
    }

    /// Writes an entry that the program does not write.
    ///
    /// # Panics
    /// If there is no such entry.
    pub(crate) fn write(&mut self, index: usize, value: T) {
        // SAFETY: inside the mapping; `&mut self` excludes other users of this process.
        unsafe { self.entry(index).write_volatile(value) };
    }

    /// Writes an entry word by word, also while others read it.
    ///
    /// # Panics
    /// If there is no such entry.
    pub(crate) fn store(&self, index: usize, value: &T) {
        let words = self.entry(index).cast::<u64>();
        let value = std::ptr::from_ref(value).cast::<u64>();
        for word in 0..size_of::<T>() / 8 {
            // SAFETY: inside `value`, whose every octet is set: no struct here has padding.
            let octets = unsafe { value.add(word).read_unaligned() };
            // SAFETY: inside the entry, as in `read`.
            unsafe { AtomicU64::from_ptr(words.add(word).as_ptr()) }
                .store(octets, Ordering::Relaxed);
        }
    }

    /// Zeroes entries that the program does not use at present.
    ///
    /// # Panics
    /// If there are no such entries.
    pub(crate) fn clear(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        assert!(range.end <= self.count, "entries {range:?} of {}", self.count);
        // SAFETY: inside the mapping; zeroes are a value, and nobody else uses these entries.
        unsafe { self.entry(range.start).write_bytes(0, range.len()) };
    }

    /// Bytes of the entries.
    pub(crate) fn bytes(&self) -> u64 {
        (size_of::<T>() * self.count) as u64
    }
}

impl<T> Drop for MappedArray<T> {
    fn drop(&mut self) {
        // SAFETY: this very mapping was made in `new`, and nothing borrows from it any more.
        unsafe { libc::munmap(self.entries.as_ptr().cast(), size_of::<T>() * self.count) };
    }
}
