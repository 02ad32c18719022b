//! Writes pcapng files (draft-ietf-opsawg-pcapng) with nanosecond time stamps.

use std::io::{Result, Write};

/// A pcapng file of the frames of one port, without FCS, being written.
#[derive(Debug)]
pub struct PcapngWriter<W: Write> {
    out: W,
    snap_bytes: usize,
    block: Vec<u8>,
}

/// What a capture counted, for the end of the file. Frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CaptureCounts {
    /// Seen at the interface.
    pub received: u64,
    /// Dropped between the interface and the program.
    pub interface_dropped: u64,
    /// Dropped by the kernel for want of room in our rings and buffers.
    pub kernel_dropped: u64,
    /// Written.
    pub written: u64,
}

impl<W: Write> PcapngWriter<W> {
    /// Writes the head of the file. Of each frame at most `snap_bytes` are kept.
    pub fn new(out: W, port: &str, filter: Option<&str>, snap_bytes: usize) -> Result<Self> {
        let mut this = Self { out, snap_bytes, block: Vec::new() };
        this.begin(0x0a0d_0d0a);
        this.word(0x1a2b_3c4d);
        this.word(1); // version 1.0
        this.block.extend([0xff; 8]); // length of the section: not known
        this.option(4, concat!("linerate ", env!("CARGO_PKG_VERSION")).as_bytes());
        this.end_options()?;
        this.begin(1);
        this.word(1); // LINKTYPE_ETHERNET
        this.word(snap_bytes as u32);
        this.option(2, port.as_bytes());
        this.option(9, &[9]); // times are nanoseconds
        if let Some(filter) = filter {
            this.option(11, &[&[0], filter.as_bytes()].concat());
        }
        this.end_options()?;
        Ok(this)
    }

    /// Appends a frame, ns since 1970.
    pub fn write(&mut self, time_ns: u64, outgoing: bool, frame: &[u8]) -> Result<()> {
        let kept = &frame[..frame.len().min(self.snap_bytes)];
        self.begin(6);
        self.word(0);
        self.word((time_ns >> 32) as u32);
        self.word(time_ns as u32);
        self.word(kept.len() as u32);
        self.word(frame.len() as u32);
        self.block.extend(kept);
        self.align();
        self.option(2, &if outgoing { 2_u32 } else { 1 }.to_le_bytes());
        self.end_options()
    }

    /// Writes what was counted between two times, and what is buffered.
    pub fn finish(mut self, start_ns: u64, end_ns: u64, counts: &CaptureCounts) -> Result<W> {
        self.begin(5);
        self.word(0);
        for half in [end_ns >> 32, end_ns & 0xffff_ffff] {
            self.word(half as u32);
        }
        for (code, time_ns) in [(2, start_ns), (3, end_ns)] {
            let halves = [(time_ns >> 32) as u32, time_ns as u32];
            self.option(code, halves.map(u32::to_le_bytes).as_flattened());
        }
        for (code, count) in [
            (4, counts.received),
            (5, counts.interface_dropped),
            (7, counts.kernel_dropped),
            (8, counts.written),
        ] {
            self.option(code, &count.to_le_bytes());
        }
        self.end_options()?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn begin(&mut self, kind: u32) {
        self.block.clear();
        self.word(kind);
        self.word(0);
    }

    fn word(&mut self, word: u32) {
        self.block.extend(word.to_le_bytes());
    }

    fn option(&mut self, code: u16, value: &[u8]) {
        self.block.extend(code.to_le_bytes());
        self.block.extend((value.len() as u16).to_le_bytes());
        self.block.extend(value);
        self.align();
    }

    fn align(&mut self) {
        self.block.resize(self.block.len().next_multiple_of(4), 0);
    }

    fn end_options(&mut self) -> Result<()> {
        self.word(0);
        let length = (self.block.len() + 4) as u32;
        self.block[4..8].copy_from_slice(&length.to_le_bytes());
        self.word(length);
        self.out.write_all(&self.block)
    }
}
