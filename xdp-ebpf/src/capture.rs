#![allow(unsafe_code, reason = "an entry of a socket map is handed over by pointers")]

use crate::{
    Error, XdpMode, abi,
    link::Attachable,
    mapped::MappedArray,
    object::{Load, object},
    setup,
};
use libbpf_rs::libbpf_sys::bpf_map_update_elem;
use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd, OwnedFd},
};

/// The XDP program that gives the test frames of a port to AF_XDP sockets and everything
/// else to the kernel (capture.bpf.c). Dropping it detaches the program.
#[derive(Debug)]
pub struct Capture {
    // Detached first: fields drop in this order.
    program: Attachable,
    sockets: OwnedFd,
    banks: u32,
    records: MappedArray<abi::capture_record>,
}

impl Capture {
    /// Loads it for a port with so many RX queues.
    pub fn load(queues: u32, mode: XdpMode) -> Result<Self, Error> {
        let banks = setup::banks(queues, mode)?;
        let entries = [("sockets", queues), ("banks", banks)];
        let load = Load {
            name: "capture",
            object: object!("capture"),
            entries: &entries,
            // Long frames may lie in several buffers: the program minds.
            multi_buffer: true,
            ..Load::default()
        };
        let loaded = load.run()?;
        let mut control: MappedArray<abi::match_control> = loaded.map(".bss")?;
        let bank_by_cpu = (mode == XdpMode::Generic).into();
        control.write(0, abi::match_control { bank_by_cpu, ..Default::default() });
        let sockets = loaded.keep_fd("sockets")?;
        let records = loaded.map("banks")?;
        let program = Attachable::new(loaded.program, mode);
        Ok(Self { program, sockets, banks, records })
    }

    /// Gives an RX queue its socket.
    pub fn set_socket(&self, queue: u32, socket: BorrowedFd<'_>) -> Result<(), Error> {
        let socket = socket.as_raw_fd();
        // SAFETY: key and value are of the map's sizes and outlive the call.
        let result = unsafe {
            bpf_map_update_elem(
                self.sockets.as_raw_fd(),
                (&raw const queue).cast(),
                (&raw const socket).cast(),
                0,
            )
        };
        if result == 0 {
            return Ok(());
        }
        let source = io::Error::from_raw_os_error(-result);
        Err(Error::System { action: "give a queue its AF_XDP socket", source })
    }

    /// Attaches to an interface of this thread's network namespace, in the mode that it
    /// was loaded for.
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

    /// What all RX queues saw together.
    pub fn record(&self) -> abi::capture_record {
        let banks = (0..self.banks as usize).map(|bank| self.records.read(bank));
        banks.fold(abi::capture_record::default(), |sum, bank| abi::capture_record {
            seen: sum.seen + bank.seen,
            redirected: sum.redirected + bank.redirected,
            reserved: [0; 6],
        })
    }
}
