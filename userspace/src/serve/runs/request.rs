use crate::{
    serve::{
        engine::{Backend, EngineError},
        store::StoreError,
    },
    spec::{Overrides, Spec, SpecError},
};
use serde::Serialize;
use serde_json::Value;
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
/// that name a port directly.
pub(crate) fn with_aliases(mut spec: Value, aliases: &BTreeMap<String, String>) -> Value {
    if aliases.is_empty() {
        return spec;
    }
    let Some(root) = spec.as_object_mut() else { return spec };
    let ports = root.entry("ports").or_insert_with(|| Value::Object(serde_json::Map::new()));
    let Some(ports) = ports.as_object_mut() else { return spec };
    for port in ports.values_mut().filter_map(|port| port.get_mut("if")) {
        if let Some(real) = port.as_str().and_then(|name| aliases.get(name)) {
            *port = Value::String(real.clone());
        }
    }
    for (alias, real) in aliases {
        if !ports.contains_key(alias) {
            ports.insert(alias.clone(), serde_json::json!({"if": real}));
        }
    }
    spec
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_alias_stands_for_its_port_wherever_a_port_is_named() {
        let aliases = BTreeMap::from([("localhost:5555".to_owned(), "ens1f0@lab".to_owned())]);
        let spec = with_aliases(
            json!({"ports": {"a": {"if": "localhost:5555"}, "b": {"if": "ens1f1"}}, "flow": []}),
            &aliases,
        );
        assert_eq!(spec["ports"]["a"]["if"], "ens1f0@lab");
        assert_eq!(spec["ports"]["b"]["if"], "ens1f1");
        assert_eq!(spec["ports"]["localhost:5555"]["if"], "ens1f0@lab");
        assert_eq!(with_aliases(json!([1]), &aliases), json!([1]));
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
