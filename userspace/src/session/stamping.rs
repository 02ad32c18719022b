//! Which frames of a port are timed, and what is taken off their latency. Pure.

use super::plan::{PortLimits, Stream};
use crate::{
    nic::PortInfo,
    spec::{Flow, Spec, Track},
    tx::Backend,
    units::{Rate, Ratio},
};
use xdp_ebpf::{AnalyserSetup, Stamping, StreamSetup};

/// Above this, one core may not have the time to read the clock for every frame: a read
/// takes 15 to 40 ns of the 200 that there are.
const EVERY_PPS: f64 = 5e6;
/// One frame in 2^4 is timed above it.
const SAMPLED: Stamping = Stamping::OneIn(4);

/// Below this a NIC's interrupt finds nobody awake: moderation and the way out of sleep are
/// 10 to 100 us of latency that the device did not make.
const SLOW_PPS: f64 = 1e4;

/// The stamping of a port, by the most that may come to it, and what is to be known of it.
/// What comes may all come to one core: how the NIC will spread it is not known. Nor is what
/// live frames reach at "max" where no line limits them, but it may be more than that.
pub(super) fn choose(
    spec: &Spec,
    ports: &[PortLimits],
    port: usize,
    backend: Backend,
) -> (Stamping, Option<String>) {
    let timed = |flow: &&Flow| flow.track == Track::Tag && flow.receivers().any(|rx| rx == port);
    let flows = || spec.flows.iter().filter(timed);
    let unlimited = |flow: &Flow| {
        let tx = ports[flow.tx];
        !tx.physical && flow.burst.is_none() && flow.frames_per_second(tx.link_bps).is_none()
    };
    if backend != Backend::AfXdp && flows().any(unlimited) {
        let note = sampled("live frames at \"max\" may be more than one core can time");
        return (SAMPLED, Some(note));
    }
    let pps: f64 = flows()
        .map(|flow| {
            let tx = ports[flow.tx];
            let line = || {
                let rate = Rate::LineShare(Ratio::from(1));
                rate.frames_per_second(tx.link_bps, flow.mean_size()).filter(|_| tx.physical)
            };
            let fps = flow.frames_per_second(tx.link_bps).or_else(line);
            fps.map_or(0.0, Ratio::to_f64)
        })
        .sum();
    if pps <= EVERY_PPS {
        let slow = (pps > 0.0 && pps < SLOW_PPS && ports[port].physical).then(|| {
            format!(
                "at {pps:.0} frames a second each one waits for an interrupt, and latency holds that wait; `ethtool -c` shows it, a higher rate shrinks it"
            )
        });
        return (Stamping::Every, slow);
    }
    let note = sampled(&format!("up to {:.1} million may come a second", pps / 1e6));
    (SAMPLED, Some(note))
}

/// What is to be known of latency at a port that puts interrupts off, at whatever rate.
/// What the number means is the driver's matter: igb takes 3 for up to 250 us.
pub(super) fn moderated(interface: &str, rx_usecs: Option<u32>) -> Option<String> {
    let rx_usecs = rx_usecs.filter(|&us| us > 0)?;
    Some(format!(
        "RX interrupts are put off (rx-usecs {rx_usecs}), and latency holds that wait; \
         `ethtool -C {interface} adaptive-rx off rx-usecs 0` ends it"
    ))
}

fn sampled(why: &str) -> String {
    format!(
        "one frame in 16 is timed, for {why}; gaps between arrivals and delay variation are not measured"
    )
}

/// The set-up of a port whose NIC times what it receives: every frame, for that costs next to
/// nothing, at its first octet. `None`: the port receives nothing.
pub(super) fn nic_setup(
    spec: &Spec,
    streams: &[Stream],
    port: usize,
    setup: &AnalyserSetup,
    ports: &[PortLimits],
) -> Option<AnalyserSetup> {
    let timed = spec
        .flows
        .iter()
        .any(|flow| flow.track == Track::Tag && flow.receivers().any(|rx| rx == port));
    let wires = |stream: &Stream| {
        let one_way = stream.port != port;
        let octet_ps = octet_ps_to_nic(ports[stream.port].wire_bps, ports[port].wire_bps);
        octet_ps.filter(|_| one_way).unwrap_or(0)
    };
    timed.then(|| AnalyserSetup {
        stamping: Stamping::Every,
        streams: (setup.streams.iter().zip(streams))
            .map(|(of, stream)| StreamSetup { octet_ps: wires(stream), ..*of })
            .collect(),
        ..setup.clone()
    })
}

/// The speed of a port's wire; `None` where the driver makes it up and the file gives none.
pub(super) fn wire_bps(info: &PortInfo, line_bps: Option<u64>) -> Option<u64> {
    line_bps.or(info.link_bps.filter(|_| info.physical)).filter(|&bps| bps > 0)
}

/// Picoseconds that an octet takes on the wire to the device and on the one from it. `None`:
/// one of them has no speed, or hardly any; then latency is the raw difference of the stamps.
pub(super) fn octet_ps(to_bps: Option<u64>, from_bps: Option<u64>) -> Option<u32> {
    const SLOWEST_PS: u64 = 4_000_000;
    let ps = |bps: u64| 8_000_000_000_000 / bps;
    let both = ps(to_bps?) + ps(from_bps?);
    (both <= SLOWEST_PS).then_some(both as u32)
}

/// The same where the NIC times the frame, at its first octet (IEEE 1588, 7.3.4.1): the
/// wire from the device has not taken its time yet.
pub(super) fn octet_ps_to_nic(to_bps: Option<u64>, from_bps: Option<u64>) -> Option<u32> {
    octet_ps(to_bps, from_bps)?;
    octet_ps(to_bps, Some(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interrupts_that_are_put_off_are_told() {
        assert_eq!((moderated("ens1f0", None), moderated("ens1f0", Some(0))), (None, None));
        let told = moderated("ens1f0", Some(50)).unwrap();
        assert!(told.contains("rx-usecs 50") && told.contains("ethtool -C ens1f0"), "{told}");
    }

    fn chosen(rate: &str, physical: bool) -> (Stamping, Option<String>) {
        chosen_for(rate, physical, Backend::AfXdp)
    }

    fn chosen_for(rate: &str, physical: bool, backend: Backend) -> (Stamping, Option<String>) {
        let file = format!(
            r#"
            [[flow]]
            name = "f"
            tx = "a"
            rx = "b"
            rate = "{rate}"
            layers = [
              {{eth = {{}}}},
              {{ipv4 = {{src = "198.18.0.2", dst = "198.18.1.1"}}}},
              {{udp = {{src = 1, dst = 2}}}},
            ]
            "#
        );
        let spec = Spec::from_toml(&file).unwrap();
        let link_bps = 10_000_000_000;
        let limits = PortLimits { link_bps, tx_queues: 1, physical, wire_bps: None };
        choose(&spec, &[limits, limits], 1, backend)
    }

    #[test]
    fn an_octet_is_on_two_wires_or_its_time_is_not_known() {
        assert_eq!(octet_ps(Some(10_000_000_000), Some(1_000_000_000)), Some(8_800));
        assert_eq!(octet_ps(Some(10_000_000), Some(10_000_000)), Some(1_600_000));
        assert_eq!(octet_ps(Some(1_000_000), Some(1_000_000_000)), None);
        assert_eq!(octet_ps(None, Some(1_000_000_000)), None);
    }

    #[test]
    fn to_a_nic_that_times_the_first_octet_only_the_wire_to_the_device_counts() {
        assert_eq!(octet_ps_to_nic(Some(10_000_000_000), Some(1_000_000_000)), Some(800));
        assert_eq!(octet_ps_to_nic(Some(10_000_000_000), None), None);
    }

    #[test]
    fn a_slow_flow_over_a_real_nic_is_told_of_the_interrupts() {
        let told = |rate, physical| chosen(rate, physical).1.is_some();
        assert!(told("1kpps", true));
        assert!(!told("100kpps", true) && !told("1kpps", false) && !told("max", false));
    }

    #[test]
    fn every_frame_is_timed_unless_more_may_come_than_one_core_can_time() {
        assert_eq!(chosen("1Mpps", true).0, Stamping::Every);
        assert_eq!(chosen("30%", true).0, Stamping::Every);
        assert_eq!(chosen("50%", true).0, SAMPLED);
        assert_eq!(chosen("max", true).0, SAMPLED, "a full line");
        assert_eq!(chosen("max", false).0, Stamping::Every, "nobody knows what max will be");
    }

    #[test]
    fn live_frames_at_max_without_a_line_are_sampled() {
        for backend in [Backend::LiveFrames, Backend::Auto] {
            assert_eq!(chosen_for("max", false, backend).0, SAMPLED);
            assert_eq!(chosen_for("4Mpps", false, backend).0, Stamping::Every);
            assert_eq!(chosen_for("30%", true, backend).0, Stamping::Every);
        }
    }
}
