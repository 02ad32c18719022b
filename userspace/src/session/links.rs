//! The links of all ports of a session, on this host and on others.

use super::{SessionError, remote::Link};
use crate::nic::{LinkWatch, NicError, PortInfo};
use std::{sync::Arc, time::Duration};

/// Hears of lost links, by port.
#[derive(Debug)]
pub(super) struct Links {
    watch: LinkWatch,
    places: Vec<Place>,
}

#[derive(Debug)]
enum Place {
    /// Its number in the watch.
    Here(usize),
    /// Its number there.
    There(Arc<Link>, usize),
}

impl Links {
    /// `far`: the link and the number there of a port that is not here.
    pub(super) fn start(
        infos: &[PortInfo],
        mut far: impl FnMut(usize) -> Option<(Arc<Link>, usize)>,
    ) -> Result<Self, SessionError> {
        let mut here = Vec::new();
        let places = infos.iter().enumerate().map(|(port, info)| {
            if let Some((link, number)) = far(port) {
                return Place::There(link, number);
            }
            here.push(info.clone());
            Place::Here(here.len() - 1)
        });
        let places = places.collect();
        Ok(Self { watch: LinkWatch::start(&here)?, places })
    }

    /// What is wrong with the link of a port.
    pub(super) fn lost(&self, port: usize) -> Option<String> {
        match &self.places[port] {
            Place::Here(number) => self.watch.check(*number).err().map(|error| error.to_string()),
            Place::There(link, number) => link.lost(*number),
        }
    }

    /// How often it was lost since the session was opened.
    pub(super) fn losses(&self, port: usize) -> u32 {
        match &self.places[port] {
            Place::Here(number) => self.watch.losses(*number),
            Place::There(link, number) => link.losses(*number),
        }
    }

    /// Waits for the carrier of a port of this host; another daemon has waited for its own.
    pub(super) fn wait_for_carrier(&self, port: usize, most: Duration) -> Result<(), NicError> {
        match &self.places[port] {
            Place::Here(number) => self.watch.wait_for_carrier(*number, most),
            Place::There(..) => Ok(()),
        }
    }
}
