//! Which calibrations hold for the flows of a session.

use super::{PathCalibration, Session};
use crate::{
    calibration::{self, Calibration, Correction, End, Setting},
    packet::format_mac,
    spec::Track,
    tx::TxMode,
};
use std::path::Path;
use xdp_ebpf::XdpMode;

/// The corrections of a session, and why some flows have none.
#[derive(Debug, Default)]
pub(super) struct Corrections {
    /// By flow.
    flows: Vec<Option<Correction>>,
    /// With the place of the receiving port.
    paths: Vec<(usize, PathCalibration)>,
    pub(super) notes: Vec<String>,
}

impl Corrections {
    pub(super) fn of(&self, flow: u32) -> Option<Correction> {
        self.flows.get(flow as usize).copied().flatten()
    }

    /// Those used for what a port receives.
    pub(super) fn received_by(&self, port: usize) -> Vec<PathCalibration> {
        let paths = self.paths.iter().filter(|(rx, _)| *rx == port);
        paths.map(|(_, path)| path.clone()).collect()
    }
}

impl Session {
    /// What tells a measurement from port `tx` to port `rx` (places in the spec) from one
    /// that is not comparable.
    pub fn setting(&self, tx: usize, rx: usize) -> Setting {
        let end = |port: usize, mode: &str| {
            let info = &self.ports[port].info;
            End {
                port: info.name.to_string(),
                mac: format_mac(info.mac),
                driver: info.driver.clone(),
                firmware: info.firmware.clone(),
                mtu: info.mtu,
                mode: mode.to_owned(),
                link_bps: info.link_bps.filter(|_| info.physical),
            }
        };
        let sends = match self.ports[tx].queues.first().map(|queue| queue.mode()) {
            Some(TxMode::ZeroCopy) => "zero-copy",
            Some(TxMode::Copy) => "copy",
            Some(TxMode::LiveFrames) => "live-frames",
            None => "none",
        };
        let receives = match self.ports[rx].rx_mode() {
            XdpMode::Native => "native",
            XdpMode::Generic => "generic",
        };
        let uname = nix::sys::utsname::uname();
        Setting {
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            kernel: uname
                .map(|uname| uname.release().to_string_lossy().into_owned())
                .unwrap_or_default(),
            definition: "host".to_owned(),
            clock: self.ports[rx].nic_clock().map_or("monotonic", |_| "nic").to_owned(),
            tx: end(tx, sends),
            rx: end(rx, receives),
        }
    }

    /// Looks up every flow between two ports of known speed.
    pub(super) fn corrections(&self, directory: &Path) -> Corrections {
        let mut found = Corrections::default();
        let mut known: Vec<((usize, usize), Option<Calibration>)> = Vec::new();
        for (index, flow) in self.spec.flows.iter().enumerate() {
            found.flows.push(None);
            let measured = flow.rx.filter(|_| flow.track == Track::Tag);
            let Some(path) = measured.map(|rx| (flow.tx, rx)) else { continue };
            let unfit = |&port: &usize| {
                self.ports[port].far.is_some() || self.ports[port].speed_bps().is_none()
            };
            if [path.0, path.1].iter().any(unfit) {
                continue;
            }
            if !known.iter().any(|(other, _)| *other == path) {
                let calibration = self.calibration(directory, path, &mut found.notes);
                found.paths.extend(calibration.iter().map(|calibration| {
                    let from = self.ports[path.0].name.clone();
                    (path.1, PathCalibration { from, calibration: calibration.clone() })
                }));
                known.push((path, calibration));
            }
            let Some(calibration) = known
                .iter()
                .find(|(other, _)| *other == path)
                .and_then(|(_, found)| found.as_ref())
            else {
                continue;
            };
            match self.correction(flow, calibration) {
                Ok(correction) => found.flows[index] = Some(correction),
                Err(why) => found.notes.push(format!(
                    "{}: latency is as stamped, the calibration does not hold: {why}",
                    flow.name
                )),
            }
        }
        found
    }

    fn calibration(
        &self,
        directory: &Path,
        (tx, rx): (usize, usize),
        notes: &mut Vec<String>,
    ) -> Option<Calibration> {
        let setting = self.setting(tx, rx);
        let refused = match calibration::load(directory, &setting.tx.port, &setting.rx.port) {
            Ok(None) => return None,
            Ok(Some(calibration)) => match calibration.stale(&setting, jiff::Timestamp::now()) {
                None => return Some(calibration),
                Some(why) => format!("that of {:.0} is stale: {why}", calibration.measured),
            },
            Err(error) => error.to_string(),
        };
        notes.push(format!(
            "{} to {}: latency is as stamped, not calibrated: {refused}",
            self.ports[tx].name, self.ports[rx].name
        ));
        None
    }

    fn correction(
        &self,
        flow: &crate::spec::Flow,
        calibration: &Calibration,
    ) -> Result<Correction, String> {
        let link_bps = self.ports[flow.tx].link_bps.unwrap_or(0);
        let leaving = self.spec.flows.iter().filter(|other| other.tx == flow.tx);
        let steady = |other: &crate::spec::Flow| {
            let steady = other.burst.is_none() && other.schedule.is_empty();
            other.frames_per_second(link_bps).filter(|_| steady).map(crate::units::Ratio::to_f64)
        };
        let rate_pps = leaving.map(steady).sum::<Option<f64>>();
        let rate_pps =
            rate_pps.ok_or("it is for a steady rate, not \"max\", bursts or a schedule")?;
        let sizes = flow.sizes.iter().map(|size| size.bytes());
        let (least, most) = sizes.clone().min().zip(sizes.max()).ok_or("it has no size")?;
        calibration.correction(&(least..=most), rate_pps)
    }
}
