//! Frames of a flow: one codec per layer, a template and an edit program, the tag.
//!
//! [`Program::compile`] turns a flow into data, [`Cursor::write`] makes frame after frame
//! from it without looking back at the flow. Nothing here does I/O.

mod addresses;
mod builder;
mod count;
mod cursor;
mod dissect;
mod error;
mod filter;
mod layers;
mod pcap;
mod pcapng;
mod program;
mod recording;
mod schedule;
mod settings;
mod tag;
mod tuples;
mod values;
mod varying;
mod words;

#[cfg(test)]
mod tests;

pub use addresses::AddressSet;
pub use count::{count_rule, may_be_mistaken};
pub use cursor::Cursor;
pub use dissect::{Dissection, Header, HeaderField, dissect};
pub use error::PacketError;
pub use filter::{Filter, FilterError, Seen};
pub use pcap::PcapWriter;
pub use pcapng::{CaptureCounts, PcapngWriter};
pub use program::Program;
pub use recording::{Recording, RecordingError};
pub use tag::{TAG_BYTES, Tag, TagStamp};
pub use tuples::{TupleCount, tuple_turn};

use std::fmt::Write as _;

/// An Ethernet address, in the order of the wire.
pub type Mac = [u8; 6];

/// What `eth.dst = "auto"` stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextHop {
    /// Nobody was asked: every `eth.dst` is given in the file.
    Static,
    /// The gateway, or the only destination.
    One(Mac),
    /// One for each value of the L3 destination, in the order of
    /// [`Program::destinations`].
    PerDestination(Vec<Mac>),
}

/// Octets as `raw` takes them in a flow file: `deadbeef`.
pub fn digits(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(2 * octets.len()), |mut digits, octet| {
        // Writing to a String cannot fail.
        let _ = write!(digits, "{octet:02x}");
        digits
    })
}

/// `02:00:5e:10:00:01`
pub fn format_mac(mac: Mac) -> String {
    mac.map(|octet| format!("{octet:02x}")).join(":")
}
