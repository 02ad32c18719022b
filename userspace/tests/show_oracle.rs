//! What `linerate show` prints and writes, and what tshark reads of it.

use std::{collections::BTreeMap, path::Path, process::Command};

/// Every stack of headers and way to vary; odd sizes put the tag at odd offsets.
const FLOWS: &str = r#"
[defaults]
rate = "10kpps"
tx = "west"
rx = "east"

[[flow]]
name = "udp4"
size = [64, 65, 570, 1517, 1518]
layers = [
  {eth = {}},
  {ipv4 = {src = {random = "10.0.0.1-10.255.255.254", seed = 5, count = 1000}, dst = {range = "198.18.1.1-198.18.1.254"}, dscp = {range = "0-63"}, id = {range = "0-65535"}, df = true}},
  {udp = {src = {range = "49152-54151"}, dst = {list = [5001, 5003, 5005]}}},
]

[[flow]]
name = "udp6"
size = [80, 81, 1518]
layers = [
  {eth = {}},
  {ipv6 = {src = "2001:db8::1", dst = {list = ["2001:db8::2", "2001:db9::ffff:3"]}, traffic_class = {range = "0-255"}, flow_label = {range = "0-1000000"}}},
  {udp = {src = {range = "49152-54151"}, dst = 5001}},
]

[[flow]]
name = "tcp4"
size = [72, 73, 9216]
layers = [
  {eth = {}},
  {ipv4 = {src = "198.18.0.2", dst = "198.18.1.1"}},
  {tcp = {src = {range = "49152-49158"}, dst = 5001, seq = {range = "0-1460000", step = 1460}, ack = 1, window = {range = "1-65535"}}},
]

[[flow]]
name = "tcp6"
size = [96, 97, 1280]
layers = [
  {eth = {}},
  {vlan = {id = {range = "1-4094"}, pcp = {range = "0-7"}}},
  {ipv6 = {src = "2001:db8::1", dst = {range = "2001:db8::2-2001:db8::ffff"}, hop_limit = {range = "1-255"}}},
  {tcp = {src = {range = "49152-49158"}, dst = 5001}},
]

[[flow]]
name = "icmp"
size = [64, 65, 1517]
layers = [
  {eth = {}},
  {ipv4 = {src = "198.18.0.2", dst = "198.18.1.1", ttl = {range = "1-255"}}},
  {icmp = {type = 8, code = 0, id = 7, seq = {range = "0-65535"}}},
]

[[flow]]
name = "icmpv6"
size = [99, 100]
layers = [
  {eth = {}},
  {vlan = {id = 1}},
  {vlan = {id = {range = "2-9"}}},
  {ipv6 = {src = "2001:db8::1", dst = "2001:db8::2"}},
  {icmpv6 = {type = 128, code = 0, id = 7, seq = {range = "0-65535"}}},
]

[[flow]]
name = "product"
vary = "product"
size = [68, 69]
layers = [
  {eth = {}},
  {vlan = {id = {range = "1-3"}}},
  {vlan = {id = {range = "1-3"}, pcp = {range = "0-7"}}},
  {ipv4 = {src = "198.18.0.2", dst = {range = "198.18.1.1-198.18.1.254"}}},
  {udp = {src = 49152, dst = {range = "7-9"}}},
]

[[flow]]
name = "random"
vary = "random"
size = [64, 65]
layers = [
  {eth = {}},
  {ipv4 = {src = "198.18.0.2", dst = {range = "198.18.1.1-198.18.1.254"}}},
  {udp = {src = {range = "49152-54151"}, dst = 7}},
]

[[flow]]
name = "untagged"
track = "none"
size = [90, 91]
layers = [
  {eth = {}},
  {ipv6 = {src = "2001:db8::1", dst = {range = "2001:db8::2-2001:db8::ff"}}},
  {udp = {src = 49152, dst = 7}},
  {raw = {hex = "010203"}},
]
"#;

/// The sizes with FCS of each flow above.
const SIZES: [&[usize]; 9] = [
    &[64, 65, 570, 1517, 1518],
    &[80, 81, 1518],
    &[72, 73, 9216],
    &[96, 97, 1280],
    &[64, 65, 1517],
    &[99, 100],
    &[68, 69],
    &[64, 65],
    &[90, 91],
];

/// What the command prints about the flows of a file.
fn show(file: &Path, flags: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_linerate"))
        .arg("show")
        .arg(file)
        .args(flags)
        .output()
        .expect("the binary was built");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
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
    for field in fields {
        command.args(["-e", field]);
    }
    let output =
        command.output().expect("tshark must be installed for this test (apt-get install tshark)");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect()
}

#[test]
fn tshark_finds_right_lengths_and_no_bad_checksum_in_what_show_writes() {
    const COUNT: usize = 300;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("flows.toml");
    let pcap = directory.path().join("show.pcap");
    std::fs::write(&file, FLOWS).unwrap();
    let text = show(&file, &["--count", &COUNT.to_string(), "--pcap", pcap.to_str().unwrap()]);
    assert_eq!(text.matches(" octets; eth ").count(), SIZES.len() * COUNT);
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
    assert_eq!(rows.len(), SIZES.len() * COUNT);
    let number = |text: &str| text.parse::<usize>().ok();
    let mut checked = [0; 5];
    let mut lengths = BTreeMap::new();
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
            *checked += usize::from(status == "1");
        }
        assert_eq!(row[11], "", "{row:?}");
    }
    // Flows with an IPv4 header, UDP, TCP, ICMP, ICMPv6.
    assert_eq!(checked, [5, 5, 2, 1, 1].map(|flows| flows * COUNT));
    let mut expected = BTreeMap::new();
    for sizes in SIZES {
        for frame in 0..COUNT {
            *expected.entry(sizes[frame % sizes.len()] - 4).or_insert(0) += 1;
        }
    }
    assert_eq!(lengths, expected);
}

#[test]
fn the_summary_says_what_a_flow_sends() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("flows.toml");
    let text = r#"
[[flow]]
name = "udp4"
tx = "west"
rx = "east"
rate = "100kpps"
duration = "2s"
layers = [
  {eth = {}},
  {ipv4 = {src = "198.18.0.2", dst = {range = "198.18.1.1-198.18.1.10"}}},
  {udp = {src = {range = "1-4"}, dst = 7}},
]
"#;
    std::fs::write(&file, text).unwrap();
    let text = show(&file, &["--count", "2"]);
    assert_eq!(
        text,
        "\
flow udp4: west -> east
  size    64 octets with FCS
  rate    100kpps
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
