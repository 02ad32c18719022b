#![allow(unsafe_code, reason = "the ethtool ioctl takes a pointer to a structure that it fills")]
//! The ethtool ioctl (linux/ethtool.h, net/ethtool/ioctl.c). Every structure of it is a
//! row of 32-bit words of which the first is the command, so one call serves all.

use super::settings::{
    Channels, DriverInfo, LinkSettings, Pause, RX_FILTERS, Rings, StampConfig, Timestamping,
};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use std::{
    io, mem,
    os::fd::{AsRawFd, OwnedFd},
};

const SIOCETHTOOL: libc::c_ulong = 0x8946;
const SIOCSHWTSTAMP: libc::c_ulong = 0x89b0;
const SIOCGHWTSTAMP: libc::c_ulong = 0x89b1;

const GDRVINFO: u32 = 0x03;
const GCOALESCE: u32 = 0x0e;
const GRINGPARAM: u32 = 0x10;
const GPAUSEPARAM: u32 = 0x12;
const SPAUSEPARAM: u32 = 0x13;
const GSTRINGS: u32 = 0x1b;
const GSTATS: u32 = 0x1d;
const GSSET_INFO: u32 = 0x37;
const GFEATURES: u32 = 0x3a;
const SFEATURES: u32 = 0x3b;
const GCHANNELS: u32 = 0x3c;
const GET_TS_INFO: u32 = 0x41;
const GLINKSETTINGS: u32 = 0x4c;

const STRING_SET_STATS: u32 = 1;
const STRING_SET_FEATURES: u32 = 4;
const STRING_BYTES: usize = 32;
const SPEED_UNKNOWN: u32 = u32::MAX;

/// Room beyond what the kernel announced: it ignores the caller's size in GSTRINGS and
/// GSTATS, and another process may add queues between the two calls.
const SLACK_ENTRIES: usize = 4096;

/// One interface behind the ioctl, in the namespace it was opened in. Follows renames.
#[derive(Debug)]
pub(super) struct Ethtool {
    socket: OwnedFd,
    ifindex: u32,
}

impl Ethtool {
    pub(super) fn open(ifindex: u32) -> io::Result<Self> {
        let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
        Ok(Self { socket, ifindex })
    }

    pub(super) fn driver(&self) -> io::Result<DriverInfo> {
        // cmd, then driver, version, fw_version, bus_info of 32 octets each.
        let mut words = [0; 1 + 4 * 8 + 8 + 3 + 5];
        words[0] = GDRVINFO;
        self.command(&mut words)?;
        let text = |index: usize| text(&words[1 + 8 * index..][..8]);
        Ok(DriverInfo { driver: text(0), firmware: text(2), bus: text(3) })
    }

    /// Real RX and TX queues, in use and at most: dedicated ones and those that do both.
    pub(super) fn channels(&self) -> io::Result<Channels> {
        let mut words = [0; 9];
        words[0] = GCHANNELS;
        self.command(&mut words)?;
        let [_, rx_max, tx_max, _, both_max, rx, tx, _, both] = words;
        Ok(Channels {
            rx: rx + both,
            tx: tx + both,
            rx_max: rx_max + both_max,
            tx_max: tx_max + both_max,
        })
    }

    pub(super) fn rings(&self) -> io::Result<Rings> {
        let mut words = [0; 9];
        words[0] = GRINGPARAM;
        self.command(&mut words)?;
        let [_, rx_max, _, _, tx_max, rx, _, _, tx] = words;
        Ok(Rings { rx, rx_max, tx, tx_max })
    }

    /// Microseconds that an RX interrupt may be held back.
    pub(super) fn rx_coalesce_us(&self) -> io::Result<u32> {
        let mut words = [0; 23];
        words[0] = GCOALESCE;
        self.command(&mut words)?;
        Ok(words[1])
    }

    pub(super) fn timestamping(&self) -> io::Result<Timestamping> {
        let mut words = [0; 11];
        words[0] = GET_TS_INFO;
        self.command(&mut words)?;
        // SOF_TIMESTAMPING_* (linux/net_tstamp.h), then the clock's number or -1.
        let [_, flags, clock, _, _, _, _, filters, ..] = words;
        let names = ["tx-hardware", "tx-software", "rx-hardware", "rx-software"];
        let known = names.into_iter().enumerate();
        Ok(Timestamping {
            stamps: known.filter(|(bit, _)| flags >> bit & 1 == 1).map(|(_, name)| name).collect(),
            rx_filters: RX_FILTERS
                .into_iter()
                .enumerate()
                .filter(|(bit, _)| filters >> bit & 1 == 1)
                .map(|(_, name)| name)
                .collect(),
            phc: u32::try_from(clock as i32).ok(),
        })
    }

    /// What the NIC stamps.
    pub(super) fn stamps(&self) -> io::Result<StampConfig> {
        let mut config = StampConfig::default();
        self.ioctl(SIOCGHWTSTAMP, (&raw mut config).cast())?;
        Ok(config)
    }

    /// Sets what the NIC stamps; gives what it stamps then, which may be more or less.
    pub(super) fn set_stamps(&self, mut config: StampConfig) -> io::Result<StampConfig> {
        self.ioctl(SIOCSHWTSTAMP, (&raw mut config).cast())?;
        Ok(config)
    }

    /// Speed and duplex.
    pub(super) fn link(&self) -> io::Result<LinkSettings> {
        const HEADER: usize = 12;
        let mut words = vec![0_u32; HEADER];
        words[0] = GLINKSETTINGS;
        // Asked with no masks, the kernel answers the negated count of mask words.
        self.command(&mut words)?;
        let masks = (words[3].to_ne_bytes()[3] as i8).unsigned_abs();
        words = vec![0; HEADER + 3 * usize::from(masks)];
        words[0] = GLINKSETTINGS;
        words[3] = u32::from_ne_bytes([0, 0, 0, masks]);
        self.command(&mut words)?;
        let speed = words[1];
        Ok(LinkSettings {
            bps: (speed != 0 && speed != SPEED_UNKNOWN).then(|| u64::from(speed) * 1_000_000),
            duplex: match words[2].to_ne_bytes()[0] {
                0 => Some("half"),
                1 => Some("full"),
                _ => None,
            },
        })
    }

    pub(super) fn pause(&self) -> io::Result<Pause> {
        let mut words = [GPAUSEPARAM, 0, 0, 0];
        self.command(&mut words)?;
        Ok(Pause { autoneg: words[1] != 0, rx: words[2] != 0, tx: words[3] != 0 })
    }

    pub(super) fn set_pause(&self, pause: Pause) -> io::Result<()> {
        let mut words = [SPAUSEPARAM, pause.autoneg.into(), pause.rx.into(), pause.tx.into()];
        self.command(&mut words)
    }

    /// Every feature that the kernel knows, and whether it is on.
    pub(super) fn features(&self) -> io::Result<Vec<(String, bool)>> {
        let names = self.strings(STRING_SET_FEATURES)?;
        let blocks = names.len().div_ceil(32);
        let mut words = vec![0; 2 + 4 * blocks];
        words[0] = GFEATURES;
        words[1] = blocks as u32;
        self.command(&mut words)?;
        // Per block: available, requested, active, never_changed.
        let active = |bit: usize| words[2 + 4 * (bit / 32) + 2] >> (bit % 32) & 1 == 1;
        Ok(names.into_iter().enumerate().map(|(bit, name)| (name, active(bit))).collect())
    }

    /// Switches one feature and tells whether it now is as wished: the kernel accepts a
    /// wish that the device does not follow.
    pub(super) fn set_feature(&self, name: &str, on: bool) -> io::Result<bool> {
        let names = self.strings(STRING_SET_FEATURES)?;
        let Some(bit) = names.iter().position(|known| known == name) else {
            return Ok(false);
        };
        let blocks = names.len().div_ceil(32);
        let mut words = vec![0; 2 + 2 * blocks];
        words[0] = SFEATURES;
        words[1] = blocks as u32;
        let block = 2 + 2 * (bit / 32);
        words[block] = 1 << (bit % 32);
        words[block + 1] = u32::from(on) << (bit % 32);
        self.command(&mut words)?;
        Ok(self.features()?.into_iter().any(|(known, active)| known == name && active == on))
    }

    /// The driver's own counters (`ethtool -S`), in its order.
    pub(super) fn statistics(&self) -> io::Result<Vec<(String, u64)>> {
        let names = self.strings(STRING_SET_STATS)?;
        let mut words = vec![0; 2 + 2 * (names.len() + SLACK_ENTRIES)];
        words[0] = GSTATS;
        words[1] = names.len() as u32;
        if names.is_empty() {
            return Ok(Vec::new());
        }
        self.command(&mut words)?;
        if words[1] as usize != names.len() {
            return Err(io::Error::other("the driver's counters changed while being read"));
        }
        let value = |index: usize| {
            let [low, high] = [words[2 + 2 * index], words[3 + 2 * index]].map(u32::to_ne_bytes);
            u64::from_ne_bytes([low, high].concat().try_into().unwrap_or_default())
        };
        Ok(names.into_iter().enumerate().map(|(index, name)| (name, value(index))).collect())
    }

    fn strings(&self, set: u32) -> io::Result<Vec<String>> {
        // cmd, reserved, 64-bit mask of the sets asked for, one count per set.
        let mask = 1_u64 << set;
        let mut words = [GSSET_INFO, 0, 0, 0, 0];
        let mask_words = mask.to_ne_bytes();
        let (low, high) = mask_words.split_at(4);
        words[2] = word(low);
        words[3] = word(high);
        self.command(&mut words)?;
        if words[2] == 0 && words[3] == 0 {
            return Ok(Vec::new());
        }
        let count = words[4] as usize;
        let mut words = vec![0; 3 + (count + SLACK_ENTRIES) * STRING_BYTES / 4];
        words[..3].copy_from_slice(&[GSTRINGS, set, count as u32]);
        self.command(&mut words)?;
        if words[2] as usize != count {
            return Err(io::Error::other("the driver's names changed while being read"));
        }
        Ok(words[3..].chunks_exact(STRING_BYTES / 4).take(count).map(text).collect())
    }

    fn command(&self, words: &mut [u32]) -> io::Result<()> {
        self.ioctl(SIOCETHTOOL, words.as_mut_ptr().cast())
    }

    /// `data` points at what the kernel reads and fills.
    fn ioctl(&self, number: libc::c_ulong, data: *mut libc::c_char) -> io::Result<()> {
        let mut request = self.request()?;
        request.ifr_ifru.ifru_data = data;
        // SAFETY: `request` is a live ifreq whose data is the structure of its number, or words
        // that every caller sized for its command (with slack where the kernel ignores the
        // size); both outlive the call, and all bit patterns of integers are valid.
        let result = unsafe { libc::ioctl(self.socket.as_raw_fd(), number as _, &raw mut request) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// An ifreq with the interface's name of this moment.
    fn request(&self) -> io::Result<libc::ifreq> {
        // SAFETY: ifreq is plain data for which all-zero is a valid value.
        let mut request: libc::ifreq = unsafe { mem::zeroed() };
        request.ifr_ifru.ifru_ifindex = self.ifindex as libc::c_int;
        // SAFETY: SIOCGIFNAME reads ifr_ifindex and writes ifr_name of a live ifreq
        // (netdevice(7)).
        let result = unsafe {
            libc::ioctl(self.socket.as_raw_fd(), libc::SIOCGIFNAME as _, &raw mut request)
        };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(request) }
    }
}

fn word(octets: &[u8]) -> u32 {
    octets.first_chunk().map_or(0, |chunk| u32::from_ne_bytes(*chunk))
}

/// A NUL-terminated text in a fixed field.
fn text(words: &[u32]) -> String {
    let octets: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let end = octets.iter().position(|&octet| octet == 0).unwrap_or(octets.len());
    String::from_utf8_lossy(&octets[..end]).trim().to_owned()
}
