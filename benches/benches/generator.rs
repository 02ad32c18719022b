//! What the live-frame program takes to make a frame: time of one `BPF_PROG_TEST_RUN`
//! repetition, nothing sent. Needs root.

mod common;

use common::{Failure, median, plan, run};
use std::process::ExitCode;
use xdp_ebpf::Generator;

const REPEAT: u32 = 200_000;
const ROUNDS: usize = 51;

/// Name, streams, settings of the flow. A stream of several sizes lies in several places; here
/// they are one, for a test run does not give a frame its first length back.
const CASES: [(&str, u32, &str, u32); 5] = [
    ("64 octets, two fields", 1, "size = 64", 16),
    ("64 octets, a clock read for each", 1, "size = 64", 1),
    ("64 octets, two fields, 10,000 streams", 10_000, "size = 64", 16),
    ("64 octets, of two sizes that are one", 1, "size = [64, 64]", 16),
    ("1,518 octets", 1, "size = 1518", 16),
];

fn main() -> ExitCode {
    run(measure)
}

fn measure() -> Result<(), Failure> {
    println!("ns to make a frame of IPv4/UDP, {ROUNDS} rounds of {REPEAT}: least, median");
    let mut cases = Vec::new();
    for (name, streams, settings, clock_frames) in CASES {
        let plan = plan(streams, settings, clock_frames);
        let generator = Generator::load(plan.sizes())?;
        generator.prepare(&plan);
        cases.push((name, generator, Vec::new()));
    }
    for _ in 0..ROUNDS {
        for (_, generator, rounds) in &mut cases {
            rounds.push(generator.test_run(REPEAT)?.duration_ns);
        }
    }
    for (name, generator, rounds) in cases {
        let made = generator.counters(0).frames;
        assert!(made > 0 && !generator.has_defect(), "{name}: no frame was made");
        let least = rounds.iter().min().unwrap_or(&0);
        println!("  {name:<40} {least:>4} {:>4}", median(rounds.iter().copied()));
    }
    Ok(())
}
