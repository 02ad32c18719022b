//! A port as the session holds it: settings, analyser, queues, answers.

use super::{Peer, SessionError};
use crate::{
    nic::{
        Capabilities, Hold, Netns, PortCounters, PortInfo, PortReading, Responder, capabilities,
    },
    packet::AddressSet,
    rx::Receiver,
    spec::PortSpec,
    tx::{Transmitter, TxMode, XskStatistics},
    units::StreamId,
};
use std::{net::IpAddr, ops::Range, time::Duration};
use xdp_ebpf::{Analyser, AnalyserSetup, Redirects, XdpMode};

/// A port from the moment it is taken until everything is as before. Fields are
/// dropped in this order: first what sends, then what listens, then the settings.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) name: String,
    pub(super) queues: Vec<Box<dyn Transmitter>>,
    responder: Option<Responder>,
    pub(super) receiver: Receiver<Analyser>,
    counters: PortCounters,
    pub(super) hold: Hold,
    pub(super) netns: Netns,
    pub(super) info: PortInfo,
    pub(super) capabilities: Capabilities,
    /// Line rate used for rates: the file's `line`, else what the link reports.
    pub(super) link_bps: Option<u64>,
    /// Whether the file gave it.
    pub(super) line_given: bool,
    /// What is to be known of the stamps of this port, if anything.
    pub(super) stamping: Option<String>,
    /// How frames leave, and why so.
    pub(super) backend_note: Option<String>,
    /// What becomes of live frames.
    pub(super) redirects: Option<Redirects>,
    /// Why native mode was refused, if it was.
    pub(super) native_refused: Option<String>,
    /// The other end, where the port is a veth.
    pub(super) peer: Option<Peer>,
}

/// What the analyser of a port is set up with.
pub(super) struct Watching<'a> {
    pub(super) setup: AnalyserSetup,
    /// What is to be known of the stamps of this port, if anything.
    pub(super) stamping: Option<String>,
    pub(super) streams: Range<u16>,
    pub(super) expects: &'a dyn Fn(StreamId) -> bool,
    pub(super) interval: Duration,
}

impl Port {
    /// Takes the port: lock and settings, then the analyser, native or else generic. It shares
    /// the windows of `first`, if there is one.
    pub(super) fn take(
        spec: &PortSpec,
        info: PortInfo,
        watching: &Watching<'_>,
        first: Option<&Analyser>,
    ) -> Result<Self, SessionError> {
        let netns = Netns::open(info.name.netns.as_deref())?;
        let hold = Hold::take(&info)?;
        let counters = PortCounters::open(&info)?;
        let setup = &watching.setup;
        let (analyser, native_refused) = netns
            .run(|| attach(&info, setup, first))?
            .map_err(|source| SessionError::Analyser { port: spec.name.clone(), source })?;
        let receiver =
            Receiver::new(analyser, watching.streams.clone(), watching.expects, watching.interval);
        Ok(Self {
            name: spec.name.clone(),
            queues: Vec::new(),
            responder: None,
            receiver,
            counters,
            hold,
            netns,
            link_bps: spec.line_bps.or(info.link_bps),
            line_given: spec.line_bps.is_some(),
            capabilities: capabilities(&info)?,
            peer: info.peer.map(|_| Peer::Elsewhere),
            info,
            stamping: watching.stamping.clone(),
            backend_note: None,
            redirects: None,
            native_refused,
        })
    }

    /// Answers ARP and ND for what stands behind the port.
    pub(super) fn answer_for(
        &mut self,
        addresses: Vec<AddressSet>,
        own: Vec<IpAddr>,
    ) -> Result<(), SessionError> {
        let owned = move |address: IpAddr| {
            own.contains(&address) || addresses.iter().any(|set| set.contains(address))
        };
        self.responder = Some(Responder::start(&self.info, owned)?);
        Ok(())
    }

    /// What the kernel and the driver have counted since the port exists; `None`: it is gone.
    pub(super) fn counted(&mut self) -> Option<PortReading> {
        self.counters.read().ok()
    }

    /// What the AF_XDP sockets of the port have counted together; `None`: it has none.
    pub(super) fn xsk(&self) -> Option<XskStatistics> {
        self.queues.iter().filter_map(|queue| queue.statistics()).reduce(XskStatistics::plus)
    }

    /// Speed of the link, bits per second; `None` where it has no physical speed and the
    /// file gives none.
    pub(super) fn speed_bps(&self) -> Option<u64> {
        self.link_bps.filter(|_| self.info.physical || self.line_given)
    }

    /// Whether the interface counts what it sends: virtio_net leaves out its zero-copy
    /// frames (virtnet_xsk_xmit in drivers/net/virtio_net.c).
    pub(super) fn counts_sent(&self) -> bool {
        let zero_copy = self.queues.iter().any(|queue| queue.mode() == TxMode::ZeroCopy);
        !(self.info.driver == "virtio_net" && zero_copy)
    }

    /// Whether frames are read natively or from skbs.
    pub(super) fn rx_mode(&self) -> XdpMode {
        self.receiver.source().attach_mode()
    }
}

fn attach(
    info: &PortInfo,
    setup: &AnalyserSetup,
    first: Option<&Analyser>,
) -> Result<(Analyser, Option<String>), xdp_ebpf::Error> {
    let load = |mode| match first {
        Some(first) => Analyser::load_beside(setup, mode, first),
        None => Analyser::load(setup, mode),
    };
    let native = load(XdpMode::Native).and_then(|mut analyser| {
        analyser.attach(info.ifindex)?;
        Ok(analyser)
    });
    match native {
        Ok(analyser) => Ok((analyser, None)),
        Err(refused @ xdp_ebpf::Error::Unsupported { .. }) => {
            let mut analyser = load(XdpMode::Generic)?;
            analyser.attach(info.ifindex)?;
            Ok((analyser, Some(refused.to_string())))
        }
        Err(error) => Err(error),
    }
}
