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
    /// It sends a frame at the begin of each second, whatever the load.
    pub(super) each_second: bool,
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
    /// Places of the flows that ask the device something.
    pub(super) fn queries(&self) -> impl Iterator<Item = usize> + '_ {
        let members = self.lanes.iter().flat_map(|lane| &lane.members);
        let members = members.filter(|member| member.each_second);
        members.flat_map(|member| member.flows.iter().copied())
    }

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
        self.clock_out(load, loads);
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

    /// What comes once a second.
    fn clock_out(&self, load: &Load, loads: &mut [Option<FlowLoad>]) {
        let sends = load.stages.iter().filter(|stage| stage.fps > Ratio::ZERO);
        let time: Duration = sends.map(lasts).sum();
        if time.is_zero() {
            return;
        }
        let seconds = Ratio::new(time.as_nanos(), 1_000_000_000);
        let rate = Rate::Frames(Ratio::from(time.as_secs().max(1)).over(seconds));
        for member in self.members.iter().filter(|member| member.each_second) {
            let sizes = member.sizes.clone().unwrap_or_default();
            let load = FlowLoad { sizes, rate, time, delay: Duration::ZERO };
            member.flows.iter().take(1).for_each(|&flow| loads[flow] = Some(load.clone()));
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{spec::Origins, suite::Test};
    use proptest::prelude::*;

    fn lane(weights: &[u64], stages: usize) -> Lane {
        let member = |(at, &weight): (usize, &u64)| Member {
            weight: weight.into(),
            each_second: false,
            counted: true,
            sizes: None,
            flows: (at * stages..(at + 1) * stages).collect(),
        };
        Lane { tx: 0, rx: 1, members: weights.iter().enumerate().map(member).collect() }
    }

    fn loads(lane: Lane, stages: &[Stage]) -> Vec<Option<FlowLoad>> {
        let flows = lane.all().count();
        let spec = Spec { ports: Vec::new(), flows: Vec::new(), origins: Origins::default() };
        let plan = TrialPlan::same(Test::Throughput, 1, &Frame::fixed(FrameSize::MIN), stages);
        let mut loads = vec![None; flows];
        let lanes = Lanes { spec, lanes: vec![lane] };
        lanes.lanes[0].share_out(&plan.loads[0], &mut loads).unwrap();
        loads
    }

    /// As the session counts what a flow is asked for.
    fn asked(load: &FlowLoad) -> u64 {
        let Rate::Frames(fps) = load.rate else { panic!("a number of frames a second") };
        (fps.floor_times(load.time.as_nanos()).unwrap() / 1_000_000_000) as u64
    }

    proptest! {
        #[test]
        fn flows_are_asked_for_exactly_the_frames_of_the_load(
            weights in prop::collection::vec(1_u64..1_000, 1..6),
            frames in 1_u64..2_000_000_000,
            (numerator, denominator) in (1_u64..100_000_000, 1_u64..1000),
        ) {
            let fps = Ratio::new(numerator.into(), denominator.into());
            let loads = loads(lane(&weights, 1), &[Stage { fps, frames }]);
            let sent: Vec<u64> = loads.iter().map(|load| load.as_ref().map_or(0, asked)).collect();
            prop_assert_eq!(sent.iter().sum::<u64>(), frames);
            let whole: u64 = weights.iter().sum();
            for (&sent, &weight) in sent.iter().zip(&weights) {
                let share = frames as f64 * weight as f64 / whole as f64;
                prop_assert!((sent as f64 - share).abs() <= 1.0 + share * 1e-12);
            }
            // The last frame is due before the end, and the load is the one that was asked.
            let time = loads.iter().flatten().map(|load| load.time.as_secs_f64()).next().unwrap();
            prop_assert!(time >= frames as f64 / fps.to_f64() * (1.0 - 1e-12));
            prop_assert!(time <= frames as f64 / fps.to_f64() * (1.0 + 1e-12) + 2e-9);
        }
    }

    #[test]
    fn a_flow_alone_keeps_the_load_to_the_last_digit() {
        let fps = Ratio::new(312_500_000, 21);
        let loads = loads(lane(&[7], 1), &[Stage { fps, frames: 892_857_142 }]);
        let load = loads[0].as_ref().unwrap();
        assert_eq!((load.rate, asked(load)), (Rate::Frames(fps), 892_857_142));
    }

    #[test]
    fn stages_follow_each_other_without_a_gap_on_flows_of_their_own() {
        let stage = |fps: u64, frames| Stage { fps: fps.into(), frames };
        let loads = loads(lane(&[1, 1], 2), &[stage(1000, 2000), stage(500, 1000)]);
        let told: Vec<_> = loads.iter().flatten().map(|load| (asked(load), load.delay)).collect();
        let (start, later) = (Duration::ZERO, Duration::from_secs(2));
        assert_eq!(told, [(1000, start), (500, later), (1000, start), (500, later)]);
    }

    #[test]
    fn a_stage_of_nothing_sends_nothing() {
        let stages = [Stage { fps: Ratio::ZERO, frames: 0 }, Stage { fps: 5.into(), frames: 0 }];
        assert_eq!(loads(lane(&[1], 2), &stages), [None, None]);
    }
}
