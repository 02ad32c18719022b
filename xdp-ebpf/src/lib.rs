//! The kernel contract of linerate: XDP programs in C (`src/bpf`), the one header of
//! everything that crosses the border ([`abi`]), and a safe Rust face for each program.
//!
//! An expected stream takes 2 windows of 16 KiB, two slabs of 19 KiB for each of up to
//! four RX queues, and 512 octets of records twice per queue: about 112 KiB on a port
//! with two queues.
#![deny(missing_docs)]

mod analyser;
#[cfg(feature = "host")]
pub mod bench;
mod capture;
mod error;
mod feed;
mod fingerprint;
mod generator;
pub mod histogram;
#[cfg(feature = "host")]
pub mod host;
mod link;
mod mapped;
mod matcher;
mod nic;
mod object;
mod prefetch;
mod redirects;
mod responder;
mod setup;
mod slab;
mod test_run;

pub use analyser::{ANALYSER_OBJECT, Analyser, next_trial};
pub use capture::Capture;
pub use error::Error;
pub use fingerprint::{extent, fingerprint};
pub use generator::{Generator, GeneratorPlan, GeneratorSizes};
pub use mapped::{Plain, from_words, words};
pub use matcher::Matcher;
pub use nic::NicFits;
pub use prefetch::prefetch;
pub use redirects::{Redirects, takes_redirects};
pub use responder::{RespondMode, Responder, ResponderSetup};
pub use setup::{AnalyserSetup, Role, Stamping, StreamSetup, XdpMode};
pub use slab::Slab;
pub use test_run::{Action, TestRun};

/// `src/bpf/abi.h` in Rust; its comments say what things are.
#[allow(
    missing_docs,
    unsafe_code,
    non_camel_case_types,
    clippy::pedantic,
    clippy::undocumented_unsafe_blocks,
    reason = "generated from abi.h"
)]
pub mod abi {
    include!(concat!(env!("OUT_DIR"), "/abi.rs"));
}
