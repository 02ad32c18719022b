//! What many flows cost: live frames over a veth pair to an analyser, sender and receiver
//! on one core, with 1 to 10,000 flows in turn. Needs root.

mod common;

use common::{Failure, Pair, median, plan, run, setup};
use std::process::ExitCode;
use xdp_ebpf::{Analyser, Generator, Stamping, XdpMode};

const FRAMES: u32 = 1 << 20;
const ROUNDS: usize = 9;
const FLOWS: [u32; 3] = [1, 1_000, 10_000];

fn main() -> ExitCode {
    run(measure)
}

fn measure() -> Result<(), Failure> {
    println!("60-octet IPv4/UDP, {ROUNDS} rounds of {FRAMES}, one core sends and receives");
    for (name, stamping) in
        [("every frame stamped", Stamping::Every), ("one frame in 16 stamped", Stamping::OneIn(4))]
    {
        println!("{name}");
        let pairs = FLOWS.map(|flows| Path::up(flows, stamping));
        let mut rounds = FLOWS.map(|_| Vec::new());
        let mut paths = Vec::new();
        for pair in pairs {
            paths.push(pair?);
        }
        for _ in 0..ROUNDS {
            for (path, round) in paths.iter().zip(&mut rounds) {
                round.push(path.generator.send(path.pair.west, FRAMES)?);
            }
        }
        let one = median(rounds[0].iter().copied());
        for ((flows, path), round) in FLOWS.iter().zip(&paths).zip(rounds) {
            let got: u64 = (0..*flows).map(|id| path.analyser.record(id as u16, 0).unique).sum();
            let lost = u64::from(FRAMES) * ROUNDS as u64 - got;
            let ns = median(round);
            let fall = 100.0 * (1.0 - f64::from(one) / f64::from(ns));
            println!(
                "  {flows:>6} flows {ns:>5} ns a frame, {fall:>5.1} % fewer than one flow, {lost} lost"
            );
        }
    }
    Ok(())
}

/// A sender and its receiver.
struct Path {
    pair: Pair,
    generator: Generator,
    analyser: Analyser,
}

impl Path {
    fn up(flows: u32, stamping: Stamping) -> Result<Self, Failure> {
        let pair = Pair::up(&format!("f{flows}{}", u8::from(stamping == Stamping::Every)))?;
        let mut analyser = Analyser::load(&setup(flows, 1, stamping), XdpMode::Native)?;
        analyser.attach(pair.east)?;
        let plan = plan(flows, "size = 64", 16);
        let generator = Generator::load(plan.sizes())?;
        generator.prepare(&plan);
        analyser.begin_trial(1, plan.start_ns);
        Ok(Self { pair, generator, analyser })
    }
}
