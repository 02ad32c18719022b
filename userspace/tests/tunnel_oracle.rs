//! Random stacks of labels, tunnels and extension headers, as `linerate show` writes
//! them: scapy builds each frame again from its fields and comes to the same octets,
//! lengths and checksums; tshark finds nothing bad.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fmt::Write as _, path::Path, process::Command};

const STACKS: usize = 250;
const FRAMES: usize = 7;

/// A small generator of its own (Numerical Recipes), so that a failure comes again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % sides
    }

    fn one(&mut self, of: &[&str]) -> String {
        of[self.roll(of.len() as u64) as usize].to_owned()
    }

    /// A field that may vary.
    fn field(&mut self, max: u64) -> String {
        let (a, b) = (self.roll(max + 1), self.roll(max + 1));
        match self.roll(4) {
            0 => format!("{{range = \"{}-{}\"}}", a.min(b), a.max(b)),
            1 => format!("{{list = [{a}, {b}, {a}]}}"),
            2 => format!("{{random = \"{}-{}\", seed = {a}, count = 9}}", a.min(b), a.max(b)),
            _ => a.to_string(),
        }
    }

    /// A source port that stands for no protocol.
    fn port(&mut self) -> String {
        let first = 50_000 + self.roll(9000);
        format!("{{range = \"{first}-{}\"}}", first + 5)
    }

    fn ethernet(&mut self) -> String {
        let dst = r#"{range = "00:00:5e:00:53:01-00:00:5e:00:53:ff"}"#;
        let mut text = format!("{{eth = {{dst = {dst}, src = \"00:00:5e:00:53:00\"}}}}");
        if self.roll(3) == 0 {
            write!(text, ", {{vlan = {{id = {}}}}}", self.field(4095)).unwrap();
        }
        text
    }

    fn ipv4(&mut self) -> String {
        let dst = self.one(&[
            r#""10.0.0.2""#,
            r#"{range = "10.0.0.2-10.0.9.2"}"#,
            r#"{list = ["10.0.0.7", "192.0.2.255", "255.1.2.3"]}"#,
        ]);
        let (ttl, id) = (self.field(255), self.field(65_535));
        format!(r#"{{ipv4 = {{src = "10.0.0.1", dst = {dst}, ttl = {ttl}, id = {id}}}}}"#)
    }

    fn ipv6(&mut self) -> String {
        let dst = self.one(&[
            r#""2001:db8::2""#,
            r#"{range = "2001:db8::2-2001:db8::ffff"}"#,
            r#"{list = ["2001:db8::2", "2001:db9:1:2:3:4:5:6"]}"#,
        ]);
        let label = self.field(0xf_ffff);
        let mut text =
            format!(r#"{{ipv6 = {{src = "2001:db8::1", dst = {dst}, flow_label = {label}}}}}"#);
        for header in [
            r#"{hop_by_hop = {options = "1e03112233"}}"#,
            "{destination_options = {}}",
            r#"{routing = {type = 4, segments_left = 1, data = "01000000 20010db8000000000000000000000042 20010db8000000000000000000000002"}}"#,
            "{routing = {data = \"0000000011223344aabbccdd\"}}",
        ] {
            if self.roll(6) == 0 {
                write!(text, ", {header}").unwrap();
            }
        }
        if self.roll(6) == 0 {
            write!(text, ", {{fragment = {{id = {}}}}}", self.field(0xffff_ffff)).unwrap();
        }
        text
    }

    /// An IP packet, which may carry others in `depth` more tunnels.
    fn packet(&mut self, depth: u32) -> String {
        let v6 = self.roll(2) == 1;
        let ip = if v6 { self.ipv6() } else { self.ipv4() };
        let above = match self.roll(if depth == 0 { 3 } else { 7 }) {
            0 => format!("{{tcp = {{src = {}, dst = 9, seq = 7}}}}", self.port()),
            1 if v6 => format!("{{icmpv6 = {{seq = {}}}}}", self.field(65_535)),
            1 => format!("{{icmp = {{seq = {}}}}}", self.field(65_535)),
            2 | 3 => format!("{{udp = {{src = {}, dst = 9}}}}", self.port()),
            4 => {
                let none = if v6 || self.roll(2) == 0 { "" } else { ", checksum = 0" };
                let (src, vni) = (self.port(), self.field(0xff_ffff));
                let (eth, packet) = (self.ethernet(), self.packet(depth - 1));
                format!(
                    "{{udp = {{src = {src}{none}}}}}, {{vxlan = {{vni = {vni}}}}}, {eth}, {packet}"
                )
            }
            5 => {
                let checksum = if self.roll(2) == 0 { "checksum = true, " } else { "" };
                let key = self.field(0xffff_ffff);
                let sequence =
                    if self.roll(2) == 0 { ", sequence = {range = \"0-99\"}" } else { "" };
                let carried = match self.roll(3) {
                    0 => format!("{}, {}", self.ethernet(), self.packet(depth - 1)),
                    _ => self.packet(depth - 1),
                };
                format!("{{gre = {{{checksum}key = {key}{sequence}}}}}, {carried}")
            }
            _ => self.packet(depth - 1),
        };
        format!("{ip}, {above}")
    }

    fn stack(&mut self) -> String {
        let mut text = self.ethernet();
        if self.roll(8) == 0 {
            let (op, tpa) = (self.field(9), r#"{range = "10.0.0.1-10.0.0.99"}"#);
            return format!(
                "{text}, {{arp = {{op = {op}, spa = \"10.0.0.1\", tha = {{range = \"00:00:5e:00:53:01-00:00:5e:00:53:09\"}}, tpa = {tpa}}}}}"
            );
        }
        for _ in 0..self.roll(4).saturating_sub(1) {
            // Not the labels that RFC 3032 keeps for itself.
            write!(text, ", {{mpls = {{label = {}, tc = 5}}}}", 16 + self.roll(1_048_560)).unwrap();
        }
        let depth = self.roll(3) as u32;
        format!("{text}, {}", self.packet(depth))
    }
}

/// Builds every frame again from its fields, without lengths, types and checksums.
const SCAPY: &str = r#"
import sys
from scapy.all import *
from scapy.contrib.mpls import MPLS
from scapy.layers.vxlan import VXLAN
COMPUTED = {IP: ("len", "chksum", "ihl"), UDP: ("len", "chksum"), TCP: ("chksum", "dataofs"),
            ICMP: ("chksum",), IPv6: ("plen", "nh"), GRE: ("chksum", "proto"),
            IPv6ExtHdrHopByHop: ("len", "nh"), IPv6ExtHdrDestOpt: ("len", "nh"),
            IPv6ExtHdrFragment: ("nh",)}
count = 0
for raw in RawPcapReader(sys.argv[1]):
    octets = raw[0]
    frame = Ether(octets)
    layer = frame
    while layer:
        for kind, names in COMPUTED.items():
            if type(layer) is kind:
                for name in names:
                    if (kind, name) == (UDP, "chksum") and layer.chksum == 0: continue
                    if (kind, name) == (GRE, "chksum") and not layer.chksum_present: continue
                    if (kind, name) == (GRE, "proto") and layer.proto == 0x6558: continue
                    if name in ("nh",) and isinstance(layer.payload, (Raw, NoPayload)): continue
                    delattr(layer, name)
        if isinstance(layer, ICMPv6EchoRequest): del layer.cksum
        layer = layer.payload if layer.payload else None
    built = raw_bytes = bytes(frame)
    if built != octets:
        at = next(i for i in range(len(octets)) if built[i:i+1] != octets[i:i+1])
        sys.exit(f"frame {count}, octet {at}: scapy {built.hex()}\nlinerate {octets.hex()}\n{Ether(octets).summary()}")
    count += 1
print(count)
"#;

fn scapy(pcap: &Path) -> String {
    let output = Command::new("/usr/bin/python3")
        .args(["-c", SCAPY])
        .arg(pcap)
        .output()
        .expect("python3 with scapy must be installed for this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn scapy_and_tshark_come_to_the_same_lengths_and_checksums() {
    let mut dice = Dice(20_261_122);
    let mut flows = "[defaults]\nrate = \"10kpps\"\ntx = \"west\"\nrx = \"east\"\n".to_owned();
    for number in 0..STACKS {
        let (stack, size) = (dice.stack(), 400 + dice.roll(500));
        writeln!(
            flows,
            "[[flow]]\nname = \"f{number}\"\nsize = [{size}, {}]\nlayers = [{stack}]",
            size + 1
        )
        .unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("flows.toml");
    let pcap = directory.path().join("show.pcap");
    std::fs::write(&file, &flows).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_linerate"))
        .args(["show", file.to_str().unwrap(), "--count", &FRAMES.to_string()])
        .args(["--pcap", pcap.to_str().unwrap()])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for word in ["BAD", "TRUNCATED"] {
        assert!(!text.contains(word), "{:?}", text.lines().find(|line| line.contains(word)));
    }
    assert_eq!(scapy(&pcap), (STACKS * FRAMES).to_string());

    let mut command = Command::new("tshark");
    command.args(["-n", "-r"]).arg(&pcap).args(["-T", "fields", "-E", "separator=|"]);
    // Its heuristics take our payload for their own.
    command.args(["--disable-protocol", "classicstun"]);
    for check in ["ip", "udp", "tcp"] {
        command.args(["-o", &format!("{check}.check_checksum:TRUE")]);
    }
    let statuses =
        ["ip", "udp", "tcp", "icmp", "icmpv6", "gre"].map(|l| format!("{l}.checksum.status"));
    for field in statuses.iter().map(String::as_str).chain(["_ws.malformed", "frame.protocols"]) {
        command.args(["-e", field]);
    }
    let output = command.output().expect("tshark must be installed for this test");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut good = [0; 6];
    for line in text.lines() {
        let columns: Vec<_> = line.split('|').collect();
        for (good, column) in good.iter_mut().zip(&columns) {
            // 0 is bad, 1 good; 2 not verified, 3 not present.
            assert!(column.split(',').all(|status| status != "0"), "{line}");
            *good += column.split(',').filter(|&status| status == "1").count();
        }
        assert_eq!(columns[6], "", "{line}");
    }
    assert_eq!(text.lines().count(), STACKS * FRAMES);
    assert!(good.iter().all(|&count| count > 50), "too few of a kind were seen: {good:?}");
}
