//! From a sender over a veth pair to a receiver, all on one core.

use super::{Failure, NONCE, Pair, plan, program, setup};
use linerate::{
    packet::Cursor,
    tx::{Queue, QueueSetup, StreamPlan, Transmitter as _, Trial},
    units::{StreamId, monotonic_ns},
};
use std::{sync::atomic::AtomicBool, time::Instant};
use xdp_ebpf::{
    Analyser, Generator, Stamping, XdpMode, abi,
    bench::{Counter, Sender},
};

/// The clock is read once for so many live frames.
const CLOCK_FRAMES: u32 = 16;
const TRIES: u32 = 3;

/// Who sends.
#[derive(Clone, Copy)]
pub(crate) enum From {
    /// AF_XDP, as a run does.
    AfXdp,
    /// Live frames, as a run does.
    Live,
    /// Live frames that cost as little as they can; of one stream.
    Least,
}

enum Sending {
    AfXdp(Box<Queue>),
    Live(Box<Generator>),
    Least(Sender),
}

enum Receiver {
    Counter(Counter),
    Analyser(Box<Analyser>),
}

pub(crate) struct Path {
    ends: Pair,
    streams: u32,
    trial: u8,
    sending: Sending,
    receiver: Receiver,
}

impl Path {
    /// Of so many streams, to an analyser, or (`None`) to a program that only counts.
    pub(crate) fn up(
        name: &str,
        from: From,
        streams: u32,
        to: Option<Stamping>,
    ) -> Result<Self, Failure> {
        let ends = Pair::up(name)?;
        let receiver = match to {
            None => Receiver::Counter(Counter::attach(ends.east)?),
            Some(stamping) => {
                let mut analyser = Analyser::load(&setup(streams, 1, stamping), XdpMode::Native)?;
                analyser.attach(ends.east)?;
                Receiver::Analyser(Box::new(analyser))
            }
        };
        let sending = match from {
            From::Least => Sending::Least(Sender::load()?),
            From::Live => {
                let plan = plan(streams, "size = 64", CLOCK_FRAMES);
                let generator = Generator::load(plan.sizes())?;
                generator.prepare(&plan);
                Sending::Live(Box::new(generator))
            }
            From::AfXdp => Sending::AfXdp(Box::new(Queue::open(&QueueSetup {
                interface: &format!("{name}-w"),
                queue: 0,
                frame_bytes_max: 60,
                mtu: 1500,
                native_xdp: true,
            })?)),
        };
        Ok(Self { ends, streams, trial: 0, sending, receiver })
    }

    /// Sends so many frames; nanoseconds that one took. Where many are lost, for another thread
    /// has the receiver's part of the core, it is done again.
    pub(crate) fn send(&mut self, frames: u32) -> Result<f64, Failure> {
        for _ in 0..TRIES {
            // The sequence numbers of a sender in the kernel go on; those of AF_XDP begin anew.
            if self.trial == 0 || matches!(self.sending, Sending::AfXdp(_)) {
                self.trial += 1;
                self.receiver.begin(self.trial);
            }
            let before = self.receiver.frames(self.streams);
            let ns = match &mut self.sending {
                Sending::Least(sender) => {
                    sender.send(&super::frame(), self.ends.west, frames)?.into()
                }
                Sending::Live(generator) => generator.send(self.ends.west, frames)?.into(),
                Sending::AfXdp(queue) => {
                    send_af_xdp(queue, self.streams, self.trial.into(), frames)?
                }
            };
            let received = self.receiver.frames(self.streams) - before;
            // The kernel says a word of its own on a new link.
            if u64::from(frames).saturating_sub(received) * 1000 <= u64::from(frames) {
                return Ok(ns);
            }
        }
        Err(format!("more than 1 of 1000 frames lost, {TRIES} times in a row").into())
    }
}

fn send_af_xdp(queue: &mut Queue, streams: u32, trial: u32, frames: u32) -> Result<f64, Failure> {
    let program = program("size = 64");
    let plans = (0..streams).map(|stream| StreamPlan {
        stream: StreamId(stream as u16),
        flow: stream,
        cursor: Cursor::new(program.clone(), 0, 1),
        pacer: None,
        frames: Some((frames.div_ceil(streams)).into()),
        stop_ns: None,
    });
    let magic = NONCE << abi::TAG_TRIAL_BITS | trial;
    let trial =
        Trial { magic, start_ns: monotonic_ns(), interval_ns: 1_000_000_000, ..Trial::default() };
    queue.prepare(plans.collect(), &trial)?;
    let begun = Instant::now();
    let outcome = queue.run(&AtomicBool::new(false), false);
    let elapsed = begun.elapsed();
    match outcome.error {
        Some(error) => Err(error.into()),
        None => Ok(elapsed.as_nanos() as f64 / f64::from(frames.next_multiple_of(streams))),
    }
}

impl Receiver {
    fn begin(&mut self, trial: u8) {
        if let Self::Analyser(analyser) = self {
            analyser.begin_trial(trial, monotonic_ns());
        }
    }

    fn frames(&self, streams: u32) -> u64 {
        match self {
            Self::Counter(counter) => counter.frames(),
            Self::Analyser(analyser) => {
                (0..streams).map(|id| analyser.record(id as u16, 0).unique).sum()
            }
        }
    }
}
