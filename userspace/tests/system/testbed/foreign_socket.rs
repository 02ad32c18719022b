//! An AF_XDP socket of somebody else.
#![allow(unsafe_code, reason = "AF_XDP has no safe face in std")]

use super::Port;
use std::ffi::CString;
use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

const CHUNK_BYTES: usize = 4096;
const RING: u32 = 64;

#[repr(C, align(4096))]
struct Chunk([u8; CHUNK_BYTES]);

/// Has a queue of a port, in copy mode, until dropped.
pub(crate) struct ForeignSocket {
    _socket: OwnedFd,
    _umem: Box<Chunk>,
}

impl ForeignSocket {
    pub(crate) fn bind(port: &Port, queue: u32) -> Self {
        let umem = Box::new(Chunk([0; CHUNK_BYTES]));
        let socket = port.inside(|| {
            // SAFETY: plain socket(2).
            let fd = unsafe { libc::socket(libc::AF_XDP, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
            assert!(fd >= 0, "AF_XDP: {}", io::Error::last_os_error());
            // SAFETY: socket(2) just gave this descriptor to nobody else.
            let socket = unsafe { OwnedFd::from_raw_fd(fd) };
            let memory = libc::xdp_umem_reg {
                addr: (&raw const *umem) as u64,
                len: CHUNK_BYTES as u64,
                chunk_size: CHUNK_BYTES as u32,
                headroom: 0,
                flags: 0,
                tx_metadata_len: 0,
            };
            set(&socket, libc::XDP_UMEM_REG, &memory);
            for ring in [
                libc::XDP_UMEM_FILL_RING,
                libc::XDP_UMEM_COMPLETION_RING,
                libc::XDP_RX_RING,
                libc::XDP_TX_RING,
            ] {
                set(&socket, ring, &RING);
            }
            let name = CString::new(port.interface.as_str()).expect("no nul inside");
            let address = libc::sockaddr_xdp {
                sxdp_family: libc::AF_XDP as u16,
                sxdp_flags: libc::XDP_COPY,
                // SAFETY: a nul-terminated name.
                sxdp_ifindex: unsafe { libc::if_nametoindex(name.as_ptr()) },
                sxdp_queue_id: queue,
                sxdp_shared_umem_fd: 0,
            };
            let bytes = size_of::<libc::sockaddr_xdp>() as u32;
            // SAFETY: a live address of the length given.
            let bound =
                unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), bytes) };
            assert_eq!(bound, 0, "bind to queue {queue}: {}", io::Error::last_os_error());
            socket
        });
        Self { _socket: socket, _umem: umem }
    }
}

fn set<T>(socket: &OwnedFd, option: libc::c_int, value: &T) {
    // SAFETY: a live value of the length given; the memory that it may name outlives the socket.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_XDP,
            option,
            (&raw const *value).cast(),
            size_of::<T>() as u32,
        )
    };
    assert_eq!(result, 0, "option {option}: {}", io::Error::last_os_error());
}
