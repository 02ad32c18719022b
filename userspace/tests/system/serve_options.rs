//! Every option of the daemon from all three places: flags over the environment over a file.

use crate::testbed::{Daemon, Lab, Linerate, command, eventually};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, net::TcpListener};

/// By the name of the option in the file.
type Options = BTreeMap<&'static str, String>;

/// Where options stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Flags,
    Environment,
    File,
}

/// Starts a daemon that is told these.
fn start(lab: &Lab, told: &[(Place, &Options)]) -> Daemon {
    let (mut environment, mut flags) = (vec!["LINERATE_TOKEN".to_owned()], Vec::new());
    // `env -u` first, then what is set.
    environment.insert(0, "-u".to_owned());
    let mut listen = None;
    for (place, options) in told {
        match place {
            Place::Flags => {
                flags.extend(options.iter().map(|(name, value)| {
                    let name = if *name == "hosts" { "host" } else { name };
                    format!("--{}={value}", name.replace('_', "-"))
                }));
            }
            Place::Environment => {
                environment.extend(
                    options
                        .iter()
                        .map(|(name, value)| format!("LINERATE_{}={value}", name.to_uppercase())),
                );
            }
            Place::File => {
                let file = lab.file("serve.toml", file_of(options).as_bytes());
                environment.push(format!("LINERATE_CONFIG={}", file.display()));
            }
        }
        listen = listen.or(Some(options["listen"].clone()));
    }
    let words = environment.into_iter().chain([Linerate::BINARY.into(), "serve".into()]);
    let process = Linerate::spawn_as("env", words.chain(flags));
    Daemon::of(process, listen.expect("an address"))
}

fn file_of(options: &Options) -> String {
    let line = |(name, value): (&&str, &String)| match *name {
        "alias" => String::new(),
        "hosts" => format!("hosts = [\"{value}\"]\n"),
        "retain_runs" | "otg_plain" => format!("{name} = {value}\n"),
        _ => format!("{name} = \"{value}\"\n"),
    };
    let lines: String = options.iter().map(line).collect();
    let alias = options.get("alias").and_then(|alias| alias.split_once('='));
    let table = alias.map(|(name, port)| format!("[alias]\n{name} = \"{port}\"\n"));
    lines + &table.unwrap_or_default()
}

fn free() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// All options but those of TLS; each place has values of its own.
fn options(lab: &Lab, place: Place) -> Options {
    let number = place as usize;
    let token = lab.file("token", token(place).as_bytes()).display().to_string();
    Options::from([
        ("listen", free()),
        ("otg", free()),
        ("otg_plain", (place != Place::Environment).to_string()),
        ("store", store(lab, place)),
        ("token_file", token),
        ("hosts", format!("host{number}.lab")),
        ("alias", format!("name{number}={}", lab.west)),
        ("interval", format!("{}ms", interval_ms(place))),
        ("retain_runs", (number + 2).to_string()),
    ])
}

fn token(place: Place) -> String {
    format!("the-token-of-{place:?}-and-no-other")
}

fn store(lab: &Lab, place: Place) -> String {
    lab.directory().join(format!("{place:?}.db")).display().to_string()
}

fn interval_ms(place: Place) -> u64 {
    [100, 200, 350][place as usize]
}

#[test]
fn flags_are_over_the_environment_and_that_over_the_file_for_every_option() {
    let lab = Lab::cable();
    let places = [Place::Flags, Place::Environment, Place::File];
    let all = places.map(|place| (place, options(&lab, place)));
    let all = all.each_ref().map(|(place, options)| (*place, options));
    for (at, place) in places.into_iter().enumerate() {
        let daemon = start(&lab, &all[at..]);
        let lower = &places[at + 1..];
        assert_told(&lab, daemon, place, all[at].1, lower);
    }
}

/// Every option of the highest place holds, and none of the lower ones.
fn assert_told(lab: &Lab, daemon: Daemon, place: Place, options: &Options, lower: &[Place]) {
    let known = format!("authorization: Bearer {}\r\n", token(place));
    eventually("it listens where it was told", || daemon.try_get("/api/v1/health").is_some());
    let ask = |path: &str, head: &str| {
        let answer = daemon.ask("GET", path, &format!("{known}{head}"), b"");
        (answer.status, answer)
    };
    assert_eq!(daemon.get("/api/v1/runs").status, 401);
    assert_eq!(ask("/api/v1/runs", "").0, 200);
    for other in lower {
        let other = format!("authorization: Bearer {}\r\n", token(*other));
        assert_eq!(daemon.ask("GET", "/api/v1/runs", &other, b"").status, 401);
    }
    let host = |place: Place| format!("host: host{}.lab\r\n", place as usize);
    assert_eq!(ask("/api/v1/runs", &host(place)).0, 200, "{place:?}");
    for other in lower {
        assert_eq!(ask("/api/v1/runs", &host(*other)).0, 403, "{other:?} is overridden");
        assert!(!fs::exists(store(lab, *other)).unwrap(), "the store of {other:?}");
    }
    assert!(fs::exists(store(lab, place)).unwrap());

    let post = |path: &str, body: &Value| {
        let head = format!("{known}content-type: application/json\r\n");
        daemon.ask("POST", path, &head, body.to_string().as_bytes())
    };
    let archived = |id: u64| {
        json!({"run": {"id": id, "name": "old", "state": "failed", "created": "2026-01-01T00:00:00Z",
            "ended": null, "verdict": "invalid", "reason": null}, "spec": {}, "result": null})
    };
    let archive = json!({"schema": "linerate.store/1", "flow_sets": [],
        "runs": (1..=6).map(archived).collect::<Vec<_>>()});
    post("/api/v1/import", &archive).is(204);
    let run = json!({"backend": "af_xdp", "spec": {
        "ports": {"east": {"if": lab.east.to_string()}},
        "flow": [{"name": "f", "tx": format!("name{}", place as usize), "rx": "east",
            "rate": "1kpps", "frames": 1200, "size": 128, "layers": [
            {"eth": {"dst": "02:00:00:00:00:02"}},
            {"ipv4": {"src": "198.18.0.2", "dst": "198.18.1.1"}},
            {"udp": {"src": 49184, "dst": 7}}]}]}});
    let run = post("/api/v1/runs", &run).is(201)["id"].as_u64().unwrap();
    let path = format!("/api/v1/runs/{run}");
    eventually("the run is over", || ask(&path, "").1.json()["state"] == "done");
    let (_, history) = ask("/api/v1/collector/flows/f/history?count=4", "");
    let times: Vec<_> =
        history.json()["samples"].as_array().unwrap().iter().map(|row| row["t"].clone()).collect();
    let kept = ask("/api/v1/runs", "").1.json().as_array().unwrap().len();
    assert_eq!(kept.to_string(), options["retain_runs"]);

    daemon.signal(libc::SIGTERM);
    let ended = daemon.wait().exits(0);
    let scheme = if options["otg_plain"] == "true" { "http" } else { "https" };
    let otg = format!("API at {scheme}://{}\n", options["otg"]);
    assert!(ended.stdout.contains(&otg), "{otg}: {ended}");
    assert_interval(&times, interval_ms(place));
}

/// Between the samples of a run, whatever the machine was doing meanwhile.
fn assert_interval(times: &[Value], interval_ms: u64) {
    let time = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{times:?}"));
    let mut gaps: Vec<_> = times.windows(2).map(|pair| time(&pair[1]) - time(&pair[0])).collect();
    gaps.sort_by(f64::total_cmp);
    let gap_ms = gaps[gaps.len() / 2] / 1e6;
    let told = interval_ms as f64;
    assert!(
        (gap_ms - told).abs() < told / 4.0,
        "{gap_ms} ms between samples, not {told}: {times:?}"
    );
}

#[test]
fn certificates_are_taken_from_all_three_places_too() {
    let lab = Lab::cable();
    let places = [Place::Flags, Place::Environment, Place::File];
    let all = places.map(|place| {
        let mut options =
            Options::from([("listen", free()), ("otg", free()), ("store", store(&lab, place))]);
        for (what, certificate, key) in
            [("rest", "tls_cert", "tls_key"), ("otg", "otg_cert", "otg_key")]
        {
            let file = |end: &str| {
                lab.directory().join(format!("{what}-{place:?}.{end}")).display().to_string()
            };
            let name = format!("/CN={what}-{place:?}");
            command(
                "openssl",
                &[
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:prime256v1",
                    "-nodes",
                    "-days",
                    "2",
                    "-subj",
                    &name,
                    "-keyout",
                    &file("key"),
                    "-out",
                    &file("crt"),
                ],
            );
            options.extend([(certificate, file("crt")), (key, file("key"))]);
        }
        (place, options)
    });
    let all = all.each_ref().map(|(place, options)| (*place, options));
    for (at, (place, options)) in all.into_iter().enumerate() {
        let mut daemon = start(&lab, &all[at..]);
        daemon.await_listening();
        for (listener, certificate) in [("listen", "tls_cert"), ("otg", "otg_cert")] {
            const SHOWN: &str = "import ssl, sys\n\
                host, port = sys.argv[1].split(':')\n\
                print(ssl.get_server_certificate((host, int(port))).strip())";
            let shown = command("/usr/bin/python3", &["-c", SHOWN, &options[listener]]);
            let expected = fs::read_to_string(&options[certificate]).unwrap();
            assert_eq!(shown.trim(), expected.trim(), "{certificate} of {place:?}");
        }
        daemon.signal(libc::SIGTERM);
        daemon.wait().exits(0);
    }
}
