//! A port as the session holds it: settings, analyser, queues, answers.

use super::{
    Peer, SessionError,
    remote::{FarPort, Watch},
};
use crate::{
    nic::{
        Capabilities, Hold, Netns, NicError, PortCounters, PortInfo, PortReading, Responder,
        SettingChange, capabilities,
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
    pub(super) receiver: Receiver<Watch>,
    here: Option<Here>,
    /// Where it is on the host of another daemon.
    pub(super) far: Option<FarPort>,
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

/// What this process has of a port of its own host.
#[derive(Debug)]
struct Here {
    responder: Option<Responder>,
    counters: PortCounters,
    hold: Hold,
    netns: Netns,
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
        let receiver = Receiver::new(
            Watch::Here(analyser),
            watching.streams.clone(),
            watching.expects,
            watching.interval,
        );
        Ok(Self {
            name: spec.name.clone(),
            queues: Vec::new(),
            receiver,
            here: Some(Here { responder: None, counters, hold, netns }),
            far: None,
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
        if let Some(here) = &mut self.here {
            here.responder = Some(Responder::start(&self.info, owned)?);
        }
        Ok(())
    }

    /// A port that another daemon has taken.
    pub(super) fn far(
        spec: &PortSpec,
        info: PortInfo,
        watching: &Watching<'_>,
        far: FarPort,
    ) -> Self {
        let mirror = far.mirror(watching.setup.streams.len());
        let streams = watching.streams.clone();
        let receiver = Receiver::new(mirror, streams, watching.expects, watching.interval);
        Self {
            name: spec.name.clone(),
            queues: far.queues(),
            receiver,
            here: None,
            link_bps: spec.line_bps.or(info.link_bps),
            line_given: spec.line_bps.is_some(),
            capabilities: Capabilities::default(),
            peer: info.peer.map(|_| Peer::Elsewhere),
            info,
            stamping: watching.stamping.clone(),
            backend_note: far.backend_note(),
            redirects: None,
            native_refused: far.native_refused(),
            far: Some(far),
        }
    }

    /// Does something inside the port's network namespace.
    pub(super) fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, NicError> {
        match &self.here {
            Some(here) => here.netns.run(work),
            None => Err(NicError::Elsewhere { port: self.info.name.clone() }),
        }
    }

    /// Why the rates of what leaves here cannot be changed while it is sent.
    pub(super) fn unsteerable(&self) -> Option<&'static str> {
        let live = self.queues.iter().any(|queue| queue.mode() == TxMode::LiveFrames);
        match (&self.far, live) {
            (Some(_), _) => Some("another daemon sends it"),
            (None, true) => Some("live frames keep their rate and do not pause; send by AF_XDP"),
            (None, false) => None,
        }
    }

    /// Number of its network namespace; 0: it is elsewhere.
    pub(super) fn netns_inode(&self) -> u32 {
        self.here.as_ref().map_or(0, |here| here.netns.inode())
    }

    pub(super) fn settings_changed(&self) -> &[SettingChange] {
        let far = || self.far.as_ref().map_or(&[][..], FarPort::settings_changed);
        self.here.as_ref().map_or_else(far, |here| here.hold.settings_changed())
    }

    pub(super) fn not_controllable(&self) -> &[String] {
        let far = || self.far.as_ref().map_or(&[][..], FarPort::not_controllable);
        self.here.as_ref().map_or_else(far, |here| here.hold.not_controllable())
    }

    /// What the kernel and the driver have counted since the port exists; `None`: it is gone.
    pub(super) fn counted(&mut self) -> Option<PortReading> {
        match (&mut self.here, &self.far) {
            (Some(here), _) => here.counters.read().ok(),
            (None, far) => far.as_ref()?.counted.clone(),
        }
    }

    /// What the AF_XDP sockets of the port have counted together; `None`: it has none.
    pub(super) fn xsk(&self) -> Option<XskStatistics> {
        let far = self.far.as_ref().and_then(|far| far.xsk);
        let here = self.queues.iter().filter_map(|queue| queue.statistics());
        here.chain(far).reduce(XskStatistics::plus)
    }

    /// Speed of the link, bits per second; `None` where it has no physical speed and the
    /// file gives none.
    pub(super) fn speed_bps(&self) -> Option<u64> {
        self.link_bps.filter(|_| self.info.physical || self.line_given)
    }

    /// Whether the interface counts what it sends: virtio_net leaves out its zero-copy
    /// frames (virtnet_xsk_xmit in drivers/net/virtio_net.c).
    pub(super) fn counts_sent(&self) -> bool {
        if let Some(far) = &self.far {
            return far.counts_sent();
        }
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
