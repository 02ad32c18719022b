//! cli

pub mod show;
