use crate::{
    serve::{
        engine::{Backend, EngineError},
        store::StoreError,
    },
    spec::{Overrides, Spec, SpecError},
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A run that is asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunRequest {
    /// What a list calls it.
    pub name: String,
    /// The shape of a flow file.
    pub spec: Value,
    /// The flow set that it is from.
    pub flow_set: Option<u64>,
    /// How long every flow lasts, instead of its own end: `10s`.
    pub duration: Option<String>,
    /// Of every rate: `50%`.
    pub scale: Option<String>,
    /// Flows that begin paused, by the names of their rows.
    pub held: Vec<String>,
    /// How frames are to leave.
    pub backend: Backend,
    /// Whether the result holds the samples.
    pub samples: bool,
}

/// What a spec comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Planned {
    /// The PORTs that a run holds.
    pub ports: Vec<String>,
    /// Every row, in file order.
    pub flows: Vec<PlannedFlow>,
}

/// A row of the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PlannedFlow {
    /// Its name.
    pub name: String,
    /// The PORT that it leaves from.
    pub tx: String,
    /// The PORTs that it is received on.
    pub rx: Vec<String>,
}

/// Why a run did not start.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum StartError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RunRequest {
    /// Checks what can be checked without a port.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] with the place.
    pub fn plan(&self) -> Result<Planned, EngineError> {
        let mut spec = Spec::from_json(&self.spec).map_err(|error| invalid(&error))?;
        let overrides = Overrides {
            duration: self.duration.clone(),
            scale: self.scale.clone(),
            ports: Vec::new(),
        };
        spec.apply(&overrides).map_err(|error| invalid(&error))?;
        let planned = Planned::of(&spec);
        if let Some(unknown) =
            self.held.iter().find(|held| planned.flows.iter().all(|flow| flow.name != **held))
        {
            let message = format!("no flow is named `{unknown}`");
            return Err(EngineError::Invalid { place: "held".to_owned(), message });
        }
        Ok(planned)
    }
}

impl Planned {
    /// Of a spec.
    pub fn of(spec: &Spec) -> Self {
        let port = |port: usize| spec.ports[port].interface.clone();
        let flows = spec.flows.iter().map(|flow| PlannedFlow {
            name: flow.name.clone(),
            tx: port(flow.tx),
            rx: flow.receivers().map(port).collect(),
        });
        Self { ports: (0..spec.ports.len()).map(port).collect(), flows: flows.collect() }
    }
}

/// A flow file's error as the engine would tell it.
pub(crate) fn invalid(error: &SpecError) -> EngineError {
    let place = error.place().map_or_else(String::new, |place| place.key.clone());
    EngineError::Invalid { place, message: error.to_string() }
}

/// Lets names of the configuration stand for PORTs in a spec: under `[ports]`, and in flows
/// that name a port directly. Aliases that no flow names change nothing.
pub(crate) fn with_aliases(mut spec: Value, aliases: &BTreeMap<String, String>) -> Value {
    if aliases.is_empty() {
        return spec;
    }
    let Some(root) = spec.as_object_mut() else { return spec };
    let ports = root.entry("ports").or_insert_with(|| Value::Object(Map::new()));
    let Some(ports) = ports.as_object_mut() else { return spec };
    for port in ports.values_mut().filter_map(|port| port.get_mut("if")) {
        if let Some(real) = port.as_str().and_then(|name| aliases.get(name)) {
            *port = Value::String(real.clone());
        }
    }
    let mut named: Map<String, Value> = ports.clone();
    let flows = root.get_mut("flow").and_then(Value::as_array_mut).into_iter().flatten();
    flows.for_each(|flow| name_ends(flow, &mut named, aliases));
    if let Some(defaults) = root.get_mut("defaults") {
        name_ends(defaults, &mut named, aliases);
    }
    if let Some(ports) = root.get_mut("ports") {
        *ports = Value::Object(named);
    }
    spec
}

fn name_ends(flow: &mut Value, ports: &mut Map<String, Value>, aliases: &BTreeMap<String, String>) {
    for key in ["tx", "rx"] {
        match flow.get_mut(key) {
            Some(Value::Array(ends)) => ends.iter_mut().for_each(|end| name(end, ports, aliases)),
            Some(end) => name(end, ports, aliases),
            None => (),
        }
    }
}

/// Lets one end of a flow name the port that its alias stands for: an interface has one name.
fn name(end: &mut Value, ports: &mut Map<String, Value>, aliases: &BTreeMap<String, String>) {
    let Some(alias) = end.as_str().filter(|alias| !ports.contains_key(*alias)) else { return };
    let Some(real) = aliases.get(alias) else { return };
    let is_it = |port: &Value| port.get("if").and_then(Value::as_str) == Some(real);
    match ports.iter().find(|(_, port)| is_it(port)).map(|(name, _)| name.clone()) {
        Some(name) => *end = Value::String(name),
        None => drop(ports.insert(alias.to_owned(), serde_json::json!({"if": real}))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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

    #[test]
    fn a_held_flow_that_is_not_there_is_refused() {
        let spec = json!({"flow": [{"name": "f", "tx": "a", "frames": 1,
            "layers": [{"eth": {"dst": "02:00:00:00:00:02"}}], "track": "none"}]});
        let request = RunRequest { spec, held: vec!["g".into()], ..RunRequest::default() };
        let Err(EngineError::Invalid { place, message }) = request.plan() else {
            panic!("it is refused: {:?}", request.plan());
        };
        assert_eq!(place, "held");
        assert!(message.contains("`g`"), "{message}");
    }
}
