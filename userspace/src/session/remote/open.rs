//! Which ports, flows and streams of a session are whose, and what each daemon is told.

use super::{
    Reach,
    link::Link,
    queue::FarQueue,
    wire::{Open, OpenPort, Opened, Reading, Reply, Request},
};
use crate::{
    nic::{PortInfo, PortReading, SettingChange},
    session::{SessionError, plan::Stream},
    spec::{Flow, PortSpec, Spec},
    tx::{Backend, Transmitter, XskStatistics},
};
use std::sync::Arc;
use xdp_ebpf::AnalyserSetup;

/// The ports of one daemon.
#[derive(Debug)]
pub(in crate::session) struct Group {
    pub(in crate::session) link: Arc<Link>,
    /// Their places in the spec.
    pub(in crate::session) ports: Vec<usize>,
    /// Flows that it sends, by their places in the spec.
    flows: Vec<usize>,
    /// Ids of the streams that it sends, in the order of its readings.
    streams: Vec<u16>,
}

/// A port there.
#[derive(Debug)]
pub(in crate::session) struct FarPort {
    pub(in crate::session) link: Arc<Link>,
    /// Its number there.
    pub(in crate::session) number: usize,
    opened: Opened,
    pub(in crate::session) counted: Option<PortReading>,
    pub(in crate::session) xsk: Option<XskStatistics>,
}

impl FarPort {
    pub(super) fn opened(&self) -> &Opened {
        &self.opened
    }

    pub(in crate::session) fn settings_changed(&self) -> &[SettingChange] {
        &self.opened.settings_changed
    }

    pub(in crate::session) fn not_controllable(&self) -> &[String] {
        &self.opened.not_controllable
    }

    pub(in crate::session) fn counts_sent(&self) -> bool {
        self.opened.counts_sent
    }

    pub(in crate::session) fn backend_note(&self) -> Option<String> {
        self.opened.backend_note.clone()
    }

    pub(in crate::session) fn native_refused(&self) -> Option<String> {
        self.opened.native_refused.clone()
    }

    pub(in crate::session) fn mirror(&self, streams: usize) -> super::Watch {
        let Opened { banks, native, map_bytes, .. } = *self.opened();
        super::Watch::There(super::mirror::Mirror::new(banks, streams, native, map_bytes))
    }

    /// The queues that send there.
    pub(in crate::session) fn queues(&self) -> Vec<Box<dyn Transmitter>> {
        let queue = |&(id, mode): &(u32, _)| -> Box<dyn Transmitter> {
            let is_first = self.opened.queues.first().is_some_and(|first| first.0 == id);
            let link = Arc::clone(&self.link);
            Box::new(FarQueue { link, id, mode, is_first })
        };
        self.opened.queues.iter().map(queue).collect()
    }
}

impl Group {
    pub(in crate::session) fn new(
        link: Arc<Link>,
        ports: Vec<usize>,
        spec: &Spec,
        streams: &[Stream],
    ) -> Self {
        let sent = |flow: &usize| ports.contains(&spec.flows[*flow].tx);
        let flows = (0..spec.flows.len()).filter(sent).collect();
        let mine = streams.iter().filter(|stream| ports.contains(&stream.port));
        let streams = mine.map(|stream| stream.id.0).collect();
        Self { link, ports, flows, streams }
    }

    /// Has the daemon take its ports; `setups` by their order here.
    pub(in crate::session) fn open(
        &self,
        spec: &Spec,
        streams: &[Stream],
        phases: &[f64],
        setups: &[AnalyserSetup],
    ) -> Result<Vec<FarPort>, SessionError> {
        if let Some(flow) = self.sent(spec).find(|flow| !flow.settings.is_empty()) {
            return Err(self.refuse(format!(
                "flow {}: header fields that are given by hand cannot be sent there yet",
                flow.name
            )));
        }
        let Some(first) = setups.first() else { return Ok(Vec::new()) };
        let ports = self.ports.iter().zip(setups).map(|(&port, setup)| OpenPort {
            spec: PortSpec {
                interface: local(&spec.ports[port].interface).to_owned(),
                ..spec.ports[port].clone()
            },
            setup: setup.into(),
        });
        let open = Open {
            nonce: first.nonce,
            interval_ns: first.interval_ns,
            ports: ports.collect(),
            flows: self.flows(spec),
            received: self.received(spec),
            streams: self.streams(streams),
            phases: self.phases(phases),
        };
        match self.link.call(&Request::Open(Box::new(open)))? {
            Reply::Opened(opened) if opened.len() == self.ports.len() => {
                let far = |(number, opened)| FarPort {
                    link: Arc::clone(&self.link),
                    number,
                    opened,
                    counted: None,
                    xsk: None,
                };
                Ok(opened.into_iter().enumerate().map(far).collect())
            }
            other => Err(self.link.unfit(&other)),
        }
    }

    /// Has it find its next hops, once everybody answers.
    pub(in crate::session) fn resolve(&self) -> Result<(), SessionError> {
        self.link.done(&Request::Resolve)
    }

    /// Tells it the flows of the next trial.
    pub(in crate::session) fn load(&self, spec: &Spec, phases: &[f64]) -> Result<(), SessionError> {
        let (flows, phases) = (self.flows(spec), self.phases(phases));
        self.link.done(&Request::Load { flows, phases })
    }

    /// What has changed there since the last time.
    pub(in crate::session) fn read(&self) -> Result<PortParts, SessionError> {
        self.link.read(&self.streams).map(PortParts)
    }

    /// The window of a stream at the port with this number there.
    pub(in crate::session) fn window(
        &self,
        port: usize,
        stream: u16,
    ) -> Result<Vec<u64>, SessionError> {
        match self.link.call(&Request::Window { port, stream })? {
            Reply::Words(words) => Ok(words),
            other => Err(self.link.unfit(&other)),
        }
    }

    pub(in crate::session) fn refuse(&self, message: String) -> SessionError {
        SessionError::Remote { daemon: self.link.daemon().to_owned(), message, exit_code: 64 }
    }

    fn sent<'a>(&'a self, spec: &'a Spec) -> impl Iterator<Item = &'a Flow> {
        self.flows.iter().map(|&flow| &spec.flows[flow])
    }

    fn flows(&self, spec: &Spec) -> Vec<Flow> {
        let flow = |flow: &Flow| Flow {
            tx: self.number(flow.tx),
            // Who receives them is said by the set-up of the analysers.
            rx: None,
            more_rx: Vec::new(),
            ..flow.clone()
        };
        self.sent(spec).map(flow).collect()
    }

    fn received(&self, spec: &Spec) -> Vec<Flow> {
        let flows = spec.flows.iter().flat_map(|flow| {
            let here = flow.receivers().filter(|rx| self.ports.contains(rx));
            here.map(|rx| Flow {
                tx: usize::MAX,
                rx: Some(self.number(rx)),
                more_rx: Vec::new(),
                ..flow.clone()
            })
        });
        flows.collect()
    }

    fn streams(&self, streams: &[Stream]) -> Vec<Stream> {
        let mine = streams.iter().filter(|stream| self.ports.contains(&stream.port));
        mine.map(|stream| Stream {
            port: self.number(stream.port),
            flow: self.flows.iter().position(|&flow| flow == stream.flow).unwrap_or(usize::MAX),
            ..*stream
        })
        .collect()
    }

    fn phases(&self, phases: &[f64]) -> Vec<f64> {
        self.flows.iter().map(|&flow| phases[flow]).collect()
    }

    /// Of a port of the spec, there.
    fn number(&self, port: usize) -> usize {
        self.ports.iter().position(|&other| other == port).unwrap_or(usize::MAX)
    }
}

/// The ports of each daemon; what cannot be had there is refused by name.
pub(in crate::session) fn groups(
    reach: &Reach,
    spec: &Spec,
    infos: &[PortInfo],
    streams: &[Stream],
    backend: Backend,
) -> Result<Vec<Group>, SessionError> {
    let group = |(daemon, link): (&str, &Arc<Link>)| {
        let of = |port: &usize| infos[*port].name.daemon.as_deref() == Some(daemon);
        Group::new(Arc::clone(link), (0..infos.len()).filter(of).collect(), spec, streams)
    };
    let groups: Vec<_> = reach.links().map(group).collect();
    let Some(first) = groups.first() else { return Ok(groups) };
    if let Some(flow) = spec.flows.iter().find(|flow| !flow.more_rx.is_empty()) {
        return Err(first.refuse(format!(
            "flow {}: several receiving ports must all be on this host",
            flow.name
        )));
    }
    if backend == Backend::LiveFrames {
        return Err(first.refuse("live frames are not sent by another daemon; use af_xdp".into()));
    }
    Ok(groups)
}

/// The daemon of a port and its number there.
pub(in crate::session) fn place(groups: &[Group], port: usize) -> Option<(Arc<Link>, usize)> {
    groups.iter().find_map(|group| {
        let number = group.ports.iter().position(|&other| other == port)?;
        Some((Arc::clone(&group.link), number))
    })
}

/// What the ports there have counted.
pub(in crate::session) struct PortParts(Reading);

impl PortParts {
    /// Gives the part of a port to whom it belongs.
    pub(in crate::session) fn give(&mut self, far: &mut FarPort, watch: &mut super::Watch) {
        let Some(part) = self.0.ports.get_mut(far.number) else { return };
        if let Some(mirror) = watch.there() {
            mirror.apply(part);
        }
        far.counted = part.counted.take();
        far.xsk = part.xsk;
    }
}

/// Without the daemon.
pub(super) fn local(interface: &str) -> &str {
    match interface.strip_prefix('[') {
        Some(remote) => remote.split_once('/').map_or(interface, |(_, local)| local),
        None => interface,
    }
}
