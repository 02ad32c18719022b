use super::{
    NicError, PortInfo, PortName,
    ethtool::Ethtool,
    packet_socket::PacketSocket,
    settings::{Pause, RX_FILTER_ALL, StampConfig},
};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use serde::{Deserialize, Serialize};
use std::{
    io,
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixListener, UnixStream},
    },
    thread,
    time::{Duration, Instant},
};

/// How long a lock may outlive its holder: a dying process closes its files in turn, and a
/// child between fork and exec still has its parent's.
const PATIENCE: Duration = Duration::from_millis(300);

/// A port in this process's hand: locked against other linerates of its namespace,
/// promiscuous, receiving all multicast, with LRO, hardware GRO, VLAN stripping and pause off.
///
/// Lock and memberships die with the process, however it dies. What had to be switched
/// in the driver is switched back on drop; a `kill -9` leaves that as it was set.
#[derive(Debug)]
pub struct Hold {
    port: PortName,
    changes: Vec<SettingChange>,
    refusals: Vec<String>,
    undo: Vec<Undo>,
    ethtool: Ethtool,
    _lock: UnixListener,
    _membership: PacketSocket,
}

/// A setting of a port that was changed, and from what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingChange {
    /// What was set: `rx-lro`, `pause rx`, `promiscuous`.
    pub setting: String,
    /// Its value before.
    pub from: String,
    /// Its value while the port is held.
    pub to: String,
}

#[derive(Debug)]
enum Undo {
    Feature(&'static str),
    Pause(Pause),
    Stamps(StampConfig),
}

impl Hold {
    /// Takes the port.
    ///
    /// # Errors
    /// [`NicError::Held`] by another process (or another hold of this one);
    /// [`NicError::Privilege`] for `CAP_NET_RAW` (packet membership) and
    /// `CAP_NET_ADMIN` (offloads and pause, where they have to be changed).
    pub fn take(port: &PortInfo) -> Result<Self, NicError> {
        let name = &port.name;
        // Made inside the namespace, used from anywhere; abstract names are per namespace.
        let (lock, membership, ethtool) = port.netns()?.run(|| {
            let lock = lock(port)?;
            let membership = PacketSocket::deaf(port.ifindex)
                .and_then(|socket| {
                    socket.join(libc::PACKET_MR_PROMISC)?;
                    socket.join(libc::PACKET_MR_ALLMULTI)?;
                    Ok(socket)
                })
                .map_err(|error| {
                    NicError::refused(format!("set {name} promiscuous"), "CAP_NET_RAW", error)
                })?;
            let ethtool = Ethtool::open(port.ifindex)
                .map_err(|error| NicError::kernel(format!("ask the driver of {name}"), error))?;
            Ok::<_, NicError>((lock, membership, ethtool))
        })??;
        let mut hold = Self {
            port: name.clone(),
            changes: Vec::new(),
            refusals: Vec::new(),
            undo: Vec::new(),
            ethtool,
            _lock: lock,
            _membership: membership,
        };
        if port.promiscuity == 0 {
            hold.changed("promiscuous", "off", "on");
        }
        if port.all_multicast == 0 {
            hold.changed("all-multicast", "off", "on");
        }
        // From here on an error drops `hold`, which restores what it already changed.
        if port.features.lro {
            hold.switch_off("rx-lro")?;
        }
        if port.features.gro_hw {
            hold.switch_off("rx-gro-hw")?;
        }
        // XDP would neither count the octets of a tag nor see it.
        if port.physical && port.features.vlan_hw_parse {
            hold.switch_off("rx-vlan-hw-parse")?;
        }
        hold.pause_off()?;
        Ok(hold)
    }

    /// Every setting that was changed, for the result.
    pub fn settings_changed(&self) -> &[SettingChange] {
        &self.changes
    }

    /// What could not be switched off, a line each, such as `pause: veth has no control`.
    /// Where pause is among them, pause frames have to be counted.
    pub fn not_controllable(&self) -> &[String] {
        &self.refusals
    }

    /// Gives the port back and tells whether every setting could be restored.
    ///
    /// # Errors
    /// The first setting that could not, as [`NicError::Kernel`]; the others are
    /// restored all the same.
    pub fn release(mut self) -> Result<(), NicError> {
        self.restore()
    }

    /// Has the NIC stamp every frame that it receives; what it does with those it sends stays.
    ///
    /// # Errors
    /// [`NicError::Kernel`] where it cannot; nothing is changed then.
    pub fn stamp_received(&mut self) -> Result<(), NicError> {
        let action = format!("have the NIC of {} stamp all that it receives", self.port);
        let failed = |error| NicError::kernel(action.as_str(), error);
        // What cannot be read could not be restored.
        let before = self.ethtool.stamps().map_err(failed)?;
        if before.received() == RX_FILTER_ALL {
            return Ok(());
        }
        let now = self.ethtool.set_stamps(before.with_all_received()).map_err(failed)?;
        if now.received() != RX_FILTER_ALL {
            self.ethtool.set_stamps(before).map_err(failed)?;
            return Err(failed(io::Error::other(format!("its driver stamps {}", now.received()))));
        }
        self.undo.push(Undo::Stamps(before));
        self.changed("receive timestamps", before.received(), RX_FILTER_ALL);
        Ok(())
    }

    fn changed(&mut self, setting: &str, from: &str, to: &str) {
        let [setting, from, to] = [setting, from, to].map(str::to_owned);
        self.changes.push(SettingChange { setting, from, to });
    }

    fn switch_off(&mut self, feature: &'static str) -> Result<(), NicError> {
        match self.ethtool.set_feature(feature, false) {
            Ok(true) => {
                self.undo.push(Undo::Feature(feature));
                self.changed(feature, "on", "off");
            }
            Ok(false) => self.refusals.push(format!("{feature}: the driver keeps it on")),
            Err(error) => self.refused(feature, error)?,
        }
        Ok(())
    }

    fn pause_off(&mut self) -> Result<(), NicError> {
        let before = match self.ethtool.pause() {
            Ok(before) => before,
            Err(error) => return self.refused("pause", error),
        };
        if !before.rx && !before.tx {
            return Ok(());
        }
        match self.ethtool.set_pause(Pause { autoneg: false, rx: false, tx: false }) {
            Ok(()) => {
                self.undo.push(Undo::Pause(before));
                for (setting, was) in [
                    ("pause autonegotiation", before.autoneg),
                    ("pause rx", before.rx),
                    ("pause tx", before.tx),
                ] {
                    if was {
                        self.changed(setting, "on", "off");
                    }
                }
                Ok(())
            }
            Err(error) => self.refused("pause", error),
        }
    }

    /// A driver may lack a control; a process may not lack the right to use it.
    fn refused(&mut self, setting: &str, error: io::Error) -> Result<(), NicError> {
        match error.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => {
                let action = format!("switch off {setting} on {}", self.port);
                Err(NicError::refused(action, "CAP_NET_ADMIN", error))
            }
            Some(libc::EOPNOTSUPP) => {
                self.refusals.push(format!("{setting}: the driver has no control"));
                Ok(())
            }
            _ => {
                self.refusals.push(format!("{setting}: {error}"));
                Ok(())
            }
        }
    }

    fn restore(&mut self) -> Result<(), NicError> {
        let mut result = Ok(());
        for undo in self.undo.drain(..).rev() {
            let (what, restored) = match undo {
                Undo::Feature(name) => (name, self.ethtool.set_feature(name, true).map(drop)),
                Undo::Pause(before) => ("pause", self.ethtool.set_pause(before)),
                Undo::Stamps(before) => {
                    ("receive timestamps", self.ethtool.set_stamps(before).map(drop))
                }
            };
            match restored {
                // A port that is gone took its settings along.
                Err(error) if error.raw_os_error() != Some(libc::ENODEV) => {
                    let action = format!("restore {what} on {}", self.port);
                    result = result.and(Err(NicError::kernel(action, error)));
                }
                _ => {}
            }
        }
        result
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Whoever wants to know calls `release`.
        let _ = self.restore();
    }
}

impl Hold {
    /// Fails if another linerate holds the port.
    pub fn require_free(port: &PortInfo) -> Result<(), NicError> {
        port.netns()?.run(|| lock(port))?.map(drop)
    }
}

/// Binds a name that only one process of the namespace can have and that vanishes with it.
fn lock(port: &PortInfo) -> Result<UnixListener, NicError> {
    let failed = |error| NicError::kernel(format!("lock {}", port.name), error);
    let name = format!("linerate/port/{}", port.ifindex);
    let address = SocketAddr::from_abstract_name(name).map_err(failed)?;
    let start = Instant::now();
    loop {
        match UnixListener::bind_addr(&address) {
            Ok(lock) => return Ok(lock),
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => return Err(failed(error)),
            Err(_) if start.elapsed() < PATIENCE => thread::sleep(PATIENCE / 30),
            Err(_) => {
                let port = port.name.clone();
                return Err(NicError::Held { port, pid: holder(&address) });
            }
        }
    }
}

/// Who holds the lock: the kernel tells whoever connects (unix(7), `SO_PEERCRED`).
fn holder(address: &SocketAddr) -> Option<i32> {
    let stream = UnixStream::connect_addr(address).ok()?;
    let pid = getsockopt(&stream, PeerCredentials).ok()?.pid();
    (pid > 0).then_some(pid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nic::{
        Netns,
        testbed::{Lab, without_capability},
    };
    use caps::Capability;

    // No virtual device has LRO to switch, so a veth's GRO stands in for it here.
    fn gro_on() -> Lab {
        let lab = Lab::new();
        lab.west.exec("ethtool -K west gro on");
        assert!(lab.west.info().features.gro);
        lab
    }

    #[test]
    fn an_offload_is_off_while_held_and_on_again_after() {
        let lab = gro_on();
        let mut hold = Hold::take(&lab.west.info()).unwrap();
        hold.switch_off("rx-gro").unwrap();
        let change =
            SettingChange { setting: "rx-gro".into(), from: "on".into(), to: "off".into() };
        assert_eq!(hold.settings_changed().last(), Some(&change));
        assert!(!lab.west.info().features.gro);
        drop(hold);
        assert!(lab.west.info().features.gro);
    }

    #[test]
    fn vlan_tags_stay_on_what_a_nic_receives_while_it_is_held() {
        let lab = Lab::new();
        let strips = |lab: &Lab| lab.west.exec("ethtool -k west").contains("rx-vlan-offload: on");
        // A veth has the switch, but takes no tag off, and so is left alone.
        let virtual_port = lab.west.info();
        drop(Hold::take(&virtual_port).unwrap());
        let nic = PortInfo { physical: true, ..virtual_port };
        assert!(nic.features.vlan_hw_parse && strips(&lab));
        let hold = Hold::take(&nic).unwrap();
        let setting = "rx-vlan-hw-parse";
        assert!(hold.settings_changed().iter().any(|change| change.setting == setting));
        assert!(!strips(&lab));
        drop(hold);
        assert!(strips(&lab));
    }

    #[test]
    fn an_offload_that_the_driver_keeps_is_listed_and_no_change() {
        let lab = Lab::new();
        let mut hold = Hold::take(&lab.west.info()).unwrap();
        let before = hold.settings_changed().len();
        // A veth's LRO is fixed (off): the kernel takes the wish and does not follow it.
        assert!(!hold.ethtool.set_feature("rx-lro", true).unwrap());
        hold.switch_off("rx-no-such-feature").unwrap();
        assert_eq!(hold.settings_changed().len(), before);
        assert_eq!(hold.not_controllable().len(), 2, "{:?}", hold.not_controllable());
    }

    #[test]
    fn a_driver_without_hardware_stamps_says_so_in_a_line_and_nothing_is_changed() {
        let lab = Lab::new();
        let mut hold = Hold::take(&lab.west.info()).unwrap();
        let before = hold.settings_changed().to_vec();
        let error = hold.stamp_received().unwrap_err().to_string();
        assert!(
            error.contains("have the NIC of west@") && error.contains("not supported"),
            "{error}"
        );
        assert_eq!(error.lines().count(), 1, "{error}");
        assert_eq!(hold.settings_changed(), before);
        assert!(hold.undo.is_empty());
    }

    #[test]
    fn all_received_frames_are_stamped_beside_what_was_set() {
        let before = StampConfig { flags: 2, tx_type: 1, rx_filter: 12 };
        assert_eq!(before.received(), "ptpv2-event");
        let all = before.with_all_received();
        assert_eq!(all, StampConfig { rx_filter: 1, ..before });
        assert_eq!(all.received(), RX_FILTER_ALL);
        assert_eq!(StampConfig { rx_filter: 99, ..before }.received(), "what nobody knows");
    }

    #[test]
    fn settings_of_a_port_that_is_gone_need_no_restoring() {
        let lab = gro_on();
        let mut hold = Hold::take(&lab.west.info()).unwrap();
        hold.switch_off("rx-gro").unwrap();
        lab.west.ip("link delete west");
        hold.release().unwrap();
    }

    #[test]
    fn switching_without_cap_net_admin_names_it() {
        let lab = gro_on();
        let mut hold = Hold::take(&lab.west.info()).unwrap();
        let netns = Netns::open(Some(&lab.west.netns())).unwrap();
        let error = netns.run(|| {
            let work = || hold.switch_off("rx-gro").unwrap_err();
            without_capability(Capability::CAP_NET_ADMIN, work)
        });
        let error = error.unwrap();
        assert!(
            matches!(&error, NicError::Privilege { capability: "CAP_NET_ADMIN", .. }),
            "{error}"
        );
        assert!(error.to_string().contains("switch off rx-gro on west@"), "{error}");
    }
}
