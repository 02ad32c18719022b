//! What a daemon does for another: sessions by their leases.

use super::{
    mirror::Watch,
    told::Told,
    wire::{Open, Opened, PortPart, Reading, Reply, Request, SentPart, Status, Tag},
};
use crate::{
    collect::Collector,
    nic::{
        Announcer, NicError, PortInfo, PortName, VlanTag, link_counters, port_info,
        resolve_neighbours, wait_for_carriers,
    },
    rx::Source,
    session::{
        RateControl, Session, SessionError, Settings,
        calibrate::Corrections,
        links::Links,
        open,
        port::{Port, Watching},
        workers::{Counters, Worker},
    },
    spec::{Flow, Origins, Spec},
    tx::Backend,
    units::StreamId,
};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};
use xdp_ebpf::{XdpMode, words};

/// A lease that nobody renews ends after this: well over a round trip and a busy host.
const LEASE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(250);
/// Leases at a time.
const LEASES_MAX: usize = 64;
/// An attach may reset the link for seconds (igb: 3 to 8).
const CARRIER_WAIT: Duration = Duration::from_secs(10);

/// Everything that is done for others.
#[derive(Debug, Default)]
pub struct Host {
    leases: Mutex<HashMap<String, Arc<Lease>>>,
}

#[derive(Debug)]
struct Lease {
    heard: Mutex<Instant>,
    work: Mutex<Work>,
}

/// What one lease has.
#[derive(Debug, Default)]
struct Work {
    announcers: HashMap<String, Announcer>,
    session: Option<Session>,
    workers: Vec<Worker>,
    counters: Counters,
    stop: Arc<AtomicBool>,
    started: bool,
    start_ns: u64,
    /// What was last told of every port.
    told: Vec<Told>,
}

impl Host {
    /// Does what a request of this lease, as JSON, asks; answers in JSON.
    pub fn serve(self: &Arc<Self>, lease: &str, request: &str) -> String {
        let reply = match serde_json::from_str(request) {
            Ok(Request::Close) => {
                lock(&self.leases).remove(lease);
                Reply::Done
            }
            Ok(Request::Count { port }) => count(&port).unwrap_or_else(|error| refusal(&error)),
            Ok(request) => match self.lease(lease) {
                Ok(lease) => {
                    let reply =
                        lock(&lease.work).obey(request).unwrap_or_else(|error| refusal(&error));
                    *lock(&lease.heard) = Instant::now();
                    reply
                }
                Err(reply) => reply,
            },
            Err(error) => Reply::Refused {
                message: format!("not understood ({error}); are both of the same version?"),
                exit_code: 64,
            },
        };
        serde_json::to_string(&reply).unwrap_or_default()
    }

    /// Gives back all that is held for others.
    pub fn end(&self) {
        lock(&self.leases).clear();
    }

    fn lease(self: &Arc<Self>, name: &str) -> Result<Arc<Lease>, Reply> {
        let mut leases = lock(&self.leases);
        if let Some(lease) = leases.get(name) {
            *lock(&lease.heard) = Instant::now();
            return Ok(Arc::clone(lease));
        }
        let refused = |message: String| Reply::Refused { message, exit_code: 2 };
        if leases.len() >= LEASES_MAX {
            return Err(refused(format!("it works for {LEASES_MAX} others already")));
        }
        let lease = Lease { heard: Mutex::new(Instant::now()), work: Mutex::default() };
        let lease = Arc::new(lease);
        let (host, of) = (Arc::downgrade(self), name.to_owned());
        let watched = Arc::downgrade(&lease);
        thread::Builder::new()
            .name("lease".into())
            .spawn(move || {
                while let Some(lease) = watched.upgrade() {
                    // Whoever is being served is there.
                    let over =
                        lock(&lease.heard).elapsed() > LEASE && lease.work.try_lock().is_ok();
                    if over && let Some(host) = host.upgrade() {
                        lock(&host.leases).remove(&of);
                    }
                    drop(lease);
                    thread::sleep(LOOK);
                }
            })
            .map_err(|error| refused(error.to_string()))?;
        leases.insert(name.to_owned(), Arc::clone(&lease));
        Ok(lease)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(session) = &mut self.session {
            session.join(std::mem::take(&mut self.workers), &mut Vec::new());
        }
    }
}

impl Work {
    fn obey(&mut self, request: Request) -> Result<Reply, SessionError> {
        match request {
            Request::Look { port } => Ok(Reply::Port(Box::new(look(&port)?))),
            Request::Neighbours { port, sources, targets, tags, wait_ms } => {
                let wait = Duration::from_millis(wait_ms.min(30_000));
                let tags = vlan_tags(&tags);
                match resolve_neighbours(&look(&port)?, &sources, &targets, &tags, wait) {
                    Ok(macs) => Ok(Reply::Macs(macs)),
                    Err(NicError::Unresolved { missing, .. }) => Ok(Reply::Unresolved(missing)),
                    Err(error) => Err(error.into()),
                }
            }
            Request::Announce { port, questions } => self.announce(&port, &questions),
            Request::Open(asked) => self.open(*asked),
            Request::Resolve => {
                let session = self.session()?;
                session.next_hops = open::next_hops(&session.spec, &session.ports)?;
                session.programs =
                    open::compile(&session.spec, &session.ports, &session.next_hops)?;
                Ok(Reply::Done)
            }
            Request::Load { flows, phases } => self.load(flows, phases),
            Request::Begin { trial, start_ns, clock_offset_ns } => {
                self.begin(trial, start_ns, clock_offset_ns)
            }
            Request::Start => self.start(),
            Request::Stop => {
                self.stop.store(true, Relaxed);
                Ok(Reply::Done)
            }
            Request::Status => Ok(Reply::Status(self.status())),
            Request::Read => self.read(),
            Request::End => {
                let workers = std::mem::take(&mut self.workers);
                let mut faults = Vec::new();
                self.session()?.join(workers, &mut faults);
                Ok(Reply::Ended(faults))
            }
            Request::Window { port, stream } => {
                let session = self.session()?;
                let known = session.ports.get(port).and_then(|port| port.receiver.source().here());
                let window = known.filter(|analyser| analyser.expects(stream));
                Ok(Reply::Words(window.map_or(Vec::new(), |it| words(&it.window(stream)))))
            }
            // Answered without a lease.
            Request::Count { .. } | Request::Close => Ok(Reply::Done),
        }
    }

    fn session(&mut self) -> Result<&mut Session, SessionError> {
        self.session.as_mut().ok_or(SessionError::LeaseOver)
    }

    fn announce(
        &mut self,
        port: &str,
        questions: &[(IpAddr, IpAddr, Vec<Tag>)],
    ) -> Result<Reply, SessionError> {
        if !self.announcers.contains_key(port) {
            self.announcers.insert(port.to_owned(), Announcer::open(&look(port)?)?);
        }
        let announcer = &self.announcers[port];
        for (source, target, tags) in questions {
            announcer.announce(*source, *target, &vlan_tags(tags))?;
        }
        Ok(Reply::Done)
    }

    /// As [`Session::open`] does for the ports of its own host.
    fn open(&mut self, asked: Open) -> Result<Reply, SessionError> {
        let Open { nonce, interval_ns, ports: asked, flows, received, streams, phases } = asked;
        let infos = asked.iter().map(|port| look(&port.spec.interface));
        let infos = infos.collect::<Result<Vec<_>, _>>()?;
        let specs: Vec<_> = asked.iter().map(|port| port.spec.clone()).collect();
        let spec = Spec { ports: specs.clone(), flows, origins: Origins::default() };
        let behind = [&spec.flows[..], &received].concat();
        let everything = Spec { ports: specs, flows: behind, origins: Origins::default() };
        open::check_free(&spec, &infos)?;
        let interval = Duration::from_nanos(interval_ns);
        let watch = Links::start(&infos, |_| None)?;
        let mut ports = Vec::with_capacity(infos.len());
        for (port, info) in asked.iter().zip(&infos) {
            let setup = port.setup.analyser(nonce, interval_ns);
            let count = setup.streams.len() as u16;
            let expects = |stream: StreamId| port.setup.expects(stream.0);
            let watching = Watching {
                setup,
                // The other daemon has no way yet to hear of a second clock.
                nic_setup: None,
                stamping: None,
                streams: 0..count,
                expects: &expects,
                interval,
            };
            ports.push(Port::take(&port.spec, info.clone(), &watching, None)?);
        }
        wait_for_carriers(&infos, CARRIER_WAIT)?;
        for (index, port) in ports.iter_mut().enumerate() {
            open::prepare(&spec, &streams, index, port, Backend::AfXdp)?;
            let own = open::addresses(&spec.ports[index]);
            port.answer_for(open::behind(&everything, index), own)?;
        }
        wait_for_carriers(&infos, CARRIER_WAIT)?;
        ports.iter().flat_map(|port| &port.queues).for_each(|queue| queue.wake_receiver());
        let opened = ports.iter().map(opened).collect();
        self.told = ports.iter().map(|_| Told::default()).collect();
        let spec = Arc::new(spec);
        let settings = Settings { interval, ..Settings::default() };
        self.session = Some(Session {
            control: RateControl::new(&spec, Vec::new(), Vec::new()),
            settings,
            streams,
            known_everywhere: Vec::new(),
            phases,
            next_hops: Vec::new(),
            programs: Vec::new(),
            spec,
            ports,
            groups: Vec::new(),
            watch,
            // What is counted is collected elsewhere.
            collector: Collector::new(0, 1, interval),
            corrections: Corrections::default(),
            tx_gaps: Vec::new(),
            nonce,
            base_ns: 0,
            clock_offset_ns: 0,
            trial_number: 0,
        });
        Ok(Reply::Opened(opened))
    }

    fn load(&mut self, flows: Vec<Flow>, phases: Vec<f64>) -> Result<Reply, SessionError> {
        let session = self.session()?;
        Arc::make_mut(&mut session.spec).flows = flows;
        session.phases = phases;
        session.programs = open::compile(&session.spec, &session.ports, &session.next_hops)?;
        Ok(Reply::Done)
    }

    fn begin(
        &mut self,
        trial: u8,
        start_ns: u64,
        clock_offset_ns: i64,
    ) -> Result<Reply, SessionError> {
        self.start_ns = start_ns.wrapping_add_signed(clock_offset_ns.wrapping_neg());
        self.started = false;
        self.stop = Arc::default();
        self.counters.clear();
        self.told.iter_mut().for_each(|told| *told = Told::default());
        let session = self.session()?;
        session.trial_number = trial;
        session.clock_offset_ns = clock_offset_ns;
        for port in &mut session.ports {
            if let Some(analyser) = port.receiver.source().here() {
                analyser.set_clock_offset(clock_offset_ns);
            }
            port.receiver.begin_trial(trial, start_ns);
        }
        Ok(Reply::Done)
    }

    fn start(&mut self) -> Result<Reply, SessionError> {
        let (start_ns, stop) = (self.start_ns, Arc::clone(&self.stop));
        let session = self.session()?;
        session.base_ns = start_ns;
        let places = session.places()?;
        (self.workers, self.counters) = session.start_workers(places, start_ns, &stop)?;
        self.started = true;
        Ok(Reply::Done)
    }

    fn status(&self) -> Status {
        let finished = self.workers.iter().all(|worker| worker.thread.is_finished());
        let Some(session) = &self.session else { return Status::default() };
        Status {
            held: true,
            finished: self.started && finished,
            links: (0..session.ports.len()).map(|port| session.watch.lost(port)).collect(),
            losses: (0..session.ports.len()).map(|port| session.watch.losses(port)).collect(),
        }
    }

    fn read(&mut self) -> Result<Reply, SessionError> {
        let mut told = std::mem::take(&mut self.told);
        let session = self.session()?;
        // Receivers first: then a frame is never received before it was sent.
        let ports = session.ports.iter_mut().zip(&mut told).map(|(port, told)| {
            let mut part =
                PortPart { counted: port.counted(), xsk: port.xsk(), ..Default::default() };
            if let Watch::Here(analyser) = port.receiver.source() {
                told.read(analyser, &mut part);
            }
            part
        });
        let ports = ports.collect();
        self.told = told;
        let sent = self.counters.iter().map(|counters| {
            let (gaps, gap_max_ns) = counters.read_gaps();
            SentPart {
                sent: counters.read(),
                intervals: counters.read_intervals().to_vec(),
                gaps: gaps.to_vec(),
                gap_max_ns,
            }
        });
        let sent = sent.collect();
        Ok(Reply::Read(Box::new(Reading { ports, sent })))
    }
}

fn opened(port: &Port) -> Opened {
    let watch = port.receiver.source();
    Opened {
        native: watch.attach_mode() == XdpMode::Native,
        native_refused: port.native_refused.clone(),
        banks: watch.banks(),
        map_bytes: watch.memory_bytes(),
        settings_changed: port.settings_changed().to_vec(),
        not_controllable: port.not_controllable().to_vec(),
        backend_note: port.backend_note.clone(),
        counts_sent: port.counts_sent(),
        queues: port.queues.iter().map(|queue| (queue.id(), queue.mode())).collect(),
    }
}

fn count(port: &str) -> Result<Reply, SessionError> {
    let info = look(port)?;
    Ok(Reply::Counted { link: info.up && info.carrier, counters: link_counters(&info)? })
}

fn look(port: &str) -> Result<PortInfo, NicError> {
    port_info(&port.parse::<PortName>()?)
}

fn vlan_tags(tags: &[Tag]) -> Vec<VlanTag> {
    tags.iter().map(|&(tpid, tci)| VlanTag { tpid, tci }).collect()
}

fn refusal(error: &SessionError) -> Reply {
    Reply::Refused { message: error.to_string(), exit_code: error.exit_code() }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
