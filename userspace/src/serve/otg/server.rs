//! What the requests do.

use super::{
    convert::{self, Plan, World},
    metrics,
    model::{
        self, CaptureOrder, Config, ControlForm, ControlState, LinkOrder, MetricsForm,
        MetricsRequest, MetricsResponse, PortState, PortStateForm, Warning,
    },
    refusal::{At, Failure, Refusal},
    state::{Counted, State},
};
use crate::serve::engine::{Command, Engine, EngineError, Event};
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::sync::watch;

/// How long a transmission may take to drain, and a capture to end.
pub(super) const END_WAIT: Duration = Duration::from_secs(40);

/// The state behind the interface, which all its clients share, as the schema has it.
#[derive(Debug)]
pub struct Otg {
    pub(super) engine: Arc<Engine>,
    /// PORTs by the locations that stand for them.
    aliases: HashMap<String, String>,
    /// Numbers for runs and captures, shared with all who start some.
    numbers: Arc<AtomicU64>,
    state: Mutex<State>,
    /// One request after the other changes something.
    pub(super) orders: tokio::sync::Mutex<()>,
    /// Counts what was heard of the engine.
    heard: watch::Sender<u64>,
}

/// What the answer to a request is, if it is no failure.
pub(super) type Outcome<T> = Result<T, Failure>;

impl Otg {
    /// Nothing is set up yet.
    pub fn new(
        engine: Arc<Engine>,
        aliases: HashMap<String, String>,
        numbers: Arc<AtomicU64>,
    ) -> Self {
        Self {
            engine,
            aliases,
            numbers,
            state: Mutex::new(State::new(Value::Object(serde_json::Map::new()), Plan::default())),
            orders: tokio::sync::Mutex::default(),
            heard: watch::Sender::new(0),
        }
    }

    /// Something happened in the engine; false: it is none of its business.
    pub fn hear(&self, event: &Event) -> bool {
        let mine = self.state().hear(event);
        if mine {
            self.heard.send_modify(|count| *count += 1);
        }
        mine
    }

    /// The engine died, and nothing of what it did goes on.
    pub fn died(&self, reason: &str) {
        self.state().end_all(reason);
        self.heard.send_modify(|count| *count += 1);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Relaxed) + 1
    }

    /// Waits until the engine has said what `is_there` wants to see.
    pub(super) async fn wait(&self, is_there: impl Fn(&State) -> bool) -> Outcome<()> {
        let mut heard = self.heard.subscribe();
        let there = async {
            loop {
                heard.borrow_and_update();
                if is_there(&self.state()) {
                    return;
                }
                // The sender lives as long as `self`.
                let _ = heard.changed().await;
            }
        };
        let late = |_| Failure::internal("the data plane did not come to an end in time".into());
        tokio::time::timeout(END_WAIT, there).await.map_err(late)
    }

    pub(super) fn config(&self) -> Value {
        self.state().document.clone()
    }

    /// POST /config.
    pub(super) async fn set_config(&self, body: &[u8]) -> Outcome<Warning> {
        let _order = self.orders.lock().await;
        let document: Value = model::read(body)?;
        let plan = self.plan(&document).await?;
        self.end_transmission().await?;
        self.drop_captures().await;
        let warnings = plan.warnings.clone();
        let counts = self.count(&plan).await?;
        let mut state = State::new(without_nulls(document), plan);
        for (port, count) in state.ports.iter_mut().zip(counts) {
            port.base = count;
        }
        *self.state() = state;
        Ok(Warning { warnings })
    }

    pub(super) async fn plan(&self, document: &Value) -> Outcome<Plan> {
        let text = document.to_string();
        let config: Config = model::read(text.as_bytes())?;
        let world = Known { aliases: &self.aliases, speeds: self.speeds(&config).await? };
        Ok(convert::convert(&config, &world)?)
    }

    /// The speeds of the links that a configuration names, by PORT.
    async fn speeds(&self, config: &Config) -> Outcome<HashMap<String, Option<u64>>> {
        let mut speeds = HashMap::new();
        let root = At::root("ports");
        for (index, port) in config.ports.iter().flatten().enumerate() {
            let Some(location) = port.location.as_deref().filter(|text| !text.is_empty()) else {
                continue;
            };
            let interface = self.aliases.get(location).map_or(location, String::as_str);
            if speeds.contains_key(interface) {
                continue;
            }
            let report = match self.engine.ports(Some(interface.to_owned())).await {
                Err(EngineError::Invalid { message, .. }) => {
                    let at = root.index(index);
                    return Err(at.key("location").refuse(message).into());
                }
                report => report?,
            };
            let speed = report["ports"][0]["link_bps"].as_u64();
            speeds.insert(interface.to_owned(), speed);
        }
        Ok(speeds)
    }

    /// What the kernel has counted on every port of a plan.
    pub(super) async fn count(&self, plan: &Plan) -> Outcome<Vec<Counted>> {
        let ports: Vec<_> = plan.ports.iter().map(|port| port.interface.clone()).collect();
        Ok(self.engine.count(ports).await?.iter().map(Counted::from).collect())
    }

    /// POST /control/state.
    pub(super) async fn set_state(&self, body: &[u8]) -> Outcome<Warning> {
        let _order = self.orders.lock().await;
        let control: ControlState = model::read(body)?;
        match control.choice {
            ControlForm::Traffic => {
                let at = At::root("traffic");
                let traffic = control.traffic.ok_or_else(|| at.refuse("it is missing"))?;
                let at = at.key("flow_transmit");
                let transmit = traffic.flow_transmit.ok_or_else(|| at.refuse("it is missing"))?;
                self.transmit(&transmit, &at).await
            }
            ControlForm::Port => {
                let at = At::root("port");
                self.set_ports(&control.port.ok_or_else(|| at.refuse("it is missing"))?).await
            }
            ControlForm::Protocol => {
                let warning = "no protocols are emulated, so none was started or stopped";
                Ok(Warning { warnings: vec![warning.into()] })
            }
        }
    }

    async fn set_ports(&self, port: &PortState) -> Outcome<Warning> {
        let root = At::root("port");
        match port.choice {
            PortStateForm::Link => {
                let at = root.key("link");
                let link = port.link.as_ref().ok_or_else(|| at.refuse("it is missing"))?;
                let up = link.state == LinkOrder::Up;
                let names = at.key("port_names");
                for (place, port) in
                    self.ports_named(link.port_names.as_deref(), &at)?.into_iter().enumerate()
                {
                    let port = self.state().plan.ports[port].interface.clone();
                    let ordered = self.engine.order(Command::Link { port, up }).await;
                    if let Err(EngineError::Invalid { message, .. }) = ordered {
                        return Err(names.index(place).refuse(message).into());
                    }
                    ordered?;
                }
            }
            PortStateForm::Capture => {
                let at = root.key("capture");
                let capture = port.capture.as_ref().ok_or_else(|| at.refuse("it is missing"))?;
                let configured = self
                    .state()
                    .plan
                    .captures
                    .iter()
                    .flat_map(|c| c.ports.clone())
                    .collect::<Vec<_>>();
                let all = capture.port_names.as_ref().is_none_or(Vec::is_empty);
                let named = self.ports_named(capture.port_names.as_deref(), &at)?;
                let ports = if all { configured.clone() } else { named };
                for (place, port) in ports.iter().enumerate() {
                    if !configured.contains(port) {
                        let names = at.key("port_names");
                        let problem = "the configuration has no capture at this port";
                        return Err(names.index(place).refuse(problem).into());
                    }
                }
                match capture.state {
                    CaptureOrder::Start => self.start_captures(&ports).await?,
                    CaptureOrder::Stop => self.stop_captures(&ports).await?,
                }
            }
        }
        Ok(Warning::default())
    }

    fn ports_named(&self, names: Option<&[String]>, at: &At<'_>) -> Result<Vec<usize>, Refusal> {
        let state = self.state();
        let known = state.plan.ports.iter().map(|port| port.name.as_str());
        metrics::named(names, known, "port", &at.key("port_names"))
    }

    /// POST /monitor/metrics.
    pub(super) async fn metrics(&self, body: &[u8]) -> Outcome<MetricsResponse> {
        let request: MetricsRequest = model::read(body)?;
        let form = match (request.choice, &request.flow) {
            (None, Some(_)) => MetricsForm::Flow,
            (form, _) => form.unwrap_or(MetricsForm::Port),
        };
        match form {
            MetricsForm::Flow => {
                let request = request.flow.unwrap_or_default();
                let state = self.state();
                if let Some(fault) = state.run.as_ref().and_then(|run| run.fault.clone()) {
                    return Err(Failure::internal(fault));
                }
                Ok(MetricsResponse::FlowMetrics { flow_metrics: metrics::flows(&state, &request)? })
            }
            MetricsForm::Port => {
                let request = request.port.unwrap_or_default();
                let (indices, names): (Vec<_>, Vec<_>) = {
                    let state = self.state();
                    let indices = metrics::ports_asked(&state, &request)?;
                    let name = |&index: &usize| (index, state.plan.ports[index].interface.clone());
                    indices.iter().map(name).unzip()
                };
                let counts = self.engine.count(names).await?;
                let counts: Vec<_> = indices.into_iter().zip(counts).collect();
                let mut state = self.state();
                // The configuration may be another one by now.
                if counts.iter().any(|(index, _)| *index >= state.plan.ports.len()) {
                    return Err(Failure::internal("the configuration has just changed".into()));
                }
                let port_metrics = metrics::ports(&mut state, &request, &counts);
                Ok(MetricsResponse::PortMetrics { port_metrics })
            }
        }
    }
}

/// What is known of the world.
struct Known<'a> {
    aliases: &'a HashMap<String, String>,
    speeds: HashMap<String, Option<u64>>,
}

impl World for Known<'_> {
    fn interface(&self, location: &str) -> String {
        self.aliases.get(location).cloned().unwrap_or_else(|| location.to_owned())
    }

    fn link_bps(&self, interface: &str) -> Option<u64> {
        self.speeds.get(interface).copied().flatten()
    }
}

/// Null says the same as nothing, and clients do not want to read it.
pub(super) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key, without_nulls(value)))
                .collect(),
        ),
        Value::Array(values) => Value::Array(values.into_iter().map(without_nulls).collect()),
        other => other,
    }
}
