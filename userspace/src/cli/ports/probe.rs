//! `ports PORT --probe`: sends as fast as it goes for two seconds and counts.

use super::PortsError;
use crate::{
    nic::{PortInfo, wait_for_carriers},
    report::{CeilingReport, Measured, PortReport},
    session::{Session, Settings},
    spec::Spec,
};
use std::{
    slice,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

/// Sizes that are measured, and how long each: two seconds in all.
const SIZES: [u16; 2] = [64, 1518];
const TRIAL: &str = "1s";
/// Locally administered, and no station's.
const NOBODY: &str = "02:6c:72:00:00:01";
/// A link that is there is seen at once.
const CARRIER: Duration = Duration::from_secs(1);

/// What the user is told before anything is sent.
pub(super) fn warning(port: &PortInfo) -> String {
    format!(
        "sending from {} for two seconds, as fast as it goes, to {NOBODY}, which is nobody's \
         address; a switch would flood these frames",
        port.name
    )
}

/// Measures what the port sends and enters it beside what was predicted.
///
/// # Errors
/// Without carrier, where a program is attached or the port is held, and if the user
/// interrupts; nothing is left attached.
pub(super) fn probe(
    port: &PortInfo,
    told: &mut PortReport,
    stop: &AtomicBool,
) -> Result<(), PortsError> {
    port.require_up()?;
    wait_for_carriers(slice::from_ref(port), CARRIER)?;
    for ceiling in told.ceilings.iter_mut().filter(|ceiling| SIZES.contains(&ceiling.size)) {
        ceiling.measured = Some(measure(port, ceiling, stop)?);
    }
    Ok(())
}

fn measure(
    port: &PortInfo,
    ceiling: &CeilingReport,
    stop: &AtomicBool,
) -> Result<Measured, PortsError> {
    let text = format!(
        r#"
        [[flow]]
        name = "probe"
        tx = "{}"
        rate = "max"
        size = {}
        duration = "{TRIAL}"
        layers = [
          {{eth = {{dst = "{NOBODY}"}}}},
          {{ipv4 = {{src = "198.18.0.1", dst = "198.18.0.2"}}}},
          {{udp = {{src = {{range = "49152-50175"}}, dst = 9}}}},
        ]
        "#,
        port.name, ceiling.size
    );
    let spec = Spec::from_toml(&text).map_err(crate::session::SessionError::from)?;
    let facts = Session::open(spec, Settings::default())?.run(stop, &mut |_| {})?;
    let void = |reason: String| PortsError::Probe { port: port.name.clone(), reason };
    if stop.load(Relaxed) {
        return Err(void("interrupted".to_owned()));
    }
    if let Some(fault) = facts.faults.first() {
        return Err(void(fault.clone()));
    }
    let (flow, used) = (&facts.flows[0], &facts.ports[0]);
    let span_ns = flow.last_tx_ns.zip(flow.first_tx_ns).map(|(last, first)| last - first);
    let span_ns = span_ns.filter(|&ns| ns > 0).ok_or_else(|| void("no frame left".to_owned()))?;
    let left = used.tx_frames.ok_or_else(|| void("the port is gone".to_owned()))?;
    Ok(Measured {
        fps: left as f64 * 1e9 / span_ns as f64,
        dropped_frames: used.tx_dropped.unwrap_or(0),
        tx_mode: used.tx_mode.map(Into::into),
    })
}
