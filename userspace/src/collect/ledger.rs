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
    /// Frames that the analyser saw.
    pub seen: Option<u64>,
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
    /// Sent and never received: cable, device under test.
    Device,
    /// Received by the NIC, never seen by the analyser.
    RxBeforeXdp,
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
            Border::Device => "wire/device",
            Border::RxBeforeXdp => "rx before XDP",
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
            Border::Device => "on the wire or in the device",
            Border::RxBeforeXdp => "between the NIC and the analyser",
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
    /// Frames that the transmitting interface counted; `None` too where several flows
    /// leave there, for the interface cannot tell them apart.
    pub tx_port: Option<u64>,
    /// Frames that the receiving interface counted; likewise.
    pub rx_port: Option<u64>,
    /// Frames dropped between the NIC and the analyser; likewise.
    pub rx_dropped: Option<u64>,
    /// Frames that the analyser saw; likewise.
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
        let port = tx.frames.map_or(0, |frames| tx.handed.saturating_sub(frames));
        let port = port.max(tx.dropped.unwrap_or(0));
        let nic = rx.and_then(|rx| rx.dropped).unwrap_or(0);
        let counters = flow.rx.unwrap_or_default();

        let mut rest = loss.map_or(ring + port, |loss| loss.lost);
        let mut missing = vec![(Border::Unsent, unsent)];
        for (border, frames) in [
            (Border::TxRing, ring),
            (Border::Corrupt, counters.corrupt),
            (Border::Misdirected, counters.misdirected),
            (Border::Late, counters.late),
            (Border::TxPort, port),
            (Border::RxBeforeXdp, nic),
        ] {
            let here = frames.min(rest);
            rest -= here;
            missing.push((border, here));
        }
        missing.push((Border::Device, rest));
        missing.retain(|&(_, frames)| frames > 0);
        missing.sort_unstable();

        let leaves_alone = tx.flows == 1;
        let alone = rx.filter(|rx| rx.flows == 1);
        Self {
            requested: flow.requested,
            submitted: flow.submitted,
            completed: flow.completed,
            tx_port: tx.frames.filter(|_| leaves_alone),
            rx_port: alone.and_then(|rx| rx.frames),
            rx_dropped: alone.and_then(|rx| rx.dropped),
            seen: alone.and_then(|rx| rx.seen),
            matched: flow.rx.map(|rx| rx.frames() + rx.late + rx.corrupt),
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
