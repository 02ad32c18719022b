//! Labels, tunnels, ARP and the extension headers of IPv6.

use super::{about_layers, error, expect, file, layered, said};
use crate::spec::*;
use Values::One;

const ETH: &str = "{eth = {dst = \"02:00:00:00:00:01\"}}";
const V4: &str = r#"{ipv4 = {src = "10.0.0.1", dst = "10.0.0.2"}}"#;
const V6: &str = r#"{ipv6 = {src = "::1", dst = "::2"}}"#;
const UDP: &str = "{udp = {src = 1, dst = 2}}";

fn stack(layers: &[&str]) -> Vec<Layer> {
    layered(&format!("size = 256\nlayers = [{}]", layers.join(", "))).layers
}

#[test]
fn every_field_has_its_place_and_its_default() {
    let layers = stack(&[
        ETH,
        "{mpls = {label = {range = \"16-1048575\"}}}",
        "{mpls = {label = 17, tc = 7, ttl = 255}}",
        V6,
        "{hop_by_hop = {options = \"05020000\"}}",
        "{destination_options = {}}",
        "{routing = {}}",
        "{fragment = {id = 0xffffffff}}",
        "{gre = {checksum = true, key = 5, sequence = {range = \"0-9\"}}}",
        V4,
        "{udp = {src = 1}}",
        "{vxlan = {vni = 0xffffff}}",
        ETH,
    ]);
    let labels = Values::Range { first: 16, step: 1, count: 1_048_560 };
    assert_eq!(layers[1], Layer::Mpls { label: labels, tc: One(0), ttl: One(64) });
    assert_eq!(layers[2], Layer::Mpls { label: One(17), tc: One(7), ttl: One(255) });
    // Padded to 8 octets together with the two before the options.
    assert_eq!(layers[4], Layer::HopByHop { options: vec![5, 2, 0, 0, 1, 0] });
    assert_eq!(layers[5], Layer::DestinationOptions { options: vec![1, 4, 0, 0, 0, 0] });
    assert_eq!(layers[6], Layer::Routing { kind: 253, segments_left: 0, data: vec![0; 4] });
    assert_eq!(layers[7], Layer::Fragment { id: One(0xffff_ffff) });
    let sequence = Some(Values::Range { first: 0, step: 1, count: 10 });
    let key = Some(One(5));
    assert_eq!(layers[8], Layer::Gre { protocol: None, checksum: true, key, sequence });
    assert!(matches!(&layers[10], Layer::Udp { dst: One(4789), .. }));
    assert_eq!(layers[11], Layer::Vxlan { vni: One(0xff_ffff) });

    let arp = &stack(&[ETH, "{arp = {spa = \"10.0.0.1\", tpa = \"10.0.0.2\"}}"])[1];
    let (spa, tpa) = (One(0x0a00_0001), One(0x0a00_0002));
    assert_eq!(*arp, Layer::Arp { op: One(1), sha: MacAddress::Auto, spa, tha: One(0), tpa });
}

#[test]
fn least_sizes_count_every_header() {
    let vxlan = ["{udp = {src = 1}}", "{vxlan = {vni = 1}}", ETH, V4, UDP];
    let arp = "{arp = {spa = \"10.0.0.1\", tpa = \"10.0.0.2\"}}";
    let gre = "{gre = {checksum = true, key = 1, sequence = 1}}";
    let label = "{mpls = {label = 16}}";
    for (layers, least) in [
        (vec![ETH, label, V4, UDP], 64),
        (vec![ETH, label, label, V4, UDP], 68),
        ([&[ETH, V4][..], &vxlan].concat(), 110),
        ([&[ETH, V6][..], &vxlan].concat(), 130),
        (vec![ETH, V4, "{gre = {}}", V4, UDP], 84),
        (vec![ETH, V4, gre, V4, UDP], 96),
        (vec![ETH, arp], 60),
        (vec![ETH, V6, "{hop_by_hop = {}}", "{fragment = {}}", UDP], 96),
    ] {
        assert_eq!(
            layered(&format!("size = 256\nlayers = [{}]", layers.join(", "))).least_bytes(),
            least
        );
        if least > 64 {
            let said = about_layers(&layers.join(", "));
            assert!(said.contains(&format!("size {least} to 9216")), "{said}");
        }
    }
}

#[test]
fn what_cannot_be_is_refused_at_its_place() {
    for (layers, start, allowed) in [
        (vec!["{mpls = {}}"], "[1].mpls: `label` is missing", "0 to 1048575"),
        (vec!["{mpls = {label = 1048576}}"], "[1].mpls.label: 1048576 is over", "0 to 1048575"),
        (vec!["{mpls = {label = 16, bos = 1}}"], "[1].mpls.bos: unknown key", "label, tc, ttl"),
        (vec![V4, "{mpls = {label = 16}}"], "[2].mpls: `mpls` cannot stand on `ipv4`", "eth, then"),
        (vec![V4, UDP, "{vxlan = {}}"], "[3].vxlan: `vni` is missing", "0 to 16777215"),
        (vec![V4, "{vxlan = {vni = 1}}"], "[2].vxlan: `vxlan` cannot stand on `ipv4`", "eth, then"),
        (
            vec![V4, UDP, "{vxlan = {vni = 1}}", V4],
            "[4].ipv4: `ipv4` cannot stand on `vxlan`",
            "eth, then",
        ),
        (
            vec![V4, UDP, "{vxlan = {vni = 1}}", "{eth = {}}"],
            "[4].eth: nobody can resolve `dst` inside a tunnel",
            "a MAC address",
        ),
        (vec![V4, "{gre = {key = \"x\"}}"], "[2].gre.key: \"x\" does not fit", "0 to 4294967295"),
        (
            vec![V4, "{gre = {checksum = 65536}}"],
            "[2].gre.checksum: 65536 does not fit",
            "\"auto\", \"bad\" or 0 to 65535",
        ),
        (vec!["{arp = {spa = \"10.0.0.1\"}}"], "[1].arp: `tpa` is missing", "an IPv4 address"),
        (
            vec![V4, "{hop_by_hop = {}}"],
            "[2].hop_by_hop: `hop_by_hop` cannot stand on `ipv4`",
            "eth, then",
        ),
        (vec![V6, "{routing = {data = \"0000\"}}"], "[2].routing.data: 2 octets", "4, 12, 20"),
        (vec![V6, "{routing = {type = 256}}"], "[2].routing.type: 256 is over 255", "0 to 255"),
        (vec![V6, "{fragment = {}}", "{icmp = {}}"], "[3].icmp: `icmp` cannot stand on", "eth"),
    ] {
        let layers = [&[ETH][..], &layers].concat().join(", ");
        expect(&about_layers(&layers), &format!("flow[0].layers{start}"), allowed);
    }
    let many = [&[ETH, V6][..], &["{destination_options = {}}"; 7]].concat().join(", ");
    expect(&about_layers(&many), "flow[0].layers: 7 extension headers", "at most 6");
}

#[test]
fn the_way_back_goes_through_the_same_tunnel() {
    let inner = r#"{eth = {dst = "02:00:00:00:00:0d", src = "02:00:00:00:00:05"}}"#;
    let layers = [V4, "{udp = {src = 1}}", "{vxlan = {vni = 1}}", inner, V4, UDP].join(", ");
    let text = file(&format!("bidir = true\nsize = 128\nlayers = [{{eth = {{}}}}, {layers}]"));
    let back = &Spec::from_toml(&text).unwrap().flows[1].layers;
    assert!(matches!(&back[1], Layer::Ipv4 { src: One(0x0a00_0002), dst: One(0x0a00_0001), .. }));
    assert!(matches!(&back[2], Layer::Udp { src: One(1), dst: One(4789), .. }));
    let Layer::Eth { dst: MacAddress::Given(One(dst)), .. } = &back[4] else { panic!("{back:?}") };
    assert_eq!(*dst, 0x0200_0000_0005);
    assert!(matches!(&back[6], Layer::Udp { src: One(2), dst: One(1), .. }));

    let nobody = text.replace(", src = \"02:00:00:00:00:05\"", "");
    expect(
        &said(&error(&nobody)),
        "flow[0].layers[0].eth: `bidir` without an IP header, or with `eth` inside a tunnel",
        "a MAC address as `src` too",
    );
}
