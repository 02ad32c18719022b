use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, NetlinkBuffer,
    NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::{
    RouteNetlinkMessage,
    address::{AddressAttribute, AddressMessage},
    link::LinkMessage,
};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use std::{io, net::IpAddr};

/// An rtnetlink socket for questions, bound to the namespace it was opened in.
#[derive(Debug)]
pub(super) struct RouteSocket {
    socket: Socket,
    sequence: u32,
}

/// How often a dump that the kernel calls inconsistent is repeated.
const DUMP_ATTEMPTS: u32 = 5;

impl RouteSocket {
    pub(super) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        // The kernel answers within the call or not at all; this only guards against a hang.
        let timeout = nix::sys::time::TimeVal::new(5, 0);
        nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::ReceiveTimeout, &timeout)?;
        Ok(Self { socket, sequence: 0 })
    }

    /// One link by index; `None` if there is none.
    pub(super) fn link(&mut self, ifindex: u32) -> io::Result<Option<LinkMessage>> {
        let mut question = LinkMessage::default();
        question.header.index = ifindex;
        match self.ask(&RouteNetlinkMessage::GetLink(question), 0) {
            Ok(answers) => Ok(answers.into_iter().find_map(as_link)),
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Every link of the namespace.
    pub(super) fn links(&mut self) -> io::Result<Vec<LinkMessage>> {
        let question = RouteNetlinkMessage::GetLink(LinkMessage::default());
        Ok(self.ask(&question, NLM_F_DUMP)?.into_iter().filter_map(as_link).collect())
    }

    /// Every address of the namespace: interface, address, prefix length.
    pub(super) fn addresses(&mut self) -> io::Result<Vec<(u32, IpAddr, u8)>> {
        let question = RouteNetlinkMessage::GetAddress(AddressMessage::default());
        let answers = self.ask(&question, NLM_F_DUMP)?;
        Ok(answers.into_iter().filter_map(as_address).collect())
    }

    fn ask(
        &mut self,
        question: &RouteNetlinkMessage,
        flags: u16,
    ) -> io::Result<Vec<RouteNetlinkMessage>> {
        for _ in 0..DUMP_ATTEMPTS {
            if let Some(answers) = self.ask_once(question.clone(), flags)? {
                return Ok(answers);
            }
        }
        Err(io::Error::other("the interfaces change too fast to be listed"))
    }

    /// `None` if the kernel says that the dump was overtaken by a change.
    fn ask_once(
        &mut self,
        question: RouteNetlinkMessage,
        flags: u16,
    ) -> io::Result<Option<Vec<RouteNetlinkMessage>>> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | flags;
        header.sequence_number = self.sequence;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(question));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
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
                    NLMSG_ERROR => return Err(refusal(part)),
                    _ => {}
                }
                match NetlinkMessage::<RouteNetlinkMessage>::deserialize(part) {
                    Ok(NetlinkMessage {
                        payload: NetlinkPayload::InnerMessage(answer), ..
                    }) => {
                        if !dump {
                            return Ok(Some(vec![answer]));
                        }
                        answers.push(answer);
                    }
                    // One interface that cannot be read must not hide the others.
                    Err(_) if dump => {}
                    Ok(_) => return Err(io::Error::other("an rtnetlink answer of no known kind")),
                    Err(error) => return Err(io::Error::other(error.to_string())),
                }
            }
        }
    }
}

/// Opens a socket that hears of every change of a link (rtnetlink(7), `RTMGRP_LINK`).
pub(super) fn link_events() -> io::Result<Socket> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.add_membership(libc::RTNLGRP_LINK)?;
    socket.set_non_blocking(true)?;
    Ok(socket)
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

fn refusal(message: &[u8]) -> io::Error {
    let code = NetlinkBuffer::new(message).payload().first_chunk().map(|b| i32::from_ne_bytes(*b));
    match code {
        Some(code) if code < 0 => io::Error::from_raw_os_error(-code),
        _ => io::Error::other("an rtnetlink acknowledgement where an answer was due"),
    }
}

fn as_link(message: RouteNetlinkMessage) -> Option<LinkMessage> {
    match message {
        RouteNetlinkMessage::NewLink(link) => Some(link),
        _ => None,
    }
}

/// The interface's own address is `IFA_LOCAL`; on point-to-point links `IFA_ADDRESS` is
/// the other end's (`linux/if_addr.h`).
fn as_address(message: RouteNetlinkMessage) -> Option<(u32, IpAddr, u8)> {
    let RouteNetlinkMessage::NewAddress(message) = message else { return None };
    let mut own = None;
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(address) => own = Some(*address),
            AddressAttribute::Address(address) => own = own.or(Some(*address)),
            _ => {}
        }
    }
    Some((message.header.index, own?, message.header.prefix_len))
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
