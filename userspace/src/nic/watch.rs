use super::{
    NicError, PortInfo, PortName,
    exchange::messages,
    netlink::{RouteSocket, link_events},
    netns::NetnsId,
    wake::{Wake, Worker},
};
use netlink_packet_core::NetlinkBuffer;
use netlink_packet_route::{
    AddressFamily,
    link::{LinkFlags, LinkHeader},
};
use netlink_sys::Socket;
use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;

/// How often a wait for carrier looks; far below what a link takes to come up.
const LOOK: Duration = Duration::from_millis(5);

/// State of a watched port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum LinkState {
    /// Up, with carrier.
    Up,
    /// Up, without carrier. The kernel may hold this news back for up to a second
    /// (`net/core/link_watch.c`); all other changes are heard at once.
    NoCarrier,
    /// Administratively down.
    Down,
    /// Deleted, or moved to another namespace. Stays so.
    Gone,
}

/// Listens for changes of ports. Their states can be read at any time from any thread
/// without a lock or a system call.
#[derive(Debug)]
pub struct LinkWatch {
    ports: Arc<[Watched]>,
    _worker: Worker,
}

#[derive(Debug)]
struct Watched {
    name: PortName,
    netns: NetnsId,
    ifindex: u32,
    state: AtomicU8,
    losses: AtomicU32,
}

/// The two sockets that a namespace needs: one that hears, one that asks.
struct Ear {
    netns: NetnsId,
    events: Socket,
    route: RouteSocket,
}

impl LinkWatch {
    /// Starts to watch; the states are right from the first moment.
    ///
    /// # Errors
    /// Those of [`super::Netns`], and [`NicError::Kernel`].
    pub fn start(ports: &[PortInfo]) -> Result<Self, NicError> {
        let failed = |error| NicError::kernel("listen for link changes over rtnetlink", error);
        let mut ears: Vec<Ear> = Vec::new();
        let mut watched = Vec::new();
        for port in ports {
            let netns = port.netns()?;
            let id = netns.id();
            if !ears.iter().any(|ear| ear.netns == id) {
                let (events, route) =
                    netns.run(|| Ok((link_events()?, RouteSocket::open()?)))?.map_err(failed)?;
                ears.push(Ear { netns: id, events, route });
            }
            watched.push(Watched {
                name: port.name.clone(),
                netns: id,
                ifindex: port.ifindex,
                state: AtomicU8::new(LinkState::Up as u8),
                losses: AtomicU32::new(0),
            });
        }
        let ports: Arc<[Watched]> = watched.into();
        // Heard first and asked second: a change in between is heard of.
        for ear in &mut ears {
            ear.ask(&ports).map_err(failed)?;
        }
        for port in ports.iter() {
            port.losses.store(0, Ordering::Relaxed);
        }
        let shared = Arc::clone(&ports);
        let worker = Worker::start("link-watch", move |wake| listen(&wake, &mut ears, &shared))
            .map_err(|error| NicError::kernel("start a thread", error))?;
        Ok(Self { ports, _worker: worker })
    }

    /// The state of the port that was `ports[index]` at the start.
    ///
    /// # Panics
    /// If there was no such port.
    pub fn state(&self, index: usize) -> LinkState {
        self.ports[index].state()
    }

    /// How often that port left [`LinkState::Up`] since the start: a link that was lost
    /// and came back between two looks at [`Self::state`] is seen here.
    ///
    /// # Panics
    /// If there was no such port.
    pub fn losses(&self, index: usize) -> u32 {
        self.ports[index].losses.load(Ordering::Acquire)
    }

    /// The error that the state of a port means; `Ok` while it is up.
    ///
    /// # Errors
    /// [`NicError::Down`], [`NicError::NoCarrier`] and [`NicError::Gone`].
    ///
    /// # Panics
    /// If there was no such port.
    pub fn check(&self, index: usize) -> Result<(), NicError> {
        self.ports[index].check(Duration::ZERO)
    }

    /// Waits until the port is up and has carrier. Attaching XDP takes some links down
    /// for seconds.
    ///
    /// # Errors
    /// Those of [`Self::check`]: [`NicError::Gone`] at once, the others after `timeout`.
    ///
    /// # Panics
    /// If there was no such port.
    pub fn wait_for_carrier(&self, index: usize, timeout: Duration) -> Result<(), NicError> {
        let start = Instant::now();
        loop {
            let result = self.ports[index].check(timeout);
            let last = start.elapsed() >= timeout;
            if last || matches!(result, Ok(()) | Err(NicError::Gone { .. })) {
                return result;
            }
            thread::sleep(LOOK);
        }
    }
}

/// Waits until all these ports are up and have carrier at one look.
///
/// It asks where a [`LinkWatch`] that runs already may not have heard yet: of a link that was
/// reset a moment ago, or of one whose peer was reset.
///
/// # Errors
/// Those of [`LinkWatch`].
pub fn wait_for_carriers(ports: &[PortInfo], timeout: Duration) -> Result<(), NicError> {
    let start = Instant::now();
    loop {
        let watch = LinkWatch::start(ports)?;
        if (0..ports.len()).all(|index| watch.check(index).is_ok()) {
            return Ok(());
        }
        for index in 0..ports.len() {
            watch.wait_for_carrier(index, timeout.saturating_sub(start.elapsed()))?;
        }
    }
}

impl Watched {
    fn state(&self) -> LinkState {
        match self.state.load(Ordering::Acquire) {
            0 => LinkState::Up,
            1 => LinkState::NoCarrier,
            2 => LinkState::Down,
            _ => LinkState::Gone,
        }
    }

    /// Only the listener writes, so load and store need not be one step.
    fn set(&self, state: LinkState) {
        let before = self.state();
        if before == state || before == LinkState::Gone {
            return;
        }
        if before == LinkState::Up {
            self.losses.fetch_add(1, Ordering::Release);
        }
        self.state.store(state as u8, Ordering::Release);
    }

    fn check(&self, waited: Duration) -> Result<(), NicError> {
        let port = self.name.clone();
        match self.state() {
            LinkState::Up => Ok(()),
            LinkState::NoCarrier => Err(NicError::NoCarrier { port, waited }),
            LinkState::Down => Err(NicError::Down { port }),
            LinkState::Gone => Err(NicError::Gone { port }),
        }
    }
}

impl Ear {
    fn fd(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }

    /// Asks for the state of every port of this namespace.
    fn ask(&mut self, ports: &[Watched]) -> io::Result<()> {
        for port in ports.iter().filter(|port| port.netns == self.netns) {
            let link = self.route.link(port.ifindex)?;
            port.set(link.map_or(LinkState::Gone, |link| state_of(link.header.flags)));
        }
        Ok(())
    }

    /// Takes in what was heard. What was said while the socket was full is asked for.
    fn hear(&mut self, ports: &[Watched]) {
        loop {
            match self.events.recv_from_full() {
                Ok((datagram, _)) => messages(&datagram).for_each(|it| self.take(it, ports)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // ENOBUFS: messages were lost. An answer that fails leaves the old state.
                Err(_) => {
                    let _ = self.ask(ports);
                    return;
                }
            }
        }
    }

    /// Only the header is read: no attribute, known or not, can hide a lost link.
    fn take(&self, message: &[u8], ports: &[Watched]) {
        let message = NetlinkBuffer::new(message);
        let Ok(header) = LinkHeader::parse(message.payload()) else { return };
        // A bridge says that a port left it with the same message in its own family.
        if header.interface_family != AddressFamily::Unspec {
            return;
        }
        let state = match message.message_type() {
            RTM_NEWLINK => state_of(header.flags),
            RTM_DELLINK => LinkState::Gone,
            _ => return,
        };
        let ours = |port: &&Watched| port.netns == self.netns && port.ifindex == header.index;
        ports.iter().filter(ours).for_each(|port| port.set(state));
    }
}

fn listen(wake: &Wake, ears: &mut [Ear], ports: &[Watched]) {
    loop {
        let fds: Vec<BorrowedFd<'_>> = ears.iter().map(Ear::fd).collect();
        let Some(ready) = wake.wait(&fds) else { return };
        for (ear, _) in ears.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
            ear.hear(ports);
        }
    }
}

fn state_of(flags: LinkFlags) -> LinkState {
    if !flags.contains(LinkFlags::Up) {
        LinkState::Down
    } else if !flags.contains(LinkFlags::LowerUp) {
        LinkState::NoCarrier
    } else {
        LinkState::Up
    }
}
