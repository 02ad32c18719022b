//! Reads frames with etherparse, which knows nothing of how they were made.

use etherparse::{LinkExtSlice, LinkSlice, NetSlice, SlicedPacket, TransportSlice};
use std::collections::BTreeMap;

/// The fields of a frame by name, and what follows its last header.
pub(super) struct Verdict {
    pub(super) fields: BTreeMap<String, u128>,
    pub(super) payload: Vec<u8>,
}

fn number(octets: &[u8]) -> u128 {
    octets.iter().fold(0, |number, &octet| number << 8 | u128::from(octet))
}

/// RFC 1071, word by word, carry by carry.
pub(super) fn internet_checksum(octets: &[u8]) -> u16 {
    let mut sum = 0_u16;
    for pair in octets.chunks(2) {
        let word = u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]);
        let (wrapped, carry) = sum.overflowing_add(word);
        sum = wrapped + u16::from(carry);
    }
    !sum
}

/// # Panics
/// If a length or a checksum is wrong.
pub(super) fn judge(frame: &[u8]) -> Verdict {
    let packet = SlicedPacket::from_ethernet(frame).expect("etherparse reads it");
    let mut fields = BTreeMap::new();
    let mut put = |name: &str, value: u128| {
        assert!(fields.insert(name.to_owned(), value).is_none(), "{name} twice");
    };
    let Some(LinkSlice::Ethernet2(eth)) = &packet.link else { panic!("no Ethernet header") };
    put("eth.dst", number(&eth.destination()));
    put("eth.src", number(&eth.source()));
    let mut kind = eth.ether_type().0;
    let mut payload = eth.payload_slice().to_vec();
    for (at, extension) in packet.link_exts.iter().enumerate() {
        let LinkExtSlice::Vlan(vlan) = extension else { panic!("not a VLAN tag") };
        put(&format!("vlan{at}.tpid"), kind.into());
        put(&format!("vlan{at}.id"), vlan.vlan_identifier().value().into());
        put(&format!("vlan{at}.pcp"), vlan.priority_code_point().value().into());
        put(&format!("vlan{at}.dei"), vlan.drop_eligible_indicator().into());
        kind = vlan.ether_type().0;
        payload = vlan.payload_slice().to_vec();
    }
    put("eth.type", kind.into());
    let addresses = match &packet.net {
        None => return Verdict { fields, payload },
        Some(NetSlice::Ipv4(ip)) => {
            let header = ip.header();
            assert_eq!(
                header.header_checksum(),
                header.to_header().calc_header_checksum(),
                "IPv4 header checksum"
            );
            assert_eq!(usize::from(header.total_len()), payload.len(), "IPv4 total length");
            put("ipv4.src", number(&header.source()));
            put("ipv4.dst", number(&header.destination()));
            put("ipv4.dscp", header.dcp().value().into());
            put("ipv4.ecn", header.ecn().value().into());
            put("ipv4.id", header.identification().into());
            put("ipv4.df", header.dont_fragment().into());
            put("ipv4.ttl", header.ttl().into());
            put("ipv4.protocol", header.protocol().0.into());
            payload = ip.payload().payload.to_vec();
            Err((header.source(), header.destination()))
        }
        Some(NetSlice::Ipv6(ip)) => {
            let header = ip.header();
            assert_eq!(
                usize::from(header.payload_length()) + 40,
                payload.len(),
                "IPv6 payload length"
            );
            put("ipv6.src", number(&header.source()));
            put("ipv6.dst", number(&header.destination()));
            put("ipv6.traffic_class", header.traffic_class().into());
            put("ipv6.flow_label", header.flow_label().value().into());
            put("ipv6.hop_limit", header.hop_limit().into());
            put("ipv6.next_header", header.next_header().0.into());
            payload = ip.payload().payload.to_vec();
            Ok((header.source(), header.destination()))
        }
        Some(other) => panic!("unexpected {other:?}"),
    };
    match &packet.transport {
        None => (),
        Some(TransportSlice::Udp(udp)) => {
            let header = udp.to_header();
            assert_eq!(usize::from(udp.length()), payload.len(), "UDP length");
            let expected = match addresses {
                Ok((src, dst)) => header.calc_checksum_ipv6_raw(src, dst, udp.payload()),
                Err((src, dst)) => header.calc_checksum_ipv4_raw(src, dst, udp.payload()),
            };
            assert_eq!(udp.checksum(), expected.unwrap(), "UDP checksum");
            put("udp.src", udp.source_port().into());
            put("udp.dst", udp.destination_port().into());
            payload = udp.payload().to_vec();
        }
        Some(TransportSlice::Tcp(tcp)) => {
            let expected = match addresses {
                Ok((src, dst)) => tcp.calc_checksum_ipv6(src, dst),
                Err((src, dst)) => tcp.calc_checksum_ipv4(src, dst),
            };
            assert_eq!(tcp.checksum(), expected.unwrap(), "TCP checksum");
            put("tcp.src", tcp.source_port().into());
            put("tcp.dst", tcp.destination_port().into());
            put("tcp.seq", tcp.sequence_number().into());
            put("tcp.ack", tcp.acknowledgment_number().into());
            let flags = [
                tcp.fin(),
                tcp.syn(),
                tcp.rst(),
                tcp.psh(),
                tcp.ack(),
                tcp.urg(),
                tcp.ece(),
                tcp.cwr(),
            ];
            put("tcp.flags", flags.iter().rev().fold(0, |all, &flag| all << 1 | u128::from(flag)));
            put("tcp.window", tcp.window_size().into());
            assert_eq!((tcp.ns(), tcp.urgent_pointer(), tcp.options().len()), (false, 0, 0));
            payload = tcp.payload().to_vec();
        }
        Some(TransportSlice::Icmpv4(icmp)) => {
            assert_eq!(internet_checksum(icmp.slice()), 0, "ICMP checksum");
            put("icmp.type", icmp.type_u8().into());
            put("icmp.code", icmp.code_u8().into());
            put("icmp.id", number(&icmp.bytes5to8()[..2]));
            put("icmp.seq", number(&icmp.bytes5to8()[2..]));
            payload = icmp.slice()[8..].to_vec();
        }
        Some(TransportSlice::Icmpv6(icmp)) => {
            let (src, dst) = addresses.expect("ICMPv6 lies in IPv6");
            assert!(icmp.is_checksum_valid(src, dst), "ICMPv6 checksum");
            put("icmpv6.type", icmp.type_u8().into());
            put("icmpv6.code", icmp.code_u8().into());
            put("icmpv6.id", number(&icmp.bytes5to8()[..2]));
            put("icmpv6.seq", number(&icmp.bytes5to8()[2..]));
            payload = icmp.slice()[8..].to_vec();
        }
        Some(other) => panic!("unexpected {other:?}"),
    }
    Verdict { fields, payload }
}
