//! The memory of the process that listens, while large flow sets come and go.
#![cfg(feature = "serve")]

use crate::testbed::{Daemon, Lab};
use std::{
    fmt::Write as _,
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

const MIB: usize = 1 << 20;
/// While a set is stored: its text, the row, and the answer.
const HIGHEST_MIB: usize = 400;
/// Once all are gone.
const AFTER_MIB: usize = 150;

/// A flow set of 50 MiB in so many flows that a tree of it would take ten times that.
fn large_set() -> String {
    let mut text = String::with_capacity(51 * MIB);
    text.push_str("{\"name\":\"large\",\"spec\":{\"ports\":{\"w\":{\"if\":\"w0\"}},\"flow\":[");
    for number in 0.. {
        let comma = if number == 0 { "" } else { "," };
        write!(
            text,
            "{comma}{{\"name\":\"{number:->2000}\",\"tx\":\"w\",\"layers\":[\
             {{\"eth\":{{\"dst\":\"02:00:00:00:00:02\"}}}},\
             {{\"ipv4\":{{\"src\":\"198.18.0.2\",\"dst\":\"198.18.1.1\"}}}},\
             {{\"udp\":{{\"src\":49184,\"dst\":7}}}}]}}"
        )
        .unwrap();
        if text.len() > 50 * MIB {
            break;
        }
    }
    text.push_str("]}}");
    text
}

/// The status and how many octets there are in the body; it takes its time.
fn ask(daemon: &Daemon, method: &str, path: &str, body: &str) -> (u16, usize) {
    let mut stream = TcpStream::connect(daemon.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(5))).unwrap();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.0\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let status = String::from_utf8_lossy(&answer[..end]);
    (status.split(' ').nth(1).unwrap().parse().unwrap(), answer.len() - end)
}

/// `VmRSS` or `VmHWM` of /proc/PID/status (proc(5)), MiB.
fn memory_mib(daemon: &Daemon, what: &str) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).expect("it is there");
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() >> 10
}

#[test]
fn fifty_mebibytes_of_flows_again_and_again_leave_no_memory_behind() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &[]);
    let set = large_set();
    for round in 1..=3 {
        let (status, octets) = ask(&daemon, "POST", "/api/v1/flows", &set);
        assert_eq!(status, 201);
        assert!(octets > set.len(), "the answer holds the set: {octets}");
        let stored = format!("/api/v1/flows/{round}");
        for path in [&stored, "/api/v1/export"] {
            let (status, octets) = ask(&daemon, "GET", path, "");
            assert!(status == 200 && octets > set.len(), "{path}: {status}, {octets} octets");
        }
        assert_eq!(ask(&daemon, "DELETE", &stored, "").0, 204);
    }
    let (highest, after) = (memory_mib(&daemon, "VmHWM"), memory_mib(&daemon, "VmRSS"));
    assert!(highest < HIGHEST_MIB && after < AFTER_MIB, "{highest} MiB, {after} MiB afterwards");
}
