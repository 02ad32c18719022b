#![allow(
    unsafe_code,
    reason = "xsk-rs leaves frame ownership to its caller; setsockopt and sendto are C"
)]

use nix::errno::Errno;
use std::{
    ffi::CString,
    io,
    num::NonZeroU32,
    os::fd::{AsRawFd, RawFd},
    ptr::NonNull,
    thread,
    time::{Duration, Instant},
};
use xsk_rs::{
    CompQueue, FillQueue, FrameDesc, RxQueue, Socket, TxQueue, Umem,
    config::{BindFlags, FrameSize, Interface, LibxdpFlags, QueueSize, SocketConfig, UmemConfig},
    socket::Fd,
};

/// How the kernel takes frames from the UMEM (Documentation/networking/af_xdp.rst).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TxMode {
    /// The NIC reads the UMEM.
    ZeroCopy,
    /// The kernel copies each frame into an skb.
    Copy,
}

/// What a [`Queue`] is opened for.
#[derive(Debug, Clone)]
pub struct QueueSetup<'a> {
    /// Interface name, in the namespace of the calling thread.
    pub interface: &'a str,
    /// TX queue of the interface.
    pub queue: u32,
    /// Longest frame that will be sent, octets without FCS.
    pub frame_bytes_max: usize,
    /// Octets of L3 that the interface takes: a zero-copy queue receives into the UMEM too.
    pub mtu: u32,
    /// Whether an XDP program runs in the driver. Without one, drivers such as igb let a
    /// zero-copy socket bind and then never send from it.
    pub native_xdp: bool,
}

/// Why a queue could not be opened or used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum TxError {
    #[error(
        "{interface}: frames of {bytes} octets need multi-buffer AF_XDP, which is not built yet; at most {max} octets without FCS"
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
    #[error("{interface} queue {queue}: {source}")]
    Kick { interface: String, queue: u32, source: io::Error },
}

const CHUNKS: u32 = 4096;
const RING: u32 = 2048;
/// xsk-rs keeps XDP_PACKET_HEADROOM in front of every frame.
const HEADROOM: usize = 256;
/// Ethernet header and two VLAN tags.
const LINK_BYTES_MAX: usize = 22;
/// A queue is released some 0.4 s after its last holder is gone (net/xdp/xsk_buff_pool.c).
const BUSY_RETRY: Duration = Duration::from_secs(2);

/// An AF_XDP socket on one TX queue, with a UMEM of its own.
///
/// Half of the UMEM's chunks are for sending, half sit in the fill ring: a zero-copy
/// queue without receive buffers is deaf (the analyser would see nothing on it).
#[derive(Debug)]
pub struct Queue {
    interface: String,
    queue: u32,
    mode: TxMode,
    zero_copy_refused: Option<String>,
    umem: Umem,
    tx: TxQueue,
    completion: CompQueue,
    fill: FillQueue,
    _rx: RxQueue,
    /// Of the sending half, by chunk index.
    descriptors: Vec<FrameDesc>,
    /// Of the sending half, by chunk index: the first octet of a frame.
    octets: Vec<NonNull<u8>>,
    /// Chunks that the kernel does not hold; last in, first out keeps them in the cache.
    free: Vec<u32>,
    chunk_bytes: usize,
    batch: Vec<FrameDesc>,
    reaped: Vec<FrameDesc>,
}

// SAFETY: `octets` point into `umem`, which moves along; nothing else refers to them.
unsafe impl Send for Queue {}

impl Queue {
    /// Opens the queue: zero-copy, else copy. A busy queue is tried again for 2 s.
    ///
    /// Must run on a thread inside the interface's network namespace.
    pub fn open(setup: &QueueSetup<'_>) -> Result<Self, TxError> {
        let received = setup.mtu as usize + LINK_BYTES_MAX;
        let chunk_bytes: usize =
            if setup.frame_bytes_max.max(received) + HEADROOM <= 2048 { 2048 } else { 4096 };
        if setup.frame_bytes_max + HEADROOM > chunk_bytes {
            return Err(TxError::FrameTooLong {
                interface: setup.interface.to_owned(),
                bytes: setup.frame_bytes_max,
                max: chunk_bytes - HEADROOM,
            });
        }
        let started = Instant::now();
        loop {
            let error = match open_best(setup, chunk_bytes) {
                Ok(queue) => return Ok(queue),
                Err(error) => error,
            };
            if error.raw_os_error() != Some(libc::EBUSY) {
                return Err(explain(setup, &error));
            }
            if started.elapsed() > BUSY_RETRY {
                return Err(TxError::Busy {
                    interface: setup.interface.to_owned(),
                    queue: setup.queue,
                    waited_ms: started.elapsed().as_millis() as u64,
                });
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The mode obtained.
    pub fn mode(&self) -> TxMode {
        self.mode
    }

    /// Why zero-copy was refused, if it was.
    pub fn zero_copy_refused(&self) -> Option<&str> {
        self.zero_copy_refused.as_deref()
    }

    /// Asks the driver to take receive buffers from the fill ring, where it waits to be
    /// asked: a zero-copy queue found the ring empty when it was bound, and is deaf until then.
    pub fn wake_receiver(&self) {
        if self.fill.needs_wakeup() {
            // SAFETY: a recvfrom without a buffer touches no memory of ours.
            unsafe {
                libc::recvfrom(
                    self.raw_fd(),
                    std::ptr::null_mut(),
                    0,
                    libc::MSG_DONTWAIT,
                    std::ptr::null_mut(),
                    std::ptr::null_mut(),
                );
            }
        }
    }

    /// The queue's number on the interface.
    pub fn id(&self) -> u32 {
        self.queue
    }

    pub(super) fn chunks(&self) -> usize {
        self.descriptors.len()
    }

    pub(super) fn outstanding(&self) -> usize {
        self.descriptors.len() - self.free.len()
    }

    /// A chunk to write a frame into, if the kernel does not hold them all.
    #[inline]
    pub(super) fn take(&mut self) -> Option<u32> {
        self.free.pop()
    }

    /// The octets of a chunk that [`Self::take`] gave.
    #[inline]
    pub(super) fn chunk(&mut self, chunk: u32) -> &mut [u8] {
        let first = self.octets[chunk as usize];
        // SAFETY: the octets lie in the UMEM, which lives as long as `self`; the kernel does
        // not hold the chunk, and `&mut self` excludes any other access to it.
        unsafe { std::slice::from_raw_parts_mut(first.as_ptr(), self.chunk_bytes - HEADROOM) }
    }

    /// Adds a written chunk to the batch; the frame in it has `bytes` octets.
    #[inline]
    pub(super) fn queue(&mut self, chunk: u32, bytes: usize) {
        let descriptor = &mut self.descriptors[chunk as usize];
        if descriptor.lengths().data() != bytes {
            // SAFETY: as in `chunk`.
            unsafe { self.umem.data_mut(descriptor) }.cursor().set_pos(bytes);
        }
        self.batch.push(*descriptor);
    }

    /// Room for frames in the TX ring.
    #[inline]
    pub(super) fn room(&mut self, wanted: u32) -> u32 {
        self.tx.nb_free(wanted)
    }

    /// Hands the batch to the ring, for which [`Self::room`] was seen.
    #[inline]
    pub(super) fn submit(&mut self) {
        // SAFETY: the descriptors are of this UMEM, and their chunks stay untouched until
        // the completion ring gives them back.
        let submitted = unsafe { self.tx.produce(&self.batch) };
        debug_assert_eq!(submitted, self.batch.len(), "room was seen before");
        self.batch.clear();
    }

    /// Asks the kernel to send what is in the ring, where it wants to be asked.
    #[inline]
    pub(super) fn kick(&self) -> Result<(), TxError> {
        if !self.tx.needs_wakeup() {
            return Ok(());
        }
        // SAFETY: a sendto without data touches no memory of ours. xsk-rs has the same call
        // but swallows ENETDOWN, which a worker must hear.
        let sent = unsafe {
            libc::sendto(
                self.raw_fd(),
                std::ptr::null(),
                0,
                libc::MSG_DONTWAIT,
                std::ptr::null(),
                0,
            )
        };
        if sent >= 0 {
            return Ok(());
        }
        match Errno::last() {
            // EAGAIN after every 32 frames in copy mode, though those were sent; EBUSY when
            // the device dropped one; ENOBUFS when an skb was not to be had.
            Errno::EAGAIN | Errno::EBUSY | Errno::ENOBUFS | Errno::EINTR => Ok(()),
            errno => Err(TxError::Kick {
                interface: self.interface.clone(),
                queue: self.queue,
                source: errno.into(),
            }),
        }
    }

    /// Takes back what the kernel has sent; calls `completed` with each chunk.
    #[inline]
    pub(super) fn reap(&mut self, mut completed: impl FnMut(u32)) -> usize {
        // SAFETY: the completion ring is this UMEM's own.
        let count = unsafe { self.completion.consume(&mut self.reaped) };
        for descriptor in &self.reaped[..count] {
            let chunk = (descriptor.addr() / self.chunk_bytes) as u32;
            self.free.push(chunk);
            completed(chunk);
        }
        count
    }

    pub(super) fn fd(&self) -> &Fd {
        self.tx.fd()
    }

    fn raw_fd(&self) -> RawFd {
        self.fd().as_raw_fd()
    }
}

/// Zero-copy, else copy. A busy queue has not refused: copy mode, obtained in the moment
/// when its last holder lets go, would stay for the whole run.
fn open_best(setup: &QueueSetup<'_>, chunk_bytes: usize) -> io::Result<Queue> {
    let refused = if setup.native_xdp {
        match open_mode(setup, chunk_bytes, TxMode::ZeroCopy) {
            Err(error) if error.raw_os_error() != Some(libc::EBUSY) => error.to_string(),
            opened_or_busy => return opened_or_busy,
        }
    } else {
        "it needs an XDP program in the driver".to_owned()
    };
    let mut queue = open_mode(setup, chunk_bytes, TxMode::Copy)?;
    queue.zero_copy_refused = Some(refused);
    Ok(queue)
}

fn open_mode(setup: &QueueSetup<'_>, chunk_bytes: usize, mode: TxMode) -> io::Result<Queue> {
    let ring = QueueSize::new(RING).map_err(io::Error::other)?;
    let umem_config = UmemConfig::builder()
        .frame_size(FrameSize::new(chunk_bytes as u32).map_err(io::Error::other)?)
        .fill_queue_size(ring)
        .comp_queue_size(ring)
        .build()
        .map_err(io::Error::other)?;
    let chunks = NonZeroU32::new(CHUNKS).ok_or(io::ErrorKind::InvalidInput)?;
    let (umem, mut descriptors) = Umem::new(umem_config, chunks, false).map_err(into_io)?;
    let mode_flag = match mode {
        TxMode::ZeroCopy => BindFlags::XDP_ZEROCOPY,
        TxMode::Copy => BindFlags::XDP_COPY,
    };
    let config = SocketConfig::builder()
        .tx_queue_size(ring)
        .rx_queue_size(ring)
        // The analyser is our own program; libxdp must not install its dispatcher.
        .libxdp_flags(LibxdpFlags::XSK_LIBXDP_FLAGS_INHIBIT_PROG_LOAD)
        .bind_flags(mode_flag | BindFlags::XDP_USE_NEED_WAKEUP)
        .build();
    let interface = Interface::new(CString::new(setup.interface)?);
    // SAFETY: the UMEM is shared with no other socket.
    let (tx, rx, rings) =
        unsafe { Socket::new(config, &umem, &interface, setup.queue) }.map_err(into_io)?;
    let (mut fill, completion) =
        rings.ok_or_else(|| io::Error::other("the queue's rings are in use"))?;
    let for_fill = descriptors.split_off((CHUNKS / 2) as usize);
    // SAFETY: these descriptors are of this UMEM and are never used for sending.
    unsafe { fill.produce(&for_fill) };
    raise_send_buffer(tx.fd().as_raw_fd());
    let octets = descriptors.iter_mut().map(|descriptor| first_octet(&umem, descriptor)).collect();
    let free = (0..descriptors.len() as u32).rev().collect();
    Ok(Queue {
        interface: setup.interface.to_owned(),
        queue: setup.queue,
        mode,
        zero_copy_refused: None,
        umem,
        tx,
        completion,
        fill,
        _rx: rx,
        batch: Vec::with_capacity(descriptors.len()),
        reaped: vec![FrameDesc::default(); 64],
        descriptors,
        octets,
        free,
        chunk_bytes,
    })
}

fn first_octet(umem: &Umem, descriptor: &mut FrameDesc) -> NonNull<u8> {
    // SAFETY: the descriptor is of this UMEM, and no frame is in flight yet.
    let mut data = unsafe { umem.data_mut(descriptor) };
    data.cursor().set_pos(usize::MAX); // as far as the chunk goes
    NonNull::from(data.contents_mut()).cast()
}

/// Copy mode charges each skb to the socket until it is freed; the default of 208 KiB
/// would stall a deep ring. Not fatal: a smaller buffer is only slower.
fn raise_send_buffer(fd: RawFd) {
    let bytes: libc::c_int = 8 << 20;
    let pointer: *const libc::c_int = &raw const bytes;
    // SAFETY: the option value is a c_int that outlives the call.
    unsafe {
        libc::setsockopt(
            fd,
            libc::SOL_SOCKET,
            libc::SO_SNDBUFFORCE,
            pointer.cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        );
    }
}

/// xsk-rs wraps the errno as the source of its own error.
fn into_io(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    let errno = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>())
        .and_then(io::Error::raw_os_error);
    errno.map_or_else(|| io::Error::other(error.to_string()), io::Error::from_raw_os_error)
}

fn explain(setup: &QueueSetup<'_>, error: &io::Error) -> TxError {
    let (interface, queue) = (setup.interface.to_owned(), setup.queue);
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => TxError::Privilege {
            interface,
            queue,
            capability: "CAP_NET_RAW",
            purpose: "to open and bind AF_XDP sockets",
        },
        Some(libc::ENOBUFS) => TxError::LockedMemory { interface, queue },
        Some(libc::EAFNOSUPPORT) => TxError::Socket {
            interface,
            queue,
            reason: "this kernel has no AF_XDP (CONFIG_XDP_SOCKETS)".into(),
        },
        _ => TxError::Socket { interface, queue, reason: error.to_string() },
    }
}
