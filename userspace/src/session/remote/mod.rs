//! Ports of other hosts: the daemon there holds them, and everything is counted here.
//!
//! ```text
//! Session (here): plan, collector, ledger         daemon (there): a session of its own
//!   Link ------------- HTTP, JSON, a lease ------> Host
//!   FarQueue, Mirror <-- counters, buckets ------- workers, analysers
//! ```
//!
//! The border is that of a session with its ports: there, ports are taken, frames sent and
//! counted as told; here is one plan, one nonce and one collector, so that a result cannot
//! tell where a port was. What the analysers count there comes as what has changed since the
//! last reading, into a mirror of their maps. All tags tell the time of the clock here: what
//! stamps there, adds the difference of the clocks, which is measured before each trial.
//! A lease that is not renewed ends, and with it all that is attached.

mod clock;
mod host;
mod link;
mod mirror;
mod open;
mod queue;
mod reach;
mod told;
mod way;
mod wire;

pub use clock::ClockOffset;
pub use host::Host;
pub use reach::{PortAnnouncer, Reach};
pub use way::{VERSION, VERSION_HEADER, far_counters, far_port_report};

pub(super) use clock::is_sure;
pub(super) use link::Link;
pub(super) use mirror::Watch;
pub(super) use open::{FarPort, Group, groups, place};
