//! The live stream: one ring of events, read at each reader's own pace.
//!
//! Whoever produces an event only puts it into the ring. A reader that is slow misses what
//! the ring no longer has, and is told so; it holds nobody up.

use super::engine::RunSnapshot;
use serde::Serialize;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// Events kept for readers that come back: five minutes of seconds.
const EVENTS: usize = 300;
/// What they may take.
const OCTETS: usize = 64 << 20;

/// What an event is about, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// A run.
    Run(u64),
    /// A suite.
    Suite(u64),
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its number, from 1.
    pub number: u64,
    /// `snapshot`, `run`, `suite`, `progress` or `rates`.
    pub kind: &'static str,
    /// What it is about.
    pub about: About,
    /// As JSON.
    pub data: Arc<str>,
    /// What the JSON was made of, if it can be made of less.
    pub snapshot: Option<Arc<RunSnapshot>>,
}

/// What comes after the event that a reader has had.
#[derive(Debug)]
pub enum After {
    /// The next event; so many before it are lost to this reader.
    Event {
        /// The event.
        event: Event,
        /// Events that the ring has no longer.
        missed: u64,
    },
    /// Nothing will come any more.
    Closed,
}

/// The ring.
#[derive(Debug)]
pub struct Live {
    ring: Mutex<Ring>,
    newest: watch::Sender<u64>,
    /// Tells this daemon's numbers from those of an earlier one.
    epoch: u64,
}

#[derive(Debug, Default)]
struct Ring {
    events: VecDeque<Event>,
    octets: usize,
    newest: u64,
    closed: bool,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            ring: Mutex::default(),
            newest: watch::Sender::new(0),
            epoch: jiff::Timestamp::now().as_millisecond() as u64,
        }
    }
}

impl Live {
    /// Puts an event into the ring.
    pub fn put(
        &self,
        kind: &'static str,
        about: About,
        value: &impl Serialize,
        snapshot: Option<Arc<RunSnapshot>>,
    ) {
        let Ok(data) = serde_json::to_string(value) else { return };
        let mut ring = self.ring();
        ring.newest += 1;
        let number = ring.newest;
        ring.octets += data.len();
        ring.events.push_back(Event { number, kind, about, data: data.into(), snapshot });
        while ring.events.len() > EVENTS || ring.octets > OCTETS && ring.events.len() > 1 {
            let gone = ring.events.pop_front();
            ring.octets -= gone.map_or(0, |event| event.data.len());
        }
        drop(ring);
        self.newest.send_replace(number);
    }

    /// Lets every reader end.
    pub fn close(&self) {
        self.ring().closed = true;
        self.newest.send_modify(|_| ());
    }

    /// The number of the newest event.
    pub fn newest(&self) -> u64 {
        self.ring().newest
    }

    /// What a reader gives to go on after an event: `Last-Event-ID`.
    pub fn id(&self, number: u64) -> String {
        format!("{:x}-{number}", self.epoch)
    }

    /// The number behind such an id; `None`: it is of another daemon.
    pub fn number(&self, id: &str) -> Option<u64> {
        let (epoch, number) = id.split_once('-')?;
        let ours = u64::from_str_radix(epoch, 16).ok()? == self.epoch;
        number.parse().ok().filter(|number| ours && *number <= self.newest())
    }

    /// Waits for the event after `last`.
    pub async fn after(&self, last: u64) -> After {
        let mut newest = self.newest.subscribe();
        loop {
            newest.mark_unchanged();
            if let Some(after) = self.ring().after(last) {
                return after;
            }
            if newest.changed().await.is_err() {
                return After::Closed;
            }
        }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn after(&self, last: u64) -> Option<After> {
        let found = self.events.partition_point(|event| event.number <= last);
        match self.events.get(found) {
            Some(event) => {
                let missed = event.number - last - 1;
                Some(After::Event { event: event.clone(), missed })
            }
            None => self.closed.then_some(After::Closed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().build().unwrap()
    }

    #[test]
    fn a_reader_gets_every_event_in_order_and_then_the_end() {
        let live = Arc::new(Live::default());
        let writer = Arc::clone(&live);
        let writing = std::thread::spawn(move || {
            for value in 1..=100_u64 {
                writer.put("run", About::Run(value), &value, None);
            }
            writer.close();
        });
        let heard = runtime().block_on(async {
            let (mut last, mut heard) = (0, Vec::new());
            while let After::Event { event, missed } = live.after(last).await {
                assert_eq!(missed, 0);
                last = event.number;
                heard.push(event.data.parse::<u64>().unwrap());
            }
            heard
        });
        writing.join().unwrap();
        assert_eq!(heard, (1..=100).collect::<Vec<_>>());
    }

    #[test]
    fn a_slow_reader_is_told_how_much_it_missed_and_the_ring_stays_small() {
        let live = Live::default();
        for value in 0..1000_u64 {
            live.put("run", About::Run(1), &value, None);
        }
        assert_eq!(live.ring().events.len(), EVENTS);
        let After::Event { event, missed } = runtime().block_on(live.after(10)) else {
            panic!("it is not closed");
        };
        assert_eq!((event.number, missed), (701, 690));
        let large = "x".repeat(OCTETS / 3);
        (0..5).for_each(|_| live.put("run", About::Run(1), &large, None));
        assert!(live.ring().octets <= OCTETS && live.ring().events.len() == 2);
    }

    #[test]
    fn an_id_of_another_daemon_or_of_the_future_is_none_of_ours() {
        let live = Live::default();
        live.put("run", About::Run(1), &1, None);
        assert_eq!(live.number(&live.id(1)), Some(1));
        assert_eq!(live.number(&live.id(2)), None);
        for other in ["", "x", "0-1", "-1", "zz-1"] {
            assert_eq!(live.number(other), None, "{other}");
        }
    }
}
