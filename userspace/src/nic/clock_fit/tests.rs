use super::*;
use proptest::prelude::*;

const MS: u64 = 1_000_000;

/// A NIC's clock that goes faster than the kernel's by so many ppm.
#[derive(Debug, Clone, Copy)]
struct Clock {
    ppm: f64,
    ahead_ns: i64,
}

impl Clock {
    fn shows(self, monotonic_ns: u64) -> u64 {
        let gained = (monotonic_ns as f64 * self.ppm / 1e6) as i64;
        monotonic_ns.wrapping_add_signed(gained + self.ahead_ns)
    }

    /// A look that took twice `error_ns`; the NIC's clock was read at a part of it.
    fn reading(self, monotonic_ns: u64, error_ns: u64, part: f64) -> ClockReading {
        let true_ns = monotonic_ns + (2.0 * error_ns as f64 * part) as u64;
        ClockReading {
            nic_ns: self.shows(true_ns),
            monotonic_ns: monotonic_ns + error_ns,
            error_ns,
        }
    }
}

fn clock() -> impl Strategy<Value = Clock> {
    (-500.0..500.0_f64, -(1_i64 << 40)..1 << 55).prop_map(|(ppm, ahead_ns)| Clock { ppm, ahead_ns })
}

/// Errors of looks, and where in them the NIC's clock was read.
fn looks(count: usize) -> impl Strategy<Value = Vec<(u64, f64)>> {
    prop::collection::vec((20_u64..5_000, 0.0..1.0_f64), count)
}

/// From 100 s on, ns.
const BEGIN: u64 = 100_000 * MS;

fn apart(a: u64, b: u64) -> u64 {
    a.wrapping_sub(b).cast_signed().unsigned_abs()
}

proptest! {
    #[test]
    fn every_line_is_as_right_as_the_next_reading_says(clock in clock(), looks in looks(60)) {
        let mut fit = ClockFit::default();
        let mut in_use: Option<(u64, ClockLine, u64)> = None;
        let mut now = BEGIN;
        for (at, (error_ns, part)) in looks.into_iter().enumerate() {
            let told = fit.take(clock.reading(now, error_ns, part));
            match told {
                Fitted::Learning => prop_assert!(at + 1 < LEAST, "{at}"),
                Fitted::Line { line, error_ns } => {
                    // The one before was in use until now.
                    if let Some((since, before, told_ns)) = in_use {
                        for step in 0..=4 {
                            let at = since + (now - since) / 4 * step;
                            let off = apart(before.monotonic_at(clock.shows(at)), at);
                            prop_assert!(off <= told_ns.max(error_ns) + 4, "{off} {told_ns} {error_ns}");
                        }
                    }
                    in_use = Some((now, line, error_ns));
                }
                Fitted::Stepped { by_ns } => prop_assert!(false, "nobody set it: {by_ns}"),
            }
            // Quick at first, as a session begins.
            now += if at < LEAST { 20 * MS } else { 250 * MS };
        }
        prop_assert!(in_use.is_some());
    }

    #[test]
    fn a_clock_that_was_set_is_told_and_learned_anew(
        clock in clock(),
        looks in looks(60),
        at in LEAST + 20..50_usize,
        step_ns in prop_oneof![-(1_i64 << 50)..-200_000, 200_000_i64..1 << 50],
    ) {
        let mut fit = ClockFit::default();
        let mut now = BEGIN;
        let mut told = Vec::new();
        let mut steps = Vec::new();
        for (number, (error_ns, part)) in looks.into_iter().enumerate() {
            let shift = if number >= at { step_ns } else { 0 };
            let reading = clock.reading(now, error_ns, part);
            let reading = ClockReading { nic_ns: reading.nic_ns.wrapping_add_signed(shift), ..reading };
            let fitted = fit.take(reading);
            if let Fitted::Stepped { by_ns } = fitted {
                steps.push((number, by_ns));
            }
            told.push(fitted);
            now += 250 * MS;
        }
        prop_assert_eq!(steps.len(), 1);
        prop_assert_eq!(steps[0].0, at);
        // What the kernel's clock is ahead falls by what the NIC's was set ahead; the drift of
        // 500 ppm over such a step is another matter.
        let near = apart(steps[0].1.cast_unsigned(), (-step_ns).cast_unsigned());
        prop_assert!(near < 60_000 + step_ns.unsigned_abs() / 1_000, "{:?} {step_ns}", steps);
        let known = |told: &Fitted| matches!(told, Fitted::Line { .. });
        prop_assert!(!told[at..at + LEAST - 1].iter().any(known));
        prop_assert!(known(&told[at + LEAST - 1]));
    }
}

#[test]
fn drift_and_offset_are_found() {
    let clock = Clock { ppm: 20.0, ahead_ns: 1_700_000_000_000_000_000 };
    let mut fit = ClockFit::default();
    let mut last = Fitted::Learning;
    for at in 0..20 {
        last = fit.take(clock.reading(BEGIN + at * 250 * MS, 500, 0.5));
    }
    let Fitted::Line { line, error_ns } = last else { panic!("{last:?}") };
    // The kernel's clock loses what the NIC's gains.
    let ppm = line.drift_q38 as f64 / (1_u64 << 38) as f64 * 1e6;
    assert!((ppm + 20.0).abs() < 0.01, "{ppm}");
    assert!((500..600).contains(&error_ns), "{error_ns}");
    let later = BEGIN + 20 * 250 * MS;
    assert!(apart(line.monotonic_at(clock.shows(later)), later) < 50);
}

#[test]
fn a_slow_change_of_the_drift_is_no_step_and_part_of_the_error() {
    // A servo that turns the NIC's clock by 5 ppm more each second.
    let mut fit = ClockFit::default();
    let (mut nic, mut ppm) = (1 << 50_u64, 0.0);
    let mut worst = 0;
    for at in 0..80_u64 {
        let reading =
            ClockReading { nic_ns: nic, monotonic_ns: BEGIN + at * 250 * MS, error_ns: 300 };
        match fit.take(reading) {
            Fitted::Stepped { by_ns } => panic!("{by_ns} ns in reading {at}"),
            Fitted::Line { error_ns, .. } => worst = worst.max(error_ns),
            Fitted::Learning => assert!(at + 1 < LEAST as u64),
        }
        ppm += 1.25;
        nic += 250 * MS + (250.0 * ppm) as u64;
    }
    assert!((1_000..30_000).contains(&worst), "{worst}");
}

#[test]
fn clocks_that_go_apart_by_a_thousandth_are_on_no_line() {
    let clock = Clock { ppm: 1_500.0, ahead_ns: 0 };
    let mut fit = ClockFit::default();
    for at in 0..40 {
        let told = fit.take(clock.reading(BEGIN + at * 250 * MS, 100, 0.5));
        assert_eq!(told, Fitted::Learning);
    }
}

#[test]
fn the_program_in_the_kernel_draws_the_same_line() {
    let line = ClockLine { nic_ns: 1 << 60, monotonic_ns: 1 << 50, drift_q38: -123_456_789 };
    let reach_ns = xdp_ebpf::abi::NIC_REACH_MAX_NS;
    let ClockLine { nic_ns, monotonic_ns, drift_q38 } = line;
    let fit = xdp_ebpf::abi::nic_fit { nic_ns, monotonic_ns, drift_q38, reach_ns };
    for since in [0, 1, -1, 999_999_999, -999_999_999, 8_000_000_000, -8_000_000_000_i64] {
        let nic_ns = nic_ns.wrapping_add_signed(since);
        let kernel = xdp_ebpf::host::nic_to_monotonic(&fit, nic_ns);
        assert_eq!(kernel, Some(line.monotonic_at(nic_ns)), "{since}");
    }
}
