//! Rules about one file at a time.

use super::{
    Fault,
    source::{Language, Source},
};

/// A file that one reads in a sitting.
const LONGEST: usize = 400;

/// Where `unsafe` may stand: rooms that talk to the kernel or to shared memory.
const UNSAFE_ROOMS: &[&str] = &[
    "xdp-ebpf/",
    "benches/",
    "userspace/src/nic/",
    "userspace/src/tx/",
    "userspace/src/rx/",
    "userspace/tests/",
    "xtask/src/ebpf/kernel.rs",
];

pub fn check(source: &Source, faults: &mut Vec<Fault>) {
    let mut fault = |line: usize, message: String| {
        faults.push(Fault { path: source.path.clone(), line, message });
    };
    length(source, &mut fault);
    leftovers(source, &mut fault);
    machine_paths(source, &mut fault);
    if source.language == Language::Rust {
        module_doc(source, &mut fault);
        unsafe_blocks(source, &mut fault);
    }
}

fn length(source: &Source, fault: &mut impl FnMut(usize, String)) {
    let lines = source.text.lines().count();
    if source.language != Language::Other && lines > LONGEST {
        fault(0, format!("{lines} lines, more than {LONGEST}: split it"));
    }
}

/// What says "not finished": in comments as words, in code as macros.
fn leftovers(source: &Source, fault: &mut impl FnMut(usize, String)) {
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let macros = ["todo!", "unimplemented!", "dbg!"];
    for (number, (code, comment)) in source.code_and_comments() {
        for word in words.iter().filter(|word| has_word(comment, word)) {
            fault(number, format!("{word}: finish it or file it"));
        }
        for name in macros.iter().filter(|name| has_word(code, name)) {
            fault(number, format!("{name} left behind"));
        }
    }
}

/// Folders that exist on one person's machine only.
fn machine_paths(source: &Source, fault: &mut impl FnMut(usize, String)) {
    let folders = [
        concat!("/wo", "rk/"),
        concat!("/ho", "me/"),
        concat!("/ro", "ot/"),
        concat!("/Us", "ers/"),
    ];
    for (index, line) in source.text.lines().enumerate() {
        for folder in folders.iter().filter(|folder| starts_a_path(line, folder)) {
            fault(index + 1, format!("a path of one machine: {folder}"));
        }
    }
}

/// Whether an absolute path starts with the folder, and not in the middle of another.
fn starts_a_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-}~*/".contains(c))
    })
}

/// A room says what it is for; a smaller file may leave that to its one type.
fn module_doc(source: &Source, fault: &mut impl FnMut(usize, String)) {
    let name = source.path.rsplit('/').next().unwrap_or_default();
    let first =
        source.text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("#!["));
    let room = matches!(name, "mod.rs" | "lib.rs" | "main.rs" | "build.rs");
    if room && !first.is_some_and(|line| line.starts_with("//!")) {
        fault(1, "a room starts with //! and says what it is for".to_owned());
    }
}

/// `unsafe` stands in its rooms only, and every block and impl says why it is sound.
fn unsafe_blocks(source: &Source, fault: &mut impl FnMut(usize, String)) {
    let room = UNSAFE_ROOMS.iter().any(|room| source.path.starts_with(room));
    let comments: Vec<&str> = source.comments.lines().collect();
    let codes: Vec<&str> = source.code.lines().collect();
    for (index, code) in codes.iter().enumerate().filter(|(_, code)| has_word(code, "unsafe")) {
        if !room {
            fault(index + 1, "unsafe outside the rooms that may (xtask tidy/rules.rs)".to_owned());
        }
        let after = code.split("unsafe").nth(1).unwrap_or_default().trim_start();
        let promises = after.starts_with('{') || after.starts_with("impl") || after.is_empty();
        if promises && !explained(&codes, &comments, index) {
            fault(index + 1, "unsafe without a SAFETY: comment".to_owned());
        }
    }
}

/// A SAFETY comment on the line, or in the comment block and statement above it.
fn explained(codes: &[&str], comments: &[&str], index: usize) -> bool {
    let says = |line: usize| comments.get(line).is_some_and(|text| text.contains("SAFETY:"));
    if says(index) || says(index + 1) {
        return true;
    }
    let mut above = (0..index).rev().take(12);
    above.find_map(|line| {
        let code = codes.get(line).map_or("", |code| code.trim());
        let ended = code.ends_with(';') || code.ends_with('}');
        if says(line) { Some(true) } else { ended.then_some(false) }
    }) == Some(true)
}

fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(path: &str, text: &str) -> Vec<String> {
        let language = if path == "README.md" { Language::Other } else { Language::Rust };
        let mut faults = Vec::new();
        check(&Source::new(path.into(), language, text.into()), &mut faults);
        faults.into_iter().map(|fault| fault.message).collect()
    }

    fn one(path: &str, text: &str, part: &str) {
        let found = faults(path, text);
        assert!(found.len() == 1 && found[0].contains(part), "{found:?}");
    }

    #[test]
    fn a_clean_file_has_no_fault() {
        let text = "//! Doc.\nfn f() {}\n// \"todo\" as a word, and / root / apart\n";
        assert_eq!(faults("userspace/src/nic/a.rs", text), [""; 0]);
    }

    #[test]
    fn a_file_too_long_to_read_is_caught() {
        let text = format!("//! Doc.\n{}", "fn f() {}\n".repeat(400));
        one("userspace/src/nic/a.rs", &text, "401 lines");
    }

    #[test]
    fn unfinished_work_is_caught() {
        one("x/a.rs", concat!("//! Doc.\n// TO", "DO: later\n"), "finish it");
        one("x/a.rs", concat!("//! Doc.\nfn f() { unimple", "mented!() }\n"), "left behind");
        one("README.md", concat!("FIX", "ME\n"), "finish it");
    }

    #[test]
    fn a_path_of_one_machine_is_caught() {
        one("README.md", concat!("see /ho", "me/me/x\n"), "one machine");
        assert_eq!(faults("README.md", concat!("see ./wo", "rk/x\n")), [""; 0]);
    }

    #[test]
    fn a_room_without_a_word_is_caught() {
        one("x/mod.rs", "use std::fs;\n", "starts with //!");
        assert_eq!(faults("x/mod.rs", "#![deny(missing_docs)]\n//! Doc.\n"), [""; 0]);
        assert_eq!(faults("x/rate.rs", "/// Frames a second.\npub struct Rate;\n"), [""; 0]);
    }

    #[test]
    fn unsafe_wants_its_room_and_its_reason() {
        let block =
            "//! D.\nfn f() {\n    // SAFETY: fine.\n    let a =\n        unsafe { g() };\n}\n";
        assert_eq!(faults("userspace/src/tx/a.rs", block), [""; 0]);
        one("userspace/src/spec/a.rs", block, "outside the rooms");
        let bare = "//! D.\nfn f() {\n    // SAFETY: of the first.\n    unsafe { a() };\n    unsafe { b() };\n}\n";
        one("userspace/src/tx/a.rs", bare, "without a SAFETY");
        one("userspace/src/tx/a.rs", "//! D.\nunsafe impl Send for X {}\n", "without a SAFETY");
        assert_eq!(
            faults("userspace/src/tx/a.rs", "//! unsafe.\n#[allow(unsafe_code)]\nmod x;\n"),
            [""; 0]
        );
    }
}
