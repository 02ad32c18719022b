use super::{
    frame::VlanTag,
    resolve::{question, refused},
};
use crate::nic::{NicError, PortInfo, packet_socket::PacketSocket};
use std::net::IpAddr;

/// Tells a device where addresses are, by asking it something: an ARP request (RFC 826) or a
/// neighbour solicitation (RFC 4861) teaches whoever hears it the address that it is from.
/// Nobody listens for the answers.
#[derive(Debug)]
pub struct Announcer {
    port: PortInfo,
    socket: PacketSocket,
}

impl Announcer {
    /// # Errors
    /// [`NicError::Privilege`] for `CAP_NET_RAW`, and those of [`crate::nic::Netns`].
    pub fn open(port: &PortInfo) -> Result<Self, NicError> {
        let socket = port.netns()?.run(|| PacketSocket::deaf(port.ifindex))?;
        let socket = socket.map_err(|error| refused(port, error))?;
        Ok(Self { port: port.clone(), socket })
    }

    /// Asks for `target` from `source` at the port's MAC, behind `tags`. Nothing is sent where
    /// the two are of different families.
    ///
    /// # Errors
    /// [`NicError::Down`] and [`NicError::Gone`].
    pub fn announce(
        &self,
        source: IpAddr,
        target: IpAddr,
        tags: &[VlanTag],
    ) -> Result<(), NicError> {
        let Some(question) = question(self.port.mac, source, target, tags) else { return Ok(()) };
        match self.socket.send(&question) {
            // A full queue: learning frames are sent several times.
            Err(error) if error.raw_os_error() != Some(libc::ENOBUFS) => {
                Err(refused(&self.port, error))
            }
            _ => Ok(()),
        }
    }
}
