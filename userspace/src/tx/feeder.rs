//! What a program in the kernel cannot say itself: when the frames of a schedule are due, or of a
//! Poisson process, or after a rate was changed or a pause. BPF has no floating point, so a thread
//! here says it for every frame a little ahead of its time, by the pacers that AF_XDP sends by.

use super::{
    Action, Change, Trial,
    kernel_pace::frames_before,
    roster::{Roster, Timing},
    schedule::{Next, Schedule},
    waiting::{CATCH_UP_NS, SLEEP_MAX_NS},
};
use crate::units::monotonic_ns;
use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use xdp_ebpf::{Generator, abi};

/// How far ahead it says what is due: no further than changes are heard of, so that none comes
/// too late for what was said already.
const AHEAD_NS: u64 = SLEEP_MAX_NS;
/// Between two looks, where it says what is due, and where it only listens for changes.
const FEEDING: Duration = Duration::from_millis(1);
const LISTENING: Duration = Duration::from_millis(5);
/// The program reads the clock every few frames; by then it has heard.
const HEARD_NS: u64 = 1_000_000;
/// Entries that are handed over at once.
const BATCH: usize = 1024;

/// The thread that feeds a program while it sends. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Feeder {
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Feeder {
    /// Feeds a program that was prepared, until it has sent all.
    pub(super) fn start(generator: Arc<Generator>, mut feed: Feed) -> io::Result<Self> {
        let done = Arc::<AtomicBool>::default();
        let is_done = Arc::clone(&done);
        feed.turn(&generator, monotonic_ns(), &is_done);
        let thread = thread::Builder::new().name("feed".to_owned()).spawn(move || {
            while !is_done.load(Relaxed) && !generator.is_finished() {
                feed.turn(&generator, monotonic_ns(), &is_done);
                thread::sleep(if feed.paces.is_none() { FEEDING } else { LISTENING });
            }
        })?;
        Ok(Self { done, thread: Some(thread) })
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        self.done.store(true, Relaxed);
        // A panic there has left its message; the frames that were not fed are unsent.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// When the streams of a worker in the kernel send.
#[derive(Debug)]
pub(super) struct Feed {
    roster: Roster<Timing>,
    /// By stream, as the program began; `None`: it is fed.
    paces: Option<Vec<abi::pace>>,
    /// While the program paces itself: until then a change may give it more frames.
    idle_until_ns: u64,
    /// Pauses of unpaced streams, in order of time, that are not yet said.
    turns: VecDeque<abi::due>,
    batch: Vec<abi::due>,
}

impl Feed {
    /// Of the streams of a worker, in the order of the program's.
    pub(super) fn new(timings: Vec<Timing>, trial: &Trial) -> Self {
        let pace = |timing: &Timing| match &timing.pacer {
            Some(pacer) => pacer.pace(),
            None => Some(abi::pace::default()),
        };
        let paces = timings.iter().map(pace).collect();
        let may_get_more = |timing: &&Timing| {
            timing.pacer.is_some() && timing.total != u64::MAX && timing.stop_ns != u64::MAX
        };
        let idle_until_ns =
            timings.iter().filter(may_get_more).map(|timing| timing.stop_ns).max().unwrap_or(0);
        let roster = Roster::new(timings, Arc::clone(&trial.changes));
        let mut feed =
            Self { roster, paces, idle_until_ns, turns: VecDeque::new(), batch: Vec::new() };
        if feed.roster.next_change_ns().is_some() {
            // Flows that begin paused.
            feed.paces = None;
        }
        feed
    }

    /// The paces of the program, by stream; `None`: it is fed from the start.
    pub(super) fn paces(&self) -> Option<&[abi::pace]> {
        self.paces.as_deref()
    }

    /// How far the streams are, in the order of the program's.
    pub(super) fn timings(&self) -> &[Timing] {
        &self.roster.streams
    }

    /// Takes up what has changed, and says what is due soon after `now_ns`.
    fn turn(&mut self, generator: &Generator, now_ns: u64, done: &AtomicBool) {
        if let Some(time_ns) = self.roster.next_change_ns() {
            self.take_over(generator, time_ns, done);
            self.follow(generator);
        }
        let is_open = if self.paces.is_some() {
            now_ns <= self.idle_until_ns
        } else {
            self.say(generator, now_ns + AHEAD_NS)
        };
        generator.keep_feed_open(is_open);
    }

    /// From `time_ns` on, or as soon as it can be, the program is fed.
    fn take_over(&mut self, generator: &Generator, time_ns: u64, done: &AtomicBool) {
        let Some(paces) = self.paces.take() else { return };
        generator.keep_feed_open(true);
        let time_ns = time_ns.max(monotonic_ns() + HEARD_NS);
        generator.feed_from(time_ns);
        // A thread that was held up may have said so too late for this to be foreseen.
        let is_foreseen = monotonic_ns() < time_ns;
        while !is_foreseen && !generator.is_fed_only() && !done.load(Relaxed) {
            thread::sleep(FEEDING);
        }
        let mut sending = Vec::new();
        for (index, (timing, pace)) in self.roster.streams.iter_mut().zip(&paces).enumerate() {
            if timing.pacer.is_none() {
                sending.push((index as u32, None));
                continue;
            }
            let sent = if is_foreseen {
                frames_before(pace, time_ns.min(timing.stop_ns.saturating_add(1)), timing.left)
            } else {
                timing.left - generator.left(index)
            };
            if timing.left > 0 && timing.skip(sent) || timing.is_idle() {
                sending.push((index as u32, timing.due_ns()));
            }
        }
        self.roster.schedule = Schedule::new(sending.into_iter());
    }

    fn follow(&mut self, generator: &Generator) {
        let (streams, now_ns) = (&self.roster.streams, monotonic_ns());
        self.roster.schedule.retain_unpaced(|index| {
            generator.left(index as usize) > 0 && now_ns < streams[index as usize].stop_ns
        });
        let turns = &mut self.turns;
        self.roster.follow(|stream, timing: &Timing, change: &Change| {
            let kind = match change.action {
                Action::Nothing | Action::Rate { .. } => return,
                Action::Pause => abi::FEED_LEAVE,
                Action::Resume { .. } => abi::FEED_JOIN,
            };
            if timing.pacer.is_none() {
                turns.push_back(abi::due { due_ns: change.time_ns, stream, kind });
            } else {
                let over_ns = timing.stop_ns.saturating_add(CATCH_UP_NS);
                generator.set_over_ns(stream as usize, over_ns);
            }
        });
    }

    /// Says what is due until `until_ns`, as far as there is room; whether there is more to come.
    fn say(&mut self, generator: &Generator, until_ns: u64) -> bool {
        let mut room = generator.feed_room();
        while room > 0 {
            self.list(until_ns, room.min(BATCH));
            if self.batch.is_empty() {
                break;
            }
            for entry in self.batch.iter().filter(|entry| entry.kind == abi::FEED_JOIN) {
                let stream = entry.stream as usize;
                generator.set_stop_ns(stream, self.roster.streams[stream].stop_ns);
            }
            generator.feed(&self.batch);
            room -= self.batch.len();
        }
        let is_suspended = |stream: &u32| generator.left(*stream as usize) > 0;
        self.roster.schedule.next_paced(until_ns) != Next::Finished
            || !self.turns.is_empty()
            || self.roster.suspended.iter().any(is_suspended)
    }

    /// Lists up to `most` of what is due until `until_ns`, in order of time.
    fn list(&mut self, until_ns: u64, most: usize) {
        self.batch.clear();
        while self.batch.len() < most {
            let turn = self.turns.front().filter(|turn| turn.due_ns <= until_ns).copied();
            let by_ns = turn.map_or(until_ns, |turn| turn.due_ns);
            if let Next::Send(index) = self.roster.schedule.next_paced(by_ns) {
                let timing = &mut self.roster.streams[index as usize];
                if timing.left == 0 {
                    // Its end, before which a change might have given it more.
                    self.roster.schedule.remove(index);
                    continue;
                }
                let Some(due_ns) = timing.due_ns() else { continue };
                self.batch.push(abi::due { due_ns, stream: index, kind: abi::FEED_FRAME });
                if timing.advance() || timing.is_idle() {
                    self.roster.schedule.sent(timing.due_ns());
                } else {
                    self.roster.schedule.remove(index);
                }
            } else if let Some(turn) = turn {
                self.batch.push(turn);
                self.turns.pop_front();
            } else {
                return;
            }
        }
    }
}
