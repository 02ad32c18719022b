//! What is refused: one line that names the place and what is allowed.

use super::{TOPOLOGY, no_flags, simulated};
use crate::spec::suite::*;

#[track_caller]
fn refused(text: &str, flags: &SuiteFlags, start: &str, allowed: &str) {
    let file = SuiteFile::from_toml(text, flags);
    let error = file.and_then(|file| {
        file.mlrsearch()?;
        file.rfc2544().map(|_| ())?;
        file.y1564()
    });
    let line = error.expect_err(text).to_string();
    assert!(!line.contains('\n'), "{line}");
    let said = line.split_once(": ").filter(|(place, _)| place.starts_with("line "));
    let said = said.map_or(line.as_str(), |(_, said)| said);
    assert!(said.starts_with(start), "expected: {start}\n    said: {line}");
    let (_, end) = line.rsplit_once("; allowed: ").unwrap_or_else(|| panic!("no way out: {line}"));
    assert!(end.contains(allowed), "expected: {allowed}\n    said: {line}");
}

#[test]
fn the_line_and_column_of_a_mistake_are_named() {
    let text = "sizes = [64,\n  63]\n";
    let error = SuiteFile::from_toml(text, &simulated()).unwrap().rfc2544().unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 2, column 3: sizes[1]: 63 is below 64; allowed: 64 to 9216"
    );
}

#[test]
fn values_that_cannot_be() {
    for (text, start, allowed) in [
        ("size = 64", "size: unknown key `size`", "sizes, profile"),
        ("sizes = []", "sizes: an empty list of sizes", "imix"),
        ("sizes = [64, 64]", "sizes[1]: 64 stands there twice", "each once"),
        ("sizes = [\"rfc\", 512]", "sizes[1]: 512 stands there twice", "each once"),
        ("sizes = [10000]", "sizes[0]: 10000 is over 9216", "64 to 9216"),
        ("sizes = [\"jumbo\"]", "sizes[0]: \"jumbo\" does not fit", "imix:trex"),
        ("profile = \"slow\"", "profile: \"slow\" does not fit", "\"quick\", \"rfc\""),
        ("tests = []", "tests: an empty list of tests", "back-to-back"),
        ("tests = [\"jitter\"]", "tests[0]: \"jitter\" does not fit", "\"recovery\", \"reset\""),
        ("tests = [\"reset\"]", "", "[hooks] reset"),
        ("[reset]", "reset: nothing says how the device is reset", "[hooks] reset"),
        ("[throughput]\ntrial = \"1ms\"", "throughput.trial: \"1ms\" does not fit", "10ms to"),
        ("[throughput]\nresolution = \"1Mbps\"", "throughput.resolution:", "\"1fps\""),
        ("[throughput]\nresolution = \"100%\"", "throughput.resolution:", "\"0.1%\""),
        ("[throughput]\nmax_loss = \"100%\"", "throughput.max_loss:", "below 1"),
        ("[throughput]\nmax_loss = -1", "throughput.max_loss:", "below 1"),
        ("[throughput]\nmax_rate = \"101%\"", "throughput.max_rate: 101% is over", "100%"),
        ("[throughput]\nmax_rate = \"0fps\"", "throughput.max_rate:", "above 0"),
        ("[latency]\nrepeats = 0", "latency.repeats: 0 is below 1", "1 to"),
        ("[latency]\nfrom = \"2s\"", "latency.from: no frame is sent after it", "less than"),
        ("[latency]\nat = [\"150%\"]", "latency.at[0]:", "shares of it"),
        ("[latency]\nat = [\"0%\"]", "latency.at[0]:", "shares of it"),
        ("[latency]\nat = [\"50%\", \"50%\"]", "latency.at[1]: the same load twice", "once"),
        ("[latency]\ndefinition = \"fifo\"", "latency.definition:", "bit-forwarding"),
        ("[loss]\nstep = \"11%\"", "loss.step: \"11%\" does not fit", "at most 10%"),
        ("[loss]\nstep = \"0%\"", "loss.step: \"0%\" does not fit", "above 0%"),
        ("[back_to_back]\nburst_limit = \"31s\"", "back_to_back.burst_limit:", "to 30s"),
        ("[waits]\nresidual = \"100ms\"", "waits.residual:", "from 500ms"),
        ("[learning]\nframe = 3", "learning.frame: unknown key", "frames, refresh"),
        ("[modifiers]\nbroadcast = \"1.5%\"", "modifiers.broadcast:", "whole percents"),
        ("[modifiers]\nvlan = 4095", "modifiers.vlan: 4095 is over 4094", "1 to 4094"),
        ("[addresses]\nnetworks = 2", "addresses.networks: 2 does not fit", "1 or 256"),
        ("[hooks]\nbefore_trial = \"\"", "hooks.before_trial:", "not empty"),
        ("[hooks]\nreboot = \"x\"", "hooks.reboot: unknown key", "before_trial"),
        ("[limits]\ntrials = 0", "limits.trials: 0 is below 1", "1 to"),
        ("[pass]\nthroughput = {65 = \"1%\"}", "pass: no row is called 65", "64, 512, 1518"),
        ("[pass]\nthroughput = \"<95%\"", "pass.throughput:", ">=95%"),
        ("[pass]\nlatency_p99 = \">1us\"", "pass.latency_p99:", "<50us"),
        ("[pass]\nback_to_back = 0", "pass.back_to_back: 0 is below 1", "1 to"),
        ("[mlrsearch]\ngoals = [\"XDR\"]", "mlrsearch.goals[0]:", "\"NDR\""),
        ("[mlrsearch]\ngoals = [\"NDR\", \"NDR\"]", "mlrsearch.goals[1]: a second", "name"),
        ("[mlrsearch]\ngoals = [{}]", "mlrsearch.goals[0]: `name` is missing", "name ="),
        (
            "[mlrsearch]\ngoals = [{name = \"x\", width = 0}]",
            "mlrsearch.goals[0].width:",
            "above 0",
        ),
        (
            "[mlrsearch]\ngoals = [{name = \"x\", exceed_ratio = 1}]",
            "mlrsearch.goals[0].exc",
            "below 1",
        ),
        (
            "[mlrsearch]\ngoals = [{name = \"x\", final_trial = \"2s\", duration_sum = \"1s\"}]",
            "mlrsearch.goals[0].duration_sum: it is below",
            "at least final_trial",
        ),
        ("[mlrsearch]\nmin_load = \"1%\"", "mlrsearch.min_load:", "\"1fps\""),
        ("", "", "[[service]]"),
        ("[[service]]\nname = \"a\"", "service[0]: `size` is missing", "size ="),
        ("[[service]]\nname = \"a\"\nsize = 64\ncir = \"1kpps\"", "service[0].cir:", "L2 bits"),
        (
            "[[service]]\nname = \"a\"\nsize = 64\ncir = \"1Mbps\"\nflows = \"x\"",
            "service: service a names flows",
            "flows =",
        ),
        ("[y1564]\nsteps = [\"50%\", \"25%\", \"100%\"]", "y1564.steps:", "rise"),
        ("[y1564]\nsteps = [\"50%\"]", "y1564.steps:", "up to 100%"),
    ] {
        refused(text, &simulated(), start, allowed);
    }
}

#[test]
fn ports_and_devices_that_cannot_be() {
    for (text, start, allowed) in [
        ("", "", "--tx PORT --rx PORT, --dut sim:"),
        ("[topology]\npairs = []", "topology.pairs: an empty list", "[[\"west\", \"east\"]]"),
        ("[topology]\npairs = [\"west\"]", "topology.pairs[0]:", "pairs of ports"),
        ("[topology]\npairs = [[\"west\"]]", "topology.pairs[0]: no pair", "pairs of ports"),
        ("[topology]\npairs = [[\"a\", \"a\"]]", "topology.pairs[0]: the same port", "two ports"),
        (
            "[topology]\npairs = [[\"a\", \"b\"], [\"a\", \"b\"]]",
            "topology.pairs[1]: the same pair twice",
            "each pair once",
        ),
        (
            "[topology]\npairs = [[\"a/b\", \"c\"]]",
            "topology.pairs[0][0]: `a/b` is no PORT",
            "ens1f0",
        ),
        ("[topology]\ndut = \"link=10G\"", "topology.dut:", "sim:"),
        (
            "[topology]\ndut = \"sim:\"\npairs = [[\"a\", \"b\"]]",
            "topology.dut:",
            "`dut` or `pairs`",
        ),
        ("[topology]\ndirection = \"back\"", "topology.direction:", "\"both\", \"forward\""),
    ] {
        refused(text, &no_flags(), start, allowed);
    }
}

#[test]
fn flags_that_cannot_be_are_named() {
    let some = |text: &str| Some(text.to_owned());
    let flags = [
        (SuiteFlags { tx: some("a"), ..no_flags() }, "--tx: --rx is missing", "both"),
        (SuiteFlags { rx: some("a"), ..no_flags() }, "--rx: --tx is missing", "both"),
        (SuiteFlags { tx: some("a"), rx: some("b"), ..simulated() }, "--dut:", "--tx and --rx"),
        (SuiteFlags { sizes: some("64,,128"), ..simulated() }, "--sizes:", "64 to 9216"),
        (SuiteFlags { tests: some("all"), ..simulated() }, "--tests:", "\"throughput\""),
        (SuiteFlags { trial: some("60"), ..simulated() }, "--trial:", "\"500ms\""),
        (SuiteFlags { repeats: some("0"), ..simulated() }, "--repeats: 0 is below 1", "1 to"),
        (SuiteFlags { resolution: some("0%"), ..simulated() }, "--resolution:", "\"1fps\""),
        (SuiteFlags { max_rate: some("fast"), ..simulated() }, "--max-rate:", "100kpps"),
        (SuiteFlags { profile: some("full"), ..simulated() }, "--profile:", "\"rfc\""),
        (SuiteFlags { goals: some("MDR"), ..simulated() }, "--goals:", "\"PDR\""),
        (SuiteFlags { dut: some("cable"), ..no_flags() }, "--dut:", "sim:"),
    ];
    for (flags, start, allowed) in flags {
        refused("", &flags, start, allowed);
    }
    assert!(SuiteFile::from_toml(TOPOLOGY, &no_flags()).unwrap().rfc2544().is_ok());
}
