//! A capture sent again: the same frames in the same order, counted by their content.
//!
//! ```text
//! Replay::open: file checked, ports held, matchers attached, queue bound
//! Replay::run:  sending -> draining -> done
//! ```

mod contents;
mod error;
mod port;
mod run;
mod timing;

pub use error::ReplayError;
pub use timing::ReplayPace;

use super::{Peer, SessionError, Settings, single::refuse_foreign};
use crate::{
    collect::Collector,
    nic::{LinkWatch, PortInfo, PortName, are_joined, port_info, wait_for_carriers},
    packet::Recording,
    tx::{Queue, ReplayTiming, Transmitter},
};
use contents::Contents;
use port::ReplayPort;
use std::{sync::Arc, time::Duration};

/// An attach may reset the link for seconds (igb: 3 to 8).
const CARRIER_WAIT: Duration = Duration::from_secs(10);

/// What is to be sent, where, and for how long.
#[derive(Debug)]
pub struct ReplaySpec {
    /// Name of the row: the file's.
    pub name: String,
    /// Where the frames leave.
    pub tx: PortName,
    /// Where they are counted; `None`: nowhere.
    pub rx: Option<PortName>,
    /// The frames.
    pub recording: Arc<Recording>,
    /// How they are spaced.
    pub pace: ReplayPace,
    /// How often the file is sent; `None`: until something else ends it.
    pub rounds: Option<u64>,
    /// At most so many frames.
    pub frames: Option<u64>,
    /// At most so long.
    pub duration: Option<Duration>,
}

/// Ports held and matchers attached, ready to send.
#[derive(Debug)]
pub struct Replay {
    spec: ReplaySpec,
    settings: Settings,
    contents: Contents,
    timing: Option<Arc<ReplayTiming>>,
    /// The first is `tx`, the last `rx`; one, if they are the same.
    ports: Vec<ReplayPort>,
    /// By port: the other end, where it is a veth.
    peers: Vec<Option<Peer>>,
    watch: LinkWatch,
    collector: Collector,
}

impl Replay {
    /// Checks what can be known beforehand, then takes the ports. On an error everything
    /// is as it was.
    pub fn open(spec: ReplaySpec, settings: Settings) -> Result<Self, SessionError> {
        let mut names = vec![&spec.tx];
        names.extend(spec.rx.iter().filter(|rx| **rx != spec.tx));
        let infos = names.into_iter().map(port_info).collect::<Result<Vec<_>, _>>()?;
        for info in &infos {
            check(&spec.recording, info)?;
        }
        let repeats = spec.rounds != Some(1);
        let timing = timing::timing(&spec.recording, spec.pace, repeats, infos[0].link_bps)?;
        let contents = Contents::of(&spec.recording);

        let watch = LinkWatch::start(&infos)?;
        let listens = |index: usize| spec.rx.is_some() && index + 1 == infos.len();
        let mut ports = Vec::with_capacity(infos.len());
        for (index, info) in infos.iter().enumerate() {
            let known = if listens(index) { &contents.fingerprints[..] } else { &[] };
            ports.push(ReplayPort::take(info.clone(), known)?);
        }
        wait_for_carriers(&infos, CARRIER_WAIT)?;
        ports[0].open_queue(spec.recording.frames().map(<[u8]>::len).max().unwrap_or(0))?;
        let collector = Collector::new(1, settings.samples, settings.interval);
        let timing = timing.map(Arc::new);
        // A zero-copy bind may reset the link again.
        wait_for_carriers(&infos, CARRIER_WAIT)?;
        for index in 0..ports.len() {
            watch.wait_for_carrier(index, CARRIER_WAIT)?;
        }
        ports[0].queue.iter().for_each(Queue::wake_receiver);
        let peers = infos.iter().map(|info| peer(info, &infos)).collect::<Result<_, _>>()?;
        Ok(Self { spec, settings, contents, timing, ports, peers, watch, collector })
    }

    /// When it is over; `None`: not known before.
    pub fn planned(&self) -> Option<Duration> {
        let frames = self.frames().and_then(|frames| {
            Some(Duration::from_nanos(self.timing.as_ref()?.due_ns(frames.saturating_sub(1))))
        });
        frames.into_iter().chain(self.spec.duration).min()
    }

    /// Sentences about how the ports and the file are used.
    pub fn notes(&self) -> Vec<String> {
        let recording = &self.spec.recording;
        let said = [
            (recording.backward(), "stamped earlier than one before, and follow it at once"),
            (recording.padded(), "filled up with zeros"),
        ];
        let said = said.into_iter().filter(|(frames, _)| *frames > 0);
        let said =
            said.map(|(frames, what)| format!("frames of the file that are {what}: {frames}"));
        self.ports.iter().flat_map(ReplayPort::notes).chain(said).collect()
    }

    /// Frames after which it ends by itself.
    fn frames(&self) -> Option<u64> {
        let rounds = self.spec.rounds.map(|rounds| rounds * self.spec.recording.len() as u64);
        rounds.into_iter().chain(self.spec.frames).min()
    }

    /// Frames asked for; `None`: what was sent is what was asked for.
    fn requested(&self) -> Option<u64> {
        let within = self.spec.duration.map(|time| {
            let time_ns = time.as_nanos() as u64;
            self.timing.as_ref().map(|timing| timing.frames_within(time_ns))
        });
        match within {
            // At "max" nobody knows what fits.
            Some(None) => None,
            Some(Some(within)) => Some(self.frames().map_or(within, |frames| frames.min(within))),
            None => self.frames(),
        }
    }
}

fn peer(info: &PortInfo, all: &[PortInfo]) -> Result<Option<Peer>, SessionError> {
    for (index, other) in all.iter().enumerate() {
        if are_joined(info, other)? {
            return Ok(Some(Peer::Port(index)));
        }
    }
    Ok(info.peer.map(|_| Peer::Elsewhere))
}

/// Everything that needs no change to be known.
fn check(recording: &Recording, info: &PortInfo) -> Result<(), SessionError> {
    info.require_up()?;
    refuse_foreign(info)?;
    let packet_bytes = |frame: &[u8]| frame.len() - link_header_bytes(frame);
    let over = recording.frames().position(|frame| packet_bytes(frame) > info.mtu as usize);
    let Some(index) = over else { return Ok(()) };
    let bytes = packet_bytes(recording.frame(index));
    let (port, interface, mtu) = (info.name.to_string(), info.name.interface.clone(), info.mtu);
    Err(ReplayError::OverMtu { frame: index + 1, bytes, port, mtu, interface }.into())
}

/// Octets before L3: Ethernet and VLAN tags.
fn link_header_bytes(frame: &[u8]) -> usize {
    let mut bytes = 14;
    while matches!(frame.get(bytes - 2..bytes), Some([0x81 | 0x91, 0] | [0x88, 0xa8])) {
        bytes += 4;
    }
    bytes.min(frame.len())
}
