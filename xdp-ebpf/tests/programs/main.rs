//! The XDP programs and the pure headers they are made of, without linerate. One program, for
//! each would be linked with libbpf once more.
//!
//! | file | proves | by |
//! |---|---|---|
//! | `analyser` | what a frame counts as, and when | frames given to the program |
//! | `attach` | modes, ends, capabilities | frames on veth pairs |
//! | `count` | frames without a tag are told by their headers | frames given to the program |
//! | `extensions` | IPv6 extension headers and labels | the headers, frames given to the program |
//! | `headers` | parse.h and payload.h | Rust, for any input |
//! | `integrity` | damage is told from loss | frames given to the program |
//! | `matcher` | the fingerprint of a frame | Rust, for every length and kind |
//! | `nic` | the NIC's clock becomes the kernel's | a clock that is made up |
//! | `ports` | one stream at several ports | frames given to the program |
//! | `record` | histogram.h and record.h | Rust, for any input |
//! | `responder` | what is sent back, and what of it is swapped | frames given to the program |
//! | `stamping` | which frames are stamped | frames given to the program |
//! | `usual` | the quick way of most frames counts as record.h does | record.h, for any input |
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod analyser;
mod attach;
mod common;
mod count;
mod extensions;
mod headers;
mod integrity;
mod matcher;
mod nic;
mod ports;
mod record;
mod responder;
mod stamping;
mod usual;
