//! A frame header by header, for pages and as a line for people.

use super::{TAG_BYTES, Tag, layers};
use std::fmt;

/// What stands in a frame without FCS, read from its octets alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dissection {
    /// Of the frame.
    pub octets: usize,
    /// Outermost first; what no header announces is `payload`.
    pub headers: Vec<Header>,
    /// Where the tag begins, and what it says.
    pub tag: Option<(usize, Tag)>,
    tagged: bool,
}

/// A header, named as in the flow file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// `eth`, `vlan`, `ipv4`, .., `payload`.
    pub name: &'static str,
    /// Where it begins.
    pub offset: usize,
    /// Its length.
    pub octets: usize,
    /// In the order in which people name them.
    pub fields: Vec<HeaderField>,
    /// What is wrong with it: `TRUNCATED`, `BAD LENGTH`, `BAD CHECKSUM`.
    pub faults: Vec<&'static str>,
    in_words: bool,
}

/// A field of a header, named as in the flow file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderField {
    /// `src`, `ttl`, ..
    pub name: &'static str,
    /// As it may stand in the flow file.
    pub value: String,
    words: Words,
}

/// How a field appears in the line for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// Not at all.
    Silent,
    /// Its value alone.
    Bare,
    /// Its value after an arrow.
    To,
    /// Its value after this word.
    Named(&'static str),
    /// The same, unless it is 0.
    NotZero(&'static str),
    /// These words instead of the value.
    Instead(&'static str),
    /// The names of the bits that are set, as of TCP (RFC 9293 section 3.1).
    TcpFlags,
}

const TCP_FLAGS: [&str; 8] = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"];

/// Reads a frame without FCS: its headers, what is wrong with their
/// lengths and checksums, and, if it is `tagged`, the tag at the end of its L3 packet.
/// It reads the octets only, and knows nothing of the flow they came from.
pub fn dissect(frame: &[u8], tagged: bool) -> Dissection {
    let mut reading = Reading { start: frame.as_ptr().addr(), headers: Vec::new() };
    let packet = layers::read_frame(frame, &mut reading);
    let end = reading.offset(packet) + packet.len();
    let tag = packet.last_chunk::<TAG_BYTES>().filter(|_| tagged);
    Dissection {
        octets: frame.len(),
        tag: tag.map(|tag| (end - TAG_BYTES, Tag::decode(tag))),
        tagged,
        headers: reading.headers,
    }
}

/// The headers that were read so far.
#[derive(Debug)]
pub(super) struct Reading {
    /// Address of the frame's first octet, to tell where others stand.
    start: usize,
    headers: Vec<Header>,
}

impl Reading {
    fn offset(&self, octets: &[u8]) -> usize {
        octets.as_ptr().addr() - self.start
    }

    /// A header that takes these octets.
    pub(super) fn header(&mut self, name: &'static str, octets: &[u8]) {
        self.headers.push(Header {
            name,
            offset: self.offset(octets),
            octets: octets.len(),
            fields: Vec::new(),
            faults: Vec::new(),
            in_words: true,
        });
    }

    /// A header that ends before its fields do.
    pub(super) fn truncated(&mut self, name: &'static str, octets: &[u8]) {
        self.header(name, octets);
        self.fault("TRUNCATED");
    }

    /// What stands behind the last header that can be read.
    pub(super) fn payload(&mut self, octets: &[u8], in_words: bool) {
        if octets.is_empty() {
            return;
        }
        self.header("payload", octets);
        self.field("length", Words::Named("len"), octets.len());
        if let Some(header) = self.headers.last_mut() {
            header.in_words = in_words;
        }
    }

    /// A field of the last header.
    #[allow(clippy::needless_pass_by_value, reason = "most are numbers and addresses")]
    pub(super) fn field(&mut self, name: &'static str, words: Words, value: impl ToString) {
        if let Some(header) = self.headers.last_mut() {
            header.fields.push(HeaderField { name, value: value.to_string(), words });
        }
    }

    /// Shows a field of the last header that is silent else.
    pub(super) fn tell(&mut self, name: &'static str) {
        let fields = self.headers.last_mut().into_iter().flat_map(|header| &mut header.fields);
        for field in fields.filter(|field| field.name == name) {
            field.words = Words::Named(name);
        }
    }

    /// Something is wrong with the last header.
    pub(super) fn fault(&mut self, fault: &'static str) {
        if let Some(header) = self.headers.last_mut() {
            header.faults.push(fault);
        }
    }
}

impl fmt::Display for Dissection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} octets", self.octets)?;
        for header in self.headers.iter().filter(|header| header.in_words) {
            write!(f, "; {header}")?;
        }
        match self.tag {
            Some((_, Tag { trial, stream, sequence, time_ns, .. })) => {
                write!(f, "; tag trial {trial} stream {stream} seq {sequence} time {time_ns} ns")
            }
            None if self.tagged => f.write_str("; NO ROOM FOR A TAG"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `hop_by_hop` is told as "hop by hop".
        f.write_str(&self.name.replace('_', " "))?;
        for field in &self.fields {
            write!(f, "{field}")?;
        }
        self.faults.iter().try_for_each(|fault| write!(f, " {fault}"))
    }
}

impl fmt::Display for HeaderField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = &self.value;
        match self.words {
            Words::Silent => Ok(()),
            Words::NotZero(_) if value == "0" => Ok(()),
            Words::Bare => write!(f, " {value}"),
            Words::To => write!(f, " > {value}"),
            Words::Named(word) | Words::NotZero(word) => write!(f, " {word} {value}"),
            Words::Instead(words) => write!(f, " {words}"),
            Words::TcpFlags => {
                let bits = value.parse().unwrap_or(0_u8);
                let set = TCP_FLAGS.into_iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
                let names: Vec<_> = set.map(|(_, name)| name).collect();
                write!(
                    f,
                    " flags {}",
                    if names.is_empty() { "none".into() } else { names.join(",") }
                )
            }
        }
    }
}
