//! Where a NIC sits in the machine. PCI's part of sysfs knows no network namespaces, so a
//! thread that entered one reads the truth there.

use serde::Serialize;
use std::{fs, path::PathBuf};

/// A PCI function as the machine has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Pci {
    /// NUMA node of its slot; `None` on machines with one memory.
    pub numa_node: Option<u32>,
    /// CPUs near it.
    pub local_cpus: Vec<usize>,
    /// Its link as it was trained; `None` for emulated devices.
    pub link: Option<PcieLink>,
}

/// A trained PCI Express link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PcieLink {
    /// Megatransfers a second and lane: 8000 is generation 3.
    pub megatransfers: u32,
    /// Lanes.
    pub lanes: u32,
}

impl PcieLink {
    /// Bits a second in each direction behind the line code: 8b/10b up to 5 GT/s, then
    /// 128b/130b.
    pub fn bps(self) -> u64 {
        let raw = u64::from(self.megatransfers) * u64::from(self.lanes) * 1_000_000;
        if self.megatransfers <= 5000 { raw / 10 * 8 } else { raw / 130 * 128 }
    }
}

impl Pci {
    /// Of a bus address such as `0000:17:00.0`; `None` if no PCI device has it.
    pub(super) fn of(bus: &str) -> Option<Self> {
        let directory: PathBuf = ["/sys/bus/pci/devices", bus].iter().collect();
        let text = |name: &str| fs::read_to_string(directory.join(name)).ok();
        if bus.contains('/') || !directory.is_dir() {
            return None;
        }
        Some(Self {
            // -1 where there is only one.
            numa_node: text("numa_node").and_then(|text| text.trim().parse().ok()),
            local_cpus: text("local_cpulist").map(|text| cpu_list(&text)).unwrap_or_default(),
            link: text("current_link_speed").zip(text("current_link_width")).and_then(
                |(speed, width)| {
                    let lanes = width.trim().parse().ok().filter(|&lanes| lanes > 0)?;
                    Some(PcieLink { megatransfers: megatransfers(&speed)?, lanes })
                },
            ),
        })
    }

    /// The numbers of all its message-signalled interrupts.
    pub(super) fn interrupts(bus: &str) -> Vec<u32> {
        let directory: PathBuf = ["/sys/bus/pci/devices", bus, "msi_irqs"].iter().collect();
        let names = fs::read_dir(directory).into_iter().flatten().flatten();
        let mut irqs: Vec<u32> =
            names.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        irqs.sort_unstable();
        irqs
    }
}

/// `8.0 GT/s PCIe`; `Unknown` of a device without a link.
fn megatransfers(text: &str) -> Option<u32> {
    let number: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some((number * 1000.0) as u32)
}

/// A list of CPUs as the kernel writes it: `0-3,8`.
pub(super) fn cpu_list(text: &str) -> Vec<usize> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse::<usize>().ok()?..=last.parse::<usize>().ok()?)
    };
    text.trim().split(',').filter_map(range).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpus_are_listed_as_the_kernel_writes_them() {
        assert_eq!(cpu_list("0-2,7,9-10\n"), [0, 1, 2, 7, 9, 10]);
        assert_eq!(cpu_list("\n"), Vec::<usize>::new());
    }

    #[test]
    fn a_link_carries_what_its_line_code_leaves() {
        let bps =
            |text, lanes| PcieLink { megatransfers: megatransfers(text).unwrap(), lanes }.bps();
        assert_eq!(bps("2.5 GT/s PCIe", 1), 2_000_000_000);
        assert_eq!(bps("8.0 GT/s PCIe", 8) / 1_000_000, 63_015);
        assert_eq!(megatransfers("Unknown"), None);
    }

    #[test]
    fn what_is_no_pci_address_is_no_device() {
        assert_eq!((Pci::of("usb-1"), Pci::of("../../..")), (None, None));
        assert_eq!(Pci::interrupts("usb-1"), Vec::<u32>::new());
    }
}
