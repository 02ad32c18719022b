//! A device with a policer for each direction, second by second.

use crate::{
    spec::Frame,
    suite::{
        Direction, DirectionResult, InvalidCause, LatencyStats, Load, Second, Trial, TrialError,
        TrialPlan, TrialResult,
    },
    units::Ratio,
};

/// What passes: so many bits a second (`None`: all) and a burst once.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Policer {
    pub(super) rate_bps: Option<u64>,
    pub(super) burst_bytes: u64,
}

/// Devices whose answers can be worked out with a pencil.
pub(super) struct Policers {
    directions: Vec<Direction>,
    pub(super) policers: Vec<Policer>,
    pub(super) latency: Option<LatencyStats>,
    /// Seconds of a trial in which a direction passes nothing.
    pub(super) outage: Option<(usize, std::ops::Range<u64>)>,
    /// The only trial with that outage; `None`: every one that is long enough.
    pub(super) outage_in: Option<u32>,
    /// Every trial from this number on is spoiled.
    pub(super) spoiled_from: Option<u32>,
    trials: u32,
}

impl Policers {
    pub(super) fn new(link_bps: u64, policers: &[Policer]) -> Self {
        let direction = Direction { tx: "west".into(), rx: "east".into(), link_bps };
        Self {
            directions: vec![direction; policers.len()],
            policers: policers.to_vec(),
            latency: None,
            outage: None,
            outage_in: None,
            spoiled_from: None,
            trials: 0,
        }
    }

    fn pass(&self, load: &Load) -> DirectionResult {
        let (stage, policer) = (load.stages[0], self.policers[load.direction]);
        let bits = load.frame.mean_bytes().times(8.into());
        let fitting = |bits_so_far: Ratio| bits_so_far.over(bits).floor() as u64;
        let all_s = Ratio::from(stage.frames).over(stage.fps);
        let most = |second: u64| match policer.rate_bps {
            Some(bps) => {
                let tokens = Ratio::from(bps).times(all_s.min(Ratio::from(second + 1)));
                fitting(tokens.plus(Ratio::from(8 * policer.burst_bytes)))
            }
            None => u64::MAX,
        };
        let (mut seconds, mut sent, mut passed) = (Vec::new(), 0, 0);
        while sent < stage.frames {
            let second = seconds.len() as u64;
            let due = stage.fps.times(Ratio::from(second + 1)).floor() as u64;
            let tx_frames = due.min(stage.frames) - sent;
            sent += tx_frames;
            let out = self.outage.as_ref().is_some_and(|(lane, outage)| {
                *lane == load.direction
                    && outage.contains(&second)
                    && self.outage_in.is_none_or(|number| number == self.trials)
            });
            let fits = tx_frames.min(most(second) - passed);
            let rx_unique_frames = if out { 0 } else { fits };
            passed += rx_unique_frames;
            seconds.push(Second { tx_frames, rx_unique_frames });
        }
        DirectionResult {
            tx_frames: sent,
            rx_frames: passed,
            rx_unique_frames: passed,
            lost_frames: sent - passed,
            latency: self.latency,
            seconds,
            ..DirectionResult::default()
        }
    }
}

impl Trial for Policers {
    fn directions(&self) -> &[Direction] {
        &self.directions
    }

    fn ceiling_fps(&mut self, _: &Frame) -> Result<Option<Ratio>, TrialError> {
        Ok(None)
    }

    fn run(&mut self, plan: &TrialPlan) -> Result<TrialResult, TrialError> {
        assert!(plan.per_second, "availability needs seconds");
        self.trials += 1;
        let mut directions = vec![DirectionResult::default(); self.directions.len()];
        for load in &plan.loads {
            directions[load.direction] = self.pass(load);
        }
        let duration_ns = plan.duration().as_nanos() as u64;
        let spoiled = self.spoiled_from.is_some_and(|from| self.trials >= from);
        Ok(TrialResult {
            directions,
            latency: self.latency,
            duration_ns,
            duration_with_overheads_ns: duration_ns,
            invalid: spoiled
                .then(|| (InvalidCause::TesterTx, "the tester sent 1 % too little".to_owned())),
        })
    }
}
