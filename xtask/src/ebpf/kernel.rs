//! The few calls of bpf(2) that aya does not offer: read any map by index, find a
//! link's interface, fetch a program's BTF. Numbers and layouts are those of
//! linux/bpf.h.
#![allow(unsafe_code, reason = "bpf(2) takes pointers")]

use std::{
    fs::File,
    io,
    os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd},
};

use anyhow::{Context as _, Result};

const MAP_LOOKUP_ELEM: libc::c_int = 1;
const OBJ_GET_INFO_BY_FD: libc::c_int = 15;
const BTF_GET_FD_BY_ID: libc::c_int = 19;
const LINK_GET_FD_BY_ID: libc::c_int = 30;

/// The part of `union bpf_attr` that lookups use.
#[repr(C)]
struct Element {
    map: u32,
    pad: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// The part of `union bpf_attr` that information requests use.
#[repr(C)]
struct Info {
    fd: u32,
    length: u32,
    info: u64,
}

/// The part of `union bpf_attr` that turns ids into descriptors.
#[repr(C)]
#[derive(Default)]
struct Id {
    id: u32,
    next: u32,
    flags: u32,
}

/// `struct bpf_btf_info`, without the name.
#[repr(C)]
struct BtfInfo {
    data: u64,
    size: u32,
    id: u32,
}

/// `struct bpf_link_info` of an XDP link.
#[repr(C)]
#[derive(Default)]
struct XdpLinkInfo {
    kind: u32,
    id: u32,
    program: u32,
    pad: u32,
    ifindex: u32,
    rest: [u32; 11],
}

fn bpf<T>(command: libc::c_int, attributes: &mut T) -> io::Result<libc::c_long> {
    // SAFETY: the attributes outlive the call, and each caller passes the layout that
    // its command reads or writes, with pointers to buffers of the lengths stated.
    let result = unsafe {
        libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attributes), size_of::<T>())
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn by_id(command: libc::c_int, id: u32) -> io::Result<OwnedFd> {
    let fd = bpf(command, &mut Id { id, ..Id::default() })?;
    // SAFETY: a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

fn info<T>(fd: &OwnedFd, info: &mut T) -> io::Result<()> {
    let length = size_of::<T>() as u32;
    let info = std::ptr::from_mut(info) as u64;
    bpf(OBJ_GET_INFO_BY_FD, &mut Info { fd: fd.as_raw_fd() as u32, length, info })?;
    Ok(())
}

/// The type information of a loaded program, by BTF id.
pub fn btf(id: u32) -> Result<Vec<u8>> {
    let fd = by_id(BTF_GET_FD_BY_ID, id).with_context(|| format!("no BTF {id}"))?;
    let mut size = BtfInfo { data: 0, size: 0, id: 0 };
    info(&fd, &mut size)?;
    let mut octets = vec![0_u8; size.size as usize];
    let mut filled = BtfInfo { data: octets.as_mut_ptr() as u64, size: size.size, id: 0 };
    info(&fd, &mut filled)?;
    Ok(octets)
}

/// The interface of an XDP link; 0 when it is gone.
pub fn link_ifindex(id: u32) -> Result<u32> {
    let fd = by_id(LINK_GET_FD_BY_ID, id).with_context(|| format!("no link {id}"))?;
    let mut link = XdpLinkInfo::default();
    info(&fd, &mut link)?;
    Ok(link.ifindex)
}

/// One element of an array map.
pub fn lookup(map: BorrowedFd<'_>, index: u32, value_size: u32) -> Result<Vec<u8>> {
    let mut value = vec![0_u8; value_size as usize];
    let mut element = Element {
        map: map.as_raw_fd() as u32,
        pad: 0,
        key: std::ptr::from_ref(&index) as u64,
        value: value.as_mut_ptr() as u64,
        flags: 0,
    };
    bpf(MAP_LOOKUP_ELEM, &mut element).with_context(|| format!("no element {index}"))?;
    Ok(value)
}

/// Runs on a thread of its own that has entered the namespace; None: right here.
pub fn in_netns<T: Send>(
    netns: Option<&str>,
    work: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    let Some(name) = netns else { return work() };
    let file = File::open(format!("/run/netns/{name}"))
        .with_context(|| format!("no network namespace {name}; `ip netns list` shows them"))?;
    let enter = || {
        use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
        use std::os::fd::AsFd as _;
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
            .with_context(|| format!("cannot enter network namespace {name}"))?;
        work()
    };
    std::thread::scope(|scope| match scope.spawn(enter).join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}
