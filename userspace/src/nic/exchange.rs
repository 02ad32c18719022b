//! Questions and answers over any netlink protocol (netlink(7)).

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, NetlinkBuffer,
};
use netlink_sys::{Socket, SocketAddr};
use std::io;

/// Octets of struct nlmsghdr.
pub(super) const HEADER_BYTES: usize = 16;
/// How often a dump that the kernel calls inconsistent is repeated.
const DUMP_ATTEMPTS: u32 = 5;

/// A socket for questions, bound to the namespace it was opened in.
#[derive(Debug)]
pub(super) struct Exchange {
    socket: Socket,
    sequence: u32,
}

impl Exchange {
    /// A socket of one protocol, such as `NETLINK_ROUTE`.
    pub(super) fn open(protocol: isize) -> io::Result<Self> {
        let mut socket = Socket::new(protocol)?;
        socket.bind_auto()?;
        // The kernel answers within the call or not at all; this only guards against a hang.
        let timeout = nix::sys::time::TimeVal::new(5, 0);
        nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::ReceiveTimeout, &timeout)?;
        Ok(Self { socket, sequence: 0 })
    }

    /// The answers to a question, each with its header. `flags`: 0 for one answer,
    /// `NLM_F_DUMP` for all, `NLM_F_ACK` for what is only acknowledged: then there is none.
    pub(super) fn ask(&mut self, kind: u16, flags: u16, body: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        for _ in 0..DUMP_ATTEMPTS {
            if let Some(answers) = self.ask_once(kind, flags, body)? {
                return Ok(answers);
            }
        }
        Err(io::Error::other("the interfaces change too fast to be listed"))
    }

    /// `None` if the kernel says that the dump was overtaken by a change.
    fn ask_once(&mut self, kind: u16, flags: u16, body: &[u8]) -> io::Result<Option<Vec<Vec<u8>>>> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len());
        bytes.extend(((HEADER_BYTES + body.len()) as u32).to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend((NLM_F_REQUEST | flags).to_ne_bytes());
        bytes.extend(self.sequence.to_ne_bytes());
        bytes.extend(0_u32.to_ne_bytes());
        bytes.extend(body);
        self.socket.send_to(&bytes, &SocketAddr::new(0, 0), 0)?;

        let dump = flags & NLM_F_DUMP != 0;
        let (mut answers, mut consistent) = (Vec::new(), true);
        loop {
            let (datagram, _) = self.socket.recv_from_full()?;
            for part in messages(&datagram) {
                let header = NetlinkBuffer::new(part);
                if header.sequence_number() != self.sequence {
                    continue;
                }
                consistent &= header.flags() & NLM_F_DUMP_INTR == 0;
                match header.message_type() {
                    NLMSG_DONE => return Ok(consistent.then_some(answers)),
                    NLMSG_ERROR => return refusal(part).map_or(Ok(Some(answers)), Err),
                    _ => answers.push(part.to_vec()),
                }
                if !dump {
                    return Ok(Some(answers));
                }
            }
        }
    }
}

/// The messages of one datagram (struct nlmsghdr, aligned to 4).
pub(super) fn messages(datagram: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let length = NetlinkBuffer::new_checked(rest).ok()?.length() as usize;
        let message = &rest[..length];
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(message)
    })
}

/// What an NLMSG_ERROR refuses; `None`: it is an acknowledgement (netlink(7)).
fn refusal(message: &[u8]) -> Option<io::Error> {
    let code = NetlinkBuffer::new(message).payload().first_chunk().map(|b| i32::from_ne_bytes(*b));
    match code {
        Some(0) => None,
        Some(code) if code < 0 => Some(io::Error::from_raw_os_error(-code)),
        _ => Some(io::Error::other("a netlink error that names none")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_is_cut_at_each_aligned_length_and_rubbish_ends_it() {
        let mut datagram = Vec::new();
        for length in [18_u32, 16] {
            let start = datagram.len();
            datagram.extend_from_slice(&length.to_ne_bytes());
            datagram.resize(start + (length as usize).next_multiple_of(4), 0);
        }
        datagram.extend_from_slice(&[255, 255, 0, 0]);
        let lengths: Vec<usize> = messages(&datagram).map(<[u8]>::len).collect();
        assert_eq!(lengths, [18, 16]);
    }
}
