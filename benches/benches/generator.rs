//! What the live-frame program takes to make a frame: time of one `BPF_PROG_TEST_RUN`
//! repetition, nothing sent. Needs root.

use linerate::{
    packet::{Cursor, NextHop, Program},
    spec::Spec,
    units::monotonic_ns,
};
use std::{process::ExitCode, sync::Arc};
use xdp_ebpf::{Error, Generator, GeneratorPlan, abi};

const REPEAT: u32 = 200_000;
const ROUNDS: usize = 51;

/// Name, streams, settings of the flow.
const CASES: [(&str, u32, &str, u32); 4] = [
    ("64 octets, two fields", 1, "size = 64", 16),
    ("64 octets, a clock read for each", 1, "size = 64", 1),
    ("64 octets, two fields, 10,000 streams", 10_000, "size = 64", 16),
    ("1,518 octets", 1, "size = 1518", 16),
];

fn main() -> ExitCode {
    // `cargo test --benches` only asks whether it builds and starts.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<(), Error> {
    println!("ns to make a frame of IPv4/UDP, {ROUNDS} rounds of {REPEAT}: least, median");
    let cases: Vec<_> = CASES
        .iter()
        .map(|(name, streams, settings, clock_frames)| {
            let plan = plan(*streams, settings, *clock_frames);
            let generator = Generator::load(plan.sizes())?;
            generator.prepare(&plan);
            Ok((name, generator, Vec::new()))
        })
        .collect::<Result<_, Error>>()?;
    let mut cases = cases;
    for _ in 0..ROUNDS {
        for (_, generator, rounds) in &mut cases {
            rounds.push(generator.test_run(REPEAT)?.duration_ns);
        }
    }
    for (name, generator, mut rounds) in cases {
        let made = generator.counters(0).frames;
        assert!(made > 0 && !generator.has_defect(), "{name}: no frame was made");
        rounds.sort_unstable();
        println!("  {name:<40} {:>4} {:>4}", rounds[0], rounds[ROUNDS / 2]);
    }
    Ok(())
}

/// Streams of one flow each, at "max".
fn plan(streams: u32, settings: &str, clock_frames: u32) -> GeneratorPlan {
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
    let program = Arc::new(program.expect("the flow is sound"));
    let mut plan = GeneratorPlan {
        magic: 7 << abi::TAG_TRIAL_BITS | 1,
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
