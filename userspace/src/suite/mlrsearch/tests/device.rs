//! Devices in closed form, to search on.

use crate::{
    spec::Frame,
    suite::{
        Direction, DirectionResult, InvalidCause, Load, Trial, TrialError, TrialPlan, TrialResult,
    },
    units::Ratio,
};

/// Whatever a function of the load makes of its frames, in every direction the same.
pub(super) struct Device<F> {
    directions: Vec<Direction>,
    pub(super) ceiling: Option<Ratio>,
    lost: F,
}

impl<F: FnMut(&Load) -> Fate> Device<F> {
    pub(super) fn new(link_bps: u64, directions: usize, lost: F) -> Self {
        let direction = Direction { tx: "west".into(), rx: "east".into(), link_bps };
        Self { directions: vec![direction; directions], ceiling: None, lost }
    }
}

/// What becomes of the frames of a load.
#[derive(Default)]
pub(super) struct Fate {
    pub(super) lost: u64,
    pub(super) unsent: u64,
    pub(super) invalid: Option<InvalidCause>,
}

impl From<u64> for Fate {
    fn from(lost: u64) -> Self {
        Self { lost, ..Self::default() }
    }
}

impl<F: FnMut(&Load) -> Fate> Trial for Device<F> {
    fn directions(&self) -> &[Direction] {
        &self.directions
    }

    fn ceiling_fps(&mut self, _: &Frame) -> Result<Option<Ratio>, TrialError> {
        Ok(self.ceiling)
    }

    fn run(&mut self, plan: &TrialPlan) -> Result<TrialResult, TrialError> {
        let mut invalid = None;
        let mut direction = |load: &Load| {
            let fate = (self.lost)(load);
            let sent = load.stages[0].frames - fate.unsent;
            invalid = invalid.or(fate.invalid);
            DirectionResult {
                tx_frames: sent,
                unsent_frames: fate.unsent,
                rx_frames: sent - fate.lost,
                rx_unique_frames: sent - fate.lost,
                lost_frames: fate.lost,
                ..DirectionResult::default()
            }
        };
        let directions = plan.loads.iter().map(&mut direction).collect();
        let duration_ns = plan.duration().as_nanos() as u64;
        Ok(TrialResult {
            directions,
            latency: None,
            duration_ns,
            duration_with_overheads_ns: duration_ns + 2_000_000_000,
            invalid: invalid.map(|cause| (cause, format!("{cause:?}"))),
        })
    }
}

/// A FIFO served `fps` times a second with room for `room` frames, idle at the start (Two
/// closed forms: all come of a burst that fits, else as many as were served and the room).
pub(super) fn fifo(fps: u64, room: u64) -> impl Fn(&Load) -> Fate + Copy {
    move |load| {
        let stage = load.stages[0];
        if stage.fps <= Ratio::from(fps) {
            return 0.into();
        }
        let served = Ratio::from(fps).times(Ratio::from(stage.frames - 1)).over(stage.fps).floor();
        (stage.frames - stage.frames.min(served as u64 + room)).into()
    }
}
