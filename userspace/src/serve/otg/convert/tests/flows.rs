//! Sizes, rates, durations, metrics, ports.

use super::{Measured, Spec, Track, config, converted, flow};
use crate::serve::otg::model::LatencyMode;
use serde_json::{Value, json};

#[test]
fn sizes_of_every_form_are_taken_over() {
    for (size, expected) in [
        (json!({"choice": "fixed", "fixed": 128}), json!(128)),
        (json!({"fixed": "128"}), json!(128)),
        (
            json!({"choice": "increment", "increment": {"start": 100, "end": 200, "step": 50}}),
            json!({"range": "100-200", "step": 50}),
        ),
        (json!({"choice": "increment"}), json!({"range": "64-1518", "step": 1})),
        (json!({"choice": "random", "random": {"min": 100}}), json!({"random": "100-1518"})),
        (
            json!({"choice": "weight_pairs", "weight_pairs": {"choice": "predefined", "predefined": "imix"}}),
            json!({"weights": {"64": 7, "570": 4, "1518": 1}}),
        ),
        (
            json!({"weight_pairs": {"predefined": "ipsec_imix"}}),
            json!({"weights": {"90": 5867, "92": 200, "594": 2366, "1418": 1567}}),
        ),
        (
            json!({"weight_pairs": {"predefined": "standard_imix"}}),
            json!({"weights": {"64": 6067, "594": 2366, "1518": 1567}}),
        ),
        (
            json!({"weight_pairs": {"choice": "custom", "custom": [
                {"size": 64, "weight": 0.5}, {"size": 128, "weight": 1.5}, {"size": 64, "weight": 1.0}
            ]}}),
            json!({"weights": {"64": 1, "128": 1}}),
        ),
    ] {
        assert_eq!(flow(&json!({"size": size}))["size"], expected, "{size}");
    }
    let short = json!({"size": {"weight_pairs": {"predefined": "ipv6_imix"}}});
    let warnings = converted(&config(&short)).unwrap().warnings;
    assert!(warnings[0].contains("[60] octets are sent with 64"), "{warnings:?}");
}

#[test]
fn rates_of_every_unit_are_taken_over() {
    for (rate, expected) in [
        (json!({"choice": "pps", "pps": "50"}), "50pps"),
        (json!({"pps": 50}), "50pps"),
        (json!({"choice": "bps", "bps": "672"}), "672bps"),
        (json!({"choice": "kbps", "kbps": 500}), "500kbps"),
        (json!({"choice": "mbps", "mbps": 5}), "5Mbps"),
        (json!({"choice": "gbps", "gbps": 1}), "1Gbps"),
        (json!({"choice": "percentage", "percentage": 12.5}), "12.50000%"),
        (json!({"choice": "percentage", "percentage": 100}), "100.00000%"),
        (json!({"choice": "percentage", "percentage": 0.000_01}), "0.00001%"),
    ] {
        assert_eq!(flow(&json!({"rate": rate}))["rate"], json!(expected), "{rate}");
    }
    // Of the speed that the client gives.
    let mut slow = config(&json!({"rate": {"percentage": 33.333_33}}));
    slow["layer1"] =
        json!([{"name": "ly", "port_names": ["p1"], "speed": "speed_1_gbps", "mtu": 1500}]);
    let plan = converted(&slow).unwrap();
    assert_eq!(plan.spec.unwrap()["flow"][0]["rate"], json!("333333300bps-l1"));
    assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
}

#[test]
fn durations_of_every_form_are_taken_over() {
    let keys = |duration: &Value| {
        let flow = flow(&json!({"duration": duration}));
        ["frames", "duration", "burst", "delay"].map(|key| flow[key].clone())
    };
    let null = || Value::Null;
    for (duration, expected) in [
        (json!({"choice": "continuous"}), [null(), null(), null(), null()]),
        (
            json!({"choice": "fixed_packets", "fixed_packets": {"packets": 1000, "gap": 12}}),
            [json!(1000), null(), null(), null()],
        ),
        (json!({"choice": "fixed_packets"}), [json!(1), null(), null(), null()]),
        (
            json!({"choice": "fixed_seconds", "fixed_seconds": {"seconds": 1.5, "delay": {"choice": "microseconds", "microseconds": 2.5}}}),
            [null(), json!("1500000000ns"), null(), json!("2500ns")],
        ),
        (
            json!({"choice": "fixed_packets", "fixed_packets": {"delay": {"bytes": 1250}}}),
            [json!(1), null(), null(), json!("1000ns")],
        ),
        (
            json!({"choice": "burst", "burst": {"bursts": 3, "packets": 10, "inter_burst_gap": {"choice": "nanoseconds", "nanoseconds": 1e6}}}),
            [null(), null(), json!({"frames": 10, "gap": "1000000ns", "repeat": 3}), null()],
        ),
        (
            json!({"choice": "burst", "burst": {}}),
            [null(), null(), json!({"frames": 1, "gap": "10ns"}), null()],
        ),
    ] {
        assert_eq!(keys(&duration), expected, "{duration}");
    }
}

#[test]
fn a_gap_that_the_rate_leaves_is_no_trouble() {
    // 10 Gb/s, 64 octets, 1.25 octets a nanosecond: 1000 ns apart leave 1178 octets.
    let with = |gap: u64| {
        json!({
            "rate": {"choice": "pps", "pps": 1_000_000},
            "duration": {"choice": "continuous", "continuous": {"gap": gap}}
        })
    };
    flow(&with(1178));
    let refusal = super::refusal(&config(&with(1179)));
    assert_eq!(
        refusal,
        "$.flows[0].duration: the rate leaves 1178 bytes between two frames, but the least gap is 1179; lower the rate or the gap"
    );
}

#[test]
fn ports_go_by_their_aliases_and_both_ways_to_name_receivers_count() {
    let plan = converted(&config(&json!({}))).unwrap();
    assert_eq!(plan.spec.unwrap()["ports"], json!({"p1": {"if": "veth0"}, "p2": {"if": "veth1"}}));
    assert_eq!((plan.flows[0].tx, &plan.flows[0].rx[..]), (0, &[1][..]));
    let old = json!({"tx_rx": {"port": {"tx_name": "p2", "rx_name": "p1"}}});
    let plan = converted(&config(&old)).unwrap();
    assert_eq!((plan.flows[0].tx, &plan.flows[0].rx[..]), (1, &[0][..]));
    let both = json!({"tx_rx": {"port": {"tx_name": "p2", "rx_name": "p1", "rx_names": ["p1"]}}});
    assert_eq!(converted(&config(&both)).unwrap().flows[0].rx, [0]);
    let none = json!({"tx_rx": {"port": {"tx_name": "p2"}}, "metrics": {"enable": true}});
    assert_eq!(flow(&none)["rx"], Value::Null);
    assert_eq!(flow(&none)["track"], json!("none"));
}

#[test]
fn what_is_measured_is_what_is_asked() {
    let measured = |metrics: Value| {
        let long = json!({"metrics": metrics, "size": {"fixed": 128}});
        let plan = converted(&config(&long)).unwrap();
        let spec = Spec::from_json(&plan.spec.unwrap().into()).unwrap();
        (plan.flows[0].metrics, spec.flows[0].track)
    };
    assert_eq!(measured(json!({})), (None, Track::None));
    assert_eq!(
        measured(json!({"enable": true})),
        (Some(Measured { loss: false, timestamps: false, latency: None }), Track::Tag)
    );
    let all = json!({
        "enable": true, "loss": true, "timestamps": true, "latency": {"enable": true},
        "rx_tx_ratio": {"choice": "rx_count", "rx_count": {}}, "predefined_metric_tags": {"rx_name": false}
    });
    let latency = Some(LatencyMode::StoreForward);
    assert_eq!(measured(all).0, Some(Measured { loss: true, timestamps: true, latency }));
}

#[test]
fn links_and_captures_are_taken_over() {
    let mut all = config(&json!({}));
    all["captures"] =
        json!([{"name": "c", "port_names": ["p2", "p1"], "format": "pcap", "overwrite": true}]);
    all["layer1"] = json!([{"name": "l", "port_names": ["p1"], "media": "copper", "auto_negotiate": true, "promiscuous": false, "mtu": 9000}]);
    all["options"] = json!({"port_options": {"location_preemption": true}});
    let plan = converted(&all).unwrap();
    assert_eq!(plan.captures[0].ports, [1, 0]);
    assert_eq!(plan.warnings.len(), 4, "{:?}", plan.warnings);
    assert!(plan.warnings[0].starts_with("layer1[0]: media"), "{:?}", plan.warnings);
}

#[test]
fn a_configuration_without_flows_is_one() {
    assert_eq!(converted(&json!({})).unwrap().spec, None);
    let ports = json!({"ports": [{"name": "p1", "location": "eth1"}], "flows": []});
    assert_eq!(converted(&ports).unwrap().ports[0].interface, "eth1");
}
