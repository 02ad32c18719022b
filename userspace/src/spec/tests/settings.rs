//! Header fields that are given although they are usually computed.

use super::{about, about_layers, expect, flow, layered};
use crate::spec::{Content, Values};
use std::time::Duration;

const V4: &str =
    r#"{eth = {dst = "02:00:00:00:00:01"}}, {ipv4 = {src = "10.0.0.1", dst = "10.0.0.2""#;

/// Each setting of a flow of IPv4 with these fields and these layers on it.
fn settings(fields: &str, over: &str) -> Vec<(usize, &'static str, Content)> {
    layered(&format!("track = \"none\"\nlayers = [{V4}{fields}}}}}{over}]"))
        .settings
        .into_iter()
        .map(|setting| (setting.layer, setting.field.key, setting.content))
        .collect()
}

#[test]
fn given_fields_are_settings_of_their_layer() {
    let one = |value| Content::Values(Values::One(value));
    assert_eq!(
        settings(
            ", version = 5, df = {list = [0, 1]}, checksum = \"bad\"",
            ", {udp = {src = 1, dst = 2, length = 9, checksum = \"bad\"}}"
        ),
        [
            (1, "version", one(5)),
            (1, "df", Content::Values(Values::List(vec![0, 1]))),
            (1, "checksum", Content::WrongChecksum),
            (2, "length", one(9)),
            (2, "checksum", Content::WrongChecksum),
        ]
    );
    assert_eq!(
        settings(", df = true, checksum = 7", ", {gre = {checksum = \"bad\", reserved1 = 3}}"),
        [
            (1, "checksum", one(7)),
            (2, "checksum", Content::WrongChecksum),
            (2, "reserved1", one(3))
        ]
    );
    assert_eq!(settings("", ", {gre = {checksum = true}}"), []);
}

#[test]
fn a_setting_has_the_limit_of_its_bits() {
    for (layers, start, allowed) in [
        (format!("{V4}, ihl = 16}}}}"), "flow[0].layers[1].ipv4.ihl: 16 is over 15", "0 to 15"),
        (
            format!("{V4}}}}}, {{tcp = {{src = 1, dst = 2, ns = 2}}}}"),
            "flow[0].layers[2].tcp.ns: 2 is over 1",
            "0 to 1",
        ),
        (
            format!("{V4}, checksum = true}}}}, {{tcp = {{src = 1, dst = 2, checksum = 1.5}}}}"),
            "flow[0].layers[2].tcp.checksum: 1.5 does not fit",
            "\"auto\", \"bad\" or 0 to 65535",
        ),
        (
            format!("{V4}, length = 40}}}}"),
            "flow[0].layers[1].ipv4: with its own `length` no receiver finds the tag",
            "track = \"count\"",
        ),
        (
            format!("{V4}}}}}, {{gre = {{reserved1 = 1}}}}"),
            "flow[0].layers[2].gre: `reserved1` without a checksum",
            "checksum = true",
        ),
        (
            r"{eth = {}}, {vlan = {id = 1, type = 5}}, {vlan = {id = 2, tpid = 6}}".to_owned(),
            "flow[0].layers[1].vlan: with its own `type`",
            "track = \"count\"",
        ),
    ] {
        expect(&about_layers(&layers), start, allowed);
    }
}

#[test]
fn random_sizes_are_a_fixed_cycle_between_their_ends() {
    let sizes =
        |line: &str| -> Vec<u16> { flow(line).sizes.iter().map(|size| size.bytes()).collect() };
    let drawn = sizes(r#"size = {random = "64-66", count = 100}"#);
    assert_eq!(drawn.len(), 100);
    for size in 64..=66 {
        assert!(drawn.iter().filter(|&&other| other == size).count() > 15, "{size}: {drawn:?}");
    }
    assert_eq!(sizes(r#"size = {random = "64-66", count = 100}"#), drawn);
    assert_ne!(sizes(r#"size = {random = "64-66", count = 100, seed = 2}"#), drawn);
    assert_eq!(sizes(r#"size = {random = "64-1518"}"#).len(), 4096);
    expect(
        &about(r#"size = {random = "66-64"}"#),
        "flow[0].size.random: the range \"66-64\" runs backward",
        "the lower end first",
    );
}

#[test]
fn a_flow_may_start_later() {
    assert_eq!(flow("delay = \"5ms\"\nrate = \"1kpps\"").delay, Duration::from_millis(5));
    expect(
        &about("delay = \"5ms\""),
        "flow[0].delay: rate \"max\" waits for nothing",
        "`delay` with a `rate`",
    );
}
