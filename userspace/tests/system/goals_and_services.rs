//! `linerate mlrsearch` and `y1564` on real frames, through a limiter that is not linerate's.

use crate::{
    rfc2544::SHORT_WAITS,
    suites::{assert_schema, directory, document},
    testbed::{Lab, Limit, Linerate, much_of_the_machine, with_priority},
};
use serde_json::Value;

/// Runs `suite` with the settings of `file` from west to east until it exits with `code`; its
/// result fits its schema.
fn result(lab: &Lab, suite: &str, file: &str, code: i32) -> Value {
    let place = directory(&format!("real-{suite}"));
    let (west, east) = (&lab.west, &lab.east);
    let ports = format!(
        "sizes = [512]\n[ports]\nwest = {{ if = \"{west}\" }}\neast = {{ if = \"{east}\" }}\n\
         [topology]\npairs = [[\"west\", \"east\"]]\ndirection = \"forward\"\n{SHORT_WAITS}"
    );
    let file = lab.file("suite.toml", format!("{ports}{file}").as_bytes());
    let html = place.join("result.html");
    let [path, html] = [&file, &html].map(|path| path.to_str().expect("a plain path"));
    // The machine is shared with the device: who sends must not wait for it.
    with_priority();
    let outcome = Linerate::spawn([suite, path, "--json", "-", "--html", html]).wait().exits(code);
    let json = place.join("result.json");
    std::fs::write(&json, &outcome.stdout).expect("keep the result");
    assert_schema(suite, &json);
    document(&outcome)
}

#[test]
fn a_goal_has_the_rate_of_a_limiter_between_its_bounds() {
    const LIMIT: u32 = 2_000;
    const DEPTH: u32 = 20;
    let _machine = much_of_the_machine();
    let lab = Lab::with_limiter(Limit { pps: LIMIT, depth: DEPTH, drop_every: 0 });
    let goal = "{name = \"clean\", final_trial = \"1s\", duration_sum = \"2s\", width = \"4%\"}";
    let file = format!("[mlrsearch]\nmax_rate = \"4kpps\"\ngoals = [{goal}]\n");
    let result = result(&lab, "mlrsearch", &file, 0);
    let goal = &result["rows"][0]["goals"][0];
    let bound = |key: &str| goal[key].as_f64().unwrap_or_else(|| panic!("{key}: {goal}"));
    let (lower, upper) = (bound("relevant_lower_bound_fps"), bound("relevant_upper_bound_fps"));
    // What the bucket holds goes through on top of its rate; a load is a hundredth off at most.
    let most = f64::from(LIMIT + DEPTH);
    assert!(lower <= most * 1.01 && most * 0.99 <= upper, "{goal}");
    assert!(upper - lower <= 0.04 * upper, "{goal}");
    assert_eq!(goal["regular"], true, "{goal}");
    lab.assert_nothing_attached();
}

#[test]
fn a_service_passes_a_device_that_polices_it_and_fails_where_none_does() {
    // 1,000 frames of 512 octets a second are 4.096 Mbit/s: what the service may have in all.
    let service = "[y1564]\nsteps = [\"50%\", \"100%\"]\nstep = \"2s\"\nperformance = \"12s\"\n\
        [[service]]\nname = \"gold\"\nsize = 512\ncir = \"3.6Mbps\"\neir = \"500kbps\"\n\
        flr = \"0.1%\"\nftd = \"200ms\"\navailability = \"99%\"\n";
    let _machine = much_of_the_machine();
    let verdicts = |pps, code| {
        let lab = Lab::with_limiter(Limit { pps, depth: 20, drop_every: 0 });
        let result = result(&lab, "y1564", service, code);
        lab.assert_nothing_attached();
        let steps = result["rows"][0]["configuration"].as_array().expect("steps").clone();
        let verdict = |step: &Value| step["verdict"].as_str().expect("a verdict").to_owned();
        (steps.iter().map(verdict).collect::<Vec<_>>(), result["rows"][0]["performance"].clone())
    };
    let (steps, performance) = verdicts(1_000, 0);
    assert_eq!(steps, ["pass", "pass", "pass", "pass"]);
    assert_eq!(performance["verdict"], "pass", "{performance:#}");
    let (steps, performance) = verdicts(0, 1);
    assert_eq!(steps, ["pass", "pass", "pass", "fail"], "nothing polices it");
    assert!(performance.is_null(), "{performance:#}");
}
