//! Reads captures of Ethernet frames: pcap (draft-ietf-opsawg-pcap, micro- and nanoseconds,
//! both byte orders) and pcapng (draft-ietf-opsawg-pcapng).

use pcap_parser::{
    Block, InterfaceDescriptionBlock, Linktype, OptionCode, PcapBlockOwned, PcapError, PcapHeader,
    create_reader, traits::PcapNGPacketBlock,
};
use std::io::Read;

/// Least octets of an Ethernet frame without FCS (IEEE 802.3, 4.2.3.3).
const SHORTEST: usize = 60;
/// Octets of addresses and type: less is no frame at all.
const HEADER: usize = 14;
/// Largest block that a sane file has: the greatest snap length and some options.
const BLOCK_MAX: usize = 1 << 20;
const LINKTYPE_ETHERNET: i32 = 1;
/// Option of an interface: octets of FCS in each of its frames.
const IF_FCSLEN: OptionCode = OptionCode(13);
const SECOND_NS: u128 = 1_000_000_000;

/// Frames of a capture file, without FCS, in the order of the file.
#[derive(Debug, Default)]
pub struct Recording {
    octets: Vec<u8>,
    /// By frame: where it ends in `octets`.
    ends: Vec<usize>,
    /// By frame: ns since the first, never less than that of the frame before.
    times_ns: Vec<u64>,
    backward: u64,
    padded: u64,
}

/// Why a file cannot be read as frames to send. Frames count from 1.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum RecordingError {
    #[error("it is neither pcap nor pcapng")]
    NotACapture,
    #[error("it cannot be read: {0}")]
    Read(std::io::Error),
    #[error("it holds no frame")]
    Empty,
    #[error("it ends in the middle of frame {frame}; cut that off, e.g. with editcap")]
    Cut { frame: usize },
    #[error("what follows frame {after} is damaged")]
    Damaged { after: usize },
    #[error("frame {frame} claims {bytes} octets, which no Ethernet frame has")]
    Absurd { frame: usize, bytes: usize },
    #[error("frame {frame} is of link type {link_type}; only Ethernet (1) can be sent")]
    LinkType { frame: usize, link_type: i32 },
    #[error(
        "frame {frame} was captured in part: {captured} of {original} octets; capture whole frames, or fill up with zeros: --pad"
    )]
    Partial { frame: usize, captured: usize, original: usize },
    #[error(
        "frame {frame} has {bytes} octets, fewer than an Ethernet header; delete it, e.g. with editcap"
    )]
    NoHeader { frame: usize, bytes: usize },
    #[error(
        "frame {frame} has {bytes} octets, and Ethernet wants 60 (without FCS); fill up with zeros: --pad"
    )]
    Short { frame: usize, bytes: usize },
}

/// One interface of the capture, as far as it matters.
#[derive(Debug, Clone, Copy)]
struct Interface {
    link_type: i32,
    fcs_bytes: usize,
    /// Ticks of its time stamps in a second.
    ticks: u128,
    offset_s: i64,
    snap_bytes: usize,
}

impl Recording {
    /// Reads a whole file. `pad`: what was captured in part, or is shorter than Ethernet
    /// allows, is filled with zeros instead of refused.
    pub fn read(mut file: impl Read + Send, pad: bool) -> Result<Self, RecordingError> {
        let mut failure = None;
        let watched = Watched { file: &mut file, failure: &mut failure };
        let recording = read(watched, pad);
        // The parser knows that reading failed, not how.
        match failure {
            Some(error) => Err(RecordingError::Read(error)),
            None => recording,
        }
    }

    /// How many frames there are, at least 1.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Never true of what [`Self::read`] returned.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The octets of a frame.
    ///
    /// # Panics
    /// If there is no such frame.
    #[inline]
    pub fn frame(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.octets[start..self.ends[index]]
    }

    /// By frame: ns since the first one.
    pub fn times_ns(&self) -> &[u64] {
        &self.times_ns
    }

    /// All frames, in order.
    pub fn frames(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|index| self.frame(index))
    }

    /// Octets of all frames, without FCS.
    pub fn bytes(&self) -> u64 {
        self.octets.len() as u64
    }

    /// Frames stamped earlier than one before them; their gap counts as none.
    pub fn backward(&self) -> u64 {
        self.backward
    }

    /// Frames that were filled up with zeros.
    pub fn padded(&self) -> u64 {
        self.padded
    }

    /// Appends a frame that was stamped `time_ns` (of any epoch).
    fn push(
        &mut self,
        interface: &Interface,
        captured: &[u8],
        original: usize,
        pad: bool,
    ) -> Result<(), RecordingError> {
        let frame = self.len() + 1;
        if interface.link_type != LINKTYPE_ETHERNET {
            return Err(RecordingError::LinkType { frame, link_type: interface.link_type });
        }
        if original > BLOCK_MAX {
            return Err(RecordingError::Absurd { frame, bytes: original });
        }
        // A frame captured in part lost its FCS with its end.
        let length = original.saturating_sub(interface.fcs_bytes);
        let octets = &captured[..captured.len().min(length)];
        if octets.len() < length && !pad {
            let (captured, original) = (octets.len(), length);
            return Err(RecordingError::Partial { frame, captured, original });
        }
        if octets.len() < HEADER {
            return Err(RecordingError::NoHeader { frame, bytes: octets.len() });
        }
        if length < SHORTEST && !pad {
            return Err(RecordingError::Short { frame, bytes: length });
        }
        let end = self.octets.len() + length.max(SHORTEST);
        self.octets.extend_from_slice(octets);
        self.padded += u64::from(self.octets.len() < end);
        self.octets.resize(end, 0);
        self.ends.push(end);
        Ok(())
    }

    /// The time of the frame just appended.
    fn stamp(&mut self, time_ns: i128, first_ns: &mut Option<i128>) {
        let first_ns = *first_ns.get_or_insert(time_ns);
        let time_ns = u64::try_from((time_ns - first_ns).max(0)).unwrap_or(u64::MAX);
        let before_ns = self.times_ns.last().copied().unwrap_or(0);
        self.backward += u64::from(time_ns < before_ns);
        self.times_ns.push(time_ns.max(before_ns));
    }
}

/// Keeps the error that the parser throws away.
struct Watched<'a, R> {
    file: &'a mut R,
    failure: &'a mut Option<std::io::Error>,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        // The parser takes its first block from one read, however little a pipe gave.
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    *self.failure = Some(error);
                    return Err(std::io::ErrorKind::Other.into());
                }
            }
        }
        Ok(filled)
    }
}

fn read(file: impl Read + Send, pad: bool) -> Result<Recording, RecordingError> {
    let mut recording = Recording::default();
    let mut interfaces: Vec<Interface> = Vec::new();
    let mut first_ns = None;
    let mut capacity = 1 << 16;
    let mut reader = create_reader(capacity, file).map_err(|_| RecordingError::NotACapture)?;
    loop {
        let after = recording.len();
        let damaged = || RecordingError::Damaged { after };
        let (consumed, block) = match reader.next() {
            Ok(block) => block,
            Err(PcapError::Eof) => break,
            Err(PcapError::Incomplete(_)) => {
                reader.refill().map_err(|_| damaged())?;
                continue;
            }
            Err(PcapError::BufferTooSmall) if capacity < 2 * BLOCK_MAX => {
                capacity *= 2;
                reader.grow(capacity);
                reader.refill().map_err(|_| damaged())?;
                continue;
            }
            Err(PcapError::UnexpectedEof) => return Err(RecordingError::Cut { frame: after + 1 }),
            Err(_) => return Err(damaged()),
        };
        match block {
            PcapBlockOwned::LegacyHeader(header) => interfaces = vec![Interface::of_file(&header)],
            PcapBlockOwned::Legacy(packet) => {
                let interface = interfaces.first().ok_or_else(damaged)?;
                recording.push(interface, packet.data, packet.origlen as usize, pad)?;
                let seconds = i128::from(packet.ts_sec) * SECOND_NS as i128;
                let ticks = u128::from(packet.ts_usec) * SECOND_NS / interface.ticks;
                recording.stamp(seconds + ticks as i128, &mut first_ns);
            }
            PcapBlockOwned::NG(Block::SectionHeader(_)) => interfaces.clear(),
            PcapBlockOwned::NG(Block::InterfaceDescription(description)) => {
                interfaces.push(Interface::of_section(&description).ok_or_else(damaged)?);
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                let interface = interfaces.get(packet.if_id as usize).ok_or_else(damaged)?;
                if packet.caplen as usize > packet.data.len() {
                    return Err(damaged());
                }
                recording.push(interface, packet.packet_data(), packet.origlen as usize, pad)?;
                let ticks = u128::from(packet.ts_high) << 32 | u128::from(packet.ts_low);
                let time_ns = (ticks * SECOND_NS / interface.ticks) as i128
                    + i128::from(interface.offset_s) * SECOND_NS as i128;
                recording.stamp(time_ns, &mut first_ns);
            }
            PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
                let interface = interfaces.first().ok_or_else(damaged)?;
                let octets = (packet.origlen as usize).min(interface.snap_bytes);
                let captured = packet.data.get(..octets).ok_or_else(damaged)?;
                recording.push(interface, captured, packet.origlen as usize, pad)?;
                // It has no stamp: it comes right after the one before.
                let last_ns = recording.times_ns.last().copied().unwrap_or(0);
                recording.times_ns.push(last_ns);
            }
            PcapBlockOwned::NG(_) => {}
        }
        reader.consume(consumed);
    }
    if recording.is_empty() { Err(RecordingError::Empty) } else { Ok(recording) }
}

impl Interface {
    /// Of a pcap file: the upper half of the link type tells of an FCS.
    fn of_file(header: &PcapHeader) -> Self {
        const FCS_PRESENT: u32 = 1 << 26;
        let Linktype(network) = header.network;
        let network = network as u32;
        let has_fcs = network & FCS_PRESENT != 0;
        Self {
            link_type: (network & 0xffff) as i32,
            fcs_bytes: if has_fcs { (network >> 28) as usize * 2 } else { 0 },
            ticks: if header.is_nanosecond_precision() { SECOND_NS } else { 1_000_000 },
            offset_s: 0,
            snap_bytes: usize::MAX,
        }
    }

    /// Of a pcapng section. `None`: a resolution finer than 64 bits can hold.
    fn of_section(description: &InterfaceDescriptionBlock<'_>) -> Option<Self> {
        let Linktype(link_type) = description.linktype;
        let exponent = u32::from(description.if_tsresol & 0x7f);
        let base: u128 = if description.if_tsresol & 0x80 == 0 { 10 } else { 2 };
        let fcs = description.options.iter().find(|option| option.code == IF_FCSLEN);
        Some(Self {
            link_type,
            fcs_bytes: fcs.and_then(|fcs| fcs.value.first()).map_or(0, |&bytes| bytes.into()),
            ticks: base.checked_pow(exponent).filter(|ticks| *ticks <= 1 << 64)?,
            offset_s: description.if_tsoffset,
            snap_bytes: match description.snaplen {
                0 => usize::MAX,
                bytes => bytes as usize,
            },
        })
    }
}
