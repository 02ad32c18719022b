//! What many flows cost: 1 to 10,000 flows in turn over a veth pair, by AF_XDP and by live frames,
//! to a program that only counts and to the analyser; sender and receiver on one core. Needs root.

mod common;

use common::{
    Failure, median,
    path::{From, Path},
    run,
};
use std::process::ExitCode;
use xdp_ebpf::Stamping;

const ROUNDS: usize = 9;
const FLOWS: [u32; 3] = [1, 1_000, 10_000];
const SENDERS: [(&str, &str, From, u32); 2] =
    [("a", "AF_XDP", From::AfXdp, 1 << 18), ("l", "live frames", From::Live, 1 << 20)];
/// Who receives; `None`: the counter.
const RECEIVERS: [(&str, &str, Option<Stamping>); 3] = [
    ("c", "counting only", None),
    ("s", "analyser, one frame in 16 stamped", Some(Stamping::OneIn(4))),
    ("e", "analyser, every frame stamped", Some(Stamping::Every)),
];

fn main() -> ExitCode {
    run(measure)
}

fn measure() -> Result<(), Failure> {
    println!("60-octet IPv4/UDP, {ROUNDS} rounds, one core sends and receives");
    for (prefix, sender, from, frames) in SENDERS {
        for (letter, receiver, stamping) in RECEIVERS {
            println!("{sender}, {frames} frames a round; {receiver}");
            let mut paths = Vec::new();
            for flows in FLOWS {
                paths.push(Path::up(&format!("{prefix}{letter}{flows}"), from, flows, stamping)?);
            }
            let mut rounds = FLOWS.map(|_| Vec::new());
            for _ in 0..ROUNDS {
                for (path, times) in paths.iter_mut().zip(&mut rounds) {
                    times.push(path.send(frames)?);
                }
            }
            for (flows, times) in FLOWS.iter().zip(&rounds) {
                report(*flows, times, &rounds[0]);
            }
        }
    }
    Ok(())
}

/// Median time of a frame, and how many fewer come than of one flow.
fn report(flows: u32, times: &[f64], one: &[f64]) {
    let ns = median(times.iter().copied());
    // By rounds, for what disturbs a machine lasts longer than one.
    let share = times.iter().zip(one).map(|(ns, one)| one / ns);
    let fall = 100.0 * (1.0 - median(share));
    println!("  {flows:>6} flows {ns:>6.0} ns a frame, {fall:>5.1} % fewer than one flow");
}
