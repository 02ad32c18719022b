//! A flow file that is wrong: exit 64, the place and what is allowed, nothing attached.

use crate::testbed::{Lab, Linerate};

const LAYERS: &str = r#"layers = [
  {eth = {dst = "02:00:00:00:00:02"}},
  {ipv4 = {src = "198.18.0.2", dst = "198.18.1.1"}},
  {udp = {src = 49184, dst = 7}},
]"#;

/// One good flow; a case replaces a part of it.
fn good() -> String {
    format!(
        "[[flow]]\nname = \"f\"\ntx = \"west\"\nrx = \"east\"\nrate = \"1kpps\"\nframes = 10\nsize = 128\n{LAYERS}\n"
    )
}

/// Replaces `from` in the good flow, which must be there.
fn with(from: &str, to: &str) -> String {
    let text = good();
    assert!(text.contains(from), "the good flow has no {from}");
    text.replace(from, to)
}

/// Runs every case; each must exit 64 with all of its words and send nothing.
#[track_caller]
fn assert_all_refused(cases: &[(&str, String, &[&str])]) {
    let lab = Lab::cable();
    let before = lab.west.counters();
    let mut failures = Vec::new();
    for (what, text, words) in cases {
        let outcome = Linerate::run(&lab.flow_file(text));
        let stderr = outcome.stderr.to_lowercase();
        let missing: Vec<_> =
            words.iter().filter(|word| !stderr.contains(&word.to_lowercase())).collect();
        let lines = stderr.lines().filter(|line| !line.trim().is_empty()).count();
        let panicked = stderr.contains("panicked");
        let wrong = outcome.code != Some(64) || !missing.is_empty() || panicked;
        if wrong || !outcome.stdout.is_empty() || !(1..=6).contains(&lines) {
            failures.push(format!("== {what}: stderr lacks {missing:?}\n{text}\n{outcome}"));
        }
    }
    assert!(failures.is_empty(), "{} cases:\n{}", failures.len(), failures.join("\n\n"));
    assert_eq!(lab.west.counters(), before, "a refused file sent frames");
    lab.assert_nothing_attached();
}

#[test]
fn the_good_flow_is_good() {
    let lab = Lab::cable();
    Linerate::run(&lab.flow_file(&good())).exits(0).result().flow("f").assert_clean(10);
}

#[test]
fn unknown_and_missing_words_are_named() {
    assert_all_refused(&[
        ("unknown flow key", with("rate =", "rat ="), &["rat", "rate"]),
        ("unknown table", format!("{}\n[colour]\nx = 1\n", good()), &["colour"]),
        ("unknown layer", with("{udp", "{udq"), &["udq", "udp"]),
        ("unknown field", with("dst = 7", "dest = 7"), &["dest", "dst"]),
        ("unknown vary", with("size", "vary = \"sometimes\"\nsize"), &["sometimes", "zip"]),
        ("unknown track", with("size", "track = \"all\"\nsize"), &["all", "tag"]),
        ("unknown integrity", with("size", "integrity = \"most\"\nsize"), &["most", "full"]),
        ("unknown expect", with("size", "expect = {joy = \"1\"}\nsize"), &["joy", "loss"]),
        (
            "unknown port key",
            format!(
                "[ports]\nwest = {{ if = \"WEST\", addres = [] }}\neast = {{ if = \"EAST\" }}\n{}",
                good()
            ),
            &["addres", "addr"],
        ),
        ("no name and no tx", with("tx = \"west\"\n", ""), &["tx"]),
        (
            "no interface",
            format!("[ports]\nwest = {{ addr = [] }}\neast = {{ if = \"EAST\" }}\n{}", good()),
            &["if"],
        ),
        ("no flow", "[ports]\nwest = { if = \"WEST\" }\n".to_owned(), &["flow"]),
        ("an empty file", "# [ports]\n".to_owned(), &["flow"]),
    ]);
}

#[test]
fn the_line_of_a_mistake_is_named() {
    assert_all_refused(&[
        // With the [ports] table in front, `rat` stands in line 8, `size` in line 10.
        ("unknown key", with("rate =", "rat ="), &["8"]),
        ("bad value", with("size = 128", "size = true"), &["10", "size"]),
        ("syntax", with("size = 128", "size = = 128"), &["10"]),
    ]);
}

#[test]
fn values_out_of_range_are_refused_with_the_range() {
    let vlan = |field: &str| with("{ipv4 =", &format!("{{vlan = {{{field}}}}}, {{ipv4 ="));
    let ipv4 =
        |field: &str| with("dst = \"198.18.1.1\"", &format!("dst = \"198.18.1.1\", {field}"));
    assert_all_refused(&[
        ("port", with("dst = 7", "dst = 65536"), &["65536", "65535"]),
        ("negative port", with("dst = 7", "dst = -1"), &["-1"]),
        ("vlan id", vlan("id = 4096"), &["4096", "4095"]),
        ("pcp", vlan("id = 1, pcp = 8"), &["pcp", "8", "7"]),
        ("ttl", ipv4("ttl = 256"), &["ttl", "256", "255"]),
        ("dscp", ipv4("dscp = 64"), &["dscp", "64", "63"]),
        ("ecn", ipv4("ecn = 4"), &["ecn", "4", "3"]),
        ("range beyond", with("dst = 7", "dst = {range = \"65530-65540\"}"), &["65540"]),
        ("IPv4 address", with("198.18.1.1", "198.18.1.300"), &["198.18.1.300"]),
        ("IPv6 for IPv4", with("198.18.1.1", "2001:2::1"), &["2001:2::1"]),
        ("MAC address", with("02:00:00:00:00:02", "02:00:00:00:00"), &["02:00:00:00:00"]),
        ("raw hex", with("{udp = {src = 49184, dst = 7}}", "{raw = {hex = \"abc\"}}"), &["hex"]),
        (
            "port address",
            format!(
                "[ports]\nwest = {{ if = \"WEST\", addr = [\"198.18.0.2/33\"] }}\neast = {{ if = \"EAST\" }}\n{}",
                good()
            ),
            &["198.18.0.2/33"],
        ),
        (
            "port line",
            format!(
                "[ports]\nwest = {{ if = \"WEST\", line = \"fast\" }}\neast = {{ if = \"EAST\" }}\n{}",
                good()
            ),
            &["fast"],
        ),
    ]);
}

#[test]
fn variations_that_make_no_sense_are_refused() {
    let port = |value: &str| with("dst = 7", &format!("dst = {value}"));
    assert_all_refused(&[
        ("backward range", port("{range = \"10-1\"}"), &["10-1"]),
        ("backward step", port("{range = \"1-10\", step = -1}"), &["1-10"]),
        ("step 0", port("{range = \"1-10\", step = 0}"), &["step"]),
        ("empty list", port("{list = []}"), &["list"]),
        ("list and range", port("{list = [1], range = \"1-2\"}"), &["list"]),
        ("random of no count", port("{random = \"1-9\", seed = 1, count = 0}"), &["count"]),
        ("random backward", port("{random = \"9-1\", seed = 1, count = 5}"), &["9-1"]),
        ("half a range", port("{range = \"10\"}"), &["range"]),
        (
            "zip of different periods",
            with("src = 49184, dst = 7", "src = {range = \"1-3\"}, dst = {range = \"1-4\"}")
                .replace("size", "vary = \"zip\"\nsize"),
            &["zip", "3", "4"],
        ),
    ]);
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    let layers = |layers: &str, size: u16| {
        let start = good().find("layers").unwrap();
        let eth = "{eth = {dst = \"02:00:00:00:00:02\"}}";
        good()[..start].replace("128", &size.to_string()) + &format!("layers = [{eth}, {layers}]\n")
    };
    let ipv4 = "{ipv4 = {src = \"198.18.0.2\", dst = \"198.18.1.1\"}}";
    let ipv6 = "{ipv6 = {src = \"2001:2::1\", dst = \"2001:2::2\"}}";
    let (udp, tcp) = ("{udp = {src = 1, dst = 7}}", "{tcp = {src = 1, dst = 7}}");
    let tag = ["tag", "f"];
    assert_all_refused(&[
        ("below Ethernet's least", with("128", "63"), &["63", "64"]),
        ("beyond every frame", with("128", "99999"), &["99999"]),
        ("one of a list", with("128", "[64, 63]"), &["63"]),
        ("not a size", with("128", "\"imixx\""), &["imixx", "imix"]),
        ("weight 0", with("128", "{weights = {64=0}}"), &["weight"]),
        ("backward range", with("128", "{range = \"512-64\"}"), &["512-64"]),
        (
            "no tag: QinQ",
            layers(&format!("{{vlan = {{id = 1}}}}, {{vlan = {{id = 2}}}}, {ipv4}, {udp}"), 67),
            &[tag[0], "68"],
        ),
        ("no tag: TCP", layers(&format!("{ipv4}, {tcp}"), 71), &[tag[0], "72"]),
        ("no tag: IPv6", layers(&format!("{ipv6}, {udp}"), 79), &[tag[0], "80"]),
        ("no tag: IPv6 TCP", layers(&format!("{ipv6}, {tcp}"), 91), &[tag[0], "92"]),
        ("headers alone", layers(&format!("{ipv6}, {tcp}"), 70), &["70", "92"]),
        ("over the MTU", with("128", "1519"), &["mtu", "1500"]),
        ("a list over the MTU", with("128", "[64, 2000]"), &["mtu", "1500"]),
    ]);
}

#[test]
fn rates_and_ends_that_make_no_sense_are_refused() {
    let two = good() + &good().replace("name = \"f\"", "name = \"g\"");
    assert_all_refused(&[
        ("no rate", with("1kpps", "fast"), &["fast", "kpps"]),
        ("rate 0", with("1kpps", "0pps"), &["0pps"]),
        ("negative rate", with("1kpps", "-5kpps"), &["-5kpps"]),
        ("over the line", with("1kpps", "11Gbps"), &["line"]),
        ("over 100 %", with("1kpps", "101%"), &["101%"]),
        ("two that are over the line together", two.replace("1kpps", "60%"), &["west", "line"]),
        ("no duration", with("frames = 10", "duration = \"10 parsecs\""), &["10 parsecs"]),
        (
            "two ends",
            with("frames = 10", "frames = 10\nduration = \"1s\""),
            &["frames", "duration"],
        ),
        ("no frames", with("frames = 10", "frames = 0"), &["frames"]),
        ("threshold", with("size", "expect = {loss = \"little\"}\nsize"), &["little"]),
    ]);
}

#[test]
fn names_are_unique() {
    assert_all_refused(&[
        ("twice the same", good() + &good(), &["\"f\"", "name"]),
        ("repeat without {i}", with("size", "repeat = 3\nsize"), &["{i}"]),
        ("repeat 0", with("size", "repeat = 0\nsize"), &["repeat"]),
    ]);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let lab = Lab::cable();
    let binary = lab.file("binary.toml", &[0xff, 0xfe, 0x00]);
    let directory = binary.parent().unwrap().to_owned();
    for path in [directory.join("absent.toml"), directory.clone(), binary] {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        Linerate::run(&path).exits(64).says(&[&name]);
    }
}

#[test]
fn bad_usage_is_64_and_help_is_0() {
    let bad: [&[&str]; 7] = [
        &[],
        &["walk"],
        &["run"],
        &["run", "--rate", "1kpps"],
        &["run", "--tx", "a", "--ipv4", "198.18.1.2", "--for", "1s"],
        &["run", "x.toml", "--for", "soon"],
        &["show"],
    ];
    for arguments in bad {
        let outcome = Linerate::spawn(arguments).wait().exits(64);
        assert!(!outcome.stderr.trim().is_empty(), "not a word about {arguments:?}");
    }
    for arguments in [&["--help"], &["--version"]] {
        let outcome = Linerate::spawn(arguments).wait().exits(0);
        assert!(outcome.stdout.contains("linerate"), "{outcome}");
    }
}
