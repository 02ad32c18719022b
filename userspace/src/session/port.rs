//! A port as the session holds it: settings, analyser, queues, answers.

use super::{
    Peer, SessionError,
    nic_clock::{self, ClockTold, NicClock},
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
    /// The clock that times its frames, or why the kernel's does; `None`: none are to be timed.
    nic: Option<Result<NicClock, String>>,
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
    /// And with, if its NIC times the frames; `None`: it is not to.
    pub(super) nic_setup: Option<AnalyserSetup>,
    /// What is to be known of the stamps of this port, if anything.
    pub(super) stamping: Option<String>,
    pub(super) streams: Range<u16>,
    pub(super) expects: &'a dyn Fn(StreamId) -> bool,
    pub(super) interval: Duration,
}

impl Port {
    /// Takes the port: lock and settings, then the analyser, native or else generic, timed by
    /// the NIC where it can. It shares the windows of `first`, if there is one.
    pub(super) fn take(
        spec: &PortSpec,
        info: PortInfo,
        watching: &Watching<'_>,
        first: Option<&Analyser>,
    ) -> Result<Self, SessionError> {
        let netns = Netns::open(info.name.netns.as_deref())?;
        let mut hold = Hold::take(&info)?;
        let counters = PortCounters::open(&info)?;
        let capabilities = capabilities(&info)?;
        let nic_setup = watching.nic_setup.as_ref();
        let by_nic = nic_setup.map(|setup| {
            let number = nic_clock::receive_clock(&capabilities)?;
            attach_stamped(&info, setup, first, number, &mut hold, &netns)
        });
        let (nic, analyser) = match by_nic {
            Some(Ok((clock, analyser))) => (Some(Ok(clock)), Some(analyser)),
            Some(Err(why)) => (Some(Err(why)), None),
            None => (None, None),
        };
        let setup = &watching.setup;
        let (analyser, native_refused) = match analyser {
            Some(analyser) => (analyser, None),
            None => netns
                .run(|| attach(&info, setup, first))?
                .map_err(|source| SessionError::Analyser { port: spec.name.clone(), source })?,
        };
        // Of the kernel's stamps.
        let stamping = watching.stamping.clone().filter(|_| !matches!(nic, Some(Ok(_))));
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
            nic,
            here: Some(Here { responder: None, counters, hold, netns }),
            far: None,
            link_bps: spec.line_bps.or(info.link_bps),
            line_given: spec.line_bps.is_some(),
            capabilities,
            peer: info.peer.map(|_| Peer::Elsewhere),
            info,
            stamping,
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
            nic: None,
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
        self.far.as_ref().map(|_| "another daemon sends it")
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

    /// The NIC's clock, where that times its frames.
    pub(super) fn nic_clock(&self) -> Option<&NicClock> {
        self.nic.as_ref()?.as_ref().ok()
    }

    /// How well the NIC's clock was known in this trial; `None`: it times nothing.
    pub(super) fn clock_told(&self) -> Option<ClockTold> {
        self.nic_clock().map(NicClock::told)
    }

    /// Who times its frames; `None`: nobody has to.
    pub(super) fn timed_by(&self) -> Option<String> {
        Some(match self.nic.as_ref()? {
            Ok(clock) => format!("timed by the NIC (/dev/ptp{})", clock.number),
            Err(why) => format!("timed by the kernel, not the NIC: {why}"),
        })
    }

    /// What is to be known of that. A NIC that is not said to stamp frames for XDP is no news.
    pub(super) fn nic_note(&self) -> Option<String> {
        let Ok(clock) = self.nic.as_ref()? else {
            let xdp = self.capabilities.xdp.as_ref()?;
            let promised = self.info.physical && xdp.rx_metadata.contains(&"timestamp");
            return self.timed_by().filter(|_| promised);
        };
        Some(clock.note(&self.receiver.totals()))
    }

    /// Whether frames are read natively or from skbs.
    pub(super) fn rx_mode(&self) -> XdpMode {
        self.receiver.source().attach_mode()
    }
}

/// Has the NIC time what the port receives; else says why not.
fn attach_stamped(
    info: &PortInfo,
    setup: &AnalyserSetup,
    first: Option<&Analyser>,
    number: u32,
    hold: &mut Hold,
    netns: &Netns,
) -> Result<(NicClock, Analyser), String> {
    let learned = nic_clock::learn(number)?;
    hold.stamp_received().map_err(|error| error.to_string())?;
    let attached = netns.run(|| {
        let (mut analyser, fits) = Analyser::load_nic(setup, info.ifindex, first)?;
        analyser.attach(info.ifindex)?;
        Ok::<_, xdp_ebpf::Error>((analyser, fits))
    });
    let attached = attached.map_err(|error| error.to_string())?;
    let (analyser, mut fits) = attached.map_err(|error| error.to_string())?;
    let publish = move |line: Option<&_>| fits.publish(&nic_clock::fit_of(line));
    let clock = NicClock::start(number, learned, publish).map_err(|error| error.to_string())?;
    Ok((clock, analyser))
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
