use super::ReplayError;
use crate::{nic::NicError, packet::PacketError, spec::SpecError, tx::TxError};

/// Why a run could not start, or broke off before it had a result.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum SessionError {
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error(transparent)]
    Nic(#[from] NicError),
    #[error(transparent)]
    Tx(#[from] TxError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error("flow {flow}: {source}")]
    Packet { flow: String, source: PacketError },
    #[error("{port}: {source}")]
    Analyser { port: String, source: xdp_ebpf::Error },
    #[error(
        "{port}: another XDP program (id {program}) is attached; detach it first: `ip link set {interface} xdp off`"
    )]
    ForeignXdp { port: String, interface: String, program: u32 },
    #[error(
        "flow {flow}: eth.dst = \"auto\" needs an IPv4 or IPv6 destination to ask for; give eth.dst a MAC address"
    )]
    NoDestination { flow: String },
    #[error(
        "flow {flow}: eth.dst = \"auto\" asks for at most {max} on-link destinations one by one; set the port's gw, or give eth.dst"
    )]
    TooManyDestinations { flow: String, max: usize },
    #[error("{flows} flows need {streams} streams; a run has at most 65,535")]
    TooManyStreams { flows: usize, streams: usize },
    #[error("{port} queue {queue}: no AF_XDP socket: {source}")]
    Xsk { port: String, queue: u32, source: std::io::Error },
    #[error("cannot write the capture: {0}")]
    Capture(std::io::Error),
    #[error("{daemon}: {message}")]
    Remote { daemon: String, message: String, exit_code: u8 },
    #[error("the lease is over: it was not renewed in time")]
    LeaseOver,
    #[error("could not start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

impl SessionError {
    /// The exit code that CONTRACT gives this error.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Spec(_)
            | Self::Replay(_)
            | Self::Packet { .. }
            | Self::NoDestination { .. }
            | Self::TooManyDestinations { .. }
            | Self::TooManyStreams { .. } => 64,
            Self::Nic(error) => error.exit_code(),
            Self::Tx(TxError::LiveFrameTooLong { .. }) => 64,
            Self::Tx(
                TxError::FrameTooLong { .. }
                | TxError::Privilege { .. }
                | TxError::LockedMemory { .. }
                | TxError::LiveFrames { .. },
            ) => 77,
            Self::Tx(_) | Self::ForeignXdp { .. } | Self::LeaseOver | Self::Thread(_) => 2,
            Self::Xsk { source, .. } => match source.kind() {
                std::io::ErrorKind::PermissionDenied => 77,
                _ => 2,
            },
            Self::Capture(_) => 2,
            Self::Remote { exit_code, .. } => *exit_code,
            Self::Analyser { source, .. } => match source {
                xdp_ebpf::Error::Busy { .. } => 2,
                _ => 77,
            },
        }
    }
}
