//! The testbed: namespaces joined by veth, and judges that are not linerate.
//!
//! Nothing here uses linerate's own code. Frames are judged by AF_PACKET sockets,
//! tshark, the kernel's interface counters, and a device under test that keeps its
//! own books.

mod capture;
mod daemon;
mod decode;
mod device;
mod flow;
mod foreign;
mod foreign_socket;
mod forwarder;
mod frame;
mod kernel;
mod lab;
mod linerate;
mod packet_socket;
mod receiver;
mod throttle;
mod tshark;
mod turn;

pub(crate) use capture::{Captured, transmit, transmit_by, transmit_in};
pub(crate) use daemon::{Answer, Daemon, LiveEvent, LiveReader};
pub(crate) use decode::{Layout, Tag};
pub(crate) use device::{Act, Behaviour, Books, Device, Part};
pub(crate) use flow::one_flow;
pub(crate) use foreign::{ForeignProgram, Terminal, exchange_echoes, transfer_over_tcp};
pub(crate) use foreign_socket::ForeignSocket;
pub(crate) use forwarder::Limit;
pub(crate) use frame::udp_frame;
pub(crate) use kernel::{BpfObjects, foreign_namespaces, lives, pins};
pub(crate) use lab::{Lab, Port, command, with_priority};
pub(crate) use linerate::{Linerate, Outcome, RunResult, die_with_the_test};
pub(crate) use packet_socket::PacketSocket;
pub(crate) use receiver::{Receiver, eventually};
pub(crate) use throttle::Throttle;
pub(crate) use tshark::{Dissection, dissect, dissect_file, pcap_file};
pub(crate) use turn::much_of_the_machine;
