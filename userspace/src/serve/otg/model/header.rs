//! The headers of a flow's frames, `Flow.Header` and what is under it.

use super::{Checksum, Mac, Pattern, Whole};
use serde::Deserialize;
use serde_json::Value;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A number field.
type Number = Pattern<Whole>;

/// The headers that can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names of the schema")]
pub enum HeaderKind {
    Custom,
    Ethernet,
    Vlan,
    Vxlan,
    Ipv4,
    Ipv6,
    Tcp,
    Udp,
    Gre,
    Arp,
    Icmp,
    Icmpv6,
    Mpls,
}

/// One header.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct Header {
    pub choice: Option<HeaderKind>,
    pub custom: Option<Custom>,
    pub ethernet: Option<Ethernet>,
    pub vlan: Option<Vlan>,
    pub vxlan: Option<Vxlan>,
    pub ipv4: Option<Box<Ipv4>>,
    pub ipv6: Option<Box<Ipv6>>,
    pub tcp: Option<Box<Tcp>>,
    pub udp: Option<Udp>,
    pub gre: Option<Gre>,
    pub arp: Option<Box<Arp>>,
    pub icmp: Option<Icmp>,
    pub icmpv6: Option<Icmp>,
    pub mpls: Option<Mpls>,
}

/// Octets as they stand.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct Custom {
    pub bytes: String,
    pub metric_tags: Option<Vec<Value>>,
}

objects! {
    /// IEEE 802.3.
    Ethernet {
        dst: Pattern<Mac>,
        src: Pattern<Mac>,
        ether_type: Number,
        pfc_queue: Number,
    }
    /// IEEE 802.1Q. `tpid` is the type of what follows the tag.
    Vlan { priority: Number, cfi: Number, id: Number, tpid: Number, }
    /// RFC 7348.
    Vxlan { flags: Number, reserved0: Number, vni: Number, reserved1: Number, }
    /// RFC 791.
    Ipv4 {
        version: Number,
        header_length: Number,
        priority: Priority,
        total_length: Number,
        identification: Number,
        reserved: Number,
        dont_fragment: Number,
        more_fragments: Number,
        fragment_offset: Number,
        time_to_live: Number,
        protocol: Number,
        header_checksum: Checksum,
        src: Pattern<Ipv4Addr>,
        dst: Pattern<Ipv4Addr>,
        options: Vec<Value>,
    }
    /// The second octet of IPv4, in one of three readings.
    Priority { choice: PriorityForm, raw: Number, tos: Tos, dscp: Dscp, }
    /// RFC 1349.
    Tos {
        precedence: Number,
        delay: Number,
        throughput: Number,
        reliability: Number,
        monetary: Number,
        unused: Number,
    }
    /// RFC 2474 and 3168.
    Dscp { phb: Number, ecn: Number, }
    /// RFC 8200.
    Ipv6 {
        version: Number,
        traffic_class: Number,
        flow_label: Number,
        payload_length: Number,
        next_header: Number,
        hop_limit: Number,
        src: Pattern<Ipv6Addr>,
        dst: Pattern<Ipv6Addr>,
    }
    /// RFC 9293, and the nonce bit of RFC 3540.
    Tcp {
        src_port: Number,
        dst_port: Number,
        seq_num: Number,
        ack_num: Number,
        data_offset: Number,
        ecn_ns: Number,
        ecn_cwr: Number,
        ecn_echo: Number,
        ctl_urg: Number,
        ctl_ack: Number,
        ctl_psh: Number,
        ctl_rst: Number,
        ctl_syn: Number,
        ctl_fin: Number,
        window: Number,
        checksum: Checksum,
    }
    /// RFC 768.
    Udp { src_port: Number, dst_port: Number, length: Number, checksum: Checksum, }
    /// RFC 2784.
    Gre {
        checksum_present: Number,
        reserved0: Number,
        version: Number,
        protocol: Number,
        checksum: Checksum,
        reserved1: Number,
    }
    /// RFC 826.
    Arp {
        hardware_type: Number,
        protocol_type: Number,
        hardware_length: Number,
        protocol_length: Number,
        operation: Number,
        sender_hardware_addr: Pattern<Mac>,
        sender_protocol_addr: Pattern<Ipv4Addr>,
        target_hardware_addr: Pattern<Mac>,
        target_protocol_addr: Pattern<Ipv4Addr>,
    }
    /// RFC 792, RFC 4443.
    Icmp { choice: IcmpForm, echo: Echo, }
    /// RFC 792, RFC 4443 section 4.
    Echo {
        r#type: Number,
        code: Number,
        checksum: Checksum,
        identifier: Number,
        sequence_number: Number,
    }
    /// RFC 3032.
    Mpls {
        label: Number,
        traffic_class: Number,
        bottom_of_stack: Number,
        time_to_live: Number,
    }
}

/// The readings of the second octet of IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names of the schema")]
pub enum PriorityForm {
    Raw,
    Tos,
    Dscp,
}

/// The ICMP messages that can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names of the schema")]
pub enum IcmpForm {
    Echo,
}
