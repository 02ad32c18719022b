//! What is refused, and where.

use super::{config, ethernet, refusal};
use serde_json::{Value, json};

#[test]
fn a_flow_that_cannot_be_is_refused_where_it_says_so() {
    let ip = || json!({"ipv4": {}});
    for (changes, start) in [
        (json!({"size": {"fixed": 63}}), "$.flows[0].size.fixed: no frame has 63 octets"),
        (
            json!({"size": {"fixed": 64, "choice": "random"}}),
            "$.flows[0].size.fixed: it is not what `choice` says",
        ),
        (
            json!({"size": {"increment": {"start": 200, "end": 100}}}),
            "$.flows[0].size.increment: start 200 is over end 100",
        ),
        (
            json!({"size": {"random": {"max": 9217}}}),
            "$.flows[0].size.random.max: no frame has 9217",
        ),
        (
            json!({"size": {"weight_pairs": {"custom": []}}}),
            "$.flows[0].size.weight_pairs.custom: no size",
        ),
        (
            json!({"size": {"weight_pairs": {"custom": [{"weight": -1}]}}}),
            "$.flows[0].size.weight_pairs.custom[0].weight: a weight of -1",
        ),
        (json!({"rate": {"pps": 0}}), "$.flows[0].rate.pps: 0 is no rate"),
        (
            json!({"rate": {"pps": 15_000_000}}),
            "$.flows[0].rate: flow \"f1\" asks for 10.08Gbps-l1",
        ),
        (json!({"rate": {"percentage": 100.1}}), "$.flows[0].rate.percentage: 100.1 %"),
        (json!({"rate": {"percentage": 0}}), "$.flows[0].rate.percentage: 0 %"),
        (
            json!({"rate": {"fps": 1}}),
            "$.flows[0].rate.fps: unknown field `fps`, expected one of `choice`, `pps`",
        ),
        (
            json!({"duration": {"fixed_packets": {"packets": 0}}}),
            "$.flows[0].duration: 0 is below 1",
        ),
        (
            json!({"duration": {"fixed_seconds": {"seconds": -1}}}),
            "$.flows[0].duration.fixed_seconds.seconds: -1 s",
        ),
        (
            json!({"tx_rx": {"port": {"tx_name": "p9"}}}),
            "$.flows[0].tx_rx.port.tx_name: there is no port \"p9\"",
        ),
        (
            json!({"tx_rx": {"port": {"tx_name": "p1", "rx_names": ["p2", "p2"]}}}),
            "$.flows[0].tx_rx.port.rx_names[1]: \"p2\" stands there twice",
        ),
        (
            json!({"tx_rx": {"choice": "device"}}),
            "$.flows[0].tx_rx.choice: unknown variant `device`, expected `port`",
        ),
        (json!({"tx_rx": {"port": {}}}), "$.flows[0].tx_rx.port: missing field `tx_name`"),
        (json!({"egress_packet": [{}]}), "$.flows[0].egress_packet: egress tracking"),
        (
            json!({"payload": {"choice": "fixed"}}),
            "$.flows[0].payload.choice: unknown variant `fixed`",
        ),
        (
            json!({"metrics": {"enable": true, "predefined_metric_tags": {"rx_name": true}}}),
            "$.flows[0].metrics.predefined_metric_tags",
        ),
        (
            json!({"metrics": {"rx_tx_ratio": {"value": 2.0}}}),
            "$.flows[0].metrics.rx_tx_ratio: a frame is expected once",
        ),
        (json!({"packet": []}), "$.flows[0].packet: no header at all"),
        (json!({"packet": [ip()]}), "$.flows[0].packet[0]: `ipv4` comes first"),
        (
            json!({"packet": [{"ethernet": {}}]}),
            "$.flows[0].packet[0]: without an IP header nobody can resolve `dst`",
        ),
        (
            json!({"packet": [ethernet(), {"udp": {}}]}),
            "$.flows[0].packet[1]: `udp` cannot stand on `eth`",
        ),
        (
            json!({"packet": [ethernet(), ip(), {"choice": "gtpv1"}]}),
            "$.flows[0].packet[2].choice: unknown variant `gtpv1`",
        ),
        (
            json!({"packet": [ethernet(), {"ipv6": {}}, {"tcp": {}}], "size": {"fixed": 77}}),
            "$.flows[0].size: a frame of 77 octets cannot hold",
        ),
        (
            json!({"packet": [ethernet(), {"custom": {"bytes": "abc"}}]}),
            "$.flows[0].packet[1].custom.bytes: it is not made of pairs",
        ),
        (
            json!({"packet": [{"custom": {"bytes": "0200"}}]}),
            "$.flows[0].packet[0].custom.bytes: as the first header",
        ),
        (
            json!({"packet": [ethernet(), {"custom": {"bytes": "00"}}, ip()]}),
            "$.flows[0].packet[1].custom.bytes: `custom` is supported as the last",
        ),
    ] {
        let said = refusal(&config(&changes));
        assert!(said.starts_with(start), "expected: {start}\n    said: {said}");
    }
}

#[test]
fn a_field_that_cannot_be_is_refused_where_it_stands() {
    let field = |header: &str, field: &str, pattern: Value| {
        let packet = json!([ethernet(), {"ipv4": {}}, {header: {field: pattern}}]);
        refusal(&config(&json!({"packet": packet, "size": {"fixed": 128}})))
    };
    for (said, expected) in [
        (
            field("udp", "src_port", json!({"value": 65536})),
            "src_port.value: 65536 is over 65535; allowed: 0 to 65535",
        ),
        (
            field("udp", "src_port", json!({"values": [1, 70000]})),
            "src_port.values[1]: 70000 is over 65535; allowed: 0 to 65535",
        ),
        (
            field("udp", "src_port", json!({"values": []})),
            "src_port.values: 0 values; allowed: 1 to 65536",
        ),
        (
            field("udp", "src_port", json!({"value": 1, "choice": "values"})),
            "src_port.value: it is not what `choice` says",
        ),
        (
            field("udp", "src_port", json!({"value": 1, "values": [2]})),
            "src_port.values: it is not what `choice` says",
        ),
        (field("udp", "src_port", json!({"value": -1})), "src_port.value: -1 is below 0"),
        (
            field("udp", "src_port", json!({"choice": "auto"})),
            "src_port.choice: `auto` is not supported here; give the value",
        ),
        (
            field("udp", "length", json!({"random": {}})),
            "length.choice: this field has no random values",
        ),
        (
            field("udp", "src_port", json!({"increment": {"count": 0}})),
            "src_port.increment.count: no value at all; allowed: 1 or more",
        ),
        (
            field("udp", "src_port", json!({"increment": {"start": 1, "count": 70000}})),
            "src_port.increment.count: 70000 values that go beyond the field; allowed: 65536 of those",
        ),
        (
            field("udp", "src_port", json!({"random": {"min": 2, "max": 1}})),
            "src_port.random: `min` is over `max`",
        ),
        (
            field("udp", "src_port", json!({"metric_tags": [{"name": "t"}]})),
            "src_port.metric_tags: tracking by header fields is not supported",
        ),
        (
            field("udp", "checksum", json!({"custom": 65536})),
            "checksum.custom: 65536 is over 65535",
        ),
        (
            field("udp", "checksum", json!({"custom": 1, "choice": "generated"})),
            "checksum.custom: it is not what `choice` says",
        ),
    ] {
        assert_eq!(said, format!("$.flows[0].packet[2].udp.{expected}"));
    }
    let dhcp = json!({"packet": [ethernet(), {"ipv4": {"src": {"choice": "auto", "auto": {"choice": "dhcp"}}}}]});
    assert!(
        refusal(&config(&dhcp)).starts_with("$.flows[0].packet[1].ipv4.src.choice: `auto` is not")
    );
    let options = json!({"packet": [ethernet(), {"ipv4": {"options": [{}]}}]});
    assert!(refusal(&config(&options)).starts_with("$.flows[0].packet[1].ipv4.options"));
    let pfc = json!({"packet": [{"ethernet": {"pfc_queue": {"value": 3}}}]});
    assert!(refusal(&config(&pfc)).starts_with("$.flows[0].packet[0].ethernet.pfc_queue"));
}

#[test]
fn what_is_not_a_flow_is_refused_too() {
    let with = |key: &str, value: Value| {
        let mut config = config(&json!({}));
        config[key] = value;
        refusal(&config)
    };
    for (said, start) in [
        (with("devices", json!([])), "$.devices: unknown field `devices`"),
        (with("ports", json!([{"name": "p1"}])), "$.ports[0].location: a port needs"),
        (
            with(
                "ports",
                json!([{"name": "p1", "location": "a"}, {"name": "p2", "location": "a"}]),
            ),
            "$.ports[1].location: \"a\" is the interface a, which port \"p1\" has",
        ),
        (
            with("ports", json!([{"name": "f1", "location": "a"}])),
            "$.flows[0].name: another object has the name \"f1\"",
        ),
        (
            with("captures", json!([{"name": "c", "port_names": ["p3"]}])),
            "$.captures[0].port_names[0]: there is no port",
        ),
        (
            with("captures", json!([{"name": "c", "port_names": ["p1", "p1"]}])),
            "$.captures[0].port_names[1]: \"p1\" has a capture",
        ),
        (
            with("layer1", json!([{"name": "l", "port_names": [], "speed": "fast"}])),
            "$.layer1[0].speed: unknown variant `fast`",
        ),
        (
            with("layer1", json!([{"name": "l", "port_names": ["p1"], "flow_control": {}}])),
            "$.layer1[0].flow_control: unknown field",
        ),
        (
            with("options", json!({"port_options": {"data_integrity": true}})),
            "$.options.port_options.data_integrity: allowed: false",
        ),
        (
            with("options", json!({"flow_options": {"packet_loss_duration": true}})),
            "$.options.flow_options.packet_loss_duration: allowed",
        ),
        (refusal(&json!(5)), "invalid type: integer"),
        (refusal(&json!({"flows": 1})), "$.flows: invalid type: integer `1`"),
    ] {
        assert!(said.starts_with(start), "expected: {start}\n    said: {said}");
    }
}
