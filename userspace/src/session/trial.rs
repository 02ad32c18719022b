//! One trial: workers sending, the collector ticking, then the drain.

use super::{Phase, Session, SessionError, plan};
use crate::{
    collect::{FlowId, FlowReading, Gap},
    nic::PortReading,
    rx::{IntervalClock, IntervalRing, PortTotals},
    spec::End,
    tx::{Outcome, Queue, Sent, StreamCounters, StreamPlan, Trial, XskStatistics},
    units::monotonic_ns,
};
use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use xdp_ebpf::abi;

/// Time to start all workers before the first frame is due.
const LEAD_NS: u64 = 20_000_000;
const POLL: Duration = Duration::from_millis(5);
/// CONTRACT, Meanings, Drain.
const DRAIN_QUIET_NS: u64 = 500_000_000;
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
}

/// What interfaces and sockets say, by port.
struct Counted(Vec<(Option<PortReading>, Option<XskStatistics>)>);

type Worker = JoinHandle<(Queue, Outcome)>;

impl Session {
    /// Sends every flow once and drains.
    pub(super) fn trial(
        &mut self,
        stop: &AtomicBool,
        observe: &mut dyn FnMut(Phase, &mut Session),
    ) -> Result<TrialEnd, SessionError> {
        let counters: Vec<Arc<StreamCounters>> =
            self.streams.iter().map(|_| Arc::default()).collect();
        let lead_ns = LEAD_NS + self.streams.len() as u64 * 20_000;
        let start_ns = monotonic_ns() + lead_ns;
        self.trial_number = xdp_ebpf::next_trial(self.trial_number);
        for port in &mut self.ports {
            port.receiver.begin_trial(self.trial_number, start_ns);
        }
        self.collector.begin_trial(start_ns);
        self.base_ns = start_ns;
        // Interfaces are read after the analysers start to count and before they are read
        // last: so no foreign frame can make one look unseen.
        let before = self.counted();

        let workers_stop = Arc::new(AtomicBool::new(false));
        let workers = self.start_workers(start_ns, &counters, &workers_stop)?;
        let mut reading = Readings::new(self, start_ns, &counters);
        let mut end = TrialEnd {
            started: jiff::Timestamp::now(),
            start_ns,
            interrupted: false,
            faults: Vec::new(),
            sent: Vec::new(),
            gaps: Vec::new(),
            ports: Vec::new(),
        };
        let interval_ns = self.settings.interval.as_nanos() as u64;
        let mut tick_ns = start_ns + interval_ns;
        while workers.iter().any(|(_, worker)| !worker.is_finished()) {
            thread::sleep(POLL);
            if end.faults.is_empty() {
                end.faults.extend(self.link_faults());
            }
            if stop.load(Relaxed) || !end.faults.is_empty() {
                workers_stop.store(true, Relaxed);
            }
            if monotonic_ns() >= tick_ns {
                tick_ns += interval_ns;
                reading.tick(self);
                observe(Phase::Sending, self);
            }
        }
        end.interrupted = stop.load(Relaxed) && self.is_unfinished(start_ns, &counters);
        self.join(workers, &mut end.faults);
        let after = self.drain(&mut reading, tick_ns, end.faults.is_empty(), observe);
        end.faults.extend(self.unbanked());
        end.sent = counters.iter().map(|counters| counters.read()).collect();
        end.gaps = self.gaps(&counters);
        end.ports = after.since(before, &reading.ports);
        Ok(end)
    }

    fn start_workers(
        &mut self,
        start_ns: u64,
        counters: &[Arc<StreamCounters>],
        stop: &Arc<AtomicBool>,
    ) -> Result<Vec<(usize, Worker)>, SessionError> {
        let trial = Trial {
            magic: self.nonce << abi::TAG_TRIAL_BITS | u32::from(self.trial_number),
            start_ns,
            interval_ns: self.settings.interval.as_nanos() as u64,
        };
        let cpus = allowed_cpus();
        let count: usize = self.ports.iter().map(|port| port.queues.len()).sum();
        let mut workers = Vec::with_capacity(count);
        for port in 0..self.ports.len() {
            for queue in std::mem::take(&mut self.ports[port].queues) {
                let plans = self.stream_plans(port, queue.id(), start_ns, counters);
                // Spread by interface too, so that several runs on one machine do not meet on one core.
                let place = self.ports[port].info.ifindex as usize + queue.id() as usize;
                let cpu = (count < cpus.len().max(2))
                    .then(|| cpus.get(place % cpus.len().max(1)).copied())
                    .flatten();
                let yields = count >= cpus.len();
                let (stop, mut queue) = (Arc::clone(stop), queue);
                let name = format!("tx-{port}-{}", queue.id());
                let worker = thread::Builder::new().name(name).spawn(move || {
                    if let Some(cpu) = cpu {
                        pin(cpu);
                    }
                    let outcome = queue.run(plans, &trial, &stop, yields);
                    (queue, outcome)
                })?;
                workers.push((port, worker));
            }
        }
        Ok(workers)
    }

    fn stream_plans(
        &self,
        port: usize,
        queue: u32,
        start_ns: u64,
        counters: &[Arc<StreamCounters>],
    ) -> Vec<StreamPlan> {
        let mine = |stream: &&plan::Stream| stream.port == port && stream.queue.0 == queue;
        self.streams
            .iter()
            .filter(mine)
            .map(|stream| {
                let flow = &self.spec.flows[stream.flow];
                let link_bps = self.ports[port].link_bps.unwrap_or(0);
                let pacer = plan::pacer(flow, link_bps, stream, self.phases[stream.flow], start_ns);
                let frames = plan::requested_frames(flow, link_bps);
                StreamPlan {
                    stream: stream.id,
                    cursor: self.cursor(stream),
                    pacer,
                    frames: frames.map(|frames| stream.share(frames)),
                    stop_ns: plan::stop_ns(flow, start_ns),
                    counters: Arc::clone(&counters[usize::from(stream.id.0)]),
                }
            })
            .collect()
    }

    /// The gaps between submits of every flow, its streams together.
    fn gaps(&self, counters: &[Arc<StreamCounters>]) -> Vec<Gap> {
        let mut gaps = vec![Gap::default(); self.spec.flows.len()];
        for (stream, counters) in self.streams.iter().zip(counters) {
            let sent = counters.read();
            let (counts, max_ns) = counters.read_gaps();
            let sum_ns = sent.last_submit_ns - sent.first_submit_ns;
            gaps[stream.flow].record_all(counts, max_ns, sum_ns);
        }
        gaps
    }

    fn join(&mut self, workers: Vec<(usize, Worker)>, faults: &mut Vec<String>) {
        for (port, worker) in workers {
            let Ok((queue, outcome)) = worker.join() else {
                faults.push(format!(
                    "a transmit worker of {} failed; this is a defect, please report it",
                    self.ports[port].name
                ));
                continue;
            };
            // When the port went away, the link fault has said so already.
            if let (Some(error), true) = (outcome.error, faults.is_empty()) {
                faults.push(error.to_string());
            }
            if outcome.outstanding > 0 {
                faults.push(format!(
                    "{} queue {}: the kernel did not give {} frames back within 1 s",
                    self.ports[port].name,
                    queue.id(),
                    outcome.outstanding
                ));
            }
            self.ports[port].queues.push(queue);
        }
    }

    /// Waits until nothing of this trial has come for a while.
    fn drain(
        &mut self,
        reading: &mut Readings,
        mut tick_ns: u64,
        link_holds: bool,
        observe: &mut dyn FnMut(Phase, &mut Session),
    ) -> Counted {
        let interval_ns = self.settings.interval.as_nanos() as u64;
        let started_ns = monotonic_ns();
        let mut last_ns = started_ns;
        let mut received = 0;
        loop {
            let (now_ns, frames, latency_max_ns) = self.glance();
            if frames != received {
                (received, last_ns) = (frames, now_ns);
            }
            let quiet_ns = DRAIN_QUIET_NS.max(latency_max_ns.saturating_mul(3));
            let waited_ns = now_ns - started_ns;
            if !link_holds || now_ns - last_ns >= quiet_ns || waited_ns >= DRAIN_MAX_NS {
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
            thread::sleep(POLL);
        }
    }

    /// Whether some flow with an end has not reached it.
    fn is_unfinished(&self, start_ns: u64, counters: &[Arc<StreamCounters>]) -> bool {
        let now_ns = monotonic_ns();
        self.spec.flows.iter().enumerate().any(|(id, flow)| {
            let link_bps = self.ports[flow.tx].link_bps.unwrap_or(0);
            let sent = || -> u64 {
                let mine =
                    self.streams.iter().zip(counters).filter(|(stream, _)| stream.flow == id);
                mine.map(|(_, counters)| counters.read().submitted_frames).sum()
            };
            let has_sent_all =
                plan::requested_frames(flow, link_bps).is_some_and(|frames| sent() >= frames);
            let is_over = plan::stop_ns(flow, start_ns).is_some_and(|stop_ns| now_ns >= stop_ns);
            flow.end != End::Never && !has_sent_all && !is_over
        })
    }

    /// Now, the frames of this trial that have come, and the largest latency so far.
    fn glance(&self) -> (u64, u64, u64) {
        let mut frames = 0;
        let mut latency_max_ns = 0;
        for stream in &self.streams {
            let Some(rx) = self.spec.flows[stream.flow].rx else { continue };
            let analyser = self.ports[rx].receiver.source();
            for bank in 0..analyser.banks() {
                let record = analyser.record(stream.id.0, bank);
                frames += record.unique + record.duplicate + record.late + record.corrupt;
                latency_max_ns = latency_max_ns.max(record.latency_max_ns.max(0) as u64);
            }
        }
        (monotonic_ns(), frames, latency_max_ns)
    }

    /// Lost links, as sentences.
    fn link_faults(&self) -> Vec<String> {
        (0..self.ports.len())
            .filter_map(|port| self.watch.check(port).err())
            .map(|error| error.to_string())
            .collect()
    }

    /// Frames that came by a queue which did not exist when the analyser was loaded.
    fn unbanked(&self) -> Option<String> {
        let port = self.ports.iter().find(|port| port.receiver.source().unbanked() > 0)?;
        Some(format!(
            "{}: queues were added during the run; frames that came there are not counted",
            port.name
        ))
    }

    fn counted(&mut self) -> Counted {
        Counted(self.ports.iter_mut().map(|port| (port.counted(), port.xsk())).collect())
    }
}

impl Counted {
    fn since(self, before: Self, analysers: &[PortTotals]) -> Vec<PortEnd> {
        let pairs = self.0.into_iter().zip(before.0).zip(analysers);
        let gained = pairs.map(|(((counted, xsk), (then, xsk_then)), &analyser)| PortEnd {
            counted: counted.zip(then).map(|(now, then)| now.since(&then)),
            xsk: xsk.zip(xsk_then).map(|(now, then)| now.since(then)),
            analyser,
        });
        gained.collect()
    }
}

/// Joins what the workers and the analysers say into one reading per flow.
struct Readings {
    clock: IntervalClock,
    streams: Vec<(Arc<StreamCounters>, IntervalRing)>,
    flows: Vec<FlowReading>,
    ports: Vec<PortTotals>,
}

impl Readings {
    fn new(session: &Session, start_ns: u64, counters: &[Arc<StreamCounters>]) -> Self {
        Self {
            clock: IntervalClock::new(start_ns, session.settings.interval),
            streams: counters
                .iter()
                .map(|counters| (Arc::clone(counters), IntervalRing::default()))
                .collect(),
            flows: vec![FlowReading::default(); session.spec.flows.len()],
            ports: vec![PortTotals::default(); session.ports.len()],
        }
    }

    /// Reads all ports and streams and gives every flow's reading to the collector.
    fn tick(&mut self, session: &mut Session) {
        let now_ns = monotonic_ns();
        for (reading, flow) in self.flows.iter_mut().zip(&session.spec.flows) {
            reading.clear(now_ns, flow.rx.is_some());
        }
        // Receivers first: then a frame is never received before it was sent.
        for (port, totals) in session.ports.iter_mut().zip(&mut self.ports) {
            let seen = port.receiver.read(now_ns);
            *totals = seen.port;
            for stream in seen.streams {
                self.flows[session.streams[usize::from(stream.stream.0)].flow]
                    .add_rx(&stream.observed);
            }
            for stray in seen.strays {
                self.flows[session.streams[usize::from(stray.stream.0)].flow].add_stray(stray);
            }
        }
        for (stream, (counters, ring)) in session.streams.iter().zip(&mut self.streams) {
            self.flows[stream.flow].add_tx(counters, ring, &self.clock);
        }
        for (id, reading) in (0..).zip(&self.flows) {
            session.collector.record(FlowId(id), reading);
        }
    }
}

pub(super) fn allowed_cpus() -> Vec<usize> {
    let Ok(set) = sched_getaffinity(Pid::from_raw(0)) else { return Vec::new() };
    (0..CpuSet::count()).filter(|&cpu| set.is_set(cpu).unwrap_or(false)).collect()
}

/// Pins the calling thread; where that is refused it floats, which costs only evenness.
pub(super) fn pin(cpu: usize) {
    let mut set = CpuSet::new();
    if set.set(cpu).is_ok() {
        let _ = sched_setaffinity(Pid::from_raw(0), &set);
    }
}
