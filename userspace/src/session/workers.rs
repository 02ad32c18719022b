//! The workers of a trial: what each is to send, and where it runs.

use super::{
    Session, SessionError,
    pin::{Cpus, Standby},
    plan,
};
use crate::tx::{Control, Outcome, StreamPlan, Transmitter, Trial, TxCounters, TxMode};
use std::{
    sync::{Arc, atomic::AtomicBool},
    thread::JoinHandle,
};
use xdp_ebpf::abi;

/// A queue, and how its worker ended.
type Sent = (Box<dyn Transmitter>, Outcome);

/// A port, and the thread for one of its queues. `yields`: others want its core too.
pub(super) struct Place {
    port: usize,
    thread: Standby<Sent>,
    yields: bool,
}

/// A port, and the worker on one of its queues.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) port: usize,
    pub(super) thread: JoinHandle<Option<Sent>>,
    pub(super) control: Option<Arc<dyn Control>>,
}

/// By stream id.
pub(super) type Counters = Vec<Arc<dyn TxCounters>>;

impl Session {
    /// A thread for every queue of every port, in its place.
    pub(super) fn places(&self) -> Result<Vec<Place>, SessionError> {
        let (cpus, yields) = self.cpus();
        let queues =
            self.ports.iter().enumerate().flat_map(|(number, port)| {
                port.queues.iter().map(move |queue| (number, queue.id()))
            });
        let place = |((port, queue), cpu): ((usize, u32), Option<usize>)| {
            let thread = Standby::new(format!("tx-{port}-{queue}"), cpu)?;
            Ok(Place { port, thread, yields })
        };
        queues.zip(cpus).map(place).collect()
    }

    /// The CPU of each worker in the order of the queues, and whether others want it too.
    fn cpus(&self) -> (Vec<Option<usize>>, bool) {
        let here = self.ports.iter().filter(|port| port.far.is_none());
        let count: usize = here.map(|port| port.queues.len()).sum();
        let mut cpus = Cpus::of_process(count);
        let mut taken = Vec::with_capacity(count);
        for port in &self.ports {
            for queue in &port.queues {
                // Spread by interface too, so that several runs on one machine do not meet on one core.
                let place = port.info.ifindex as usize + queue.id() as usize;
                // Live frames reach the receiver's queue by CPU, and must not change it.
                let must = queue.mode() == TxMode::LiveFrames;
                let here = port.far.is_none();
                taken.push(here.then(|| cpus.take(&port.capabilities, place, must)).flatten());
            }
        }
        (taken, cpus.are_scarce())
    }

    /// The CPUs on which nothing but the workers should run; before a trial.
    pub fn senders_cpus(&self) -> Vec<usize> {
        self.cpus().0.into_iter().flatten().collect()
    }

    /// Starts a worker in every place.
    pub(super) fn start_workers(
        &mut self,
        places: Vec<Place>,
        start_ns: u64,
        stop: &Arc<AtomicBool>,
    ) -> Result<(Vec<Worker>, Counters), SessionError> {
        let trial = Trial {
            magic: self.nonce << abi::TAG_TRIAL_BITS | u32::from(self.trial_number),
            start_ns,
            interval_ns: self.settings.interval.as_nanos() as u64,
            clock_offset_ns: self.clock_offset_ns,
            changes: self.control.begin(&self.spec, start_ns),
        };
        let mut counters: Vec<Option<Arc<dyn TxCounters>>> = vec![None; self.streams.len()];
        let mut workers = Vec::with_capacity(places.len());
        for Place { port, thread, yields } in places {
            // Places stand in the order of the queues, and each takes the first that is left.
            let mut queue = self.ports[port].queues.remove(0);
            let plans = self.stream_plans(port, queue.id(), start_ns);
            let place =
                |plan: &StreamPlan| self.streams.partition_point(|stream| stream.id < plan.stream);
            let ids: Vec<_> = plans.iter().map(place).collect();
            let prepared = queue.prepare(plans, &trial)?;
            for (id, of_stream) in ids.into_iter().zip(prepared.counters) {
                counters[id] = Some(of_stream);
            }
            let stop = Arc::clone(stop);
            let thread = thread.start(move || {
                let outcome = queue.run(&stop, yields);
                (queue, outcome)
            });
            workers.push(Worker { port, thread, control: prepared.control });
        }
        // Every stream was assigned to a queue, and every queue has a worker.
        Ok((workers, counters.into_iter().flatten().collect()))
    }

    fn stream_plans(&self, port: usize, queue: u32, start_ns: u64) -> Vec<StreamPlan> {
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
                    flow: stream.flow as u32,
                    cursor: self.cursor(stream),
                    pacer,
                    frames: frames.map(|frames| stream.share(frames)),
                    stop_ns: plan::stop_ns(flow, start_ns),
                }
            })
            .collect()
    }

    /// Waits for the workers and takes their queues back.
    pub(super) fn join(&mut self, workers: Vec<Worker>, faults: &mut Vec<String>) {
        for Worker { port, thread, .. } in workers {
            let Ok(Some((queue, outcome))) = thread.join() else {
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
}
