//! What crosses the kernel border is defined once, in abi.h and its two parts.

use super::{
    Fault,
    source::{Language, Source},
};

const ABI: [&str; 3] =
    ["xdp-ebpf/src/bpf/abi.h", "xdp-ebpf/src/bpf/abi_receive.h", "xdp-ebpf/src/bpf/abi_send.h"];

/// The structs and enums of abi.h.
pub fn names(sources: &[Source]) -> Vec<String> {
    let abi = sources.iter().filter(|source| ABI.contains(&source.path.as_str()));
    abi.flat_map(|abi| definitions(&abi.code)).collect()
}

/// Names between `struct` or `enum` and an opening brace.
fn definitions(code: &str) -> Vec<String> {
    // `struct x y = {` is a value.
    let opens = |line: &&str| line.trim_end().ends_with('{') && !line.contains('=');
    let lines = code.lines().filter(opens);
    lines
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            matches!(words.next(), Some("struct" | "enum")).then(|| words.next())?
        })
        .filter(|name| *name != "{")
        .map(str::to_owned)
        .collect()
}

pub fn check(source: &Source, border: &[String], faults: &mut Vec<Fault>) {
    if ABI.contains(&source.path.as_str()) {
        return;
    }
    let mut fault = |line: usize, name: &str| {
        let message = format!("a second definition of {name}, which {} defines", ABI[0]);
        faults.push(Fault { path: source.path.clone(), line, message });
    };
    let lines: Vec<&str> = source.code.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let found = match source.language {
            Language::C => definitions(line).into_iter().next(),
            Language::Rust => repr_c_struct(&lines, index),
            Language::Other => None,
        };
        let Some(found) = found else { continue };
        if let Some(name) = border.iter().find(|name| plain(name) == plain(&found)) {
            fault(index + 1, name);
        }
    }
}

/// The name of a struct on this line whose attributes say repr(C).
fn repr_c_struct(lines: &[&str], index: usize) -> Option<String> {
    let line = lines[index].trim_start();
    let rest = line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("struct "))?;
    let attributes = lines[..index].iter().rev().map(|line| line.trim());
    let mut attributes = attributes.take_while(|line| line.is_empty() || line.starts_with("#["));
    attributes
        .any(|line| line.starts_with("#[repr(C"))
        .then(|| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
}

/// `port_record` and `PortRecord` are one name.
fn plain(name: &str) -> String {
    name.replace('_', "").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(path: &str, language: Language, text: &str) -> usize {
        let abi = Source::new(
            ABI[0].into(),
            Language::C,
            "struct port_record {\n\t__u64 seen;\n};\nenum tag_layout {\n};\nstruct slab *p;"
                .into(),
        );
        let border = names(std::slice::from_ref(&abi));
        assert_eq!(border, ["port_record", "tag_layout"]);
        let mut faults = Vec::new();
        check(&Source::new(path.into(), language, text.into()), &border, &mut faults);
        faults.len()
    }

    #[test]
    fn a_mirror_in_rust_is_caught() {
        let mirror = "#[derive(Clone)]\n#[repr(C)]\n/// Doc.\npub struct PortRecord {\n}";
        assert_eq!(faults("userspace/src/rx/mod.rs", Language::Rust, mirror), 1);
    }

    #[test]
    fn a_type_of_our_own_with_a_like_name_passes() {
        let own = "#[derive(Clone)]\npub struct PortRecord {\n}";
        assert_eq!(faults("userspace/src/rx/mod.rs", Language::Rust, own), 0);
    }

    #[test]
    fn a_copy_in_c_is_caught_and_a_use_passes() {
        let path = "xdp-ebpf/src/bpf/record.h";
        assert_eq!(faults(path, Language::C, "struct port_record {\n"), 1);
        assert_eq!(faults(path, Language::C, "static void f(struct port_record *r) {\n"), 0);
        assert_eq!(faults(path, Language::C, "\tstruct port_record r = {\n"), 0);
    }
}
