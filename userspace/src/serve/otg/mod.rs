//! The Open Traffic Generator API, as far as it has no state of protocols: what `snappi`,
//! `gosnappi` and `otgen` speak.
//!
//! ```text
//! Config -- convert --> flow file's shape --> engine --> snapshots --> metrics
//! ```

mod captures;
mod certificate;
mod convert;
mod http;
mod listen;
mod metrics;
#[allow(
    dead_code,
    unreachable_pub,
    reason = "the schema's objects in one place; some members are only there to be allowed"
)]
mod model;
mod pcap;
mod refusal;
mod server;
mod state;
mod transmit;
mod update;
mod write;

pub use certificate::{CertificateError, CertificateFiles};
pub use listen::{ListenError, Listener};
pub use server::Otg;

use refusal::Refusal;
