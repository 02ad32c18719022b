//! `Control.State`.

use serde::Deserialize;

/// Declares an object that is one of several, by `choice`.
macro_rules! states {
    ($($(#[$doc:meta])* $name:ident: $form:ident { $($variant:ident $field:ident: $of:ty,)* })*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(missing_docs, reason = "the names of the schema")]
        pub struct $name { pub choice: $form, $(pub $field: Option<$of>,)* }

        #[doc = concat!("The choices of [`", stringify!($name), "`].")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs, reason = "the names of the schema")]
        pub enum $form { $($variant,)* }
    )* };
}

states! {
    /// What a client wants something to do.
    ControlState: ControlForm {
        Port port: PortState,
        Protocol protocol: ProtocolState,
        Traffic traffic: TrafficState,
    }
    /// What ports are to do.
    PortState: PortStateForm { Link link: LinkState, Capture capture: CaptureState, }
    /// What emulated protocols are to do; there are none.
    ProtocolState: ProtocolForm { All all: Protocols, }
    /// What flows are to do.
    TrafficState: TrafficForm { FlowTransmit flow_transmit: FlowTransmit, }
}

macro_rules! orders {
    ($($(#[$doc:meta])* $name:ident of $field:ident: $form:ident { $($variant:ident,)* })*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(missing_docs, reason = "the names of the schema")]
        pub struct $name { pub state: $form, pub $field: Option<Vec<String>>, }

        #[doc = concat!("The states of [`", stringify!($name), "`].")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs, reason = "the names of the schema")]
        pub enum $form { $($variant,)* }
    )* };
}

orders! {
    /// Links up or down; none named: all.
    LinkState of port_names: LinkOrder { Up, Down, }
    /// Captures; none named: all.
    CaptureState of port_names: CaptureOrder { Start, Stop, }
    /// Flows; none named: all.
    FlowTransmit of flow_names: FlowOrder { Start, Stop, Pause, Resume, }
}

/// All protocols at once.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the schema")]
pub struct Protocols {
    pub state: ProtocolOrder,
}

/// The states of [`Protocols`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names of the schema")]
pub enum ProtocolOrder {
    Start,
    Stop,
}
