use super::Profile;
use crate::spec::{self, Flow, mix};
use xdp_ebpf::abi;

/// How a flow's frames lie around the times at which its rate makes them due.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spacing {
    /// At those times.
    Even,
    /// At random, as in a Poisson process of that rate.
    Poisson {
        /// Another seed is another draw.
        seed: u64,
    },
    /// In trains of `frames` at those times, with a gap between.
    Trains {
        /// Frames in a train, at least 1.
        frames: u64,
        /// From the last frame of a train to the first of the next.
        gap_ns: u64,
    },
}

impl Spacing {
    /// Of a flow; `seed` for one that leaves it to chance.
    pub fn of(flow: &Flow, seed: u64) -> Self {
        match (flow.burst, flow.spacing) {
            (Some(burst), _) => {
                Self::Trains { frames: burst.frames, gap_ns: burst.gap.as_nanos() as u64 }
            }
            (None, spec::Spacing::Poisson) => Self::Poisson { seed },
            (None, spec::Spacing::Constant) => Self::Even,
        }
    }
}

/// Which frames of a flow a stream sends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// It sends the flow's frames `first`, `first + stride`, ...
    pub first: u32,
    /// Streams of the flow.
    pub stride: u32,
    /// Part of a gap, 0 to 1, by which all of them are later: flows of one port take turns.
    pub phase: f64,
    /// Frames that the whole flow sends; `None`: until stopped.
    pub frames: Option<u64>,
}

impl Share {
    /// How many of a flow's `frames` are those of one stream.
    pub fn of(first: u32, stride: u32, frames: u64) -> u64 {
        frames.saturating_sub(first.into()).div_ceil(u64::from(stride))
    }
}

/// Says when each frame of a stream is due. A late frame never delays those after it.
#[derive(Debug, Clone)]
pub struct Pacer {
    due_ns: u64,
    /// How long the flow's clock has stood: everything is due so much later.
    stood_ns: u64,
    profile: Profile,
    /// Frames of the flow that are due before the next one of this stream.
    position: f64,
    stride: f64,
    /// Place and number of the streams that share the flow.
    place: (u32, u32),
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Even,
    Poisson(Draw),
    Trains { left: u64, frames: u64, pause_ns: u64, later_ns: u64 },
}

/// A Poisson process, given the number of its frames: so many points, each anywhere in
/// the time with equal chance, in order. Gaps are exponential and independent but for
/// their sum, which is what makes the mean rate exact.
#[derive(Debug, Clone)]
struct Draw {
    seed: u64,
    drawn: u64,
    /// Frames to come, of this stream, before the position `end`.
    left: u64,
    end: f64,
}

/// Frames of an endless stream after which the mean is exact again.
const WINDOW: u64 = 1 << 20;

impl Draw {
    fn new(seed: u64, share: &Share) -> Self {
        let mut draw = Self { seed: mix(seed, share.first.into()), drawn: 0, left: 0, end: 0.0 };
        if let Some(frames) = share.frames {
            draw.aim(Share::of(share.first, share.stride, frames), frames as f64);
        }
        draw
    }

    fn aim(&mut self, left: u64, end: f64) {
        (self.left, self.end) = (left, end);
    }

    /// From the position of one frame to that of the next.
    #[inline]
    fn next(&mut self, position: f64, stride: f64) -> f64 {
        if self.left == 0 {
            self.aim(WINDOW, self.end.max(position) + WINDOW as f64 * stride);
        }
        // Uniform in (0, 1]; the least of `left` points in the rest of the time.
        let uniform = ((mix(self.seed, self.drawn) >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        let share = -(uniform.ln() / self.left as f64).exp_m1();
        self.drawn += 1;
        self.left -= 1;
        position + (self.end - position) * share
    }
}

impl Pacer {
    /// The pacer of one stream of a flow with this rate.
    pub fn new(profile: Profile, spacing: Spacing, share: &Share) -> Self {
        let kind = match spacing {
            Spacing::Even => Kind::Even,
            Spacing::Poisson { seed } => Kind::Poisson(Draw::new(seed, share)),
            Spacing::Trains { frames, gap_ns } => {
                debug_assert_eq!(share.stride, 1, "a train stays on one queue");
                let frames = frames.max(1);
                let pause_ns = gap_ns.saturating_sub(profile.interval_ns());
                Kind::Trains { left: frames, frames, pause_ns, later_ns: 0 }
            }
        };
        let stride = f64::from(share.stride);
        let mut pacer = Self {
            due_ns: 0,
            stood_ns: 0,
            profile,
            position: f64::from(share.first) + share.phase,
            stride,
            place: (share.first, share.stride),
            kind,
        };
        if let Kind::Poisson(draw) = &mut pacer.kind {
            pacer.position = draw.next(0.0, stride);
        }
        pacer.due_ns = pacer.profile.due_ns(pacer.position);
        pacer
    }

    /// When the next frame is due, CLOCK_MONOTONIC.
    #[inline]
    pub fn due_ns(&self) -> u64 {
        self.due_ns
    }

    /// The same for the program in the kernel, which knows constant rates and trains; `None`
    /// for others, which it is fed.
    pub(super) fn pace(&self) -> Option<abi::pace> {
        let even = abi::pace { due_ns: self.due_ns, train: u64::MAX, ..abi::pace::default() };
        let pace = match self.kind {
            Kind::Poisson(_) => return None,
            Kind::Even => even,
            Kind::Trains { left, frames, pause_ns, .. } => {
                abi::pace { left_in_train: left, train: frames, train_gap_ns: pause_ns, ..even }
            }
        };
        // In 2^-32 ns; the first frame is due on a whole one.
        let step_ns = self.profile.constant_interval_ns()? * self.stride;
        let fraction = (step_ns.fract() * 4_294_967_296.0) as u64;
        Some(abi::pace { step_ns: step_ns as u64, step_fraction: fraction, ..pace })
    }

    /// The rate changes at `time_ns`, to give `frames` of the flow in all. Returns how many of
    /// them the stream, which has sent `sent`, sends; `None`: it has no end.
    pub(super) fn change(
        &mut self,
        time_ns: u64,
        frames_per_second: f64,
        frames: Option<u64>,
        sent: u64,
    ) -> Option<u64> {
        self.profile.change(time_ns.saturating_sub(self.stood_ns), frames_per_second);
        let total = frames.map(|frames| Share::of(self.place.0, self.place.1, frames));
        if let (Kind::Poisson(draw), Some(frames), Some(total)) = (&mut self.kind, frames, total) {
            // The frame that is due next is drawn already.
            draw.aim(total.saturating_sub(sent + 1), (frames as f64).max(self.position));
        }
        self.due_ns = self.profile.due_ns(self.position) + self.stood_ns;
        total
    }

    /// The flow's clock has stood for so long: everything is due so much later.
    pub(super) fn delay(&mut self, stood_ns: u64) {
        self.stood_ns += stood_ns;
        self.due_ns += stood_ns;
    }

    /// The next `frames` frames were taken.
    pub(super) fn skip(&mut self, frames: u64) {
        match &mut self.kind {
            Kind::Poisson(_) => return (0..frames).for_each(|_| self.advance()),
            Kind::Even => (),
            Kind::Trains { left, frames: of_train, pause_ns, later_ns } => {
                if let Some(over) = frames.checked_sub(*left) {
                    *later_ns += *pause_ns * (1 + over / *of_train);
                    *left = *of_train - over % *of_train;
                } else {
                    *left -= frames;
                }
            }
        }
        self.position += self.stride * frames as f64;
        self.due_ns = self.profile.due_ns(self.position) + self.stood_ns + self.later_ns();
    }

    fn later_ns(&self) -> u64 {
        if let Kind::Trains { later_ns, .. } = self.kind { later_ns } else { 0 }
    }

    /// The next frame was taken.
    #[inline]
    pub fn advance(&mut self) {
        match &mut self.kind {
            Kind::Poisson(draw) => self.position = draw.next(self.position, self.stride),
            Kind::Even | Kind::Trains { .. } => self.position += self.stride,
        }
        self.due_ns = self.profile.due_ns(self.position) + self.stood_ns;
        if let Kind::Trains { left, frames, pause_ns, later_ns } = &mut self.kind {
            *left -= 1;
            if *left == 0 {
                *left = *frames;
                *later_ns += *pause_ns;
            }
            self.due_ns += *later_ns;
        }
    }
}

#[cfg(test)]
mod tests;
