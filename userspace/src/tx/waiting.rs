//! How workers wait: asleep while there is time, else spinning.

use std::{thread, time::Duration};

/// A stall may make frames late; those due before the end may still go within this time.
pub(super) const CATCH_UP_NS: u64 = 10_000_000;
/// A sleep wakes some 50 us late at worst; nearer than this the worker spins.
const SPIN_NS: u64 = 60_000;
/// Longest sleep, so that a stop is heard.
pub(super) const SLEEP_MAX_NS: u64 = 20_000_000;

/// A part of the wait for something that is `ahead_ns` away; the caller looks again. `yields`:
/// other workers want this core too.
pub(super) fn rest(ahead_ns: u64, yields: bool) {
    if ahead_ns > SPIN_NS {
        thread::sleep(Duration::from_nanos((ahead_ns - SPIN_NS).min(SLEEP_MAX_NS)));
    } else {
        pause(yields);
    }
}

/// A turn of spinning.
pub(super) fn pause(yields: bool) {
    if yields {
        thread::yield_now();
    } else {
        std::hint::spin_loop();
    }
}
