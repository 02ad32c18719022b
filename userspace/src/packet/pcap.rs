//! Writes classic pcap files (draft-ietf-opsawg-pcap) with nanosecond time stamps.

use std::io::{Result, Write};

const MAGIC_NANOSECONDS: u32 = 0xa1b2_3c4d;
const SNAP_BYTES: u32 = 262_144;
const LINKTYPE_ETHERNET: u32 = 1;

/// A pcap file of Ethernet frames without FCS, being written.
#[derive(Debug)]
pub struct PcapWriter<W: Write> {
    out: W,
}

impl<W: Write> PcapWriter<W> {
    /// Writes the file header.
    pub fn new(mut out: W) -> Result<Self> {
        // Version 2.4, then the reserved time zone and accuracy.
        for word in [MAGIC_NANOSECONDS, 4 << 16 | 2, 0, 0, SNAP_BYTES, LINKTYPE_ETHERNET] {
            out.write_all(&word.to_le_bytes())?;
        }
        Ok(Self { out })
    }

    /// Appends a frame seen at `time_ns` after the epoch of the capture.
    pub fn write(&mut self, time_ns: u64, frame: &[u8]) -> Result<()> {
        self.write_cut(time_ns, frame, SNAP_BYTES as usize)
    }

    /// The same, of which `snap_bytes` octets are kept.
    pub fn write_cut(&mut self, time_ns: u64, frame: &[u8], snap_bytes: usize) -> Result<()> {
        let (seconds, nanoseconds) = (time_ns / 1_000_000_000, time_ns % 1_000_000_000);
        let kept = &frame[..frame.len().min(snap_bytes).min(SNAP_BYTES as usize)];
        for word in [seconds as u32, nanoseconds as u32, kept.len() as u32, frame.len() as u32] {
            self.out.write_all(&word.to_le_bytes())?;
        }
        self.out.write_all(kept)
    }

    /// Flushes what is buffered.
    pub fn finish(mut self) -> Result<()> {
        self.out.flush()
    }
}
