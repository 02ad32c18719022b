#![allow(unsafe_code, reason = "an entry of the address map is handed over by pointers")]

use crate::{
    Error, TestRun, XdpMode, abi,
    link::Attachable,
    mapped::MappedArray,
    object::{Load, object},
    setup, test_run,
};
use libbpf_rs::libbpf_sys::bpf_map_update_elem;
use std::{
    io,
    net::{IpAddr, Ipv6Addr},
    os::fd::{AsRawFd, BorrowedFd},
};

/// What is sent back, and what of it is swapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RespondMode {
    /// Test frames, with MAC addresses swapped.
    L2,
    /// Test frames, with IP addresses swapped too.
    L3,
    /// Datagrams to UDP port 7 of its addresses, with ports swapped too (RFC 862).
    UdpEcho,
}

/// What a responder is loaded for.
#[derive(Debug, Clone)]
pub struct ResponderSetup<'a> {
    /// What is sent back.
    pub mode: RespondMode,
    /// Addresses that it plays: it answers pings to them.
    pub played: &'a [IpAddr],
    /// Addresses that the kernel owns, and answers for itself.
    pub kernel: &'a [IpAddr],
    /// RX queues of the port.
    pub queues: u32,
}

/// The XDP program that sends test frames of a port back (responder.bpf.c). Dropping it
/// detaches the program; so does the end of the process.
#[derive(Debug)]
pub struct Responder {
    // Detached first: fields drop in this order.
    program: Attachable,
    banks: u32,
    control: MappedArray<abi::respond_control>,
    records: MappedArray<abi::respond_record>,
}

impl Responder {
    /// Loads it.
    pub fn load(setup: &ResponderSetup<'_>, mode: XdpMode) -> Result<Self, Error> {
        let banks = setup::banks(setup.queues, mode)?;
        let addresses = (setup.played.len() + setup.kernel.len()).max(1);
        let addresses = u32::try_from(addresses)
            .map_err(|_| Error::Setup { what: format!("{addresses} addresses") })?;
        let entries = [("addresses", addresses), ("banks", banks)];
        let load = Load {
            name: "responder",
            object: object!("responder"),
            entries: &entries,
            // Long frames may lie in several buffers: the program minds.
            multi_buffer: true,
            ..Load::default()
        };
        let loaded = load.run()?;
        let map = loaded.fd("addresses")?;
        for (list, kind) in
            [(setup.played, abi::RESPOND_PLAYED), (setup.kernel, abi::RESPOND_KERNEL)]
        {
            list.iter().try_for_each(|address| add(map, *address, kind))?;
        }
        let mut responder = Self {
            banks,
            control: loaded.map(".bss")?,
            records: loaded.map("banks")?,
            program: Attachable::new(loaded.program, mode),
        };
        let control = abi::respond_control {
            bank_by_cpu: (mode == XdpMode::Generic).into(),
            mode: match setup.mode {
                RespondMode::L2 => abi::RESPOND_L2,
                RespondMode::L3 => abi::RESPOND_L3,
                RespondMode::UdpEcho => abi::RESPOND_UDP_ECHO,
            },
            ..Default::default()
        };
        responder.control.write(0, control);
        Ok(responder)
    }

    /// Attaches to an interface of this thread's network namespace, in the mode that it
    /// was loaded for. The link may go down for seconds: await its carrier.
    pub fn attach(&mut self, ifindex: u32) -> Result<(), Error> {
        self.program.attach(ifindex)
    }

    /// Lets go of the interface; what was counted stays.
    pub fn detach(&mut self) {
        self.program.detach();
    }

    /// The mode it was loaded for, and is attached in.
    pub fn attach_mode(&self) -> XdpMode {
        self.program.mode
    }

    /// What each RX queue (CPU in generic mode) saw.
    pub fn records(&self) -> impl Iterator<Item = abi::respond_record> {
        (0..self.banks as usize).map(|bank| self.records.read(bank))
    }

    /// Frames that were passed uncounted, because they came on a queue that the port did
    /// not have when the responder was loaded. Not 0: somebody changed the port.
    pub fn unbanked(&self) -> u64 {
        self.control.read(0).unbanked
    }

    /// Runs the program on a frame without FCS.
    pub fn test_run(&self, frame: &[u8]) -> Result<TestRun, Error> {
        test_run::run(self.program.fd(), frame, None, 1)
    }
}

/// Writes an address and what it is. The later word on it holds.
fn add(map: BorrowedFd<'_>, address: IpAddr, kind: u32) -> Result<(), Error> {
    let key: Ipv6Addr = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    };
    let key = key.octets();
    // SAFETY: key and value are of the map's sizes and outlive the call, which reads them.
    let result = unsafe {
        bpf_map_update_elem(map.as_raw_fd(), key.as_ptr().cast(), (&raw const kind).cast(), 0)
    };
    if result == 0 {
        return Ok(());
    }
    let source = io::Error::from_raw_os_error(-result);
    Err(Error::System { action: "note an address of the responder", source })
}
