//! Test frames of RFC 2544 appendix C, octet by octet: scapy builds each from its own idea of
//! Ethernet, IP and UDP, tshark reads it, and the numbers are those that the RFC prints, with
//! the errata of its length column.

use linerate::{
    packet::{Cursor, NextHop, PcapWriter, Program, TAG_BYTES, TagStamp},
    spec::{SuiteFile, SuiteFlags},
    suite::real::test_flows,
};
use std::{collections::BTreeMap, fs::File, path::Path, process::Command, sync::Arc};

/// Frame size, IP total length, UDP length, and the IP checksums towards 198.19.1.2 and
/// 198.19.65.2.
const GOLDEN: [(usize, u16, u16, u16, u16); 8] = [
    (64, 0x002e, 0x001a, 0x2296, 0xe295),
    (128, 0x006e, 0x005a, 0x2256, 0xe255),
    (256, 0x00ee, 0x00da, 0x21d6, 0xe1d5),
    (512, 0x01ee, 0x01da, 0x20d6, 0xe0d5),
    (768, 0x02ee, 0x02da, 0x1fd6, 0xdfd5),
    (1024, 0x03ee, 0x03da, 0x1ed6, 0xded5),
    (1280, 0x04ee, 0x04da, 0x1dd6, 0xddd5),
    (1518, 0x05dc, 0x05c8, 0x1ce8, 0xdce7),
];

/// Says of every frame which octets but the tag's differ from what it builds itself.
const SCAPY: &str = r#"
import sys
from scapy.all import Ether, IP, UDP, RawPcapReader
count = 0
for octets, _ in RawPcapReader(sys.argv[1]):
    head = Ether(dst="02:00:00:00:00:01", src="02:00:00:00:00:02")
    destination = ".".join(str(octet) for octet in octets[30:34])
    head /= IP(src="198.18.1.2", dst=destination, tos=0, id=0, flags=0, ttl=10)
    head /= UDP(sport=0xC020, dport=7, chksum=0)
    payload = len(octets) - len(bytes(head))
    built = bytes(head / bytes(i % 256 for i in range(payload)))
    wrong = [i for i in range(len(octets) - 14) if built[i] != octets[i]]
    if len(built) != len(octets) or wrong:
        sys.exit(f"frame {count} differs at {wrong}: {built.hex()} {octets.hex()}")
    count += 1
print(count)
"#;

/// So many frames of a suite's only flow, as octets without FCS.
fn frames(suite: &str, count: u32) -> Vec<Vec<u8>> {
    let file = SuiteFile::from_toml(suite, &SuiteFlags::default()).expect("a suite file");
    let spec = test_flows(&file.rfc2544().expect("a suite").suite).expect("flows");
    assert_eq!(spec.flows.len(), 1, "one direction");
    let hop = NextHop::One([2, 0, 0, 0, 0, 1]);
    let program = Program::compile(&spec.flows[0], [2, 0, 0, 0, 0, 2], &hop).expect("a program");
    let program = Arc::new(program);
    let mut cursor = Cursor::new(Arc::clone(&program), 0, 1);
    let frame = |sequence| {
        let mut chunk = vec![0xee; program.max_frame_bytes()];
        cursor.fill(&mut chunk);
        let stamp = TagStamp { magic: 1, stream: 0, sequence, time_ns: 1 };
        let bytes = cursor.write(&mut chunk, &stamp);
        chunk.truncate(bytes);
        chunk
    };
    (0..count).map(frame).collect()
}

fn pcap(path: &Path, frames: &[Vec<u8>]) {
    let mut writer = PcapWriter::new(File::create(path).expect("a file")).expect("a header");
    for frame in frames {
        writer.write(0, frame).expect("a record");
    }
    writer.finish().expect("a whole file");
}

fn suite(addresses: &str) -> String {
    let sizes: Vec<_> = GOLDEN.iter().map(|golden| golden.0.to_string()).collect();
    format!(
        r#"
        sizes = [{}]
        [topology]
        pairs = [["west", "east"]]
        direction = "forward"
        {addresses}
        "#,
        sizes.join(", ")
    )
}

/// What tshark reads: frame length, TOS, id, flags, TTL, IP length and checksum, source,
/// destination, ports, UDP length and checksum.
fn read_by_tshark(path: &Path) -> Vec<Vec<String>> {
    const FIELDS: [&str; 14] = [
        "frame.len",
        "ip.dsfield",
        "ip.id",
        "ip.flags",
        "ip.ttl",
        "ip.len",
        "ip.checksum",
        "ip.checksum.status",
        "ip.src",
        "ip.dst",
        "udp.srcport",
        "udp.dstport",
        "udp.length",
        "udp.checksum",
    ];
    let mut command = Command::new("tshark");
    command.args(["-o", "ip.check_checksum:TRUE", "-T", "fields", "-r"]).arg(path);
    for field in FIELDS {
        command.args(["-e", field]);
    }
    let output = command.output().expect("tshark must be installed for this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn built_by_scapy(path: &Path) -> usize {
    let output = Command::new("/usr/bin/python3").args(["-c", SCAPY]).arg(path).output();
    let output = output.expect("python3 with scapy must be installed for this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("a count")
}

#[test]
fn frames_of_every_size_are_those_of_appendix_c() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("golden.pcap");
    let frames = frames(&suite(""), 2 * GOLDEN.len() as u32);
    pcap(&path, &frames);
    assert_eq!(built_by_scapy(&path), frames.len());
    let rows = read_by_tshark(&path);
    assert_eq!(rows.len(), frames.len());
    for (row, (size, total, udp, checksum, _)) in rows.iter().zip(GOLDEN.iter().cycle()) {
        let expected = [
            (size - 4).to_string(),
            "0x00".into(),
            "0x0000".into(),
            "0x00".into(),
            "10".into(),
            total.to_string(),
            format!("{checksum:#06x}"),
            "1".into(),
            "198.18.1.2".into(),
            "198.19.1.2".into(),
            "49184".into(),
            "7".into(),
            udp.to_string(),
            "0x0000".into(),
        ];
        assert_eq!(row[..], expected, "{size} octets");
    }
}

#[test]
fn frames_for_many_networks_go_to_each_alike() {
    const FRAMES: u32 = 8 * 190 * 5;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("networks.pcap");
    let frames = frames(&suite("[addresses]\nnetworks = 256"), FRAMES);
    pcap(&path, &frames);
    assert_eq!(built_by_scapy(&path), frames.len());
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut golden = 0;
    for (row, (size, .., checksum)) in read_by_tshark(&path).iter().zip(GOLDEN.iter().cycle()) {
        assert_eq!((row[0].as_str(), row[7].as_str()), ((size - 4).to_string().as_str(), "1"));
        if row[9] == "198.19.65.2" {
            assert_eq!(row[6], format!("{checksum:#06x}"), "{size} octets");
            golden += 1;
        }
        *seen.entry(row[9].clone()).or_default() += 1;
    }
    assert!(golden > 12, "{golden} frames to 198.19.65.2");
    let networks: Vec<String> = (65..=254).map(|net| format!("198.19.{net}.2")).collect();
    assert!(seen.keys().all(|address| networks.contains(address)), "{seen:?}");
    // Drawn evenly: each has 40 in the mean, with a deviation of 6.3.
    assert_eq!(seen.len(), networks.len());
    assert!(seen.values().all(|count| (10..=75).contains(count)), "{seen:?}");
}

#[test]
fn the_management_query_is_read_as_snmp() {
    let text = suite("[modifiers]\nmanagement = true\nvlan = 100");
    let file = SuiteFile::from_toml(&text, &SuiteFlags::default()).expect("a suite file");
    let spec = test_flows(&file.rfc2544().expect("a suite").suite).expect("flows");
    let query = spec.flows.iter().find(|flow| flow.rx.is_none()).expect("the query");
    let hop = NextHop::One([2, 0, 0, 0, 0, 1]);
    let program = Program::compile(query, [2, 0, 0, 0, 0, 2], &hop).expect("a program");
    let mut cursor = Cursor::new(Arc::new(program), 0, 1);
    let mut chunk = vec![0; cursor.program().max_frame_bytes()];
    cursor.fill(&mut chunk);
    let stamp = TagStamp { magic: 1, stream: 0, sequence: 0, time_ns: 1 };
    let bytes = cursor.write(&mut chunk, &stamp);
    assert_eq!(bytes, chunk.len());
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("query.pcap");
    pcap(&path, &[chunk]);
    let output = Command::new("tshark")
        .args(["-T", "fields", "-E", "occurrence=a", "-r"])
        .arg(&path)
        .args(["-e", "vlan.id", "-e", "ip.dst", "-e", "udp.dstport", "-e", "snmp.community"])
        .args(["-e", "snmp.version", "-e", "snmp.name", "-e", "_ws.malformed"])
        .output()
        .expect("tshark must be installed for this test");
    let line = String::from_utf8_lossy(&output.stdout);
    let objects = "1.3.6.1.2.1.1.3.0,1.3.6.1.2.1.2.2.1.10.1,1.3.6.1.2.1.2.2.1.16.1,\
                   1.3.6.1.2.1.2.2.1.11.1,1.3.6.1.2.1.2.2.1.17.1";
    assert_eq!(line.trim_end(), format!("100\t198.18.1.1\t161\tpublic\t0\t{objects}"));
}

#[test]
fn what_is_not_of_appendix_c_is_the_tag_alone() {
    let [plain, tagged] = [0_usize, 1].map(|at| frames(&suite(""), 2 * 8)[8 * at].clone());
    let differs: Vec<usize> = (0..plain.len()).filter(|&at| plain[at] != tagged[at]).collect();
    assert!(!differs.is_empty() && differs.iter().all(|&at| at >= plain.len() - TAG_BYTES));
}

#[test]
fn ipv6_frames_that_cannot_hold_the_tag_are_refused() {
    let text = suite("[addresses]\nipv6 = true");
    let read = |text: &str| {
        let file = SuiteFile::from_toml(text, &SuiteFlags::default()).expect("a suite file");
        test_flows(&file.rfc2544().expect("a suite").suite)
    };
    let line = read(&text).expect_err("64 octets").to_string();
    assert!(line.contains("64") && line.contains("80") && !line.contains('\n'), "{line}");
    assert!(read(&text.replace("64, ", "80, ")).is_ok());
}
