//! A flow but for its headers.

use super::{Header, Whole};
use serde::Deserialize;
use serde_json::Value;

/// Declares objects and their choices as the schema has them.
macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $of:ty,)* })*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(missing_docs, reason = "the names of the schema")]
        pub struct $name { $(pub $field: $of,)* }
    )* };
}

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident,)* })*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs, reason = "the names of the schema")]
        pub enum $name { $($variant,)* }
    )* };
}

/// `Flow`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct Flow {
    pub name: String,
    pub tx_rx: TxRx,
    pub packet: Option<Vec<Header>>,
    pub egress_packet: Option<Vec<Value>>,
    pub size: Option<Size>,
    pub rate: Option<Rate>,
    pub duration: Option<Duration>,
    pub metrics: Option<Metrics>,
    pub payload: Option<Payload>,
}

/// `Flow.Port`: where frames leave and arrive.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct FlowPort {
    pub tx_name: String,
    pub rx_name: Option<String>,
    pub rx_names: Option<Vec<String>>,
}

choices! {
    /// Between what a flow goes; devices are not emulated.
    EndForm { Port, }
    /// `Flow.Size`.
    SizeForm { Fixed, Increment, Random, WeightPairs, }
    /// `Flow.Size.WeightPairs`.
    WeightForm { Predefined, Custom, }
    /// The mixes that have a name.
    Mix { Imix, IpsecImix, Ipv6Imix, StandardImix, TcpImix, }
    /// `Flow.Rate`.
    RateForm { Pps, Bps, Kbps, Mbps, Gbps, Percentage, }
    /// `Flow.Duration`.
    DurationForm { FixedPackets, FixedSeconds, Burst, Continuous, }
    /// In what a time is given.
    TimeForm { Bytes, Nanoseconds, Microseconds, }
    /// `Flow.LatencyMetrics`, both after RFC 1242.
    LatencyMode { StoreForward, CutThrough, }
    /// How many frames are to arrive for one that was sent.
    RatioForm { RxCount, Value, }
    /// `Flow.Payload`; the others are not made.
    PayloadForm { IncrementByte, }
}

objects! {
    /// `Flow.TxRx`.
    TxRx { choice: Option<EndForm>, port: Option<FlowPort>, }
    /// Frame sizes with FCS.
    Size {
        choice: Option<SizeForm>,
        fixed: Option<Whole>,
        increment: Option<SizeIncrement>,
        random: Option<SizeRandom>,
        weight_pairs: Option<WeightPairs>,
    }
    /// One size after the other.
    SizeIncrement { start: Option<Whole>, end: Option<Whole>, step: Option<Whole>, }
    /// Any size between.
    SizeRandom { min: Option<Whole>, max: Option<Whole>, }
    /// A mix of sizes.
    WeightPairs {
        choice: Option<WeightForm>,
        predefined: Option<Mix>,
        custom: Option<Vec<WeightPair>>,
    }
    /// A size of a mix.
    WeightPair { size: Option<Whole>, weight: Option<f64>, }
    /// Bits are L2 with FCS, as for the other open servers; the percentage is of L1.
    Rate {
        choice: Option<RateForm>,
        pps: Option<Whole>,
        bps: Option<Whole>,
        kbps: Option<Whole>,
        mbps: Option<Whole>,
        gbps: Option<Whole>,
        percentage: Option<f64>,
    }
    /// When a flow ends.
    Duration {
        choice: Option<DurationForm>,
        fixed_packets: Option<FixedPackets>,
        fixed_seconds: Option<FixedSeconds>,
        burst: Option<Burst>,
        continuous: Option<Continuous>,
    }
    /// After so many frames.
    FixedPackets { packets: Option<Whole>, gap: Option<Whole>, delay: Option<Time>, }
    /// After this time.
    FixedSeconds { seconds: Option<f64>, gap: Option<Whole>, delay: Option<Time>, }
    /// When stopped.
    Continuous { gap: Option<Whole>, delay: Option<Time>, }
    /// Trains of frames.
    Burst {
        bursts: Option<Whole>,
        packets: Option<Whole>,
        gap: Option<Whole>,
        inter_burst_gap: Option<Time>,
    }
    /// A time, or the time that so many octets take on the line.
    Time {
        choice: Option<TimeForm>,
        bytes: Option<f64>,
        nanoseconds: Option<f64>,
        microseconds: Option<f64>,
    }
    /// What is measured.
    Metrics {
        enable: Option<bool>,
        loss: Option<bool>,
        rx_tx_ratio: Option<RxTxRatio>,
        timestamps: Option<bool>,
        latency: Option<Latency>,
        predefined_metric_tags: Option<PredefinedTags>,
    }
    /// Whether, and between which bits, latency is measured.
    Latency { enable: Option<bool>, mode: Option<LatencyMode>, }
    /// How many frames are to arrive for one that was sent.
    RxTxRatio { choice: Option<RatioForm>, rx_count: Option<Empty>, value: Option<f64>, }
    /// Tracking by receiver.
    PredefinedTags { rx_name: Option<bool>, }
    /// An object without members.
    Empty {}
    /// What follows the headers.
    Payload { choice: Option<PayloadForm>, }
}
