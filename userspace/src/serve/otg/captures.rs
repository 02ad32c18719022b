//! Captures at ports, beside whatever is sent there.

use super::{
    convert,
    model::{self, CaptureRequest, Packets, PacketsForm},
    pcap,
    refusal::{At, Failure, Refusal},
    server::{Otg, Outcome},
    state::Capture,
};
use crate::serve::engine::{CaptureStart, Command};
use std::ops::Range;

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
            let (interface, filter, old) = {
                let mut state = self.state();
                let interface = state.plan.ports[port].interface.clone();
                let planned = state.plan.captures.iter().find(|c| c.ports.contains(&port));
                let filter = match planned.map_or("", |capture| &capture.filter) {
                    "" => "inbound".to_owned(),
                    filter => format!("inbound and ( {filter} )"),
                };
                let capture = Capture { number, over: false, fault: None };
                (interface, filter, state.captures.insert(port, capture))
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
                filter: Some(filter),
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
        let wanted = wanted(request.packets.unwrap_or_default())?;
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
        pcap::with_fcs(&pcapng, format, &request.port_name, snap, wanted)
            .map_err(|error| Failure::internal(error.to_string()))
    }
}

/// Which frames of a capture, counted from 0.
fn wanted(packets: Packets) -> Result<Range<u64>, Refusal> {
    let root = At::root("packets");
    let given = [(PacketsForm::Slice, "slice", packets.slice.is_some())];
    if convert::chosen(packets.choice, &given, PacketsForm::All, &root)? == PacketsForm::All {
        return Ok(0..u64::MAX);
    }
    // There is one kind of slice.
    let initial = packets.slice.unwrap_or_default().initial.unwrap_or_default();
    let (start, count) = (initial.start.map_or(1, |it| it.0), initial.count.map_or(100, |it| it.0));
    if start == 0 || count == 0 {
        let at = root.key("slice");
        return Err(at.key("initial").refuse("`start` and `count` are 1 or more"));
    }
    Ok(start - 1..(start - 1).saturating_add(count))
}
