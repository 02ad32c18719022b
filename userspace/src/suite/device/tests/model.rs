//! Frame by frame, as methodology 4.4 tells it: slow, plain, and written without a look at how
//! the device does it.

use super::*;
use crate::suite::Action;
use proptest::prelude::*;
use std::collections::VecDeque;

/// Times in units of which `PER_SECOND` are a second.
struct Model {
    service: i128,
    room: usize,
    /// Length and period; the first begins at `period`, the trial at 0.
    stall: Option<(i128, i128)>,
    outage: Option<(i128, i128)>,
}

#[derive(Debug, Clone, Copy)]
struct Fate {
    sent: i128,
    /// When its turn came; `None`: lost.
    served: Option<i128>,
}

impl Model {
    fn stall_at(&self, time: i128) -> Option<(i128, i128)> {
        let (length, period) = self.stall?;
        let begin = time / period * period;
        (begin > 0 && time < begin + length).then_some((begin, begin + length))
    }

    /// When service that begins at `start` is done.
    fn done(&self, start: i128) -> i128 {
        let (mut now, mut left) = (start, self.service);
        let Some((length, period)) = self.stall else { return start + left };
        loop {
            let next = (now / period + 1) * period;
            if now + left <= next {
                return now + left;
            }
            left -= next - now;
            now = next + length;
        }
    }

    fn pass(&self, arrivals: &[i128]) -> Vec<Fate> {
        let mut fates: Vec<Fate> = Vec::new();
        // Place in `fates` and when it leaves, of each frame in the device.
        let mut inside: VecDeque<(usize, i128)> = VecDeque::new();
        let mut was_reset = false;
        for (place, &sent) in arrivals.iter().enumerate() {
            if let Some((begin, end)) = self.outage.filter(|&(begin, _)| sent >= begin) {
                if !was_reset {
                    forget(&mut fates, begin);
                    inside.clear();
                    was_reset = true;
                }
                if sent < end {
                    fates.push(Fate { sent, served: None });
                    continue;
                }
            }
            while inside.front().is_some_and(|&(_, leaves)| leaves <= sent) {
                inside.pop_front();
            }
            if inside.len() >= self.room {
                fates.push(Fate { sent, served: None });
                continue;
            }
            let mut start = inside.back().map_or(sent, |&(_, leaves)| leaves);
            if let Some((_, end)) = self.stall_at(start) {
                start = end;
            }
            inside.push_back((place, self.done(start)));
            fates.push(Fate { sent, served: Some(start) });
        }
        if let Some((begin, _)) = self.outage.filter(|_| !was_reset) {
            forget(&mut fates, begin);
        }
        fates
    }
}

/// What has not had its turn when the device is reset is lost.
fn forget(fates: &mut [Fate], begin: i128) {
    for fate in fates {
        fate.served = fate.served.filter(|&served| served < begin);
    }
}

/// Rates whose periods are whole numbers of units.
const RATES: [u64; 12] = [1, 2, 3, 7, 8, 15, 24, 30, 60, 77, 105, 840];
const PER_SECOND: i128 = 3 * 7 * 11 * 1_000_000_000;

fn rate() -> impl Strategy<Value = u64> {
    (0..RATES.len()).prop_map(|place| RATES[place])
}

fn percentile(sorted: &[i128], per_mille: usize) -> i128 {
    sorted[(sorted.len() * per_mille).div_ceil(1000) - 1]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_frame_fares_as_in_a_model_that_goes_frame_by_frame(
        capacity in rate(), buffer in 2_u64..30,
        stages in prop::collection::vec((rate(), 1_u64..100), 1..4),
        stall in prop::option::of((1_u64..=900, 50_u64..4000)),
        outage in prop::option::of((0_u64..5000, 1_u64..3000)),
        latency_us in 0_u64..100, from_ms in prop_oneof![Just(0), 0_u64..6000],
    ) {
        let stall = stall.map(|(per_mille, period_ms)| (per_mille * period_ms, period_ms * 1000));
        let stalls = stall.map_or(String::new(), |(length, period)| {
            format!(",stall={length}us/{period}us")
        });
        let text = format!(
            "link=1G,capacity={capacity}pps,buffer={buffer},latency={latency_us}us{stalls}"
        );
        let stages: Vec<Stage> =
            stages.into_iter().map(|(fps, frames)| Stage { fps: fps.into(), frames }).collect();
        let mut plan = plan(&stages);
        plan.latency_from = Duration::from_millis(from_ms);
        plan.per_second = true;
        plan.action = outage.map(|(at, length)| Action {
            at: Duration::from_millis(at), command: format!("{length}ms"),
        });
        let result = device(&text).run(&plan).unwrap();
        let got = &result.directions[0];

        let ms = |ms: u64| i128::from(ms) * (PER_SECOND / 1000);
        let model = Model {
            service: PER_SECOND / i128::from(capacity),
            room: buffer as usize,
            stall: stall.map(|(length, period)| (ms(length) / 1000, ms(period) / 1000)),
            outage: outage.map(|(at, length)| (ms(at), ms(at + length))),
        };
        let (mut arrivals, mut end) = (Vec::new(), 0);
        for stage in &stages {
            let gap = PER_SECOND / stage.fps.floor() as i128;
            arrivals.extend((0..i128::from(stage.frames)).map(|i| end + i * gap));
            end += i128::from(stage.frames) * gap;
        }
        let fates = model.pass(&arrivals);
        let ns = |units: i128| units / (PER_SECOND / 1_000_000_000);
        let served: Vec<i128> = fates.iter().filter_map(|fate| fate.served).collect();
        prop_assert_eq!(got.rx_unique_frames, served.len() as u64);
        prop_assert_eq!((got.tx_frames, got.rx_frames), (fates.len() as u64, served.len() as u64));
        prop_assert_eq!(got.lost_frames, (fates.len() - served.len()) as u64);
        let last_lost = fates.iter().rfind(|fate| fate.served.is_none()).map(|fate| ns(fate.sent));
        prop_assert_eq!(got.last_lost_ns, last_lost.map(|ns| ns as u64));
        let pause = served.windows(2).map(|pair| pair[1] - pair[0]).max();
        prop_assert_eq!(got.rx_gap_max_ns, pause.map(|pause| ns(pause) as u64));

        let seconds = (end + PER_SECOND - 1) / PER_SECOND;
        prop_assert_eq!(got.seconds.len() as i128, seconds);
        for (second, counts) in got.seconds.iter().enumerate() {
            let mine = fates.iter().filter(|fate| fate.sent / PER_SECOND == second as i128);
            prop_assert_eq!(counts.tx_frames, mine.clone().count() as u64);
            let came = mine.filter(|fate| fate.served.is_some()).count();
            prop_assert_eq!(counts.rx_unique_frames, came as u64);
        }

        let timed = fates.iter().filter(|fate| fate.sent >= ms(from_ms));
        let mut delays: Vec<i128> = timed
            .filter_map(|fate| Some(fate.served? - fate.sent + ms(latency_us) / 1000))
            .collect();
        delays.sort_unstable();
        let Some(stats) = got.latency else {
            prop_assert!(delays.is_empty());
            return Ok(());
        };
        prop_assert_eq!(Some(stats), result.latency);
        prop_assert_eq!(stats.count, delays.len() as u64);
        let up = |units: i128| -(-units).div_euclid(PER_SECOND / 1_000_000_000) as i64;
        prop_assert_eq!(stats.min_ns, ns(delays[0]) as i64);
        prop_assert_eq!(stats.max_ns, up(delays[delays.len() - 1]));
        for (got, per_mille) in [(stats.p50_ns, 500), (stats.p99_ns, 990), (stats.p999_ns, 999)] {
            prop_assert_eq!(got, up(percentile(&delays, per_mille)), "{} per mille", per_mille);
        }
        let mean = delays.iter().sum::<i128>() as f64 / delays.len() as f64 * 1e9 / PER_SECOND as f64;
        prop_assert!((stats.mean_ns - mean).abs() < 0.01, "{} {mean}", stats.mean_ns);
    }
}
