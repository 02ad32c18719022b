use super::exchange::Exchange;
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NetlinkMessage, NetlinkPayload, NetlinkSerializable,
};
use netlink_packet_route::{
    RouteNetlinkMessage,
    address::{AddressAttribute, AddressMessage},
    link::{LinkFlags, LinkMessage},
    nsid::{NsidAttribute, NsidMessage},
    route::{RouteAttribute, RouteMessage, RouteType},
};
use netlink_sys::{Socket, protocols::NETLINK_ROUTE};
use std::{
    io,
    net::IpAddr,
    os::fd::{AsRawFd, BorrowedFd},
};

/// An rtnetlink socket for questions, bound to the namespace it was opened in.
#[derive(Debug)]
pub(super) struct RouteSocket(Exchange);

impl RouteSocket {
    pub(super) fn open() -> io::Result<Self> {
        Exchange::open(NETLINK_ROUTE).map(Self)
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

    /// The number by which this namespace calls another; `None` if it knows it not.
    pub(super) fn nsid(&mut self, netns: BorrowedFd<'_>) -> io::Result<Option<i32>> {
        let mut question = NsidMessage::default();
        question.attributes.push(NsidAttribute::Fd(netns.as_raw_fd() as u32));
        let answers = self.ask(&RouteNetlinkMessage::GetNsId(question), 0)?;
        let id = answers.into_iter().find_map(|answer| match answer {
            RouteNetlinkMessage::NewNsId(message) => {
                message.attributes.into_iter().find_map(|attribute| match attribute {
                    NsidAttribute::Id(id) => Some(id),
                    _ => None,
                })
            }
            _ => None,
        });
        Ok(id.filter(|&id| id >= 0))
    }

    /// The interfaces that a route for every destination leads to.
    pub(super) fn default_routes(&mut self) -> io::Result<Vec<u32>> {
        let question = RouteNetlinkMessage::GetRoute(RouteMessage::default());
        let answers = self.ask(&question, NLM_F_DUMP)?;
        let interface = |answer| {
            let RouteNetlinkMessage::NewRoute(route) = answer else { return None };
            let default = route.header.destination_prefix_length == 0
                && route.header.kind == RouteType::Unicast;
            let out = |attribute: RouteAttribute| match attribute {
                RouteAttribute::Oif(ifindex) => Some(ifindex),
                _ => None,
            };
            route.attributes.into_iter().filter(|_| default).find_map(out)
        };
        Ok(answers.into_iter().filter_map(interface).collect())
    }

    /// Sets an interface up or down (`IFF_UP`, netdevice(7)).
    pub(super) fn set_up(&mut self, ifindex: u32, up: bool) -> io::Result<()> {
        let mut wish = LinkMessage::default();
        wish.header.index = ifindex;
        wish.header.change_mask = LinkFlags::Up;
        wish.header.flags = if up { LinkFlags::Up } else { LinkFlags::empty() };
        self.ask(&RouteNetlinkMessage::SetLink(wish), NLM_F_ACK).map(drop)
    }

    fn ask(
        &mut self,
        question: &RouteNetlinkMessage,
        flags: u16,
    ) -> io::Result<Vec<RouteNetlinkMessage>> {
        let mut body = vec![0; question.buffer_len()];
        question.serialize(&mut body);
        let mut answers = Vec::new();
        for answer in self.0.ask(question.message_type(), flags, &body)? {
            match NetlinkMessage::<RouteNetlinkMessage>::deserialize(&answer) {
                Ok(NetlinkMessage { payload: NetlinkPayload::InnerMessage(answer), .. }) => {
                    answers.push(answer);
                }
                // One interface that cannot be read must not hide the others.
                Err(_) if flags & NLM_F_DUMP != 0 => {}
                Ok(_) => return Err(io::Error::other("an rtnetlink answer of no known kind")),
                Err(error) => return Err(io::Error::other(error.to_string())),
            }
        }
        Ok(answers)
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
