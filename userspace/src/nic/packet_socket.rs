#![allow(unsafe_code, reason = "packet(7) options, filters and auxiliary data have no safe face")]
//! AF_PACKET sockets: one that only holds a membership, one that talks.

use super::neighbour::VlanTag;
use std::{
    io, mem,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
    ptr,
};

/// Octets of the largest frame that is read; neighbour messages are far smaller.
const FRAME_BYTES: usize = 2048;

/// A raw packet socket in the namespace it was opened in.
#[derive(Debug)]
pub(super) struct PacketSocket {
    socket: OwnedFd,
    ifindex: u32,
}

impl PacketSocket {
    /// A socket with protocol 0: no frame is ever delivered to it.
    pub(super) fn deaf(ifindex: u32) -> io::Result<Self> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: takes no pointers; the result is checked.
        let fd = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: `fd` was just made and belongs to nobody else.
        Ok(Self { socket: unsafe { OwnedFd::from_raw_fd(fd) }, ifindex })
    }

    /// A socket that hears what `filter` lets through, tagged or not, and not what this
    /// host sends. The filter is in place before the first frame can come.
    pub(super) fn listening(ifindex: u32, filter: &[libc::sock_filter]) -> io::Result<Self> {
        let this = Self::deaf(ifindex)?;
        let program = libc::sock_fprog {
            len: filter.len() as u16,
            filter: filter.as_ptr().cast_mut(), // the kernel only reads it
        };
        this.set(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)?;
        this.set(libc::SOL_PACKET, libc::PACKET_AUXDATA, &1_i32)?;
        this.set(libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &1_i32)?;
        this.bind_all()?;
        Ok(this)
    }

    /// Begins to hear frames of every type.
    pub(super) fn bind_all(&self) -> io::Result<()> {
        // SAFETY: sockaddr_ll is plain data for which all-zero is a valid value.
        let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        // By EtherType the kernel delivers after it removed a tag; "all" comes before.
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        address.sll_ifindex = self.ifindex as i32;
        // SAFETY: `address` lives through the call and its true size is given.
        let result = unsafe {
            libc::bind(
                self.socket.as_raw_fd(),
                (&raw const address).cast(),
                mem::size_of_val(&address) as u32,
            )
        };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Joins `kind` (`PACKET_MR_PROMISC`, `PACKET_MR_ALLMULTI`) until the socket is closed.
    pub(super) fn join(&self, kind: i32) -> io::Result<()> {
        let membership = libc::packet_mreq {
            mr_ifindex: self.ifindex as i32,
            mr_type: kind as u16,
            mr_alen: 0,
            mr_address: [0; 8],
        };
        self.set(libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &membership)
    }

    /// Sends one frame, tags inline.
    pub(super) fn send(&self, frame: &[u8]) -> io::Result<()> {
        // SAFETY: sockaddr_ll is plain data for which all-zero is a valid value.
        let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_ifindex = self.ifindex as i32;
        // SAFETY: frame and address live through the call and their true sizes are given.
        let sent = unsafe {
            libc::sendto(
                self.socket.as_raw_fd(),
                frame.as_ptr().cast(),
                frame.len(),
                0,
                (&raw const address).cast(),
                mem::size_of_val(&address) as u32,
            )
        };
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// The next frame that waits, with a tag that the kernel took off put back in its
    /// place; `None` if none waits.
    pub(super) fn receive(&self) -> io::Result<Option<Vec<u8>>> {
        let mut frame = vec![0_u8; FRAME_BYTES];
        let mut control = [0_u64; 16]; // aligned for cmsghdr
        let mut part = libc::iovec { iov_base: frame.as_mut_ptr().cast(), iov_len: frame.len() };
        // SAFETY: msghdr is plain data for which all-zero is a valid value.
        let mut message: libc::msghdr = unsafe { mem::zeroed() };
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = mem::size_of_val(&control) as _;
        // SAFETY: `message` points at buffers that live through the call, with their
        // true sizes.
        let received = unsafe { libc::recvmsg(self.socket.as_raw_fd(), &raw mut message, 0) };
        if received < 0 {
            let error = io::Error::last_os_error();
            return match error.kind() {
                io::ErrorKind::WouldBlock => Ok(None),
                _ => Err(error),
            };
        }
        frame.truncate(received as usize);
        if let Some(tag) = removed_tag(&message)
            && frame.len() >= 12
        {
            frame.splice(12..12, tag.octets());
        }
        Ok(Some(frame))
    }

    pub(super) fn set<T>(&self, level: i32, option: i32, value: &T) -> io::Result<()> {
        // SAFETY: `value` lives through the call and its true size is given; a pointer
        // inside it (sock_fprog) is alive in the caller.
        let result = unsafe {
            libc::setsockopt(
                self.socket.as_raw_fd(),
                level,
                option,
                ptr::from_ref(value).cast(),
                mem::size_of::<T>() as u32,
            )
        };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The outermost tag, which the kernel moved from the frame to `PACKET_AUXDATA`.
fn removed_tag(message: &libc::msghdr) -> Option<VlanTag> {
    // SAFETY: `message` was filled by recvmsg and its control buffer is still alive in
    // the caller; the CMSG macros stay within msg_controllen.
    let header = unsafe { libc::CMSG_FIRSTHDR(message).as_ref() }?;
    let room = header.cmsg_len as usize >= mem::size_of::<libc::tpacket_auxdata>();
    if (header.cmsg_level, header.cmsg_type) != (libc::SOL_PACKET, libc::PACKET_AUXDATA) || !room {
        return None;
    }
    // SAFETY: the kernel put a tpacket_auxdata there, as level, type and length say.
    let data: libc::tpacket_auxdata =
        unsafe { ptr::read_unaligned(libc::CMSG_DATA(ptr::from_ref(header)).cast()) };
    let has = |flag| data.tp_status & flag != 0;
    has(libc::TP_STATUS_VLAN_VALID).then(|| VlanTag {
        tpid: if has(libc::TP_STATUS_VLAN_TPID_VALID) { data.tp_vlan_tpid } else { 0x8100 },
        tci: data.tp_vlan_tci,
    })
}
