use super::Queue;

/// What the kernel counts of AF_XDP sockets (`XDP_STATISTICS`,
/// Documentation/networking/af_xdp.rst).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct XskStatistics {
    /// Received frames dropped for other reasons than a full ring.
    pub rx_dropped: u64,
    /// Received frames dropped because the RX ring was full.
    pub rx_ring_full: u64,
    /// How often the kernel or the driver wanted a buffer of the fill ring and found none.
    pub rx_fill_ring_empty: u64,
    /// Descriptors of the TX ring that the kernel refused: never sent, never completed.
    pub tx_invalid: u64,
    /// How often the kernel looked for something to send and found nothing.
    pub tx_ring_empty: u64,
}

impl XskStatistics {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        self.with(other, u64::saturating_add)
    }

    /// What was gained since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        self.with(before, u64::saturating_sub)
    }

    fn with(self, other: Self, merge: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            rx_dropped: merge(self.rx_dropped, other.rx_dropped),
            rx_ring_full: merge(self.rx_ring_full, other.rx_ring_full),
            rx_fill_ring_empty: merge(self.rx_fill_ring_empty, other.rx_fill_ring_empty),
            tx_invalid: merge(self.tx_invalid, other.tx_invalid),
            tx_ring_empty: merge(self.tx_ring_empty, other.tx_ring_empty),
        }
    }
}

impl Queue {
    /// What the kernel has counted of this socket; `None` if it does not say.
    pub(super) fn xdp_statistics(&self) -> Option<XskStatistics> {
        let counted = self.fd().xdp_statistics().ok()?;
        Some(XskStatistics {
            rx_dropped: counted.rx_dropped(),
            rx_ring_full: counted.rx_ring_full(),
            rx_fill_ring_empty: counted.rx_fill_ring_empty_descs(),
            tx_invalid: counted.tx_invalid_descs(),
            tx_ring_empty: counted.tx_ring_empty_descs(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::QueueSetup;
    use super::*;
    use crate::nic::{Netns, testbed::Lab};

    #[test]
    fn the_kernel_counts_a_kick_of_an_empty_ring() {
        let lab = Lab::new();
        let netns = Netns::open(Some(&lab.west.netns())).unwrap();
        let setup = QueueSetup {
            interface: "west",
            queue: 0,
            frame_bytes_max: 60,
            mtu: 1500,
            native_xdp: false,
        };
        let queue = netns.run(|| Queue::open(&setup)).unwrap().unwrap();
        let before = queue.xdp_statistics().unwrap();
        queue.kick().unwrap();
        let gained = queue.xdp_statistics().unwrap().since(before);
        assert_eq!(gained, XskStatistics { tx_ring_empty: 1, ..XskStatistics::default() });
    }
}
