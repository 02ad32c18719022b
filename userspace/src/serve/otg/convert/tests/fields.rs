//! Every header and every pattern.

use super::{ethernet, flow, layer};
use serde_json::{Value, json};

fn on_ip() -> [Value; 2] {
    [ethernet(), json!({"ipv4": {}})]
}

#[test]
fn the_defaults_of_the_schema_are_put_in() {
    assert_eq!(
        flow(&json!({})),
        json!({
            "name": "f1", "tx": "p1", "rx": ["p2"], "rate": "1000pps", "size": 64, "track": "none",
            "layers": [
                {"eth": {"dst": "02:00:00:00:00:01", "src": "00:00:00:00:00:00"}},
                {"ipv4": {"src": "0.0.0.0", "dst": "0.0.0.0", "id": 0, "df": false, "ttl": 64}},
                {"udp": {"src": 0, "dst": 0}},
            ]
        })
    );
    assert_eq!(
        layer(&on_ip(), "tcp", &json!({})),
        json!({"src": 0, "dst": 0, "seq": 0, "ack": 0, "flags": 0, "window": 0})
    );
    assert_eq!(layer(&[ethernet()], "vlan", &json!({})), json!({"pcp": 0, "dei": 0, "id": 0}));
    assert_eq!(layer(&[ethernet()], "mpls", &json!({})), json!({"label": 16, "tc": 0, "ttl": 64}));
    assert_eq!(
        layer(&[ethernet()], "ipv6", &json!({})),
        json!({"src": "::", "dst": "::", "traffic_class": 0, "flow_label": 0, "hop_limit": 64})
    );
    assert_eq!(
        layer(&[ethernet()], "arp", &json!({})),
        json!({"sha": "00:00:00:00:00:00", "spa": "0.0.0.0", "tha": "00:00:00:00:00:00", "tpa": "0.0.0.0"})
    );
    assert_eq!(
        layer(&on_ip(), "icmp", &json!({})),
        json!({"type": 8, "code": 0, "id": 0, "seq": 0})
    );
    let six = [ethernet(), json!({"ipv6": {}})];
    assert_eq!(
        layer(&six, "icmpv6", &json!({"choice": "echo"})),
        json!({"type": 128, "code": 0, "id": 0, "seq": 0})
    );
    assert_eq!(layer(&on_ip(), "gre", &json!({})), json!({}));
    let udp = [ethernet(), json!({"ipv4": {}}), json!({"udp": {}})];
    assert_eq!(layer(&udp, "vxlan", &json!({})), json!({"vni": 0}));
}

#[test]
fn every_pattern_becomes_the_values_that_it_means() {
    let port =
        |pattern: Value| layer(&on_ip(), "udp", &json!({"src_port": pattern}))["src"].clone();
    for (pattern, values) in [
        (json!({"choice": "value", "value": 5}), json!(5)),
        (json!({"value": 5}), json!(5)),
        (json!({"choice": "values", "values": [7, 9, 7]}), json!({"list": [7, 9, 7]})),
        (json!({"choice": "values", "values": [7]}), json!(7)),
        (
            json!({"choice": "increment", "increment": {"start": 5000, "step": 2, "count": 10}}),
            json!({"range": "5000-5018", "step": 2}),
        ),
        (json!({"choice": "increment", "increment": {"start": 5}}), json!(5)),
        (
            json!({"choice": "decrement", "decrement": {"start": 10, "count": 3}}),
            json!({"range": "10-8", "step": -1}),
        ),
        // Beyond the field it goes on from its other end.
        (
            json!({"choice": "increment", "increment": {"start": 65534, "count": 4}}),
            json!({"list": [65534, 65535, 0, 1]}),
        ),
        (
            json!({"choice": "decrement", "decrement": {"start": 1, "step": 2, "count": 3}}),
            json!({"list": [1, 65535, 65533]}),
        ),
        (
            json!({"choice": "random", "random": {"min": 10, "max": 20, "seed": "7", "count": 3}}),
            json!({"random": "10-20", "seed": 7, "count": 3}),
        ),
        (
            json!({"choice": "random", "random": {}}),
            json!({"random": "0-65535", "seed": 1, "count": 1}),
        ),
    ] {
        assert_eq!(port(pattern.clone()), values, "{pattern}");
    }
}

#[test]
fn addresses_count_as_numbers() {
    let ip = layer(
        &[ethernet()],
        "ipv4",
        &json!({
            "src": {"choice": "increment", "increment": {"start": "10.0.0.1", "step": "0.0.1.0", "count": 3}},
            "dst": {"choice": "random", "random": {"min": "20.0.0.0", "max": "20.0.0.9", "count": 5}}
        }),
    );
    assert_eq!(ip["src"], json!({"range": "10.0.0.1-10.0.2.1", "step": 256}));
    assert_eq!(ip["dst"], json!({"random": "20.0.0.0-20.0.0.9", "seed": 1, "count": 5}));
    let six = layer(
        &[ethernet()],
        "ipv6",
        &json!({
            "src": {"choice": "decrement", "decrement": {"start": "2001::5", "count": 3}},
            "dst": {"choice": "increment", "increment": {"start": "2001::", "step": "0:1::", "count": 2}}
        }),
    );
    assert_eq!(six["src"], json!({"range": "2001::5-2001::3", "step": -1}));
    assert_eq!(six["dst"], json!({"list": ["2001::", "2001:1::"]}), "the upper half moves");
    let eth = flow(&json!({"packet": [{"ethernet": {
        "dst": {"values": ["02:00:00:00:00:01", "02:00:00:00:00:02"]},
        "src": {"increment": {"start": "00:00:00:00:00:FE", "step": "00:00:00:00:00:01", "count": 3}},
        "ether_type": {"value": 0x88cc}
    }}]}));
    assert_eq!(
        eth["layers"][0]["eth"],
        json!({
            "dst": {"list": ["02:00:00:00:00:01", "02:00:00:00:00:02"]},
            "src": {"range": "00:00:00:00:00:fe-00:00:00:00:01:00", "step": 1},
            "type": 0x88cc
        })
    );
}

#[test]
fn bits_that_stand_side_by_side_are_one_field() {
    let tcp = layer(
        &on_ip(),
        "tcp",
        &json!({
            "ctl_syn": {"values": [1, 0]},
            "ctl_ack": {"value": 1},
            "ecn_cwr": {"increment": {"start": 0, "count": 3}},
            "ecn_ns": {"value": 1},
            "data_offset": {"value": 5}
        }),
    );
    // cwr counts 0 1 0 in its one bit.
    assert_eq!(tcp["flags"], json!({"list": [0x12, 0x90, 0x12, 0x10, 0x92, 0x10]}));
    assert_eq!((&tcp["ns"], &tcp["data_offset"]), (&json!(1), &Value::Null));
    let octet = |priority: Value| {
        let ip = layer(&[ethernet()], "ipv4", &json!({"priority": priority}));
        (ip["dscp"].clone(), ip["ecn"].clone())
    };
    assert_eq!(octet(json!({"raw": {"value": 0xb9}})), (json!(46), json!(1)));
    assert_eq!(
        octet(json!({"choice": "raw", "raw": {"increment": {"start": 3, "count": 3}}})),
        (json!({"list": [0, 1, 1]}), json!({"list": [3, 0, 1]}))
    );
    assert_eq!(
        octet(json!({"choice": "dscp", "dscp": {"phb": {"values": [46, 0]}, "ecn": {"value": 2}}})),
        (json!({"list": [46, 0]}), json!(2))
    );
    assert_eq!(
        octet(
            json!({"tos": {"precedence": {"value": 7}, "delay": {"value": 1}, "unused": {"value": 1}}})
        ),
        (json!(0x3c), json!(1))
    );
}

#[test]
fn rare_fields_are_said_only_where_they_are_unusual() {
    let ip = layer(
        &[ethernet()],
        "ipv4",
        &json!({
            "version": {"value": 4}, "header_length": {"choice": "auto", "auto": 5},
            "total_length": {"choice": "auto"}, "reserved": {"value": 1},
            "dont_fragment": {"values": [0, 1]}, "more_fragments": {"value": 1},
            "fragment_offset": {"value": 31}, "protocol": {"value": 99},
            "header_checksum": {"choice": "generated", "generated": "bad"}
        }),
    );
    assert_eq!(
        ip,
        json!({
            "src": "0.0.0.0", "dst": "0.0.0.0", "id": 0, "ttl": 64, "df": {"list": [0, 1]},
            "reserved": 1, "mf": 1, "fragment_offset": 31, "protocol": 99, "checksum": "bad"
        })
    );
    let sum = |checksum: Value| {
        layer(&on_ip(), "udp", &json!({"checksum": checksum}))["checksum"].clone()
    };
    assert_eq!(sum(json!({"choice": "custom", "custom": 0})), json!(0));
    assert_eq!(sum(json!({"choice": "generated", "generated": "good"})), Value::Null);
    let gre = json!({"checksum_present": {"value": 1}, "checksum": {"custom": 9}, "reserved1": {"value": 2}, "reserved0": {"value": 1}, "version": {"value": 1}});
    assert_eq!(
        layer(&on_ip(), "gre", &gre),
        json!({"checksum": 9, "reserved0": 1, "reserved1": 2, "version": 1})
    );
    let udp = [ethernet(), json!({"ipv4": {}}), json!({"udp": {}})];
    let vxlan = json!({"flags": {"value": 9}, "vni": {"values": [1, 2]}, "reserved0": {"value": 3}, "reserved1": {"value": 4}});
    assert_eq!(
        layer(&udp, "vxlan", &vxlan),
        json!({"flags": 9, "vni": {"list": [1, 2]}, "reserved0": 3, "reserved1": 4})
    );
    // What the schema calls TPID is the type of what follows the tag.
    assert_eq!(
        layer(&[ethernet()], "vlan", &json!({"tpid": {"value": 0x88cc}}))["type"],
        json!(0x88cc)
    );
    let arp = json!({"hardware_type": {"value": 1}, "protocol_length": {"value": 5}, "operation": {"value": 2}});
    let arp = layer(&[ethernet()], "arp", &arp);
    assert_eq!((&arp["op"], &arp["protocol_length"]), (&json!(2), &json!(5)));
    assert_eq!(arp["hardware_type"], Value::Null);
}

#[test]
fn custom_octets_end_a_packet_or_are_all_of_it() {
    let after = layer(&[ethernet()], "custom", &json!({"bytes": "de:ad BE ef"}));
    assert_eq!(after, Value::Null, "it is raw in the flow file");
    let packet = json!([ethernet(), {"custom": {"bytes": "0xde:ad BE ef"}}]);
    assert_eq!(flow(&json!({"packet": packet}))["layers"][1], json!({"raw": {"hex": "deadBEef"}}));
    let whole =
        json!([{"choice": "custom", "custom": {"bytes": "0200000000010200000000020800 4500"}}]);
    assert_eq!(
        flow(&json!({"packet": whole}))["layers"],
        json!([
            {"eth": {"dst": "02:00:00:00:00:01", "src": "02:00:00:00:00:02", "type": "0x0800"}},
            {"raw": {"hex": "4500"}}
        ])
    );
}
