//! What the kernel says of an AF_XDP socket.
#![allow(unsafe_code, reason = "no safe wrapper asks for XDP_OPTIONS")]

use std::{io, mem, os::fd::RawFd};

/// Whether the NIC itself reads and writes the memory of this bound AF_XDP socket
/// (`XDP_OPTIONS`, linux/if_xdp.h): what was obtained, whatever was asked for.
pub fn is_zero_copy(socket: RawFd) -> io::Result<bool> {
    let mut options = libc::xdp_options { flags: 0 };
    let mut length = mem::size_of_val(&options) as libc::socklen_t;
    // SAFETY: the buffer is as long as `length` says and outlives the call.
    let result = unsafe {
        libc::getsockopt(
            socket,
            libc::SOL_XDP,
            libc::XDP_OPTIONS,
            (&raw mut options).cast(),
            &raw mut length,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(options.flags & libc::XDP_OPTIONS_ZEROCOPY != 0)
}
