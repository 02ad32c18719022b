//! What the session knows at some moment, put into plain values.

use super::{
    FlowFacts, FlowHistograms, FlowSnapshot, NicTimes, Phase, PortFacts, RunFacts, Session,
    Snapshot, ToldBy,
    clocks::{judge_clocks, timed_as_calibrated},
    plan, stamping,
    trial::{PortEnd, TrialEnd},
};
use crate::{
    calibration::Correction,
    collect::{FlowId, Gap, RxTotals, Sample},
    nic::PortReading,
    rx::lost_range,
    spec::{Flow, Spacing, Track},
};
use std::time::Duration;

impl Session {
    pub(super) fn snapshot(&mut self, phase: Phase) -> Snapshot {
        let flows = self.spec.flows.len() as u32;
        let series = self.settings.series;
        let settled: Vec<_> = (0..flows)
            .map(|id| if series { self.collector.take_settled(FlowId(id)) } else { Vec::new() })
            .collect();
        let (session, collector) = (&*self, &self.collector);
        let each = (0..).zip(&self.spec.flows).zip(settled);
        let flows = each.filter_map(|((id, flow), finished)| {
            let correct = |sample| {
                session.without_unsure(flow, corrected(sample, session.corrections.of(id)))
            };
            let totals = collector.totals(FlowId(id))?;
            let latest = correct(collector.latest(FlowId(id))?.clone());
            Some(FlowSnapshot {
                name: flow.name.clone(),
                histograms: session.histograms(id, &latest, totals.rx.as_ref()),
                latest,
                settled: collector.latest_settled(FlowId(id)).cloned().map(correct),
                finished: finished.into_iter().map(correct).collect(),
                tx_frames: totals.tx_frames,
                tx_bytes: totals.tx_bytes,
                rx: totals.rx.as_ref().map(|rx| rx.counters),
                told_by: session.told_by(id as usize),
            })
        });
        let flows = flows.collect();
        let elapsed =
            Duration::from_nanos(crate::units::monotonic_ns().saturating_sub(self.base_ns));
        Snapshot { phase, elapsed, base_ns: self.base_ns, flows }
    }

    /// Of a flow, with what is taken off its latency in `latest`.
    fn histograms(&self, id: u32, latest: &Sample, rx: Option<&RxTotals>) -> FlowHistograms {
        if !self.settings.series {
            return FlowHistograms::default();
        }
        let bias_ns = self.corrections.of(id).map_or(0, |correction| correction.bias_ns);
        let gap = |gap: &Gap| Some(gap.coarse()).filter(|counts| !counts.is_empty());
        FlowHistograms {
            latency: latest.latency.map(|_| latest.buckets().coarse(bias_ns)),
            // On several banks they are longer than those of the stream.
            rx_gap: rx.filter(|rx| rx.counters.banks == 1).and_then(|rx| gap(&rx.gap)),
            tx_gap: self.tx_gaps.get(id as usize).and_then(gap),
        }
    }

    pub(super) fn facts(&mut self, mut end: TrialEnd) -> RunFacts {
        let mut faults = end.faults.clone();
        if end.interrupted {
            faults.push("interrupted before its end".to_owned());
        }
        let flows = (0..self.spec.flows.len()).map(|id| self.flow_facts(id, &mut end));
        let mut flows: Vec<_> = flows.collect();
        judge_clocks(&mut flows);
        let mut notes = self.notes();
        notes.extend((0..).zip(&flows).filter_map(|(id, flow)| {
            self.corrections.of(id).filter(|_| flow.correction.is_none())?;
            let why = "the calibration does not hold: the NIC did not time every frame";
            Some(format!("{}: latency is as stamped, {why}", flow.name))
        }));
        let ports = (0..self.ports.len()).map(|port| self.port_facts(port, &end.ports[port]));
        RunFacts {
            started: end.started,
            base_ns: end.start_ns,
            ports: ports.collect(),
            flows,
            faults,
            notes,
        }
    }

    fn port_facts(&self, index: usize, end: &PortEnd) -> PortFacts {
        let port = &self.ports[index];
        PortFacts {
            name: port.name.clone(),
            interface: port.info.name.to_string(),
            driver: port.info.driver.clone(),
            tx_mode: port.queues.first().map(|queue| queue.mode()),
            rx_mode: port.rx_mode(),
            queues: if port.queues.is_empty() {
                port.info.rx_queues
            } else {
                port.queues.len() as u32
            },
            link_bps: port.speed_bps(),
            calibrations: self.corrections.received_by(index),
            settings_changed: port.settings_changed().to_vec(),
            tx_frames: (end.counted.as_ref())
                .filter(|_| port.counts_sent())
                .map(|counted| counted.link.tx_packets),
            tx_dropped: end.counted.as_ref().map(|counted| {
                counted.link.tx_dropped.max(end.redirected.map_or(0, |live| live.dropped))
            }),
            rx_frames: end.counted.as_ref().map(|counted| counted.link.rx_packets),
            rx_dropped: end.counted.as_ref().map(PortReading::rx_dropped),
            rx_drops: end.counted.as_ref().map(PortReading::rx_drops).unwrap_or_default(),
            seen: Some(end.analyser.seen),
            pause_frames: end.counted.as_ref().and_then(PortReading::pause_frames),
            xsk: end.xsk,
            peer: port.peer,
            clock: port.far.as_ref().and_then(|far| {
                let offset = far.link.clock_offset()?;
                Some((offset, far.link.drift_ns()))
            }),
            nic_times: end.clock.as_ref().map(|_| NicTimes {
                stamped: end.analyser.stamped,
                unstamped: end.analyser.unstamped,
            }),
        }
    }

    /// Whether the time on both wires is taken off each latency of the flow.
    fn takes_wires_off(&self, flow: &Flow) -> bool {
        let wire = |port: usize| {
            let port = &self.ports[port];
            stamping::wire_bps(&port.info, port.link_bps.filter(|_| port.line_given))
        };
        let known = |rx| stamping::octet_ps(wire(flow.tx), wire(rx)).is_some();
        flow.rx.is_some() && flow.receivers().all(|rx| rx != flow.tx && known(rx))
    }

    /// What a latency of this session is: `store-and-forward` (RFC 1242), or `host`, the plain
    /// difference of the stamps, where a wire has no known speed.
    pub fn latency_definition(&self) -> &'static str {
        let measured = self.spec.flows.iter().enumerate().filter(|(_, flow)| flow.rx.is_some());
        let mut measured = measured.peekable();
        let any = measured.peek().is_some();
        let off = measured.all(|(id, flow)| {
            self.takes_wires_off(flow) && self.corrections.of(id as u32).is_none()
        });
        if any && off { "store-and-forward" } else { "host" }
    }

    fn told_by(&self, flow: usize) -> ToldBy {
        match self.spec.flows[flow].track {
            Track::Count => ToldBy::Headers { everywhere: self.known_everywhere[flow] },
            Track::Tag | Track::None => ToldBy::Tag,
        }
    }

    /// When the first and the last lost frame of a flow were sent.
    fn lost_ns(&self, id: usize, end: &TrialEnd) -> Option<(u64, u64)> {
        let flow = &self.spec.flows[id];
        if flow.track != Track::Tag {
            return None;
        }
        let analyser = self.ports[flow.rx?].receiver.source();
        let mine = self.streams_of(id);
        let streams = self.streams[mine.clone()].iter().zip(&end.sent[mine]);
        let ranges = streams.filter_map(|(stream, sent)| {
            let records: Vec<_> = self.records(stream).collect();
            let frames = sent.submitted_frames;
            let lost = lost_range(&records, &analyser.window(stream.id.0), frames)?;
            let span_ns = u128::from(sent.last_submit_ns.saturating_sub(sent.first_submit_ns));
            let last = u128::from(frames.max(2) - 1);
            let sent_ns = |number: u64| {
                let since_first = (span_ns * u128::from(number) / last) as u64;
                (sent.first_submit_ns + since_first).saturating_sub(end.start_ns)
            };
            Some((sent_ns(lost.0), sent_ns(lost.1)))
        });
        ranges.reduce(|all, one| (all.0.min(one.0), all.1.max(one.1)))
    }

    fn flow_facts(&mut self, id: usize, end: &mut TrialEnd) -> FlowFacts {
        // Before the borrows: histograms are moved, not copied.
        let mut totals = self.collector.take_totals(FlowId(id as u32)).unwrap_or_default();
        let tx_gap = end.gaps.get_mut(id).map(std::mem::take);
        let flow = &self.spec.flows[id];
        let mut faults = Vec::new();
        if let Some(far) = self.ports[flow.tx].far.as_ref().filter(|far| far.link.is_lost()) {
            // What was sent after the last reading is not known, but for what came.
            let came = totals.rx.as_ref().map(|rx| (rx.counters.unique, rx.counters.bytes));
            let (frames, bytes) = came.unwrap_or_default();
            totals.tx_frames = totals.tx_frames.max(frames);
            totals.tx_bytes = totals.tx_bytes.max(bytes);
            faults.push(format!(
                "{}: how much it sent at last is not known; at least what came is counted",
                far.link.daemon()
            ));
        }
        let came = totals.rx.as_ref().map_or(0, |rx| rx.counters.frames());
        if flow.track == Track::Count && came > totals.tx_frames {
            faults.push(format!(
                "{came} frames with its headers came where {} were sent: duplicates or foreign \
                 ones, which may hide a loss",
                totals.tx_frames
            ));
        }
        let correction = self.corrections.of(id as u32);
        let correction = correction.filter(|_| timed_as_calibrated(flow, end));
        let (nic_error_ns, latency_void) = self.nic_told(flow, end).unzip();
        let link_bps = self.ports[flow.tx].link_bps.unwrap_or(0);
        let sent = || end.sent[self.streams_of(id)].iter();
        let started = || sent().filter(|sent| sent.submitted_frames > 0);
        let changed = end.departures.changed.get(&id);
        let clock = end.departures.clocks.remove(&id).unwrap_or_default();
        let legs = match changed {
            Some(changed) => Some(changed.legs.clone()),
            None => flow.legs(link_bps),
        };
        let last_tx_ns = started().map(|sent| sent.last_submit_ns).max();
        FlowFacts {
            name: flow.name.clone(),
            tx_port: flow.tx,
            rx_port: flow.rx,
            more_rx_ports: flow.more_rx.clone(),
            streams: sent().count() as u32,
            told_by: self.told_by(id),
            requested: match changed {
                Some(changed) => changed.frames,
                None => plan::requested_frames(flow, link_bps),
            },
            intended_pps: plan::intended_pps(
                flow,
                legs.as_deref(),
                end.start_ns + plan::delay_ns(flow),
                last_tx_ns,
                &clock,
            ),
            random: flow.spacing == Spacing::Poisson,
            completed: sent().map(|sent| sent.completed_frames).sum(),
            first_tx_ns: started().map(|sent| sent.first_submit_ns).min(),
            last_tx_ns,
            tx_gap,
            totals,
            samples: self.settings.keep_samples.then(|| {
                self.collector
                    .history(FlowId(id as u32), self.settings.samples)
                    .into_iter()
                    .map(|sample| self.without_unsure(flow, corrected(sample.clone(), correction)))
                    .collect()
            }),
            correction,
            lost_ns: self.lost_ns(id, end),
            store_and_forward: self.takes_wires_off(flow),
            latency_void: latency_void.flatten(),
            nic_error_ns,
            clock_error_ns: self.clock_error_ns(flow),
            faults,
            expect: flow.expect.clone(),
        }
    }
}

/// The sample with the tester's own part taken off its latency.
fn corrected(mut sample: Sample, correction: Option<Correction>) -> Sample {
    if let (Some(latency), Some(correction)) = (&mut sample.latency, correction) {
        for value in [
            &mut latency.p50,
            &mut latency.p90,
            &mut latency.p99,
            &mut latency.p999,
            &mut latency.max,
        ] {
            *value -= correction.bias_ns;
        }
    }
    sample
}
