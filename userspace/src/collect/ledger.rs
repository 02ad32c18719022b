//! The ledger: every frame at every border, and where the missing ones are.

use super::Loss;
use crate::rx::Counters;
use std::fmt;

/// What the tester counted of one flow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FlowCounts {
    /// Frames asked for. A flow without end, or at rate "max", asks for what it sends.
    pub requested: u64,
    /// Frames handed to the kernel.
    pub submitted: u64,
    /// Frames that the kernel gave back as sent; `None` where the back end cannot know.
    pub completed: Option<u64>,
    /// What was received; `None`: the flow is not measured.
    pub rx: Option<Counters>,
}

/// What the transmitting port counted, for all flows that leave there. Differences
/// over the trial; `None`: not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Departure {
    /// Flows that leave there.
    pub flows: u64,
    /// Frames that all of them handed over: completed, else submitted.
    pub handed: u64,
    /// Frames that the kernel's interface counter says were sent.
    pub frames: Option<u64>,
    /// Frames that the interface dropped on the way out.
    pub dropped: Option<u64>,
    /// What takes the frames in behind it.
    pub into: FarEnd,
}

/// What takes in the frames that leave a port.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FarEnd {
    /// A wire: the port's drops are its own.
    #[default]
    Wire,
    /// A veth whose other end is the port that receives the flow: what the kernel counts
    /// as the sender's drops did not fit into the receiver's ring.
    Receiver,
    /// A veth whose other end is not of this run: likewise, and the ring is the device's.
    Device,
}

/// What the receiving port counted, for everything that arrives there. Differences
/// over the trial; `None`: not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Arrival {
    /// Flows that are received there.
    pub flows: u64,
    /// Frames that the kernel's interface counter says arrived.
    pub frames: Option<u64>,
    /// Frames dropped between the NIC and the analyser.
    pub dropped: Option<u64>,
    /// How often an AF_XDP socket there had no buffer for the NIC to receive into.
    pub fill_ring_empty: u64,
    /// Frames that the analyser saw.
    pub seen: Option<u64>,
    /// Frames of all flows that the analyser recognised there.
    pub matched: u64,
}

/// A place where frames vanish, in the order in which a frame comes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Border {
    /// Never sent: the time was over.
    Unsent,
    /// Handed to the kernel, never given back.
    TxRing,
    /// Given back as sent, but not by the interface's count.
    TxPort,
    /// Sent over a veth, and the ring of its other end, the device's, was full.
    DeviceRing,
    /// Sent and never received: cable, device under test.
    Device,
    /// Sent over a veth, and the ring of its other end, the receiving port's, was full.
    PeerRing,
    /// Reached a NIC that had no buffer, for the fill ring was empty.
    FillRing,
    /// Received by the NIC, dropped before the analyser.
    RxBeforeXdp,
    /// Counted by the receiving port and never seen by the analyser: a queue without it.
    RxUnseen,
    /// Arrived on another port of the session.
    Misdirected,
    /// Arrived damaged.
    Corrupt,
    /// Arrived too late to be told from a duplicate.
    Late,
}

impl Border {
    /// As the JSON names it (`ledger.missing_at`).
    pub fn name(self) -> &'static str {
        match self {
            Border::Unsent => "unsent",
            Border::TxRing => "tx ring",
            Border::TxPort => "tx port",
            Border::DeviceRing => "device ring",
            Border::Device => "wire/device",
            Border::PeerRing => "peer ring",
            Border::FillRing => "fill ring",
            Border::RxBeforeXdp => "rx before XDP",
            Border::RxUnseen => "rx queue without analyser",
            Border::Misdirected => "misdirected",
            Border::Corrupt => "corrupt",
            Border::Late => "late",
        }
    }
}

impl fmt::Display for Border {
    /// For sentences: "3 frames ...".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Border::Unsent => "not sent in time",
            Border::TxRing => "in the transmit ring",
            Border::TxPort => "in the transmitting port",
            Border::DeviceRing => "at the device's full receive ring",
            Border::Device => "on the wire or in the device",
            Border::PeerRing => "at the receiving port's full ring",
            Border::FillRing => "at the receiving port's empty fill ring",
            Border::RxBeforeXdp => "between the NIC and the analyser",
            Border::RxUnseen => "on a queue without the analyser",
            Border::Misdirected => "on another port",
            Border::Corrupt => "corrupt",
            Border::Late => "too late",
        })
    }
}

/// Where every frame of a flow went (DESIGN, rule 8): the count at each border, each
/// from its own source, and the place of every frame that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// Frames asked for.
    pub requested: u64,
    /// Frames handed to the kernel.
    pub submitted: u64,
    /// Frames given back as sent.
    pub completed: Option<u64>,
    /// Frames that the transmitting interface counted. It cannot tell flows apart: where
    /// several leave there it is this flow's part if none is missing, else `None`.
    pub tx_port: Option<u64>,
    /// Frames that the receiving interface counted. Where several flows are received
    /// there: this flow's, if the analyser saw and recognised everything, else `None`.
    pub rx_port: Option<u64>,
    /// Frames dropped between the NIC and the analyser; of several flows only if none.
    pub rx_dropped: Option<u64>,
    /// Frames that the analyser saw; of several flows only if it recognised all.
    pub seen: Option<u64>,
    /// Frames of this flow that the analyser recognised on the flow's port: unique,
    /// duplicate, late and corrupt.
    pub matched: Option<u64>,
    /// Unique frames in order.
    pub in_order: Option<u64>,
    /// What was lost; `None`: not measured.
    pub loss: Option<Loss>,
    /// Where the missing frames are, unsent ones included, in the order of the way.
    /// Where a port is shared, its drops are held against every flow that lost frames.
    pub missing: Vec<(Border, u64)>,
}

impl Ledger {
    /// Follows a flow from border to border.
    ///
    /// What the flow's own counters explain comes first, then drops of the ports; the
    /// rest was lost on the wire or in the device. Foreign frames raise a port's
    /// counters and so cannot hide a loss; a port's drops are charged up to the loss.
    pub fn trace(flow: &FlowCounts, tx: &Departure, rx: Option<&Arrival>) -> Self {
        let unsent = flow.requested.saturating_sub(flow.submitted);
        let loss = flow.rx.map(|rx| Loss::of(flow.submitted, rx.unique));
        let ring = flow.completed.map_or(0, |completed| flow.submitted.saturating_sub(completed));
        let short = tx.frames.map_or(0, |frames| tx.handed.saturating_sub(frames));
        let dropped = tx.dropped.unwrap_or(0);
        let (port, ring_behind) = match tx.into {
            FarEnd::Wire => (short.max(dropped), None),
            FarEnd::Receiver => (short.saturating_sub(dropped), Some(Border::PeerRing)),
            FarEnd::Device => (short.saturating_sub(dropped), Some(Border::DeviceRing)),
        };
        let rx = rx.copied().unwrap_or_default();
        let nic = if rx.fill_ring_empty > 0 { Border::FillRing } else { Border::RxBeforeXdp };
        let unseen = rx.frames.zip(rx.seen).map_or(0, |(frames, seen)| frames.saturating_sub(seen));
        let counters = flow.rx.unwrap_or_default();

        let behind = ring_behind.map(|border| (border, dropped));
        let known = ring + port + behind.map_or(0, |(_, frames)| frames);
        let mut rest = loss.map_or(known, |loss| loss.lost);
        let mut missing = vec![(Border::Unsent, unsent)];
        for (border, frames) in [
            (Border::TxRing, ring),
            (Border::Corrupt, counters.corrupt),
            (Border::Misdirected, counters.misdirected),
            (Border::Late, counters.late),
            (Border::TxPort, port),
            behind.unwrap_or((Border::PeerRing, 0)),
            (nic, rx.dropped.unwrap_or(0)),
            (Border::RxUnseen, unseen),
        ] {
            let here = frames.min(rest);
            rest -= here;
            missing.push((border, here));
        }
        missing.push((Border::Device, rest));
        missing.retain(|&(_, frames)| frames > 0);
        missing.sort_unstable();

        let handed = flow.completed.unwrap_or(flow.submitted);
        let matched = flow.rx.map(|rx| rx.frames() + rx.late + rx.corrupt);
        let all_left = short == 0 && tx.dropped == Some(0);
        let all_recognised = rx.seen == Some(rx.matched);
        let all_came = all_recognised && unseen == 0 && rx.dropped == Some(0);
        let alone = rx.flows == 1;
        Self {
            requested: flow.requested,
            submitted: flow.submitted,
            completed: flow.completed,
            tx_port: match tx.flows {
                1 => tx.frames,
                _ => tx.frames.and(all_left.then_some(handed)),
            },
            rx_port: if alone { rx.frames } else { rx.frames.and(matched.filter(|_| all_came)) },
            rx_dropped: rx.dropped.filter(|&dropped| alone || dropped == 0),
            seen: if alone { rx.seen } else { matched.filter(|_| all_recognised) },
            matched,
            in_order: flow.rx.map(|rx| rx.unique.saturating_sub(rx.reordered)),
            loss,
            missing,
        }
    }

    /// The first border at which frames vanish.
    pub fn missing_at(&self) -> Option<Border> {
        self.missing.first().map(|&(border, _)| border)
    }

    /// Frames that vanish at one border.
    pub fn missing_in(&self, border: Border) -> u64 {
        self.missing.iter().find(|&&(at, _)| at == border).map_or(0, |&(_, frames)| frames)
    }
}
