//! A port as a replay holds it.

use crate::{
    nic::{Hold, Netns, PortCounters, PortInfo, PortReading},
    session::{Peer, PortFacts, SessionError, single::native_or_generic},
    tx::{Queue, QueueSetup, Transmitter, XskStatistics},
};
use xdp_ebpf::{Matcher, XdpMode, abi::match_record};

/// What a port has counted since it was taken.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) port: Option<PortReading>,
    pub(super) xsk: Option<XskStatistics>,
    /// Frames that the matcher saw.
    pub(super) seen: u64,
}

/// Fields are dropped in this order: first what sends, then what listens, then the settings.
#[derive(Debug)]
pub(super) struct ReplayPort {
    pub(super) queue: Option<Queue>,
    pub(super) matcher: Matcher,
    pub(super) counters: PortCounters,
    pub(super) hold: Hold,
    netns: Netns,
    pub(super) info: PortInfo,
    /// Why native mode was refused, if it was.
    pub(super) native_refused: Option<String>,
    mode: Option<crate::tx::TxMode>,
    zero_copy_refused: Option<String>,
}

impl ReplayPort {
    /// Takes the port and attaches the matcher, native or else generic. A port that only
    /// sends gets one that knows no frame: some drivers send nothing without a program.
    pub(super) fn take(info: PortInfo, contents: &[u64]) -> Result<Self, SessionError> {
        let netns = Netns::open(info.name.netns.as_deref())?;
        let hold = Hold::take(&info)?;
        let counters = PortCounters::open(&info)?;
        let attach = |mode| {
            let mut matcher = Matcher::load(contents, info.rx_queues, mode)?;
            matcher.attach(info.ifindex)?;
            Ok(matcher)
        };
        let (matcher, native_refused) = netns
            .run(|| native_or_generic(attach))?
            .map_err(|source| SessionError::Analyser { port: info.name.to_string(), source })?;
        Ok(Self {
            queue: None,
            matcher,
            counters,
            hold,
            netns,
            info,
            native_refused,
            mode: None,
            zero_copy_refused: None,
        })
    }

    /// Opens the one queue that everything is sent on: two would lose the order.
    pub(super) fn open_queue(&mut self, frame_bytes_max: usize) -> Result<(), SessionError> {
        let interface = self.info.name.interface.clone();
        let mtu = self.info.mtu;
        let native_xdp = self.matcher.attach_mode() == XdpMode::Native;
        let queue = self.netns.run(|| {
            Queue::open(&QueueSetup {
                interface: &interface,
                queue: 0,
                frame_bytes_max,
                mtu,
                native_xdp,
            })
        })??;
        self.mode = Some(queue.mode());
        self.zero_copy_refused = queue.zero_copy_refused().map(str::to_owned);
        self.queue = Some(queue);
        Ok(())
    }

    /// What the matcher has seen since it was loaded.
    pub(super) fn seen(&self) -> match_record {
        let earliest = |a: u64, b: u64| if a == 0 || b == 0 { a.max(b) } else { a.min(b) };
        self.matcher.records().fold(match_record::default(), |sum, bank| match_record {
            seen: sum.seen + bank.seen,
            seen_bytes: sum.seen_bytes + bank.seen_bytes,
            matched: sum.matched + bank.matched,
            matched_bytes: sum.matched_bytes + bank.matched_bytes,
            first_rx_ns: earliest(sum.first_rx_ns, bank.first_rx_ns),
            last_rx_ns: sum.last_rx_ns.max(bank.last_rx_ns),
            reserved: [0; 2],
        })
    }

    /// What interface, socket and matcher have counted, read in this order.
    pub(super) fn counted(&mut self) -> Counted {
        let xsk = self.queue.as_ref().and_then(Queue::statistics);
        Counted { port: self.counters.read().ok(), xsk, seen: self.seen().seen }
    }

    /// Sentences about how the port is used.
    pub(super) fn notes(&self) -> Vec<String> {
        let name = &self.info.name;
        let native = self.native_refused.iter();
        let native = native.map(|why| format!("{name}: frames are matched in generic mode: {why}"));
        let copied = self.zero_copy_refused.iter();
        let copied =
            copied.map(|why| format!("{name}: frames are copied by the kernel; zero-copy: {why}"));
        let uncontrolled = self.hold.not_controllable().iter().filter(|_| self.info.physical);
        native.chain(copied).chain(uncontrolled.map(|what| format!("{name}: {what}"))).collect()
    }

    /// `before`, `after`: what the port had counted.
    pub(super) fn facts(&self, before: &Counted, after: Counted, peer: Option<Peer>) -> PortFacts {
        let gained = after.port.zip(before.port.as_ref()).map(|(now, then)| now.since(then));
        let gained = gained.as_ref();
        PortFacts {
            calibrations: Vec::new(),
            name: self.info.name.to_string(),
            interface: self.info.name.to_string(),
            driver: self.info.driver.clone(),
            tx_mode: self.mode,
            rx_mode: self.matcher.attach_mode(),
            queues: if self.mode.is_some() { 1 } else { self.info.rx_queues },
            link_bps: self.info.link_bps.filter(|_| self.info.physical),
            settings_changed: self.hold.settings_changed().to_vec(),
            tx_frames: gained.map(|gained| gained.link.tx_packets),
            tx_dropped: gained.map(|gained| gained.link.tx_dropped),
            rx_frames: gained.map(|gained| gained.link.rx_packets),
            rx_dropped: gained.map(PortReading::rx_dropped),
            rx_drops: gained.map(PortReading::rx_drops).unwrap_or_default(),
            seen: Some(after.seen - before.seen),
            pause_frames: gained.and_then(PortReading::pause_frames),
            xsk: after.xsk.zip(before.xsk).map(|(now, then)| now.since(then)),
            peer,
            clock: None,
            nic_times: None,
        }
    }
}
