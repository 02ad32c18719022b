#![allow(unsafe_code, reason = "packet(7) messages and statistics have no safe face")]
//! A packet socket that hears everything the kernel receives and sends at a port.

use super::{NicError, PortInfo, neighbour::VlanTag, packet_socket::PacketSocket};
use std::{
    io, mem,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
};

/// A segment may be longer than any frame: GRO joins what came, TSO cuts what goes.
const SEGMENT_BYTES: usize = (1 << 16) + 64;
const BUFFER_BYTES: i32 = 64 << 20;
/// Octets before a VLAN tag: the two MAC addresses.
const VLAN_OFFSET: usize = 12;

/// Hears what passes a port on its way to or from the kernel.
#[derive(Debug)]
pub struct Tap {
    socket: PacketSocket,
    buffer: Vec<u8>,
    dropped: u64,
}

/// A frame that was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// CLOCK_REALTIME ns, by the kernel.
    pub time_ns: u64,
    /// It was sent here, not received.
    pub outgoing: bool,
    /// The frame without FCS, its VLAN tag put back.
    pub frame: Vec<u8>,
}

impl Tap {
    /// Begins to hear.
    ///
    /// # Errors
    /// [`NicError::Privilege`] for `CAP_NET_RAW`.
    pub fn open(port: &PortInfo) -> Result<Self, NicError> {
        let refused = |error| {
            NicError::refused(format!("hear the frames of {}", port.name), "CAP_NET_RAW", error)
        };
        let socket = port.netns()?.run(|| {
            let socket = PacketSocket::deaf(port.ifindex)?;
            socket.set(libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &BUFFER_BYTES)?;
            socket.set(libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &1_i32)?;
            socket.set(libc::SOL_PACKET, libc::PACKET_AUXDATA, &1_i32)?;
            socket.bind_all()?;
            Ok(socket)
        })?;
        let socket = socket.map_err(refused)?;
        Ok(Self { socket, buffer: vec![0; SEGMENT_BYTES], dropped: 0 })
    }

    /// The next frame, if one has come.
    pub fn receive(&mut self) -> io::Result<Option<Heard>> {
        let mut control = [0_u64; 32]; // aligned for cmsghdr
        let mut part =
            libc::iovec { iov_base: self.buffer.as_mut_ptr().cast(), iov_len: self.buffer.len() };
        // SAFETY: all-zero is a valid sockaddr_ll and msghdr.
        let (mut from, mut message): (libc::sockaddr_ll, libc::msghdr) =
            unsafe { (mem::zeroed(), mem::zeroed()) };
        message.msg_name = (&raw mut from).cast();
        message.msg_namelen = mem::size_of_val(&from) as u32;
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = mem::size_of_val(&control) as _;
        // SAFETY: `message` points at buffers that live through the call.
        let received = unsafe {
            libc::recvmsg(self.socket.as_fd().as_raw_fd(), &raw mut message, libc::MSG_DONTWAIT)
        };
        if received < 0 {
            let error = io::Error::last_os_error();
            return match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(None),
                _ => Err(error),
            };
        }
        let mut frame = self.buffer[..received as usize].to_vec();
        let (time_ns, tag) = said(&message);
        if let Some(tag) = tag.filter(|_| frame.len() >= VLAN_OFFSET) {
            frame.splice(VLAN_OFFSET..VLAN_OFFSET, tag.octets());
        }
        let outgoing = from.sll_pkttype == libc::PACKET_OUTGOING;
        Ok(Some(Heard { time_ns, outgoing, frame }))
    }

    /// Frames that the kernel dropped since the start, because nobody read them in time.
    pub fn dropped(&mut self) -> u64 {
        // SAFETY: all-zero is a valid tpacket_stats.
        let mut counted: libc::tpacket_stats = unsafe { mem::zeroed() };
        let mut length = mem::size_of_val(&counted) as u32;
        // SAFETY: the buffer is as long as `length` says and outlives the call.
        let result = unsafe {
            libc::getsockopt(
                self.socket.as_fd().as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut counted).cast(),
                &raw mut length,
            )
        };
        // Reading sets it back to zero.
        if result == 0 {
            self.dropped += u64::from(counted.tp_drops);
        }
        self.dropped
    }
}

impl AsFd for Tap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The time and the VLAN tag that came with a frame.
fn said(message: &libc::msghdr) -> (u64, Option<VlanTag>) {
    let (mut time_ns, mut tag) = (0, None);
    // SAFETY: `message` was filled by recvmsg, and its control buffer is alive.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(message) };
    // SAFETY: the CMSG macros stay within msg_controllen and end with null.
    while let Some(header) = unsafe { next.as_ref() } {
        // SAFETY: the data of a message follows its header.
        let data = unsafe { libc::CMSG_DATA(header) };
        match (header.cmsg_level, header.cmsg_type) {
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                // SAFETY: such a message carries a timespec; it may be unaligned.
                let time: libc::timespec =
                    unsafe { data.cast::<libc::timespec>().read_unaligned() };
                time_ns = time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64;
            }
            (libc::SOL_PACKET, libc::PACKET_AUXDATA) => {
                // SAFETY: such a message carries a tpacket_auxdata; it may be unaligned.
                let said = unsafe { data.cast::<libc::tpacket_auxdata>().read_unaligned() };
                let has = |flag| said.tp_status & flag != 0;
                let tpid =
                    if has(libc::TP_STATUS_VLAN_TPID_VALID) { said.tp_vlan_tpid } else { 0x8100 };
                tag = has(libc::TP_STATUS_VLAN_VALID)
                    .then_some(VlanTag { tpid, tci: said.tp_vlan_tci });
            }
            _ => {}
        }
        // SAFETY: as above.
        next = unsafe { libc::CMSG_NXTHDR(message, header) };
    }
    (time_ns, tag)
}
