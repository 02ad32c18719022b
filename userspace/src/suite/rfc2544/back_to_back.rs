//! RFC 2544 section 26.4 as updated by RFC 9004: the longest burst at line rate without loss,
//! and the time that the device's buffer holds.

use super::{BackToBack, Bound, Setting, Throughput, latency::mean, setting::Judgement};
use crate::{
    spec::BackToBackSpec,
    suite::{Bounds, Stage, Stop, Test, Trials},
    units::Ratio,
};
use std::time::Duration;

/// A burst with loss is sent again before it is believed: one unlucky trial would send the
/// search to the wrong half for ever (ETSI GS NFV-TST 009 section 12.3.3).
const VERIFICATIONS: u32 = 1;

/// No burst is longer (RFC 9004 section 6.2).
const LONGEST: Duration = Duration::from_secs(30);

/// All repeats, each a search of its own.
pub(super) fn run(
    setting: &Setting<'_>,
    spec: &BackToBackSpec,
    throughput: &Throughput,
    trials: &mut Trials<'_>,
) -> (BackToBack, Result<(), Stop>) {
    let mut test = BackToBack {
        valid: false,
        reason: reason(setting, throughput),
        bursts: Vec::new(),
        frames_mean: None,
        frames_min: None,
        frames_max: None,
        frames_stddev: None,
        step_frames: spec.step_frames,
        burst_limit: spec.burst_limit,
        verifications: VERIFICATIONS,
        max_rate: setting.line,
        throughput: None,
        implied_buffer_ns: None,
        corrected_buffer_ns: None,
        corrected_buffer_frames: None,
    };
    if test.reason.is_some() {
        return (test, Ok(()));
    }
    test.throughput = Some(throughput.load);
    let mut done = Ok(());
    while (test.bursts.len() as u32) < spec.repeats && test.reason.is_none() && done.is_ok() {
        let mut search = Search { setting, spec, trials, limit: test.burst_limit, reason: None };
        match search.run() {
            Ok(Some(burst)) => test.bursts.push(burst),
            Ok(None) => (),
            Err(stop) => done = Err(stop),
        }
        (test.burst_limit, test.reason) = (search.limit, search.reason);
    }
    test.sum_up(setting, throughput);
    (test, done)
}

/// Why there can be no result (RFC 9004 sections 5 and 6.1).
fn reason(setting: &Setting<'_>, throughput: &Throughput) -> Option<String> {
    if throughput.bound == Bound::None {
        return Some("there is no throughput to correct a burst with".to_owned());
    }
    if throughput.load >= setting.line {
        return Some("the throughput is line rate: no burst fills the buffer".to_owned());
    }
    let short = setting.top < setting.line;
    short.then(|| setting.top_note.clone().unwrap_or_default())
}

struct Search<'a, 't> {
    setting: &'a Setting<'a>,
    spec: &'a BackToBackSpec,
    trials: &'a mut Trials<'t>,
    /// The longest burst so far, as a time.
    limit: Duration,
    /// Why there is no result.
    reason: Option<String>,
}

impl Search<'_, '_> {
    /// The longest burst without loss, to a step; `None`: there is a reason.
    fn run(&mut self) -> Result<Option<u64>, Stop> {
        let mut low = 0;
        let mut high = self.longest();
        // A result near the limit must be sought again with a higher one (section 6.2).
        while self.passes(high)? {
            low = high;
            if self.limit >= LONGEST {
                self.reason = Some(format!(
                    "bursts of {high} frames are not lost: the buffer holds {} s or more",
                    LONGEST.as_secs()
                ));
                return Ok(None);
            }
            self.limit = (self.limit * 2).min(LONGEST);
            high = self.longest();
        }
        while high - low > self.spec.step_frames && self.reason.is_none() {
            let middle = low + (high - low) / 2;
            if self.passes(middle)? { low = middle } else { high = middle }
        }
        if low == 0 && self.reason.is_none() {
            self.reason = Some(format!("even a burst of {high} frames loses some"));
        }
        Ok(self.reason.is_none().then_some(low))
    }

    fn longest(&self) -> u64 {
        Stage::lasting(self.setting.line, self.limit).frames.max(2)
    }

    fn passes(&mut self, frames: u64) -> Result<bool, Stop> {
        let stage = Stage { fps: self.setting.line, frames };
        let plan = self.setting.stages(Test::BackToBack, &[stage]);
        for _ in 0..=VERIFICATIONS {
            let judged = self.setting.judge(self.trials, &plan, &Bounds::default(), Ratio::ZERO)?;
            match judged.0 {
                Judgement::Pass => return Ok(true),
                Judgement::Fail(_) => (),
                Judgement::Unfit(_, why) => {
                    self.reason = Some(why);
                    return Ok(false);
                }
            }
        }
        Ok(false)
    }
}

impl BackToBack {
    fn sum_up(&mut self, setting: &Setting<'_>, throughput: &Throughput) {
        let bursts = &self.bursts;
        let Some(average) = mean(bursts.iter().map(|&burst| burst as f64)) else { return };
        self.valid = self.reason.is_none();
        self.frames_mean = Some(average);
        self.frames_min = bursts.iter().copied().min();
        self.frames_max = bursts.iter().copied().max();
        let squares = mean(bursts.iter().map(|&burst| (burst as f64 - average).powi(2)));
        let count = bursts.len() as f64;
        self.frames_stddev = squares
            .filter(|_| bursts.len() > 1)
            .map(|squares| (squares * count / (count - 1.0)).sqrt());
        let buffer = buffer(average, throughput.load, setting.line);
        self.implied_buffer_ns = Some(buffer.implied_ns);
        self.corrected_buffer_ns = Some(buffer.corrected_ns);
        self.corrected_buffer_frames = Some(buffer.corrected_frames);
    }
}

/// Buffer times of RFC 9004 section 6.4.
struct Buffer {
    implied_ns: f64,
    corrected_ns: f64,
    corrected_frames: f64,
}

fn buffer(burst: f64, throughput: Ratio, max_rate: Ratio) -> Buffer {
    let held = 1.0 - throughput.over(max_rate).to_f64();
    let implied_ns = burst / max_rate.to_f64() * 1e9;
    Buffer { implied_ns, corrected_ns: implied_ns * held, corrected_frames: burst * held }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 10GE, 64 octets, the average of RFC 9004's Table 1.
    #[test]
    fn worked_values_of_rfc_9004_are_met() {
        let max_rate = Ratio::new(312_500_000, 21);
        for (throughput, corrected_ns, frames) in
            [(10_000_000, 573_082.0, 8_528.0), (14_540_000, 40_031.8, 595.7)]
        {
            let buffer = buffer(26_000.0, Ratio::from(throughput), max_rate);
            assert!((buffer.implied_ns - 1_747_200.0).abs() < 0.5);
            assert!((buffer.corrected_ns - corrected_ns).abs() < 0.5, "{}", buffer.corrected_ns);
            assert!((buffer.corrected_frames - frames).abs() < 0.05, "{}", buffer.corrected_frames);
        }
    }
}
