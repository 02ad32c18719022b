use super::*;
use crate::{spec::Leg, units::Ratio};
use proptest::prelude::*;

const S: u64 = 1_000_000_000;

fn constant(fps: u64, start_ns: u64) -> Profile {
    rate(fps.into(), start_ns)
}

fn rate(fps: Ratio, start_ns: u64) -> Profile {
    Profile::new(&[Leg { start_ns: 0, length_ns: None, from: fps, to: fps }], start_ns)
}

fn share(first: u32, stride: u32, frames: Option<u64>) -> Share {
    Share { first, stride, phase: 0.0, frames }
}

fn even(profile: Profile) -> Pacer {
    Pacer::new(profile, Spacing::Even, &share(0, 1, None))
}

/// When the first `frames` frames are due.
fn due(pacer: &mut Pacer, frames: u64) -> Vec<u64> {
    let next = |_| {
        let due = pacer.due_ns();
        pacer.advance();
        due
    };
    (0..frames).map(next).collect()
}

/// Sends on a fake clock that moves by `tick_ns`; returns the frames of the first `for_ns`.
fn sent_by(pacer: &mut Pacer, start_ns: u64, for_ns: u64, tick_ns: u64) -> u64 {
    let (mut now, mut sent) = (start_ns, 0);
    while now < start_ns + for_ns {
        while pacer.due_ns() <= now {
            pacer.advance();
            sent += 1;
        }
        now += tick_ns;
    }
    while pacer.due_ns() < start_ns + for_ns {
        pacer.advance();
        sent += 1;
    }
    sent
}

proptest! {
    #[test]
    fn frames_due_in_t_are_rate_x_t_whatever_the_clock_does(
        fps in 1_u64..200_000, ms in 1_u64..200, tick_ns in 100_u64..3_000_000, start in 0_u64..1 << 50,
    ) {
        let mut pacer = even(constant(fps, start));
        let for_ns = ms * 1_000_000;
        let exact = u128::from(fps) * u128::from(for_ns) / 1_000_000_000;
        let sent = sent_by(&mut pacer, start, for_ns, tick_ns);
        prop_assert!((exact..=exact + 1).contains(&sent.into()), "{sent} frames, exactly {exact}");
    }

    #[test]
    fn frame_i_is_due_after_i_intervals(
        num in 1_u64..1 << 40, den in 1_u64..1 << 30, i in 0_u32..2_000, phase in 0.0_f64..1.0
    ) {
        let interval = Ratio::new(num.into(), den.into());
        let fps = Ratio::from(S).over(interval);
        let share = Share { phase, ..share(0, 1, None) };
        let mut pacer = Pacer::new(rate(fps, 7), Spacing::Even, &share);
        (0..i).for_each(|_| pacer.advance());
        let exact = interval.to_f64() * (f64::from(i) + phase);
        prop_assert!((pacer.due_ns() as f64 - 7.0 - exact).abs() <= 0.5 + exact * 1e-12);
    }

    #[test]
    fn striped_streams_are_together_due_when_the_flow_is(fps in 1_u64..20_000_000, stride in 1_u32..6) {
        let mut whole = even(constant(fps, 1_000));
        let part = |first| Pacer::new(constant(fps, 1_000), Spacing::Even, &share(first, stride, None));
        let mut parts: Vec<_> = (0..stride).map(part).collect();
        for i in 0..300_usize {
            let part = &mut parts[i % stride as usize];
            prop_assert_eq!(part.due_ns(), whole.due_ns());
            part.advance();
            whole.advance();
        }
    }

    #[test]
    fn a_poisson_flow_has_exactly_its_frames_within_its_time(
        fps in 1_u64..100_000, frames in 1_u64..3_000, seed: u64, stride in 1_u32..4
    ) {
        let end_ns = 1_000 + (u128::from(frames) * u128::from(S)).div_ceil(fps.into()) as u64;
        for first in 0..stride {
            let share = share(first, stride, Some(frames));
            let mut pacer = Pacer::new(constant(fps, 1_000), Spacing::Poisson { seed }, &share);
            let due = due(&mut pacer, Share::of(first, stride, frames));
            prop_assert!(due.is_sorted());
            prop_assert!(due.iter().all(|due| (1_000..=end_ns).contains(due)));
        }
    }
}

#[test]
fn poisson_gaps_are_exponential_and_independent() {
    const FRAMES: u64 = 100_000;
    let share = share(0, 1, Some(FRAMES));
    let mut pacer = Pacer::new(constant(1_000, 0), Spacing::Poisson { seed: 1 }, &share);
    let due = due(&mut pacer, FRAMES);
    let mut gaps: Vec<f64> = due.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 1e6).collect();
    let count = gaps.len() as f64;
    let mean = gaps.iter().sum::<f64>() / count;
    let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / count;
    assert!((mean - 1.0).abs() < 0.001, "mean {mean}");
    assert!((variance - 1.0).abs() < 0.03, "variance {variance}");
    let products = gaps.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean));
    let correlation = products.sum::<f64>() / count / variance;
    assert!(correlation.abs() < 0.01, "correlation {correlation}");
    // Kolmogorov and Smirnov: 1.63 / sqrt(n) is passed by chance in 1 of 100.
    gaps.sort_by(f64::total_cmp);
    let distance = |(at, gap): (usize, &f64)| {
        let exponential = 1.0 - (-gap).exp();
        (exponential - at as f64 / count).abs().max((exponential - (at + 1) as f64 / count).abs())
    };
    let greatest = gaps.iter().enumerate().map(distance).fold(0.0, f64::max);
    assert!(greatest < 1.63 / count.sqrt(), "{greatest}");
    // Counts of 100 intervals: the variance of a Poisson process is its mean.
    let mut counts = vec![0_f64; (FRAMES / 100) as usize];
    for due in due {
        counts[((due / 100_000_000) as usize).min(999)] += 1.0;
    }
    let spread = counts.iter().map(|count| (count - 100.0).powi(2)).sum::<f64>() / 1000.0;
    assert!((85.0..115.0).contains(&spread), "variance of counts {spread}");
}

#[test]
fn an_endless_poisson_flow_keeps_its_rate() {
    for (seed, fps) in [(1, 1_000), (2, 333_333), (3, 10_000_000)] {
        let spacing = Spacing::Poisson { seed };
        let mut pacer = Pacer::new(constant(fps, 0), spacing, &share(0, 1, None));
        (0..WINDOW).for_each(|_| pacer.advance());
        // The window's last frame is some gaps before its end, the next one some after.
        let frames = pacer.due_ns() as f64 * fps as f64 / 1e9;
        assert!((frames - WINDOW as f64).abs() < 40.0, "{frames}");
    }
}

#[test]
fn another_seed_is_another_draw_and_the_same_the_same() {
    let draw = |seed| {
        let share = share(0, 1, Some(100));
        due(&mut Pacer::new(constant(1_000, 0), Spacing::Poisson { seed }, &share), 100)
    };
    assert_eq!(draw(5), draw(5));
    assert_ne!(draw(5), draw(6));
}

#[test]
fn trains_have_their_gap_between_the_last_frame_and_the_next_first() {
    let spacing = Spacing::Trains { frames: 3, gap_ns: 1_000 };
    let mut pacer = Pacer::new(constant(10_000_000, 0), spacing, &share(0, 1, None));
    assert_eq!(due(&mut pacer, 7), [0, 100, 200, 1_200, 1_300, 1_400, 2_400]);
}

#[test]
fn a_rate_with_an_endless_expansion_stays_exact_for_a_day() {
    // 14,880,952.38 fps: 10 Gb/s of 64-octet frames, 67.2 ns.
    let fps = Ratio::new(10_000_000_000, 84 * 8);
    let day_ns = 86_400 * S;
    let frames = fps.floor_times(u128::from(day_ns / S)).unwrap();
    let exact = Ratio::from(S).over(fps).floor_times(frames).unwrap();
    let mut profile = rate(fps, 0);
    assert!(profile.due_ns(frames as f64).abs_diff(exact as u64) <= 1);
}
