//! Ports wherever they are: what is asked of them before and beside a session.

use super::{
    link::Link,
    open::local,
    wire::{Reply, Request},
};
use crate::{
    nic::{Announcer, Mac, NicError, PortInfo, PortName, VlanTag, port_info, resolve_neighbours},
    session::SessionError,
    spec::PortSpec,
};
use ipnet::IpNet;
use std::{net::IpAddr, sync::Arc, time::Duration};

/// The daemons that ports of a spec belong to, each with a lease.
#[derive(Debug, Default)]
pub struct Reach {
    links: Vec<(String, Arc<Link>)>,
}

/// Speaks for the addresses behind a port, wherever it is.
#[derive(Debug)]
pub struct PortAnnouncer {
    here: Option<Announcer>,
    there: Option<(Arc<Link>, String)>,
}

impl Reach {
    /// Connects to every daemon that a port names.
    ///
    /// # Errors
    /// [`SessionError::Remote`] if one cannot be reached, or does not let us.
    pub fn connect(ports: &[PortSpec]) -> Result<Self, SessionError> {
        let mut reach = Self::default();
        for port in ports {
            let Some(daemon) = port.interface.parse::<PortName>()?.daemon else { continue };
            if reach.link(&daemon).is_none() {
                let link = Link::connect(&daemon)?;
                reach.links.push((daemon, link));
            }
        }
        Ok(reach)
    }

    pub(in crate::session) fn link(&self, daemon: &str) -> Option<&Arc<Link>> {
        self.links.iter().find(|(other, _)| other == daemon).map(|(_, link)| link)
    }

    pub(in crate::session) fn links(&self) -> impl Iterator<Item = (&str, &Arc<Link>)> {
        self.links.iter().map(|(daemon, link)| (daemon.as_str(), link))
    }

    /// Looks a port up.
    ///
    /// # Errors
    /// As [`port_info`], and [`SessionError::Remote`].
    pub fn port_info(&self, interface: &str) -> Result<PortInfo, SessionError> {
        let name = interface.parse::<PortName>()?;
        let Some((link, _)) = self.remote(&name) else { return Ok(port_info(&name)?) };
        match link.call(&Request::Look { port: local(interface).to_owned() })? {
            Reply::Port(info) => {
                let found = PortName { daemon: name.daemon, ..info.name };
                Ok(PortInfo { name: found, ..*info })
            }
            other => Err(link.unfit(&other)),
        }
    }

    /// Asks who answers for addresses, as [`resolve_neighbours`] does.
    ///
    /// # Errors
    /// [`NicError::Unresolved`] and its other errors, and [`SessionError::Remote`].
    pub fn resolve(
        &self,
        port: &PortInfo,
        sources: &[IpNet],
        targets: &[IpAddr],
        tags: &[VlanTag],
        wait: Duration,
    ) -> Result<Vec<Mac>, SessionError> {
        let Some((link, interface)) = self.remote(&port.name) else {
            return Ok(resolve_neighbours(port, sources, targets, tags, wait)?);
        };
        let request = Request::Neighbours {
            port: interface,
            sources: sources.to_vec(),
            targets: targets.to_vec(),
            tags: plain(tags),
            wait_ms: wait.as_millis() as u64,
        };
        match link.call(&request)? {
            Reply::Macs(macs) => Ok(macs),
            Reply::Unresolved(missing) => {
                let (port, asked) = (port.name.clone(), targets.len());
                Err(NicError::Unresolved { port, missing, asked }.into())
            }
            other => Err(link.unfit(&other)),
        }
    }

    /// Who tells the device where addresses behind the port are.
    ///
    /// # Errors
    /// Those of [`Announcer::open`].
    pub fn announcer(&self, port: &PortInfo) -> Result<PortAnnouncer, SessionError> {
        Ok(match self.remote(&port.name) {
            Some((link, interface)) => {
                PortAnnouncer { here: None, there: Some((Arc::clone(link), interface)) }
            }
            None => PortAnnouncer { here: Some(Announcer::open(port)?), there: None },
        })
    }

    fn remote(&self, name: &PortName) -> Option<(&Arc<Link>, String)> {
        let link = self.link(name.daemon.as_ref()?)?;
        Some((link, local(&name.to_string()).to_owned()))
    }
}

impl PortAnnouncer {
    /// Asks for the second address from the first, for each of them.
    ///
    /// # Errors
    /// Those of [`Announcer::announce`], and [`SessionError::Remote`].
    pub fn announce(
        &self,
        questions: &[(IpAddr, IpAddr, Vec<VlanTag>)],
    ) -> Result<(), SessionError> {
        if let Some(announcer) = &self.here {
            for (source, target, tags) in questions {
                announcer.announce(*source, *target, tags)?;
            }
        }
        let Some((link, port)) = &self.there else { return Ok(()) };
        let questions =
            questions.iter().map(|(source, target, tags)| (*source, *target, plain(tags)));
        link.done(&Request::Announce { port: port.clone(), questions: questions.collect() })
    }
}

fn plain(tags: &[VlanTag]) -> Vec<(u16, u16)> {
    tags.iter().map(|tag| (tag.tpid, tag.tci)).collect()
}
