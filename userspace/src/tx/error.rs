use super::QueueSetup;
use std::io;

/// Why a queue could not be opened or used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum TxError {
    #[error(
        "{interface}: frames of {bytes} octets need multi-buffer AF_XDP, which this kernel does not have (Linux 6.6 has); at most {max} octets without FCS"
    )]
    FrameTooLong { interface: String, bytes: usize, max: usize },
    #[error(
        "{interface} queue {queue}: busy for {waited_ms} ms; another AF_XDP socket is bound to it, stop that program first"
    )]
    Busy { interface: String, queue: u32, waited_ms: u64 },
    #[error("{interface} queue {queue}: AF_XDP needs {capability}: {purpose}")]
    Privilege { interface: String, queue: u32, capability: &'static str, purpose: &'static str },
    #[error(
        "{interface} queue {queue}: the locked-memory limit is too small for the UMEM; raise `ulimit -l` or grant CAP_IPC_LOCK"
    )]
    LockedMemory { interface: String, queue: u32 },
    #[error("{interface} queue {queue}: no AF_XDP socket: {reason}")]
    Socket { interface: String, queue: u32, reason: String },
    #[error(
        "{interface}: frames of {bytes} octets do not fit a page as live frames need; at most {max} octets without FCS, or --backend af_xdp"
    )]
    LiveFrameTooLong { interface: String, bytes: usize, max: usize },
    #[error("{interface}: no live frames: {reason}")]
    LiveFrames { interface: String, reason: String },
    #[error("{0}")]
    Remote(String),
    #[error("{interface} queue {queue}: {source}")]
    Kick { interface: String, queue: u32, source: io::Error },
}

/// xsk-rs wraps the errno as the source of its own error.
pub(super) fn into_io(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    let errno = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>())
        .and_then(io::Error::raw_os_error);
    errno.map_or_else(|| io::Error::other(error.to_string()), io::Error::from_raw_os_error)
}

/// `chunk_bytes`: what fits into one chunk, where a frame does not.
pub(super) fn explain(
    setup: &QueueSetup<'_>,
    chunk_bytes: Option<usize>,
    error: &io::Error,
) -> TxError {
    let (interface, queue) = (setup.interface.to_owned(), setup.queue);
    match (error.raw_os_error(), chunk_bytes) {
        (Some(libc::EINVAL), Some(max)) => {
            TxError::FrameTooLong { interface, bytes: setup.frame_bytes_max, max }
        }
        (Some(libc::EPERM | libc::EACCES), _) => TxError::Privilege {
            interface,
            queue,
            capability: "CAP_NET_RAW",
            purpose: "to open and bind AF_XDP sockets",
        },
        (Some(libc::ENOBUFS), _) => TxError::LockedMemory { interface, queue },
        (Some(libc::EAFNOSUPPORT), _) => TxError::Socket {
            interface,
            queue,
            reason: "this kernel has no AF_XDP (CONFIG_XDP_SOCKETS)".into(),
        },
        _ => TxError::Socket { interface, queue, reason: error.to_string() },
    }
}
