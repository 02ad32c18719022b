//! Fields that are given although they are usually computed.

use super::{frames, judge::internet_checksum};
use crate::spec::{Flow, Spec};

fn flow(layers: &str) -> Flow {
    let flow = "name = \"f\"\ntx = \"west\"\nsize = 128\ntrack = \"none\"";
    let text =
        format!("[[flow]]\n{flow}\nlayers = [{{eth = {{dst = \"02:00:00:00:00:01\"}}}}, {layers}]");
    Spec::from_toml(&text).unwrap().flows.remove(0)
}

fn word(frame: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([frame[at], frame[at + 1]])
}

/// The word that every frame shows at `at`.
fn words(flow: &Flow, at: usize) -> Vec<u16> {
    frames(flow, 4).iter().map(|frame| word(frame, at)).collect()
}

const IP: &str = r#"src = "10.0.0.1", dst = {range = "10.0.0.2-10.0.0.9"}"#;

#[test]
fn given_fields_stand_in_the_frame_and_the_checksum_covers_them() {
    let ip = flow(&format!(
        "{{ipv4 = {{{IP}, version = 5, ihl = 6, reserved = 1, df = {{list = [0, 1]}}, mf = 1, fragment_offset = {{range = \"3-6\"}}, length = 99}}}}, {{udp = {{src = 1, dst = 2, length = {{range = \"9-12\"}}}}}}"
    ));
    assert_eq!(words(&ip, 14), [0x5600; 4]);
    assert_eq!(words(&ip, 16), [99; 4]);
    assert_eq!(words(&ip, 20), [0xa003, 0xe004, 0xa005, 0xe006]);
    assert_eq!(words(&ip, 38), [9, 10, 11, 12]);
    for frame in frames(&ip, 20) {
        assert_eq!(internet_checksum(&frame[14..34]), 0);
    }
}

#[test]
fn a_bad_checksum_is_wrong_in_every_frame_and_by_one() {
    let bad = format!(
        "{{ipv4 = {{{IP}, checksum = \"bad\"}}}}, {{udp = {{src = {{range = \"1-60000\"}}, dst = 2, checksum = \"bad\"}}}}"
    );
    for (wrong, right) in
        frames(&flow(&bad), 60_000).iter().zip(frames(&flow(&bad.replace("bad", "auto")), 60_000))
    {
        assert_eq!(internet_checksum(&right[14..34]), 0);
        for at in [24, 40] {
            let (wrong, right) = (word(wrong, at), word(&right, at));
            // In one's complement 0 is 0xffff too, and UDP sends the latter.
            assert_eq!(u32::from(right) % 0xffff, (u32::from(wrong) + 1) % 0xffff, "at {at}");
        }
    }
}

#[test]
fn a_given_checksum_replaces_the_computed_one() {
    for (layers, at) in [
        (format!("{{ipv4 = {{{IP}, checksum = 0x1234}}}}"), 24),
        (format!("{{ipv4 = {{{IP}}}}}, {{tcp = {{src = 1, dst = 2, checksum = 0x1234}}}}"), 50),
        (format!("{{ipv4 = {{{IP}}}}}, {{icmp = {{checksum = 0x1234}}}}"), 36),
        (format!("{{ipv4 = {{{IP}}}}}, {{gre = {{checksum = 0x1234}}}}"), 38),
    ] {
        assert_eq!(words(&flow(&layers), at), [0x1234; 4], "{layers}");
    }
}

#[test]
fn rare_fields_have_their_bits() {
    let six =
        r#"{ipv6 = {src = "::1", dst = "::2", version = 7, traffic_class = 255, length = 5}}"#;
    assert_eq!(words(&flow(six), 14), [0x7ff0; 4]);
    assert_eq!(words(&flow(six), 18), [5; 4]);
    let tcp = format!(
        "{{ipv4 = {{{IP}}}}}, {{tcp = {{src = 1, dst = 2, ns = 1, data_offset = {{range = \"0-3\"}}}}}}"
    );
    assert_eq!(words(&flow(&tcp), 46), [0x0110, 0x1110, 0x2110, 0x3110]);
    let gre = format!(
        "{{ipv4 = {{{IP}}}}}, {{gre = {{checksum = true, reserved0 = 0xabc, version = 5, reserved1 = 0x7788}}}}"
    );
    assert_eq!(words(&flow(&gre), 34), [0x8000 | 0xabc << 3 | 5; 4]);
    assert_eq!(words(&flow(&gre), 40), [0x7788; 4]);
    let vxlan = format!(
        "{{ipv4 = {{{IP}}}}}, {{udp = {{src = 1, dst = 2}}}}, {{vxlan = {{vni = 0x010203, flags = 0x88, reserved0 = 0xaabbcc, reserved1 = 0xdd}}}}"
    );
    assert_eq!(words(&flow(&vxlan), 42), [0x88aa; 4]);
    assert_eq!(words(&flow(&vxlan), 44), [0xbbcc; 4]);
    assert_eq!(words(&flow(&vxlan), 46), [0x0102; 4]);
    assert_eq!(words(&flow(&vxlan), 48), [0x03dd; 4]);
    let arp = r#"{arp = {spa = "10.0.0.1", tpa = "10.0.0.2", hardware_type = 9, protocol_type = 8, hardware_length = 7, protocol_length = 6}}"#;
    assert_eq!(words(&flow(arp), 14), [9; 4]);
    assert_eq!(words(&flow(arp), 16), [8; 4]);
    assert_eq!(words(&flow(arp), 18), [0x0706; 4]);
    let mpls = format!("{{mpls = {{label = 1, bottom = 0}}}}, {{ipv4 = {{{IP}}}}}");
    assert_eq!(words(&flow(&mpls), 16), [0x1040; 4]);
    let vlan = format!(
        "{{vlan = {{id = 5, type = {{list = [1, 2]}}}}}}, {{vlan = {{id = 6}}}}, {{ipv4 = {{{IP}}}}}"
    );
    assert_eq!(words(&flow(&vlan), 16), [1, 2, 1, 2]);
    assert_eq!(words(&flow(&vlan), 20), [0x0800; 4]);
}
