#![allow(unsafe_code, reason = "PTP clocks are read by ioctl and by their own clock id")]
//! The clock of a NIC (linux/ptp_clock.h), read together with `CLOCK_MONOTONIC`.

use crate::units::monotonic_ns;
use std::{
    fs::File,
    io, mem,
    os::fd::{AsRawFd, RawFd},
};

/// `_IOWR('=', 9, struct ptp_sys_offset_extended)`.
const PTP_SYS_OFFSET_EXTENDED: u32 = 0xc4c0_3d09;
/// `PTP_MAX_SAMPLES`: of so many looks at both clocks the quickest tells most.
const LOOKS: usize = 25;

/// What a NIC's clock showed, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// The NIC's clock.
    pub nic_ns: u64,
    /// `CLOCK_MONOTONIC`.
    pub monotonic_ns: u64,
    /// By so much more or less: half of the time that the look took.
    pub error_ns: u64,
}

/// A NIC's clock.
#[derive(Debug)]
pub struct Phc {
    device: File,
    by_kernel: bool,
}

impl Phc {
    /// Opens `/dev/ptpN`.
    ///
    /// # Errors
    /// Those of opening it, which by default root alone may, and of reading it.
    pub fn open(number: u32) -> io::Result<Self> {
        let device = File::open(format!("/dev/ptp{number}"))?;
        let phc = Self { device, by_kernel: true };
        // Kernels before 6.13 look at CLOCK_REALTIME instead, which may be set; and some
        // drivers do not tell when exactly they read the clock.
        let by_kernel = phc.looks_of_the_kernel().is_ok();
        let phc = Self { by_kernel, ..phc };
        phc.read()?;
        Ok(phc)
    }

    /// Looks at both clocks.
    ///
    /// # Errors
    /// What the driver says.
    pub fn read(&self) -> io::Result<ClockReading> {
        let looks = if self.by_kernel { self.looks_of_the_kernel()? } else { self.looks()? };
        quickest(&looks).ok_or_else(|| io::Error::other("it shows a time before 1970"))
    }

    /// Before, on the NIC's clock, and after.
    fn looks(&self) -> io::Result<[[i64; 3]; LOOKS]> {
        let mut looks = [[0; 3]; LOOKS];
        for look in &mut looks {
            let before_ns = monotonic_ns() as i64;
            let nic_ns = clock_ns(self.device.as_raw_fd())?;
            *look = [before_ns, nic_ns, monotonic_ns() as i64];
        }
        Ok(looks)
    }

    /// The same with the kernel's own looks, right before and after the register is read.
    fn looks_of_the_kernel(&self) -> io::Result<[[i64; 3]; LOOKS]> {
        let mut asked = SysOffsetExtended {
            samples: LOOKS as u32,
            clock: libc::CLOCK_MONOTONIC,
            reserved: [0; 2],
            times: [[ClockTime::default(); 3]; LOOKS],
        };
        // SAFETY: the structure that this request reads and fills, alive for the call.
        let result = unsafe {
            libc::ioctl(self.device.as_raw_fd(), PTP_SYS_OFFSET_EXTENDED as _, &raw mut asked)
        };
        if result < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(asked.times.map(|times| times.map(ClockTime::ns)))
    }
}

/// `struct ptp_clock_time`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct ClockTime {
    seconds: i64,
    nanoseconds: u32,
    reserved: u32,
}

impl ClockTime {
    fn ns(self) -> i64 {
        self.seconds.wrapping_mul(1_000_000_000).wrapping_add(self.nanoseconds.into())
    }
}

/// `struct ptp_sys_offset_extended`.
#[repr(C)]
struct SysOffsetExtended {
    samples: u32,
    clock: libc::clockid_t,
    reserved: [u32; 2],
    times: [[ClockTime; 3]; LOOKS],
}

const _: () = assert!(mem::size_of::<SysOffsetExtended>() == 0x4c0, "as its request says");

/// `clock_gettime` of the clock behind a descriptor (`FD_TO_CLOCKID`, clock_getres(2)).
fn clock_ns(device: RawFd) -> io::Result<i64> {
    let clock = (!device << 3) | 3;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one timespec.
    if unsafe { libc::clock_gettime(clock, &raw mut time) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(time.tv_sec.wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec))
}

fn quickest(looks: &[[i64; 3]]) -> Option<ClockReading> {
    let took = |look: &&[i64; 3]| look[2] - look[0];
    let quickest = looks.iter().filter(|look| took(look) >= 0).min_by_key(took)?;
    let error_ns = took(&quickest).unsigned_abs().div_ceil(2);
    Some(ClockReading {
        nic_ns: u64::try_from(quickest[1]).ok()?,
        monotonic_ns: u64::try_from(quickest[0]).ok()? + error_ns,
        error_ns,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quickest_look_is_the_reading() {
        let looks = [[100, 9_000, 160], [200, 9_100, 211], [300, 9_200, 290], [400, 9_300, 420]];
        let reading = ClockReading { nic_ns: 9_100, monotonic_ns: 206, error_ns: 6 };
        assert_eq!(quickest(&looks), Some(reading));
        assert_eq!(quickest(&[[5, -1, 6]]), None, "a clock before 1970");
        assert_eq!(quickest(&[]), None);
    }

    #[test]
    fn a_clock_that_is_not_there_cannot_be_opened() {
        assert_eq!(Phc::open(4_711).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    // No virtual machine without the device has a PTP clock, but every file descriptor has a
    // clock id, and that of no clock is refused.
    #[test]
    fn what_is_no_clock_is_not_read() {
        let device = File::open("/dev/null").unwrap();
        assert!(clock_ns(device.as_raw_fd()).is_err());
        let phc = Phc { device, by_kernel: true };
        assert!(phc.read().is_err());
    }
}
