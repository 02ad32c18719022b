//! One trial: workers sending, the collector ticking, then the drain.

use super::{
    Course, Phase, Session, SessionError,
    backend::Redirected,
    control::Departures,
    elsewhere::Armed,
    nic_clock::ClockTold,
    plan,
    readings::{Counted, Readings},
};
use crate::{
    collect::Gap,
    nic::PortReading,
    rx::{PortTotals, Source},
    spec::End,
    tx::{Sent, TxCounters, XskStatistics},
    units::monotonic_ns,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};
use xdp_ebpf::abi;

/// How often a trial looks around while it sends. Each look takes the core from a sender that
/// shares it.
const LOOK: Duration = Duration::from_millis(25);
/// The same in a drain, when nobody sends.
const LOOK_DRAINING: Duration = Duration::from_millis(5);
/// A port that is deleted is heard to go down first, and a moment later that it is gone.
const UNTIL_GONE: Duration = Duration::from_millis(300);
/// How often other daemons are asked in a drain.
const LOOK_ELSEWHERE_NS: u64 = 50_000_000;
/// CONTRACT, Meanings, Drain.
const DRAIN_MAX_NS: u64 = 30_000_000_000;

/// What a trial left to be told, beside what the collector holds.
#[derive(Debug)]
pub(super) struct TrialEnd {
    /// Wall-clock time of the start.
    pub(super) started: jiff::Timestamp,
    /// CLOCK_MONOTONIC when the first frame was due.
    pub(super) start_ns: u64,
    /// The user ended it before the plan did.
    pub(super) interrupted: bool,
    /// What made it void: link lost, a worker's error.
    pub(super) faults: Vec<String>,
    /// By stream id.
    pub(super) sent: Vec<Sent>,
    /// By flow.
    pub(super) gaps: Vec<Gap>,
    /// Where rates were changed and flows paused.
    pub(super) departures: Departures,
    /// By port: differences over the trial.
    pub(super) ports: Vec<PortEnd>,
}

/// What a port counted during the trial.
#[derive(Debug, Clone, Default)]
pub(super) struct PortEnd {
    /// `None` where the port is gone.
    pub(super) counted: Option<PortReading>,
    /// `None` where it has no socket.
    pub(super) xsk: Option<XskStatistics>,
    pub(super) analyser: PortTotals,
    /// `None` where the kernel's clock timed its frames.
    pub(super) clock: Option<ClockTold>,
    /// `None` where it sent no live frames.
    pub(super) redirected: Option<Redirected>,
}

impl Session {
    /// Sends every flow once and drains.
    pub(super) fn trial(
        &mut self,
        course: &mut Course<'_>,
        stop: &AtomicBool,
        observe: &mut dyn FnMut(Phase, &mut Session),
    ) -> Result<TrialEnd, SessionError> {
        let Armed { start_ns, before, redirected, places } = self.arm()?;
        self.collector.begin_trial(start_ns);
        let workers_stop = Arc::new(AtomicBool::new(false));
        let (workers, counters) = self.start_workers(places, start_ns, &workers_stop)?;
        let mut reading = Readings::new(self, start_ns, &counters);
        let mut end = TrialEnd {
            started: jiff::Timestamp::now(),
            start_ns,
            interrupted: false,
            faults: Vec::new(),
            sent: Vec::new(),
            gaps: Vec::new(),
            departures: Departures::default(),
            ports: Vec::new(),
        };
        let interval_ns = self.settings.interval.as_nanos() as u64;
        let mut tick_ns = start_ns + interval_ns;
        let mut latency_from_ns = course.latency_from_ns(start_ns);
        let mut lost = Vec::new();
        while workers.iter().any(|worker| !worker.thread.is_finished()) {
            thread::sleep(LOOK);
            for control in workers.iter().filter_map(|worker| worker.control.as_ref()) {
                control.tend(workers_stop.load(Relaxed));
            }
            if lost.is_empty() && !course.link_may_fall {
                lost = self.lost_links();
            }
            if latency_from_ns.is_some_and(|from_ns| self.has_none_in_flight_from_before(from_ns)) {
                latency_from_ns = None;
                reading.tick(self);
                self.collector.restart_latency();
            }
            if let Some(tend) = &mut course.tend {
                tend(Duration::from_nanos(monotonic_ns().saturating_sub(start_ns)));
            }
            if stop.load(Relaxed) || !end.faults.is_empty() || !lost.is_empty() {
                workers_stop.store(true, Relaxed);
            }
            if monotonic_ns() >= tick_ns {
                tick_ns += interval_ns;
                reading.tick(self);
                self.note_gaps(&counters);
                if !course.link_may_fall {
                    end.faults.extend(self.unheard(&redirected, &counters));
                }
                observe(Phase::Sending, self);
            }
        }
        end.departures = self.control.end();
        end.interrupted =
            stop.load(Relaxed) && self.is_unfinished(start_ns, &counters, &end.departures);
        if !lost.is_empty() {
            thread::sleep(UNTIL_GONE);
            let now = self.lost_links();
            end.faults.extend(if now.is_empty() { lost } else { now });
        }
        self.join(workers, &mut end.faults);
        self.note_gaps(&counters);
        let quiet_ns = if end.faults.is_empty() { Some(course.quiet_ns()) } else { None };
        let after = self.drain(&mut reading, tick_ns, quiet_ns, observe);
        end.faults.extend(self.unbanked());
        if end.faults.is_empty() && !course.link_may_fall {
            end.faults.extend(self.unheard(&redirected, &counters));
        }
        end.sent = counters.iter().map(|counters| counters.read()).collect();
        end.gaps = self.gaps(&counters);
        self.end_elsewhere(&end.sent);
        end.ports = after.since(before, &reading.ports);
        for ((end, port), then) in end.ports.iter_mut().zip(&self.ports).zip(redirected) {
            end.redirected = port.redirected().zip(then).map(|(now, then)| now.since(then));
            end.clock = port.clock_told();
        }
        Ok(end)
    }

    /// Whether the longest flight so far would be over of a frame sent at `ns`. What comes
    /// after that was sent later.
    fn has_none_in_flight_from_before(&self, ns: u64) -> bool {
        const WAIT_MAX_NS: u64 = 1_000_000_000;
        let now_ns = monotonic_ns();
        now_ns >= ns && now_ns - ns >= self.glance().2.min(WAIT_MAX_NS)
    }

    /// For the snapshots to come.
    fn note_gaps(&mut self, counters: &[Arc<dyn TxCounters>]) {
        if self.settings.series {
            self.tx_gaps = self.gaps(counters);
        }
    }

    /// The gaps between submits of every flow, its streams together.
    fn gaps(&self, counters: &[Arc<dyn TxCounters>]) -> Vec<Gap> {
        let mut gaps = vec![Gap::default(); self.spec.flows.len()];
        for (stream, counters) in self.streams.iter().zip(counters) {
            let sent = counters.read();
            let (counts, max_ns) = counters.read_gaps();
            let sum_ns = sent.last_submit_ns - sent.first_submit_ns;
            gaps[stream.flow].record_all(counts, max_ns, sum_ns);
        }
        gaps
    }

    /// Waits until nothing of this trial has come for `least_ns`; `None`: there is nothing to
    /// wait for.
    fn drain(
        &mut self,
        reading: &mut Readings,
        mut tick_ns: u64,
        least_ns: Option<u64>,
        observe: &mut dyn FnMut(Phase, &mut Session),
    ) -> Counted {
        let interval_ns = self.settings.interval.as_nanos() as u64;
        let started_ns = monotonic_ns();
        let mut last_ns = started_ns;
        let mut received = 0;
        let mut look_ns = started_ns;
        loop {
            if monotonic_ns() >= look_ns {
                self.read_elsewhere();
                look_ns = monotonic_ns() + LOOK_ELSEWHERE_NS;
            }
            let (now_ns, frames, latency_max_ns) = self.glance();
            if frames != received {
                (received, last_ns) = (frames, now_ns);
            }
            let quiet_ns =
                least_ns.map_or(0, |least_ns| least_ns.max(latency_max_ns.saturating_mul(3)));
            let waited_ns = now_ns - started_ns;
            if now_ns - last_ns >= quiet_ns || waited_ns >= DRAIN_MAX_NS {
                self.read_elsewhere();
                let counted = self.counted();
                reading.tick(self);
                self.collector.finish();
                observe(Phase::Done, self);
                return counted;
            }
            if now_ns >= tick_ns {
                tick_ns += interval_ns;
                reading.tick(self);
                observe(Phase::Draining, self);
            }
            thread::sleep(LOOK_DRAINING);
        }
    }

    /// Whether some flow with an end has not reached it.
    fn is_unfinished(
        &self,
        start_ns: u64,
        counters: &[Arc<dyn TxCounters>],
        departures: &Departures,
    ) -> bool {
        let now_ns = monotonic_ns();
        self.spec.flows.iter().enumerate().any(|(id, flow)| {
            let link_bps = self.ports[flow.tx].link_bps.unwrap_or(0);
            let sent = || -> u64 {
                let mine = &counters[self.streams_of(id)];
                mine.iter().map(|counters| counters.read().submitted_frames).sum()
            };
            let requested = match departures.changed.get(&id) {
                Some(changed) => changed.frames,
                None => plan::requested_frames(flow, link_bps),
            };
            let has_sent_all = requested.is_some_and(|frames| sent() >= frames);
            let clock = departures.clocks.get(&id);
            let shown_ns = clock.map_or(now_ns, |clock| clock.at(now_ns));
            let is_over = plan::stop_ns(flow, start_ns).is_some_and(|stop_ns| shown_ns >= stop_ns);
            flow.end != End::Never && !has_sent_all && !is_over
        })
    }

    /// Now, the frames of this trial that have come, and the largest latency so far.
    fn glance(&self) -> (u64, u64, u64) {
        let mut frames = 0;
        let mut latency_max_ns = 0;
        for stream in &self.streams {
            for record in self.records(stream) {
                frames += record.unique + record.duplicate + record.late + record.corrupt;
                latency_max_ns = latency_max_ns.max(record.latency_max_ns.max(0) as u64);
            }
        }
        (monotonic_ns(), frames, latency_max_ns)
    }

    /// What every bank of its receivers saw of a stream.
    pub(super) fn records(&self, stream: &plan::Stream) -> impl Iterator<Item = abi::record> {
        self.spec.flows[stream.flow].receivers().flat_map(move |rx| {
            let analyser = self.ports[rx].receiver.source();
            (0..analyser.banks()).map(move |bank| analyser.record(stream.id.0, bank))
        })
    }

    /// How often links were lost since the session was opened.
    pub fn link_losses(&self) -> u32 {
        (0..self.ports.len()).map(|port| self.watch.losses(port)).sum()
    }

    /// Links that are down now, as sentences.
    pub fn lost_links(&self) -> Vec<String> {
        (0..self.ports.len()).filter_map(|port| self.watch.lost(port)).collect()
    }

    /// Live frames that were offered to nobody, which no error tells: a veth whose peer does
    /// not poll takes none, or takes and drops them (-ENXIO).
    fn unheard(
        &self,
        before: &[Option<Redirected>],
        counters: &[Arc<dyn TxCounters>],
    ) -> Option<String> {
        self.ports.iter().enumerate().find_map(|(index, port)| {
            let then = before[index]?;
            // Sent is read first, so that frames in between are not taken for refused ones.
            let mine = self.streams.iter().zip(counters).filter(|(of, _)| of.port == index);
            let handed: u64 = mine.map(|(_, counters)| counters.read().submitted_frames).sum();
            let now = port.redirected()?.since(then);
            let offered = now.sent + now.dropped + u64::from(abi::LIVE_BATCH_MAX);
            let unheard = now.without_receiver + handed.saturating_sub(offered);
            (unheard > 0).then(|| {
                format!(
                    "{}: {unheard} frames found nobody polling at the far end; attach an XDP \
                     program to the peer of this veth or `ethtool -K PEER gro on`",
                    port.name
                )
            })
        })
    }

    /// Frames that came by a queue which did not exist when the analyser was loaded.
    fn unbanked(&self) -> Option<String> {
        let port = self.ports.iter().find(|port| port.receiver.source().unbanked() > 0)?;
        Some(format!(
            "{}: queues were added during the run; frames that came there are not counted",
            port.name
        ))
    }
}
