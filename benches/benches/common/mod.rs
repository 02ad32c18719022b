//! What several benches need: veth pairs, plans of streams, medians.
#![allow(dead_code, reason = "every bench takes what it needs")]

pub(crate) mod path;

use linerate::{
    packet::{Cursor, NextHop, Program},
    spec::Spec,
    units::monotonic_ns,
};
use std::{
    process::{Command, ExitCode},
    sync::Arc,
    thread,
};
use xdp_ebpf::{AnalyserSetup, GeneratorPlan, Stamping, StreamSetup, abi};

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Of all frames here.
pub(crate) const NONCE: u32 = 7;

/// Measures on one CPU, in a network namespace that goes with its thread. `cargo test
/// --benches` only asks whether a bench builds and starts.
pub(crate) fn run(measure: fn() -> Result<(), Failure>) -> ExitCode {
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let alone = move || {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET)?;
        let mut set = nix::sched::CpuSet::new();
        set.set(1)?;
        nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &set)?;
        measure()
    };
    match thread::spawn(alone).join() {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

pub(crate) fn median<T: Copy + PartialOrd>(values: impl IntoIterator<Item = T>) -> T {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
    values[values.len() / 2]
}

/// Two ends of a veth, by their indices.
pub(crate) struct Pair {
    pub(crate) west: u32,
    pub(crate) east: u32,
}

impl Pair {
    pub(crate) fn up(name: &str) -> Result<Self, Failure> {
        let (west, east) = (format!("{name}-w"), format!("{name}-e"));
        ip(&["link", "add", &west, "type", "veth", "peer", "name", &east])?;
        for end in [&west, &east] {
            ip(&["link", "set", end, "up"])?;
        }
        let index = |name: &String| nix::net::if_::if_nametoindex(name.as_str());
        Ok(Self { west: index(&west)?, east: index(&east)? })
    }
}

fn ip(arguments: &[&str]) -> Result<(), Failure> {
    let status = Command::new("ip").args(arguments).status()?;
    if status.success() { Ok(()) } else { Err(format!("ip {arguments:?}: {status}").into()) }
}

/// An analyser of so many streams on a port with so many queues.
pub(crate) fn setup(streams: u32, queues: u32, stamping: Stamping) -> AnalyserSetup {
    AnalyserSetup {
        nonce: NONCE,
        queues,
        stamping,
        streams: vec![StreamSetup::default(); streams as usize],
        ..AnalyserSetup::default()
    }
}

/// IPv4/UDP with two changing fields, at "max".
pub(crate) fn program(settings: &str) -> Arc<Program> {
    let file = format!(
        r#"
        [[flow]]
        name = "f"
        tx = "a"
        {settings}
        layers = [
          {{eth = {{src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02"}}}},
          {{ipv4 = {{src = {{range = "198.18.1.2-198.18.1.254"}}, dst = "198.19.1.2"}}}},
          {{udp = {{src = {{range = "49152-65535"}}, dst = 7}}}},
        ]
        "#
    );
    let spec = Spec::from_toml(&file).expect("a sound flow");
    let program = Program::compile(&spec.flows[0], [0; 6], &NextHop::One([0; 6]));
    Arc::new(program.expect("the flow is sound"))
}

/// Streams of one such program.
pub(crate) fn plan(streams: u32, settings: &str, clock_frames: u32) -> GeneratorPlan {
    let program = program(settings);
    let mut plan = GeneratorPlan {
        magic: NONCE << abi::TAG_TRIAL_BITS | 1,
        start_ns: monotonic_ns(),
        interval_ns: 1_000_000_000,
        clock_frames,
        ..GeneratorPlan::default()
    };
    for stream in 0..streams {
        let mut live = abi::live_stream {
            left: u64::MAX,
            stop_ns: u64::MAX,
            over_ns: u64::MAX,
            stream: stream as u16,
            ..abi::live_stream::default()
        };
        Cursor::new(Arc::clone(&program), 0, 1).lay_out(&mut live, &mut plan);
        plan.streams.push(live);
    }
    plan
}

/// 60 octets of IPv4/UDP with a tag of trial 1, stream 0.
pub(crate) fn frame() -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00];
    frame.extend([0x45, 0, 0, 46, 0, 1, 0, 0, 64, 17, 0xee, 0x94]);
    frame.extend([198, 18, 0, 2, 198, 19, 0, 2]);
    frame.extend([0xc0, 0x20, 0, 7, 0, 26, 0, 0, 0, 1, 2, 3]);
    let magic = NONCE << 6 | 1;
    frame.extend(&magic.to_be_bytes()[1..]);
    frame.extend([0; 11]);
    frame
}
