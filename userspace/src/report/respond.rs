//! `linerate.respond/1`: what a responder did, and its lines.

use super::{Host, RxMode, Tool, table::or_dash, text};
use crate::{
    nic::{DropCounter, SettingChange},
    session::{RespondFacts, Responded},
    units::FCS_BYTES,
};
use serde::Serialize;
use xdp_ebpf::{RespondMode, XdpMode};

/// What a responder did. `None` is `null`: not known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RespondResult {
    /// `linerate.respond/1`.
    pub schema: &'static str,
    /// The responder's software.
    pub tool: Tool,
    /// Its machine.
    pub host: Host,
    /// RFC 3339, UTC.
    pub started: String,
    /// For how long it ran.
    pub duration_ns: u64,
    /// `l2`, `l3` or `udp-echo`.
    pub mode: &'static str,
    /// Why it ended before its time; empty: it did not.
    pub reasons: Vec<String>,
    /// Sentences worth knowing.
    pub notes: Vec<String>,
    /// The port.
    pub port: RespondPort,
    /// All queues together.
    pub total: RespondCounts,
    /// By RX queue; by CPU in generic mode.
    pub queues: Vec<RespondCounts>,
    /// ARP requests and neighbour solicitations answered.
    pub neighbour_answers: u64,
}

/// The port, and what its counters gained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RespondPort {
    /// The PORT.
    #[serde(rename = "if")]
    pub interface: String,
    /// The kernel's driver.
    pub driver: String,
    /// Where the program ran.
    pub rx_mode: RxMode,
    /// Frames received, by the interface's counter.
    pub rx_frames: Option<u64>,
    /// Frames sent, by the interface's counter; whether it holds what XDP sends back is the
    /// driver's choice.
    pub tx_frames: Option<u64>,
    /// Frames dropped before the program saw them.
    pub rx_dropped: Option<u64>,
    /// Frames sent back that the driver dropped; `null`: it does not say.
    pub xdp_tx_dropped: Option<u64>,
    /// The driver's counters above zero that say so.
    pub xdp_tx_drops: Vec<DropCount>,
    /// How often the carrier was lost.
    pub link_losses: u32,
    /// Settings changed and restored.
    pub settings_changed: Vec<SettingChange>,
}

/// A counter by its driver's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DropCount {
    /// Its name.
    pub name: String,
    /// How many.
    pub frames: u64,
}

impl From<DropCounter> for DropCount {
    fn from(counter: DropCounter) -> Self {
        Self { name: counter.name, frames: counter.frames }
    }
}

/// seen = reflected + answered pings + refused + passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RespondCounts {
    /// Frames that the program saw.
    pub seen_frames: u64,
    /// Frames sent back.
    pub reflected_frames: u64,
    /// Their octets, with FCS.
    pub reflected_bytes: u64,
    /// Pings answered.
    pub ping_answers: u64,
    /// Frames given to the kernel.
    pub passed_frames: u64,
    /// Frames dropped, for they must not be sent back.
    pub refused_frames: u64,
    /// Of these: from or to a group address.
    pub refused_group_frames: u64,
    /// Of these: without IP addresses to swap.
    pub refused_no_ip_frames: u64,
    /// Of these: whose answer would be answered.
    pub refused_loop_frames: u64,
}

impl From<Responded> for RespondCounts {
    fn from(counts: Responded) -> Self {
        Self {
            seen_frames: counts.seen,
            reflected_frames: counts.reflected,
            reflected_bytes: counts.reflected_bytes + u64::from(FCS_BYTES) * counts.reflected,
            ping_answers: counts.pings,
            passed_frames: counts.passed(),
            refused_frames: counts.refused(),
            refused_group_frames: counts.refused_group,
            refused_no_ip_frames: counts.refused_no_ip,
            refused_loop_frames: counts.refused_loop,
        }
    }
}

impl RespondResult {
    /// Puts the facts into the shape of the document.
    pub fn new(facts: &RespondFacts, mode: RespondMode) -> Self {
        let counted = facts.counted.as_ref();
        Self {
            schema: "linerate.respond/1",
            tool: Tool::this(),
            host: Host::this(),
            started: facts.started.to_string(),
            duration_ns: facts.elapsed.as_nanos() as u64,
            mode: match mode {
                RespondMode::L2 => "l2",
                RespondMode::L3 => "l3",
                RespondMode::UdpEcho => "udp-echo",
            },
            reasons: facts.fault.iter().cloned().collect(),
            notes: facts.notes.clone(),
            port: RespondPort {
                interface: facts.port.to_string(),
                driver: facts.driver.clone(),
                rx_mode: match facts.xdp_mode {
                    XdpMode::Native => RxMode::Native,
                    XdpMode::Generic => RxMode::Generic,
                },
                rx_frames: counted.map(|counted| counted.link.rx_packets),
                tx_frames: counted.map(|counted| counted.link.tx_packets),
                rx_dropped: counted.map(crate::nic::PortReading::rx_dropped),
                xdp_tx_dropped: facts.dropped(),
                xdp_tx_drops: counted
                    .map(|counted| {
                        counted.xdp_tx_drops().into_iter().map(DropCount::from).collect()
                    })
                    .unwrap_or_default(),
                link_losses: facts.link_losses,
                settings_changed: facts.settings_changed.clone(),
            },
            total: facts.sum().into(),
            queues: facts.queues.iter().copied().map(RespondCounts::from).collect(),
            neighbour_answers: facts.neighbours,
        }
    }

    /// The document, with a line end.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// What it came to, in a sentence.
    pub fn summary(&self) -> String {
        let total = &self.total;
        format!(
            "{} of {} frames sent back, {} of them dropped by the driver; {} passed, {} refused; \
             {} pings and {} ARP or ND questions answered",
            text::count(total.reflected_frames),
            text::count(total.seen_frames),
            or_dash(self.port.xdp_tx_dropped, text::count),
            text::count(total.passed_frames),
            text::count(total.refused_frames),
            text::count(total.ping_answers),
            text::count(self.neighbour_answers)
        )
    }
}

/// The titles above [`respond_line`].
pub fn respond_header() -> String {
    let titles = ["seen pps", "sent back", "Mbit/s", "passed", "refused", "dropped"];
    line("t", &titles.map(str::to_owned))
}

/// What a responder did since `before`, on one line.
pub fn respond_line(facts: &RespondFacts, before: Option<&RespondFacts>) -> String {
    let (now, then) = (facts.sum(), before.map(RespondFacts::sum).unwrap_or_default());
    let since = before.map(|before| before.elapsed).unwrap_or_default();
    let seconds = facts.elapsed.saturating_sub(since).as_secs_f64().max(1e-3);
    let rate = |now: u64, then: u64| text::scaled(now.saturating_sub(then) as f64 / seconds);
    let frames = now.reflected - then.reflected;
    let octets = now.reflected_bytes - then.reflected_bytes + u64::from(FCS_BYTES) * frames;
    let dropped_before = before.and_then(RespondFacts::dropped).unwrap_or(0);
    let cells = [
        rate(now.seen, then.seen),
        rate(now.reflected, then.reflected),
        text::megabits(octets as f64 * 8.0 / seconds),
        rate(now.passed(), then.passed()),
        rate(now.refused(), then.refused()),
        or_dash(facts.dropped(), |dropped| rate(dropped, dropped_before)),
    ];
    line(&facts.elapsed.as_secs().to_string(), &cells)
}

fn line(time: &str, [seen, back, bits, passed, refused, dropped]: &[String; 6]) -> String {
    format!("{time:>5} {seen:>9} {back:>9} {bits:>8} {passed:>8} {refused:>8} {dropped:>8}")
}
