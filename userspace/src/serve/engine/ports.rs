//! What the engine tells of ports.

use super::{
    protocol::{Answer, EngineError, PortCount},
    worker::refusal,
};
use crate::{
    nic::{NicError, PortName, link_counters, list_ports, port_info, set_link as set_port},
    report::PortsReport,
    session::{SessionError, far_counters, far_port_report},
};
use serde_json::{Value, json};
use std::thread;

/// Sizes of RFC 2544, which the ceilings are told for.
const SIZES: [u16; 7] = [64, 128, 256, 512, 1024, 1280, 1518];

/// `linerate.ports/1` of one port, or of all in the engine's namespace.
pub(super) fn tell(port: Option<&str>) -> Result<Answer, EngineError> {
    let far = port.map(str::parse::<PortName>).transpose().map_err(refused)?;
    if let Some(far) = far.filter(|port| port.daemon.is_some()) {
        return tell_far(&far).map(Answer::Ports);
    }
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
    let report = || {
        let ports = match port {
            Some(port) => vec![port_info(&port.parse()?)?],
            None => list_ports(None)?,
        };
        PortsReport::new(&ports, cores, &SIZES)
    };
    let report = report().map_err(refused)?;
    serde_json::to_value(report)
        .map(Answer::Ports)
        .map_err(|error| EngineError::Failed { message: error.to_string() })
}

/// What another daemon tells of its port, under the name that it has here.
fn tell_far(port: &PortName) -> Result<Value, EngineError> {
    let report = far_port_report(port).map_err(|error| refusal(&error))?;
    let mut report: Value = serde_json::from_str(&report)
        .map_err(|error| EngineError::Failed { message: format!("{port}: {error}") })?;
    match report.pointer_mut("/ports/0/if") {
        Some(name) => *name = json!(port.to_string()),
        None => return Err(EngineError::Failed { message: format!("{port}: it tells no port") }),
    }
    Ok(report)
}

/// What the kernel has counted.
pub(super) fn count(ports: &[String]) -> Result<Answer, EngineError> {
    let count = |port: &String| {
        let name: PortName = port.parse()?;
        let (link, counters) = if name.daemon.is_some() {
            far_counters(&name)?
        } else {
            let info = port_info(&name)?;
            (info.up && info.carrier, link_counters(&info)?)
        };
        Ok(PortCount {
            port: port.clone(),
            link,
            tx_frames: counters.tx_packets,
            tx_bytes: counters.tx_bytes,
            rx_frames: counters.rx_packets,
            rx_bytes: counters.rx_bytes,
        })
    };
    ports
        .iter()
        .map(count)
        .collect::<Result<_, _>>()
        .map(Answer::Counts)
        .map_err(|error: SessionError| refusal(&error))
}

pub(super) fn set_link(port: &str, up: bool) -> Result<Answer, EngineError> {
    let set = || set_port(&port.parse::<PortName>()?, up);
    set().map(|()| Answer::Done).map_err(refused)
}

fn refused(error: NicError) -> EngineError {
    refusal(&error.into())
}
