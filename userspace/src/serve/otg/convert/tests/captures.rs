//! Filters of captures: what they are in our words, and what is refused where.

use super::{config, converted, refusal};
use crate::packet::Filter;
use serde_json::{Value, json};

fn with(filters: &Value) -> Value {
    let mut config = config(&json!({}));
    config["captures"] = json!([{"name": "c", "port_names": ["p1"], "filters": filters}]);
    config
}

#[test]
fn filters_go_along_the_frame() {
    for (filters, expected) in [
        (json!([]), ""),
        (json!([{}]), "ether[0:1] & 0xff = 0x00"),
        (
            json!([{"choice": "ethernet", "ethernet": {"src": {"value": "0x0200000000aA"}}}]),
            "ether[6:4] & 0xffffffff = 0x02000000 and ether[10:2] & 0xffff = 0x00aa",
        ),
        (
            json!([{"ethernet": {"dst": {"value": "01", "mask": "fffffffffffe"}}}]),
            "ether[4:2] & 0x0001 = 0x0001",
        ),
        (
            json!([{"vlan": {"id": {"value": "5"}}}, {"vlan": {"priority": {"value": "7", "negate": true}}}]),
            "( ether[12:2] = 0x8100 or ether[12:2] = 0x88a8 or ether[12:2] = 0x9100 ) \
             and ether[14:2] & 0x0fff = 0x0005 \
             and ( ether[16:2] = 0x8100 or ether[16:2] = 0x88a8 or ether[16:2] = 0x9100 ) \
             and ether[18] >= 0 and not ( ether[18:1] & 0xe0 = 0xe0 )",
        ),
        (
            json!([{"ipv4": {"dont_fragment": {"value": "01"}, "fragment_offset": {"value": "1fff"}}}]),
            "ip and ip[6:1] & 0x40 = 0x40 and ip[6:2] & 0x1fff = 0x1fff",
        ),
        (
            json!([{"ipv6": {"flow_label": {"value": "abcde"}}}, {"custom": {"offset": 12, "bit_length": 8, "value": "ff"}}]),
            "ip6 and ip6[1:2] & 0x0fff = 0x0abc and ip6[3:1] & 0xff = 0xde \
             and ip6[41:2] & 0x0ff0 = 0x0ff0",
        ),
        (
            json!([{"ipv4": {}}, {"custom": {"bit_length": 16, "value": "7"}}, {"custom": {"offset": "8", "value": "1"}}]),
            "ip and payload[0:2] & 0xffff = 0x0007 and payload[3:1] & 0xff = 0x01",
        ),
    ] {
        let words = converted(&with(&filters)).unwrap().captures[0].filter.clone();
        assert_eq!(words, expected, "{filters}");
        if !words.is_empty() {
            format!("inbound and ( {words} )").parse::<Filter>().unwrap();
        }
    }
}

#[test]
fn a_filter_that_cannot_be_is_refused_where_it_stands() {
    for (filters, start) in [
        (json!([{"choice": "tcp"}]), "[0].choice: unknown variant `tcp`"),
        (json!([{"choice": "vlan", "ipv4": {}}]), "[0].ipv4: it is not what `choice` says"),
        (json!([{"ipv4": {"ttl": {}}}]), "[0].ipv4.ttl: unknown field"),
        (json!([{"ethernet": {"pfc_queue": {}}}]), "[0].ethernet.pfc_queue: no octet"),
        (json!([{"ethernet": {}}, {"ethernet": {}}]), "[1]: a second filter of this header"),
        (
            json!([{"ipv4": {"src": {"value": "10.0.0.1"}}}]),
            "[0].ipv4.src.value: \"10.0.0.1\" is not",
        ),
        (
            json!([{"ipv4": {"protocol": {"value": "111"}}}]),
            "[0].ipv4.protocol.value: 0x111 has more than the 8 bits",
        ),
        (json!([{"ipv4": {"protocol": {"value": ""}}}]), "[0].ipv4.protocol.value: \"\" is not"),
        (
            json!([{"ipv4": {"protocol": {"value": "11", "mask": "ff"}}}]),
            "[0].ipv4.protocol.mask: it leaves no bit to compare; bits that are 1",
        ),
        (json!([{"custom": {"bit_length": 0}}]), "[0].custom.bit_length: 0; allowed: 1 to 1024"),
        (
            json!([{"custom": {"value": "fffefdfcfbfa"}}]),
            "[0].custom.value: 0xfffefdfcfbfa has more than the 8",
        ),
        (json!([{"custom": {"offset": 80_000}}]), "[0].custom.offset: 80000: no frame"),
    ] {
        let said = refusal(&with(&filters));
        let start = format!("$.captures[0].filters{start}");
        assert!(said.starts_with(&start), "expected: {start}\n    said: {said}");
    }
}
