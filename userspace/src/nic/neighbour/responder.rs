use super::{
    arp::{self, Arp},
    filter::neighbour_messages,
    frame::{self, Frame},
    nd::{self, Message},
};
use crate::nic::{Mac, NicError, PortInfo, packet_socket::PacketSocket, wake::Wake, wake::Worker};
use std::{
    io,
    net::IpAddr,
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Answers ARP requests (RFC 826) and neighbour solicitations (RFC 4861) on a port for
/// addresses that the tester plays and the kernel does not own, with the tags of the
/// question. A thread of its own, which ends on drop.
///
/// While an XDP program holds the port, it hears what that program passes.
#[derive(Debug)]
pub struct Responder {
    answers: Arc<AtomicU64>,
    _worker: Worker,
}

impl Responder {
    /// Starts to answer for every address for which `owned` is true, except those that
    /// the kernel owned when `port` was looked at: those it answers for itself.
    ///
    /// # Errors
    /// [`NicError::Privilege`] for `CAP_NET_RAW`, and those of [`crate::nic::Netns`].
    pub fn start(
        port: &PortInfo,
        owned: impl Fn(IpAddr) -> bool + Send + 'static,
    ) -> Result<Self, NicError> {
        let socket = port.netns()?.run(|| questions(port.ifindex))?.map_err(|error| {
            NicError::refused(format!("answer ARP and ND on {}", port.name), "CAP_NET_RAW", error)
        })?;
        let kernel: Vec<IpAddr> = port.kernel_addresses().collect();
        let mac = port.mac;
        let answers = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&answers);
        let worker = Worker::start("responder", move |wake| {
            let owned = |address| owned(address) && !kernel.contains(&address);
            respond(&wake, &socket, mac, &owned, &count);
        })
        .map_err(|error| NicError::kernel("start a thread", error))?;
        Ok(Self { answers, _worker: worker })
    }

    /// How many questions were answered.
    pub fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }
}

/// A socket that hears ARP requests and neighbour solicitations, and nothing else.
pub(super) fn questions(ifindex: u32) -> io::Result<PacketSocket> {
    PacketSocket::listening(ifindex, &neighbour_messages(arp::REQUEST, nd::SOLICITATION))
}

fn respond(
    wake: &Wake,
    socket: &PacketSocket,
    mac: Mac,
    owned: &dyn Fn(IpAddr) -> bool,
    count: &AtomicU64,
) {
    while wake.wait(&[socket.as_fd()]).is_some() {
        // An error (the port went down) is told once and ends this turn; who asked and
        // got no answer, because one could not be sent, asks again.
        while let Ok(Some(question)) = socket.receive() {
            if let Some(answer) = answer(&question, mac, owned)
                && socket.send(&answer).is_ok()
            {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// The frame that answers, if this one asks for an address of ours.
fn answer(question: &[u8], mac: Mac, owned: &dyn Fn(IpAddr) -> bool) -> Option<Vec<u8>> {
    let question = Frame::parse(question)?;
    // A device may send our own questions back.
    if question.source == mac {
        return None;
    }
    let (destination, payload) = match question.ethertype {
        frame::ARP => arp_reply(question.payload, mac, owned)?,
        frame::IPV6 => advertisement(&question, mac, owned)?,
        _ => return None,
    };
    let Frame { tags, ethertype, .. } = question;
    Some(Frame { destination, source: mac, tags, ethertype, payload: &payload }.octets())
}

fn arp_reply(payload: &[u8], mac: Mac, owned: &dyn Fn(IpAddr) -> bool) -> Option<(Mac, Vec<u8>)> {
    let request = Arp::parse(payload)?;
    // Sender equal to target is an announcement, not a question (RFC 5227, 2.3).
    let asked = request.operation == arp::REQUEST && request.sender != request.target;
    if !asked || request.sender_mac == mac || !owned(request.target.into()) {
        return None;
    }
    let reply = Arp {
        operation: arp::REPLY,
        sender_mac: mac,
        sender: request.target,
        target_mac: request.sender_mac,
        target: request.sender,
    };
    Some((request.sender_mac, reply.octets()))
}

fn advertisement(
    question: &Frame<'_>,
    mac: Mac,
    owned: &dyn Fn(IpAddr) -> bool,
) -> Option<(Mac, Vec<u8>)> {
    let solicitation = Message::parse(question.payload)?;
    if solicitation.kind != nd::SOLICITATION || !owned(solicitation.target.into()) {
        return None;
    }
    // Someone who tests the address for a duplicate has none yet: the answer goes to
    // all nodes, unsolicited (RFC 4861, 7.2.4).
    let (destination, hardware, solicited) = if solicitation.source.is_unspecified() {
        (nd::ALL_NODES, super::multicast_mac(nd::ALL_NODES.into())?, false)
    } else {
        let hardware = solicitation.link_address.unwrap_or(question.source);
        (solicitation.source, hardware, true)
    };
    let answer = Message {
        kind: nd::ADVERTISEMENT,
        source: solicitation.target,
        destination,
        target: solicitation.target,
        solicited,
        link_address: Some(mac),
    };
    Some((hardware, answer.octets()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nic::VlanTag;

    const OURS: Mac = [2, 0, 0, 0, 0, 1];
    const ASKER: Mac = [2, 0, 0, 0, 0, 9];

    fn owned(address: IpAddr) -> bool {
        address == IpAddr::from([198, 18, 0, 7]) || address.to_string() == "2001:2::7"
    }

    fn arp_request(sender: &str, target: &str, tags: Vec<VlanTag>) -> Vec<u8> {
        let request = Arp {
            operation: arp::REQUEST,
            sender_mac: ASKER,
            sender: sender.parse().unwrap(),
            target_mac: [0; 6],
            target: target.parse().unwrap(),
        };
        let payload = &request.octets();
        Frame { destination: [0xff; 6], source: ASKER, tags, ethertype: frame::ARP, payload }
            .octets()
    }

    fn solicitation(source: &str, target: &str) -> Vec<u8> {
        let (source, target) =
            (source.parse().unwrap(), target.parse::<std::net::Ipv6Addr>().unwrap());
        let message = Message {
            kind: nd::SOLICITATION,
            source,
            destination: nd::solicited_node(target),
            target,
            solicited: false,
            link_address: None,
        };
        let (destination, tags) = ([0x33, 0x33, 0xff, 0, 0, 7], Vec::new());
        let payload = &message.octets();
        Frame { destination, source: ASKER, tags, ethertype: frame::IPV6, payload }.octets()
    }

    #[test]
    fn the_answer_carries_the_tags_of_the_question() {
        let tags = vec![VlanTag { tpid: 0x88a8, tci: 5 }, VlanTag { tpid: 0x8100, tci: 0x6007 }];
        let question = arp_request("198.18.0.1", "198.18.0.7", tags.clone());
        let answer = answer(&question, OURS, &owned).unwrap();
        let frame = Frame::parse(&answer).unwrap();
        assert_eq!((frame.destination, frame.source, &frame.tags), (ASKER, OURS, &tags));
        let reply = Arp::parse(frame.payload).unwrap();
        assert_eq!((reply.operation, reply.sender_mac, reply.target_mac), (2, OURS, ASKER));
        assert_eq!(reply.sender.to_string(), "198.18.0.7");
    }

    #[test]
    fn nobody_elses_address_is_ever_answered_for() {
        for frame in [
            arp_request("198.18.0.1", "198.18.0.8", vec![]),
            arp_request("198.18.0.7", "198.18.0.7", vec![]), // an announcement
            solicitation("2001:2::1", "2001:2::8"),
        ] {
            assert_eq!(answer(&frame, OURS, &owned), None);
        }
        let own = arp_request("198.18.0.1", "198.18.0.7", vec![]);
        assert_eq!(answer(&own, ASKER, &owned), None, "our own question came back");
    }

    #[test]
    fn duplicate_address_detection_is_answered_to_all_nodes() {
        let answer = answer(&solicitation("::", "2001:2::7"), OURS, &owned).unwrap();
        let frame = Frame::parse(&answer).unwrap();
        assert_eq!(frame.destination, [0x33, 0x33, 0, 0, 0, 1]);
        let message = Message::parse(frame.payload).unwrap();
        assert_eq!((message.destination, message.solicited), (nd::ALL_NODES, false));
        assert_eq!(message.link_address, Some(OURS));
    }
}
