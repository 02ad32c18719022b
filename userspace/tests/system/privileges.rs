//! Without a privilege: exit 77 and its name. With just what is needed: no root at all.

use crate::testbed::{Lab, Linerate, Outcome, one_flow};

/// The plain flow between ports of one namespace.
fn flow() -> String {
    let ports = "[ports]\nwest = { if = \"west\" }\neast = { if = \"east\" }\n";
    ports.to_owned() + &one_flow("rate = \"1kpps\"\nframes = 100")
}

/// Runs the flow inside the ports' namespace, behind this command.
fn run_behind(lab: &Lab, wrapper: &[&str]) -> Outcome {
    let file = lab.flow_file(&flow());
    let arguments = ["run", file.to_str().unwrap(), "--json", "-"];
    Linerate::spawn_inside(&lab.west, wrapper, &arguments).wait()
}

/// Runs the flow as root without these capabilities.
fn run_without(lab: &Lab, capabilities: &str) -> Outcome {
    run_behind(lab, &["setpriv", &format!("--bounding-set={capabilities}")])
}

/// The same with no more than 64 KiB of locked memory.
fn run_unlocked_without(lab: &Lab, capabilities: &str) -> Outcome {
    let bounding = format!("--bounding-set={capabilities}");
    run_behind(lab, &["prlimit", "--memlock=65536:65536", "setpriv", &bounding])
}

#[test]
fn without_any_privilege_it_is_77_and_says_which() {
    let lab = Lab::one_namespace();
    let outcome = run_without(&lab, "-all").exits(77).says(&["CAP_NET_"]);
    assert!(outcome.stdout.is_empty(), "{outcome}");
    lab.assert_nothing_attached();
}

#[test]
fn each_missing_capability_is_named() {
    let lab = Lab::one_namespace();
    let cases = [
        ("-net_raw", "CAP_NET_RAW"),
        // CAP_SYS_ADMIN stands in for these three.
        ("-net_admin,-sys_admin", "CAP_NET_ADMIN"),
        ("-bpf,-sys_admin", "CAP_BPF"),
        ("-perfmon,-sys_admin", "CAP_PERFMON"),
    ];
    for (dropped, name) in cases {
        let outcome = run_without(&lab, dropped).exits(77).says(&[name]);
        let advice = outcome.stderr.find('(').unwrap_or(outcome.stderr.len());
        let named = outcome.stderr[..advice].matches("CAP_").count();
        assert_eq!(named, 1, "others are named too: {outcome}");
    }
    lab.assert_nothing_attached();
}

#[test]
fn entering_a_namespace_needs_cap_sys_admin_and_says_so() {
    let lab = Lab::cable();
    let file = lab
        .flow_file(&flow().replace("\"west\" }", "\"WEST\" }").replace("\"east\" }", "\"EAST\" }"));
    let wrapper = ["setpriv", "--bounding-set=-sys_admin"];
    let arguments = ["run", file.to_str().unwrap(), "--json", "-"];
    let outcome = Linerate::spawn_inside(&lab.west, &wrapper, &arguments).wait();
    outcome.exits(77).says(&["CAP_SYS_ADMIN"]);
}

#[test]
fn five_capabilities_are_enough_without_root() {
    let lab = Lab::one_namespace();
    let file = lab.flow_file(&flow());
    let arguments = ["run", file.to_str().unwrap(), "--json", "-"];
    let run =
        Linerate::spawn_as_nobody(&lab, "+net_admin,+net_raw,+bpf,+perfmon,+ipc_lock", &arguments);
    run.wait().exits(0).result().flow("f").assert_clean(100);
    lab.assert_nothing_attached();
}

#[test]
fn a_memory_lock_limit_that_cannot_be_raised_is_no_error_by_itself() {
    let lab = Lab::one_namespace();
    let outcome = run_unlocked_without(&lab, "-sys_resource");
    outcome.exits(0).result().flow("f").assert_clean(100);
    lab.assert_nothing_attached();
}

#[test]
fn a_memory_lock_limit_that_is_too_small_is_77() {
    let lab = Lab::one_namespace();
    let outcome = run_unlocked_without(&lab, "-sys_resource,-sys_admin,-ipc_lock");
    outcome.exits(77).says(&["CAP_IPC_LOCK"]);
    lab.assert_nothing_attached();
}

#[test]
fn show_needs_no_privilege() {
    let lab = Lab::one_namespace();
    let file = lab.flow_file(&flow());
    let arguments = ["show", file.to_str().unwrap(), "--count", "2"];
    let wrapper = ["setpriv", "--bounding-set=-all"];
    let outcome = Linerate::spawn_inside(&lab.west, &wrapper, &arguments).wait().exits(0);
    assert!(outcome.stdout.contains("198.18.1.1"), "{outcome}");
}
