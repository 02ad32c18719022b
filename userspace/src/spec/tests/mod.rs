//! Every key, every error: one line each.

mod clashes;
mod files;
mod flags;
mod headers;
mod json;
mod keys;
mod layers;
mod rates;
mod refusals;
mod settings;
mod tunnels;

use super::{Flow, Spec};

const LAYERS: &str = r#"layers = [{eth = {}}, {ipv4 = {src = "198.18.0.2", dst = "198.19.0.2"}}, {udp = {src = 49184, dst = 7}}]"#;

/// A file of one flow with these lines beside its name and ports.
fn file(lines: &str) -> String {
    format!("[[flow]]\nname = \"f\"\ntx = \"west\"\nrx = \"east\"\n{lines}\n")
}

/// The one flow with these lines, over IPv4 and UDP.
fn flow(lines: &str) -> Flow {
    layered(&format!("{LAYERS}\n{lines}"))
}

/// The one flow with these lines, which bring their own layers.
fn layered(lines: &str) -> Flow {
    match Spec::from_toml(&file(lines)) {
        Ok(mut spec) => spec.flows.remove(0),
        Err(error) => panic!("{lines}: {error}"),
    }
}

/// What is said about a file that is wrong.
fn error(text: &str) -> String {
    let error = Spec::from_toml(text).expect_err(text);
    let line = error.to_string();
    assert!(!line.contains('\n'), "{line}");
    line
}

/// The error about one flow with these lines; `key` and what follows it.
fn about(lines: &str) -> String {
    said(&error(&file(&format!("{LAYERS}\n{lines}"))))
}

/// The same for lines that bring their own layers.
fn about_layers(layers: &str) -> String {
    said(&error(&file(&format!("layers = [{layers}]"))))
}

/// Without the line and column, which tests of their own look at.
fn said(line: &str) -> String {
    let (place, rest) = line.split_once(": ").unwrap_or_else(|| panic!("no place: {line}"));
    assert!(place.starts_with("line "), "{line}");
    rest.to_owned()
}

#[track_caller]
fn expect(said: &str, start: &str, allowed: &str) {
    assert!(said.starts_with(start), "expected: {start}\n    said: {said}");
    let (_, end) =
        said.rsplit_once("; allowed: ").unwrap_or_else(|| panic!("nothing allowed: {said}"));
    assert!(end.contains(allowed), "expected: {allowed}\n    said: {said}");
}
