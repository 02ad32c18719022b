//! Which clock times the frames of a port, and the NIC's clock kept in step with ours while
//! frames are timed by it.

use crate::{
    nic::{Capabilities, ClockFit, ClockLine, ClockReading, Fitted, Phc},
    rx::PortTotals,
};
use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};
use xdp_ebpf::abi;

/// Between two readings at first, and while frames are timed.
const AT_FIRST: Duration = Duration::from_millis(20);
const BETWEEN: Duration = Duration::from_millis(250);
/// Readings until the first line has to be there.
const FIRST_READINGS: usize = 12;
/// A line serves for so long without a new one; then the kernel's clock does.
const REACH_NS: u64 = 2_000_000_000;

/// The clock, `/dev/ptpN`, by which a port can time what it receives.
///
/// # Errors
/// Why it cannot, and the kernel's clock has to.
pub fn receive_clock(can: &Capabilities) -> Result<u32, &'static str> {
    let xdp = can.xdp.as_ref().ok_or("the kernel does not say what XDP can read")?;
    if !xdp.rx_metadata.contains(&"timestamp") {
        return Err("its driver gives XDP no receive stamps");
    }
    let stamping = can.timestamping.as_ref().filter(|it| it.stamps.contains(&"rx-hardware"));
    let stamping = stamping.ok_or("it stamps nothing in hardware")?;
    if !stamping.rx_filters.contains(&"all") {
        return Err("it stamps only some kinds of frames");
    }
    stamping.phc.ok_or("its clock cannot be read")
}

/// A port's clock, in step with ours, as soon as there is a line.
pub(super) struct Learned<R> {
    read: R,
    fit: ClockFit,
    line: ClockLine,
    error_ns: u64,
}

/// Opens the clock and learns how it goes.
pub(super) fn learn(number: u32) -> Result<Learned<impl Read>, String> {
    let phc = Phc::open(number).map_err(|error| format!("/dev/ptp{number}: {error}"))?;
    learn_from(move || phc.read()).map_err(|why| format!("/dev/ptp{number}: {why}"))
}

/// How a clock, `/dev/ptpN`, goes against the kernel's, in words; or why that is not known.
pub fn clock_in_words(number: u32) -> String {
    learn(number).map_or_else(
        |why| why,
        |Learned { line, error_ns, .. }| {
            let ppm = -line.drift_q38 as f64 / (1_u64 << 38) as f64 * 1e6;
            format!("/dev/ptp{number}, {ppm:+.3} ppm against the kernel's, to +-{error_ns} ns now")
        },
    )
}

/// What reads a NIC's clock.
pub(super) trait Read: FnMut() -> io::Result<ClockReading> + Send + 'static {}

impl<T: FnMut() -> io::Result<ClockReading> + Send + 'static> Read for T {}

fn learn_from<R: Read>(mut read: R) -> Result<Learned<R>, String> {
    let mut fit = ClockFit::default();
    for _ in 0..FIRST_READINGS {
        let reading = read().map_err(|error| error.to_string())?;
        if let Fitted::Line { line, error_ns } = fit.take(reading) {
            return Ok(Learned { read, fit, line, error_ns });
        }
        thread::sleep(AT_FIRST);
    }
    Err("it does not go steadily against the kernel's clock".to_owned())
}

/// A NIC's clock that is read again and again until this is dropped.
#[derive(Debug)]
pub(super) struct NicClock {
    /// `/dev/ptpN`.
    pub(super) number: u32,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// How far lines in use were off at most.
    error_ns: u64,
    /// How far the one in use now may be.
    now_ns: u64,
    /// Why times were wrong, or the kernel's clock had to serve.
    trouble: Option<String>,
    end: bool,
}

/// How well a NIC's clock was known during a trial.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ClockTold {
    /// At most so far off.
    pub(super) error_ns: u64,
    /// What became of it, a sentence about it; `None`: it went on as before.
    pub(super) trouble: Option<String>,
}

impl NicClock {
    /// From now on `publish` hears every line, and of `None` when none holds any more.
    pub(super) fn start(
        number: u32,
        learned: Learned<impl Read>,
        mut publish: impl FnMut(Option<&ClockLine>) + Send + 'static,
    ) -> io::Result<Self> {
        let Learned { mut read, mut fit, line, error_ns } = learned;
        publish(Some(&line));
        let state = State { error_ns, now_ns: error_ns, ..State::default() };
        let shared = Arc::new(Shared { state: Mutex::new(state), ended: Condvar::new() });
        let seen = Arc::clone(&shared);
        let work = move || {
            while !seen.wait() {
                let fitted = read().map(|reading| fit.take(reading));
                let mut state = seen.lock();
                match fitted {
                    Ok(Fitted::Line { line, error_ns }) => {
                        publish(Some(&line));
                        state.now_ns = error_ns;
                        state.error_ns = state.error_ns.max(error_ns);
                        continue;
                    }
                    Ok(Fitted::Stepped { by_ns }) => {
                        state.trouble =
                            Some(format!("jumped by {} ns against the kernel's", -by_ns));
                    }
                    Ok(Fitted::Learning) => {
                        let unsteady = || "does not go steadily against the kernel's".to_owned();
                        state.trouble.get_or_insert_with(unsteady);
                    }
                    Err(error) => state.trouble = Some(format!("cannot be read: {error}")),
                }
                publish(None);
            }
        };
        let thread = thread::Builder::new().name("nic clock".into()).spawn(work)?;
        Ok(Self { number, shared, thread: Some(thread) })
    }

    /// A trial begins: what was before is of no concern.
    pub(super) fn begin(&self) {
        let mut state = self.shared.lock();
        state.error_ns = state.now_ns;
        state.trouble = None;
    }

    /// What came of it, by what the port has counted since the session began.
    pub(super) fn note(&self, counted: &PortTotals) -> String {
        let Self { number, .. } = self;
        let &PortTotals { stamped, unstamped, .. } = counted;
        let all = stamped + unstamped;
        let known = self.told().error_ns;
        match (stamped, unstamped) {
            (0, 0) => format!("the NIC times its frames, by /dev/ptp{number}"),
            (_, 0) => format!(
                "the NIC timed its frames, by /dev/ptp{number}, known to +-{known} ns at the worst"
            ),
            (0, _) => format!(
                "the kernel timed its frames: the NIC gave none of {all} a stamp that can be used, \
                 though it was told to"
            ),
            _ => format!(
                "the NIC timed {stamped} of {all} frames ({:.3} %), by /dev/ptp{number}, known to \
                 +-{known} ns at the worst; the kernel timed the others, later: once they were \
                 received as a whole and XDP had them",
                // Never rounded up to all of them.
                (stamped as f64 / all as f64 * 1e5).floor() / 1e3
            ),
        }
    }

    /// How well it has been known since.
    pub(super) fn told(&self) -> ClockTold {
        let state = self.shared.lock();
        ClockTold { error_ns: state.error_ns, trouble: state.trouble.clone() }
    }
}

impl Drop for NicClock {
    fn drop(&mut self) {
        self.shared.lock().end = true;
        self.shared.ended.notify_all();
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell: a panic of it has been printed.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the time of the next reading; true: there is none.
    fn wait(&self) -> bool {
        let waited = self.ended.wait_timeout_while(self.lock(), BETWEEN, |state| !state.end);
        waited.unwrap_or_else(PoisonError::into_inner).0.end
    }
}

/// As the program takes it.
pub(super) fn fit_of(line: Option<&ClockLine>) -> abi::nic_fit {
    line.map_or_else(abi::nic_fit::default, |line| abi::nic_fit {
        nic_ns: line.nic_ns,
        monotonic_ns: line.monotonic_ns,
        drift_q38: line.drift_q38,
        reach_ns: REACH_NS,
    })
}

#[cfg(test)]
mod tests;
