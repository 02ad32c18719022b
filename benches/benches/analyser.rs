//! What the analyser costs per frame: time of one `BPF_PROG_TEST_RUN` repetition of the
//! analyser less that of a program that only reads the clock and makes the next frame.
//! Both run in turn, many times; medians are compared. Needs root.

mod common;

use common::{Failure, frame, median, run, setup};
use std::process::ExitCode;
use xdp_ebpf::{Analyser, Error, Stamping, XdpMode, bench::Baseline};

const REPEAT: u32 = 20_000;
const ROUNDS: usize = 101;

fn main() -> ExitCode {
    run(measure)
}

fn measure() -> Result<(), Failure> {
    let frame = frame();
    let baseline = Baseline::load()?;
    let one = analyser(1)?;
    let two = analyser(2)?;

    let mut rows = [Vec::new(), Vec::new(), Vec::new()];
    let mut next = [frame.clone(), frame.clone(), frame];
    for _ in 0..ROUNDS {
        let runs = [
            baseline.test_run(&next[0], REPEAT)?,
            one.test_run(&next[1], 0, REPEAT)?,
            two.test_run(&next[2], 0, REPEAT)?,
        ];
        // Where one run ended, the next one goes on: sequence numbers stay new.
        for ((run, row), next) in runs.into_iter().zip(&mut rows).zip(&mut next) {
            row.push(run.duration_ns);
            *next = run.frame;
        }
    }
    for analyser in [&one, &two] {
        let unique = analyser.record(0, 0).unique;
        assert_eq!(unique, ROUNDS as u64 * u64::from(REPEAT), "every repetition is a new frame");
    }
    let [baseline, one, two] = rows;
    println!("ns per 60-octet IPv4/UDP frame, {ROUNDS} rounds of {REPEAT}: least, median");
    report("clock and next frame only", &baseline, None);
    report("analyser, one queue", &one, Some(&baseline));
    report("analyser, shared window", &two, Some(&baseline));
    Ok(())
}

fn report(name: &str, rounds: &[u32], baseline: Option<&[u32]>) {
    let least = rounds.iter().min().unwrap_or(&0);
    print!("  {name:<28} {least:>4} {:>4}", median(rounds.iter().copied()));
    if let Some(baseline) = baseline {
        // By rounds, for what disturbs a machine lasts longer than one.
        let over = rounds.iter().zip(baseline).map(|(&ns, &base)| i64::from(ns) - i64::from(base));
        print!("   {:+} over the first line", median(over));
    }
    println!();
}

/// An analyser in a trial, for one stream on a port with so many queues.
fn analyser(queues: u32) -> Result<Analyser, Error> {
    let mut analyser = Analyser::load_bench(&setup(1, queues, Stamping::Every))?;
    assert_eq!(analyser.attach_mode(), XdpMode::Native);
    analyser.begin_trial(1, 0);
    Ok(analyser)
}
