//! What decides which trials are run, as one short text.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Keys of [`SuiteSpec`](crate::spec::SuiteSpec) that change no trial: how long the suite may
/// take, and how its rows are judged. A suite may be resumed with others.
const FREE: [&str; 3] = ["max_trials", "max_time", "pass"];

/// SHA-256, in hexadecimal, of a suite's specification without its limits and bounds, and of
/// the `files` that it names.
///
/// # Errors
/// None that a specification can cause; kept because writing JSON may fail in principle.
pub fn config_hash(spec: &impl Serialize, files: &[&[u8]]) -> serde_json::Result<String> {
    let mut spec = serde_json::to_value(spec)?;
    if let Some(Value::Object(suite)) = spec.get_mut("suite") {
        suite.retain(|key, _| !FREE.contains(&key.as_str()));
    }
    let mut hash = Sha256::new();
    hash.update(serde_json::to_vec(&spec)?);
    for file in files {
        // With its length before it, no octet can move from one to the other.
        hash.update((file.len() as u64).to_be_bytes());
        hash.update(file);
    }
    let mut text = String::with_capacity(64);
    for octet in hash.finalize() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{octet:02x}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{SuiteFile, SuiteFlags};

    fn hash(text: &str, files: &[&[u8]]) -> String {
        let flags = SuiteFlags { dut: Some("sim:link=1G".into()), ..SuiteFlags::default() };
        let spec = SuiteFile::from_toml(text, &flags).unwrap().rfc2544().unwrap();
        config_hash(&spec, files).unwrap()
    }

    #[test]
    fn what_changes_a_trial_changes_the_hash_and_nothing_else_does() {
        let plain = hash("", &[]);
        assert_eq!(plain.len(), 64);
        for same in [
            "# a comment",
            "profile = \"quick\"",
            "[limits]\ntime = \"10s\"",
            "[pass]\nthroughput = \"1%\"",
        ] {
            assert_eq!(hash(same, &[]), plain, "{same}");
        }
        for other in [
            "sizes = [64]",
            "tests = [\"loss\"]",
            "[waits]\nafter = \"1s\"",
            "[throughput]\ntrial = \"2s\"",
        ] {
            assert_ne!(hash(other, &[]), plain, "{other}");
        }
        assert_ne!(hash("", &[b"a"]), plain);
        assert_ne!(hash("", &[b"a", b"bc"]), hash("", &[b"ab", b"c"]));
    }
}
