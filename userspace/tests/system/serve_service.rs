//! The daemon as a normal user: with file capabilities, and as the shipped unit of systemd
//! starts it. What systemd would do, setpriv does here by what the unit says.

use crate::testbed::{Daemon, Lab, Linerate, command, eventually};
use serde_json::json;
use std::{
    fs,
    os::unix::{fs::PermissionsExt, net::UnixDatagram},
    path::{Path, PathBuf},
    time::Duration,
};

const UNIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/linerate.service");
/// Of the range from which systemd takes users that it makes up; one for each test, for the
/// memory that a user may lock is counted over all processes.
const USERS: [u32; 2] = [61_200, 61_201];

/// The value of a key that stands once in the unit.
fn unit(key: &str) -> String {
    let text = fs::read_to_string(UNIT).unwrap();
    let mut values = text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let value = values.next().unwrap_or_else(|| panic!("the unit has no {key}")).to_owned();
    assert_eq!(values.next(), None, "{key} twice");
    value
}

/// `CAP_NET_ADMIN CAP_BPF` as setpriv writes it: `+net_admin,+bpf`.
fn capabilities(of_unit: &str) -> String {
    let each = of_unit.split_whitespace().map(|name| name.strip_prefix("CAP_").unwrap());
    each.map(|name| format!("+{}", name.to_lowercase())).collect::<Vec<_>>().join(",")
}

/// A copy of the binary that everybody may start.
fn copy(lab: &Lab) -> PathBuf {
    lab.let_everybody_read();
    let copy = lab.file("linerate", &fs::read(Linerate::BINARY).unwrap());
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    copy
}

/// A directory that is the user's.
fn state(lab: &Lab, user: u32) -> PathBuf {
    let state = lab.directory().join("state");
    fs::create_dir(&state).unwrap();
    std::os::unix::fs::chown(&state, Some(user), Some(user)).unwrap();
    state
}

/// Starts `words` (a wrapper and the binary) in the ports' namespace, where this thread is.
fn start(lab: &Lab, words: &[&str]) -> Daemon {
    let mut daemon = Daemon::spawn_as(&[&["ip", "netns", "exec", &lab.west.netns], words].concat());
    daemon.await_ready();
    daemon
}

/// A run between the ports of the namespace, counted by the kernel.
fn assert_runs(lab: &Lab, daemon: &Daemon) {
    let before = lab.east.counters().rx_packets;
    let spec = json!({
        "ports": {"west": {"if": "west"}, "east": {"if": "east"}},
        "flow": [{"name": "f", "tx": "west", "rx": "east", "rate": "10kpps", "frames": 500,
            "size": 128, "layers": [{"eth": {"dst": "02:00:00:00:00:02"}},
            {"ipv4": {"src": "198.18.0.2", "dst": "198.18.1.1"}},
            {"udp": {"src": 49184, "dst": 7}}]}],
    });
    for backend in ["af_xdp", "live_frames"] {
        let body = json!({"spec": spec, "backend": backend});
        let run = daemon.post("/api/v1/runs", &body).is(201)["id"].as_u64().unwrap();
        daemon.ended(run);
        let result = daemon.get(&format!("/api/v1/runs/{run}/result")).is(200);
        assert_eq!(result["flows"][0]["rx_unique_frames"], 500, "{:#}", result["reasons"]);
    }
    assert_eq!(lab.east.counters().rx_packets - before, 1000);
}

/// The capabilities that a process has and those that it may get, as `/proc` tells them.
fn effective_and_bounding(pid: u32) -> (u64, u64) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let of = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    };
    (of("CapEff:"), of("CapBnd:"))
}

#[test]
fn file_capabilities_are_enough_for_a_normal_user() {
    let lab = Lab::one_namespace();
    let user = USERS[0];
    let (copy, state) = (copy(&lab), state(&lab, user));
    let (copy, store) = (copy.to_str().unwrap(), state.join("serve.db"));
    command("setcap", &["cap_net_admin,cap_net_raw,cap_bpf,cap_perfmon,cap_ipc_lock+ep", copy]);
    lab.west.inside(|| {
        let user = [format!("--reuid={user}"), format!("--regid={user}")];
        // As a shell of a normal user starts it: with no capability in hand.
        let wrapper = ["setpriv", &user[0], &user[1], "--clear-groups", "--inh-caps=-all"];
        let serve = [copy, "serve", "--store", store.to_str().unwrap()];
        let daemon = start(&lab, &[&wrapper[..], &serve].concat());
        assert_runs(&lab, &daemon);
        assert_eq!(effective_and_bounding(daemon.pid()).0, 0, "the listener has none left");
        daemon.signal(libc::SIGTERM);
        daemon.wait().exits(0);
    });
    lab.assert_nothing_attached();
}

#[test]
fn the_unit_is_one_that_systemd_takes() {
    let lab = Lab::one_namespace();
    // Verified where the program is.
    let text = fs::read_to_string(UNIT).unwrap().replace("/usr/bin/linerate", Linerate::BINARY);
    let file = lab.directory().join("linerate.service");
    fs::write(&file, text).unwrap();
    let output = std::process::Command::new("systemd-analyze").arg("verify").arg(&file).output();
    let output = output.expect("systemd-analyze is there; install it: cargo xtask setup");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("linerate.service"), "{said}");
}

#[test]
fn as_the_unit_starts_it_it_runs_gives_signs_of_life_and_ends() {
    let lab = Lab::one_namespace();
    let user = USERS[1];
    let (copy, state) = (copy(&lab), state(&lab, user));
    let ambient = capabilities(&unit("AmbientCapabilities"));
    let bounding = capabilities(&unit("CapabilityBoundingSet"));
    assert_eq!(unit("NoNewPrivileges"), "yes");
    assert_eq!(unit("ExecStart"), "/usr/bin/linerate serve");
    assert!(unit("Environment").contains("LINERATE_STORE=%S/linerate/serve.db"));
    let (manager, place) = notified(&lab);
    lab.west.inside(|| {
        let environment = [
            format!("NOTIFY_SOCKET={}", place.display()),
            "WATCHDOG_USEC=400000".to_owned(),
            format!("LINERATE_STORE={}", state.join("serve.db").display()),
            format!("XDG_STATE_HOME={}", state.display()),
        ];
        let options = [
            format!("--reuid={user}"),
            format!("--regid={user}"),
            format!("--inh-caps=-all,{ambient}"),
            format!("--ambient-caps=-all,{ambient}"),
            format!("--bounding-set=-all,{bounding}"),
        ];
        let mut words = vec!["env"];
        words.extend(environment.iter().map(String::as_str));
        words.extend(["setpriv", "--clear-groups", "--no-new-privs"]);
        words.extend(options.iter().map(String::as_str));
        words.extend([copy.to_str().unwrap(), "serve"]);
        let daemon = start(&lab, &words);
        assert_eq!(hear(&manager), "READY=1", "it is ready when it says so");
        let deadline = std::time::Instant::now() + Duration::from_secs(2);
        let mut signs = 0;
        while std::time::Instant::now() < deadline {
            signs += u32::from(hear(&manager) == "WATCHDOG=1");
        }
        // Twice as often as systemd asks for, on a machine that may be busy.
        assert!(signs >= 5, "{signs} signs of life in 2 s, for 400 ms");
        // Meanwhile nobody reads what it says, and the socket is soon full.
        assert_runs(&lab, &daemon);
        let family = daemon.family();
        assert_eq!(effective_and_bounding(family[0]).0, 0);
        for pid in &family[1..] {
            let (effective, bounding) = effective_and_bounding(*pid);
            // CAP_NET_ADMIN, _NET_RAW, _IPC_LOCK, _PERFMON, _BPF (linux/capability.h).
            let five = 1 << 12 | 1 << 13 | 1 << 14 | 1 << 38 | 1 << 39;
            assert_eq!((effective, bounding), (five, five), "no more than the unit gives");
        }
        // Without its data plane for good it gives no signs of life: systemd starts it anew.
        let keeper = family[1].to_string();
        command("kill", &["-9", &keeper]);
        eventually("the data plane is gone", || daemon.get("/api/v1/ready").status == 503);
        eventually("no more signs of life", || {
            while manager_has(&manager) {}
            std::thread::sleep(Duration::from_millis(800));
            !manager_has(&manager)
        });
        daemon.signal(libc::SIGTERM);
        eventually("it says that it stops", || hear(&manager) == "STOPPING=1");
        daemon.wait().exits(0);
    });
    lab.assert_nothing_attached();
}

/// What listens where systemd would.
fn notified(lab: &Lab) -> (UnixDatagram, PathBuf) {
    let place: &Path = lab.directory();
    let place = place.join("notify");
    let manager = UnixDatagram::bind(&place).unwrap();
    fs::set_permissions(&place, fs::Permissions::from_mode(0o777)).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    (manager, place)
}

fn hear(manager: &UnixDatagram) -> String {
    let mut buffer = [0; 256];
    let read = manager.recv(&mut buffer).expect("a word to the manager");
    String::from_utf8_lossy(&buffer[..read]).trim_end().to_owned()
}

fn manager_has(manager: &UnixDatagram) -> bool {
    manager.set_nonblocking(true).unwrap();
    let waiting = manager.recv(&mut [0; 256]).is_ok();
    manager.set_nonblocking(false).unwrap();
    waiting
}
