//! Opening a queue: UMEM, socket, rings.

use super::{HEADROOM, LongFrames, Queue, QueueSetup, TxMode, into_io};
use crate::nic;
use std::{
    ffi::CString,
    io,
    num::NonZeroU32,
    os::fd::{AsRawFd, RawFd},
    ptr::NonNull,
};
use xsk_rs::{
    FrameDesc, Socket, Umem,
    config::{BindFlags, FrameSize, Interface, LibxdpFlags, QueueSize, SocketConfig, UmemConfig},
};

const CHUNKS: u32 = 4096;
const RING: u32 = 2048;

/// Zero-copy, else copy. A busy queue has not refused: copy mode, obtained in the moment
/// when its last holder lets go, would stay for the whole run.
pub(super) fn open_best(setup: &QueueSetup<'_>, chunk_bytes: usize) -> io::Result<Queue> {
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
    // Huge pages where the system has some to spare: fewer misses in the TLB.
    let umem =
        Umem::new(umem_config, chunks, true).or_else(|_| Umem::new(umem_config, chunks, false));
    let (umem, mut descriptors) = umem.map_err(into_io)?;
    let mode_flag = match mode {
        TxMode::ZeroCopy => BindFlags::XDP_ZEROCOPY,
        _ => BindFlags::XDP_COPY,
    };
    let piece_bytes = chunk_bytes - HEADROOM;
    let chunks_per_slot = setup.frame_bytes_max.div_ceil(piece_bytes).max(1) as u32;
    // A driver that copies nothing receives into chunks as well.
    let receives = mode == TxMode::ZeroCopy && setup.received_bytes_max() > piece_bytes;
    let several = chunks_per_slot > 1 || receives;
    let several = if several { BindFlags::XDP_USE_SG } else { BindFlags::empty() };
    let config = SocketConfig::builder()
        .tx_queue_size(ring)
        .rx_queue_size(ring)
        // The analyser is our own program; libxdp must not install its dispatcher.
        .libxdp_flags(LibxdpFlags::XSK_LIBXDP_FLAGS_INHIBIT_PROG_LOAD)
        .bind_flags(mode_flag | several | BindFlags::XDP_USE_NEED_WAKEUP)
        .build();
    let interface = Interface::new(CString::new(setup.interface)?);
    // SAFETY: the UMEM is shared with no other socket.
    let (tx, rx, rings) =
        unsafe { Socket::new(config, &umem, &interface, setup.queue) }.map_err(into_io)?;
    let (mut fill, completion) =
        rings.ok_or_else(|| io::Error::other("the queue's rings are in use"))?;
    if nic::is_zero_copy(tx.fd().as_raw_fd())? != (mode == TxMode::ZeroCopy) {
        return Err(io::Error::other("the kernel bound the socket in the other mode"));
    }
    let for_fill = descriptors.split_off((CHUNKS / 2) as usize);
    // SAFETY: these descriptors are of this UMEM and are never used for sending.
    unsafe { fill.produce(&for_fill) };
    raise_send_buffer(tx.fd().as_raw_fd());
    let octets = descriptors.iter_mut().map(|descriptor| first_octet(&umem, descriptor)).collect();
    let slots = descriptors.len() as u32 / chunks_per_slot;
    let long = (chunks_per_slot > 1).then(|| LongFrames {
        chunks_per_slot,
        frames: (0..slots).map(|_| vec![0; setup.frame_bytes_max].into()).collect(),
        pending: vec![0; slots as usize],
    });
    Ok(Queue {
        interface: setup.interface.to_owned(),
        queue: setup.queue,
        mode,
        zero_copy_refused: None,
        prepared: Default::default(),
        umem,
        tx,
        completion,
        fill,
        _rx: rx,
        batch: Vec::with_capacity(descriptors.len()),
        reaped: vec![FrameDesc::default(); 64],
        descriptors,
        octets,
        free: (0..slots).rev().collect(),
        chunk_bytes,
        long,
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
