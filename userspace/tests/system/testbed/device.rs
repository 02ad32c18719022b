//! A device under test that misbehaves on purpose and keeps exact books.

use super::{Lab, Layout, PacketSocket, Port, Tag, eventually};
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What happens to one frame of the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Pass,
    Drop,
    Duplicate,
    SwapWithNext,
    Corrupt(Part),
    /// Sent back to where it came from.
    Reflect,
    /// Kept until [`Device::release`].
    Hold,
}

/// What part of a frame is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The first payload octet; the UDP checksum is left as it is.
    Payload,
    /// The TTL; the IPv4 header checksum is left as it is.
    IpHeader,
    /// The first octet of the tag.
    Tag,
}

/// What one direction of the device does to UDP frames with a port in `ports`;
/// everything else passes unharmed and uncounted.
#[derive(Debug, Clone)]
pub(crate) struct Behaviour {
    pub(crate) ports: RangeInclusive<u16>,
    /// By the frame's number in order of arrival, from 0.
    pub(crate) act: fn(u64) -> Act,
    /// Time from arrival to departure.
    pub(crate) delay: Duration,
    /// Frame i leaves on TX queue i mod 2 (its duplicate on the other), so that the
    /// next hop receives the flow on two RX queues.
    pub(crate) spray: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self { ports: 0..=u16::MAX, act: |_| Act::Pass, delay: Duration::ZERO, spray: false }
    }
}

/// What one direction did. `seen + duplicated = forwarded + dropped + reflected + held`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Books {
    pub(crate) seen: u64,
    pub(crate) forwarded: u64,
    pub(crate) dropped: u64,
    pub(crate) duplicated: u64,
    pub(crate) swapped: u64,
    pub(crate) corrupted: u64,
    pub(crate) reflected: u64,
    /// Still held.
    pub(crate) held: u64,
    pub(crate) released: u64,
    /// Measured stay of each delayed frame in ns, in order of departure.
    pub(crate) stays_ns: Vec<u64>,
}

impl Behaviour {
    /// Does this to each UDP frame.
    pub(crate) fn of(act: fn(u64) -> Act) -> Self {
        Self { act, ..Self::default() }
    }
}

/// Two forwarding threads between the device's interfaces.
#[derive(Debug)]
pub(crate) struct Device {
    stop: Arc<AtomicBool>,
    eastward: Direction,
    westward: Direction,
    ports: [Port; 2],
    dropped_before: [u64; 2],
}

#[derive(Debug)]
struct Direction {
    books: Arc<Mutex<Books>>,
    release: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Device {
    /// Forwards everything unharmed in both directions.
    pub(crate) fn faithful(lab: &Lab) -> Self {
        Self::start(lab, Behaviour::default(), Behaviour::default())
    }

    /// Misbehaves from west to east only.
    pub(crate) fn eastward(lab: &Lab, eastward: Behaviour) -> Self {
        Self::start(lab, eastward, Behaviour::default())
    }

    pub(crate) fn start(lab: &Lab, eastward: Behaviour, westward: Behaviour) -> Self {
        let (west, east) = lab.device.clone().expect("a lab with a device");
        let ports = [west, east];
        let dropped_before = [0, 1].map(|i| ports[i].counters().tx_dropped);
        let [west, east] = [0, 1].map(|i| Arc::new(PacketSocket::open(&ports[i])));
        let stop = Arc::new(AtomicBool::new(false));
        let eastward = Direction::start(eastward, &west, &east, &ports[1], &stop);
        let westward = Direction::start(westward, &east, &west, &ports[0], &stop);
        Self { stop, eastward, westward, ports, dropped_before }
    }

    /// Waits until so many frames of the eastward flow arrived.
    pub(crate) fn await_seen(&self, count: u64) {
        eventually(&format!("{count} frames at the device"), || {
            self.eastward.books.lock().expect("the books").seen >= count
        });
    }

    /// Sends every held frame on.
    pub(crate) fn release(&self) {
        self.eastward.release.store(true, Ordering::Release);
        eventually("held frames released", || {
            self.eastward.books.lock().expect("the books").held == 0
        });
    }

    /// The eastward books; fails if the testbed itself lost a frame.
    pub(crate) fn stop(self) -> Books {
        self.stop_both().0
    }

    /// The eastward and the westward books.
    pub(crate) fn stop_both(mut self) -> (Books, Books) {
        self.join();
        for (port, before) in self.ports.iter().zip(self.dropped_before) {
            let dropped = port.counters().tx_dropped - before;
            assert_eq!(dropped, 0, "the testbed's veth lost frames at {port}: lower the rate");
        }
        let books = |direction: &Direction| direction.books.lock().expect("the books").clone();
        (books(&self.eastward), books(&self.westward))
    }

    fn join(&mut self) {
        self.stop.store(true, Ordering::Release);
        for direction in [&mut self.eastward, &mut self.westward] {
            if let Some(thread) = direction.thread.take() {
                let outcome = thread.join();
                assert!(outcome.is_ok() || std::thread::panicking(), "the device thread panicked");
            }
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.join();
    }
}

impl Direction {
    fn start(
        behaviour: Behaviour,
        from: &Arc<PacketSocket>,
        to: &Arc<PacketSocket>,
        to_port: &Port,
        stop: &Arc<AtomicBool>,
    ) -> Self {
        let books = Arc::new(Mutex::new(Books::default()));
        let release = Arc::new(AtomicBool::new(false));
        let egress = if behaviour.spray {
            Egress::Sprayed([0, 1].map(|queue| queue_sender(to_port, queue)))
        } else {
            Egress::Socket(Arc::clone(to))
        };
        let mut forwarder = Forwarder {
            behaviour,
            ingress: Arc::clone(from),
            egress,
            books: Arc::clone(&books),
            swap: None,
            held: Vec::new(),
            delayed: VecDeque::new(),
        };
        let (socket, stop, released) = (Arc::clone(from), Arc::clone(stop), Arc::clone(&release));
        let thread = std::thread::spawn(move || {
            loop {
                let last = stop.load(Ordering::Acquire);
                let arrived = socket.receive(forwarder.patience(), |frame| forwarder.arrive(frame));
                forwarder.send_due();
                if released.swap(false, Ordering::AcqRel) {
                    forwarder.send_held();
                }
                if last && arrived == 0 && forwarder.delayed.is_empty() {
                    break;
                }
            }
            assert!(forwarder.swap.is_none(), "the last frame waits for a successor to swap with");
            assert_eq!(socket.kernel_drops(), 0, "the testbed's device was too slow");
        });
        Self { books, release, thread: Some(thread) }
    }
}

struct Forwarder {
    behaviour: Behaviour,
    ingress: Arc<PacketSocket>,
    egress: Egress,
    books: Arc<Mutex<Books>>,
    /// Frame that waits for its successor, with its number.
    swap: Option<(u64, Vec<u8>)>,
    held: Vec<(u64, Vec<u8>)>,
    delayed: VecDeque<(Instant, Vec<u8>)>,
}

impl Forwarder {
    fn arrive(&mut self, mut frame: Vec<u8>) {
        let ports = &self.behaviour.ports;
        let flow = Layout::of_udp(&frame).filter(|layout| {
            ports.contains(&layout.source_port) || ports.contains(&layout.destination_port)
        });
        let Some(layout) = flow else { return self.egress.send(0, frame) };
        let number = self.book(|books| books.seen += 1) - 1;
        if !self.behaviour.delay.is_zero() {
            return self.delayed.push_back((Instant::now(), frame));
        }
        match (self.behaviour.act)(number) {
            Act::Pass => self.forward(number, frame),
            Act::Drop => {
                self.book(|books| books.dropped += 1);
            }
            Act::Duplicate => {
                self.book(|books| books.duplicated += 1);
                self.forward(number, frame.clone());
                self.forward(number + 1, frame);
            }
            Act::SwapWithNext => {
                assert!(self.swap.is_none(), "two swaps in a row");
                self.swap = Some((number, frame));
                return;
            }
            Act::Corrupt(part) => {
                let offset = match part {
                    Part::Payload => layout.payload,
                    Part::IpHeader => layout.ip + 8,
                    Part::Tag => layout.end - Tag::BYTES,
                };
                frame[offset] ^= 0x55;
                self.book(|books| books.corrupted += 1);
                self.forward(number, frame);
            }
            Act::Reflect => {
                self.book(|books| books.reflected += 1);
                self.ingress.send(&frame);
            }
            Act::Hold => {
                self.book(|books| books.held += 1);
                self.held.push((number, frame));
            }
        }
        if let Some((number, frame)) = self.swap.take() {
            self.book(|books| books.swapped += 1);
            self.forward(number, frame);
        }
    }

    fn forward(&self, number: u64, frame: Vec<u8>) {
        self.book(|books| books.forwarded += 1);
        self.egress.send(number, frame);
    }

    fn send_held(&mut self) {
        for (number, frame) in std::mem::take(&mut self.held) {
            self.forward(number, frame);
            self.book(|books| {
                books.held -= 1;
                books.released += 1;
            });
        }
    }

    fn send_due(&mut self) {
        while let Some((arrived, _)) = self.delayed.front() {
            let stay = arrived.elapsed();
            if stay < self.behaviour.delay {
                return;
            }
            let (_, frame) = self.delayed.pop_front().expect("a front");
            let number = self.book(|books| books.stays_ns.push(stay.as_nanos() as u64));
            self.forward(number, frame);
        }
    }

    /// How long to wait for the next arrival.
    fn patience(&self) -> Duration {
        let idle = Duration::from_millis(20);
        self.delayed.front().map_or(idle, |(arrived, _)| {
            self.behaviour.delay.saturating_sub(arrived.elapsed()).min(idle)
        })
    }

    /// Writes into the books; returns how many frames they have seen.
    fn book(&self, entry: impl FnOnce(&mut Books)) -> u64 {
        let mut books = self.books.lock().expect("the books");
        entry(&mut books);
        books.seen
    }
}

enum Egress {
    Socket(Arc<PacketSocket>),
    Sprayed([QueueSender; 2]),
}

impl Egress {
    fn send(&self, number: u64, frame: Vec<u8>) {
        match self {
            Egress::Socket(socket) => socket.send(&frame),
            Egress::Sprayed(queues) => queues[(number % 2) as usize].send(frame),
        }
    }
}

/// Sends on one TX queue: a thread on the CPU of that number, past the qdisc.
struct QueueSender {
    frames: Option<Sender<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

impl QueueSender {
    fn send(&self, frame: Vec<u8>) {
        let frames = self.frames.as_ref().expect("open until dropped");
        frames.send(frame).expect("the queue's thread");
    }
}

impl Drop for QueueSender {
    fn drop(&mut self) {
        self.frames = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn queue_sender(port: &Port, queue: usize) -> QueueSender {
    let socket = PacketSocket::open_bypassing(port);
    let (frames, queued) = channel::<Vec<u8>>();
    let thread = std::thread::spawn(move || {
        let mut cpu = nix::sched::CpuSet::new();
        cpu.set(queue).expect("a CPU number");
        nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &cpu)
            .unwrap_or_else(|e| panic!("spraying over two queues needs CPU {queue}: {e}"));
        for frame in queued {
            socket.send(&frame);
        }
    });
    QueueSender { frames: Some(frames), thread: Some(thread) }
}
