//! What the analyser receives beside a program that only counts, over a veth pair each, sender
//! and receiver on one core, in turn: from AF_XDP as a run sends, and from live frames that cost
//! as little as they can. Needs root.

mod common;

use common::{Failure, NONCE, frame, median, program, run, setup};
use linerate::{
    packet::Cursor,
    tx::{Queue, QueueSetup, StreamPlan, Transmitter as _, Trial},
    units::{StreamId, monotonic_ns},
};
use std::{process::ExitCode, sync::atomic::AtomicBool, time::Instant};
use xdp_ebpf::{
    Analyser, Stamping, XdpMode, abi,
    bench::{Counter, Sender},
};

const ROUNDS: u8 = 15;
/// Who receives; `None`: the counter.
const RECEIVERS: [(&str, &str, Option<Stamping>); 4] = [
    ("counting", "counting only", None),
    ("every", "analyser, every frame stamped", Some(Stamping::Every)),
    ("some", "analyser, one frame in 16 stamped", Some(Stamping::OneIn(4))),
    ("never", "analyser, no frame stamped", Some(Stamping::Never)),
];

fn main() -> ExitCode {
    run(measure)
}

fn measure() -> Result<(), Failure> {
    println!("60-octet IPv4/UDP, {ROUNDS} rounds, one core sends and receives");
    compare("a", "AF_XDP, copied by the kernel", 1 << 18, &|pair| {
        Ok(Sending::AfXdp(Box::new(Queue::open(&QueueSetup {
            interface: &format!("{pair}-w"),
            queue: 0,
            frame_bytes_max: 60,
            mtu: 1500,
            native_xdp: true,
        })?)))
    })?;
    compare("l", "live frames that cost the least", 1 << 21, &|_| {
        Ok(Sending::Live(Sender::load()?))
    })
}

/// One table: the four receivers, each with its own sender.
fn compare(
    prefix: &str,
    sender: &str,
    frames: u32,
    open: &dyn Fn(&str) -> Result<Sending, Failure>,
) -> Result<(), Failure> {
    println!("{sender}, {frames} frames a round");
    let mut paths = Vec::new();
    for (name, _, stamping) in RECEIVERS {
        let pair = format!("{prefix}-{name}");
        let ends = common::Pair::up(&pair)?;
        let receiver = Receiver::attach(ends.east, stamping)?;
        paths.push(Path { receiver, sending: open(&pair)?, ends });
    }
    let mut rounds = vec![Vec::new(); paths.len()];
    for round in 1..=ROUNDS {
        for (path, times) in paths.iter_mut().zip(&mut rounds) {
            times.push(path.send(round, frames)?);
        }
    }
    for ((_, name, _), times) in RECEIVERS.iter().zip(&rounds) {
        report(name, times, &rounds[0]);
    }
    let clock = rounds[1].iter().zip(&rounds[3]).map(|(every, never)| every - never);
    println!("  of which the clock takes          {:>6.0} ns", median(clock));
    Ok(())
}

/// Median time of a frame, and what is received by the share of what a counter receives.
fn report(name: &str, times: &[f64], counting: &[f64]) {
    let ns = median(times.iter().copied());
    // By rounds, for what disturbs a machine lasts longer than one.
    let share = times.iter().zip(counting).map(|(ns, least)| least / ns);
    let (mpps, percent) = (1e3 / ns, 100.0 * median(share));
    println!("  {name:<34}{ns:>6.0} ns  {mpps:>5.2} Mpps  {percent:>5.1} %");
}

/// A veth pair, what sends into its first end, and who receives at the other.
struct Path {
    receiver: Receiver,
    sending: Sending,
    ends: common::Pair,
}

enum Sending {
    AfXdp(Box<Queue>),
    Live(Sender),
}

enum Receiver {
    Counter(Counter),
    Analyser { analyser: Analyser, trial: u8 },
}

impl Path {
    /// Sends so many frames; nanoseconds that one took.
    fn send(&mut self, round: u8, frames: u32) -> Result<f64, Failure> {
        // The sequence numbers of a sender in the kernel go on; those of AF_XDP begin anew.
        let trial = if matches!(self.sending, Sending::Live(_)) { 1 } else { round };
        self.receiver.begin(trial);
        let before = self.receiver.frames();
        let ns = match &mut self.sending {
            Sending::Live(sender) => sender.send(&frame(), self.ends.west, frames)?.into(),
            Sending::AfXdp(queue) => send_af_xdp(queue, trial.into(), frames)?,
        };
        // The kernel says a word of its own on a new link.
        let lost = u64::from(frames).saturating_sub(self.receiver.frames() - before);
        if lost * 1000 > u64::from(frames) {
            return Err(format!("{lost} of {frames} frames lost: not quiet enough here").into());
        }
        Ok(ns)
    }
}

fn send_af_xdp(queue: &mut Queue, trial: u32, frames: u32) -> Result<f64, Failure> {
    let stream = StreamPlan {
        stream: StreamId(0),
        flow: 0,
        cursor: Cursor::new(program("size = 64"), 0, 1),
        pacer: None,
        frames: Some(frames.into()),
        stop_ns: None,
    };
    let magic = NONCE << abi::TAG_TRIAL_BITS | trial;
    let trial =
        Trial { magic, start_ns: monotonic_ns(), interval_ns: 1_000_000_000, ..Trial::default() };
    queue.prepare(vec![stream], &trial)?;
    let begun = Instant::now();
    let outcome = queue.run(&AtomicBool::new(false), false);
    let elapsed = begun.elapsed();
    match outcome.error {
        Some(error) => Err(error.into()),
        None => Ok(elapsed.as_nanos() as f64 / f64::from(frames)),
    }
}

impl Receiver {
    fn attach(ifindex: u32, stamping: Option<Stamping>) -> Result<Self, Failure> {
        let Some(stamping) = stamping else { return Ok(Self::Counter(Counter::attach(ifindex)?)) };
        let mut analyser = Analyser::load(&setup(1, 1, stamping), XdpMode::Native)?;
        analyser.attach(ifindex)?;
        Ok(Self::Analyser { analyser, trial: 0 })
    }

    /// Begins a trial, unless it is going on.
    fn begin(&mut self, number: u8) {
        if let Self::Analyser { analyser, trial } = self
            && *trial != number
        {
            analyser.begin_trial(number, monotonic_ns());
            *trial = number;
        }
    }

    fn frames(&self) -> u64 {
        match self {
            Self::Counter(counter) => counter.frames(),
            Self::Analyser { analyser, .. } => analyser.record(0, 0).unique,
        }
    }
}
