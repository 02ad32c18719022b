//! `BPF_PROG_TEST_RUN`: a program run on a frame of ours, without a device.
#![allow(unsafe_code, reason = "libbpf-rs cannot hand over an xdp_md")]

use crate::Error;
use libbpf_rs::libbpf_sys::{
    XDP_DROP, XDP_PASS, XDP_TX, bpf_prog_test_run_opts, bpf_test_run_opts, xdp_md,
};
use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd},
};

/// What a program wants done with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `XDP_DROP`.
    Drop,
    /// `XDP_PASS`.
    Pass,
    /// `XDP_TX`: back where it came from.
    SendBack,
    /// Any other, as the kernel numbers it (enum `xdp_action`).
    Other(u32),
}

/// The outcome of a test run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRun {
    /// The answer to the last repetition.
    pub action: Action,
    /// Mean time of one repetition.
    pub duration_ns: u32,
    /// The frame afterwards.
    pub frame: Vec<u8>,
}

/// Where a test frame pretends to come from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ingress {
    pub(crate) ifindex: u32,
    pub(crate) queue: u32,
}

/// Runs a program on a frame. The frame stays as the program left it between
/// repetitions.
pub(crate) fn run(
    program: BorrowedFd<'_>,
    frame: &[u8],
    ingress: Option<Ingress>,
    repeat: u32,
) -> Result<TestRun, Error> {
    let mut after = vec![0; frame.len()];
    let context = ingress.map(|ingress| xdp_md {
        data_end: frame.len() as u32,
        ingress_ifindex: ingress.ifindex,
        rx_queue_index: ingress.queue,
        ..Default::default()
    });
    let mut options = bpf_test_run_opts {
        sz: size_of::<bpf_test_run_opts>() as u64,
        data_in: frame.as_ptr().cast(),
        data_size_in: frame.len() as u32,
        data_out: after.as_mut_ptr().cast(),
        data_size_out: after.len() as u32,
        repeat: repeat as i32,
        ..Default::default()
    };
    if let Some(context) = &context {
        options.ctx_in = std::ptr::from_ref(context).cast();
        options.ctx_size_in = size_of::<xdp_md>() as u32;
    }
    // SAFETY: every buffer outlives the call and is as long as the options say.
    let result = unsafe { bpf_prog_test_run_opts(program.as_raw_fd(), &raw mut options) };
    match -result {
        0 => Ok(TestRun {
            action: match options.retval {
                XDP_DROP => Action::Drop,
                XDP_PASS => Action::Pass,
                XDP_TX => Action::SendBack,
                other => Action::Other(other),
            },
            duration_ns: options.duration,
            frame: after,
        }),
        libc::EPERM => Err(Error::permission("test-run BPF programs")),
        errno => Err(Error::System {
            action: "test-run the program on this frame and queue",
            source: io::Error::from_raw_os_error(errno),
        }),
    }
}
