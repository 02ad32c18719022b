//! The pace of the program in the kernel (edit.h, `stream_advance`) in closed form: how far it
//! is at a time is known without asking it.

use xdp_ebpf::abi;

/// When frame `n` from now is due: exactly what the program comes to by adding steps.
fn due_ns(pace: &abi::pace, n: u64) -> u128 {
    let n = u128::from(n);
    let fraction = u128::from(pace.fraction) + n * u128::from(pace.step_fraction);
    let steps_ns = n * u128::from(pace.step_ns) + (fraction >> 32);
    let trains = match n.checked_sub(pace.left_in_train.into()) {
        Some(over) if pace.train != u64::MAX => 1 + over / u128::from(pace.train),
        _ => 0,
    };
    u128::from(pace.due_ns) + steps_ns + trains * u128::from(pace.train_gap_ns)
}

/// Frames, of `most`, that are due before `time_ns`.
pub(super) fn frames_before(pace: &abi::pace, time_ns: u64, most: u64) -> u64 {
    let Some(ahead_ns) = time_ns.checked_sub(pace.due_ns) else { return 0 };
    let (mut low, mut high) = (0, most.min(ahead_ns / pace.step_ns.max(1) + 1));
    while low < high {
        let middle = low + (high - low) / 2;
        if due_ns(pace, middle) < time_ns.into() {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        spec::Leg,
        tx::{Pacer, Profile, Share, Spacing},
        units::Ratio,
    };
    use proptest::prelude::*;
    use xdp_ebpf::host;

    /// A stream of a constant rate: in trains, if there are any.
    fn pacer(interval_ns: f64, place: (u32, u32), phase: f64, train: Option<(u64, u64)>) -> Pacer {
        let fps = Ratio::from((1e18 / interval_ns) as u64).over(1_000_000_000.into());
        let profile =
            Profile::new(&[Leg { start_ns: 0, length_ns: None, from: fps, to: fps }], 1_000);
        let (spacing, first, stride) = match train {
            Some((frames, gap_ns)) => (Spacing::Trains { frames, gap_ns }, 0, 1),
            None => (Spacing::Even, place.0, place.1),
        };
        Pacer::new(profile, spacing, &Share { first, stride, phase, frames: None })
    }

    fn advance(stream: &mut abi::live_stream) {
        assert!(host::advance(stream));
    }

    proptest! {
        #[test]
        fn the_program_and_the_pacers_are_due_at_the_same_times(
            interval_ns in 50.0_f64..1e6, streams in 1_u32..6, place in 0_u32..6, phase in 0.0_f64..1.0,
            train in prop::option::of((1_u64..40, 0_u64..10_000_000)), at in 0_usize..2_000
        ) {
            let mut pacer = pacer(interval_ns, (place % streams, streams), phase, train);
            let began = pacer.pace().unwrap();
            let mut stream = abi::live_stream {
                left: u64::MAX, stop_ns: u64::MAX, flags: abi::LIVE_PACED as u8, pace: began, ..Default::default()
            };
            let mut skipped = pacer.clone();
            for n in 0..at {
                prop_assert_eq!(due_ns(&began, n as u64), u128::from(stream.pace.due_ns));
                prop_assert!(pacer.due_ns().abs_diff(stream.pace.due_ns) <= 1, "frame {}", n);
                pacer.advance();
                advance(&mut stream);
            }
            skipped.skip(at as u64);
            for _ in 0..100 {
                prop_assert!(skipped.due_ns().abs_diff(pacer.due_ns()) <= 1);
                skipped.advance();
                pacer.advance();
            }
        }

        #[test]
        fn how_many_frames_are_due_before_a_time_is_how_many_the_program_sends(
            interval_ns in 50.0_f64..1e6, train in prop::option::of((1_u64..40, 0_u64..1_000_000)),
            after_ns in 0_u64..20_000_000, most in 0_u64..3_000
        ) {
            let pace = pacer(interval_ns, (0, 1), 0.3, train).pace().unwrap();
            let time_ns = 1_000 + after_ns;
            let mut stream = abi::live_stream {
                left: u64::MAX, stop_ns: u64::MAX, flags: abi::LIVE_PACED as u8, pace, ..Default::default()
            };
            let mut sent = 0;
            while sent < most && stream.pace.due_ns < time_ns {
                advance(&mut stream);
                sent += 1;
            }
            prop_assert_eq!(frames_before(&pace, time_ns, most), sent);
        }
    }
}
