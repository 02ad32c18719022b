//! Captures at ports, beside whatever is sent there.

use super::{
    model::{self, CaptureRequest},
    pcap,
    refusal::{At, Failure},
    server::{Otg, Outcome},
    state::Capture,
};
use crate::serve::engine::{CaptureStart, Command};

/// Octets that a capture keeps at most.
const CAPTURE_OCTETS: u64 = 256 << 20;
/// Octets that are read of it at a time.
const READ_OCTETS: u32 = 8 << 20;
/// Octets of the longest frame.
const WHOLE: u32 = 262_144;

impl Otg {
    pub(super) async fn start_captures(&self, ports: &[usize]) -> Outcome<()> {
        self.stop_captures(ports).await?;
        for &port in ports {
            let number = self.number();
            let (interface, old) = {
                let mut state = self.state();
                let interface = state.plan.ports[port].interface.clone();
                let capture = Capture { number, over: false, fault: None };
                (interface, state.captures.insert(port, capture))
            };
            if let Some(old) = old {
                // It may be gone with an engine that died.
                let _ = self.engine.order(Command::DropCapture { capture: old.number }).await;
            }
            let start = CaptureStart {
                capture: number,
                port: interface,
                // Whole, for the FCS is computed of all of it.
                snap: WHOLE,
                filter: Some("inbound".into()),
                beside: true,
                octets: CAPTURE_OCTETS,
                ..CaptureStart::default()
            };
            if let Err(error) = self.engine.start_capture(start).await {
                self.state().captures.remove(&port);
                return Err(error.into());
            }
        }
        Ok(())
    }

    pub(super) async fn stop_captures(&self, ports: &[usize]) -> Outcome<()> {
        for port in ports {
            let running =
                self.state().captures.get(port).filter(|capture| !capture.over).map(|c| c.number);
            if let Some(capture) = running {
                self.engine.order(Command::StopCapture { capture }).await?;
                self.wait(|state| state.captures.get(port).is_none_or(|capture| capture.over))
                    .await?;
            }
        }
        Ok(())
    }

    pub(super) async fn drop_captures(&self) {
        let captures: Vec<_> = self.state().captures.drain().map(|(_, c)| c.number).collect();
        for capture in captures {
            // It may be gone with an engine that died.
            let _ = self.engine.order(Command::DropCapture { capture }).await;
        }
    }

    /// POST /monitor/capture: the file.
    pub(super) async fn capture(&self, body: &[u8]) -> Outcome<Vec<u8>> {
        let request: CaptureRequest = model::read(body)?;
        let at = At::root("port_name");
        let (number, format, snap) = {
            let state = self.state();
            let port = state.plan.ports.iter().position(|port| port.name == request.port_name);
            let port = port
                .ok_or_else(|| at.refuse(format!("there is no port \"{}\"", request.port_name)))?;
            let capture = state.captures.get(&port).ok_or_else(|| {
                at.refuse("nothing was captured at this port; start its capture first")
            })?;
            if !capture.over {
                return Err(at.refuse("the capture still goes on; stop it first").into());
            }
            if let Some(fault) = &capture.fault {
                return Err(Failure::internal(fault.clone()));
            }
            let planned = state.plan.captures.iter().find(|c| c.ports.contains(&port));
            let planned = planned
                .ok_or_else(|| at.refuse("the configuration has no capture at this port"))?;
            (capture.number, planned.format, planned.snap)
        };
        let mut pcapng = Vec::new();
        loop {
            let offset = pcapng.len() as u64;
            let part = self.engine.read_capture(number, offset, READ_OCTETS).await?;
            if part.is_empty() {
                break;
            }
            pcapng.extend(part);
        }
        pcap::with_fcs(&pcapng, format, &request.port_name, snap)
            .map_err(|error| Failure::internal(error.to_string()))
    }
}
