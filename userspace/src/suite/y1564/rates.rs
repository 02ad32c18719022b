//! What a service is offered, and how much of it may come through.

use crate::{
    spec::{Policing, ServiceSpec},
    units::Ratio,
};
use std::time::Duration;

/// CIR and EIR of a service, L2 bits a second.
pub(super) fn promised(service: &ServiceSpec) -> (Ratio, Ratio) {
    (service.cir_bps.into(), service.eir_bps.into())
}

/// What the policing step offers (8.1.2 C).
pub(super) fn policing_bps(service: &ServiceSpec, policing: Policing) -> Ratio {
    let (cir, eir) = promised(service);
    let more = Ratio::new(5, 4);
    match policing {
        Policing::Both => cir.plus(eir).times(more),
        // A quarter of a small EIR would not be told from the rates.
        Policing::Standard if eir.times(5.into()) < cir => cir.times(more).plus(eir),
        Policing::Standard => cir.plus(eir.times(more)),
    }
}

/// What must come through where more than CIR is offered: CIR less the loss that the SAC
/// allow.
pub(super) fn least_bps(service: &ServiceSpec) -> Ratio {
    let (lost, sent) = (service.flr.numerator(), service.flr.denominator());
    promised(service).0.times(Ratio::new(sent.saturating_sub(lost), sent))
}

/// What a policer may let through in so long: CIR and EIR, a twentieth of EIR for its
/// inaccuracy, and its bursts once.
pub(super) fn most_bps(service: &ServiceSpec, time: Duration) -> Ratio {
    let (cir, eir) = promised(service);
    let burst = Ratio::from(service.burst_bytes).times(8.into());
    let seconds = Ratio::new(time.as_nanos().max(1), 1_000_000_000);
    cir.plus(eir.times(Ratio::new(21, 20))).plus(burst.over(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{spec::Frame, units::FrameSize};

    const MBPS: u64 = 1_000_000;

    fn service(cir: u64, eir: u64) -> ServiceSpec {
        ServiceSpec {
            name: "data".into(),
            flows: Vec::new(),
            frame: Frame::fixed(FrameSize::MIN),
            cir_bps: cir,
            eir_bps: eir,
            burst_bytes: 0,
            policing: true,
            flr: Ratio::new(1, 1000),
            ftd_ns: None,
            fdv_ns: None,
            availability: None,
        }
    }

    #[test]
    fn the_policing_rate_has_a_step_where_eir_is_a_fifth_of_cir() {
        let kbps = |cir, eir, policing| {
            let rate = policing_bps(&service(cir * MBPS / 10, eir * MBPS / 10), policing);
            rate.over(1000.into()).to_f64()
        };
        for (cir, eir, standard, both) in [
            (1000, 0, 125_000.0, 125_000.0),
            (1000, 500, 162_500.0, 187_500.0),
            (1000, 199, 144_900.0, 149_875.0),
            (1000, 200, 125_000.0, 150_000.0),
            (1000, 201, 125_125.0, 150_125.0),
        ] {
            let is = (kbps(cir, eir, Policing::Standard), kbps(cir, eir, Policing::Both));
            assert_eq!(is, (standard, both), "{cir}/{eir}");
        }
    }

    #[test]
    fn the_window_is_that_of_the_published_examples() {
        let window = |service: &ServiceSpec| {
            (least_bps(service), most_bps(service, Duration::from_secs(10)))
        };
        let mbps = |tenths: u64| Ratio::from(tenths * MBPS / 10);
        assert_eq!(window(&service(100 * MBPS, 0)), (mbps(999), mbps(1000)));
        assert_eq!(window(&service(100 * MBPS, 50 * MBPS)), (mbps(999), mbps(1525)));
        // 12,500 octets in 10 s are 10 kbit/s.
        let bursty = ServiceSpec { burst_bytes: 12_500, ..service(100 * MBPS, 0) };
        assert_eq!(window(&bursty).1, Ratio::from(100_010_000));
    }
}
