//! What a port is and can do, learned over rtnetlink and the ethtool ioctl only: a
//! thread that entered a network namespace still sees the old `/sys`.
//!
//! A socket belongs for its whole life to the namespace it was made in. So a namespace
//! is entered only to make sockets ([`Netns::run`]); they work from any thread after.

mod capabilities;
mod clock_fit;
mod counters;
mod error;
mod ethtool;
mod exchange;
mod genl;
mod hold;
mod info;
mod name;
mod neighbour;
mod netdev;
mod netlink;
mod netns;
mod packet_socket;
mod pci;
mod phc;
mod planner;
mod reading;
mod settings;
mod tap;
mod wake;
mod watch;
mod xsk;

#[cfg(test)]
pub(crate) mod testbed;
#[cfg(test)]
mod tests;

pub use crate::packet::Mac;
pub use capabilities::{Capabilities, Interrupt, capabilities};
pub use clock_fit::{ClockFit, ClockLine, Fitted};
pub use counters::{LinkCounters, PortCounters, driver_statistics, link_counters};
pub use error::NicError;
pub use hold::{Hold, SettingChange};
pub use info::{
    Features, Peer, PortInfo, XdpAttached, XdpHook, are_joined, has_default_route, list_ports,
    port_info, set_link,
};
pub use name::PortName;
pub use neighbour::{Announcer, MAX_TAGS, Responder, VlanTag, multicast_mac, resolve_neighbours};
pub use netdev::XdpFeatures;
pub use netns::Netns;
pub use pci::{Pci, PcieLink};
pub use phc::{ClockReading, Phc};
pub use planner::{Ceiling, Limit, SendLimits, SendPath, worker_cpus};
pub use reading::{DropCounter, PortReading};
pub use settings::{Channels, Pause, Rings, Timestamping};
pub use tap::{Heard, Tap};
pub use watch::{LinkState, LinkWatch, wait_for_carriers};
pub use xsk::is_zero_copy;
