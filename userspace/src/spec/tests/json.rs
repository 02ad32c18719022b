//! Flow files in JSON: read flow by flow, refused by the place.

use crate::spec::{JsonText, Spec};
use serde_json::{Value, json};

fn flow(name: &str) -> Value {
    json!({"name": name, "tx": "west", "rx": "east", "size": 128, "rate": "10%",
        "layers": [{"eth": {"dst": "02:00:00:00:00:02"}},
            {"ipv4": {"src": "198.18.0.2", "dst": {"list": ["198.18.1.1", "198.18.1.2"]}}},
            {"udp": {"src": 1, "dst": 7}}]})
}

/// The error's place and words of a text that is JSON for whoever does not look closely.
fn refused(text: &str) -> (String, String) {
    let text = JsonText::try_from(text.to_owned()).expect("JSON");
    let error = Spec::from_json(&text).unwrap_err();
    let checked = Spec::check_json(&text, &mut |_| ()).map(drop).unwrap_err();
    assert_eq!(checked.to_string(), error.to_string(), "a check says the same");
    (error.place().expect("a place").key.clone(), error.to_string())
}

fn rows(spec: &Value) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    Spec::check_json(&spec.clone().into(), &mut |row| {
        rows.push((row.flow.name.clone(), row.port(row.flow.tx).interface.clone()));
    })
    .unwrap();
    rows
}

#[test]
fn flows_in_json_are_those_of_yaml_and_a_check_sees_each() {
    let spec = json!({"ports": {"west": {"if": "ens1f0"}}, "defaults": {"duration": "10s"},
        "flow": [flow("a"), {"name": "b{i}", "repeat": 2, "tx": "ens1f1", "rx": "west",
            "bidir": true, "layers": flow("")["layers"]}]});
    let read = Spec::from_json(&spec.clone().into()).unwrap();
    let yaml = Spec::from_yaml(&spec.to_string()).unwrap();
    assert_eq!((&read.flows, &read.ports), (&yaml.flows, &yaml.ports));
    let port = |port: usize| read.ports[port].interface.clone();
    let all: Vec<_> = read.flows.iter().map(|flow| (flow.name.clone(), port(flow.tx))).collect();
    assert_eq!((rows(&spec), all.len()), (all, 5));
    assert_eq!(read.place(1, "layers").key, "flow[1].layers");
    // The order of keys says nothing, and so flows may come first.
    let (flows, ports) = (&spec["flow"], &spec["ports"]);
    let text = format!(
        "{{\"flow\": {flows}, \"defaults\": {{\"duration\": \"10s\"}}, \"ports\": {ports}}}"
    );
    assert_eq!(Spec::from_json(&JsonText::try_from(text).unwrap()).unwrap().flows, read.flows);
}

#[test]
fn what_is_wrong_in_json_is_named_by_its_place() {
    let flow = flow("f").to_string();
    let with = |from: &str, to: &str| {
        let second = flow.replace("\"f\"", "\"g\"");
        assert!(second.contains(from), "{second}");
        format!("{{\"flow\":[{flow},{}]}}", second.replace(from, to))
    };
    let all = [
        (with("\"size\":128", "\"size\":20"), "flow[1].size", "allowed"),
        (with("\"dst\":7", "\"dst\":[7]"), "flow[1].layers[2].udp.dst", "list"),
        (with("\"dst\":7", "\"dst\":7,\"dst\":8"), "flow[1].layers[2].udp", "`dst` is given twice"),
        (with("\"dst\":7", "\"dst\":1e999"), "flow[1].layers[2].udp.dst", "out of range"),
        (with("\"dst\":7", "\"dst\":null"), "flow[1].layers[2].udp.dst", "nothing"),
        (with("\"g\"", "\"\\ud800\""), "flow[1].name", "hex escape"),
        (with("\"g\"", "\"f\""), "flow[1].name", "a second flow"),
        (with("\"tx\"", "\"rate\""), "flow[1]", "`rate` is given twice"),
        (format!("{{\"flow\":[{flow}],\"flow\":[]}}"), "", "`flow` is given twice"),
        (format!("{{\"flow\":[{flow}],\"flows\":[1]}}"), "flows", "unknown key"),
        (format!("{{\"flow\":{flow}}}"), "flow", "a table does not fit"),
        ("{\"flow\":[]}".to_owned(), "flow", "there is no flow"),
        ("{}".to_owned(), "", "there is no flow"),
        ("[1]".to_owned(), "", "a list does not fit"),
    ];
    let said = |(text, place, words): &(String, &str, &str)| {
        let (key, message) = refused(text);
        (key != *place || !message.contains(words)).then_some((key, message))
    };
    let others: Vec<_> = all.iter().filter_map(said).collect();
    assert!(others.is_empty(), "{others:#?}");
}

#[test]
fn what_would_take_too_much_memory_is_refused_by_its_place() {
    let values = format!("[{}0]", "0,".repeat(1 << 20));
    let flow = flow("f").to_string();
    let text =
        format!("{{\"flow\":[{}]}}", flow.replace("\"dst\":7", &format!("\"dst\":{values}")));
    assert!(refused(&text).1.contains("more than 1048576 values"));
    let empty = format!("{{\"flow\":[{}{{}}]}}", "{},".repeat(70_000));
    assert_eq!(refused(&empty).0, "flow[0]");
}
