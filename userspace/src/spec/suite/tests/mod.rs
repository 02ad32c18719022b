//! Suite files: what is read, what flags and profiles change, what is refused.

mod files;
mod flags;
mod refusals;

use super::*;

/// The least that a file must say.
const TOPOLOGY: &str = "[topology]\npairs = [[\"west\", \"east\"]]\n";

fn no_flags() -> SuiteFlags {
    SuiteFlags::default()
}

/// Flags for a simulated device.
fn simulated() -> SuiteFlags {
    SuiteFlags { dut: Some("sim:link=10G".into()), ..SuiteFlags::default() }
}

#[track_caller]
fn rfc2544(text: &str, flags: &SuiteFlags) -> Rfc2544Spec {
    let spec = SuiteFile::from_toml(text, flags).and_then(|file| file.rfc2544());
    spec.unwrap_or_else(|error| panic!("{text}: {error}"))
}
