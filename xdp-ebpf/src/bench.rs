//! The yardsticks of the analyser's benches (feature `host`).
#![allow(unsafe_code, reason = "libbpf-rs cannot send live frames")]

use crate::{
    Error, TestRun, XdpMode, abi,
    link::Link,
    mapped::MappedArray,
    object::{Load, object},
    test_run,
};
use libbpf_rs::libbpf_sys::{
    BPF_F_TEST_XDP_LIVE_FRAMES, bpf_prog_test_run_opts, bpf_test_run_opts, xdp_md,
};
use std::{
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd},
};

/// A program that reads the clock once, makes the frame a new one as
/// [`Analyser::load_bench`](crate::Analyser::load_bench) does, and drops it.
#[derive(Debug)]
pub struct Baseline {
    program: OwnedFd,
}

impl Baseline {
    /// Loads it.
    pub fn load() -> Result<Self, Error> {
        let load = Load { name: "baseline", object: object!("baseline"), ..Load::default() };
        Ok(Self { program: load.run()?.program })
    }

    /// Runs it on a frame without FCS.
    pub fn test_run(&self, frame: &[u8], repeat: u32) -> Result<TestRun, Error> {
        test_run::run(self.program.as_fd(), frame, None, repeat)
    }
}

/// The least that a receiver can do: counts frames and drops them.
#[derive(Debug)]
pub struct Counter {
    _link: Link,
    ports: MappedArray<abi::port_record>,
}

impl Counter {
    /// Loads it and attaches it in native mode.
    pub fn attach(ifindex: u32) -> Result<Self, Error> {
        let load =
            Load { name: "counter", object: object!("counter_bench"), ..Load::default() }.run()?;
        let ports = load.map("ports")?;
        let link = Link::attach(load.program.as_fd(), ifindex, XdpMode::Native)?;
        Ok(Self { _link: link, ports })
    }

    /// Frames that came on queue 0.
    pub fn frames(&self) -> u64 {
        self.ports.read(0).seen
    }
}

/// Sends live frames, each with the next sequence number and the time.
#[derive(Debug)]
pub struct Sender {
    program: OwnedFd,
}

impl Sender {
    /// Frames that the kernel runs the program on before it hands them to the device.
    const BATCH: u32 = 64;

    /// Loads it.
    pub fn load() -> Result<Self, Error> {
        let load = Load { name: "sender", object: object!("sender_bench"), ..Load::default() };
        Ok(Self { program: load.run()?.program })
    }

    /// Sends so many copies of a frame without FCS, whose last 14 octets are a tag, out
    /// of an interface of this thread's network namespace. Gives the nanoseconds that
    /// one took, with what it cost to receive it where both share a core.
    pub fn send(&self, frame: &[u8], ifindex: u32, frames: u32) -> Result<u32, Error> {
        let context =
            xdp_md { data_end: frame.len() as u32, ingress_ifindex: ifindex, ..Default::default() };
        let mut options = bpf_test_run_opts {
            sz: size_of::<bpf_test_run_opts>() as u64,
            data_in: frame.as_ptr().cast(),
            data_size_in: frame.len() as u32,
            ctx_in: (&raw const context).cast(),
            ctx_size_in: size_of::<xdp_md>() as u32,
            repeat: frames as i32,
            flags: BPF_F_TEST_XDP_LIVE_FRAMES,
            batch_size: Self::BATCH,
            ..Default::default()
        };
        // SAFETY: frame and context outlive the call and are as long as the options say.
        let result = unsafe { bpf_prog_test_run_opts(self.program.as_raw_fd(), &raw mut options) };
        if result == 0 {
            return Ok(options.duration);
        }
        Err(Error::System {
            action: "send live frames",
            source: io::Error::from_raw_os_error(-result),
        })
    }
}
