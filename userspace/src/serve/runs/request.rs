use crate::{
    serve::{
        engine::{Backend, EngineError},
        store::StoreError,
    },
    spec::{Flow, JsonText, Overrides, Spec, SpecError},
};
use serde::Serialize;

/// A run that is asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunRequest {
    /// What a list calls it.
    pub name: String,
    /// The shape of a flow file.
    pub spec: JsonText,
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

impl PlannedFlow {
    /// Of a flow, whose ports have these names.
    pub fn new(flow: &Flow, port: impl Fn(usize) -> String + Copy) -> Self {
        let rx = flow.receivers().map(port).collect();
        Self { name: flow.name.clone(), tx: port(flow.tx), rx }
    }
}

impl Planned {
    /// Of a spec.
    pub fn of(spec: &Spec) -> Self {
        let port = |port: usize| spec.ports[port].interface.clone();
        let flows = spec.flows.iter().map(|flow| PlannedFlow::new(flow, port));
        Self { ports: (0..spec.ports.len()).map(port).collect(), flows: flows.collect() }
    }
}

/// A flow file's error as the engine would tell it.
pub(crate) fn invalid(error: &SpecError) -> EngineError {
    let place = error.place().map_or_else(String::new, |place| place.key.clone());
    EngineError::Invalid { place, message: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_held_flow_that_is_not_there_is_refused() {
        let spec = json!({"flow": [{"name": "f", "tx": "a", "frames": 1,
            "layers": [{"eth": {"dst": "02:00:00:00:00:02"}}], "track": "none"}]});
        let request =
            RunRequest { spec: spec.into(), held: vec!["g".into()], ..RunRequest::default() };
        let Err(EngineError::Invalid { place, message }) = request.plan() else {
            panic!("it is refused: {:?}", request.plan());
        };
        assert_eq!(place, "held");
        assert!(message.contains("`g`"), "{message}");
    }
}
