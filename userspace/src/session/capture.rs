//! What passes a port, written down: test frames from AF_XDP sockets, all others from a
//! packet socket after XDP let them pass, merged by time.

use super::{
    SessionError,
    single::{Held, link_fault, native_or_generic},
};
use crate::{
    nic::{
        Hold, LinkState, LinkWatch, PortCounters, PortInfo, PortName, PortReading, Tap, port_info,
    },
    packet::{CaptureCounts, Filter, PcapngWriter, Seen},
    rx::{XskOverruns, XskReceiver},
    units::monotonic_ns,
};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io::Write,
    os::fd::AsFd,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use xdp_ebpf::{Capture, XdpMode};

/// What is to be written down.
#[derive(Debug, Clone)]
pub struct CaptureSpec {
    /// Where.
    pub port: PortName,
    /// Octets kept of each frame.
    pub snap_bytes: usize,
    /// Which frames, and the text that says so.
    pub filter: Option<(Filter, String)>,
    /// How many at most.
    pub count: Option<u64>,
    /// How long at most.
    pub duration: Option<Duration>,
}

/// A capture that is over.
#[derive(Debug, Clone)]
pub struct CaptureEnd {
    /// As the file says at its end.
    pub counts: CaptureCounts,
    /// Test frames that came through AF_XDP, written or not.
    pub tagged: u64,
    /// Frames that came by the kernel.
    pub heard: u64,
    /// Where the sockets had no room, by the kernel's own count; `None`: it does not say.
    pub overruns: Option<XskOverruns>,
    /// Why it ended before its time; `None`: it did not.
    pub fault: Option<String>,
}

/// A port held, with the program attached and the sockets open.
#[derive(Debug)]
pub struct CaptureSession {
    spec: CaptureSpec,
    // Dropped in this order: first what redirects, then where to, then the settings.
    program: Option<Capture>,
    sockets: Vec<XskReceiver>,
    tap: Tap,
    counters: PortCounters,
    watch: LinkWatch,
    hold: Option<Hold>,
    native_refused: Option<String>,
}

/// Frames wait so long for earlier ones of the other sources.
const SETTLE_NS: u64 = 100_000_000;
const POLL_MS: u16 = 20;
/// Frames taken from the packet socket before the others have their turn.
const TURN: usize = 256;

impl CaptureSession {
    /// Takes the port. On an error everything is as it was.
    pub fn open(spec: CaptureSpec) -> Result<Self, SessionError> {
        let Held { info, watch, netns, hold, counters } = Held::take(&spec.port)?;
        let (program, sockets, native_refused) = netns.run(|| attach(&info))??;
        let tap = Tap::open(&info)?;
        let (program, hold) = (Some(program), Some(hold));
        Ok(Self { spec, program, sockets, tap, counters, watch, hold, native_refused })
    }

    /// Hears what goes to and from the kernel at a port that may be in use: test frames too,
    /// where [`Settings::listened`](super::Settings::listened) names it. Nothing is attached
    /// and no setting changed.
    pub fn beside(spec: CaptureSpec) -> Result<Self, SessionError> {
        let info = port_info(&spec.port)?;
        let watch = LinkWatch::start(std::slice::from_ref(&info))?;
        let counters = PortCounters::open(&info)?;
        let tap = Tap::open(&info)?;
        Ok(Self {
            spec,
            program: None,
            sockets: Vec::new(),
            tap,
            counters,
            watch,
            hold: None,
            native_refused: None,
        })
    }

    /// Sentences about how the port is used.
    pub fn notes(&self) -> Vec<String> {
        let port = &self.spec.port;
        let generic = self.native_refused.iter();
        let generic = generic.map(|why| format!("{port}: the program runs in generic mode: {why}"));
        let copied = !self.sockets.iter().all(XskReceiver::is_zero_copy);
        let copied = copied.then(|| format!("{port}: test frames are copied by the kernel"));
        let uncontrolled = self.hold.iter().flat_map(Hold::not_controllable);
        generic.chain(copied).chain(uncontrolled.map(|what| format!("{port}: {what}"))).collect()
    }

    /// Writes frames in the order of their times until the end or until `stop` is set.
    pub fn run(mut self, out: impl Write, stop: &AtomicBool) -> Result<CaptureEnd, SessionError> {
        let text = self.spec.filter.as_ref().map(|(_, text)| text.as_str());
        let port = self.spec.port.to_string();
        let file = PcapngWriter::new(out, &port, text, self.spec.snap_bytes)
            .map_err(SessionError::Capture)?;
        let mut merge = Merge { file, waiting: BinaryHeap::new(), taken: 0, written: 0 };
        let (mut tagged, mut heard, mut outgoing) = (0, 0, 0);
        let before = self.counters.read().ok();
        let (started, start_ns) = (Instant::now(), realtime_ns());
        let record = |program: &Option<Capture>| program.as_ref().map(Capture::record);
        let seen_before = record(&self.program);
        let full = |written: u64| self.spec.count.is_some_and(|count| written >= count);
        let mut lost = None;
        let mut last_turn = false;
        loop {
            let offset_ns = realtime_ns() - monotonic_ns();
            let mut idle = true;
            for socket in &mut self.sockets {
                let filter = self.spec.filter.as_ref();
                let count = socket.receive(|time_ns, frame| {
                    let seen = Seen { frame, tagged: true, outgoing: false };
                    if filter.is_none_or(|(filter, _)| filter.holds(&seen)) {
                        merge.take(time_ns + offset_ns, false, frame.to_vec());
                    }
                });
                tagged += count as u64;
                idle &= count == 0;
            }
            for _ in 0..TURN {
                let Ok(Some(found)) = self.tap.receive() else { break };
                idle = false;
                heard += 1;
                outgoing += u64::from(found.outgoing);
                let seen = Seen { frame: &found.frame, tagged: false, outgoing: found.outgoing };
                if self.spec.filter.as_ref().is_none_or(|(filter, _)| filter.holds(&seen)) {
                    merge.take(found.time_ns, found.outgoing, found.frame);
                }
            }
            let until_ns = if last_turn && idle { u64::MAX } else { realtime_ns() - SETTLE_NS };
            merge.write(until_ns, self.spec.count)?;
            if last_turn && idle || full(merge.written) {
                break;
            }
            if last_turn {
                continue;
            }
            // A port that is only heard may be set down and up again by whoever has it.
            let state = Some(self.watch.state(0));
            let state = state.filter(|&it| self.hold.is_some() || it == LinkState::Gone);
            lost = state.and_then(|state| link_fault(state, &self.spec.port));
            let over = self.spec.duration.is_some_and(|time| started.elapsed() >= time);
            if stop.load(Relaxed) || over || lost.is_some() {
                // What has come is still written, and nothing new redirected.
                self.program.as_mut().map(Capture::detach);
                last_turn = true;
            } else if idle {
                self.wait();
            }
        }
        self.program.as_mut().map(Capture::detach);
        let bounded = self.spec.count.is_some() || self.spec.duration.is_some();
        let over = self.spec.duration.is_some_and(|time| started.elapsed() >= time);
        let finished = full(merge.written) || over;
        let interrupted = bounded && !finished && stop.load(Relaxed);
        let seen = record(&self.program).zip(seen_before);
        let after = self.counters.read().ok();
        let gained = after.zip(before).map(|(after, before)| after.since(&before));
        let redirected = seen.map_or(0, |(seen, before)| seen.redirected - before.redirected);
        let received = seen.map_or(heard - outgoing, |(seen, before)| seen.seen - before.seen);
        // Once the count is reached, the rest was not wanted, not dropped.
        let in_sockets = if full(merge.written) { 0 } else { redirected.saturating_sub(tagged) };
        let counts = CaptureCounts {
            received: received + outgoing,
            interface_dropped: gained.as_ref().map_or(0, PortReading::rx_dropped),
            kernel_dropped: in_sockets + self.tap.dropped(),
            written: merge.written,
        };
        merge.file.finish(start_ns, realtime_ns(), &counts).map_err(SessionError::Capture)?;
        let fault = lost.or_else(|| interrupted.then(|| "interrupted before its end".to_owned()));
        Ok(CaptureEnd { counts, tagged, heard, overruns: self.overruns(), fault })
    }

    /// Of all sockets together.
    fn overruns(&self) -> Option<XskOverruns> {
        let each = self.sockets.iter().map(XskReceiver::overruns);
        each.sum::<Option<XskOverruns>>()
    }

    /// Until something has come, or for a while.
    fn wait(&self) {
        let sockets = self.sockets.iter().map(AsFd::as_fd).chain([self.tap.as_fd()]);
        let mut fds: Vec<_> = sockets.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        // A signal is heard right after.
        let _ = poll(&mut fds, PollTimeout::from(POLL_MS));
    }
}

/// Time, number, outgoing, octets.
type Waiting = (u64, u64, bool, Vec<u8>);

/// Puts frames of several sources into one order.
struct Merge<W: Write> {
    file: PcapngWriter<W>,
    /// The earliest on top.
    waiting: BinaryHeap<Reverse<Waiting>>,
    taken: u64,
    written: u64,
}

impl<W: Write> Merge<W> {
    fn take(&mut self, time_ns: u64, outgoing: bool, frame: Vec<u8>) {
        self.taken += 1;
        self.waiting.push(Reverse((time_ns, self.taken, outgoing, frame)));
    }

    /// Writes what is older than `until_ns`, but no more than `count` in all.
    fn write(&mut self, until_ns: u64, count: Option<u64>) -> Result<(), SessionError> {
        while let Some(Reverse(first)) = self.waiting.peek()
            && first.0 <= until_ns
            && count.is_none_or(|count| self.written < count)
        {
            let Some(Reverse((time_ns, _, outgoing, frame))) = self.waiting.pop() else { break };
            self.file.write(time_ns, outgoing, &frame).map_err(SessionError::Capture)?;
            self.written += 1;
        }
        Ok(())
    }
}

fn realtime_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64)
}

type Attached = (Capture, Vec<XskReceiver>, Option<String>);

/// Opens a socket for every RX queue and attaches the program, native or else generic.
fn attach(info: &PortInfo) -> Result<Attached, SessionError> {
    let port = || info.name.to_string();
    let failed = |source| SessionError::Analyser { port: port(), source };
    let (program, refused) = native_or_generic(|mode| {
        let mut program = Capture::load(info.rx_queues, mode)?;
        program.attach(info.ifindex)?;
        Ok(program)
    })
    .map_err(failed)?;
    let native = program.attach_mode() == XdpMode::Native;
    let mut sockets = Vec::with_capacity(info.rx_queues as usize);
    for queue in 0..info.rx_queues {
        let socket = XskReceiver::open(&info.name.interface, queue, native)
            .map_err(|source| SessionError::Xsk { port: port(), queue, source })?;
        program.set_socket(queue, socket.as_fd()).map_err(failed)?;
        socket.wake();
        sockets.push(socket);
    }
    Ok((program, sockets, refused))
}
