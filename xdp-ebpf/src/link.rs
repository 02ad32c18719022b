//! The attachment of a program to an interface.
#![allow(unsafe_code, reason = "libbpf-rs attaches XDP programs without a choice of mode")]

use crate::{Error, XdpMode};
use libbpf_rs::libbpf_sys::{
    BPF_XDP, XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE, bpf_link_create, bpf_link_create_opts,
};
use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

/// A BPF link: the attachment lasts as long as this descriptor, and so ends with the
/// process however that ends.
#[derive(Debug)]
pub(crate) struct Link {
    _fd: OwnedFd,
}

impl Link {
    /// Attaches in this mode or not at all. The interface is looked for in the network
    /// namespace of the calling thread.
    pub(crate) fn attach(
        program: BorrowedFd<'_>,
        ifindex: u32,
        mode: XdpMode,
    ) -> Result<Self, Error> {
        let options = bpf_link_create_opts {
            sz: size_of::<bpf_link_create_opts>() as u64,
            flags: match mode {
                XdpMode::Native => XDP_FLAGS_DRV_MODE,
                XdpMode::Generic => XDP_FLAGS_SKB_MODE,
            },
            ..Default::default()
        };
        // SAFETY: `options` outlives the call, which only reads it.
        let fd = unsafe {
            bpf_link_create(program.as_raw_fd(), ifindex as i32, BPF_XDP, &raw const options)
        };
        if fd < 0 {
            return Err(refusal(-fd, ifindex, mode));
        }
        // SAFETY: a new descriptor that nobody else owns.
        Ok(Self { _fd: unsafe { OwnedFd::from_raw_fd(fd) } })
    }
}

/// A program for one mode, and where it is attached. Dropping it detaches it first.
#[derive(Debug)]
pub(crate) struct Attachable {
    // Fields drop in this order.
    link: Option<Link>,
    program: OwnedFd,
    pub(crate) mode: XdpMode,
}

impl Attachable {
    /// Attached nowhere yet.
    pub(crate) fn new(program: OwnedFd, mode: XdpMode) -> Self {
        Self { link: None, program, mode }
    }

    /// Attaches to an interface of this thread's network namespace, and to no other.
    pub(crate) fn attach(&mut self, ifindex: u32) -> Result<(), Error> {
        self.detach();
        self.link = Some(Link::attach(self.program.as_fd(), ifindex, self.mode)?);
        Ok(())
    }

    /// Lets go of the interface.
    pub(crate) fn detach(&mut self) {
        self.link = None;
    }

    /// The program.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.program.as_fd()
    }
}

fn refusal(errno: i32, ifindex: u32, mode: XdpMode) -> Error {
    match errno {
        // EEXIST: one is attached in the other mode.
        libc::EBUSY | libc::EEXIST => Error::Busy { ifindex },
        libc::ENODEV => Error::Gone { ifindex },
        libc::EINVAL if !exists(ifindex) => Error::Gone { ifindex },
        libc::EPERM | libc::EACCES => Error::permission("attach XDP programs"),
        _ => Error::Unsupported { ifindex, mode, source: io::Error::from_raw_os_error(errno) },
    }
}

fn exists(ifindex: u32) -> bool {
    let mut name = [0; libc::IF_NAMESIZE];
    // SAFETY: the buffer is as long as any name.
    !unsafe { libc::if_indextoname(ifindex, name.as_mut_ptr()) }.is_null()
}
