//! A capture that keeps the last so many files.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

/// `--ring 5x100MB`: files in turn, and the most octets of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingSize {
    files: u32,
    bytes: u64,
}

impl FromStr for RingSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || "want FILESxSIZE, such as `5x100MB`: 2 files or more of 10kB or more".to_owned();
        let (files, size) = text.split_once('x').ok_or_else(wrong)?;
        let digits = size.trim_end_matches(|letter: char| !letter.is_ascii_digit());
        let unit = match &size[digits.len()..] {
            "kB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            _ => return Err(wrong()),
        };
        let files = files.parse().map_err(|_| wrong())?;
        let count: u64 = digits.parse().map_err(|_| wrong())?;
        let bytes = count.checked_mul(unit).ok_or_else(wrong)?;
        if files < 2 || bytes < 10_000 { Err(wrong()) } else { Ok(Self { files, bytes }) }
    }
}

/// Blocks of a head, which every file begins with: section and interface.
const HEAD_BLOCKS: usize = 2;

/// Writes pcapng block by block, as [`PcapngWriter`](crate::packet::PcapngWriter) hands them
/// over, and goes on in the next file where the next block has no room. The oldest is
/// overwritten.
#[derive(Debug)]
pub(super) struct Ring {
    path: PathBuf,
    size: RingSize,
    head: Vec<u8>,
    blocks: usize,
    /// Number of the file, from 0, and octets in it.
    number: u32,
    written: u64,
    file: BufWriter<File>,
}

impl Ring {
    pub(super) fn create(path: &Path, size: RingSize) -> io::Result<Self> {
        let file = open(path, 0)?;
        let path = path.to_owned();
        Ok(Self { path, size, head: Vec::new(), blocks: 0, number: 0, written: 0, file })
    }

    fn next_file(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.number = (self.number + 1) % self.size.files;
        self.file = open(&self.path, self.number)?;
        self.file.write_all(&self.head)?;
        self.written = self.head.len() as u64;
        Ok(())
    }
}

impl Write for Ring {
    fn write(&mut self, block: &[u8]) -> io::Result<usize> {
        if self.blocks < HEAD_BLOCKS {
            self.head.extend(block);
        } else if self.written > self.head.len() as u64
            && self.written + block.len() as u64 > self.size.bytes
        {
            self.next_file()?;
        }
        self.blocks += 1;
        self.written += block.len() as u64;
        self.file.write_all(block)?;
        Ok(block.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// `all.pcapng` becomes `all.1.pcapng`, `all.2.pcapng`, ...
fn name(path: &Path, number: u32) -> PathBuf {
    let number = (number + 1).to_string();
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(".");
    name.push(number);
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

fn open(path: &Path, number: u32) -> io::Result<BufWriter<File>> {
    Ok(BufWriter::with_capacity(1 << 20, File::create(name(path, number))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_files_and_their_size() {
        let ring = |files, bytes| Ok(RingSize { files, bytes });
        assert_eq!("5x100MB".parse(), ring(5, 100_000_000));
        assert_eq!("2x10kB".parse(), ring(2, 10_000));
        for wrong in
            ["", "5", "1x1MB", "5x", "5x9kB", "x1MB", "5x1", "5x1mb", "5x99999999999999999GB"]
        {
            assert!(wrong.parse::<RingSize>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn files_are_numbered_before_their_ending() {
        assert_eq!(name(Path::new("/a/all.pcapng"), 0), Path::new("/a/all.1.pcapng"));
        assert_eq!(name(Path::new("all"), 9), Path::new("all.10"));
    }
}
