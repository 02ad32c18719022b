#![allow(unsafe_code, reason = "a batch of map entries is handed over by pointers")]

use crate::{
    Error, TestRun, XdpMode, abi,
    link::Attachable,
    mapped::MappedArray,
    object::{Load, object},
    setup, test_run,
};
use libbpf_rs::libbpf_sys::bpf_map_update_batch;
use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd},
    ptr,
};

/// The XDP program that counts and drops every frame of a known content at one port, and
/// passes everything else untouched (matcher.bpf.c).
///
/// Reads cost no system call and no lock. Dropping it detaches the program; so does the
/// end of the process.
#[derive(Debug)]
pub struct Matcher {
    // Detached first: fields drop in this order.
    program: Attachable,
    banks: u32,
    control: MappedArray<abi::match_control>,
    counts: MappedArray<u64>,
    records: MappedArray<abi::match_record>,
}

impl Matcher {
    /// Loads it for a port with so many RX queues. `contents`: fingerprints
    /// ([`fingerprint`](crate::fingerprint())), each once; none is fine.
    pub fn load(contents: &[u64], queues: u32, mode: XdpMode) -> Result<Self, Error> {
        let banks = setup::banks(queues, mode)?;
        let places = u32::try_from(contents.len().max(1)).map_err(|_| Error::Setup {
            what: format!("{} frames; at most 4294967295 are possible", contents.len()),
        })?;
        let entries = [("contents", places), ("counts", places), ("banks", banks)];
        let load = Load {
            name: "matcher",
            object: object!("matcher"),
            entries: &entries,
            ..Load::default()
        };
        // A frame may always lie in several buffers: the program minds.
        let loaded = Load { multi_buffer: true, ..load }.run()?;
        fill(loaded.fd("contents")?, contents)?;
        let mut matcher = Self {
            banks,
            control: loaded.map(".bss")?,
            counts: loaded.map("counts")?,
            records: loaded.map("banks")?,
            program: Attachable::new(loaded.program, mode),
        };
        let bank_by_cpu = (mode == XdpMode::Generic).into();
        matcher.control.write(0, abi::match_control { bank_by_cpu, ..Default::default() });
        Ok(matcher)
    }

    /// Attaches to an interface of this thread's network namespace, in the mode that it
    /// was loaded for. The link may go down for seconds: await its carrier.
    pub fn attach(&mut self, ifindex: u32) -> Result<(), Error> {
        self.program.attach(ifindex)
    }

    /// The mode it was loaded for, and is attached in.
    pub fn attach_mode(&self) -> XdpMode {
        self.program.mode
    }

    /// Frames received so far of the content at this place of the list.
    ///
    /// # Panics
    /// If there is no such place.
    pub fn count(&self, content: usize) -> u64 {
        self.counts.read(content)
    }

    /// What each RX queue (CPU in generic mode) saw.
    pub fn records(&self) -> impl Iterator<Item = abi::match_record> {
        (0..self.banks as usize).map(|bank| self.records.read(bank))
    }

    /// Frames that were passed uncounted, because they came on a queue that the port did
    /// not have when the matcher was loaded. Not 0: somebody changed the port.
    pub fn unbanked(&self) -> u64 {
        self.control.read(0).unbanked
    }

    /// Runs the program on a frame without FCS.
    pub fn test_run(&self, frame: &[u8]) -> Result<TestRun, Error> {
        test_run::run(self.program.fd(), frame, None, 1)
    }
}

/// Writes all fingerprints with their places.
fn fill(map: BorrowedFd<'_>, contents: &[u64]) -> Result<(), Error> {
    if contents.is_empty() {
        return Ok(());
    }
    let places: Vec<u32> = (0..contents.len() as u32).collect();
    let mut count = contents.len() as u32;
    // SAFETY: both arrays are of `count` entries of the map's key and value, and outlive
    // the call, which only reads them.
    let result = unsafe {
        bpf_map_update_batch(
            map.as_raw_fd(),
            contents.as_ptr().cast(),
            places.as_ptr().cast(),
            &raw mut count,
            ptr::null(),
        )
    };
    if result == 0 {
        return Ok(());
    }
    Err(Error::System {
        action: "fill the list of frames",
        source: io::Error::from_raw_os_error(-result),
    })
}
