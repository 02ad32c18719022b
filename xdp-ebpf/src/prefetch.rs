//! What is needed soon is brought into the cache now.
#![allow(unsafe_code, reason = "a prefetch takes a raw pointer")]

/// Octets that a cache brings at once.
const LINE_BYTES: usize = 64;

/// Has the octets of a value brought into the cache. Nothing waits for them.
#[inline]
pub fn prefetch<T: ?Sized>(value: &T) {
    let first = std::ptr::from_ref(value).cast::<i8>();
    for offset in (0..size_of_val(value)).step_by(LINE_BYTES) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: inside `value`; and a prefetch reads nothing.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(first.add(offset));
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (first, offset);
    }
}
