//! What happens to trials from outside, and what else they may send.

use crate::{
    testbed::{Lab, Limit, much_of_the_machine},
    trials::{SECOND, open, open_until, plan, run, suite},
};
use linerate::{
    session::Settings,
    spec::{Flows, Modifiers, SuiteSpec, Topology},
    suite::{
        Action, Test, Trial, TrialError, TrialPlan, Wants,
        hooks::Hooked,
        real::{FILE_FRAME, RealTrial, Setup, Watch, file_frame, test_flows},
    },
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Exit code and message of a trial that has no result.
#[track_caller]
fn failure(trial: &mut dyn Trial, plan: &TrialPlan) -> (u8, String) {
    match trial.run(plan) {
        Err(TrialError::Failed { message, exit_code }) => (exit_code, message),
        other => panic!("it should fail: {other:?}"),
    }
}

#[test]
fn a_reset_shows_as_the_silence_that_it_is() {
    let _machine = much_of_the_machine();
    let lab = Lab::with_limiter(Limit::default());
    let (_, facing_east) = lab.device.as_ref().expect("a device");
    let link = format!("ip -n {} link set dev {}", facing_east.netns, facing_east.interface);
    let suite = suite(&lab, &[64]);
    let mut trial = open(&suite, 1);
    let mut plan = plan(&trial, &suite.frames[0], 2_000, SECOND * 3 / 2);
    plan.test = Test::Reset;
    let command = format!("{link} down; sleep 0.3; {link} up");
    plan.action = Some(Action { at: SECOND / 2, command });
    let result = run(&mut trial, &plan);
    let way = &result.directions[0];
    let gap_ms = way.rx_gap_max_ns.expect("a gap") / 1_000_000;
    let lost_ms = way.lost_frames / 2;
    let last_ms = way.last_lost_ns.expect("a loss") / 1_000_000;
    assert!((300..900).contains(&gap_ms), "{gap_ms} ms of silence: {result:?}");
    assert!(lost_ms.abs_diff(gap_ms) < 60, "{lost_ms} ms by loss: {result:?}");
    assert!((800..1400).contains(&last_ms), "the last loss at {last_ms} ms: {result:?}");

    plan.action = Some(Action { at: SECOND / 10, command: "echo no relay >&2; false".into() });
    let (code, line) = failure(&mut trial, &plan);
    assert_eq!(code, 2);
    assert!(line.ends_with("no relay") && !line.contains('\n'), "{line}");
}

#[test]
fn a_lost_link_ends_the_suite_and_a_stop_the_trial() {
    let _machine = much_of_the_machine();
    let lab = Lab::with_bridge();
    let stop = Arc::new(AtomicBool::new(false));
    let suite = suite(&lab, &[64]);
    let mut trial = open_until(&suite, 1, &stop);
    let long = plan(&trial, &suite.frames[0], 1_000, SECOND * 20);
    let started = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(SECOND);
            lab.device.as_ref().expect("a device").1.ip_link(&["down"]);
        });
        let (code, line) = failure(&mut trial, &long);
        assert_eq!(code, 2);
        assert!(line.contains(&lab.east.to_string()), "{line}");
    });
    lab.device.as_ref().expect("a device").1.ip_link(&["up"]);
    thread::sleep(SECOND / 5);
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(SECOND);
            stop.store(true, Ordering::Relaxed);
        });
        let ended = trial.run(&long);
        assert!(matches!(ended, Err(TrialError::Interrupted)), "{ended:?}");
    });
    assert!(started.elapsed() < SECOND * 15, "{:?}", started.elapsed());
    drop(trial);
    lab.assert_nothing_attached();
}

#[test]
fn commands_run_before_and_after_each_trial() {
    let _machine = much_of_the_machine();
    let lab = Lab::with_bridge();
    let stop = AtomicBool::new(false);
    let suite = suite(&lab, &[64]);
    let mut trial = open(&suite, 1);
    let plan = plan(&trial, &suite.frames[0], 1_000, SECOND / 5);
    let log = lab.file("hooks.log", b"");
    let before = format!("echo before $LINERATE_TRIAL $LINERATE_TEST >> {}", log.display());
    let after = format!(
        "echo after $LINERATE_FRAME $LINERATE_FPS $LINERATE_TX_FRAMES $LINERATE_LOST_FRAMES >> {}",
        log.display()
    );
    let mut hooked = Hooked::new(&mut trial, Some(&before), Some(&after), &stop);
    for _ in 0..2 {
        hooked.run(&plan).expect("a trial");
    }
    let one = |number| format!("before {number} throughput\nafter 64 1000 200 0\n");
    let told = std::fs::read_to_string(&log).expect("the log");
    assert_eq!(told, [one(1), one(2)].concat());
    let (code, line) = failure(&mut Hooked::new(&mut trial, Some("exit 7"), None, &stop), &plan);
    assert_eq!((code, line.as_str()), (2, "`exit 7` ended with exit status: 7"));
}

#[test]
fn broadcast_frames_and_vlan_tags_pass_a_bridge_and_do_not_count() {
    let _machine = much_of_the_machine();
    let lab = Lab::with_bridge();
    let mut suite = suite(&lab, &[64]);
    suite.modifiers = Modifiers { broadcast: 1, management: false, vlan: Some(100) };
    let mut trial = open(&suite, 1);
    let before = lab.east.counters().rx_packets;
    let plan = plan(&trial, &suite.frames[0], 5_000, SECOND / 5);
    let result = run(&mut trial, &plan);
    let way = &result.directions[0];
    assert_eq!((way.tx_frames, way.rx_unique_frames, way.lost_frames), (990, 990, 0));
    // The kernel counts the ten broadcasts too, and what is said to learn.
    let came = lab.east.counters().rx_packets - before;
    assert!(came >= 1000, "{came} frames at the receiving port");
}

/// An agent that answers every SNMP request with itself, as a GetResponse.
const AGENT: &str = "
import socket
agent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
agent.bind(('198.18.1.1', 161))
while True:
    request, asker = agent.recvfrom(2000)
    agent.sendto(request.replace(b'\\xa0', b'\\xa2', 1), asker)
";

#[test]
fn a_management_query_a_second_is_asked_and_answered() {
    let _machine = much_of_the_machine();
    let lab = Lab::with_router();
    let netns = &lab.device.as_ref().expect("a device").0.netns;
    let _agent = Agent::start(netns);
    let mut suite = suite(&lab, &[64]);
    suite.modifiers = Modifiers { broadcast: 0, management: true, vlan: None };
    let mut trial = open(&suite, 1);
    let plan = plan(&trial, &suite.frames[0], 5_000, SECOND * 2);
    let result = trial.run(&plan).expect("a trial");
    assert_eq!(result.directions[0].rx_unique_frames, 10_000, "queries do not count: {result:?}");
    let told = trial.notes().into_iter().find(|note| note.contains("SNMP"));
    assert_eq!(told.as_deref(), Some("the device answered 2 of 2 SNMP queries"));
}

/// [`AGENT`] in a namespace, killed when dropped.
struct Agent(std::process::Child);

impl Agent {
    fn start(netns: &str) -> Self {
        let mut command = std::process::Command::new("ip");
        command.args(["netns", "exec", netns, "/usr/bin/python3", "-c", AGENT]);
        Self(command.spawn().expect("python3"))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // Both fail only when it has ended, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A suite whose load is a file of three flows, 3:1 eastward and one westward.
fn with_file(lab: &Lab, sizes: &[u16]) -> SuiteSpec {
    let flow = |name: &str, way: (&str, &str), rate: &str, size: u16, port: u16| {
        format!(
            r#"
            [[flow]]
            name = "{name}"
            tx = "{}"
            rx = "{}"
            rate = "{rate}"
            size = {size}
            layers = [
              {{eth = {{}}}},
              {{ipv4 = {{src = "198.18.0.2", dst = {{range = "198.18.1.1-198.18.1.10"}}}}}},
              {{udp = {{src = 49184, dst = {port}}}}},
            ]
            "#,
            way.0, way.1
        )
    };
    let east = ("west", "east");
    let text = [
        flow("a", east, "30kpps", 64, 9),
        flow("b", east, "10kpps", 256, 11),
        flow("c", ("east", "west"), "1kpps", 64, 13),
    ];
    let mut suite = suite(lab, sizes);
    suite.flows = Some(Flows::File(lab.flow_file(&text.concat())));
    suite.topology = Topology::Pairs { pairs: Vec::new(), both: true };
    suite
}

#[test]
fn the_flows_of_a_file_share_the_load_by_their_rates() {
    let _machine = much_of_the_machine();
    let lab = Lab::with_bridge();
    let suite = with_file(&lab, &[128]);
    let mut trial = open(&suite, 1);
    assert_eq!(trial.directions().len(), 2);
    let file = test_flows(&suite).expect("flows");
    let own = file_frame(&file).expect("a frame");
    assert_eq!(own.name, FILE_FRAME);
    let bytes = || lab.device.as_ref().map(|(west, _)| west.command("cat", &["/proc/net/dev"]));
    for (frame, east_bytes) in [(&suite.frames[0], 124), (&own, (3 * 60 + 252) / 4)] {
        let before = received_bytes(&bytes().expect("counters"));
        let plan = plan(&trial, frame, 4_000, SECOND / 2);
        let result = run(&mut trial, &plan);
        for way in &result.directions {
            assert_eq!((way.tx_frames, way.rx_unique_frames, way.lost_frames), (2_000, 2_000, 0));
        }
        let came = received_bytes(&bytes().expect("counters")) - before;
        let expected = 2_000 * east_bytes;
        // Learning frames and ARP come on top; what is lost to a busy machine is sent again.
        assert!(came >= expected && (came - expected) % expected < 20_000, "{came} octets came");
    }
}

/// Octets that the device has received from the west.
fn received_bytes(devices: &str) -> u64 {
    let line = devices.lines().find_map(|line| line.trim().strip_prefix("d0:"));
    let counts = line.expect("d0").split_whitespace();
    counts.map(|count| count.parse().expect("a count")).next().expect("octets")
}

#[test]
fn seconds_and_late_latency_are_told_when_asked_for() {
    let _machine = much_of_the_machine();
    let lab = Lab::with_bridge();
    let suite = suite(&lab, &[64]);
    let mut trial = open(&suite, 1);
    let mut plan = plan(&trial, &suite.frames[0], 1_000, SECOND * 5 / 2);
    plan.per_second = true;
    plan.latency_from = Duration::from_millis(1_500);
    let result = run(&mut trial, &plan);
    let way = &result.directions[0];
    let seconds: Vec<_> = way.seconds.iter().map(|s| (s.tx_frames, s.rx_unique_frames)).collect();
    assert_eq!(seconds.iter().map(|second| second.0).sum::<u64>(), 2_500, "{seconds:?}");
    assert!(seconds.iter().all(|(sent, received)| sent == received), "{seconds:?}");
    let near = |found: u64, frames: u64| found.abs_diff(frames) <= 60;
    let [first, second, third] = seconds[..] else { panic!("{seconds:?}") };
    assert!(near(first.0, 1_000) && near(second.0, 1_000) && near(third.0, 500), "{seconds:?}");
    let latency = way.latency.expect("a latency");
    assert!(near(latency.count, 1_000), "{latency:?}");
    assert!(latency.count < 1_010, "frames from before count: {latency:?}");
}

#[test]
fn frames_over_the_mtu_and_a_port_in_use_are_told_with_the_codes_of_a_run() {
    let lab = Lab::with_bridge();
    let open = |suite: &SuiteSpec| {
        let wants = Wants { stages: 1, services: &[], definition: None };
        let setup = Setup {
            settings: Settings::default(),
            stop: Arc::new(AtomicBool::new(false)),
            watch: Watch::default(),
        };
        match RealTrial::open(suite, wants, setup) {
            Err(TrialError::Failed { message, exit_code }) => (exit_code, message),
            other => panic!("it should fail: {other:?}"),
        }
    };
    let (code, line) = open(&suite(&lab, &[64, 2000]));
    assert!(code == 64 && line.contains("MTU") && !line.contains('\n'), "{code}: {line}");
    let mut unknown = suite(&lab, &[64]);
    unknown.ports[1].interface = "nosuch".into();
    let (code, line) = open(&unknown);
    assert!(code == 64 && line.contains("nosuch") && !line.contains('\n'), "{code}: {line}");
    lab.assert_nothing_attached();
}
