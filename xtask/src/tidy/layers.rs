//! `use` points only backward along the order of the rooms.

use super::{
    Fault,
    source::{Language, Source},
};

/// The order; rooms on one line may not use each other.
const ORDER: &[&[&str]] = &[
    &["units"],
    &["spec"],
    &["packet"],
    &["nic"],
    &["tx", "rx"],
    &["collect"],
    &["calibration"],
    &["session"],
    &["suite"],
    &["report"],
    &["serve"],
    &["cli"],
];

fn rank(room: &str) -> Option<usize> {
    ORDER.iter().position(|rooms| rooms.contains(&room))
}

pub fn check(source: &Source, faults: &mut Vec<Fault>) {
    let Some(inside) = source.path.strip_prefix("userspace/src/") else { return };
    if source.language != Language::Rust || matches!(inside, "lib.rs" | "main.rs") {
        return;
    }
    let room = inside.split(['/', '.']).next().unwrap_or_default();
    let Some(own) = rank(room) else {
        let message = format!("{room} has no place in the order of rooms (xtask tidy/layers.rs)");
        faults.push(Fault { path: source.path.clone(), line: 0, message });
        return;
    };
    for (line, other) in used_rooms(&source.code) {
        let forward = rank(&other).is_some_and(|rank| rank > own || (rank == own && other != room));
        if forward {
            let message = format!("{room} uses {other}, which comes after it");
            faults.push(Fault { path: source.path.clone(), line, message });
        }
    }
}

/// The rooms named after `crate::`, also in groups: `use crate::{spec, units::Rate}`.
fn used_rooms(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let line = code[..at].matches('\n').count() + 1;
        let rest = code[at + "crate::".len()..].trim_start();
        if let Some(group) = rest.strip_prefix('{') {
            found.extend(heads(group).into_iter().map(|head| (line, head)));
        } else {
            found.push((line, first_word(rest)));
        }
    }
    found
}

/// The first word of each item of a brace group, nested groups skipped.
fn heads(group: &str) -> Vec<String> {
    let (mut heads, mut depth, mut item) = (Vec::new(), 0, String::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(first_word(std::mem::take(&mut item).trim())),
            _ if depth == 0 => item.push(c),
            _ => {}
        }
    }
    heads.push(first_word(item.trim()));
    heads
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(path: &str, text: &str) -> Vec<String> {
        let source = Source::new(path.into(), Language::Rust, text.into());
        let mut faults = Vec::new();
        check(&source, &mut faults);
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_use_that_points_forward_is_caught() {
        assert_eq!(
            faults("userspace/src/spec/parse.rs", "//! x\nuse crate::packet::Program;"),
            ["userspace/src/spec/parse.rs:2: spec uses packet, which comes after it"]
        );
        let group = "use crate::{\n units::{Rate, Ratio},\n session,\n cli::Args,\n};";
        assert_eq!(faults("userspace/src/nic/mod.rs", group).len(), 2);
        assert_eq!(faults("userspace/src/units/mod.rs", "fn f(x: &crate::spec::Flow) {}").len(), 1);
    }

    #[test]
    fn neighbours_on_one_level_do_not_know_each_other() {
        assert_eq!(faults("userspace/src/rx/mod.rs", "use crate::tx::Worker;").len(), 1);
        assert_eq!(faults("userspace/src/rx/mod.rs", "use crate::rx::reading;").len(), 0);
    }

    #[test]
    fn backward_uses_and_comments_pass() {
        let text = "//! Feeds crate::cli.\nuse crate::{spec::Flow, units};\nuse super::*;";
        assert_eq!(faults("userspace/src/session/mod.rs", text), [""; 0]);
    }

    #[test]
    fn a_room_without_a_place_is_caught() {
        assert_eq!(faults("userspace/src/helpers/mod.rs", "").len(), 1);
        assert_eq!(faults("userspace/src/misc.rs", "").len(), 1);
        assert_eq!(faults("userspace/src/main.rs", "use crate::cli;").len(), 0);
    }
}
