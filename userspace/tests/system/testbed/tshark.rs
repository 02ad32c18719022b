//! tshark as judge of bytes, lengths and checksums.

use super::command;
use std::path::Path;

/// Every checksum is verified, no payload is taken for something by its port number,
/// and TCP numbers are shown as they are.
const SETTINGS: [&str; 14] = [
    "-o",
    "ip.check_checksum:TRUE",
    "-o",
    "udp.check_checksum:TRUE",
    "-o",
    "tcp.check_checksum:TRUE",
    "-o",
    "tcp.relative_sequence_numbers:FALSE",
    "-o",
    "tcp.analyze_sequence_numbers:FALSE",
    "-d",
    "udp.port==1-65535,data",
    "-d",
    "tcp.port==1-65535,data",
];

/// One row of field values per frame; a field that occurs twice has both, joined by `,`.
#[derive(Debug)]
pub(crate) struct Dissection {
    fields: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// Has tshark dissect `frames`; fails if it calls one malformed.
pub(crate) fn dissect(frames: &[Vec<u8>], fields: &[&str]) -> Dissection {
    let pcap = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(pcap.path(), pcap_file(frames, 0)).expect("write the capture");
    let dissection = dissect_file(pcap.path(), fields);
    assert_eq!(dissection.rows.len(), frames.len(), "tshark read another number of frames");
    dissection
}

/// The same for a capture file.
pub(crate) fn dissect_file(pcap: &Path, fields: &[&str]) -> Dissection {
    let path = pcap.to_str().expect("a UTF-8 path");
    let mut arguments = vec!["-n", "-r", path, "-T", "fields", "-E", "separator=/t"];
    arguments.extend(SETTINGS);
    let all = [&["frame.len", "_ws.malformed"], fields].concat();
    for field in &all {
        arguments.extend(["-e", field]);
    }
    let text = command("tshark", &arguments);
    let rows: Vec<Vec<String>> =
        text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect();
    let fields = all.iter().map(|field| (*field).to_owned()).collect();
    let dissection = Dissection { fields, rows };
    dissection.every("_ws.malformed", "");
    dissection
}

impl Dissection {
    /// The values of one field, frame by frame.
    #[track_caller]
    pub(crate) fn column(&self, field: &str) -> Vec<&str> {
        let index = self.fields.iter().position(|name| name == field);
        let index = index.unwrap_or_else(|| panic!("{field} was not asked for"));
        self.rows.iter().map(|row| row[index].as_str()).collect()
    }

    /// The same as numbers.
    #[track_caller]
    pub(crate) fn numbers(&self, field: &str) -> Vec<u64> {
        let number =
            |text: &str| parse(text).unwrap_or_else(|| panic!("{field} = `{text}` is no number"));
        self.column(field).into_iter().map(number).collect()
    }

    /// Fails unless the field has this value in every frame.
    #[track_caller]
    pub(crate) fn every(&self, field: &str, value: &str) -> &Self {
        for (frame, found) in self.column(field).into_iter().enumerate() {
            assert!(same(found, value), "{field} of frame {frame}: {found}, not {value}");
        }
        self
    }

    /// Fails unless frame i has value i mod the length of `cycle`.
    #[track_caller]
    pub(crate) fn cycles(&self, field: &str, cycle: &[impl AsRef<str>]) -> &Self {
        for (frame, found) in self.column(field).into_iter().enumerate() {
            let value = cycle[frame % cycle.len()].as_ref();
            assert!(same(found, value), "{field} of frame {frame}: {found}, not {value}");
        }
        self
    }
}

/// tshark's versions differ in leading zeros and bases.
fn same(found: &str, expected: &str) -> bool {
    found == expected || (parse(found).is_some() && parse(found) == parse(expected))
}

fn parse(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// A pcap file of Ethernet frames so far apart (libpcap file format 2.4).
pub(crate) fn pcap_file(frames: &[Vec<u8>], gap_us: u32) -> Vec<u8> {
    const LINKTYPE_ETHERNET: u32 = 1;
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, LINKTYPE_ETHERNET] {
        file.extend(u32::to_le_bytes(word));
    }
    for (frame, number) in frames.iter().zip(0..) {
        let length = frame.len() as u32;
        let (seconds, us) = (number * gap_us / 1_000_000, number * gap_us % 1_000_000);
        for word in [seconds, us, length, length] {
            file.extend(u32::to_le_bytes(word));
        }
        file.extend(frame);
    }
    file
}
