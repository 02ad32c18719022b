//! What many flows cost: live frames over a veth pair, with 1 to 10,000 flows in turn, to a
//! program that only counts and to the analyser; sender and receiver on one core. Needs root.

mod common;

use common::{Failure, Pair, median, plan, run, setup};
use std::process::ExitCode;
use xdp_ebpf::{Analyser, Generator, Stamping, XdpMode, bench::Counter};

const FRAMES: u32 = 1 << 20;
const ROUNDS: usize = 9;
const FLOWS: [u32; 3] = [1, 1_000, 10_000];
/// Who receives; `None`: the counter.
const RECEIVERS: [(&str, Option<Stamping>); 3] = [
    ("counting only", None),
    ("analyser, one frame in 16 stamped", Some(Stamping::OneIn(4))),
    ("analyser, every frame stamped", Some(Stamping::Every)),
];

fn main() -> ExitCode {
    run(measure)
}

fn measure() -> Result<(), Failure> {
    println!("60-octet IPv4/UDP, {ROUNDS} rounds of {FRAMES}, one core sends and receives");
    for (name, stamping) in RECEIVERS {
        println!("{name}");
        let mut paths = Vec::new();
        for flows in FLOWS {
            paths.push(Path::up(flows, stamping)?);
        }
        let mut rounds = FLOWS.map(|_| Vec::new());
        for _ in 0..ROUNDS {
            for (path, round) in paths.iter().zip(&mut rounds) {
                round.push(path.generator.send(path.pair.west, FRAMES)?);
            }
        }
        for ((flows, path), round) in FLOWS.iter().zip(&paths).zip(&rounds) {
            let lost = (u64::from(FRAMES) * ROUNDS as u64).saturating_sub(path.received(*flows));
            // By rounds, for what disturbs a machine lasts longer than one.
            let share =
                round.iter().zip(&rounds[0]).map(|(&ns, &one)| f64::from(one) / f64::from(ns));
            let fall = 100.0 * (1.0 - median(share));
            let ns = median(round.iter().copied());
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
    receiver: Receiver,
}

enum Receiver {
    Counter(Counter),
    Analyser(Analyser),
}

impl Path {
    fn up(flows: u32, stamping: Option<Stamping>) -> Result<Self, Failure> {
        let kind = match stamping {
            None => "c",
            Some(Stamping::Every) => "e",
            Some(_) => "s",
        };
        let pair = Pair::up(&format!("f{flows}{kind}"))?;
        let plan = plan(flows, "size = 64", 16);
        let receiver = match stamping {
            None => Receiver::Counter(Counter::attach(pair.east)?),
            Some(stamping) => {
                let mut analyser = Analyser::load(&setup(flows, 1, stamping), XdpMode::Native)?;
                analyser.attach(pair.east)?;
                analyser.begin_trial(1, plan.start_ns);
                Receiver::Analyser(analyser)
            }
        };
        let generator = Generator::load(plan.sizes())?;
        generator.prepare(&plan);
        Ok(Self { pair, generator, receiver })
    }

    fn received(&self, flows: u32) -> u64 {
        match &self.receiver {
            Receiver::Counter(counter) => counter.frames(),
            Receiver::Analyser(analyser) => {
                (0..flows).map(|id| analyser.record(id as u16, 0).unique).sum()
            }
        }
    }
}
