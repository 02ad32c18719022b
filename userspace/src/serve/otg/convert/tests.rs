//! Configurations as clients write them, and what becomes of them.

use super::super::{Refusal, model};
use super::{Measured, Plan, World, convert};
use crate::spec::{Spec, Track};
use serde_json::{Value, json};

mod captures;
mod fields;
mod flows;
mod refusals;

/// `localhost:5555` is veth0; veth1 has no speed.
struct Lab;

impl World for Lab {
    fn interface(&self, location: &str) -> String {
        if location == "localhost:5555" { "veth0".into() } else { location.into() }
    }

    fn link_bps(&self, interface: &str) -> Option<u64> {
        (interface != "veth1").then_some(10_000_000_000)
    }
}

/// Two ports and a flow over IPv4 and UDP, with some keys of the flow replaced.
fn config(changes: &Value) -> Value {
    let mut flow = json!({
        "name": "f1",
        "tx_rx": {"choice": "port", "port": {"tx_name": "p1", "rx_names": ["p2"]}},
        "packet": [
            {"choice": "ethernet", "ethernet": {"dst": {"value": "02:00:00:00:00:01"}}},
            {"choice": "ipv4", "ipv4": {}},
            {"choice": "udp"}
        ]
    });
    for (key, value) in changes.as_object().unwrap() {
        flow[key] = value.clone();
    }
    json!({
        "ports": [{"name": "p1", "location": "localhost:5555"}, {"name": "p2", "location": "veth1"}],
        "flows": [flow]
    })
}

fn converted(config: &Value) -> Result<Plan, Refusal> {
    convert(&model::read(config.to_string().as_bytes())?, &Lab)
}

/// The one flow of the file that the configuration becomes.
#[track_caller]
fn flow(changes: &Value) -> Value {
    let plan = converted(&config(changes)).unwrap_or_else(|error| panic!("{changes}: {error}"));
    plan.spec.unwrap()["flow"][0].clone()
}

/// The last layer of a packet that ends with this header.
#[track_caller]
fn layer(below: &[Value], name: &str, header: &Value) -> Value {
    let packet: Vec<_> =
        below.iter().cloned().chain([json!({"choice": name, name: header})]).collect();
    let size = json!({"fixed": 256});
    flow(&json!({"packet": packet, "size": size}))["layers"].as_array().unwrap().last().unwrap()
        [name_of(name)]
    .clone()
}

fn name_of(header: &str) -> &str {
    if header == "ethernet" { "eth" } else { header }
}

fn ethernet() -> Value {
    json!({"choice": "ethernet", "ethernet": {"dst": {"value": "02:00:00:00:00:01"}}})
}

/// What the client is told of a configuration that is refused.
#[track_caller]
fn refusal(config: &Value) -> String {
    match converted(config) {
        Err(refusal) => refusal.to_string(),
        Ok(plan) => panic!("{config} became {:?}", plan.spec),
    }
}
