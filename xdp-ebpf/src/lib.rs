//! The kernel contract of linerate.
#![deny(missing_docs)]

pub mod histogram;

#[allow(missing_docs, non_camel_case_types, clippy::pedantic, reason = "generated from abi.h")]
pub mod abi {
    include!(concat!(env!("OUT_DIR"), "/abi.rs"));
}
