//! What the analyser receives beside a program that only counts: live frames over a veth
//! pair each, sender and receiver on one core, in turn. Needs root.

mod common;

use common::{Failure, frame, median, run, setup};
use std::process::ExitCode;
use xdp_ebpf::{
    Analyser, Stamping, XdpMode,
    bench::{Counter, Sender},
};

const FRAMES: u32 = 1 << 21;
const ROUNDS: usize = 15;
const STAMPINGS: [Stamping; 3] = [Stamping::Every, Stamping::OneIn(4), Stamping::Never];

fn main() -> ExitCode {
    run(measure)
}

fn measure() -> Result<(), Failure> {
    let frame = frame();
    let counting = Pair::up("counting")?;
    let counter = Counter::attach(counting.ends.east)?;
    let mut pairs = vec![counting];
    let mut analysers = Vec::new();
    for (name, stamping) in ["every", "some", "never"].into_iter().zip(STAMPINGS) {
        let pair = Pair::up(name)?;
        analysers.push(analyser(pair.ends.east, stamping)?);
        pairs.push(pair);
    }

    let mut rounds = vec![Vec::new(); pairs.len()];
    for _ in 0..ROUNDS {
        for (pair, round) in pairs.iter().zip(&mut rounds) {
            round.push(pair.sender.send(&frame, pair.ends.west, FRAMES)?);
        }
    }
    let sent = ROUNDS as u64 * u64::from(FRAMES);
    // The kernel says a word of its own on a new link.
    assert!(counter.frames() >= sent, "the counter lost frames");
    for analyser in &analysers {
        assert_eq!(analyser.record(0, 0).unique, sent, "the analyser lost frames");
    }

    println!("60-octet IPv4/UDP, {ROUNDS} rounds of {FRAMES}, one core sends and receives");
    let names = [
        "counting only",
        "analyser, every frame stamped",
        "analyser, one frame in 16 stamped",
        "analyser, no frame stamped",
    ];
    for (name, round) in names.iter().zip(&rounds) {
        report(name, round, &rounds[0]);
    }
    let clock = rounds[1]
        .iter()
        .zip(&rounds[3])
        .map(|(&every, &never)| f64::from(every) - f64::from(never));
    println!("  of which the clock takes          {:>5.0} ns", median(clock));
    Ok(())
}

/// Median time of a frame, and what is received by the share of what a counter receives.
fn report(name: &str, rounds: &[u32], counting: &[u32]) {
    let ns = median(rounds.iter().map(|&ns| f64::from(ns)));
    // By rounds, for what disturbs a machine lasts longer than one.
    let share = rounds.iter().zip(counting).map(|(&ns, &least)| f64::from(least) / f64::from(ns));
    let (mpps, percent) = (1e3 / ns, 100.0 * median(share));
    println!("  {name:<34} {ns:>4.0} ns  {mpps:>5.2} Mpps  {percent:>5.1} %");
}

/// A veth pair and what sends into its first end.
struct Pair {
    ends: common::Pair,
    sender: Sender,
}

impl Pair {
    fn up(name: &str) -> Result<Self, Failure> {
        Ok(Self { ends: common::Pair::up(name)?, sender: Sender::load()? })
    }
}

/// An analyser in a trial, for one stream on one queue.
fn analyser(ifindex: u32, stamping: Stamping) -> Result<Analyser, Failure> {
    let mut analyser = Analyser::load(&setup(1, 1, stamping), XdpMode::Native)?;
    analyser.attach(ifindex)?;
    analyser.begin_trial(1, linerate::units::monotonic_ns());
    Ok(analyser)
}
