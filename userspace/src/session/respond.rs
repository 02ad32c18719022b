//! A port that sends test frames back, and plays the host at its end of the link.

use super::{
    SessionError,
    single::{Held, link_fault, native_or_generic},
};
use crate::{
    nic::{
        Hold, LinkWatch, PortCounters, PortInfo, PortName, PortReading, Responder as Neighbours,
        SettingChange, wait_for_carriers,
    },
    units::monotonic_ns,
};
use std::{
    net::IpAddr,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};
use xdp_ebpf::{RespondMode, Responder, ResponderSetup, XdpMode, abi::respond_record};

/// An attach may reset the link for seconds (igb: 3 to 8).
const CARRIER_WAIT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(10);
/// Frames that prove, when not one of them left, that nobody takes them.
const UNHEARD_FRAMES: u64 = 8;

/// What is to be sent back, and for whom.
#[derive(Debug, Clone)]
pub struct RespondSpec {
    /// Where.
    pub port: PortName,
    /// What is sent back, and what of it is swapped.
    pub mode: RespondMode,
    /// Addresses to play beside those that the kernel owns on the port.
    pub addresses: Vec<IpAddr>,
    /// How long at most.
    pub duration: Option<Duration>,
}

/// What one RX queue saw; a CPU in generic mode, where queues have no single writer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Responded {
    /// Frames that entered the program.
    pub seen: u64,
    /// Frames sent back, by the program's word; the driver may still have dropped some.
    pub reflected: u64,
    /// Their octets, without FCS.
    pub reflected_bytes: u64,
    /// Pings answered.
    pub pings: u64,
    /// Dropped, for they came from or to a group address.
    pub refused_group: u64,
    /// Dropped, for there were no IP addresses to swap.
    pub refused_no_ip: u64,
    /// Dropped, for an answer would be answered for ever.
    pub refused_loop: u64,
}

impl Responded {
    /// Frames dropped, for they must not be sent back.
    pub fn refused(&self) -> u64 {
        self.refused_group + self.refused_no_ip + self.refused_loop
    }

    /// Frames given to the kernel untouched.
    pub fn passed(&self) -> u64 {
        self.seen.saturating_sub(self.reflected + self.pings + self.refused())
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            seen: self.seen + other.seen,
            reflected: self.reflected + other.reflected,
            reflected_bytes: self.reflected_bytes + other.reflected_bytes,
            pings: self.pings + other.pings,
            refused_group: self.refused_group + other.refused_group,
            refused_no_ip: self.refused_no_ip + other.refused_no_ip,
            refused_loop: self.refused_loop + other.refused_loop,
        }
    }
}

impl From<respond_record> for Responded {
    fn from(record: respond_record) -> Self {
        Self {
            seen: record.seen,
            reflected: record.reflected,
            reflected_bytes: record.reflected_bytes,
            pings: record.answered,
            refused_group: record.refused_group,
            refused_no_ip: record.refused_no_ip,
            refused_loop: record.refused_loop,
        }
    }
}

/// What a responder has done so far.
#[derive(Debug, Clone)]
pub struct RespondFacts {
    /// Wall-clock time of the start.
    pub started: jiff::Timestamp,
    /// Time since.
    pub elapsed: Duration,
    /// The PORT.
    pub port: PortName,
    /// The kernel's driver.
    pub driver: String,
    /// Where the program runs.
    pub xdp_mode: XdpMode,
    /// By RX queue; by CPU in generic mode.
    pub queues: Vec<Responded>,
    /// ARP requests and neighbour solicitations answered.
    pub neighbours: u64,
    /// What the interface and the driver have counted since; `None`: the port is gone.
    pub counted: Option<PortReading>,
    /// How often the carrier was lost.
    pub link_losses: u32,
    /// Settings changed for as long as it runs.
    pub settings_changed: Vec<SettingChange>,
    /// Sentences worth knowing.
    pub notes: Vec<String>,
    /// Why it ended before its time; `None`: it did not.
    pub fault: Option<String>,
}

impl RespondFacts {
    /// All queues together.
    pub fn sum(&self) -> Responded {
        self.queues.iter().copied().fold(Responded::default(), Responded::plus)
    }

    /// Frames sent back that the driver dropped; `None`: it does not say.
    pub fn dropped(&self) -> Option<u64> {
        let counted = self.counted.as_ref()?;
        match self.xdp_mode {
            XdpMode::Native => counted.xdp_tx_dropped(),
            // As for any other frame (generic_xdp_tx in net/core/dev.c).
            XdpMode::Generic => Some(counted.link.tx_dropped),
        }
    }
}

/// A port held, with the program attached.
#[derive(Debug)]
pub struct RespondSession {
    spec: RespondSpec,
    // Dropped in this order: first what answers, then the settings.
    program: Responder,
    neighbours: Neighbours,
    counters: PortCounters,
    watch: LinkWatch,
    hold: Hold,
    info: PortInfo,
    native_refused: Option<String>,
}

impl RespondSession {
    /// Takes the port. On an error everything is as it was.
    pub fn open(spec: RespondSpec) -> Result<Self, SessionError> {
        let Held { info, watch, netns, hold, counters } = Held::take(&spec.port)?;
        let (program, native_refused) = netns
            .run(|| attach(&info, &spec))?
            .map_err(|source| SessionError::Analyser { port: info.name.to_string(), source })?;
        let played = spec.addresses.clone();
        let neighbours = Neighbours::start(&info, move |address| played.contains(&address))?;
        wait_for_carriers(std::slice::from_ref(&info), CARRIER_WAIT)?;
        Ok(Self { spec, program, neighbours, counters, watch, hold, info, native_refused })
    }

    /// Sentences about how the port is used.
    pub fn notes(&self) -> Vec<String> {
        let port = &self.spec.port;
        let generic = self.native_refused.iter();
        let generic = generic.map(|why| format!("{port}: the program runs in generic mode: {why}"));
        // Without one the far end is not woken, even where it polls: veth_xdp_flush in
        // drivers/net/veth.c.
        let native = self.program.attach_mode() == XdpMode::Native;
        let veth = (native && self.info.driver == "veth").then(|| {
            format!("{port}: what a veth sends back arrives while its peer has an XDP program")
        });
        let uncontrolled = self.hold.not_controllable().iter().filter(|_| self.info.physical);
        let uncontrolled = uncontrolled.map(|what| format!("{port}: {what}"));
        generic.chain(veth).chain(uncontrolled).collect()
    }

    /// Sends back until its time is over or `stop` is set; `observe` hears every second.
    pub fn run(
        mut self,
        stop: &AtomicBool,
        observe: &mut dyn FnMut(&RespondFacts),
    ) -> Result<RespondFacts, SessionError> {
        let (started, start_ns) = (jiff::Timestamp::now(), monotonic_ns());
        let before = self.counters.read()?;
        let elapsed = || Duration::from_nanos(monotonic_ns() - start_ns);
        let mut next = Duration::from_secs(1);
        let mut fault = None;
        loop {
            if stop.load(Relaxed) || self.spec.duration.is_some_and(|time| elapsed() >= time) {
                break;
            }
            fault = link_fault(self.watch.state(0), &self.spec.port);
            if fault.is_some() {
                break;
            }
            if elapsed() >= next {
                next += Duration::from_secs(1);
                observe(&self.facts(started, elapsed(), &before));
            }
            thread::sleep(POLL);
        }
        if fault.is_none() && self.spec.duration.is_some_and(|time| elapsed() < time) {
            fault = Some("interrupted before its end".to_owned());
        }
        let elapsed = elapsed();
        self.program.detach();
        Ok(RespondFacts { fault, ..self.facts(started, elapsed, &before) })
    }

    fn facts(
        &mut self,
        started: jiff::Timestamp,
        elapsed: Duration,
        before: &PortReading,
    ) -> RespondFacts {
        // The program first: what it sent back was counted by the driver after that.
        let queues = self.program.records().map(Responded::from).collect();
        let counted = self.counters.read().ok().map(|now| now.since(before));
        let mut facts = RespondFacts {
            started,
            elapsed,
            port: self.spec.port.clone(),
            driver: self.info.driver.clone(),
            xdp_mode: self.program.attach_mode(),
            queues,
            neighbours: self.neighbours.answers(),
            counted,
            link_losses: self.watch.losses(0),
            settings_changed: self.hold.settings_changed().to_vec(),
            notes: self.notes(),
            fault: None,
        };
        facts.notes.extend(self.unheard(&facts));
        if self.program.unbanked() > 0 {
            let port = &self.spec.port;
            facts.notes.push(format!(
                "{port}: queues were added; frames that came there passed and are not counted"
            ));
        }
        facts
    }

    /// A veth takes frames of XDP only where its other end polls (-ENXIO in `veth_xdp_xmit`).
    fn unheard(&self, facts: &RespondFacts) -> Option<String> {
        let sent = facts.sum().reflected + facts.sum().pings;
        let dropped = facts.dropped()?;
        let native = facts.xdp_mode == XdpMode::Native;
        (native && self.info.driver == "veth" && dropped >= UNHEARD_FRAMES && 2 * dropped > sent).then(|| {
            format!(
                "{}: {dropped} of {sent} frames sent back were dropped: nobody polls at the far \
                 end of this veth; attach an XDP program there",
                self.spec.port
            )
        })
    }
}

fn attach(
    info: &PortInfo,
    spec: &RespondSpec,
) -> Result<(Responder, Option<String>), xdp_ebpf::Error> {
    let kernel: Vec<IpAddr> = info.kernel_addresses().collect();
    let setup = ResponderSetup {
        mode: spec.mode,
        played: &spec.addresses,
        kernel: &kernel,
        queues: info.rx_queues,
    };
    native_or_generic(|mode| {
        let mut program = Responder::load(&setup, mode)?;
        program.attach(info.ifindex)?;
        Ok(program)
    })
}
