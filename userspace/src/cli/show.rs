//! `linerate show`: what a flow file would send, without sending it.

use super::{Failure, args::ShowArgs, flows};
use crate::packet::{
    Cursor, Mac, NextHop, PacketError, PcapWriter, Program, TagStamp, TupleCount, dissect,
    format_mac,
};
use crate::spec::{self, End, Flow, Layer, MacAddress, Spec, Track, frames_within};
use crate::tx::{Pacer, Profile, Share, Spacing};
use crate::units::{Rate, Ratio, format_duration};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

pub(super) fn main(args: &ShowArgs) -> Result<u8, Failure> {
    let spec = flows::spec(&args.flow)?;
    let pcap = args.pcap.as_deref();
    let shown = if pcap == Some(Path::new("-")) {
        show(&spec, args.count, pcap, &mut anstream::stderr())
    } else {
        show(&spec, args.count, pcap, &mut anstream::stdout())
    };
    match shown {
        Ok(()) => Ok(0),
        // `linerate show ... | head` has seen enough.
        Err(ShowError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        Err(error) => Err(Failure::usage(error.to_string())),
    }
}

/// Stands for addresses that only a run knows.
const SOURCE: Mac = [2, 0, 0, 0, 0, 1];
const NEXT_HOP: Mac = [2, 0, 0, 0, 0, 2];

/// Stands for a line rate that the file does not say.
const LINE_BPS: u64 = 10_000_000_000;

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub(super) enum ShowError {
    /// The headers of a flow cannot be laid out.
    #[error("flow `{flow}`: {source}")]
    Packet {
        /// Name of the flow.
        flow: String,
        /// What is wrong.
        source: PacketError,
    },
    /// The text went nowhere.
    #[error("cannot write the list of frames: {0}")]
    Write(#[from] io::Error),
    /// The capture file went nowhere.
    #[error("cannot write {path}: {source}; choose another --pcap", path = .path.display())]
    Pcap {
        /// The file, `-` for standard output.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Prints a summary and the first `count` frames of every flow to `out`, and writes these
/// frames, in the order of their nominal times, to the file `pcap`. With `pcap` = `-`
/// that goes to standard output, and `out` must be another stream.
pub(super) fn show(
    spec: &Spec,
    count: u64,
    pcap: Option<&Path>,
    out: &mut dyn Write,
) -> Result<(), ShowError> {
    let mut players = Vec::new();
    for (number, flow) in spec.flows.iter().enumerate() {
        let player = Player::new(spec, flow, number, count)
            .map_err(|source| ShowError::Packet { flow: flow.name.clone(), source })?;
        players.push(player);
    }
    for (player, flow) in players.iter().zip(&spec.flows) {
        summarise(spec, flow, player, out)?;
        let mut player = player.clone();
        while let Some((time_ns, frame)) = player.next() {
            writeln!(out, "  {:>12} ns  {}", time_ns, dissect(frame, flow.track == Track::Tag))?;
        }
    }
    out.flush()?;
    let Some(path) = pcap else { return Ok(()) };
    write_pcap(players, path).map_err(|source| ShowError::Pcap { path: path.to_owned(), source })
}

/// Merges the flows by time; of equal times the flow that stands first in the file.
fn write_pcap(mut players: Vec<Player>, path: &Path) -> io::Result<()> {
    let sink: Box<dyn Write> = if path == Path::new("-") {
        Box::new(io::stdout().lock())
    } else {
        Box::new(File::create(path)?)
    };
    let mut pcap = PcapWriter::new(BufWriter::new(sink))?;
    let mut due: BinaryHeap<_> = players
        .iter()
        .enumerate()
        .map(|(flow, player)| Reverse((player.time_ns(), flow)))
        .collect();
    while let Some(Reverse((_, flow))) = due.pop() {
        if let Some((time_ns, frame)) = players[flow].next() {
            pcap.write(time_ns, frame)?;
            due.push(Reverse((players[flow].time_ns(), flow)));
        }
    }
    pcap.finish()
}

/// Makes the frames of one flow, with the times of its nominal rate.
#[derive(Debug, Clone)]
struct Player {
    cursor: Cursor,
    chunk: Vec<u8>,
    laid: u16,
    left: u64,
    stamp: TagStamp,
    /// `None`: all frames at time 0, for want of a rate.
    pacer: Option<Pacer>,
    frames_per_second: Ratio,
    /// The line rate was not to be known.
    assumed: bool,
    /// Frames that the whole flow has; `None`: it has no end.
    frames: Option<u64>,
}

impl Player {
    fn new(spec: &Spec, flow: &Flow, number: usize, count: u64) -> Result<Self, PacketError> {
        let program = Arc::new(Program::compile(flow, SOURCE, &NextHop::One(NEXT_HOP))?);
        let cursor = Cursor::new(program, 0, 1);
        let mut chunk = vec![0; cursor.program().max_frame_bytes()];
        cursor.fill(&mut chunk);
        let line = spec.ports[flow.tx].line_bps;
        let line_bps = line.unwrap_or(LINE_BPS);
        let assumed = line.is_none()
            && flow.rates().any(|rate| matches!(rate, Rate::LineShare(_) | Rate::Max));
        let mut paced = flow.clone();
        if paced.rate == Rate::Max {
            paced.rate = Rate::LineShare(1.into());
        }
        let frames_per_second = paced.frames_per_second(line_bps).unwrap_or(1.into());
        let frames = match (paced.end, paced.schedule.is_empty(), paced.legs(line_bps)) {
            (End::After(duration), false, Some(legs)) => {
                Some(frames_within(&legs, duration.as_nanos() as u64))
            }
            _ => paced.requested_frames(frames_per_second),
        };
        let share = Share { first: 0, stride: 1, phase: 0.0, frames };
        let profile = Profile::of(&paced, line_bps, 0);
        let pacer =
            profile.map(|profile| Pacer::new(profile, Spacing::of(&paced, number as u64), &share));
        Ok(Self {
            laid: cursor.variant(),
            cursor,
            chunk,
            left: frames.map_or(count, |frames| frames.min(count)),
            stamp: TagStamp {
                magic: TagStamp::magic(0, 1),
                stream: number as u16,
                sequence: 0,
                time_ns: 0,
            },
            pacer,
            frames_per_second,
            assumed,
            frames,
        })
    }

    /// When the next frame is due.
    fn time_ns(&self) -> u64 {
        self.pacer.as_ref().map_or(0, Pacer::due_ns)
    }

    fn next(&mut self) -> Option<(u64, &[u8])> {
        self.left = self.left.checked_sub(1)?;
        self.stamp.time_ns = self.time_ns();
        self.cursor.refit(&mut self.chunk, self.laid);
        self.laid = self.cursor.variant();
        let octets = self.cursor.write(&mut self.chunk, &self.stamp);
        self.pacer.iter_mut().for_each(Pacer::advance);
        self.stamp.sequence = self.stamp.sequence.wrapping_add(1);
        Some((self.stamp.time_ns, &self.chunk[..octets]))
    }
}

fn mean_bytes(flow: &Flow) -> Ratio {
    let all: u128 = flow.sizes.iter().map(|size| u128::from(size.bytes())).sum();
    Ratio::new(all, flow.sizes.len().max(1) as u128)
}

fn summarise(spec: &Spec, flow: &Flow, player: &Player, out: &mut dyn Write) -> io::Result<()> {
    let receivers: Vec<&str> = flow.receivers().map(|rx| spec.ports[rx].name.as_str()).collect();
    let receiver =
        if receivers.is_empty() { "transmit only".to_owned() } else { receivers.join(",") };
    writeln!(out, "flow {}: {} -> {receiver}", flow.name, spec.ports[flow.tx].name)?;
    writeln!(out, "  size    {}", sizes(flow))?;
    let assumed = if player.assumed { "; a line of 10 Gbit/s is assumed" } else { "" };
    match flow.rate {
        _ if !flow.schedule.is_empty() => {
            for step in &flow.schedule {
                let ramp = if step.ramp.is_zero() {
                    String::new()
                } else {
                    format!(", reached after {}", format_duration(step.ramp))
                };
                writeln!(out, "  rate    {} from {}{ramp}", step.rate, format_duration(step.at))?;
            }
        }
        Rate::Frames(_) => writeln!(out, "  rate    {}", flow.rate)?,
        rate => {
            let pps = player.frames_per_second.to_f64();
            writeln!(out, "  rate    {rate}, that is {pps:.3} frames/s{assumed}")?;
        }
    }
    if flow.spacing == spec::Spacing::Poisson {
        writeln!(out, "  spacing poisson")?;
    }
    if let Some(burst) = flow.burst {
        writeln!(
            out,
            "  bursts  of {} frames, {} apart",
            burst.frames,
            format_duration(burst.gap)
        )?;
    }
    match (player.frames, flow.end) {
        (Some(frames), End::After(duration)) => {
            writeln!(out, "  frames  {frames} in {}", format_duration(duration))?;
        }
        (Some(frames), _) => writeln!(out, "  frames  {frames}")?,
        (None, _) => writeln!(out, "  frames  until stopped")?,
    }
    match player.cursor.program().tuples(player.frames) {
        TupleCount::Exactly(tuples) => writeln!(out, "  tuples  {tuples} distinct")?,
        TupleCount::AtLeast(tuples) => writeln!(out, "  tuples  at least {tuples} distinct")?,
    }
    if let Some(Layer::Eth { dst, src, .. }) = flow.layers.first() {
        for (name, address, shown) in [("src", src, SOURCE), ("dst", dst, NEXT_HOP)] {
            if *address == MacAddress::Auto {
                writeln!(
                    out,
                    "  eth.{name} is found out at run time; shown as {}",
                    format_mac(shown)
                )?;
            }
        }
    }
    Ok(())
}

/// `64`, or each size with its share of the cycle.
fn sizes(flow: &Flow) -> String {
    let mut shares = BTreeMap::new();
    flow.sizes.iter().for_each(|size| *shares.entry(*size).or_insert(0_u32) += 1);
    match shares.len() {
        1 => format!("{} octets with FCS", flow.sizes[0]),
        2..=8 => {
            let list: Vec<_> =
                shares.iter().map(|(size, share)| format!("{share} x {size}")).collect();
            let mean = mean_bytes(flow).to_f64();
            format!("{} octets with FCS, in turn; mean {mean:.3}", list.join(", "))
        }
        many => format!(
            "{many} sizes from {} to {} octets with FCS, in a cycle of {}; mean {:.3}",
            shares.keys().next().map_or(0, |size| size.bytes()),
            shares.keys().last().map_or(0, |size| size.bytes()),
            flow.sizes.len(),
            mean_bytes(flow).to_f64()
        ),
    }
}
