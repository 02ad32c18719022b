//! What a result is worth, and why.

use super::{Border, Ledger};
use crate::nic::DropCounter;
use serde::Serialize;

/// What a result is worth (CONTRACT, Results), from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Sent as asked, and nothing lost.
    Ok,
    /// Frames were lost, and not by the tester.
    Loss,
    /// Frames were dropped between the NIC and the analyser.
    ReceiverLimited,
    /// The tester could not send what was asked.
    TesterLimited,
    /// The device paused the tester.
    DeviceBackpressure,
    /// Not measured validly.
    Invalid,
}

impl Verdict {
    /// As the JSON names it.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Loss => "loss",
            Verdict::ReceiverLimited => "receiver-limited",
            Verdict::TesterLimited => "tester-limited",
            Verdict::DeviceBackpressure => "device-backpressure",
            Verdict::Invalid => "invalid",
        }
    }
}

/// A verdict and the sentences that say why, the weightiest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The worst that was found.
    pub verdict: Verdict,
    /// The worst beside what makes the measurement void: who held the flow back.
    pub limit: Option<Verdict>,
    /// One sentence per thing found, without the flow's name and without a full stop.
    pub reasons: Vec<String>,
}

/// What a flow is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// Where its frames went.
    pub ledger: &'a Ledger,
    /// Frames a second that were asked for, as a mean over the run; `None`: "max", or
    /// no single rate.
    pub intended_pps: Option<f64>,
    /// Frames left at random times around that rate.
    pub random: bool,
    /// First submit to last submit plus one gap.
    pub duration_ns: Option<u64>,
    /// Frames of an earlier trial.
    pub stale: u64,
    /// Pause frames that the transmitting port was sent.
    pub pause_frames: u64,
    /// Descriptors of the transmitting port's rings that the kernel refused.
    pub invalid_descriptors: u64,
    /// Counters of the receiving port that say so, where it dropped frames.
    pub rx_drops: &'a [DropCounter],
    /// Sentences about what makes the measurement void: link lost, interrupted, ...
    pub faults: &'a [String],
}

/// More than this share unsent is the tester's limit.
const UNSENT_ALLOWED: f64 = 1e-5;
/// A rate further off than this is the tester's limit.
const RATE_ALLOWED: f64 = 1e-3;
/// A first or last frame that is late by this changes the rate of a short run by more
/// than a thousandth, and yet every frame was sent: no limit of the tester.
const START_ALLOWED_S: f64 = 0.01;

/// Judges one flow by the rules of CONTRACT, Meanings.
pub fn judge(evidence: &Evidence<'_>) -> Finding {
    let ledger = evidence.ledger;
    let mut found: Vec<(Verdict, String)> =
        evidence.faults.iter().map(|fault| (Verdict::Invalid, fault.clone())).collect();
    if evidence.stale > 0 {
        let text = format!("{} of an earlier trial arrived", frames(evidence.stale));
        found.push((Verdict::Invalid, text));
    }
    if evidence.pause_frames > 0 {
        let text =
            format!("the device paused the port with {} pause frames", evidence.pause_frames);
        found.push((Verdict::DeviceBackpressure, text));
    }
    found.extend(tester_limits(evidence).map(|text| (Verdict::TesterLimited, text)));
    found.extend(receiver_limits(evidence).map(|text| (Verdict::ReceiverLimited, text)));
    if let Some(loss) = ledger.loss.filter(|loss| loss.lost > 0) {
        let places: Vec<String> = (ledger.missing.iter())
            .filter(|&&(border, _)| border != Border::Unsent)
            .map(|(border, frames)| format!("{frames} {border}"))
            .collect();
        let text = format!(
            "{} of {} frames lost ({} %): {}",
            loss.lost,
            loss.sent,
            loss.percent(),
            places.join(", ")
        );
        found.push((Verdict::Loss, text));
    }
    found.sort_by_key(|&(verdict, _)| std::cmp::Reverse(verdict));
    Finding {
        verdict: found.first().map_or(Verdict::Ok, |&(verdict, _)| verdict),
        limit: found.iter().map(|&(verdict, _)| verdict).find(|&it| it != Verdict::Invalid),
        reasons: found.into_iter().map(|(_, reason)| reason).collect(),
    }
}

fn tester_limits(evidence: &Evidence<'_>) -> impl Iterator<Item = String> {
    let ledger = evidence.ledger;
    let unsent = ledger.missing_in(Border::Unsent);
    let unsent = (unsent as f64 > UNSENT_ALLOWED * ledger.requested as f64)
        .then(|| format!("{unsent} of {} frames could not be sent in time", ledger.requested));
    // Frames that never left the tester are no loss of the device, at any rate.
    let stuck = ledger.missing_in(Border::TxRing) + ledger.missing_in(Border::TxPort);
    let refused = evidence.invalid_descriptors;
    let stuck = (stuck > 0).then(|| {
        let cause = if refused > 0 {
            format!("; the kernel refused {refused} descriptors")
        } else {
            String::new()
        };
        format!("{} handed to the kernel did not leave the port{cause}", frames(stuck))
    });
    unsent.into_iter().chain(rate_off(evidence)).chain(stuck)
}

/// Frames that the tester's own receiving side let fall.
fn receiver_limits(evidence: &Evidence<'_>) -> impl Iterator<Item = String> {
    let ledger = evidence.ledger;
    let counters: Vec<String> =
        evidence.rx_drops.iter().map(|drop| format!("{} {}", drop.name, drop.frames)).collect();
    let counters =
        if counters.is_empty() { String::new() } else { format!(" ({})", counters.join(", ")) };
    let told = [
        (Border::PeerRing, "did not fit into the receiving port's ring", ""),
        (Border::FillRing, "found no buffer, for the fill ring was empty", counters.as_str()),
        (Border::RxBeforeXdp, "dropped between the NIC and the analyser", counters.as_str()),
        (Border::RxUnseen, "reached the port on a queue without the analyser", ""),
    ];
    let told = told.map(|(border, what, counters)| {
        let dropped = ledger.missing_in(border);
        (dropped > 0).then(|| format!("{} {what}{counters}", frames(dropped)))
    });
    told.into_iter().flatten()
}

fn rate_off(evidence: &Evidence<'_>) -> Option<String> {
    let asked_pps = evidence.intended_pps?;
    let seconds = evidence.duration_ns? as f64 / 1e9;
    let sent = evidence.ledger.submitted as f64;
    let due = asked_pps * seconds;
    let late = asked_pps * START_ALLOWED_S;
    // Twice the greatest spread of a Poisson process between two points where it is exact,
    // and the gaps at its ends.
    let spread = if evidence.random { 10.0 + 2.0 * due.sqrt() } else { 1.0 };
    let off = (sent - due).abs() > (RATE_ALLOWED * due).max(late).max(spread);
    off.then(|| {
        format!(
            "sent {:.0} frames a second where {asked_pps:.0} were asked ({:+.2} %)",
            sent / seconds,
            (sent / due - 1.0) * 100.0
        )
    })
}

fn frames(count: u64) -> String {
    if count == 1 { "1 frame".to_owned() } else { format!("{count} frames") }
}
