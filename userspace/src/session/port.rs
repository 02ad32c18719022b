//! A port as the session holds it: settings, analyser, queues, answers.

use super::SessionError;
use crate::{
    nic::{Hold, Netns, PortCounters, PortInfo, Responder},
    packet::AddressSet,
    rx::Receiver,
    spec::PortSpec,
    tx::{Queue, QueueSetup},
    units::{QueueId, StreamId},
};
use std::{net::IpAddr, ops::Range, time::Duration};
use xdp_ebpf::{Analyser, AnalyserSetup, XdpMode};

/// A port from the moment it is taken until everything is as before. Fields are
/// dropped in this order: first what sends, then what listens, then the settings.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) name: String,
    pub(super) queues: Vec<Queue>,
    responder: Option<Responder>,
    pub(super) receiver: Receiver<Analyser>,
    counters: PortCounters,
    pub(super) hold: Hold,
    pub(super) netns: Netns,
    pub(super) info: PortInfo,
    /// Line rate used for rates: the file's `line`, else what the link reports.
    pub(super) link_bps: Option<u64>,
    /// Whether the file gave it.
    pub(super) line_given: bool,
    /// Why native mode was refused, if it was.
    pub(super) native_refused: Option<String>,
}

/// Counters of a port that bear on the ledger.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counted {
    pub(super) tx_frames: u64,
    pub(super) tx_dropped: u64,
    pub(super) rx_frames: u64,
    /// Between the NIC and the analyser.
    pub(super) rx_dropped: u64,
    pub(super) pause_frames: Option<u64>,
}

impl Counted {
    /// What was gained since `before`.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            tx_frames: self.tx_frames.saturating_sub(before.tx_frames),
            tx_dropped: self.tx_dropped.saturating_sub(before.tx_dropped),
            rx_frames: self.rx_frames.saturating_sub(before.rx_frames),
            rx_dropped: self.rx_dropped.saturating_sub(before.rx_dropped),
            pause_frames: self
                .pause_frames
                .zip(before.pause_frames)
                .map(|(now, then)| now.saturating_sub(then)),
        }
    }
}

/// What the analyser of a port is set up with.
pub(super) struct Watching<'a> {
    pub(super) setup: AnalyserSetup,
    pub(super) streams: Range<u16>,
    pub(super) expects: &'a dyn Fn(StreamId) -> bool,
    pub(super) interval: Duration,
}

impl Port {
    /// Takes the port: lock and settings, then the analyser, native or else generic.
    pub(super) fn take(
        spec: &PortSpec,
        info: PortInfo,
        watching: &Watching<'_>,
    ) -> Result<Self, SessionError> {
        let netns = Netns::open(info.name.netns.as_deref())?;
        let hold = Hold::take(&info)?;
        let counters = PortCounters::open(&info)?;
        let setup = &watching.setup;
        let (analyser, native_refused) = netns
            .run(|| attach(&info, setup))?
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
            info,
            native_refused,
        })
    }

    /// Opens the TX queues that streams were assigned to.
    pub(super) fn open_queues(
        &mut self,
        queues: &[QueueId],
        frame_bytes_max: usize,
    ) -> Result<(), SessionError> {
        let interface = self.info.name.interface.clone();
        let opened = self.netns.run(|| {
            queues
                .iter()
                .map(|queue| {
                    Queue::open(&QueueSetup {
                        interface: &interface,
                        queue: queue.0,
                        frame_bytes_max,
                    })
                })
                .collect::<Result<Vec<_>, _>>()
        })?;
        self.queues = opened?;
        Ok(())
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
    pub(super) fn counted(&mut self) -> Option<Counted> {
        let link = self.counters.link().ok()?;
        let driver = self.counters.driver().unwrap_or_default();
        let sum = |wanted: &dyn Fn(&str) -> bool| {
            let values: Vec<u64> =
                driver.iter().filter(|(name, _)| wanted(name)).map(|&(_, value)| value).collect();
            (!values.is_empty()).then(|| values.iter().sum::<u64>())
        };
        // veth counts a full ring per queue; NICs report it as missed or as FIFO errors, or
        // the same frames as both.
        let ring_full = sum(&|name| {
            name.starts_with("rx_queue_") && name.ends_with("_drops") && !name.contains("xdp")
        });
        Some(Counted {
            tx_frames: link.tx_packets,
            tx_dropped: link.tx_dropped,
            rx_frames: link.rx_packets,
            rx_dropped: link.rx_missed_errors.max(link.rx_fifo_errors) + ring_full.unwrap_or(0),
            pause_frames: sum(&|name| {
                name.starts_with("rx_") && (name.contains("pause") || name.contains("xoff"))
            }),
        })
    }

    /// Whether frames are read natively or from skbs.
    pub(super) fn rx_mode(&self) -> XdpMode {
        self.receiver.source().attach_mode()
    }
}

fn attach(
    info: &PortInfo,
    setup: &AnalyserSetup,
) -> Result<(Analyser, Option<String>), xdp_ebpf::Error> {
    let native = Analyser::load(setup, XdpMode::Native).and_then(|mut analyser| {
        analyser.attach(info.ifindex)?;
        Ok(analyser)
    });
    match native {
        Ok(analyser) => Ok((analyser, None)),
        Err(refused @ xdp_ebpf::Error::Unsupported { .. }) => {
            let mut analyser = Analyser::load(setup, XdpMode::Generic)?;
            analyser.attach(info.ifindex)?;
            Ok((analyser, Some(refused.to_string())))
        }
        Err(error) => Err(error),
    }
}
