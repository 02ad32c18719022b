//! `linerate serve` as its clients see it: HTTP/1.1 over a plain socket.
#![allow(unsafe_code, reason = "kill(2) has no safe face in std")]

use super::{Lab, Linerate, Outcome, eventually};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    time::Duration,
};

/// A running daemon; killed when dropped.
#[derive(Debug)]
pub(crate) struct Daemon {
    process: Linerate,
    address: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// Fails unless the status is this one; gives the body.
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> Value {
        let body = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{}{body}", self.head);
        if status >= 400 {
            assert!(self.head.contains("application/problem+json"), "{}", self.head);
        }
        if self.body.is_empty() { Value::Null } else { self.json() }
    }
}

impl Daemon {
    /// Where a daemon of this lab keeps its store.
    pub(crate) fn store(lab: &Lab) -> PathBuf {
        lab.directory().join("serve.db")
    }

    /// Starts one with the lab's store, and waits until it is ready.
    #[track_caller]
    pub(crate) fn start(lab: &Lab, more: &[&str]) -> Self {
        let mut daemon = Self::spawn(lab, more);
        daemon.await_ready();
        daemon
    }

    /// Starts a command line that ends in `linerate serve` and its options; where it is to
    /// listen is added.
    #[track_caller]
    pub(crate) fn spawn_as(words: &[&str]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let address = free.to_string();
        let own = ["--listen", &address, "--otg", "127.0.0.1:0"];
        let (program, arguments) = words.split_first().expect("a program");
        Self::of(Linerate::spawn_as(program, [arguments, &own].concat()), address)
    }

    /// One that was told to listen there.
    pub(crate) fn of(process: Linerate, address: String) -> Self {
        Self { process, address }
    }

    /// Waits until it is ready.
    #[track_caller]
    pub(crate) fn await_ready(&mut self) {
        eventually("the daemon is ready", || {
            self.process.assert_running();
            self.try_get("/api/v1/ready").is_some_and(|it| it.status == 200)
        });
    }

    /// Starts one with the lab's store.
    #[track_caller]
    pub(crate) fn spawn(lab: &Lab, more: &[&str]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let address = free.to_string();
        let store = Self::store(lab).display().to_string();
        let own = ["serve", "--listen", &address, "--otg", "127.0.0.1:0", "--store", &store];
        let arguments = [&own, more].concat();
        Self { process: Linerate::spawn(arguments), address }
    }

    /// Where REST listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Waits until somebody takes connections, over whatever protocol.
    #[track_caller]
    pub(crate) fn await_listening(&mut self) {
        eventually("the daemon listens", || {
            self.process.assert_running();
            TcpStream::connect(&self.address).is_ok()
        });
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub(crate) fn signal(&self, signal: i32) {
        self.process.signal(signal);
    }

    #[track_caller]
    pub(crate) fn wait(self) -> Outcome {
        self.process.wait()
    }

    /// Processes that this one started, and those that they started.
    pub(crate) fn descendants(&self) -> Vec<u32> {
        self.family().split_off(1)
    }

    /// Itself and its descendants, parents before their children.
    pub(crate) fn family(&self) -> Vec<u32> {
        let mut found = vec![self.pid()];
        let mut next = 0;
        while let Some(&pid) = found.get(next) {
            let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten();
            for task in tasks.flatten() {
                let children = std::fs::read_to_string(task.path().join("children"));
                let children = children.unwrap_or_default();
                found.extend(children.split_whitespace().map(|pid| pid.parse::<u32>().unwrap()));
            }
            next += 1;
        }
        found
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", b"")
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        let head = "content-type: application/json\r\n";
        self.ask("POST", path, head, body.to_string().as_bytes())
    }

    #[track_caller]
    pub(crate) fn ask(&self, method: &str, path: &str, head: &str, body: &[u8]) -> Answer {
        let answer = self.try_ask(method, path, head, body);
        answer.unwrap_or_else(|| panic!("{method} {path}: no answer"))
    }

    /// `None`: nobody answered.
    pub(crate) fn try_get(&self, path: &str) -> Option<Answer> {
        self.try_ask("GET", path, "", b"")
    }

    /// `None`: nobody answered.
    pub(crate) fn try_post(&self, path: &str, body: &Value) -> Option<Answer> {
        let head = "content-type: application/json\r\n";
        self.try_ask("POST", path, head, body.to_string().as_bytes())
    }

    /// `None`: nobody answered.
    pub(crate) fn try_ask(
        &self,
        method: &str,
        path: &str,
        head: &str,
        body: &[u8],
    ) -> Option<Answer> {
        let mut stream = self.open(method, path, head, body)?;
        let mut octets = Vec::new();
        stream.read_to_end(&mut octets).ok()?;
        let end = octets.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(&octets[..end]).into_owned();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let body = octets.split_off(end);
        let length = head.to_lowercase().split_once("content-length: ").map(|(_, rest)| {
            rest.split("\r\n").next().unwrap_or_default().parse::<usize>().expect("a length")
        });
        // Cut off by the end of its sender: no answer.
        length.is_none_or(|length| length == body.len()).then_some(Answer { status, head, body })
    }

    /// Sends a request; the answer is read by the caller. HTTP/1.0: it comes unchunked.
    fn open(&self, method: &str, path: &str, head: &str, body: &[u8]) -> Option<TcpStream> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
        let host = if head.to_lowercase().contains("host:") { "" } else { "host: localhost\r\n" };
        let length = body.len();
        let request =
            format!("{method} {path} HTTP/1.0\r\n{host}content-length: {length}\r\n{head}\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        stream.write_all(body).ok()?;
        Some(stream)
    }

    /// The live stream.
    #[track_caller]
    pub(crate) fn live(&self, query: &str, head: &str) -> LiveReader {
        let stream = self.open("GET", &format!("/api/v1/live{query}"), head, b"");
        let mut lines = BufReader::new(stream.expect("the live stream"));
        let mut line = String::new();
        lines.read_line(&mut line).expect("a status");
        assert!(line.contains(" 200 "), "{line}");
        LiveReader { lines }
    }

    /// The live stream, of which the kernel keeps next to nothing for the reader.
    #[track_caller]
    pub(crate) fn live_slowly(&self) -> LiveReader {
        let reader = self.live("", "");
        reader.keep(16 << 10);
        reader
    }

    /// The run once it is over.
    #[track_caller]
    pub(crate) fn ended(&self, run: u64) -> Value {
        let path = format!("/api/v1/runs/{run}");
        let over = |run: &Value| run["state"] == "done" || run["state"] == "failed";
        eventually("the run is over", || over(&self.get(&path).is(200)));
        self.get(&path).is(200)
    }
}

/// A reader of the live stream.
#[derive(Debug)]
pub(crate) struct LiveReader {
    lines: BufReader<TcpStream>,
}

/// One event of it.
#[derive(Debug)]
pub(crate) struct LiveEvent {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) data: Value,
}

impl LiveReader {
    /// Lets the kernel keep about so many octets until they are read.
    pub(crate) fn keep(&self, octets: usize) {
        use nix::sys::socket::{setsockopt, sockopt::RcvBuf};
        setsockopt(self.lines.get_ref(), RcvBuf, &octets).expect("a buffer");
    }
}

impl Iterator for LiveReader {
    type Item = LiveEvent;

    /// `None`: the stream has ended.
    fn next(&mut self) -> Option<LiveEvent> {
        let mut event = LiveEvent { id: String::new(), kind: String::new(), data: Value::Null };
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).expect("the live stream") == 0 {
                return None;
            }
            match line.trim_end().split_once(": ") {
                Some(("id", id)) => id.clone_into(&mut event.id),
                Some(("event", kind)) => kind.clone_into(&mut event.kind),
                Some(("data", data)) => event.data = serde_json::from_str(data).expect("JSON"),
                _ if line.trim_end().is_empty() && !event.kind.is_empty() => return Some(event),
                _ => (),
            }
        }
    }
}
