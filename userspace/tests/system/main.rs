//! The system tests: the built binary on real frames between network namespaces,
//! judged by everything but linerate itself. They need root, iproute2, ethtool and
//! tshark; `cargo xtask setup` installs what is missing. One that lacks something
//! fails and says so.
//!
//! | file | proves |
//! |---|---|
//! | `testbed_itself` | the judges: what they count is what was sent |
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod testbed;
mod testbed_itself;
