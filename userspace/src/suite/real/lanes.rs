//! The flows of a session by direction, and what each sends of a direction's load.

use crate::{
    session::FlowLoad,
    spec::{Frame, Spec},
    suite::{Load, Stage, TrialPlan},
    units::{FrameSize, Rate, Ratio},
};
use std::time::Duration;

/// A spec, and which of its flows are what.
#[derive(Debug, Clone)]
pub(super) struct Lanes {
    pub(super) spec: Spec,
    /// In the order of [`crate::suite::Trial::directions`].
    pub(super) lanes: Vec<Lane>,
}

/// A direction.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    /// Places in [`Spec::ports`].
    pub(super) tx: usize,
    pub(super) rx: usize,
    pub(super) members: Vec<Member>,
}

/// A part of a direction's load: one flow, which stands once in the spec for every stage.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// Its share of the frames is this to the sum of all.
    pub(super) weight: Ratio,
    /// Whether its frames are test frames.
    pub(super) counted: bool,
    /// Its own sizes, for frames that are said to be those of the file.
    pub(super) sizes: Option<Vec<FrameSize>>,
    /// By stage: places in [`Spec::flows`].
    pub(super) flows: Vec<usize>,
}

impl Lane {
    /// Places of the flows whose frames count.
    pub(super) fn counted(&self) -> impl Iterator<Item = usize> + '_ {
        let members = self.members.iter().filter(|member| member.counted);
        members.flat_map(|member| member.flows.iter().copied())
    }

    pub(super) fn all(&self) -> impl Iterator<Item = usize> + '_ {
        self.members.iter().flat_map(|member| member.flows.iter().copied())
    }
}

impl Lanes {
    /// What every flow sends.
    ///
    /// # Errors
    /// A sentence, if the plan asks for what this session was not opened for.
    pub(super) fn loads(&self, plan: &TrialPlan) -> Result<Vec<Option<FlowLoad>>, String> {
        let mut loads = vec![None; self.spec.flows.len()];
        for load in &plan.loads {
            let Some(lane) = self.lanes.get(load.direction) else {
                return Err(format!("there is no direction {}", load.direction));
            };
            lane.share_out(load, &mut loads)?;
        }
        Ok(loads)
    }
}

impl Lane {
    fn share_out(&self, load: &Load, loads: &mut [Option<FlowLoad>]) -> Result<(), String> {
        let sizes = sizes(&load.frame)?;
        let mut delay = Duration::ZERO;
        for (number, stage) in load.stages.iter().enumerate() {
            if stage.frames == 0 || stage.fps == Ratio::ZERO {
                continue;
            }
            let time = lasts(stage);
            for (member, frames) in self.members.iter().zip(self.shares(stage.frames)) {
                let Some(&flow) = member.flows.get(number) else {
                    return Err(format!("a trial of more than {} loads", member.flows.len()));
                };
                if frames == 0 {
                    continue;
                }
                // Alone it keeps the load to the last digit, else its share of the frames.
                let alone = frames == stage.frames;
                let nanoseconds = Ratio::new(time.as_nanos(), 1_000_000_000);
                let fps = if alone { stage.fps } else { Ratio::from(frames).over(nanoseconds) };
                let own = member.sizes.as_ref().filter(|_| load.frame.name == FILE_FRAME);
                loads[flow] = Some(FlowLoad {
                    sizes: own.unwrap_or(&sizes).clone(),
                    rate: Rate::Frames(fps),
                    time,
                    delay,
                });
            }
            delay += time;
        }
        Ok(())
    }

    /// How many of so many frames each member sends; together all of them.
    fn shares(&self, frames: u64) -> Vec<u64> {
        let whole = sum(self.members.iter().map(|member| member.weight));
        let mut before = Ratio::ZERO;
        let mut given = 0;
        let shares = self.members.iter().map(|member| {
            before = before.plus(member.weight);
            let until = before.over(whole).floor_times(frames.into()).unwrap_or(0) as u64;
            let share = until - given;
            given = until;
            share
        });
        shares.collect()
    }
}

/// Name of the frame that stands for the sizes that the flows of the file have.
pub const FILE_FRAME: &str = "flows";

fn sum(ratios: impl Iterator<Item = Ratio>) -> Ratio {
    ratios.fold(Ratio::ZERO, Ratio::plus)
}

/// The least time in nanoseconds in which the stage's frames are all due.
fn lasts(stage: &Stage) -> Duration {
    let seconds = Ratio::from(stage.frames).over(stage.fps);
    let floor = seconds.floor_times(1_000_000_000).unwrap_or(u128::MAX).min(u64::MAX.into());
    let exact = seconds.denominator() == 1 || 1_000_000_000 % seconds.denominator() == 0;
    Duration::from_nanos((floor as u64).saturating_add(u64::from(!exact)))
}

fn sizes(frame: &Frame) -> Result<Vec<FrameSize>, String> {
    let size = |&bytes: &u16| {
        let (least, most) = (FrameSize::MIN, FrameSize::MAX);
        FrameSize::new(bytes)
            .ok_or_else(|| format!("a frame of {bytes} octets; allowed: {least} to {most}"))
    };
    frame.cycle.iter().map(size).collect()
}
