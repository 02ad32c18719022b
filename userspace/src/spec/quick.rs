//! `linerate run` without a file: flags that stand for one flow.

use super::{
    Spec,
    error::{Place, SpecError},
    node::{Entry, Node, Value},
};
use std::sync::Arc;

/// One flow as the flags of `linerate run` give it; each text is checked as the same key
/// of a file would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuickFlow {
    /// `--tx PORT`.
    pub tx: Option<String>,
    /// `--rx PORT`; absent: transmit only.
    pub rx: Option<String>,
    /// `--eth SRC,DST`: MAC addresses or `auto`.
    pub eth: Option<String>,
    /// `--vlan ID`, outermost first.
    pub vlan: Vec<String>,
    /// `--ipv4 SRC,DST`.
    pub ipv4: Option<String>,
    /// `--ipv6 SRC,DST`.
    pub ipv6: Option<String>,
    /// `--udp SRC,DST`.
    pub udp: Option<String>,
    /// `--tcp SRC,DST`.
    pub tcp: Option<String>,
    /// `--size 64`, `--size 64,512,1518` or `--size imix`.
    pub size: Option<String>,
    /// `--track tag`, `--track count` or `--track none`.
    pub track: Option<String>,
    /// `--rate 10%`.
    pub rate: Option<String>,
    /// `--bidir`.
    pub bidir: bool,
    /// `--for 10s`.
    pub duration: Option<String>,
    /// `--frames 1000000`.
    pub frames: Option<String>,
}

impl Spec {
    /// The one flow, named `flow`, that the flags ask for.
    pub fn from_quick(quick: &QuickFlow) -> Result<Spec, SpecError> {
        let required = |flag: &str, what| {
            SpecError::invalid(
                &flag_place(flag),
                "missing",
                format!("{flag} {what}, or a flow file"),
            )
        };
        let tx = quick.tx.as_deref().ok_or_else(|| required("--tx", "PORT"))?;
        let mut flow = vec![
            entry("name", "command line", Value::Text("flow".into())),
            entry("tx", "--tx", text(tx)),
            entry("layers", "command line", Value::List(layers(quick)?)),
        ];
        let texts = [
            ("rx", "--rx", &quick.rx),
            ("track", "--track", &quick.track),
            ("rate", "--rate", &quick.rate),
            ("duration", "--for", &quick.duration),
            ("frames", "--frames", &quick.frames),
        ];
        flow.extend(
            texts
                .into_iter()
                .filter_map(|(key, flag, given)| Some(entry(key, flag, text(given.as_ref()?)))),
        );
        if let Some(size) = &quick.size {
            let value = match size.split(',').collect::<Vec<_>>()[..] {
                [one] => text(one),
                ref several => {
                    Value::List(several.iter().map(|size| node("--size", text(size))).collect())
                }
            };
            flow.push(entry("size", "--size", value));
        }
        if quick.bidir {
            flow.push(entry("bidir", "--bidir", Value::Boolean(true)));
        }
        let flows = Value::List(vec![node("command line", Value::Table(flow))]);
        Self::from_node(&node(
            "command line",
            Value::Table(vec![entry("flow", "command line", flows)]),
        ))
    }
}

fn layers(quick: &QuickFlow) -> Result<Vec<Node>, SpecError> {
    let either = |one: &str, other: &str| {
        SpecError::invalid(
            &flag_place(one),
            format!("excludes {other}"),
            format!("one of {one} and {other}"),
        )
    };
    let neither = |one: &str, other: &str| {
        let problem = format!("{one} or {other} is missing");
        SpecError::invalid(
            &flag_place("command line"),
            problem,
            format!("{one} SRC,DST or {other} SRC,DST"),
        )
    };
    let mut layers = vec![match &quick.eth {
        Some(eth) => pair("eth", "--eth", eth)?,
        None => layer("eth", "command line", Vec::new()),
    }];
    layers.extend(
        quick.vlan.iter().map(|id| layer("vlan", "--vlan", vec![entry("id", "--vlan", text(id))])),
    );
    layers.push(match (&quick.ipv4, &quick.ipv6) {
        (Some(ipv4), None) => pair("ipv4", "--ipv4", ipv4)?,
        (None, Some(ipv6)) => pair("ipv6", "--ipv6", ipv6)?,
        (Some(_), Some(_)) => return Err(either("--ipv4", "--ipv6")),
        (None, None) => return Err(neither("--ipv4", "--ipv6")),
    });
    layers.push(match (&quick.udp, &quick.tcp) {
        (Some(udp), None) => pair("udp", "--udp", udp)?,
        (None, Some(tcp)) => pair("tcp", "--tcp", tcp)?,
        (Some(_), Some(_)) => return Err(either("--udp", "--tcp")),
        (None, None) => return Err(neither("--udp", "--tcp")),
    });
    Ok(layers)
}

/// A layer whose source and destination a flag gives as `SRC,DST`.
fn pair(name: &'static str, flag: &'static str, given: &str) -> Result<Node, SpecError> {
    let (src, dst) = given.split_once(',').ok_or_else(|| {
        SpecError::invalid(
            &flag_place(flag),
            format!("\"{given}\" is no pair"),
            format!("{flag} SRC,DST"),
        )
    })?;
    Ok(layer(name, flag, vec![entry("src", flag, text(src)), entry("dst", flag, text(dst))]))
}

fn layer(name: &str, flag: &str, fields: Vec<Entry>) -> Node {
    node(flag, Value::Table(vec![entry(name, flag, Value::Table(fields))]))
}

fn entry(key: &str, flag: &str, value: Value) -> Entry {
    Entry { key: key.to_owned(), place: Arc::new(flag_place(flag)), node: node(flag, value) }
}

fn node(flag: &str, value: Value) -> Node {
    Node { place: Arc::new(flag_place(flag)), value }
}

fn text(text: &str) -> Value {
    Value::Text(text.trim().to_owned())
}

/// The place of a value that a flag gave.
pub(super) fn flag_place(flag: &str) -> Place {
    Place { key: flag.to_owned(), ..Place::default() }
}
