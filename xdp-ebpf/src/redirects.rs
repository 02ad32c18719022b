#![allow(unsafe_code, reason = "libbpf-rs does not attach by descriptor, nor query a device")]

use crate::{
    Error, abi,
    mapped::MappedArray,
    object::{Load, object, octets},
};
use libbpf_rs::libbpf_sys::{bpf_raw_tracepoint_open, bpf_xdp_query, bpf_xdp_query_opts};
use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    ptr,
};

/// Counts what becomes of the frames that a program redirects from a port to itself, as live
/// frames are; by the kernel's tracepoint, for nobody else is told. Ends when dropped.
#[derive(Debug)]
pub struct Redirects {
    _link: OwnedFd,
    _program: OwnedFd,
    counters: MappedArray<abi::redirect_counters>,
}

impl Redirects {
    /// Counts for one interface of the network namespace with this inode.
    pub fn watch(ifindex: u32, netns_inode: u32) -> Result<Self, Error> {
        let config = abi::redirect_config { ifindex, netns: netns_inode };
        let loaded = Load {
            name: "redirects",
            object: object!("redirects"),
            config: Some(octets(&config)),
            ..Load::default()
        }
        .run()?;
        let counters = loaded.map(".bss")?;
        // SAFETY: no name goes along; the program knows its tracepoint.
        let fd = unsafe { bpf_raw_tracepoint_open(ptr::null(), loaded.program.as_raw_fd()) };
        if fd < 0 {
            return Err(Error::System {
                action: "attach to the tracepoint xdp_devmap_xmit",
                source: io::Error::from_raw_os_error(-fd),
            });
        }
        // SAFETY: a new descriptor that nobody else owns.
        let link = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { _link: link, _program: loaded.program, counters })
    }

    /// Since [`watch`](Self::watch); each word is whole, together they are of about one moment.
    pub fn read(&self) -> abi::redirect_counters {
        self.counters.read(0)
    }
}

/// Whether an interface of this thread's network namespace takes redirected frames
/// (`ndo_xdp_xmit`), as its driver says: a veth does when its peer polls, which is when that has
/// an XDP program or GRO. `None`: the kernel has no word on it (before Linux 6.3), or there is
/// no XDP in the driver at all.
pub fn takes_redirects(ifindex: u32) -> Result<Option<bool>, Error> {
    /// NETDEV_XDP_ACT_NDO_XMIT (linux/netdev.h).
    const NDO_XMIT: u64 = 4;
    let mut options =
        bpf_xdp_query_opts { sz: size_of::<bpf_xdp_query_opts>() as u64, ..Default::default() };
    // SAFETY: `options` outlives the call and has the size that it says.
    let result = unsafe { bpf_xdp_query(ifindex as i32, 0, &raw mut options) };
    if result < 0 {
        return Err(Error::System {
            action: "ask for the XDP features of an interface",
            source: io::Error::from_raw_os_error(-result),
        });
    }
    let features = options.feature_flags;
    Ok((features != 0).then_some(features & NDO_XMIT != 0))
}
