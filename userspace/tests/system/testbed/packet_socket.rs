//! AF_PACKET with VLAN tags put back, kernel drops reported, and nothing of one's own heard.
#![allow(unsafe_code, reason = "AF_PACKET options and recvmmsg have no safe face")]

use super::Port;
use std::ffi::CString;
use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Mutex;
use std::time::Duration;

const BATCH: usize = 64;
const FRAME_BYTES: usize = 10_240;
const CONTROL_BYTES: usize = 128;
const RECEIVE_BUFFER_BYTES: i32 = 256 << 20;
const PACKET_IGNORE_OUTGOING: i32 = 23; // linux/if_packet.h
const PACKET_QDISC_BYPASS: i32 = 20;
/// Octets before the VLAN tag: the two MAC addresses.
const VLAN_OFFSET: usize = 12;

/// A raw socket bound to one interface, in promiscuous mode.
#[derive(Debug)]
pub(crate) struct PacketSocket {
    fd: OwnedFd,
    port: Port,
    buffers: Mutex<Vec<[u8; FRAME_BYTES]>>,
}

impl PacketSocket {
    /// Hears everything that arrives at `port`, nothing that leaves it.
    pub(crate) fn open(port: &Port) -> Self {
        Self::with_protocol(port, libc::ETH_P_ALL as u16)
    }

    /// Only sends, on the TX queue whose number is the sender's CPU, without a qdisc.
    pub(crate) fn open_bypassing(port: &Port) -> Self {
        let socket = Self::with_protocol(port, 0);
        set_option(socket.fd.as_raw_fd(), libc::SOL_PACKET, PACKET_QDISC_BYPASS, &1_i32)
            .unwrap_or_else(|e| panic!("PACKET_QDISC_BYPASS on {port}: {e}"));
        socket
    }

    fn with_protocol(port: &Port, protocol: u16) -> Self {
        let fd = port.inside(|| open(&port.interface, protocol));
        let fd = fd.unwrap_or_else(|e| panic!("AF_PACKET on {port}: {e}"));
        Self { fd, port: port.clone(), buffers: Mutex::new(vec![[0; FRAME_BYTES]; BATCH]) }
    }

    /// Waits up to `timeout` for frames and hands on all that are there.
    /// Returns how many there were.
    pub(crate) fn receive(&self, timeout: Duration, mut each: impl FnMut(Vec<u8>)) -> usize {
        if !self.wait(timeout) {
            return 0;
        }
        let mut total = 0;
        loop {
            let count = self.receive_batch(&mut each);
            total += count;
            if count < BATCH {
                return total;
            }
        }
    }

    /// Sends one frame; waits while the interface is full.
    pub(crate) fn send(&self, frame: &[u8]) {
        loop {
            // SAFETY: the pointer and length are those of a live slice.
            let sent =
                unsafe { libc::send(self.fd.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
            if sent == frame.len() as isize {
                return;
            }
            let error = io::Error::last_os_error();
            match error.raw_os_error() {
                Some(libc::ENOBUFS | libc::EAGAIN | libc::EINTR) => {
                    std::thread::sleep(Duration::from_micros(50));
                }
                _ => panic!("send {} octets on {}: {error}", frame.len(), self.port),
            }
        }
    }

    /// Frames that the kernel dropped because this socket was too slow, since last asked.
    pub(crate) fn kernel_drops(&self) -> u64 {
        // SAFETY: all-zero is a valid tpacket_stats.
        let mut statistics: libc::tpacket_stats = unsafe { zeroed() };
        let mut length = size_of::<libc::tpacket_stats>() as libc::socklen_t;
        // SAFETY: the buffer is as long as `length` says and outlives the call.
        let result = unsafe {
            libc::getsockopt(
                self.fd.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut statistics).cast(),
                &raw mut length,
            )
        };
        assert_eq!(result, 0, "PACKET_STATISTICS: {}", io::Error::last_os_error());
        u64::from(statistics.tp_drops)
    }

    fn wait(&self, timeout: Duration) -> bool {
        let mut poll = libc::pollfd { fd: self.fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let timeout = libc::timespec {
            tv_sec: timeout.as_secs() as libc::time_t,
            tv_nsec: libc::c_long::from(timeout.subsec_nanos() as i32),
        };
        // SAFETY: one pollfd and a timespec, both live; no signal mask.
        unsafe { libc::ppoll(&raw mut poll, 1, &raw const timeout, std::ptr::null()) > 0 }
    }

    fn receive_batch(&self, each: &mut impl FnMut(Vec<u8>)) -> usize {
        let mut frames = self.buffers.lock().expect("the buffers");
        let mut controls = vec![Control([0; CONTROL_BYTES]); BATCH];
        let mut vectors: Vec<libc::iovec> = frames
            .iter_mut()
            .map(|frame| libc::iovec { iov_base: frame.as_mut_ptr().cast(), iov_len: FRAME_BYTES })
            .collect();
        let mut headers: Vec<libc::mmsghdr> = vectors
            .iter_mut()
            .zip(&mut controls)
            .map(|(vector, control)| {
                // SAFETY: all-zero is a valid mmsghdr: no name, no data, no control.
                let mut header: libc::mmsghdr = unsafe { zeroed() };
                header.msg_hdr.msg_iov = vector;
                header.msg_hdr.msg_iovlen = 1;
                header.msg_hdr.msg_control = control.0.as_mut_ptr().cast();
                header.msg_hdr.msg_controllen = CONTROL_BYTES;
                header
            })
            .collect();
        // SAFETY: every header points at its own live buffers, which outlive the call.
        let count = unsafe {
            libc::recvmmsg(
                self.fd.as_raw_fd(),
                headers.as_mut_ptr(),
                BATCH as u32,
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
            )
        };
        let count = usize::try_from(count).unwrap_or(0);
        for (header, data) in headers[..count].iter().zip(frames.iter()) {
            assert_eq!(header.msg_hdr.msg_flags & libc::MSG_TRUNC, 0, "a frame over {FRAME_BYTES}");
            let mut frame = data[..header.msg_len as usize].to_vec();
            if let Some(tag) = vlan_tag(&header.msg_hdr) {
                frame.splice(VLAN_OFFSET..VLAN_OFFSET, tag);
            }
            each(frame);
        }
        count
    }
}

/// Control messages want the alignment of `cmsghdr`.
#[derive(Clone, Copy)]
#[repr(align(8))]
struct Control([u8; CONTROL_BYTES]);

/// The outermost VLAN tag, which the kernel took out of the frame.
fn vlan_tag(header: &libc::msghdr) -> Option<[u8; 4]> {
    // SAFETY: the kernel filled the control buffer that `header` describes.
    let control = unsafe { libc::CMSG_FIRSTHDR(header).as_ref() }?;
    if control.cmsg_level != libc::SOL_PACKET || control.cmsg_type != libc::PACKET_AUXDATA {
        return None;
    }
    // SAFETY: a PACKET_AUXDATA message carries a tpacket_auxdata; it may be unaligned.
    let auxiliary =
        unsafe { libc::CMSG_DATA(control).cast::<libc::tpacket_auxdata>().read_unaligned() };
    if auxiliary.tp_status & libc::TP_STATUS_VLAN_VALID == 0 {
        return None;
    }
    let [t0, t1] = auxiliary.tp_vlan_tpid.to_be_bytes();
    let [c0, c1] = auxiliary.tp_vlan_tci.to_be_bytes();
    Some([t0, t1, c0, c1])
}

fn open(interface: &str, protocol: u16) -> io::Result<OwnedFd> {
    let name = CString::new(interface)?;
    // SAFETY: a nul-terminated name.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    if index == 0 {
        return Err(io::Error::last_os_error());
    }
    // Protocol 0: nothing arrives before bind chooses the interface.
    // SAFETY: plain socket(2).
    let fd = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: socket(2) just gave this descriptor to nobody else.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    let raw = fd.as_raw_fd();
    set_option(raw, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &RECEIVE_BUFFER_BYTES)?;
    set_option(raw, libc::SOL_PACKET, libc::PACKET_AUXDATA, &1_i32)?;
    set_option(raw, libc::SOL_PACKET, PACKET_IGNORE_OUTGOING, &1_i32)?;
    let membership = libc::packet_mreq {
        mr_ifindex: index as i32,
        mr_type: libc::PACKET_MR_PROMISC as u16,
        mr_alen: 0,
        mr_address: [0; 8],
    };
    set_option(raw, libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &membership)?;
    // SAFETY: all-zero is a valid sockaddr_ll.
    let mut address: libc::sockaddr_ll = unsafe { zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = protocol.to_be();
    address.sll_ifindex = index as i32;
    // SAFETY: the address and its length belong together.
    let result = unsafe {
        libc::bind(raw, (&raw const address).cast(), size_of::<libc::sockaddr_ll>() as u32)
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(fd)
}

fn set_option<T>(fd: RawFd, level: i32, option: i32, value: &T) -> io::Result<()> {
    // SAFETY: the pointer and length are those of a live value.
    let result = unsafe {
        libc::setsockopt(
            fd,
            level,
            option,
            std::ptr::from_ref(value).cast(),
            size_of::<T>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
