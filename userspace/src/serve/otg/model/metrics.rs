//! `Metrics.Request` and what is answered.

use super::Whole;
use serde::{Deserialize, Serialize, Serializer};

/// What a client wants to know.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct MetricsRequest {
    pub choice: Option<MetricsForm>,
    pub port: Option<PortMetricsRequest>,
    pub flow: Option<FlowMetricsRequest>,
}

/// Of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names of the schema")]
pub enum MetricsForm {
    Port,
    Flow,
}

/// Ports and columns; none named: all.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct PortMetricsRequest {
    pub port_names: Option<Vec<String>>,
    pub column_names: Option<Vec<PortColumn>>,
}

/// Flows and columns; none named: all.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct FlowMetricsRequest {
    pub flow_names: Option<Vec<String>>,
    pub metric_names: Option<Vec<FlowColumn>>,
    pub tagged_metrics: Option<TaggedMetricsFilter>,
}

/// Which tagged metrics are wanted. No flow has tags here, so there are none to choose.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct TaggedMetricsFilter {
    pub include: Option<bool>,
    pub include_empty_metrics: Option<bool>,
    pub metric_names: Option<Vec<FlowColumn>>,
}

/// Columns of a port that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names of the schema")]
pub enum PortColumn {
    Location,
    Link,
    Capture,
    Transmit,
    FramesTx,
    FramesRx,
    BytesTx,
    BytesRx,
    FramesTxRate,
    FramesRxRate,
    BytesTxRate,
    BytesRxRate,
    LastChange,
    Speed,
}

/// Columns of a flow that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names of the schema")]
pub enum FlowColumn {
    Transmit,
    FramesTx,
    FramesRx,
    BytesTx,
    BytesRx,
    FramesTxRate,
    FramesRxRate,
    TxL1RateBps,
    RxL1RateBps,
    TxRateBytes,
    RxRateBytes,
    TxRateBps,
    RxRateBps,
    TxRateKbps,
    RxRateKbps,
    TxRateMbps,
    RxRateMbps,
}

/// A measured number that is no count; [`write`](super::super::write) prints it so that
/// every client reads it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Real(pub f64);

impl Serialize for Real {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // JSON knows neither infinity nor NaN.
        serializer.serialize_f64(if self.0.is_finite() { self.0 } else { 0.0 })
    }
}

/// `Metrics.Response`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "choice", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names of the schema")]
pub enum MetricsResponse {
    PortMetrics { port_metrics: Vec<PortMetric> },
    FlowMetrics { flow_metrics: Vec<FlowMetric> },
}

/// Declares an answer of which columns can be left out.
macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $of:ty,)* })*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Serialize)]
        #[allow(missing_docs, reason = "the names of the schema")]
        pub struct $name {
            pub name: String,
            $(#[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<$of>,)*
        }
    )* };
}

metrics! {
    /// What passed a port, by the kernel's own count.
    PortMetric {
        location: String,
        link: Link,
        capture: Activity,
        transmit: Activity,
        frames_tx: Whole,
        frames_rx: Whole,
        bytes_tx: Whole,
        bytes_rx: Whole,
        frames_tx_rate: Real,
        frames_rx_rate: Real,
        bytes_tx_rate: Real,
        bytes_rx_rate: Real,
        last_change: Whole,
        speed: Whole,
    }
    /// What became of a flow's frames.
    FlowMetric {
        port_tx: String,
        port_rx: String,
        transmit: Activity,
        frames_tx: Whole,
        frames_rx: Whole,
        bytes_tx: Whole,
        bytes_rx: Whole,
        frames_tx_rate: Real,
        frames_rx_rate: Real,
        tx_l1_rate_bps: Real,
        rx_l1_rate_bps: Real,
        tx_rate_bytes: Real,
        rx_rate_bytes: Real,
        tx_rate_bps: Real,
        rx_rate_bps: Real,
        tx_rate_kbps: Real,
        rx_rate_kbps: Real,
        tx_rate_mbps: Real,
        rx_rate_mbps: Real,
        loss: Real,
        timestamps: Timestamps,
        latency: LatencyMetric,
    }
}

/// The state of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names of the schema")]
pub enum Link {
    Up,
    Down,
}

/// Whether something is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names of the schema")]
pub enum Activity {
    Started,
    Stopped,
    Paused,
}

/// When the first and the last frame came, ns since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct Timestamps {
    pub first_timestamp_ns: Real,
    pub last_timestamp_ns: Real,
}

/// Latency so far, ns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct LatencyMetric {
    pub minimum_ns: Real,
    pub maximum_ns: Real,
    pub average_ns: Real,
}

/// `Warning`: what a client should know of what was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct Warning {
    pub warnings: Vec<String>,
}

/// `Error`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct ErrorBody {
    pub code: i32,
    pub kind: ErrorKind,
    pub errors: Vec<String>,
}

/// Whose mistake it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The client's.
    Validation,
    /// The server's, or the world's.
    Internal,
}

/// `Version`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct Version {
    pub api_spec_version: &'static str,
    pub sdk_version: &'static str,
    pub app_version: &'static str,
}
