//! What the analyser receives beside a program that only counts, in turn: from AF_XDP and live
//! frames as a run sends them, and from live frames that cost as little as they can. Needs root.

mod common;

use common::{
    Failure, median,
    path::{From, Path},
    run,
};
use std::process::ExitCode;
use xdp_ebpf::Stamping;

const ROUNDS: usize = 15;
const SENDERS: [(&str, &str, From, u32); 3] = [
    ("a", "AF_XDP, copied by the kernel", From::AfXdp, 1 << 18),
    ("l", "live frames", From::Live, 1 << 20),
    ("s", "live frames that cost the least", From::Least, 1 << 20),
];
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
    for (prefix, sender, from, frames) in SENDERS {
        println!("{sender}, {frames} frames a round");
        let mut paths = Vec::new();
        for (name, _, stamping) in RECEIVERS {
            paths.push(Path::up(&format!("{prefix}-{name}"), from, 1, stamping)?);
        }
        let mut rounds = vec![Vec::new(); paths.len()];
        for _ in 0..ROUNDS {
            for (path, times) in paths.iter_mut().zip(&mut rounds) {
                times.push(path.send(frames)?);
            }
        }
        for ((_, name, _), times) in RECEIVERS.iter().zip(&rounds) {
            report(name, times, &rounds[0]);
        }
        let clock = rounds[1].iter().zip(&rounds[3]).map(|(every, never)| every - never);
        println!("  of which the clock takes          {:>6.0} ns", median(clock));
    }
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
