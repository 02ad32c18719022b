#![allow(
    unsafe_code,
    reason = "xsk-rs leaves frame ownership to its caller; setsockopt and sendto are C"
)]

mod open;

use super::{
    StreamPlan, Trial,
    counters::WorkerCounters,
    error::{TxError, explain, into_io},
};
use crate::units::monotonic_ns;
use nix::errno::Errno;
use open::open_best;
use std::{
    os::fd::{AsRawFd, RawFd},
    ptr::NonNull,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use xsk_rs::{CompQueue, FillQueue, FrameDesc, RxQueue, TxQueue, Umem, socket::Fd};

/// How the kernel takes frames from the UMEM (Documentation/networking/af_xdp.rst).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum TxMode {
    /// The NIC reads the UMEM.
    ZeroCopy,
    /// The kernel copies each frame into an skb.
    Copy,
    /// A BPF program makes the frames inside the kernel; no AF_XDP socket.
    LiveFrames,
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

impl QueueSetup<'_> {
    fn received_bytes_max(&self) -> usize {
        self.mtu as usize + LINK_BYTES_MAX
    }
}

/// The frame goes on in the next descriptor (linux/if_xdp.h).
const XDP_PKT_CONTD: u32 = 1;
/// xsk-rs keeps XDP_PACKET_HEADROOM in front of every frame.
const HEADROOM: usize = 256;
/// Greatest chunk: a page. What is longer than one holds takes several (multi-buffer).
const PAGE: usize = 4096;
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
    pub(super) queue: u32,
    pub(super) mode: TxMode,
    pub(super) zero_copy_refused: Option<String>,
    /// Streams of the next trial, and what will be counted of them.
    pub(super) prepared: (Vec<StreamPlan>, Arc<WorkerCounters>, Trial),
    umem: Umem,
    tx: TxQueue,
    completion: CompQueue,
    fill: FillQueue,
    _rx: RxQueue,
    /// Of the sending half, by chunk index.
    descriptors: Vec<FrameDesc>,
    /// Of the sending half, by chunk index: the first octet of its data.
    octets: Vec<NonNull<u8>>,
    /// Slots that the kernel does not hold; last in, first out keeps them in the cache. A
    /// slot has as many chunks as the longest frame needs, nearly always one.
    free: Vec<u32>,
    chunk_bytes: usize,
    long: Option<LongFrames>,
    batch: Vec<FrameDesc>,
    reaped: Vec<FrameDesc>,
}

/// Frames that are longer than a chunk: each is written in one piece, as all others are,
/// and cut into its slot's chunks when it is queued.
#[derive(Debug)]
struct LongFrames {
    chunks_per_slot: u32,
    /// By slot.
    frames: Vec<Box<[u8]>>,
    /// By slot: chunks that the kernel holds.
    pending: Vec<u8>,
}

// SAFETY: `octets` point into `umem`, which moves along; nothing else refers to them.
unsafe impl Send for Queue {}

impl Queue {
    /// Opens the queue: zero-copy, else copy. A busy queue is tried again for 2 s.
    ///
    /// Must run on a thread inside the interface's network namespace.
    pub fn open(setup: &QueueSetup<'_>) -> Result<Self, TxError> {
        let longest = setup.frame_bytes_max.max(setup.received_bytes_max());
        let chunk_bytes: usize = if longest + HEADROOM <= 2048 { 2048 } else { PAGE };
        let started = Instant::now();
        loop {
            let error = match open_best(setup, chunk_bytes) {
                Ok(queue) => return Ok(queue),
                Err(error) => error,
            };
            if error.raw_os_error() != Some(libc::EBUSY) {
                let is_long = setup.frame_bytes_max + HEADROOM > chunk_bytes;
                return Err(explain(setup, is_long.then_some(chunk_bytes - HEADROOM), &error));
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

    /// Asks the driver to take receive buffers from the fill ring, where it waits to be
    /// asked: a zero-copy queue found the ring empty when it was bound, and is deaf until then.
    pub(super) fn ask_for_buffers(&self) {
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

    /// Frames that can be in flight at once.
    pub(super) fn slots(&self) -> usize {
        self.descriptors.len() / self.chunks_per_slot() as usize
    }

    pub(super) fn outstanding(&self) -> usize {
        self.slots() - self.free.len()
    }

    #[inline]
    fn chunks_per_slot(&self) -> u32 {
        self.long.as_ref().map_or(1, |long| long.chunks_per_slot)
    }

    /// A slot to write a frame into, if the kernel does not hold them all.
    #[inline]
    pub(super) fn take(&mut self) -> Option<u32> {
        self.free.pop()
    }

    /// The octets of a slot that [`Self::take`] gave.
    #[inline]
    pub(super) fn octets(&mut self, slot: u32) -> &mut [u8] {
        if let Some(long) = &mut self.long {
            return &mut long.frames[slot as usize];
        }
        let first = self.octets[slot as usize];
        // SAFETY: the octets lie in the UMEM, which lives as long as `self`; the kernel does
        // not hold the chunk, and `&mut self` excludes any other access to it.
        unsafe { std::slice::from_raw_parts_mut(first.as_ptr(), self.chunk_bytes - HEADROOM) }
    }

    /// Adds a written slot to the batch; the frame in it has `bytes` octets.
    #[inline]
    pub(super) fn queue(&mut self, slot: u32, bytes: usize) {
        if self.long.is_some() {
            self.queue_long(slot as usize, bytes);
        } else {
            self.queue_chunk(slot as usize, bytes, 0);
        }
    }

    #[inline]
    fn queue_chunk(&mut self, chunk: usize, bytes: usize, options: u32) {
        let descriptor = &mut self.descriptors[chunk];
        if descriptor.lengths().data() != bytes {
            // SAFETY: as in `octets`.
            unsafe { self.umem.data_mut(descriptor) }.cursor().set_pos(bytes);
        }
        // A store here would have to be over before the copy below could load.
        if descriptor.options() != options {
            descriptor.set_options(options);
        }
        self.batch.push(*descriptor);
    }

    /// Cuts a frame into as many chunks of its slot as it needs.
    fn queue_long(&mut self, slot: usize, bytes: usize) {
        let Some(long) = &mut self.long else { return };
        let (piece_bytes, first) =
            (self.chunk_bytes - HEADROOM, slot * long.chunks_per_slot as usize);
        let pieces = bytes.div_ceil(piece_bytes);
        long.pending[slot] = pieces as u8;
        for (piece, octets) in long.frames[slot][..bytes].chunks(piece_bytes).enumerate() {
            // SAFETY: the kernel does not hold the slot's chunks, each has `piece_bytes` octets
            // of data, and the frame is no part of the UMEM.
            unsafe {
                let chunk = self.octets[first + piece].as_ptr();
                std::ptr::copy_nonoverlapping(octets.as_ptr(), chunk, octets.len());
            }
        }
        for piece in 0..pieces {
            let is_last = piece + 1 == pieces;
            let octets = if is_last { bytes - piece * piece_bytes } else { piece_bytes };
            self.queue_chunk(first + piece, octets, if is_last { 0 } else { XDP_PKT_CONTD });
        }
    }

    /// Room for frames in the TX ring.
    #[inline]
    pub(super) fn room(&mut self, wanted: u32) -> u32 {
        let chunks = self.chunks_per_slot();
        self.tx.nb_free(wanted * chunks) / chunks
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

    /// Takes back what the kernel has sent; calls `completed` with the slot of each frame.
    /// Returns how many chunks came.
    #[inline]
    pub(super) fn reap(&mut self, mut completed: impl FnMut(u32)) -> usize {
        // SAFETY: the completion ring is this UMEM's own.
        let count = unsafe { self.completion.consume(&mut self.reaped) };
        for descriptor in &self.reaped[..count] {
            // A chunk is a power of two, and a division takes as long as all else here.
            let mut slot = (descriptor.addr() >> self.chunk_bytes.trailing_zeros()) as u32;
            if let Some(long) = &mut self.long {
                slot /= long.chunks_per_slot;
                let pending = &mut long.pending[slot as usize];
                *pending = pending.saturating_sub(1);
                if *pending > 0 {
                    continue;
                }
            }
            self.free.push(slot);
            completed(slot);
        }
        count
    }

    /// Kicks until the kernel has given every frame back, for at most a second. Returns how
    /// many it has not; calls `completed` with the slot of each that it has.
    pub(super) fn drain(&mut self, mut completed: impl FnMut(u32)) -> usize {
        let until_ns = monotonic_ns() + 1_000_000_000;
        loop {
            while self.reap(&mut completed) > 0 {}
            if self.outstanding() == 0 || monotonic_ns() > until_ns || self.kick().is_err() {
                return self.outstanding();
            }
            thread::sleep(Duration::from_micros(50));
        }
    }

    pub(super) fn fd(&self) -> &Fd {
        self.tx.fd()
    }

    fn raw_fd(&self) -> RawFd {
        self.fd().as_raw_fd()
    }
}
