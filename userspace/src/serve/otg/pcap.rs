//! A capture as clients want it: classic pcap or pcapng, each frame with its FCS.

use super::model::CaptureFormat;
use crate::packet::{CaptureCounts, PcapWriter, PcapngWriter};
use pcap_parser::{Block, PcapBlockOwned, PcapError, PcapNGReader, traits::PcapReaderIterator};
use std::{
    io::{self, Cursor},
    ops::Range,
};

/// The frame check sequence of IEEE 802.3: CRC-32, the least octet first on the wire.
fn fcs(frame: &[u8]) -> [u8; 4] {
    crc32fast::hash(frame).to_le_bytes()
}

/// Converts a pcapng file of this house, whose times are in nanoseconds and frames whole.
/// Of each frame `snap` octets are kept, FCS included; `wanted` are counted from 0.
pub(super) fn with_fcs(
    pcapng: &[u8],
    format: CaptureFormat,
    port: &str,
    snap: Option<u32>,
    wanted: Range<u64>,
) -> io::Result<Vec<u8>> {
    let mut frames = Vec::new();
    let mut number = 0;
    read(pcapng, |time_ns, frame| {
        number += 1;
        if !wanted.contains(&(number - 1)) {
            return;
        }
        let mut whole = frame.to_vec();
        whole.extend(fcs(frame));
        frames.push((time_ns, whole));
    })?;
    let mut out = Vec::with_capacity(pcapng.len() + 4 * frames.len());
    let snap = snap.map_or(usize::MAX, |snap| snap as usize);
    match format {
        CaptureFormat::Pcap => {
            let mut file = PcapWriter::new(&mut out)?;
            for (time_ns, frame) in &frames {
                file.write_cut(*time_ns, frame, snap)?;
            }
            file.finish()?;
        }
        CaptureFormat::Pcapng => {
            let mut file = PcapngWriter::new(&mut out, port, None, snap.min(262_144))?;
            for (time_ns, frame) in &frames {
                file.write(*time_ns, false, frame)?;
            }
            let ends = |at: Option<&(u64, Vec<u8>)>| at.map_or(0, |(time_ns, _)| *time_ns);
            let written = frames.len() as u64;
            let counts = CaptureCounts { received: written, written, ..CaptureCounts::default() };
            file.finish(ends(frames.first()), ends(frames.last()), &counts)?;
        }
    }
    Ok(out)
}

/// Every packet of the file; what is cut off at its end is left out.
fn read(pcapng: &[u8], mut each: impl FnMut(u64, &[u8])) -> io::Result<()> {
    if pcapng.is_empty() {
        return Ok(());
    }
    let odd = |error: &dyn std::fmt::Debug| io::Error::other(format!("the capture: {error:?}"));
    let capacity = 1 << 20;
    let mut reader =
        PcapNGReader::new(capacity, Cursor::new(pcapng)).map_err(|error| odd(&error))?;
    loop {
        match reader.next() {
            Ok((used, block)) => {
                if let PcapBlockOwned::NG(Block::EnhancedPacket(packet)) = &block {
                    let time_ns = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                    each(time_ns, &packet.data[..packet.caplen as usize]);
                }
                reader.consume(used);
            }
            Err(PcapError::Eof | PcapError::UnexpectedEof) => return Ok(()),
            Err(PcapError::Incomplete(_)) => {
                if reader.reader_exhausted() {
                    return Ok(());
                }
                reader.refill().map_err(|error| odd(&error))?;
            }
            Err(error) => return Err(odd(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Range<u64> = 0..u64::MAX;

    #[test]
    fn the_fcs_is_that_of_ethernet() {
        // IEEE 802.3 annex: CRC-32 of the nine digits is 0xcbf43926.
        assert_eq!(fcs(b"123456789"), [0x26, 0x39, 0xf4, 0xcb]);
    }

    #[test]
    fn a_record_is_as_long_as_the_frame_with_its_fcs() {
        let mut pcapng = Vec::new();
        let mut file = PcapngWriter::new(&mut pcapng, "p", None, 262_144).unwrap();
        file.write(1_700_000_000_000_000_001, false, &[7; 60]).unwrap();
        file.write(1_700_000_000_000_000_002, false, &[8; 70]).unwrap();
        file.finish(0, 1, &CaptureCounts::default()).unwrap();
        let pcap = with_fcs(&pcapng, CaptureFormat::Pcap, "p", None, ALL).unwrap();
        assert_eq!(pcap.len(), 24 + 16 + 64 + 16 + 74);
        assert_eq!(pcap[..4], [0x4d, 0x3c, 0xb2, 0xa1], "nanoseconds, little-endian");
        assert_eq!(pcap[32..36], 64_u32.to_le_bytes());
        assert_eq!(pcap[40..100], [7; 60]);
        assert_eq!(pcap[100..104], fcs(&[7; 60]));
        let second = with_fcs(&pcapng, CaptureFormat::Pcap, "p", None, 1..9).unwrap();
        assert_eq!(second.len(), 24 + 16 + 74);
        let cut = with_fcs(&pcapng, CaptureFormat::Pcap, "p", Some(50), ALL).unwrap();
        assert_eq!(cut.len(), 24 + 2 * (16 + 50));
        assert_eq!(
            (&cut[32..36], &cut[36..40]),
            (&50_u32.to_le_bytes()[..], &64_u32.to_le_bytes()[..])
        );
        // What the last block lacks is no frame.
        let part =
            with_fcs(&pcapng[..pcapng.len() / 2], CaptureFormat::Pcap, "p", None, ALL).unwrap();
        assert!(part.len() < pcap.len());
        let again = with_fcs(&pcapng, CaptureFormat::Pcapng, "p", None, ALL).unwrap();
        let mut sizes = Vec::new();
        read(&again, |_, frame| sizes.push(frame.len())).unwrap();
        assert_eq!(sizes, [64, 74]);
    }
}
