//! What a port's counters mean for the ledger: which of them say that a frame reached
//! the NIC and no program, and which count pause frames.

use super::LinkCounters;

/// All counters of a port at one moment, or what they gained between two.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PortReading {
    /// The driver: its counters are read by its own rules.
    pub driver: String,
    /// The kernel's interface counters.
    pub link: LinkCounters,
    /// The driver's own (`ethtool -S`).
    pub statistics: Vec<(String, u64)>,
    /// Frames that the driver says the device dropped (netdev netlink, per-queue
    /// statistics); `None`: it does not say.
    pub rx_hw_drops: Option<u64>,
}

/// A counter that says where frames were dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropCounter {
    /// Its name, as the kernel or the driver writes it.
    pub name: String,
    /// How many.
    pub frames: u64,
}

impl PortReading {
    /// What was gained since `before`, a reading of the same port.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let then = |name: &str| {
            let found = before.statistics.iter().find(|(other, _)| other == name);
            found.map_or(0, |&(_, value)| value)
        };
        let statistics = self.statistics.iter();
        Self {
            driver: self.driver.clone(),
            link: self.link.since(&before.link),
            statistics: statistics
                .map(|(name, now)| (name.clone(), now.saturating_sub(then(name))))
                .collect(),
            rx_hw_drops: self
                .rx_hw_drops
                .zip(before.rx_hw_drops)
                .map(|(now, then)| now.saturating_sub(then)),
        }
    }

    /// Every counter above zero that says that frames were dropped between the wire and
    /// XDP. Several may count the same frames.
    pub fn rx_drops(&self) -> Vec<DropCounter> {
        let mut drops = vec![
            ("rx_missed_errors".to_owned(), self.link.rx_missed_errors),
            ("rx_fifo_errors".to_owned(), self.link.rx_fifo_errors),
            ("rx-hw-drops".to_owned(), self.rx_hw_drops.unwrap_or(0)),
        ];
        drops.extend(self.driver_drops());
        drops.retain(|&(_, frames)| frames > 0);
        drops.into_iter().map(|(name, frames)| DropCounter { name, frames }).collect()
    }

    /// Frames dropped between the wire and XDP: the least that all counters together
    /// prove. Missed and FIFO errors are in some drivers the same frames.
    pub fn rx_dropped(&self) -> u64 {
        let link = self.link.rx_missed_errors.max(self.link.rx_fifo_errors);
        let driver: u64 = self.driver_drops().map(|(_, frames)| frames).sum();
        (link + driver).max(self.rx_hw_drops.unwrap_or(0))
    }

    /// Drops that only `ethtool -S` has.
    fn driver_drops(&self) -> impl Iterator<Item = (String, u64)> + '_ {
        self.statistics.iter().filter_map(|(name, value)| {
            let queue = name.strip_prefix("rx_queue_").and_then(|rest| rest.strip_suffix("_drops"));
            let queue = queue.filter(|queue| queue.bytes().all(|octet| octet.is_ascii_digit()));
            let drops = match (self.driver.as_str(), queue) {
                // A frame that could not be made an xdp_buff (drivers/net/veth.c).
                ("veth", Some(_)) => *value,
                // Counts what the program dropped too, and XDP_DROP is how frames are
                // received here (drivers/net/virtio_net.c).
                ("virtio_net", Some(queue)) => {
                    value.saturating_sub(self.statistic(&format!("rx_queue_{queue}_xdp_drops")))
                }
                // The port's buffer was full; out of descriptors is rx_missed_errors.
                ("mlx5_core", _) if name == "rx_discards_phy" => *value,
                ("ixgbe", _) if name == "rx_no_dma_resources" => *value,
                _ => return None,
            };
            Some((name.clone(), drops))
        })
    }

    /// The driver's counters above zero of frames that an XDP program sent back (`XDP_TX`)
    /// and the driver dropped.
    pub fn xdp_tx_drops(&self) -> Vec<DropCounter> {
        let drops = self.statistics.iter().filter(|&(name, frames)| {
            let counts = match self.driver.as_str() {
                // Nobody polls at the other end, or its ring is full (drivers/net/veth.c).
                "veth" => name.starts_with("rx_queue_") && name.ends_with("_xdp_tx_errors"),
                // Sums over all rings (mlx5e_stats_grp_sw).
                "mlx5_core" => matches!(name.as_str(), "rx_xdp_tx_full" | "rx_xdp_tx_err"),
                "virtio_net" => name.starts_with("tx_queue_") && name.ends_with("_xdp_tx_drops"),
                _ => false,
            };
            counts && *frames > 0
        });
        drops.map(|(name, frames)| DropCounter { name: name.clone(), frames: *frames }).collect()
    }

    /// How many these are; `None`: the driver does not say.
    pub fn xdp_tx_dropped(&self) -> Option<u64> {
        let says = matches!(self.driver.as_str(), "veth" | "mlx5_core" | "virtio_net");
        says.then(|| self.xdp_tx_drops().iter().map(|drop| drop.frames).sum())
    }

    /// Pause frames received; `None` where the driver counts none.
    pub fn pause_frames(&self) -> Option<u64> {
        let is_pause = |name: &str| {
            let received = name.starts_with("rx_") || name.starts_with("link_xoff_rx");
            let other = name.contains("duration") || name.contains("transition");
            received && !other && (name.contains("pause") || name.contains("xoff"))
        };
        let counts: Vec<u64> = (self.statistics.iter())
            .filter(|(name, _)| is_pause(name))
            .map(|&(_, value)| value)
            .collect();
        (!counts.is_empty()).then(|| counts.iter().sum())
    }

    fn statistic(&self, wanted: &str) -> u64 {
        let found = self.statistics.iter().find(|(name, _)| name == wanted);
        found.map_or(0, |&(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gained(driver: &str, link: LinkCounters, statistics: &[(&str, u64)]) -> PortReading {
        let statistics = statistics.iter().map(|&(name, value)| (name.to_owned(), value));
        PortReading {
            driver: driver.to_owned(),
            link,
            statistics: statistics.collect(),
            rx_hw_drops: None,
        }
    }

    #[test]
    fn a_reading_gains_what_lies_between_two() {
        let link = |rx_missed_errors| LinkCounters { rx_missed_errors, ..LinkCounters::default() };
        let before = gained("igb", link(5), &[("rx_missed_errors", 5)]);
        let after = PortReading {
            rx_hw_drops: Some(3),
            ..gained("igb", link(9), &[("rx_missed_errors", 9), ("new", 1)])
        };
        let expected = gained("igb", link(4), &[("rx_missed_errors", 4), ("new", 1)]);
        assert_eq!(after.since(&before), expected, "no drops of queues: they were not known");
    }

    #[test]
    fn frames_that_igb_missed_are_counted_once() {
        let link =
            LinkCounters { rx_missed_errors: 7, rx_fifo_errors: 7, ..LinkCounters::default() };
        let port = gained("igb", link, &[("rx_no_buffer_count", 90), ("rx_queue_0_drops", 7)]);
        assert_eq!(port.rx_dropped(), 7);
        let names: Vec<String> = port.rx_drops().into_iter().map(|drop| drop.name).collect();
        assert_eq!(names, ["rx_missed_errors", "rx_fifo_errors"]);
    }

    #[test]
    fn what_a_program_drops_on_virtio_is_no_drop() {
        let counted = [
            ("rx_queue_0_packets", 1000),
            ("rx_queue_0_drops", 1000),
            ("rx_queue_0_xdp_drops", 1000),
            ("rx_queue_1_drops", 12),
            ("rx_queue_1_xdp_drops", 10),
        ];
        let port = gained("virtio_net", LinkCounters::default(), &counted);
        assert_eq!(port.rx_dropped(), 2);
        let drop = DropCounter { name: "rx_queue_1_drops".to_owned(), frames: 2 };
        assert_eq!(port.rx_drops(), [drop]);
    }

    #[test]
    fn per_queue_statistics_of_the_kernel_count_too() {
        let port =
            PortReading { rx_hw_drops: Some(40), ..gained("fbnic", LinkCounters::default(), &[]) };
        assert_eq!((port.rx_dropped(), port.rx_drops()[0].name.as_str()), (40, "rx-hw-drops"));
    }

    #[test]
    fn pause_frames_are_told_from_pause_times() {
        let pause =
            |names: &[(&str, u64)]| gained("x", LinkCounters::default(), names).pause_frames();
        assert_eq!(pause(&[("rx_packets", 5), ("tx_pause", 9)]), None);
        assert_eq!(pause(&[("rx_flow_control_xoff", 0), ("rx_flow_control_xon", 1)]), Some(0));
        let mlx5 = [
            ("rx_pause_ctrl_phy", 4),
            ("rx_prio0_pause_duration", 900),
            ("rx_prio0_pause_transition", 2),
        ];
        assert_eq!(pause(&mlx5), Some(4));
        assert_eq!(pause(&[("link_xoff_rx.nic", 3)]), Some(3));
    }
}
