//! Neighbours of a port, in both directions: answering for what the tester plays
//! ([`Responder`]), asking who is there ([`resolve_neighbours`]), and telling who is
//! ([`Announcer`]).

mod announcer;
mod arp;
mod filter;
mod frame;
mod nd;
mod resolve;
mod responder;
#[cfg(test)]
mod tests;

pub use announcer::Announcer;
pub use frame::{MAX_TAGS, VlanTag};
pub use resolve::{multicast_mac, resolve_neighbours};
pub use responder::Responder;
