//! Whether a latency between two hosts' clocks may be told.

use super::{FlowFacts, Session, remote::is_sure, trial::TrialEnd};
use crate::{collect::Sample, spec::Flow};

impl Session {
    /// How far the clocks of a flow's two ends may be wrong to each other; `None`: it is one.
    pub(super) fn clock_error_ns(&self, flow: &Flow) -> Option<u64> {
        let rx = flow.rx?;
        let daemon = |port: usize| self.ports[port].info.name.daemon.as_ref();
        if daemon(flow.tx) == daemon(rx) {
            return None;
        }
        let far = [flow.tx, rx].into_iter().filter_map(|port| self.ports[port].far.as_ref());
        // One that was never measured is not known at all.
        let error_ns = |clock: Option<super::ClockOffset>| clock.map_or(u64::MAX, |it| it.error_ns);
        Some(far.fold(0, |sum: u64, far| sum.saturating_add(error_ns(far.link.clock_offset()))))
    }

    /// What the NICs that timed a flow's frames have to say: how far their clocks may be off,
    /// and what makes these times void. `None`: the kernel timed all.
    pub(super) fn nic_told(&self, flow: &Flow, end: &TrialEnd) -> Option<(u64, Option<String>)> {
        let used = flow.receivers().filter_map(|rx| {
            let clock = end.ports[rx].clock.as_ref()?;
            (end.ports[rx].analyser.stamped > 0).then_some((rx, clock))
        });
        let told = used.map(|(rx, clock)| {
            let name = &self.ports[rx].name;
            let void = clock.trouble.as_ref().map(|why| format!("the clock of {name}'s NIC {why}"));
            (clock.error_ns, void)
        });
        told.reduce(|one, other| (one.0.max(other.0), one.1.or(other.1)))
    }

    /// The sample without a latency that is mostly the clocks'.
    pub(super) fn without_unsure(&self, flow: &Flow, mut sample: Sample) -> Sample {
        if let Some(error_ns) = self.clock_error_ns(flow) {
            sample.latency.take_if(|latency| !is_sure(error_ns, latency.p50));
        }
        sample
    }
}

/// Whether the frames of a flow were timed by the clocks that its calibration is for.
pub(super) fn timed_as_calibrated(flow: &Flow, end: &TrialEnd) -> bool {
    let mut receivers = flow.receivers().map(|rx| &end.ports[rx]);
    receivers.all(|port| port.clock.is_none() || port.analyser.unstamped == 0)
}

/// Takes latencies away that are mostly the clocks', and says what is known instead.
pub(super) fn judge_clocks(flows: &mut [FlowFacts]) {
    let means: Vec<_> =
        flows.iter().map(|flow| Some(flow.totals.rx.as_ref()?.latency.summary()?.mean)).collect();
    for index in 0..flows.len() {
        let Some(error_ns) = flows[index].clock_error_ns else { continue };
        let Some(latency) = flows[index].totals.rx.as_ref().and_then(|rx| rx.latency.summary())
        else {
            continue;
        };
        if latency.p50.is_some_and(|median_ns| is_sure(error_ns, median_ns)) {
            continue;
        }
        let ends = |flow: &FlowFacts| (Some(flow.tx_port), flow.rx_port);
        let (tx, rx) = ends(&flows[index]);
        let back = flows.iter().position(|other| ends(other) == (rx, tx));
        // The clocks are in both with opposite signs.
        let both = back.and_then(|back| Some(means[index]? + means[back]?));
        let instead = both.map_or_else(
            || "a flow back, too, would tell the sum of both ways".to_owned(),
            |both| format!("there and back it is {both:.0} ns on the mean, whatever the clocks"),
        );
        flows[index].latency_void = Some(format!(
            "the clocks of the two hosts are known to +-{error_ns} ns, which is over a tenth \
             of it; {instead}"
        ));
    }
}
