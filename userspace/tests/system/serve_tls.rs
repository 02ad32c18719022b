//! REST over TLS: certificates by openssl, a client of Python's ssl.

use crate::testbed::{Daemon, Lab, Linerate, command};
use serde_json::{Value, json};
use std::{io::Read, net::TcpStream, path::PathBuf, time::Duration};

const TOKEN: &str = "a-token-of-enough-octets";

/// PEM files.
pub(crate) struct Pair {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Pair {
    pub(crate) fn arguments(&self) -> Vec<String> {
        let path = |path: &PathBuf| path.display().to_string();
        ["--tls-cert".into(), path(&self.certificate), "--tls-key".into(), path(&self.key)].into()
    }
}

pub(crate) fn openssl(lab: &Lab, name: &str, more: &[&str]) -> Pair {
    let at = |end: &str| lab.directory().join(format!("{name}.{end}"));
    let (certificate, key) = (at("crt"), at("key"));
    let own = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
    let files = ["-nodes", "-days", "2", "-subj", "/CN=linerate", "-keyout"];
    let files = [&files[..], &[key.to_str().unwrap(), "-out", certificate.to_str().unwrap()]];
    command("openssl", &[&own, &*files.concat(), more].concat());
    Pair { certificate, key }
}

const NAMES: [&str; 2] = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"];

/// A client that trusts one certificate and no other: status, and the first so many octets of
/// the answer; a number of its own where there is no answer.
fn ask(daemon: &Daemon, trusted: &Pair, token: &str, path: &str) -> (Value, String) {
    send(daemon, trusted, token, path, "")
}

/// The same with a body to post, unless it is empty.
fn send(daemon: &Daemon, trusted: &Pair, token: &str, path: &str, body: &str) -> (Value, String) {
    const CLIENT: &str = "\
import json, ssl, sys, urllib.error, urllib.request
url, trusted, token, body = sys.argv[1:]
head = {'Authorization': 'Bearer ' + token, 'Content-Type': 'application/json'}
request = urllib.request.Request(url, headers=head, data=body.encode() or None)
context = ssl.create_default_context(cafile=trusted)
try:
    with urllib.request.urlopen(request, context=context, timeout=20) as answer:
        if 'event-stream' in answer.headers['Content-Type']:
            event = next(line for line in answer if line.strip() and line[:1] != b':')
            print(json.dumps([answer.status, event.decode()]))
        else:
            print(json.dumps([answer.status, answer.read().decode()]))
except urllib.error.HTTPError as error:
    print(json.dumps([error.code, error.read().decode()]))
except urllib.error.URLError as error:
    print(json.dumps([None, str(error.reason)]))
";
    let url = format!("https://{}{path}", daemon.address());
    let trusted = trusted.certificate.to_str().unwrap();
    let said = command("/usr/bin/python3", &["-c", CLIENT, &url, trusted, token, body]);
    let answer: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
    (answer[0].clone(), answer[1].as_str().unwrap().to_owned())
}

fn start(lab: &Lab, pair: &Pair, more: &[&str]) -> Daemon {
    let arguments = pair.arguments();
    let arguments: Vec<_> =
        arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
    let mut daemon = Daemon::spawn(lab, &arguments);
    daemon.await_listening();
    daemon
}

#[test]
fn a_token_over_tls_opens_and_nothing_else_does() {
    let lab = Lab::cable();
    let authority = openssl(&lab, "authority", &[]);
    let (vouching, signing) = (authority.certificate.clone(), authority.key.clone());
    let by = ["-CA", vouching.to_str().unwrap(), "-CAkey", signing.to_str().unwrap()];
    let own = openssl(&lab, "own", &[&NAMES[..], &by].concat());
    let token = lab.file("token", TOKEN.as_bytes()).display().to_string();
    let daemon = start(&lab, &own, &["--token-file", &token]);

    let (status, runs) = ask(&daemon, &authority, TOKEN, "/api/v1/runs");
    assert_eq!((status, runs.as_str()), (json!(200), "[]"));
    let (status, problem) = ask(&daemon, &authority, "nonsense", "/api/v1/runs");
    let problem: Value = serde_json::from_str(&problem).unwrap();
    assert_eq!((status, &problem["status"]), (json!(401), &json!(401)));
    assert_eq!(ask(&daemon, &authority, "", "/api/v1/health").0, 200);
    // The live stream tells of runs, also of one that is refused.
    let spec = json!({"flow": [{"name": "f", "tx": "nowhere0", "frames": 1, "track": "none",
        "layers": [{"eth": {"dst": "02:00:00:00:00:02"}}]}]});
    let body = json!({"spec": spec}).to_string();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| ask(&daemon, &authority, TOKEN, "/api/v1/live"));
        while !reader.is_finished() {
            assert_eq!(send(&daemon, &authority, TOKEN, "/api/v1/runs", &body).0, 422);
        }
        let (status, line) = reader.join().unwrap();
        assert_eq!(status, 200);
        assert!(line.starts_with("id: ") || line.starts_with("event: "), "{line}");
    });

    let stranger = openssl(&lab, "stranger", &NAMES);
    let (status, reason) = ask(&daemon, &stranger, TOKEN, "/api/v1/runs");
    assert_eq!(status, Value::Null);
    assert!(reason.contains("CERTIFICATE_VERIFY_FAILED"), "{reason}");
    // Without TLS there is no answer in HTTP, and one who says nothing holds nobody up.
    assert!(daemon.try_get("/api/v1/health").is_none());
    let silent: Vec<_> = (0..50).map(|_| TcpStream::connect(daemon.address()).unwrap()).collect();
    assert_eq!(ask(&daemon, &authority, TOKEN, "/api/v1/runs").0, 200);
    let mut silent = silent.into_iter().next().unwrap();
    silent.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    assert_eq!(silent.read(&mut [0; 64]).unwrap_or(0), 0, "it is cut off");
    daemon.signal(libc::SIGTERM);
    let ended = daemon.wait().exits(0);
    assert!(ended.stdout.contains("linerate serves https://"), "{ended}");
    assert!(!format!("{ended}").contains(TOKEN));
}

#[test]
fn a_certificate_that_vouches_for_itself_serves_those_who_trust_it() {
    let lab = Lab::cable();
    let own = openssl(&lab, "own", &NAMES);
    let daemon = start(&lab, &own, &[]);
    assert_eq!(ask(&daemon, &own, "", "/api/v1/ready").0, 200);
    daemon.signal(libc::SIGTERM);
    daemon.wait().exits(0);
}

#[test]
fn what_is_no_certificate_with_its_key_is_refused_by_its_file() {
    let lab = Lab::cable();
    let (one, other) = (openssl(&lab, "one", &NAMES), openssl(&lab, "other", &NAMES));
    let text = lab.file("text", b"nothing");
    let nowhere = lab.directory().join("nowhere.pem");
    let store = Daemon::store(&lab).display().to_string();
    for (certificate, key, named) in [
        (&nowhere, &one.key, &nowhere),
        (&one.certificate, &nowhere, &nowhere),
        (&text, &one.key, &text),
        (&one.certificate, &text, &text),
        (&one.certificate, &other.key, &one.certificate),
    ] {
        let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
        let own = ["serve", "--listen", "127.0.0.1:0", "--otg", "127.0.0.1:0", "--store", &store];
        let tls = ["--tls-cert", certificate, "--tls-key", key];
        let named = named.file_name().unwrap().to_str().unwrap();
        Linerate::spawn([&own[..], &tls].concat()).wait().exits(64).says(&[named]);
    }
}
