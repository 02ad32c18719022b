//! Sending, draining, counting.

use super::{
    Replay,
    port::{Counted, ReplayPort},
};
use crate::{
    collect::{FlowId, FlowReading, Gap},
    rx::{Counters, Observed},
    session::{
        FlowFacts, FlowHistograms, FlowSnapshot, Phase, RunFacts, SessionError, Snapshot, ToldBy,
        pin::{Standby, allowed_cpus},
    },
    spec::Expect,
    tx::{Outcome, Queue, ReplayPlan, StreamCounters, Trial, TxCounters},
    units::monotonic_ns,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use xdp_ebpf::abi::match_record;

/// Time to start the worker before the first frame is due.
const LEAD_NS: u64 = 20_000_000;
const POLL: Duration = Duration::from_millis(5);
/// CONTRACT, Meanings, Drain.
const DRAIN_QUIET_NS: u64 = 500_000_000;
const DRAIN_MAX_NS: u64 = 30_000_000_000;
const FLOW: FlowId = FlowId(0);

/// What was there when the run began.
struct Start {
    ns: u64,
    /// By port.
    counted: Vec<Counted>,
    /// Of the port that listens.
    seen: match_record,
    /// By content.
    counts: Vec<u64>,
}

impl Replay {
    /// Sends until the end or until `stop` is set, then drains. `observe` hears once an
    /// interval what has happened since.
    pub fn run(
        mut self,
        stop: &AtomicBool,
        observe: &mut dyn FnMut(&Snapshot),
    ) -> Result<RunFacts, SessionError> {
        let counters = Arc::<StreamCounters>::default();
        let started = jiff::Timestamp::now();
        let seen = self.listener().seen();
        let counts = (0..self.contents.fingerprints.len()).map(|place| self.received(place));
        let counts = counts.collect();
        let counted = self.ports.iter_mut().map(|port| {
            // Seen first at the start and last at the end: so no foreign frame can make an
            // interface look as if it had lost one.
            let seen = port.seen().seen;
            Counted { seen, ..port.counted() }
        });
        let counted = counted.collect();
        let place = self.place()?;
        let start = Start { ns: monotonic_ns() + LEAD_NS, counted, seen, counts };
        self.collector.begin_trial(start.ns);

        let worker_stop = Arc::new(AtomicBool::new(false));
        let worker = self.start_worker(place, &start, &counters, &worker_stop)?;
        let mut faults: Vec<String> = Vec::new();
        let interval_ns = self.settings.interval.as_nanos() as u64;
        let mut tick_ns = start.ns + interval_ns;
        while !worker.is_finished() {
            thread::sleep(POLL);
            if faults.is_empty() {
                faults.extend(self.link_faults());
            }
            if stop.load(Relaxed) || !faults.is_empty() {
                worker_stop.store(true, Relaxed);
            }
            if monotonic_ns() >= tick_ns {
                tick_ns += interval_ns;
                self.tick(&start, &counters);
                observe(&self.snapshot(Phase::Sending, &start));
            }
        }
        let finished = self.is_finished(&counters, start.ns);
        if stop.load(Relaxed) && !finished && (self.frames().or(self.requested()).is_some()) {
            faults.push("interrupted before its end".to_owned());
        }
        self.join(worker, &mut faults);
        self.drain(&start, &counters, tick_ns, faults.is_empty(), observe);
        self.collector.finish();
        if self.ports.iter().any(|port| port.matcher.unbanked() > 0) {
            let text = "queues were added during the run; frames that came there are not counted";
            faults.push(text.to_owned());
        }
        Ok(self.facts(started, &start, &counters, faults))
    }

    /// The worker's thread, and whether others want its core too.
    fn place(&self) -> Result<(Standby<(Queue, Outcome)>, bool), SessionError> {
        let cpus = allowed_cpus();
        let cpu = cpus.get(self.ports[0].info.ifindex as usize % cpus.len().max(1)).copied();
        Ok((Standby::new("replay".to_owned(), cpu)?, cpus.len() < 2))
    }

    fn start_worker(
        &mut self,
        (thread, yields): (Standby<(Queue, Outcome)>, bool),
        start: &Start,
        counters: &Arc<StreamCounters>,
        stop: &Arc<AtomicBool>,
    ) -> Result<JoinHandle<Option<(Queue, Outcome)>>, SessionError> {
        let interval_ns = self.settings.interval.as_nanos() as u64;
        let trial = Trial { magic: 0, start_ns: start.ns, interval_ns, ..Trial::default() };
        let plan = ReplayPlan {
            recording: Arc::clone(&self.spec.recording),
            timing: self.timing.clone(),
            frames: self.frames(),
            stop_ns: self.spec.duration.map(|time| start.ns + time.as_nanos() as u64),
            counters: Arc::clone(counters),
        };
        let stop = Arc::clone(stop);
        let closed = || std::io::Error::from(std::io::ErrorKind::NotConnected);
        let mut queue = self.ports[0].queue.take().ok_or_else(closed)?;
        Ok(thread.start(move || {
            let outcome = queue.replay(plan, &trial, &stop, yields);
            (queue, outcome)
        }))
    }

    fn join(&mut self, worker: JoinHandle<Option<(Queue, Outcome)>>, faults: &mut Vec<String>) {
        let name = &self.ports[0].info.name;
        let Ok(Some((queue, outcome))) = worker.join() else {
            faults.push(format!("the transmit worker of {name} failed; please report this defect"));
            return;
        };
        // When the port went away, the link fault has said so already.
        if let (Some(error), true) = (outcome.error, faults.is_empty()) {
            faults.push(error.to_string());
        }
        if outcome.outstanding > 0 {
            let frames = outcome.outstanding;
            faults.push(format!("{name}: the kernel did not give {frames} frames back within 1 s"));
        }
        self.ports[0].queue = Some(queue);
    }

    /// Waits until no frame of the file has come for a while.
    fn drain(
        &mut self,
        start: &Start,
        counters: &StreamCounters,
        mut tick_ns: u64,
        link_holds: bool,
        observe: &mut dyn FnMut(&Snapshot),
    ) {
        let began_ns = monotonic_ns();
        let (mut matched, mut last_ns) = (self.listener().seen().matched, began_ns);
        loop {
            let now_ns = monotonic_ns();
            let frames = self.listener().seen().matched;
            if frames != matched {
                (matched, last_ns) = (frames, now_ns);
            }
            let over = now_ns - last_ns >= DRAIN_QUIET_NS || now_ns - began_ns >= DRAIN_MAX_NS;
            if over || !link_holds {
                self.tick(start, counters);
                observe(&self.snapshot(Phase::Done, start));
                return;
            }
            if now_ns >= tick_ns {
                tick_ns += self.settings.interval.as_nanos() as u64;
                self.tick(start, counters);
                observe(&self.snapshot(Phase::Draining, start));
            }
            thread::sleep(POLL);
        }
    }

    fn tick(&mut self, start: &Start, counters: &StreamCounters) {
        let time_ns = monotonic_ns();
        // Received first: then a frame is never received before it was sent.
        let counts: Vec<u64> = (0..start.counts.len()).map(|place| self.received(place)).collect();
        let seen = self.listener().seen();
        let sent = counters.read();
        let rx = self.spec.rx.is_some().then(|| {
            let gained = |place: usize| counts[place] - start.counts[place];
            let arrived = self.contents.arrived(sent.submitted_frames, gained);
            let any = arrived.unique + arrived.duplicate > 0;
            Observed {
                counters: Counters {
                    unique: arrived.unique,
                    duplicate: arrived.duplicate,
                    bytes: seen.matched_bytes - start.seen.matched_bytes,
                    first_rx_ns: any.then_some(seen.first_rx_ns),
                    last_rx_ns: any.then_some(seen.last_rx_ns),
                    ..Counters::default()
                },
                ..Observed::default()
            }
        });
        let reading = FlowReading {
            time_ns,
            tx_frames: sent.submitted_frames,
            tx_bytes: sent.submitted_bytes,
            // Without a tag nobody knows when a frame was sent that arrived.
            tx_intervals: Vec::new(),
            rx,
        };
        self.collector.record(FLOW, &reading);
    }

    fn snapshot(&mut self, phase: Phase, start: &Start) -> Snapshot {
        let finished =
            if self.settings.series { self.collector.take_settled(FLOW) } else { Vec::new() };
        let totals = self.collector.totals(FLOW);
        let flow = self.collector.latest(FLOW).zip(totals).map(|(latest, totals)| FlowSnapshot {
            name: self.spec.name.clone(),
            latest: latest.clone(),
            settled: self.collector.latest_settled(FLOW).cloned(),
            finished,
            histograms: FlowHistograms::default(),
            tx_frames: totals.tx_frames,
            tx_bytes: totals.tx_bytes,
            rx: totals.rx.as_ref().map(|rx| rx.counters),
            told_by: ToldBy::Content,
        });
        let elapsed = Duration::from_nanos(monotonic_ns().saturating_sub(start.ns));
        Snapshot { phase, elapsed, base_ns: start.ns, flows: flow.into_iter().collect() }
    }

    fn facts(
        &mut self,
        started: jiff::Timestamp,
        start: &Start,
        counters: &StreamCounters,
        faults: Vec<String>,
    ) -> RunFacts {
        let sent = counters.read();
        let (gaps, gap_max_ns) = counters.read_gaps();
        let mut tx_gap = Gap::default();
        tx_gap.record_all(gaps, gap_max_ns, sent.last_submit_ns - sent.first_submit_ns);
        let peers = self.peers.clone();
        let ports = self.ports.iter_mut().zip(&start.counted).zip(peers);
        let ports = ports.map(|((port, before), peer)| {
            let after = port.counted();
            port.facts(before, after, peer)
        });
        let ports = ports.collect::<Vec<_>>();
        let any = sent.submitted_frames > 0;
        let samples = self.settings.keep_samples.then(|| {
            let history = self.collector.history(FLOW, self.settings.samples);
            history.into_iter().cloned().collect()
        });
        let flow = FlowFacts {
            correction: None,
            more_rx_ports: Vec::new(),
            lost_ns: None,
            store_and_forward: false,
            name: self.spec.name.clone(),
            tx_port: 0,
            rx_port: self.spec.rx.as_ref().map(|_| ports.len() - 1),
            streams: 1,
            told_by: ToldBy::Content,
            requested: self.requested(),
            intended_pps: self.intended_pps(sent.submitted_frames),
            random: false,
            completed: sent.completed_frames,
            first_tx_ns: any.then_some(sent.first_submit_ns),
            last_tx_ns: any.then_some(sent.last_submit_ns),
            tx_gap: Some(tx_gap),
            totals: self.collector.totals(FLOW).cloned().unwrap_or_default(),
            samples,
            latency_void: None,
            clock_error_ns: None,
            nic_error_ns: None,
            faults: Vec::new(),
            expect: Expect::default(),
        };
        RunFacts {
            started,
            base_ns: start.ns,
            ports,
            flows: vec![flow],
            faults,
            notes: self.notes(),
        }
    }

    /// The mean rate of the frames sent, had each left when it was due.
    fn intended_pps(&self, sent: u64) -> Option<f64> {
        let timing = self.timing.as_ref()?;
        let span_ns = timing.due_ns(sent.checked_sub(1)?);
        (span_ns > 0).then(|| (sent - 1) as f64 * 1e9 / span_ns as f64)
    }

    fn is_finished(&self, counters: &StreamCounters, start_ns: u64) -> bool {
        let over = |time: Duration| monotonic_ns() >= start_ns + time.as_nanos() as u64;
        let sent = counters.read().submitted_frames;
        self.frames().is_some_and(|frames| sent >= frames) || self.spec.duration.is_some_and(over)
    }

    /// Where frames are counted; where nothing is, the port that sends.
    fn listener(&self) -> &ReplayPort {
        &self.ports[self.ports.len() - 1]
    }

    fn received(&self, place: usize) -> u64 {
        if self.spec.rx.is_some() { self.listener().matcher.count(place) } else { 0 }
    }

    fn link_faults(&self) -> Vec<String> {
        let checked = (0..self.ports.len()).filter_map(|port| self.watch.check(port).err());
        checked.map(|error| error.to_string()).collect()
    }
}
