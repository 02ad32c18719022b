//! A flow but for its headers.

use super::{Header, Whole};
use serde::Deserialize;
use serde_json::Value;

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
    TxRx { choice: EndForm, port: FlowPort, }
    /// Frame sizes with FCS.
    Size {
        choice: SizeForm,
        fixed: Whole,
        increment: SizeIncrement,
        random: SizeRandom,
        weight_pairs: WeightPairs,
    }
    /// One size after the other.
    SizeIncrement { start: Whole, end: Whole, step: Whole, }
    /// Any size between.
    SizeRandom { min: Whole, max: Whole, }
    /// A mix of sizes.
    WeightPairs {
        choice: WeightForm,
        predefined: Mix,
        custom: Vec<WeightPair>,
    }
    /// A size of a mix.
    WeightPair { size: Whole, weight: f64, }
    /// Bits are L2 with FCS, as for the other open servers; the percentage is of L1.
    Rate {
        choice: RateForm,
        pps: Whole,
        bps: Whole,
        kbps: Whole,
        mbps: Whole,
        gbps: Whole,
        percentage: f64,
    }
    /// When a flow ends.
    Duration {
        choice: DurationForm,
        fixed_packets: FixedPackets,
        fixed_seconds: FixedSeconds,
        burst: Burst,
        continuous: Continuous,
    }
    /// After so many frames.
    FixedPackets { packets: Whole, gap: Whole, delay: Time, }
    /// After this time.
    FixedSeconds { seconds: f64, gap: Whole, delay: Time, }
    /// When stopped.
    Continuous { gap: Whole, delay: Time, }
    /// Trains of frames.
    Burst {
        bursts: Whole,
        packets: Whole,
        gap: Whole,
        inter_burst_gap: Time,
    }
    /// A time, or the time that so many octets take on the line.
    Time {
        choice: TimeForm,
        bytes: f64,
        nanoseconds: f64,
        microseconds: f64,
    }
    /// What is measured.
    Metrics {
        enable: bool,
        loss: bool,
        rx_tx_ratio: RxTxRatio,
        timestamps: bool,
        latency: Latency,
        predefined_metric_tags: PredefinedTags,
    }
    /// Whether, and between which bits, latency is measured.
    Latency { enable: bool, mode: LatencyMode, }
    /// How many frames are to arrive for one that was sent.
    RxTxRatio { choice: RatioForm, rx_count: Empty, value: f64, }
    /// Tracking by receiver.
    PredefinedTags { rx_name: bool, }
    /// An object without members.
    Empty {}
    /// What follows the headers.
    Payload { choice: PayloadForm, }
}
