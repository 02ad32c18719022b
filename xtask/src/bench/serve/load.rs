//! What clients do to the daemon meanwhile.

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader, Read as _},
    net::SocketAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread::{self, Scope},
    time::{Duration, Instant},
};

use anyhow::Result;
use rustix::thread::{CpuSet, sched_setaffinity};

use super::{FLOWS, http::Client};

/// Readers of the live stream: of one flow each, of all flows, and slow ones of all flows.
pub const ONE_FLOW: usize = 170;
pub const ALL_FLOWS: usize = 10;
pub const SLOW: usize = 20;
/// What a slow reader takes, octets a second.
pub const SLOW_OCTETS: usize = 4096;
/// Requests a second, and the connections that they come by.
pub const REQUESTS: u32 = 1000;
const CONNECTIONS: u32 = 20;
/// Of an upload.
pub const UPLOAD_MIB: usize = 50;

/// Counts of all load so far.
#[derive(Debug, Default)]
pub struct Counts {
    pub requests: AtomicU64,
    pub answers: AtomicU64,
    pub uploads: AtomicU64,
    pub uploads_stored: AtomicU64,
    pub events: AtomicU64,
    pub gaps_told: AtomicU64,
    pub octets: AtomicU64,
    /// Of every answer, microseconds.
    pub waits_us: Mutex<Vec<u32>>,
    /// The first few things that went wrong.
    pub faults: Mutex<Vec<String>>,
}

impl Counts {
    fn fault(&self, what: &str, error: &anyhow::Error) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if faults.len() < 5 {
            faults.push(format!("{what}: {error:#}"));
        }
    }
}

/// Where the load goes, and where it is made.
#[derive(Clone)]
pub struct Load {
    pub address: SocketAddr,
    /// CPUs that no worker sends from; empty: any.
    pub cpus: Vec<usize>,
}

impl Load {
    /// Puts the load on while `work` is done.
    pub fn during<T>(&self, counts: &Counts, upload: &str, work: impl FnOnce() -> T) -> T {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let stop = &stop;
            for number in 0..ONE_FLOW {
                let query = format!("?flows=f{}", number * 50 % FLOWS);
                self.start(scope, counts, "reader", move || self.read(counts, &query, None, stop));
            }
            for number in 0..ALL_FLOWS + SLOW {
                let slow = (number < SLOW).then_some(SLOW_OCTETS);
                self.start(scope, counts, "reader", move || self.read(counts, "", slow, stop));
            }
            for number in 0..CONNECTIONS {
                self.start(scope, counts, "requests", move || self.request(counts, number, stop));
            }
            self.start(scope, counts, "upload", move || self.upload(counts, upload, stop));
            let done = work();
            stop.store(true, Relaxed);
            done
        })
    }

    /// Small stacks: they only read and write.
    fn start<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        counts: &'scope Counts,
        what: &'static str,
        run: impl FnOnce() -> Result<()> + Send + 'scope,
    ) {
        let thread = thread::Builder::new().stack_size(256 << 10);
        let started = thread.spawn_scoped(scope, move || {
            self.keep_away();
            if let Err(error) = run() {
                counts.fault(what, &error);
            }
        });
        if let Err(error) = started {
            counts.fault(what, &error.into());
        }
    }

    /// Other hosts would ask; here they must not take the sender's core.
    fn keep_away(&self) {
        let mut set = CpuSet::new();
        self.cpus.iter().for_each(|&cpu| set.set(cpu));
        if !self.cpus.is_empty() {
            // Without it the numbers are worse, never better.
            let _ = sched_setaffinity(None, &set);
        }
    }

    fn read(
        &self,
        counts: &Counts,
        query: &str,
        slow: Option<usize>,
        stop: &AtomicBool,
    ) -> Result<()> {
        let stream = Client::live(self.address, query)?;
        stream.set_read_timeout(Some(Duration::from_millis(200)))?;
        let mut stream = BufReader::with_capacity(slow.unwrap_or(256 << 10), stream);
        let mut line = Vec::new();
        while !stop.load(Relaxed) {
            let read = match slow {
                Some(octets) => {
                    thread::sleep(Duration::from_secs(1));
                    line.resize(octets, 0);
                    stream.read(&mut line)
                }
                // What came before a timeout stays in the line.
                None => stream.read_until(b'\n', &mut line),
            };
            match read {
                Ok(0) => anyhow::bail!("the live stream has ended"),
                Ok(_) => (),
                Err(error) if is_timeout(&error) => continue,
                Err(error) => return Err(error.into()),
            }
            counts.octets.fetch_add(line.len() as u64, Relaxed);
            counts.events.fetch_add(u64::from(line.starts_with(b"event: ")), Relaxed);
            counts.gaps_told.fetch_add(u64::from(line.starts_with(b"event: missed")), Relaxed);
            line.clear();
        }
        Ok(())
    }

    fn request(&self, counts: &Counts, number: u32, stop: &AtomicBool) -> Result<()> {
        let mut client = Client::connect(self.address)?;
        let gap = Duration::from_secs(1) * CONNECTIONS / REQUESTS;
        let mut due = Instant::now() + gap * number / CONNECTIONS;
        let mut waits = Vec::new();
        for round in number.. {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if stop.load(Relaxed) {
                break;
            }
            let flow = round as usize * 7 % FLOWS;
            let path = match round % 4 {
                0 => "/api/v1/health".to_owned(),
                1 => "/api/v1/runs?limit=10".to_owned(),
                2 => format!("/api/v1/collector/flows/f{flow}/latest"),
                _ => format!("/api/v1/collector/flows/f{flow}/history?count=60"),
            };
            counts.requests.fetch_add(1, Relaxed);
            let asked = Instant::now();
            client.get(&path)?.is(200)?;
            counts.answers.fetch_add(1, Relaxed);
            waits.push(asked.elapsed().as_micros() as u32);
            // Late ones are made up for at once.
            due += gap;
        }
        counts.waits_us.lock().unwrap_or_else(PoisonError::into_inner).append(&mut waits);
        Ok(())
    }

    /// Stores the large flow set, and removes it, again and again.
    fn upload(&self, counts: &Counts, set: &str, stop: &AtomicBool) -> Result<()> {
        let mut client = Client::connect(self.address)?;
        while !stop.load(Relaxed) {
            counts.uploads.fetch_add(1, Relaxed);
            let stored = client.ask("POST", "/api/v1/flows", set.as_bytes())?.is(201)?;
            counts.uploads_stored.fetch_add(1, Relaxed);
            let id = stored.json()?["id"].clone();
            client.ask("DELETE", &format!("/api/v1/flows/{id}"), b"")?.is(204)?;
        }
        Ok(())
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

/// A flow set of so many octets, in many flows.
pub fn large_set(octets: usize) -> String {
    let mut text = String::with_capacity(octets + 1024);
    text.push_str(
        "{\"name\":\"large\",\"spec\":{\"ports\":{\"w\":{\"if\":\"w0\"},\"e\":{\"if\":\"e0\"}},\
         \"flow\":[",
    );
    for number in 0.. {
        let comma = if number == 0 { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "{comma}{{\"name\":\"{number:->800}\",\"tx\":\"w\",\"rx\":\"e\",\"rate\":\"1pps\",\
             \"layers\":[{{\"eth\":{{\"dst\":\"02:00:00:00:00:02\"}}}},\
             {{\"ipv4\":{{\"src\":\"198.18.0.2\",\"dst\":\"198.18.1.1\"}}}},\
             {{\"udp\":{{\"src\":49184,\"dst\":7}}}}]}}"
        );
        if text.len() + 4 >= octets {
            break;
        }
    }
    text.push_str("]}}");
    text
}
