//! Service availability from counts of seconds (ITU-T Y.1563, Y.1564 section 8.5).

use crate::{suite::Second, units::Ratio};

/// A second that loses at least this part of its frames is severely errored.
const SEVERE: (u64, u64) = (1, 2);

/// So many severely errored seconds in a row open unavailability, and so many others in a
/// row close it; both belong to the state that they begin.
const RUN: usize = 10;

/// How long a service was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Availability {
    /// Seconds looked at.
    pub seconds: u64,
    /// Those of them that were severely errored.
    pub severely_errored: u64,
    /// Those within times of unavailability.
    pub unavailable: u64,
    /// Frames sent in available time.
    pub tx_frames: u64,
    /// Those of them that were lost.
    pub lost_frames: u64,
}

impl Availability {
    /// Judges seconds one after the other, available at first.
    pub fn of(seconds: &[Second]) -> Self {
        let mut state = vec![true; seconds.len()];
        let (mut available, mut run) = (true, 0);
        for (place, second) in seconds.iter().enumerate() {
            run = if severe(second) == available { run + 1 } else { 0 };
            state[place] = available;
            if run == RUN {
                available = !available;
                state[place + 1 - RUN..=place].fill(available);
                run = 0;
            }
        }
        let available = || seconds.iter().zip(&state).filter(|&(_, &state)| state);
        let tx_frames: u64 = available().map(|(second, _)| second.tx_frames).sum();
        let rx_unique_frames: u64 = available().map(|(second, _)| second.rx_unique_frames).sum();
        Self {
            seconds: seconds.len() as u64,
            severely_errored: seconds.iter().filter(|second| severe(second)).count() as u64,
            unavailable: (seconds.len() - available().count()) as u64,
            tx_frames,
            lost_frames: tx_frames.saturating_sub(rx_unique_frames),
        }
    }

    /// Available of all seconds, 0 to 1; `None`: there was none.
    pub fn ratio(&self) -> Option<Ratio> {
        let available = self.seconds - self.unavailable;
        (self.seconds > 0).then(|| Ratio::new(available.into(), self.seconds.into()))
    }

    /// Frame loss ratio of available time, which is the only one it is defined for; `None`:
    /// nothing was sent in it.
    pub fn flr(&self) -> Option<Ratio> {
        let ratio = || Ratio::new(self.lost_frames.into(), self.tx_frames.into());
        (self.tx_frames > 0).then(ratio)
    }
}

/// A second in which nothing was sent shows nothing, so it is not.
fn severe(second: &Second) -> bool {
    let lost = second.tx_frames.saturating_sub(second.rx_unique_frames);
    second.tx_frames > 0 && lost * SEVERE.1 >= second.tx_frames * SEVERE.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A letter per second: `x` loses half, `.` less than that, `_` sends nothing.
    fn seconds(text: &str) -> Vec<Second> {
        let second = |letter| match letter {
            'x' => Second { tx_frames: 1000, rx_unique_frames: 500 },
            '_' => Second { tx_frames: 0, rx_unique_frames: 0 },
            _ => Second { tx_frames: 1000, rx_unique_frames: 501 },
        };
        text.chars().map(second).collect()
    }

    fn outage(before: usize, outage: usize, after: usize) -> Availability {
        let text = [".".repeat(before), "x".repeat(outage), ".".repeat(after)].concat();
        Availability::of(&seconds(&text))
    }

    #[test]
    fn ten_severely_errored_seconds_in_a_row_are_unavailable_and_nine_are_not() {
        let ratio = |availability: Availability| availability.ratio().unwrap();
        assert_eq!(ratio(outage(40_000, 10, 46_390)), Ratio::new(86_390, 86_400));
        assert_eq!(
            format!("{:.5}", 100.0 * ratio(outage(40_000, 10, 46_390)).to_f64()),
            "99.98843"
        );
        assert_eq!(format!("{:.4}", 100.0 * ratio(outage(400, 10, 490)).to_f64()), "98.8889");
        assert_eq!(ratio(outage(400, 9, 491)), Ratio::ONE);
        assert_eq!(outage(400, 9, 491).severely_errored, 9);
    }

    #[test]
    fn both_changes_of_state_count_from_the_first_second_of_their_run() {
        for (text, unavailable) in [
            ("xxxxxxxxxx", 10),
            ("xxxxxxxxx.xxxxxxxxx", 0),
            ("xxxxxxxxxx.........xxxxx", 24), // nine good seconds close nothing
            ("xxxxxxxxxx..........xxxxx", 10),
            ("xxxxxxxxxx.........", 19), // nor do they at the end
            ("..........xxxxxxxxxx..........xxxxxxxxxx", 20),
            ("xxxxx_xxxxx", 0),
            ("", 0),
        ] {
            assert_eq!(Availability::of(&seconds(text)).unavailable, unavailable, "{text}");
        }
    }

    #[test]
    fn loss_is_that_of_available_time() {
        let availability = outage(10, 10, 10);
        assert_eq!((availability.tx_frames, availability.lost_frames), (20_000, 20 * 499));
        assert_eq!(Availability::of(&seconds("xxxxxxxxxx")).flr(), None);
        assert_eq!(Availability::of(&[]).ratio(), None);
    }

    proptest! {
        #[test]
        fn the_state_is_that_of_the_nearest_run_of_ten(text in "[x.]{0,80}") {
            // The same by looking at every place: it is unavailable if the last run of ten
            // of one kind that begins at or before it is of bad seconds.
            let kinds: Vec<char> = text.chars().collect();
            let begins = |at: usize, kind| kinds.len() >= at + 10 && kinds[at..at + 10].iter().all(|&k| k == kind);
            let last = |place: usize| (0..=place).rev().find(|&at| begins(at, 'x') || begins(at, '.'));
            let bad = |&place: &usize| last(place).is_some_and(|at| begins(at, 'x'));
            let unavailable = (0..kinds.len()).filter(bad).count() as u64;
            prop_assert_eq!(Availability::of(&seconds(&text)).unavailable, unavailable);
        }
    }
}
