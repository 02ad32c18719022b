//! Whole files: the example of the contract, YAML, what the profiles give.

use super::{TOPOLOGY, no_flags, rfc2544, simulated};
use crate::{
    spec::{Threshold, suite::*},
    units::{Rate, Ratio},
};
use std::time::Duration;

/// The suite file of CONTRACT.md, verbatim.
const EXAMPLE: &str = r#"
    flows = "cust.toml"               # absent: RFC 2544 appendix C frames between the pairs
    sizes = [64, 128, 256, 512, 1024, 1280, 1518, "imix"]
    profile = "quick"                 # | "rfc"
    [topology]
    pairs = [["west", "east"]]
    direction = "both"                # | "forward"
    [learning]
    frames = 3                        # from every port, every source address of the run
    refresh = "60s"
    [throughput]
    trial = "60s"
    resolution = "0.1%"               # of line rate, or "1fps"
    max_loss = "0"
    max_rate = "100%"
    [latency]
    repeats = 20
    at = ["10%", "50%", "90%", "throughput"]
    definition = "store-and-forward"
    [loss]
    step = "10%"
    [back_to_back]
    repeats = 50
    burst_limit = "30s"
    [hooks]
    before_trial = "./clear-counters.sh"
    [pass]
    throughput = {64 = ">=95%"}
"#;

const EXAMPLE_YAML: &str = r#"
flows: cust.toml
sizes: [64, 128, 256, 512, 1024, 1280, 1518, imix]
profile: quick
topology: {pairs: [[west, east]], direction: both}
learning: {frames: 3, refresh: 60s}
throughput: {trial: 60s, resolution: 0.1%, max_loss: "0", max_rate: 100%}
latency:
  repeats: 20
  at: [10%, 50%, 90%, throughput]
  definition: store-and-forward
loss: {step: 10%}
back_to_back: {repeats: 50, burst_limit: 30s}
hooks: {before_trial: ./clear-counters.sh}
pass:
  throughput: {"64": ">=95%"}
"#;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn the_example_of_the_contract() {
    let spec = rfc2544(EXAMPLE, &no_flags());
    let suite = &spec.suite;
    assert_eq!(suite.flows, Some(Flows::File("cust.toml".into())));
    let names: Vec<_> = suite.frames.iter().map(|frame| frame.name.as_str()).collect();
    assert_eq!(names, ["64", "128", "256", "512", "1024", "1280", "1518", "imix"]);
    assert_eq!(suite.frames[7].mean_bytes(), Ratio::new(4246, 12));
    let pairs = vec![("west".to_owned(), "east".to_owned())];
    assert_eq!(suite.topology, Topology::Pairs { pairs, both: true });
    assert_eq!(suite.learning, Learning { frames: 3, refresh: seconds(60) });
    assert_eq!(
        spec.throughput,
        ThroughputSpec {
            trial: seconds(60),
            resolution: Resolution::Share(Ratio::new(1, 1000)),
            max_loss: Ratio::ZERO,
            max_rate: Rate::LineShare(Ratio::ONE),
        }
    );
    let share = |percent| LatencyAt::Share(Ratio::new(percent, 100));
    let latency = spec.latency.unwrap();
    assert_eq!(latency.at, [share(10), share(50), share(90), LatencyAt::Throughput]);
    assert_eq!((latency.repeats, latency.definition), (20, LatencyDefinition::StoreAndForward));
    assert_eq!(spec.loss.unwrap().step, Ratio::new(1, 10));
    let bursts = spec.back_to_back.unwrap();
    assert_eq!((bursts.repeats, bursts.burst_limit), (50, seconds(30)));
    assert_eq!(suite.hooks.before_trial.as_deref(), Some("./clear-counters.sh"));
    let need = Need::Throughput(Rate::LineShare(Ratio::new(95, 100)));
    assert_eq!(suite.pass, [Pass { frame: Some("64".into()), need }]);
    assert_eq!((spec.recovery, spec.reset), (None, None));
}

#[test]
fn yaml_has_the_same_shape() {
    let file = SuiteFile::from_yaml(EXAMPLE_YAML, &no_flags()).unwrap();
    assert_eq!(file.rfc2544().unwrap(), rfc2544(EXAMPLE, &no_flags()));
}

#[test]
fn the_rfc_profile_asks_for_what_the_rfcs_ask() {
    let spec = rfc2544(
        &format!(
            "profile = \"rfc\"\ntests = [\"throughput\", \"latency\", \"loss\", \"back-to-back\", \"recovery\"]\n{TOPOLOGY}"
        ),
        &no_flags(),
    );
    let sizes: Vec<_> = spec.suite.frames.iter().map(|frame| frame.cycle[0]).collect();
    assert_eq!(sizes, [64, 128, 256, 512, 1024, 1280, 1518]); // RFC 2544 section 9.1
    assert_eq!(spec.throughput.trial, seconds(60)); // 24
    assert_eq!(spec.throughput.max_loss, Ratio::ZERO); // 26.1
    let latency = spec.latency.unwrap();
    assert_eq!((latency.trial, latency.from, latency.repeats), (seconds(120), seconds(60), 20));
    assert_eq!(latency.at, [LatencyAt::Throughput]); // 26.2
    assert_eq!(spec.loss.unwrap().trial, seconds(60));
    let bursts = spec.back_to_back.unwrap();
    assert_eq!((bursts.repeats, bursts.burst_limit), (50, seconds(2))); // 26.4
    assert_eq!(spec.recovery.unwrap().overload, seconds(60)); // 26.5
    let waits = Waits { before: seconds(5), residual: seconds(2), after: seconds(5) };
    assert_eq!(spec.suite.waits, waits); // 23 d and e, C.2.4.1
}

#[test]
fn quick_is_the_profile_of_those_who_choose_none() {
    let spec = rfc2544(TOPOLOGY, &no_flags());
    assert_eq!(spec.suite.profile, Profile::Quick);
    let names: Vec<_> = spec.suite.frames.iter().map(|frame| frame.name.as_str()).collect();
    assert_eq!(names, ["64", "512", "1518"]);
    assert_eq!(spec.throughput.trial, seconds(1));
    assert!(spec.latency.unwrap().repeats < 20);
    // The contract's drain holds for every suite.
    assert_eq!(spec.suite.waits.residual, seconds(2));
    assert_eq!(
        rfc2544(&format!("profile = \"quick\"\n{TOPOLOGY}"), &no_flags()),
        rfc2544(TOPOLOGY, &no_flags())
    );
}

#[test]
fn a_section_of_its_own_adds_a_test_that_is_not_usual() {
    let hooks = "[hooks]\nreset = \"reboot\"\n";
    let plain = rfc2544(&format!("{TOPOLOGY}{hooks}"), &no_flags());
    assert!(plain.recovery.is_none() && plain.reset.is_none());
    let text = format!("{TOPOLOGY}{hooks}[recovery]\n[reset]\nlimit = \"30s\"\n");
    let spec = rfc2544(&text, &no_flags());
    assert_eq!(spec.reset.unwrap().limit, seconds(30));
    assert!(spec.recovery.is_some());
    let chosen = rfc2544(&format!("tests = [\"loss\"]\n{text}"), &no_flags());
    assert!(chosen.loss.is_some() && chosen.recovery.is_none() && chosen.latency.is_none());
}

#[test]
fn goals_are_presets_or_the_users() {
    let text = r#"
        [mlrsearch]
        min_load = "9001fps"
        goals = ["NDR", {name = "mine", loss_ratio = "0.1%", exceed_ratio = 0.25, final_trial = "2s", duration_sum = "10s"}]
    "#;
    let spec = SuiteFile::from_toml(text, &simulated()).unwrap().mlrsearch().unwrap();
    let [ndr, mine] = &spec.goals[..] else { panic!("{:?}", spec.goals) };
    assert_eq!(Some(ndr), GoalSpec::preset("NDR").as_ref());
    assert_eq!((ndr.duration_sum, ndr.exceed_ratio), (seconds(21), Ratio::new(1, 2)));
    assert_eq!((mine.loss_ratio, mine.exceed_ratio), (Ratio::new(1, 1000), Ratio::new(1, 4)));
    assert_eq!(
        (mine.final_trial, mine.duration_sum, mine.initial_trial),
        (seconds(2), seconds(10), seconds(1))
    );
    assert_eq!(spec.min_load_fps, Some(Ratio::from(9001)));
    let usual = SuiteFile::from_flags(&simulated()).unwrap().mlrsearch().unwrap();
    let names: Vec<_> = usual.goals.iter().map(|goal| goal.name.as_str()).collect();
    assert_eq!(names, ["NDR", "PDR"]);
}

#[test]
fn services_have_what_they_were_promised() {
    let text = r#"
        [y1564]
        step = "5s"
        policing = "both"
        [[service]]
        name = "voice"
        size = 128
        cir = "10Mbps"
        burst = 4096
        flr = "0.1%"
        ftd = "10ms"
        fdv = "2ms"
        availability = "99.99%"
        [[service]]
        name = "data"
        size = "imix"
        cir = "100Mbps"
        eir = "50Mbps"
        policing = false
    "#;
    let spec = SuiteFile::from_toml(text, &simulated()).unwrap().y1564().unwrap();
    let [voice, data] = &spec.services[..] else { panic!("{:?}", spec.services) };
    assert_eq!((voice.cir_bps, voice.eir_bps, voice.policing), (10_000_000, 0, true));
    assert_eq!((voice.burst_bytes, data.burst_bytes), (4096, 12_176));
    assert_eq!((voice.ftd_ns, voice.fdv_ns), (Some(10_000_000), Some(2_000_000)));
    assert_eq!(
        (voice.flr, voice.availability),
        (Ratio::new(1, 1000), Some(Ratio::new(9999, 10_000)))
    );
    assert_eq!(
        (data.eir_bps, data.policing, data.frame.kind),
        (50_000_000, false, FrameKind::Imix)
    );
    assert_eq!((data.flr, data.ftd_ns, data.availability), (Ratio::ZERO, None, None));
    assert_eq!(spec.steps, [1, 2, 3, 4].map(|quarter| Ratio::new(quarter, 4)));
    assert_eq!((spec.step, spec.policing), (seconds(5), Policing::Both));
}

#[test]
fn bounds_are_of_one_row_or_of_all() {
    let text = format!(
        "{TOPOLOGY}[pass]\nthroughput = \">=1Mpps\"\nlatency_p99 = {{64 = \"<50us\", 1518 = \"1ms\"}}\nback_to_back = 1000\ngoals = {{NDR = \">=90%\"}}\n"
    );
    let passes = rfc2544(&text, &no_flags()).suite.pass;
    let p99 = |limit, inclusive| Need::LatencyP99(Threshold { limit, inclusive });
    let all = |need| Pass { frame: None, need };
    let of = |frame: &str, need| Pass { frame: Some(frame.into()), need };
    let ndr = Need::Goal { name: "NDR".into(), rate: Rate::LineShare(Ratio::new(9, 10)) };
    for pass in [
        all(Need::Throughput(Rate::Frames(1_000_000.into()))),
        of("64", p99(50_000, false)),
        of("1518", p99(1_000_000, true)),
        all(Need::BackToBack(1000)),
        all(ndr),
    ] {
        assert!(passes.contains(&pass), "{pass:?} in {passes:?}");
    }
    assert_eq!(passes.len(), 5);
}

#[test]
fn ports_of_the_file_are_those_of_the_pairs() {
    let text = "[ports]\nwest = {if = \"gen0@lab\", line = \"1G\"}\n[topology]\npairs = [[\"west\", \"ens1f1\"]]\n";
    let suite = rfc2544(text, &no_flags()).suite;
    let ports: Vec<_> =
        suite.ports.iter().map(|port| (port.name.as_str(), port.interface.as_str())).collect();
    assert_eq!(ports, [("west", "gen0@lab"), ("ens1f1", "ens1f1")]);
    assert_eq!(suite.ports[0].line_bps, Some(1_000_000_000));
}

#[test]
fn a_suite_in_json_has_its_flows_within_and_names_no_file() {
    let flows = serde_json::json!({"flow": [{"name": "f", "tx": "west", "rx": "east", "size": 128,
        "layers": [{"eth": {}}, {"ipv4": {"src": "198.18.0.2", "dst": "198.18.1.1"}},
            {"udp": {"src": 1, "dst": 7}}]}]});
    let read = |flows: &serde_json::Value| {
        SuiteFile::from_json(&serde_json::json!({"sizes": [128], "flows": flows}).into())?.rfc2544()
    };
    let suite = read(&flows).unwrap().suite;
    assert_eq!(suite.flows.as_ref().unwrap().read().unwrap().flows[0].name, "f");
    assert_eq!(suite.flows, Some(Flows::Inline(flows.clone().into())));
    let mut wrong = flows;
    wrong["flow"][0]["size"] = 20.into();
    for (flows, place) in [(wrong, "flows.flow[0].size"), ("/etc/hosts".into(), "flows")] {
        let error = read(&flows).unwrap_err();
        assert_eq!(error.place().unwrap().key, place, "{error}");
    }
}
