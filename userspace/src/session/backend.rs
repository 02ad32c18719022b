//! How the frames of a port leave: which back end, and why that one.

use super::{SessionError, pin::near, port::Port};
use crate::{
    tx::{Backend, LiveFrames, Queue, QueueSetup, Transmitter, TxError},
    units::QueueId,
};
use xdp_ebpf::{Redirects, XdpMode, takes_redirects};

/// What the flows that leave by a port ask for.
#[derive(Debug)]
pub(super) struct Demand {
    /// Queues that streams were assigned to.
    pub(super) queues: Vec<QueueId>,
    /// Longest frame, octets without FCS.
    pub(super) frame_bytes_max: usize,
    /// More frames than the kernel can be expected to copy.
    pub(super) is_fast: bool,
    pub(super) backend: Backend,
}

impl Port {
    /// Opens a place to send from on every queue. AF_XDP has completions, and queues that can
    /// be chosen; so live frames are for ports where it copies and more is asked.
    pub(super) fn open_queues(&mut self, demand: &Demand) -> Result<(), SessionError> {
        if demand.queues.is_empty() {
            return Ok(());
        }
        if demand.backend == Backend::LiveFrames {
            if let Some(refusal) = self.live_frames_refused(demand) {
                return Err(refusal.into());
            }
            self.backend_note = Some("live frames, as asked for".to_owned());
            return self.open_live_frames(demand);
        }
        self.open_af_xdp(demand)?;
        let Some(zero_copy) = self.queues.iter().find_map(|queue| queue.zero_copy_refused()) else {
            return Ok(());
        };
        let copied = format!("frames are copied by the kernel; zero-copy: {zero_copy}");
        if demand.backend == Backend::AfXdp {
            self.backend_note = Some(copied);
            return Ok(());
        }
        if !demand.is_fast {
            self.backend_note = Some(format!("{copied}; enough for the rate that is asked"));
            return Ok(());
        }
        if let Some(refusal) = self.live_frames_refused(demand) {
            self.backend_note = Some(format!("{copied}; live frames: {refusal}"));
            return Ok(());
        }
        self.backend_note =
            Some(format!("live frames, for more than AF_XDP can copy; zero-copy: {zero_copy}"));
        self.queues.clear();
        self.open_live_frames(demand)
    }

    fn open_af_xdp(&mut self, demand: &Demand) -> Result<(), SessionError> {
        let interface = self.info.name.interface.clone();
        let (mtu, native_xdp) = (self.info.mtu, self.rx_mode() == XdpMode::Native);
        let opened = self.inside(|| {
            let open = |queue: &QueueId| {
                Queue::open(&QueueSetup {
                    interface: &interface,
                    queue: queue.0,
                    frame_bytes_max: demand.frame_bytes_max,
                    mtu,
                    native_xdp,
                })
            };
            let open_all = || demand.queues.iter().map(open).collect::<Result<Vec<_>, _>>();
            near(&self.capabilities, open_all)
        })?;
        self.queues =
            opened?.into_iter().map(|queue| -> Box<dyn Transmitter> { Box::new(queue) }).collect();
        Ok(())
    }

    fn open_live_frames(&mut self, demand: &Demand) -> Result<(), SessionError> {
        let watched = Redirects::watch(self.info.ifindex, self.netns_inode());
        self.redirects = Some(watched.map_err(|error| self.no_live_frames(&error.to_string()))?);
        for queue in &demand.queues {
            self.queues.push(Box::new(LiveFrames::new(&self.info, queue.0)?));
        }
        Ok(())
    }

    /// Why live frames cannot do it, if so.
    fn live_frames_refused(&self, demand: &Demand) -> Option<TxError> {
        if demand.frame_bytes_max > LiveFrames::FRAME_BYTES_MAX {
            return Some(TxError::LiveFrameTooLong {
                interface: self.info.name.to_string(),
                bytes: demand.frame_bytes_max,
                max: LiveFrames::FRAME_BYTES_MAX,
            });
        }
        let ifindex = self.info.ifindex;
        match self.inside(|| takes_redirects(ifindex)) {
            Ok(Ok(Some(false))) if self.info.driver == "veth" => Some(self.no_live_frames(
                "nobody polls at the far end of this veth; attach an XDP program to its peer or `ethtool -K PEER gro on`",
            )),
            Ok(Ok(Some(false))) => Some(self.no_live_frames("its driver does not take redirected frames (ndo_xdp_xmit)")),
            Ok(Ok(None)) if self.rx_mode() == XdpMode::Generic => Some(self.no_live_frames("its driver has no native XDP")),
            // A kernel that does not say is found out by its tracepoint.
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(self.no_live_frames(&error.to_string())),
            Err(error) => Some(self.no_live_frames(&error.to_string())),
        }
    }

    fn no_live_frames(&self, reason: &str) -> TxError {
        TxError::LiveFrames { interface: self.info.name.to_string(), reason: reason.to_owned() }
    }

    /// What has become of live frames since the port was opened; `None`: it sends none.
    pub(super) fn redirected(&self) -> Option<Redirected> {
        let counted = self.redirects.as_ref()?.read();
        Some(Redirected {
            sent: counted.sent,
            dropped: counted.dropped,
            without_receiver: counted.no_receiver,
        })
    }
}

/// What became of the live frames of a port after they were handed over.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Redirected {
    /// Taken by the driver.
    pub(super) sent: u64,
    /// Refused by the driver.
    pub(super) dropped: u64,
    /// Of these, those for which nobody polls at the far end.
    pub(super) without_receiver: u64,
}

impl Redirected {
    /// What was gained since `before`.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            sent: self.sent - before.sent,
            dropped: self.dropped - before.dropped,
            without_receiver: self.without_receiver - before.without_receiver,
        }
    }
}
