#![allow(unsafe_code, reason = "xsk-rs leaves frame ownership to its caller")]
//! AF_XDP sockets that receive: what the capture program redirects.

use crate::nic;
use std::{
    ffi::CString,
    io,
    num::NonZeroU32,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
    ptr,
};
use xdp_ebpf::abi::capture_stamp;
use xsk_rs::{
    CompQueue, FillQueue, FrameDesc, RxQueue, Socket, TxQueue, Umem,
    config::{BindFlags, FrameSize, Interface, LibxdpFlags, QueueSize, SocketConfig, UmemConfig},
};

const CHUNKS: u32 = 8192;
/// A chunk holds what lies in front of a frame and any frame of one buffer.
const CHUNK_BYTES: u32 = 4096;
const BATCH: usize = 64;
/// One word, the time.
const STAMP_BYTES: usize = size_of::<capture_stamp>();
const _: () = assert!(STAMP_BYTES == 8);

/// Frames that a socket had no room for (`XDP_STATISTICS`,
/// Documentation/networking/af_xdp.rst).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct XskOverruns {
    /// How often a buffer of the fill ring was wanted and there was none.
    pub fill_ring_empty: u64,
    /// Frames for which the RX ring was full.
    pub rx_ring_full: u64,
}

impl std::iter::Sum for XskOverruns {
    fn sum<I: Iterator<Item = Self>>(each: I) -> Self {
        each.fold(Self::default(), |all, one| Self {
            fill_ring_empty: all.fill_ring_empty + one.fill_ring_empty,
            rx_ring_full: all.rx_ring_full + one.rx_ring_full,
        })
    }
}

/// An AF_XDP socket on one RX queue.
#[derive(Debug)]
pub struct XskReceiver {
    umem: Umem,
    rx: RxQueue,
    fill: FillQueue,
    // The kernel wants their rings for as long as the socket lives.
    _tx: TxQueue,
    _completion: CompQueue,
    batch: Vec<FrameDesc>,
    zero_copy: bool,
}

impl XskReceiver {
    /// Opens the queue of an interface of this thread's network namespace: zero-copy where
    /// the driver runs XDP itself, else copy.
    pub fn open(interface: &str, queue: u32, native: bool) -> io::Result<Self> {
        let refused = if native {
            match Self::open_mode(interface, queue, true) {
                Ok(socket) => return Ok(socket),
                Err(error) => Some(error),
            }
        } else {
            None
        };
        Self::open_mode(interface, queue, false).map_err(|error| {
            if error.raw_os_error().is_some() { error } else { refused.unwrap_or(error) }
        })
    }

    fn open_mode(interface: &str, queue: u32, zero_copy: bool) -> io::Result<Self> {
        // As many as there are chunks: so what finds a chunk finds a place in the ring too.
        let ring = QueueSize::new(CHUNKS).map_err(io::Error::other)?;
        let small = QueueSize::new(64).map_err(io::Error::other)?;
        let umem = UmemConfig::builder()
            .frame_size(FrameSize::new(CHUNK_BYTES).map_err(io::Error::other)?)
            .fill_queue_size(QueueSize::new(CHUNKS).map_err(io::Error::other)?)
            .comp_queue_size(small)
            .build()
            .map_err(io::Error::other)?;
        let chunks = NonZeroU32::new(CHUNKS).ok_or(io::ErrorKind::InvalidInput)?;
        let (umem, descriptors) = Umem::new(umem, chunks, false).map_err(into_io)?;
        let mode = if zero_copy { BindFlags::XDP_ZEROCOPY } else { BindFlags::XDP_COPY };
        let config = SocketConfig::builder()
            .rx_queue_size(ring)
            .tx_queue_size(small)
            .libxdp_flags(LibxdpFlags::XSK_LIBXDP_FLAGS_INHIBIT_PROG_LOAD)
            .bind_flags(mode | BindFlags::XDP_USE_NEED_WAKEUP)
            .build();
        let interface = Interface::new(CString::new(interface)?);
        // SAFETY: the UMEM is shared with no other socket.
        let (tx, rx, rings) =
            unsafe { Socket::new(config, &umem, &interface, queue) }.map_err(into_io)?;
        let (mut fill, completion) =
            rings.ok_or_else(|| io::Error::other("the queue's rings are in use"))?;
        if nic::is_zero_copy(rx.fd().as_raw_fd())? != zero_copy {
            return Err(io::Error::other("the kernel bound the socket in the other mode"));
        }
        // SAFETY: the descriptors are of this UMEM, and all of them are the kernel's now.
        unsafe { fill.produce(&descriptors) };
        let batch = vec![FrameDesc::default(); BATCH];
        Ok(Self { umem, rx, fill, _tx: tx, _completion: completion, batch, zero_copy })
    }

    /// Whether the NIC writes into our memory itself.
    pub fn is_zero_copy(&self) -> bool {
        self.zero_copy
    }

    /// Hands on what has come, at most a batch: CLOCK_MONOTONIC ns of the arrival, and the
    /// frame. Returns how many there were.
    pub fn receive(&mut self, mut each: impl FnMut(u64, &[u8])) -> usize {
        // SAFETY: the descriptors are of this UMEM; those given back are used no more.
        let count = unsafe { self.rx.consume(&mut self.batch) };
        for descriptor in &self.batch[..count] {
            // SAFETY: the kernel has handed the chunk over, and does not write to it before
            // it is produced below.
            let data = unsafe { self.umem.data(descriptor) };
            let frame = data.contents();
            // SAFETY: the program put a stamp right before every frame that it redirects,
            // within the headroom of the chunk.
            let stamp =
                unsafe { frame.as_ptr().sub(STAMP_BYTES).cast::<[u8; STAMP_BYTES]>().read() };
            each(u64::from_ne_bytes(stamp), frame);
        }
        // SAFETY: as above. The fill ring has room for every chunk of the UMEM.
        unsafe { self.fill.produce(&self.batch[..count]) };
        self.wake();
        count
    }

    /// What the kernel has counted of frames without room; `None` if it does not say.
    pub fn overruns(&self) -> Option<XskOverruns> {
        let counted = self.rx.fd().xdp_statistics().ok()?;
        Some(XskOverruns {
            fill_ring_empty: counted.rx_fill_ring_empty_descs(),
            rx_ring_full: counted.rx_ring_full(),
        })
    }

    /// Asks the driver to take buffers, where it waits to be asked.
    pub fn wake(&self) {
        if self.fill.needs_wakeup() {
            // SAFETY: a recvfrom without a buffer touches no memory of ours.
            unsafe {
                libc::recvfrom(
                    self.rx.fd().as_raw_fd(),
                    ptr::null_mut(),
                    0,
                    libc::MSG_DONTWAIT,
                    ptr::null_mut(),
                    ptr::null_mut(),
                );
            }
        }
    }
}

impl AsFd for XskReceiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the socket lives as long as `self`.
        unsafe { BorrowedFd::borrow_raw(self.rx.fd().as_raw_fd()) }
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
