//! Random devices against closed forms, written from methodology 4.4 alone.

use super::*;
use proptest::prelude::*;

/// Rule 1: the longest lossless burst at `load`; `None`: all are.
fn burst(capacity: Ratio, load: Ratio, buffer: u64) -> Option<u128> {
    if load <= capacity {
        return None;
    }
    let r = capacity.over(load);
    let (n, d) = (r.numerator(), r.denominator());
    Some(u128::from(buffer - 1) * d / (d - n) + 1)
}

/// Rule 2: of `frames` at `load`, those received.
fn received(capacity: Ratio, load: Ratio, buffer: u64, frames: u128) -> u128 {
    match burst(capacity, load, buffer) {
        Some(longest) if frames > longest => {
            capacity.over(load).floor_times(frames - 1).unwrap() + u128::from(buffer)
        }
        _ => frames,
    }
}

/// Rule 3, in whole frames a second: the largest lossless load of a trial.
fn throughput(capacity: Ratio, buffer: u64, trial_s: u64, line: Ratio) -> u128 {
    let lossless = |load: u128| {
        let load = Ratio::new(load, 1);
        burst(capacity, load, buffer)
            .is_none_or(|longest| load.floor() * u128::from(trial_s) <= longest)
    };
    let (mut low, mut high) = (0, line.floor() + 1);
    while high - low > 1 {
        let middle = low.midpoint(high);
        if lossless(middle) { low = middle } else { high = middle }
    }
    low
}

const LINKS: [(&str, u64); 4] =
    [("10M", 10_000_000), ("100M", 100_000_000), ("1G", 1_000_000_000), ("10G", 10_000_000_000)];
const SIZES: [u16; 5] = [64, 128, 512, 1518, 9216];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_a_queue_does_is_found_to_the_frame(
        link in 0..LINKS.len(), size in 0..SIZES.len(), bits in any::<bool>(),
        share in 1_u64..1200, buffer in prop_oneof![2_u64..10, 2_u64..3000],
        trial_s in prop_oneof![Just(1_u64), Just(10), Just(60)],
        resolution in prop_oneof![Just(None), (1_u64..50).prop_map(Some)],
    ) {
        let ((link, link_bps), bytes) = (LINKS[link], SIZES[size]);
        let line = Ratio::new(u128::from(link_bps), 8 * (u128::from(bytes) + 20));
        // From a thousandth of line rate to above it, in whole frames or bits.
        let whole = (line.times(Ratio::new(share.into(), 1000)).floor() as u64).max(1);
        let (capacity, text) = if bits {
            let bps = (whole * u64::from(bytes) * 8 + 7).max(1000);
            (Ratio::new(bps.into(), u128::from(bytes) * 8), format!("{bps}bps"))
        } else {
            (whole.into(), format!("{whole}pps"))
        };
        let text = format!("link={link},capacity={text},buffer={buffer}");
        let mut spec = with_all(spec(&text, &[bytes], seconds(trial_s)), seconds(2), 2);
        (spec.latency, spec.recovery) = (None, None);
        if let Some(tenths) = resolution {
            spec.throughput.resolution = Resolution::Share(Ratio::new(tenths.into(), 10_000));
        }
        let row = row(&spec);
        let found = row.throughput.as_ref().unwrap();
        let step = match spec.throughput.resolution {
            Resolution::Fps(fps) => fps,
            Resolution::Share(share) => line.times(share),
        };

        // Throughput: tested, lossless, within [T* - step, T*]; the failing load at most T* + step.
        let best = Ratio::new(throughput(capacity, buffer, trial_s, line), 1);
        let at_line = burst(capacity, line, buffer)
            .is_none_or(|longest| line.times(trial_s.into()).floor() <= longest);
        if at_line {
            prop_assert_eq!((found.load, found.bound), (line, Bound::Exact));
            prop_assert_eq!(found.limited_by, Some(LimitedBy::Line));
        } else {
            // T* itself may be a fraction above the whole number.
            prop_assert!(found.load <= best.plus(Ratio::ONE), "{} > {best}", found.load);
            prop_assert!(found.load.plus(step) >= best, "{} + {step} < {best}", found.load);
            let failing = found.next_failing_fps.unwrap();
            prop_assert!(failing <= best.plus(step).plus(Ratio::ONE), "{failing} {best} {step}");
            prop_assert!(failing > best || failing.floor() >= best.floor(), "{failing} {best}");
            prop_assert!(found.next_failing_loss.unwrap() > Ratio::ZERO);
            prop_assert_eq!(found.bound, if found.load == Ratio::ZERO { Bound::None } else { Bound::Exact });
        }

        // Loss, to the frame, down to two lossless loads.
        let (mut clean, rows) = (0, row.frame_loss.as_ref().unwrap());
        for (place, loss) in rows.iter().enumerate() {
            let load = line.times(Ratio::new(10 - place as u128, 10));
            let frames = load.times(trial_s.into()).floor();
            let came = received(capacity, load, buffer, frames);
            prop_assert_eq!(loss.load, load);
            prop_assert_eq!(loss.tx_frames.map(u128::from), Some(frames));
            prop_assert_eq!(loss.rx_unique_frames.map(u128::from), Some(came));
            prop_assert!(clean < 2, "two lossless loads end it");
            clean = if came == frames { clean + 1 } else { 0 };
        }
        prop_assert!(clean == 2 || rows.len() == 10, "{clean} {}", rows.len());

        // Bursts, exact; the buffer within a frame but for what the throughput is above the capacity.
        let bursts = row.back_to_back.as_ref().unwrap();
        let longest = burst(capacity, line, buffer);
        let limit = line.times(30.into()).floor();
        if found.bound == Bound::None || found.load >= line || longest.is_none_or(|n| n >= limit) {
            prop_assert!(!bursts.valid && bursts.reason.is_some() && bursts.corrected_buffer_ns.is_none());
        } else {
            let longest = longest.unwrap();
            prop_assert_eq!(&bursts.bursts, &vec![longest as u64; 2]);
            let share = found.load.over(line).to_f64();
            let corrected = longest as f64 * (1.0 - share);
            prop_assert!((bursts.corrected_buffer_frames.unwrap() - corrected).abs() < 1e-6 * corrected.max(1.0));
            // Rule 4: with the throughput at the capacity itself, less than one frame low.
            let at_capacity = longest as f64 * (1.0 - capacity.over(line).to_f64());
            prop_assert!(at_capacity > (buffer - 1) as f64 - 1e-6 && at_capacity <= buffer as f64 + 1e-6);
            let shift = longest as f64 * (found.load.to_f64() - capacity.to_f64()) / line.to_f64();
            prop_assert!((at_capacity - shift - corrected).abs() < 1e-3);
        }
    }
}
