//! The daemon when much is asked of it: everybody is answered, and nobody holds up another.

use crate::testbed::{Daemon, Lab, LiveReader, eventually};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

const FLOWS: u32 = 300;

/// Many flows, so that a snapshot is large.
fn many_flows(lab: &Lab) -> Value {
    json!({"backend": "af_xdp", "spec": {
        "ports": {"west": {"if": lab.west.to_string()}, "east": {"if": lab.east.to_string()}},
        "flow": [{"name": "f{i}", "repeat": FLOWS, "tx": "west", "rx": "east", "rate": "10pps",
            "size": 128, "layers": [{"eth": {"dst": "02:00:00:00:00:02"}},
            {"ipv4": {"src": "198.18.0.2", "dst": "198.18.1.1"}},
            {"udp": {"src": 49184, "dst": 7}}]}]}})
}

/// What a reader has seen.
#[derive(Debug, Default)]
struct Seen {
    first: u64,
    last: u64,
    events: u64,
    missed: u64,
}

impl Seen {
    /// Reads until the run is done; every number has to be there, or told to be missed.
    fn by(reader: LiveReader, run: u64) -> Self {
        let (mut seen, mut told) = (Self::default(), 0);
        for event in reader {
            if event.kind == "missed" {
                told += event.data["events"].as_u64().unwrap();
                continue;
            }
            let number = event.id.split_once('-').unwrap().1.parse().unwrap();
            if seen.events == 0 {
                seen.first = number;
            } else {
                assert_eq!(number, seen.last + told + 1, "after {} of {seen:?}", seen.last);
            }
            seen.missed += std::mem::take(&mut told);
            seen.last = number;
            seen.events += 1;
            if event.data["id"] == run && event.data["state"] == "done" {
                break;
            }
        }
        assert_eq!(told, 0, "what is missed comes before an event");
        seen
    }
}

#[test]
fn two_hundred_readers_get_every_event_or_are_told_how_many_they_missed() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &["--interval", "100ms"]);
    let slow = daemon.live_slowly();
    let mut body = many_flows(&lab);
    // So that readers come to an end even where this test fails.
    body["spec"]["flow"][0]["duration"] = json!("3m");
    let run = daemon.post("/api/v1/runs", &body).is(201)["id"].as_u64().unwrap();
    let ready = AtomicUsize::new(0);
    let (all, slow) = thread::scope(|scope| {
        let read = |query: String| {
            let (ready, daemon) = (&ready, &daemon);
            scope.spawn(move || {
                let reader = daemon.live(&query, "");
                ready.fetch_add(1, Relaxed);
                Seen::by(reader, run)
            })
        };
        let readers: Vec<_> = (0..200).map(|number| read(format!("?flows=f{number}"))).collect();
        let whole = read(String::new());
        eventually("all readers are there", || ready.load(Relaxed) == 201);
        // The ring holds 300 events; each of these is told in one.
        let one = json!({"flows": ["f0"]});
        for what in ["pause", "resume"].repeat(155) {
            daemon.post(&format!("/api/v1/runs/{run}/{what}"), &one).is(200);
        }
        thread::sleep(Duration::from_secs(2));
        let slow = scope.spawn(move || {
            slow.keep(4 << 20);
            Seen::by(slow, run)
        });
        daemon.post(&format!("/api/v1/runs/{run}/stop"), &json!({})).is(200);
        let mut all: Vec<_> = readers.into_iter().map(|it| it.join().unwrap()).collect();
        all.push(whole.join().unwrap());
        (all, slow.join().unwrap())
    });
    let last = all[0].last;
    assert!(all.iter().all(|seen| seen.last == last), "all hear the end: {all:?}");
    assert!(all.iter().all(|seen| seen.last - seen.first + 1 == seen.events + seen.missed));
    assert!(all.iter().any(|seen| seen.missed == 0 && seen.events > 50), "{all:?}");
    assert!(slow.missed > 0 && slow.last == last, "the slow one was never slow: {slow:?}");
    lab.assert_nothing_attached();
}

#[test]
fn a_slow_reader_does_not_hold_up_what_is_sent() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &["--interval", "100ms"]);
    let _slow: Vec<_> = (0..20).map(|_| daemon.live("", "")).collect();
    let mut body = many_flows(&lab);
    body["spec"]["flow"][0]["frames"] = json!(40);
    let run = daemon.post("/api/v1/runs", &body).is(201)["id"].as_u64().unwrap();
    daemon.ended(run);
    let result = daemon.get(&format!("/api/v1/runs/{run}/result")).is(200);
    let sum = |key: &str| -> u64 {
        let flows = result["flows"].as_array().unwrap();
        flows.iter().map(|flow| flow[key].as_u64().unwrap()).sum()
    };
    assert_eq!(sum("rx_unique_frames"), u64::from(FLOWS) * 40, "{:#}", result["reasons"]);
    assert_eq!(lab.east.counters().rx_packets, u64::from(FLOWS) * 40);
}

/// A body of so many octets, by its length or in chunks; the status and the answer.
fn send(daemon: &Daemon, path: &str, octets: usize, chunked: bool) -> (u16, String) {
    let mut stream = TcpStream::connect(daemon.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let length = if chunked {
        "transfer-encoding: chunked".to_owned()
    } else {
        format!("content-length: {octets}")
    };
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/json\r\n{length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let part = vec![b' '; 1 << 20];
    for _ in 0..octets >> 20 {
        // A client such as this one looks for an answer only when all is sent.
        if chunked {
            stream.write_all(format!("{:x}\r\n", part.len()).as_bytes()).expect("all is taken");
        }
        stream.write_all(&part).expect("all is taken");
        if chunked {
            stream.write_all(b"\r\n").expect("all is taken");
        }
    }
    if chunked {
        stream.write_all(b"0\r\n\r\n").expect("all is taken");
    }
    answer(stream)
}

fn answer(mut stream: TcpStream) -> (u16, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    let status = text.split(' ').nth(1).unwrap_or_else(|| panic!("no status: {text}"));
    (status.parse().unwrap(), text)
}

#[test]
fn a_body_over_the_limit_is_413_for_whoever_sends_all_of_it() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &[]);
    for chunked in [false, true] {
        for (path, mebibytes) in [("/api/v1/flows", 80), ("/api/v1/captures", 8)] {
            let (status, text) = send(&daemon, path, mebibytes << 20, chunked);
            assert_eq!(status, 413, "{path}: {text}");
            assert!(text.contains("application/problem+json"), "{text}");
            assert!(text.contains("\"status\":413"), "{text}");
        }
    }
    // As much as is allowed is read, and is no JSON.
    assert_eq!(send(&daemon, "/api/v1/flows", 60 << 20, true).0, 400);
    assert_eq!(daemon.get("/api/v1/runs").status, 200);
}

#[test]
fn a_head_without_end_is_refused() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &[]);
    let mut stream = TcpStream::connect(daemon.address()).unwrap();
    let head = format!("GET /api/v1/runs HTTP/1.1\r\nhost: localhost\r\nx: {}", "x".repeat(70_000));
    stream.write_all(head.as_bytes()).unwrap();
    assert_eq!(answer(stream).0, 431);
}

#[test]
fn bodies_that_never_come_hold_nobody_up_for_long() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &[]);
    let half = "POST /api/v1/flows HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
        content-type: application/json\r\ncontent-length: 100\r\n\r\n{\"name\":";
    // More than there are turns.
    let waiting: Vec<_> = (0..300)
        .map(|_| {
            let mut stream = TcpStream::connect(daemon.address()).unwrap();
            stream.write_all(half.as_bytes()).unwrap();
            stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
            stream
        })
        .collect();
    let asked = Instant::now();
    assert_eq!(daemon.get("/api/v1/runs").status, 200);
    assert!(asked.elapsed() < Duration::from_secs(25), "after {:?}", asked.elapsed());
    for stream in waiting {
        let (status, text) = answer(stream);
        assert_eq!(status, 408, "{text}");
        assert!(text.contains("application/problem+json"), "{text}");
    }
}

#[test]
fn of_a_crowd_everybody_is_answered() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &["--interval", "100ms"]);
    let run = daemon.post("/api/v1/runs", &many_flows(&lab)).is(201)["id"].as_u64().unwrap();
    let stop = AtomicBool::new(false);
    let answered: u64 = thread::scope(|scope| {
        let asking: Vec<_> = (0..40_u32)
            .map(|number| {
                let (daemon, stop) = (&daemon, &stop);
                scope.spawn(move || {
                    let mut answered = 0;
                    while !stop.load(Relaxed) {
                        let path = match number % 4 {
                            0 => format!("/api/v1/collector/flows/f{number}/latest?run={run}"),
                            1 => format!("/api/v1/collector/flows/f{number}/history?run={run}"),
                            2 => "/api/v1/ready".to_owned(),
                            _ => "/api/v1/flows".to_owned(),
                        };
                        let answer = daemon.get(&path);
                        // Of the first interval there are no samples yet.
                        assert!(matches!(answer.status, 200 | 404), "{}", answer.head);
                        answered += 1;
                    }
                    answered
                })
            })
            .collect();
        thread::sleep(Duration::from_secs(3));
        stop.store(true, Relaxed);
        asking.into_iter().map(|it| it.join().expect("an answer to each")).sum()
    });
    assert!(answered > 40, "{answered} answers");
    daemon.post(&format!("/api/v1/runs/{run}/stop"), &json!({})).is(200);
    daemon.ended(run);
}
