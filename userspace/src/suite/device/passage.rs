//! What became of the frames of one trial in the queue: a few runs, however many frames.

use super::lattice::{Residues, ceil_div, first, triangle};

/// Frames that got through, in the order in which they were sent. All times are units since
/// the start.
#[derive(Debug, Clone, Default)]
pub(super) struct Passage {
    /// Frames that were sent.
    pub(super) frames: u64,
    /// In order; frames in none of them were dropped.
    pub(super) runs: Vec<Run>,
}

/// Frames that got through and whose waits follow one rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// The number of the first frame of the rule, from 0 on.
    pub(super) base: i128,
    /// When it was sent.
    pub(super) time: i128,
    /// From one frame sent to the next.
    pub(super) gap: i128,
    /// Frames that got through.
    pub(super) count: i128,
    /// Which, and how long they waited.
    pub(super) rule: Rule,
}

/// Of frame `j` that gets through, from 0 on: which of those sent it is, and how long it waits
/// for its turn.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// All sent: frame `j`, for `wait + j step`.
    All { wait: i128, step: i128 },
    /// One for each that is served, as the queue is full: the first that is sent no earlier than
    /// `room + j service` after the first, and as much less than `wait` as it is later.
    Full { room: i128, service: i128, wait: i128 },
}

impl Run {
    /// The number of frame `j`.
    pub(super) fn number(&self, j: i128) -> i128 {
        self.base
            + match self.rule {
                Rule::All { .. } => j,
                Rule::Full { room, service, .. } => ceil_div(room + j * service, self.gap),
            }
    }

    /// When it was sent.
    fn sent(&self, j: i128) -> i128 {
        self.time + (self.number(j) - self.base) * self.gap
    }

    fn wait(&self, j: i128) -> i128 {
        match self.rule {
            Rule::All { wait, step } => wait + j * step,
            Rule::Full { room, service, wait } => {
                wait + room + j * service - (self.number(j) - self.base) * self.gap
            }
        }
    }

    /// When its turn came.
    pub(super) fn served(&self, j: i128) -> i128 {
        self.sent(j) + self.wait(j)
    }

    /// Frames that were sent before frame `number`.
    fn before(&self, number: i128) -> i128 {
        let number = number - self.base;
        let count = match self.rule {
            Rule::All { .. } => number,
            Rule::Full { room, service, .. } => {
                ((number - 1) * self.gap - room).div_euclid(service) + 1
            }
        };
        count.clamp(0, self.count)
    }

    /// Without the first `skipped`.
    fn skip(mut self, skipped: i128) -> Self {
        self.rule = match self.rule {
            Rule::All { wait, step } => {
                self.base += skipped;
                self.time += skipped * self.gap;
                Rule::All { wait: wait + skipped * step, step }
            }
            Rule::Full { room, service, wait } => {
                Rule::Full { room: room + skipped * service, service, wait }
            }
        };
        self.count -= skipped;
        self
    }

    /// By how much less than the greatest wait the frames of a full queue wait.
    fn residues(&self, room: i128, service: i128) -> Residues {
        Residues::new(self.count, self.gap, -service, -room)
    }

    /// Frames that waited for `wait` or less.
    fn waited_at_most(&self, most: i128) -> i128 {
        match self.rule {
            Rule::All { wait, step: 0 } => self.count * i128::from(wait <= most),
            Rule::All { wait, step } if step > 0 => {
                ((most - wait).div_euclid(step) + 1).clamp(0, self.count)
            }
            Rule::All { wait, step } => {
                self.count - ceil_div(wait - most, -step).clamp(0, self.count)
            }
            Rule::Full { room, service, wait } => {
                self.count - self.residues(room, service).below(wait - most)
            }
        }
    }

    /// Least and greatest wait.
    fn extremes(&self) -> (i128, i128) {
        match self.rule {
            Rule::All { .. } => {
                let (first, last) = (self.wait(0), self.wait(self.count - 1));
                (first.min(last), first.max(last))
            }
            Rule::Full { room, service, wait } => {
                let residues = self.residues(room, service);
                (wait - residues.greatest(), wait - residues.least())
            }
        }
    }

    /// The sum of all waits.
    fn waits(&self) -> f64 {
        let count = self.count as f64;
        match self.rule {
            Rule::All { wait, step } => {
                wait as f64 * count + step as f64 * triangle(self.count) as f64
            }
            Rule::Full { room, service, wait } => {
                wait as f64 * count - self.residues(room, service).sum() as f64
            }
        }
    }

    /// The longest time from one turn to the next.
    fn longest_pause(&self) -> i128 {
        match self.rule {
            _ if self.count < 2 => 0,
            Rule::All { step, .. } => self.gap + step,
            Rule::Full { service, .. } => service,
        }
    }
}

impl Passage {
    /// Frames that got through.
    pub(super) fn passed(&self) -> u64 {
        self.runs.iter().map(|run| run.count).sum::<i128>() as u64
    }

    /// Of the frames before frame `number`, those that got through.
    pub(super) fn passed_before(&self, number: u64) -> u64 {
        self.runs.iter().map(|run| run.before(number.into())).sum::<i128>() as u64
    }

    /// The number of the last frame that was dropped.
    pub(super) fn last_dropped(&self) -> Option<u64> {
        let dropped_before = |number: i128| number as u64 - self.passed_before(number as u64);
        let dropped = self.frames - self.passed();
        (dropped > 0).then(|| {
            first(0, (self.frames - 1).into(), |number| dropped_before(number + 1) == dropped)
                as u64
        })
    }

    /// The number of the frame that got through as number `ordinal`, both from 0 on.
    pub(super) fn number(&self, ordinal: u64) -> Option<u64> {
        let mut ordinal = i128::from(ordinal);
        for run in &self.runs {
            if ordinal < run.count {
                return Some(run.number(ordinal) as u64);
            }
            ordinal -= run.count;
        }
        None
    }

    /// The frames from frame `number` on.
    pub(super) fn from(&self, number: u64) -> Self {
        let runs = self.runs.iter().map(|run| run.skip(run.before(number.into())));
        Self { frames: self.frames, runs: runs.filter(|run| run.count > 0).collect() }
    }

    /// Frames that waited for `wait` or less.
    pub(super) fn waited_at_most(&self, wait: i128) -> i128 {
        self.runs.iter().map(|run| run.waited_at_most(wait)).sum()
    }

    /// Least and greatest wait.
    pub(super) fn extremes(&self) -> Option<(i128, i128)> {
        let all = self.runs.iter().map(Run::extremes);
        all.reduce(|(least, greatest), (low, high)| (least.min(low), greatest.max(high)))
    }

    /// The sum of all waits.
    pub(super) fn waits(&self) -> f64 {
        self.runs.iter().map(Run::waits).sum()
    }

    /// The longest time from one turn to the next.
    pub(super) fn longest_pause(&self) -> Option<i128> {
        let within = self.runs.iter().map(Run::longest_pause);
        let between =
            self.runs.windows(2).map(|pair| pair[1].served(0) - pair[0].served(pair[0].count - 1));
        (self.passed() > 1).then(|| within.chain(between).max()).flatten()
    }

    /// The mean time from one turn to the next.
    pub(super) fn mean_pause(&self) -> i128 {
        let begin = self.runs.first().map_or(0, |run| run.served(0));
        let pauses = i128::from(self.passed()) - 1;
        self.last_served().map_or(0, |end| (end - begin) / pauses.max(1))
    }

    /// When the last turn came.
    pub(super) fn last_served(&self) -> Option<i128> {
        self.runs.last().map(|run| run.served(run.count - 1))
    }

    /// What had not had its turn at `time` is lost.
    pub(super) fn cut(&mut self, time: i128) {
        while let Some(run) = self.runs.last_mut() {
            run.count = first(0, run.count, |j| j == run.count || run.served(j) >= time);
            if run.count > 0 {
                return;
            }
            self.runs.pop();
        }
    }
}
