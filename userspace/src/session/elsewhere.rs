//! How a trial is prepared, and what it does with ports of other daemons.

use super::{
    Session, SessionError, backend::Redirected, port::Port, readings::Counted, workers::Place,
};
use crate::{tx::Sent, units::monotonic_ns};

/// Every daemon is told to begin and to start before the first frame, in the time that it
/// takes to compare clocks, and more.
const LEAD_MIN_NS: u64 = 200_000_000;
const LEAD_MAX_NS: u64 = 5_000_000_000;
/// Each has twice the time of the one before.
const ATTEMPTS: u32 = 4;

/// Time to start all workers before the first frame is due.
const LEAD_NS: u64 = 20_000_000;
/// A program in the kernel takes some 12 ms more to set up, on a busy machine much more.
const LEAD_LIVE_NS: u64 = 80_000_000;

/// A trial about to begin.
pub(super) struct Armed {
    /// CLOCK_MONOTONIC when the first frame is due.
    pub(super) start_ns: u64,
    pub(super) before: Counted,
    /// By port.
    pub(super) redirected: Vec<Option<Redirected>>,
    pub(super) places: Vec<Place>,
}

impl Session {
    /// Compares the clocks. Gives how much earlier a trial is to be told of than it starts.
    fn prepare_elsewhere(&mut self) -> Result<u64, SessionError> {
        let mut lead_ns = 0;
        for group in &self.groups {
            let took_ns = group.link.prepare()?.as_nanos() as u64;
            lead_ns += (3 * took_ns).clamp(LEAD_MIN_NS, LEAD_MAX_NS);
        }
        self.read_elsewhere();
        Ok(lead_ns)
    }

    /// Brings everything to where the first frame can be sent, and sets its time.
    pub(super) fn arm(&mut self) -> Result<Armed, SessionError> {
        let is_live = self.ports.iter().any(|port| port.redirects.is_some());
        let lead_ns = if is_live { LEAD_LIVE_NS } else { LEAD_NS };
        let lead_ns = lead_ns + self.streams.len() as u64 * 20_000;
        let told_ns = self.prepare_elsewhere()?;
        for attempt in 0..ATTEMPTS {
            self.trial_number = xdp_ebpf::next_trial(self.trial_number);
            for port in &mut self.ports {
                port.receiver.begin_trial(self.trial_number, monotonic_ns());
                port.nic_clock().inspect(|clock| clock.begin());
            }
            // Interfaces are read after the analysers start to count and before they are read
            // last: so no foreign frame can make one look unseen.
            self.read_elsewhere();
            let before = self.counted();
            let redirected = self.ports.iter().map(Port::redirected).collect();
            let places = self.places()?;

            // All that may take long is over: records of 10,000 flows were cleared, the kernel's
            // lock over all interfaces was waited for, threads were brought to their CPUs.
            let start_ns = monotonic_ns() + lead_ns.max(told_ns << attempt);
            for port in &mut self.ports {
                port.receiver.rebase(start_ns);
            }
            self.base_ns = start_ns;
            if self.start_elsewhere(start_ns)? {
                return Ok(Armed { start_ns, before, redirected, places });
            }
        }
        let slow = "it was told of the trial too late; is the way to it slow?";
        Err(match self.groups.first() {
            Some(group) => group.link.failed(slow),
            None => SessionError::Thread(std::io::ErrorKind::TimedOut.into()),
        })
    }

    /// Lets workers elsewhere await the start; false: it was over before all had heard of it.
    fn start_elsewhere(&mut self, start_ns: u64) -> Result<bool, SessionError> {
        for group in &self.groups {
            group.link.begin(self.trial_number, start_ns)?;
            for &port in &group.ports {
                if let Some(mirror) = self.ports[port].receiver.source_mut().there() {
                    mirror.clear();
                }
            }
        }
        self.groups.iter().try_for_each(|group| group.link.start())?;
        if self.groups.is_empty() || monotonic_ns() < start_ns {
            return Ok(true);
        }
        for group in &self.groups {
            group.link.stop()?;
            group.link.end()?;
        }
        Ok(false)
    }

    /// Reads what has changed elsewhere. Where that fails the link is lost, which the trial
    /// hears of as of any other.
    pub(super) fn read_elsewhere(&mut self) {
        for group in &self.groups {
            let Ok(mut parts) = group.read() else { continue };
            for &port in &group.ports {
                let port = &mut self.ports[port];
                if let Some(far) = &mut port.far {
                    parts.give(far, port.receiver.source_mut());
                }
            }
        }
    }

    /// Compares the clocks again, and fetches the windows of streams that lost frames.
    pub(super) fn end_elsewhere(&mut self, sent: &[Sent]) {
        for group in &self.groups {
            group.link.compare();
            for &index in &group.ports {
                let port = &mut self.ports[index];
                let Some(far) = &port.far else { continue };
                for (stream, sent) in self.streams.iter().zip(sent) {
                    if !self.spec.flows[stream.flow].receivers().any(|rx| rx == index) {
                        continue;
                    }
                    let source = port.receiver.source();
                    let banks = (0..crate::rx::Source::banks(source))
                        .map(|bank| crate::rx::Source::record(source, stream.id.0, bank).unique);
                    if banks.sum::<u64>() == sent.submitted_frames {
                        continue;
                    }
                    let Ok(words) = group.window(far.number, stream.id.0) else { continue };
                    if let Some(mirror) = port.receiver.source_mut().there() {
                        mirror.set_window(stream.id.0, &words);
                    }
                }
            }
        }
    }
}
