//! `Capture`, and what is asked of one.

use super::Whole;
use serde::Deserialize;

/// Ports whose frames are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct Capture {
    pub name: String,
    pub port_names: Vec<String>,
    pub filters: Option<Vec<CaptureFilter>>,
    pub overwrite: Option<bool>,
    pub packet_size: Option<Whole>,
    pub format: Option<CaptureFormat>,
}

/// The form of a capture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names of the schema")]
pub enum CaptureFormat {
    #[default]
    Pcap,
    Pcapng,
}

choices! {
    /// What a filter looks at.
    FilterForm { Custom, Ethernet, Vlan, Ipv4, Ipv6, }
    /// Which frames of a capture are wanted.
    PacketsForm { All, Slice, }
    /// Which part of a capture is wanted.
    SliceForm { Initial, }
}

objects! {
    /// `Capture.Filter`; all of a capture's hold.
    CaptureFilter {
        choice: FilterForm,
        custom: CustomFilter,
        ethernet: EthernetFilter,
        vlan: VlanFilter,
        ipv4: Ipv4Filter,
        ipv6: Ipv6Filter,
    }
    /// Bits, from the end of what the filter before it looks at.
    CustomFilter { offset: Whole, bit_length: Whole, value: String, mask: String, negate: bool, }
    /// Both in hexadecimal digits; bits that are 1 in the mask are not compared.
    FilterField { value: String, mask: String, negate: bool, }
    /// `Capture.Ethernet`.
    EthernetFilter {
        src: FilterField,
        dst: FilterField,
        ether_type: FilterField,
        pfc_queue: FilterField,
    }
    /// `Capture.Vlan`.
    VlanFilter {
        priority: FilterField,
        cfi: FilterField,
        id: FilterField,
        protocol: FilterField,
    }
    /// `Capture.Ipv4`.
    Ipv4Filter {
        version: FilterField,
        header_length: FilterField,
        priority: FilterField,
        total_length: FilterField,
        identification: FilterField,
        reserved: FilterField,
        dont_fragment: FilterField,
        more_fragments: FilterField,
        fragment_offset: FilterField,
        time_to_live: FilterField,
        protocol: FilterField,
        header_checksum: FilterField,
        src: FilterField,
        dst: FilterField,
    }
    /// `Capture.Ipv6`.
    Ipv6Filter {
        version: FilterField,
        traffic_class: FilterField,
        flow_label: FilterField,
        payload_length: FilterField,
        next_header: FilterField,
        hop_limit: FilterField,
        src: FilterField,
        dst: FilterField,
    }
    /// Which frames of a capture are wanted.
    Packets { choice: PacketsForm, slice: Slice, }
    /// Which part of a capture is wanted.
    Slice { choice: SliceForm, initial: SliceInitial, }
    /// So many frames from one on, which is counted from 1.
    SliceInitial { start: Whole, count: Whole, }
}

/// `Capture.Request`: the capture of a port.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct CaptureRequest {
    pub port_name: String,
    pub packets: Option<Packets>,
}
