//! `Config` and `Config.Update`.

use super::{Capture, Flow, Whole};
use serde::Deserialize;

/// Everything that a client sets up at once.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct Config {
    pub ports: Option<Vec<Port>>,
    pub layer1: Option<Vec<Layer1>>,
    pub captures: Option<Vec<Capture>>,
    pub flows: Option<Vec<Flow>>,
    pub options: Option<Options>,
}

/// A name for an interface.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct Port {
    pub name: String,
    pub location: Option<String>,
}

/// Properties of links.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct Layer1 {
    pub name: String,
    pub port_names: Vec<String>,
    pub speed: Option<Speed>,
    pub mtu: Option<Whole>,
    pub promiscuous: Option<bool>,
    pub media: Option<Media>,
    pub ieee_media_defaults: Option<bool>,
    pub auto_negotiate: Option<bool>,
    pub auto_negotiation: Option<AutoNegotiation>,
}

/// What a link may agree on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct AutoNegotiation {
    pub advertise_1000_mbps: Option<bool>,
    pub advertise_100_fd_mbps: Option<bool>,
    pub advertise_100_hd_mbps: Option<bool>,
    pub advertise_10_fd_mbps: Option<bool>,
    pub advertise_10_hd_mbps: Option<bool>,
    pub link_training: Option<bool>,
    pub rs_fec: Option<bool>,
}

/// The cable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names of the schema")]
pub enum Media {
    Copper,
    Fiber,
    Sgmii,
}

/// The speed of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[allow(missing_docs, reason = "the names of the schema")]
pub enum Speed {
    #[serde(rename = "speed_10_fd_mbps", alias = "speed_10_hd_mbps")]
    Mbps10,
    #[serde(rename = "speed_100_fd_mbps", alias = "speed_100_hd_mbps")]
    Mbps100,
    #[serde(rename = "speed_1_gbps")]
    Gbps1,
    #[serde(rename = "speed_10_gbps")]
    Gbps10,
    #[serde(rename = "speed_25_gbps")]
    Gbps25,
    #[serde(rename = "speed_40_gbps")]
    Gbps40,
    #[serde(rename = "speed_50_gbps")]
    Gbps50,
    #[serde(rename = "speed_100_gbps")]
    Gbps100,
    #[serde(rename = "speed_200_gbps")]
    Gbps200,
    #[serde(rename = "speed_400_gbps")]
    Gbps400,
    #[serde(rename = "speed_800_gbps")]
    Gbps800,
}

impl Speed {
    /// In bits per second.
    pub fn bps(self) -> u64 {
        let mbps = match self {
            Self::Mbps10 => 10,
            Self::Mbps100 => 100,
            Self::Gbps1 => 1_000,
            Self::Gbps10 => 10_000,
            Self::Gbps25 => 25_000,
            Self::Gbps40 => 40_000,
            Self::Gbps50 => 50_000,
            Self::Gbps100 => 100_000,
            Self::Gbps200 => 200_000,
            Self::Gbps400 => 400_000,
            Self::Gbps800 => 800_000,
        };
        mbps * 1_000_000
    }
}

/// What holds for all.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct Options {
    pub port_options: Option<PortOptions>,
    pub flow_options: Option<FlowOptions>,
}

/// What holds for all ports.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct PortOptions {
    pub location_preemption: Option<bool>,
    pub data_integrity: Option<bool>,
}

/// What holds for all flows.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct FlowOptions {
    pub packet_loss_duration: Option<bool>,
}

/// A change of a configuration, `PATCH /config`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct Update {
    pub choice: Option<UpdateForm>,
    pub flows: Option<FlowsUpdate>,
}

/// What is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names of the schema")]
pub enum UpdateForm {
    Flows,
}

/// Flows with what is new of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct FlowsUpdate {
    pub property_names: Vec<FlowProperty>,
    pub flows: Vec<Flow>,
}

/// What of a flow can change while it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names of the schema")]
pub enum FlowProperty {
    Rate,
    Size,
}
