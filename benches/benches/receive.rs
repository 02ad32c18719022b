//! What the analyser receives beside a program that only counts: live frames over a veth
//! pair each, sender and receiver on one core, in turn. Needs root.

use std::{
    process::{Command, ExitCode},
    thread,
};
use xdp_ebpf::{
    Analyser, AnalyserSetup, Stamping, StreamSetup, XdpMode,
    bench::{Counter, Sender},
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const FRAMES: u32 = 1 << 21;
const ROUNDS: usize = 15;
const NONCE: u32 = 7;
const STAMPINGS: [Stamping; 3] = [Stamping::Every, Stamping::OneIn(4), Stamping::Never];

fn main() -> ExitCode {
    // `cargo test --benches` only asks whether it builds and starts.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    // A namespace goes with its thread.
    match thread::spawn(measure).join() {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn measure() -> Result<(), Failure> {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET)?;
    pin_to(1)?;
    let frame = frame();
    let counting = Pair::up("counting")?;
    let counter = Counter::attach(counting.east)?;
    let mut pairs = vec![counting];
    let mut analysers = Vec::new();
    for (name, stamping) in ["every", "some", "never"].into_iter().zip(STAMPINGS) {
        let pair = Pair::up(name)?;
        analysers.push(analyser(pair.east, stamping)?);
        pairs.push(pair);
    }

    let mut rounds = vec![Vec::new(); pairs.len()];
    for _ in 0..ROUNDS {
        for (pair, round) in pairs.iter().zip(&mut rounds) {
            round.push(pair.sender.send(&frame, pair.west, FRAMES)?);
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

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Two ends of a veth and what sends into the first.
struct Pair {
    west: u32,
    east: u32,
    sender: Sender,
}

impl Pair {
    fn up(name: &str) -> Result<Self, Failure> {
        let (west, east) = (format!("{name}-w"), format!("{name}-e"));
        ip(&["link", "add", &west, "type", "veth", "peer", "name", &east])?;
        for end in [&west, &east] {
            ip(&["link", "set", end, "up"])?;
        }
        let index = |name: &String| nix::net::if_::if_nametoindex(name.as_str());
        Ok(Self { west: index(&west)?, east: index(&east)?, sender: Sender::load()? })
    }
}

fn ip(arguments: &[&str]) -> Result<(), Failure> {
    let status = Command::new("ip").args(arguments).status()?;
    if status.success() { Ok(()) } else { Err(format!("ip {arguments:?}: {status}").into()) }
}

fn pin_to(cpu: usize) -> Result<(), Failure> {
    let mut set = nix::sched::CpuSet::new();
    set.set(cpu)?;
    Ok(nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &set)?)
}

/// An analyser in a trial, for one stream on one queue.
fn analyser(ifindex: u32, stamping: Stamping) -> Result<Analyser, Failure> {
    let setup = AnalyserSetup {
        nonce: NONCE,
        interval_ns: 1_000_000_000,
        queues: 1,
        mtu: 1500,
        stamping,
        shared_windows: false,
        streams: vec![StreamSetup::default()],
    };
    let mut analyser = Analyser::load(&setup, XdpMode::Native)?;
    analyser.attach(ifindex)?;
    analyser.begin_trial(1, linerate::units::monotonic_ns());
    Ok(analyser)
}

/// 60 octets of IPv4/UDP with a tag of trial 1, stream 0.
fn frame() -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00];
    frame.extend([0x45, 0, 0, 46, 0, 1, 0, 0, 64, 17, 0xee, 0x94]);
    frame.extend([198, 18, 0, 2, 198, 19, 0, 2]);
    frame.extend([0xc0, 0x20, 0, 7, 0, 26, 0, 0, 0, 1, 2, 3]);
    let magic = NONCE << 6 | 1;
    frame.extend(&magic.to_be_bytes()[1..]);
    frame.extend([0; 11]);
    frame
}
