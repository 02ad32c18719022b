//! Flags that go before the suite file.

use crate::spec::{
    error::SpecError,
    node::{Node, Value},
    quick::flag_place,
};
use std::sync::Arc;

/// What the suite commands take beside the file; each text is checked as the same key of a
/// file would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SuiteFlags {
    /// `--tx PORT`.
    pub tx: Option<String>,
    /// `--rx PORT`.
    pub rx: Option<String>,
    /// `--dut sim:...`.
    pub dut: Option<String>,
    /// `--bidir`.
    pub bidir: bool,
    /// `--tests throughput,latency`.
    pub tests: Option<String>,
    /// `--goals NDR,PDR`.
    pub goals: Option<String>,
    /// `--sizes 64,1518` or `--sizes rfc`.
    pub sizes: Option<String>,
    /// `--trial 60s`.
    pub trial: Option<String>,
    /// `--resolution 0.1%`.
    pub resolution: Option<String>,
    /// `--repeats 20`.
    pub repeats: Option<String>,
    /// `--max-rate 50%`.
    pub max_rate: Option<String>,
    /// `--profile rfc`.
    pub profile: Option<String>,
}

/// The same as values that know their flag.
#[derive(Debug)]
pub(super) struct Flags {
    pub(super) tx: Option<Node>,
    pub(super) rx: Option<Node>,
    pub(super) dut: Option<Node>,
    pub(super) bidir: bool,
    pub(super) tests: Option<Node>,
    pub(super) goals: Option<Node>,
    pub(super) sizes: Option<Node>,
    pub(super) trial: Option<Node>,
    pub(super) resolution: Option<Node>,
    pub(super) repeats: Option<Node>,
    pub(super) max_rate: Option<Node>,
    pub(super) profile: Option<Node>,
}

impl Flags {
    pub(super) fn of(flags: &SuiteFlags) -> Result<Self, SpecError> {
        let text = |flag: &str, given: &Option<String>| {
            given.as_ref().map(|given| node(flag, Value::Text(given.trim().to_owned())))
        };
        let list = |flag: &str, given: &Option<String>| {
            let parts = given.as_ref()?.split(',');
            let parts = parts.map(|part| node(flag, Value::Text(part.trim().to_owned())));
            Some(node(flag, Value::List(parts.collect())))
        };
        let missing = |flag: &str, other: &str| {
            SpecError::invalid(&flag_place(flag), format!("{other} is missing"), "both or none")
        };
        match (&flags.tx, &flags.rx, &flags.dut) {
            (Some(_), None, _) => return Err(missing("--tx", "--rx")),
            (None, Some(_), _) => return Err(missing("--rx", "--tx")),
            (Some(_), Some(_), Some(_)) => {
                return Err(SpecError::invalid(
                    &flag_place("--dut"),
                    "a simulated device has no ports",
                    "--dut, or --tx and --rx",
                ));
            }
            _ => (),
        }
        Ok(Self {
            tx: text("--tx", &flags.tx),
            rx: text("--rx", &flags.rx),
            dut: text("--dut", &flags.dut),
            bidir: flags.bidir,
            tests: list("--tests", &flags.tests),
            goals: list("--goals", &flags.goals),
            sizes: list("--sizes", &flags.sizes),
            trial: text("--trial", &flags.trial),
            resolution: text("--resolution", &flags.resolution),
            repeats: text("--repeats", &flags.repeats),
            max_rate: text("--max-rate", &flags.max_rate),
            profile: text("--profile", &flags.profile),
        })
    }
}

fn node(flag: &str, value: Value) -> Node {
    Node { place: Arc::new(flag_place(flag)), value }
}
