//! What `show --pcap` writes, as tshark reads it.

use linerate::{
    cli::show::show,
    spec::{
        Burst, End, Expect, Flow, Integrity, Layer, MacAddress, PortSpec, Spec, Track, UdpChecksum,
        Values, Vary,
    },
    units::FrameSize,
};
use std::{path::Path, process::Command, time::Duration};

fn one(value: u128) -> Values {
    Values::One(value)
}

fn range(first: u128, count: u32) -> Values {
    Values::Range { first, step: 1, count }
}

fn flow(name: &str, headers: Vec<Layer>, sizes: &[u16]) -> Flow {
    let eth = Layer::Eth { dst: MacAddress::Auto, src: MacAddress::Auto, ethertype: None };
    Flow {
        name: name.into(),
        tx: 0,
        rx: Some(1),
        rate: "100kpps".parse().unwrap(),
        sizes: sizes.iter().map(|&size| FrameSize::new(size).unwrap()).collect(),
        end: End::Never,
        burst: None,
        layers: [eth].into_iter().chain(headers).collect(),
        vary: Vary::Independent,
        track: Track::Tag,
        integrity: Integrity::Tag,
        expect: Expect::default(),
    }
}

fn vlan(id: Values) -> Layer {
    Layer::Vlan { id, pcp: range(0, 8), dei: one(0), tpid: None }
}

fn ipv4() -> Layer {
    Layer::Ipv4 {
        src: Values::Random { low: 0x0a00_0001, high: 0x0aff_fffe, seed: 5, count: 1000 },
        dst: range(0xc612_0101, 254),
        dscp: range(0, 64),
        ecn: one(0),
        id: range(0, 65_536),
        df: true,
        ttl: one(64),
        protocol: None,
    }
}

fn ipv6() -> Layer {
    Layer::Ipv6 {
        src: one(0x2001_0db8 << 96 | 1),
        dst: Values::List(vec![0x2001_0db8 << 96 | 2, 0x2001_0db9 << 96 | 0xffff_0003]),
        traffic_class: range(0, 256),
        flow_label: range(0, 1 << 20),
        hop_limit: one(64),
        next_header: None,
    }
}

fn udp() -> Layer {
    Layer::Udp {
        src: range(49_152, 5000),
        dst: Values::List(vec![5001, 5003, 5005]),
        checksum: UdpChecksum::Auto,
    }
}

fn tcp() -> Layer {
    let seq = Values::Range { first: 0, step: 1460, count: 1_000_000 };
    Layer::Tcp {
        src: range(49_152, 7),
        dst: one(5001),
        seq,
        ack: one(1),
        flags: one(0x18),
        window: range(1, 65_535),
    }
}

fn echo(kind: u128) -> [Values; 4] {
    [one(kind), one(0), one(7), range(0, 65_536)]
}

fn spec() -> Spec {
    let port = |name: &str| PortSpec {
        name: name.into(),
        interface: name.into(),
        addresses: Vec::new(),
        gateways: Vec::new(),
        line_bps: None,
    };
    let [kind, code, id, seq] = echo(8);
    let icmp = Layer::Icmp { kind, code, id, seq };
    let [kind, code, id, seq] = echo(128);
    let icmpv6 = Layer::Icmpv6 { kind, code, id, seq };
    // Odd sizes put the tag at odd offsets.
    let sizes = [64, 65, 570, 1517, 1518];
    Spec {
        ports: vec![port("west"), port("east")],
        flows: vec![
            flow("udp4", vec![ipv4(), udp()], &sizes),
            flow("udp6", vec![ipv6(), udp()], &[80, 81, 1518]),
            flow("tcp4", vec![ipv4(), tcp()], &[72, 73, 9216]),
            flow("tcp6", vec![vlan(range(1, 4094)), ipv6(), tcp()], &[96, 97, 1280]),
            flow("icmp", vec![ipv4(), icmp], &sizes),
            flow("icmpv6", vec![vlan(one(1)), vlan(range(2, 9)), ipv6(), icmpv6], &[99, 100]),
            Flow {
                vary: Vary::Product,
                ..flow("qinq", vec![vlan(range(1, 3)), vlan(range(1, 3)), ipv4(), udp()], &[68, 69])
            },
            Flow { vary: Vary::Random, ..flow("random", vec![ipv4(), udp()], &[64, 65]) },
            Flow {
                track: Track::None,
                ..flow(
                    "untagged",
                    vec![ipv6(), udp(), Layer::Raw { bytes: vec![1, 2, 3] }],
                    &[90, 91],
                )
            },
            Flow {
                burst: Some(Burst { frames: 4, gap: Duration::from_millis(1) }),
                ..flow("bursts", vec![ipv4(), udp()], &[64])
            },
        ],
    }
}

/// One line per frame, with these fields.
fn tshark(pcap: &Path, fields: &[&str]) -> Vec<Vec<String>> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-r"]).arg(pcap).args([
        "-T",
        "fields",
        "-E",
        "separator=|",
        "-E",
        "occurrence=l",
    ]);
    for check in ["ip", "udp", "tcp"] {
        command.args(["-o", &format!("{check}.check_checksum:TRUE")]);
    }
    // The payload is no protocol: let it stay data.
    command.args([
        "-o",
        "tcp.desegment_tcp_streams:FALSE",
        "-o",
        "tcp.analyze_sequence_numbers:FALSE",
    ]);
    fields.iter().for_each(|field| {
        command.args(["-e", field]);
    });
    let output =
        command.output().expect("tshark must be installed for this test (apt-get install tshark)");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect()
}

#[test]
fn tshark_finds_right_lengths_and_no_bad_checksum_in_what_show_writes() {
    let directory = tempfile::tempdir().unwrap();
    let pcap = directory.path().join("show.pcap");
    let count = 300;
    let spec = spec();
    let mut text = Vec::new();
    show(&spec, count, Some(&pcap), &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.matches(" octets; eth ").count(), spec.flows.len() * count as usize);
    assert!(!text.contains("BAD"), "{text}");

    let fields = [
        "frame.len",
        "frame.time_epoch",
        "ip.len",
        "ipv6.plen",
        "udp.length",
        "vlan.id",
        "ip.checksum.status",
        "udp.checksum.status",
        "tcp.checksum.status",
        "icmp.checksum.status",
        "icmpv6.checksum.status",
        "_ws.malformed",
    ];
    let rows = tshark(&pcap, &fields);
    assert_eq!(rows.len(), spec.flows.len() * count as usize);
    let number = |text: &str| text.parse::<usize>().ok();
    let mut checked = [0; 5];
    let mut lengths = std::collections::BTreeMap::new();
    let mut last = String::new();
    for row in &rows {
        let length = number(&row[0]).unwrap();
        *lengths.entry(length).or_insert(0) += 1;
        assert!(row[1] >= last, "times go backwards: {row:?}");
        last.clone_from(&row[1]);
        let network = number(&row[2]).or(number(&row[3]).map(|payload| payload + 40)).unwrap();
        assert!([14, 18, 22].contains(&(length - network)), "{row:?}");
        if let Some(udp) = number(&row[4]) {
            assert!([20, 40].contains(&(network - udp)), "{row:?}");
        }
        for (checked, status) in checked.iter_mut().zip(&row[6..11]) {
            // 1 is good; 0 bad, 2 unverified, 3 not present.
            assert!(status.is_empty() || status == "1", "{row:?}");
            *checked += u64::from(status == "1");
        }
        assert_eq!(row[11], "", "{row:?}");
    }
    assert_eq!(checked, [6 * count, 6 * count, 2 * count, count, count]);
    let mut expected = std::collections::BTreeMap::new();
    for flow in &spec.flows {
        for frame in 0..count as usize {
            *expected
                .entry(usize::from(flow.sizes[frame % flow.sizes.len()].bytes()) - 4)
                .or_insert(0) += 1;
        }
    }
    assert_eq!(lengths, expected);
}

#[test]
fn the_summary_says_what_a_flow_sends() {
    let mut spec = spec();
    spec.flows.truncate(1);
    spec.flows[0].layers[1] = Layer::Ipv4 {
        src: one(0xc612_0002),
        dst: range(0xc612_0101, 10),
        dscp: one(0),
        ecn: one(0),
        id: one(0),
        df: false,
        ttl: one(64),
        protocol: None,
    };
    spec.flows[0].layers[2] =
        Layer::Udp { src: range(1, 4), dst: one(7), checksum: UdpChecksum::Auto };
    spec.flows[0].end = End::After(Duration::from_secs(2));
    spec.flows[0].sizes = vec![FrameSize::MIN];
    let mut text = Vec::new();
    show(&spec, 2, None, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(
        text,
        "\
flow udp4: west -> east
  size    64 octets with FCS
  rate    100000pps, that is 100000.000 frames/s
  frames  200000 in 2s
  tuples  20 distinct
  eth.src is found out at run time; shown as 02:00:00:00:00:01
  eth.dst is found out at run time; shown as 02:00:00:00:00:02
             0 ns  60 octets; eth 02:00:00:00:00:01 > 02:00:00:00:00:02; \
ipv4 198.18.0.2 > 198.18.1.1 ttl 64 len 46; udp 1 > 7 len 26; tag trial 1 stream 0 seq 0 time 0 ns
         10000 ns  60 octets; eth 02:00:00:00:00:01 > 02:00:00:00:00:02; \
ipv4 198.18.0.2 > 198.18.1.2 ttl 64 len 46; udp 2 > 7 len 26; tag trial 1 stream 0 seq 1 time 10000 ns
"
    );
}
