//! Names of the configuration that stand for PORTs.

use crate::spec::{JsonText, Members, elements};
use serde::Serialize;
use serde_json::{
    Map, Value, json,
    value::{RawValue, to_raw_value},
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

/// More flows than a flow file may have.
const FLOWS_MAX: usize = 65_536;

/// Lets names of the configuration stand for PORTs in a spec: under `[ports]`, and in flows
/// that name a port directly. Aliases that no flow names change nothing, and flows that name
/// none stay as they were written.
pub(crate) fn with_aliases(spec: JsonText, aliases: &BTreeMap<String, String>) -> JsonText {
    if aliases.is_empty() {
        return spec;
    }
    // What is no flow file is refused when it is read.
    replaced(&spec, aliases).unwrap_or(spec)
}

fn replaced(spec: &JsonText, aliases: &BTreeMap<String, String>) -> Option<JsonText> {
    let mut members = spec.members().ok()??;
    let mut ends = Ends::of(members.get("ports"), aliases)?;
    let flows = members.get("flow").and_then(|list| elements(list, FLOWS_MAX));
    if let Some(flows) = flows {
        let flows: Vec<_> = flows.into_iter().map(|flow| ends.within(flow)).collect();
        members.set("flow", text(&flows)?);
    }
    if let Some(defaults) = members.get("defaults") {
        let defaults = ends.within(defaults).into_owned();
        members.set("defaults", Cow::Owned(defaults));
    }
    members.set("ports", text(&ends.ports)?);
    Some(members.to_text())
}

/// The ports of a spec, to which its flows add.
struct Ends<'a> {
    aliases: &'a BTreeMap<String, String>,
    ports: Map<String, Value>,
    /// By interface: it has one name.
    names: HashMap<String, String>,
}

impl<'a> Ends<'a> {
    fn of(ports: Option<&RawValue>, aliases: &'a BTreeMap<String, String>) -> Option<Self> {
        let mut ports: Map<String, Value> = match ports {
            Some(ports) => serde_json::from_str(ports.get()).ok()?,
            None => Map::new(),
        };
        let mut names = HashMap::new();
        for (name, port) in &mut ports {
            let Some(interface) = port.get_mut("if") else { continue };
            if let Some(real) = interface.as_str().and_then(|name| aliases.get(name)) {
                *interface = Value::String(real.clone());
            }
            if let Some(interface) = interface.as_str() {
                names.entry(interface.to_owned()).or_insert_with(|| name.clone());
            }
        }
        Some(Self { aliases, ports, names })
    }

    /// A flow whose ends are named by their ports.
    fn within<'b>(&mut self, flow: &'b RawValue) -> Cow<'b, RawValue> {
        let Ok(Some(mut members)) = Members::of(flow) else { return Cow::Borrowed(flow) };
        let mut changed = false;
        for key in ["tx", "rx"] {
            let Some(given) = members.get(key) else { continue };
            let Ok(mut end) = serde_json::from_str::<Value>(given.get()) else { continue };
            let renamed = match &mut end {
                Value::Array(ends) => ends.iter_mut().fold(false, |any, end| self.name(end) | any),
                end => self.name(end),
            };
            if let (true, Some(end)) = (renamed, text(&end)) {
                members.set(key, end);
                changed = true;
            }
        }
        text(&members).filter(|_| changed).unwrap_or(Cow::Borrowed(flow))
    }

    /// Lets one end of a flow name the port that its alias stands for; whether it was one.
    fn name(&mut self, end: &mut Value) -> bool {
        let Some(alias) = end.as_str().filter(|alias| !self.ports.contains_key(*alias)) else {
            return false;
        };
        let Some(real) = self.aliases.get(alias) else { return false };
        if let Some(name) = self.names.get(real) {
            *end = Value::String(name.clone());
        } else {
            self.names.insert(real.clone(), alias.to_owned());
            self.ports.insert(alias.to_owned(), json!({"if": real}));
        }
        true
    }
}

fn text<'a>(value: &impl Serialize) -> Option<Cow<'a, RawValue>> {
    to_raw_value(value).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_aliases(spec: Value, aliases: &BTreeMap<String, String>) -> Value {
        super::with_aliases(spec.into(), aliases).to_value()
    }

    #[test]
    fn an_alias_stands_for_its_port_wherever_a_port_is_named() {
        let aliases = BTreeMap::from([("localhost:5555".to_owned(), "ens1f0@lab".to_owned())]);
        let ports = json!({"a": {"if": "localhost:5555"}, "b": {"if": "ens1f1"}});
        let flow = json!([{"tx": "localhost:5555", "rx": ["b", "localhost:5555"]}]);
        let spec = with_aliases(json!({"ports": ports, "flow": flow}), &aliases);
        assert_eq!(spec["ports"], json!({"a": {"if": "ens1f0@lab"}, "b": {"if": "ens1f1"}}));
        assert_eq!(spec["flow"], json!([{"tx": "a", "rx": ["b", "a"]}]));
        // Without a name for it in the spec, the alias is the name.
        let spec = with_aliases(json!({"flow": flow}), &aliases);
        assert_eq!(spec["ports"], json!({"localhost:5555": {"if": "ens1f0@lab"}}));
        assert_eq!(spec["flow"], flow);
        assert_eq!(with_aliases(json!([1]), &aliases), json!([1]));
    }

    #[test]
    fn two_aliases_of_one_port_are_one_port() {
        let aliases = [("one", "ens1f0"), ("two", "ens1f0")];
        let aliases = aliases.map(|(name, port)| (name.to_owned(), port.to_owned())).into();
        let spec = json!({"flow": [{"tx": "two"}, {"tx": "one"}]});
        let spec = with_aliases(spec, &aliases);
        assert_eq!(spec["ports"], json!({"two": {"if": "ens1f0"}}));
        assert_eq!(spec["flow"], json!([{"tx": "two"}, {"tx": "two"}]));
        let unused = with_aliases(json!({"flow": [{"tx": "ens1f1"}]}), &aliases);
        assert_eq!(unused["flow"][0]["tx"], "ens1f1");
    }
}
