//! The management query of RFC 2544 section 11.2: an SNMP request to the device once a second,
//! with the objects of appendix C.2.6.4, and whether it is answered.

use crate::{
    nic::{NicError, PortInfo, Tap},
    packet::{Filter, Seen},
    spec::{Layer, UdpChecksum, Values},
};

const SNMP: u16 = 161;
/// From a port of its own, so that answers are told from test frames sent back.
const SOURCE_PORT: u16 = 0xc021;

/// sysUpTime, and octets and unicast packets in and out of interface 1 (RFC 1213).
const OBJECTS: [&[u8]; 5] = [
    &[1, 3, 6, 1, 2, 1, 1, 3, 0],
    &[1, 3, 6, 1, 2, 1, 2, 2, 1, 10, 1],
    &[1, 3, 6, 1, 2, 1, 2, 2, 1, 16, 1],
    &[1, 3, 6, 1, 2, 1, 2, 2, 1, 11, 1],
    &[1, 3, 6, 1, 2, 1, 2, 2, 1, 17, 1],
];

/// BER tags (RFC 1157 section 4).
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const NULL: u8 = 0x05;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const GET_REQUEST: u8 = 0xa0;

/// Layers above IP.
pub(super) fn layers(ipv6: bool) -> [Layer; 2] {
    let checksum = if ipv6 { UdpChecksum::Auto } else { UdpChecksum::Fixed(0) };
    let port = |port: u16| Values::One(port.into());
    [
        Layer::Udp { src: port(SOURCE_PORT), dst: port(SNMP), checksum },
        Layer::Raw { bytes: request() },
    ]
}

/// An SNMP version 1 GetRequest of the community `public`.
fn request() -> Vec<u8> {
    let binding = |object: &&[u8]| {
        // The first two arcs share an octet (ITU-T X.690, 8.19.4).
        let object = [&[40 * object[0] + object[1]], &object[2..]].concat();
        field(SEQUENCE, &[field(OBJECT, &object), field(NULL, &[])].concat())
    };
    let bindings: Vec<u8> = OBJECTS.iter().flat_map(binding).collect();
    let number = |value: u8| field(INTEGER, &[value]);
    let request = [number(1), number(0), number(0), field(SEQUENCE, &bindings)].concat();
    let message = [number(0), field(OCTETS, b"public"), field(GET_REQUEST, &request)].concat();
    field(SEQUENCE, &message)
}

/// Tag, length, content; nothing here is longer than 255 octets.
fn field(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len() as u8;
    let length = if length < 0x80 { vec![length] } else { vec![0x81, length] };
    [&[tag], &length[..], content].concat()
}

/// Hears the answers that come to the ports that ask.
#[derive(Debug)]
pub(super) struct Answers {
    taps: Vec<Tap>,
    filter: Filter,
    asked: u64,
    answered: u64,
}

impl Answers {
    pub(super) fn listen<'a>(ports: impl Iterator<Item = &'a PortInfo>) -> Result<Self, NicError> {
        let taps = ports.map(Tap::open).collect::<Result<_, _>>()?;
        // What answers comes from the port that was asked.
        let and = |one, other| Filter::And(Box::new(one), Box::new(other));
        let ports = and(Filter::Port(SNMP), Filter::Port(SOURCE_PORT));
        let filter = and(Filter::Inbound, ports);
        Ok(Self { taps, filter, asked: 0, answered: 0 })
    }

    /// After a trial that asked so often.
    pub(super) fn count(&mut self, asked: u64) {
        self.asked += asked;
        for tap in &mut self.taps {
            while let Ok(Some(heard)) = tap.receive() {
                let seen = Seen { frame: &heard.frame, tagged: false, outgoing: heard.outgoing };
                self.answered += u64::from(self.filter.holds(&seen));
            }
        }
    }

    /// What became of all queries so far, as a sentence.
    pub(super) fn note(&self) -> String {
        format!("the device answered {} of {} SNMP queries", self.answered, self.asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_the_request_add_up() {
        let request = request();
        assert_eq!(request[..2], [SEQUENCE, (request.len() - 2) as u8]);
        assert_eq!(request[2..5], [INTEGER, 1, 0], "version 1");
        assert_eq!(request[5..13], [OCTETS, 6, b'p', b'u', b'b', b'l', b'i', b'c']);
        assert_eq!(request[13..15], [GET_REQUEST, (request.len() - 15) as u8]);
        assert_eq!(field(OCTETS, &[0; 200])[..3], [OCTETS, 0x81, 200]);
    }
}
