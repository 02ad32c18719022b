//! The generic netlink family "netdev" (linux/netdev.h,
//! Documentation/netlink/specs/netdev.yaml). Kernels since 6.10 have the statistics.

use super::genl::Family;
use netlink_packet_core::NLM_F_DUMP;
use std::io;

const QSTATS_GET: u8 = 12;

const QSTATS_IFINDEX: u16 = 1;
const QSTATS_RX_HW_DROPS: u16 = 13;

/// The family, asked in the namespace it was opened in.
#[derive(Debug)]
pub(super) struct Netdev(Family);

impl Netdev {
    /// # Errors
    /// ENOENT on kernels before 6.3.
    pub(super) fn open() -> io::Result<Self> {
        Family::open("netdev").map(Self)
    }

    /// Frames that arrived at the device and never left it towards the host; `None`
    /// where the driver does not say.
    pub(super) fn rx_hw_drops(&mut self, ifindex: u32) -> io::Result<Option<u64>> {
        let answers = self.0.ask(QSTATS_GET, NLM_F_DUMP, &[(QSTATS_IFINDEX, ifindex)])?;
        // 6.9 answers for every device, whichever was asked.
        let mut own =
            answers.iter().filter(|answer| answer.get(QSTATS_IFINDEX) == Some(u64::from(ifindex)));
        Ok(own.find_map(|answer| answer.get(QSTATS_RX_HW_DROPS)))
    }
}
