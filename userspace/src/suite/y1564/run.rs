//! Which trials a service activation test consists of.

use super::{
    Outcome, ServiceOutcome, Step, StepOutcome, Verdict,
    judge::{judge, left_out},
    rates::{most_bps, policing_bps, promised},
};
use crate::{
    spec::{ServiceSpec, Y1564Spec},
    suite::{Bounds, Limits, Load, Progress, Stage, Stop, Test, Trial, TrialPlan, Trials},
    units::Ratio,
};
use std::{ops::Range, time::Duration};

/// Why services cannot be tested.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Y1564Error {
    /// There has to be something to test.
    #[error("no service is given; add a [[service]] with name, size and cir to the suite file")]
    None,
    /// Each service has its own way through the device, in each direction.
    #[error(
        "{services} services need as many ways through the device, or twice as many; there are {directions}"
    )]
    Directions {
        /// How many services.
        services: usize,
        /// [`Trial::directions`].
        directions: usize,
    },
    /// The link is too slow for what was promised.
    #[error(
        "service `{service}`: its CIR of {cir_bps} bit/s is more than the link can carry with frames of {frame}; allowed: up to {most_bps} bit/s"
    )]
    Line {
        /// Its name.
        service: String,
        /// What was promised.
        cir_bps: u64,
        /// Its frames.
        frame: String,
        /// What is possible.
        most_bps: u128,
    },
}

/// Tests each service alone, step by step, and if all of them keep their promises then all
/// together.
///
/// The directions of `trial` belong to the services in their order, equally many to each: one,
/// or there and back.
///
/// # Errors
/// [`Y1564Error`]: nothing was sent. What ends a test later is in the [`Outcome`].
pub fn run(
    spec: &Y1564Spec,
    trial: &mut dyn Trial,
    observe: &mut dyn FnMut(Progress<'_>),
) -> Result<Outcome, Y1564Error> {
    check(spec, trial)?;
    let limits = Limits { trials: spec.suite.max_trials, time: spec.suite.max_time };
    let trials = Trials::new(trial, limits, observe);
    let lanes = trials.directions().len() / spec.services.len();
    let mut test = Activation { spec, trials, lanes, services: Vec::new() };
    let (performance_left_out, stopped) = match test.run() {
        Ok(left_out) => (left_out, None),
        Err(stop) => (Some(stop.to_string()), Some(stop)),
    };
    let performed = test.services.iter().all(|service| service.performance.is_some());
    Ok(Outcome {
        performance_left_out: performance_left_out.filter(|_| !performed),
        services: test.services,
        trials: test.trials.into_records(),
        stopped,
    })
}

fn check(spec: &Y1564Spec, trial: &dyn Trial) -> Result<(), Y1564Error> {
    let (services, directions) = (spec.services.len(), trial.directions().len());
    if services == 0 {
        return Err(Y1564Error::None);
    }
    if directions != services && directions != 2 * services {
        return Err(Y1564Error::Directions { services, directions });
    }
    let lanes = directions / services;
    for (place, service) in spec.services.iter().enumerate() {
        for direction in &trial.directions()[place * lanes..(place + 1) * lanes] {
            let most = line_bps(service, direction.link_bps);
            if Ratio::from(service.cir_bps) > most {
                return Err(Y1564Error::Line {
                    service: service.name.clone(),
                    cir_bps: service.cir_bps,
                    frame: service.frame.name.clone(),
                    most_bps: most.floor(),
                });
            }
        }
    }
    Ok(())
}

/// How long a test will take, without trials that are run again: its loads and all waits.
pub fn estimate(spec: &Y1564Spec) -> Duration {
    let waits = &spec.suite.waits;
    let around = waits.before + waits.residual + waits.after;
    let steps = |service: &ServiceSpec| {
        let more = usize::from(service.eir_bps > 0) + usize::from(service.policing);
        (spec.steps.len() + more) as u32
    };
    let steps: u32 = spec.services.iter().map(steps).sum();
    (spec.step + around) * steps + spec.performance + around
}

/// A test on its way.
struct Activation<'a, 'b> {
    spec: &'a Y1564Spec,
    trials: Trials<'b>,
    /// Directions of each service.
    lanes: usize,
    services: Vec<ServiceOutcome>,
}

impl Activation<'_, '_> {
    /// Why there was no performance test.
    fn run(&mut self) -> Result<Option<String>, Stop> {
        for (place, service) in self.spec.services.iter().enumerate() {
            self.services.push(ServiceOutcome {
                service: service.clone(),
                configuration: Vec::new(),
                performance: None,
            });
            self.configuration(place)?;
        }
        let failed = self.services.iter().find(|service| service.verdict() != Verdict::Pass);
        if let Some(ServiceOutcome { service, .. }) = failed {
            let name = &service.name;
            return Ok(Some(format!("service `{name}` did not pass its configuration test")));
        }
        self.performance()?;
        Ok(None)
    }

    /// The service configuration test of one service (8.1).
    fn configuration(&mut self, place: usize) -> Result<(), Stop> {
        let service = &self.spec.services[place];
        let (cir, eir) = promised(service);
        for &share in &self.spec.steps {
            self.step(place, Step::Cir(share), cir.times(share))?;
        }
        let line = self.line_bps(place);
        if eir > Ratio::ZERO {
            let both = cir.plus(eir);
            if both > line {
                self.leave_out(place, Step::Eir, both, line);
            } else {
                self.step(place, Step::Eir, both)?;
            }
        }
        if service.policing {
            let rate = policing_bps(service, self.spec.policing);
            // A full link is enough, if a missing policer would show on it.
            let offered = rate.min(line);
            if offered > most_bps(service, self.spec.step) {
                self.step(place, Step::Policing, offered)?;
            } else {
                self.leave_out(place, Step::Policing, rate, line);
            }
        }
        Ok(())
    }

    fn lanes_of(&self, place: usize) -> Range<usize> {
        place * self.lanes..(place + 1) * self.lanes
    }

    /// What the slowest link of a service carries.
    fn line_bps(&self, place: usize) -> Ratio {
        let links = self.trials.directions()[self.lanes_of(place)].iter();
        let slowest = links.map(|direction| direction.link_bps).min().unwrap_or_default();
        line_bps(&self.spec.services[place], slowest)
    }

    fn leave_out(&mut self, place: usize, step: Step, offered: Ratio, line: Ratio) {
        let reason = if offered > line {
            format!("the link carries {} bit/s at most", line.floor())
        } else {
            "the bursts that the policer may pass are more than the step offers beyond it; \
             make the step longer"
                .to_owned()
        };
        self.services[place].configuration.push(left_out(step, offered, reason));
    }

    /// One step of one service alone.
    fn step(&mut self, place: usize, step: Step, offered: Ratio) -> Result<(), Stop> {
        let service = &self.spec.services[place];
        let loads = loads(service, offered, self.spec.step, self.lanes_of(place));
        let goal = format!("{} {}", service.name, name(step));
        let judged = self.trial(loads, goal, &[(place, step, offered)])?;
        self.services[place].configuration.extend(judged);
        Ok(())
    }

    /// All services together (8.2).
    fn performance(&mut self) -> Result<(), Stop> {
        let services = self.spec.services.iter().enumerate();
        let loads = services.clone().flat_map(|(place, service)| {
            loads(service, promised(service).0, self.spec.performance, self.lanes_of(place))
        });
        let parts =
            services.map(|(place, service)| (place, Step::Performance, promised(service).0));
        let (loads, parts): (Vec<_>, Vec<_>) = (loads.collect(), parts.collect());
        let judged = self.trial(loads, name(Step::Performance), &parts)?;
        for (service, judged) in self.services.iter_mut().zip(judged) {
            service.performance = Some(judged);
        }
        Ok(())
    }

    /// Runs a trial and judges each of the services in it.
    fn trial(
        &mut self,
        loads: Vec<Load>,
        goal: String,
        parts: &[(usize, Step, Ratio)],
    ) -> Result<Vec<StepOutcome>, Stop> {
        let plan = TrialPlan {
            test: Test::Y1564,
            loads,
            latency_from: Duration::ZERO,
            action: None,
            per_second: true,
        };
        let bounds = Bounds { goal: Some(goal), ..Bounds::default() };
        let frame = &self.spec.services[parts[0].0].frame;
        let record = self.trials.run(frame, plan, bounds)?.clone();
        let judged = parts.iter().map(|&(place, step, offered)| {
            let service = &self.spec.services[place];
            judge(service, step, offered, &record, self.trials.directions(), self.lanes_of(place))
        });
        Ok(judged.collect())
    }
}

/// The same load in each direction of a service.
fn loads(service: &ServiceSpec, bps: Ratio, time: Duration, lanes: Range<usize>) -> Vec<Load> {
    let fps = bps.over(service.frame.mean_bytes().times(8.into()));
    let stage = Stage::lasting(fps, time);
    let stage = Stage { frames: stage.frames.max(1), ..stage };
    let load = |direction| Load { direction, frame: service.frame.clone(), stages: vec![stage] };
    lanes.map(load).collect()
}

/// The information rate of a full link, L2 bits a second.
fn line_bps(service: &ServiceSpec, link_bps: u64) -> Ratio {
    service.frame.line_rate_fps(link_bps).times(service.frame.mean_bytes()).times(8.into())
}

fn name(step: Step) -> String {
    match step {
        Step::Cir(share) => format!("CIR {}%", share.times(100.into())),
        Step::Eir => "CIR + EIR".to_owned(),
        Step::Policing => "policing".to_owned(),
        Step::Performance => "performance".to_owned(),
    }
}
