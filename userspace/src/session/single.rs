//! What sessions of one port do alike: they take it, and attach their program.

use super::SessionError;
use crate::nic::{Hold, LinkState, LinkWatch, Netns, PortCounters, PortInfo, PortName, port_info};
use xdp_ebpf::XdpMode;

/// A port that is held, with nothing attached. Let go of in the order of the fields.
pub(super) struct Held {
    pub(super) counters: PortCounters,
    pub(super) hold: Hold,
    pub(super) netns: Netns,
    pub(super) watch: LinkWatch,
    pub(super) info: PortInfo,
}

impl Held {
    /// Takes the port. On an error everything is as it was.
    pub(super) fn take(port: &PortName) -> Result<Self, SessionError> {
        let info = port_info(port)?;
        info.require_up()?;
        let watch = LinkWatch::start(std::slice::from_ref(&info))?;
        let netns = Netns::open(info.name.netns.as_deref())?;
        let hold = Hold::take(&info)?;
        // Asked after the lock: another linerate is better named as such.
        refuse_foreign(&info)?;
        let counters = PortCounters::open(&info)?;
        Ok(Self { counters, hold, netns, watch, info })
    }
}

/// Why a port cannot be used any longer. The attach at the other end may take the carrier away
/// for a while, which is no reason.
pub(super) fn link_fault(state: LinkState, port: &PortName) -> Option<String> {
    match state {
        LinkState::Gone => Some(format!("{port} is gone")),
        LinkState::Down => Some(format!("{port} was set down")),
        LinkState::Up | LinkState::NoCarrier => None,
    }
}

/// An error if somebody else's XDP program is on the port.
pub(super) fn refuse_foreign(info: &PortInfo) -> Result<(), SessionError> {
    let Some(xdp) = &info.xdp else { return Ok(()) };
    Err(SessionError::ForeignXdp {
        port: info.name.to_string(),
        interface: info.name.interface.clone(),
        program: xdp.program,
    })
}

/// What `attach` gives in native mode, or where that is refused, in generic mode with the
/// reason.
pub(super) fn native_or_generic<P>(
    attach: impl Fn(XdpMode) -> Result<P, xdp_ebpf::Error>,
) -> Result<(P, Option<String>), xdp_ebpf::Error> {
    match attach(XdpMode::Native) {
        Err(refused @ xdp_ebpf::Error::Unsupported { .. }) => {
            Ok((attach(XdpMode::Generic)?, Some(refused.to_string())))
        }
        native => Ok((native?, None)),
    }
}
