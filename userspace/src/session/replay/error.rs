use crate::units::Rate;

/// Why these frames cannot be sent so, or not on this port. Frames count from 1.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ReplayError {
    #[error(
        "frame {frame} has a packet of {bytes} octets, over the MTU of {port}, {mtu}; `ip link set {interface} mtu {bytes}`"
    )]
    OverMtu { frame: usize, bytes: usize, port: String, mtu: u32, interface: String },
    #[error("the frames of the file have one time, so rounds have no length; give --rate")]
    NoGaps,
    #[error(
        "--rate: a share of the line, but the port reports no speed; give a rate in pps or bps"
    )]
    NoSpeed,
    #[error(
        "the mean rate would be {mean}, over the line's {line}; give a lower --speed or --rate"
    )]
    OverLine { mean: Rate, line: Rate },
}
