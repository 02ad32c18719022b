//! `vary`: which of its values a field has in frame i (CONTRACT, flow file).

use crate::spec::{Vary, mix, scale};

/// When a field moves on to its next value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// Number of values.
    pub(super) period: u32,
    /// Frames that keep one value.
    pub(super) repeat: u64,
    /// `Some(seed)`: the index is drawn anew for each frame.
    pub(super) shuffled: Option<u64>,
}

impl Turn {
    /// Index of the value in frame `frame`: the definition, with its divisions.
    pub(super) fn index(&self, frame: u64) -> u32 {
        match self.shuffled {
            Some(seed) => scale(mix(seed, frame), self.period.into()) as u32,
            None => (frame / self.repeat % u64::from(self.period)) as u32,
        }
    }
}

/// The turns of fields with these periods, outermost header first. Under [`Vary::Zip`]
/// the periods must be equal, else the positions of two that are not.
pub(super) fn schedule(vary: Vary, periods: &[u32]) -> Result<Vec<Turn>, (usize, usize)> {
    if vary == Vary::Zip
        && let Some(odd) = periods.iter().position(|period| *period != periods[0])
    {
        return Err((0, odd));
    }
    // A seed for each place, or fields of one period would be drawn in step.
    let shuffled = |place| (vary == Vary::Random).then(|| mix(0x6c69_6e65_7261_7465, place));
    let mut turns: Vec<_> = (0..)
        .zip(periods)
        .map(|(place, &period)| Turn { period, repeat: 1, shuffled: shuffled(place) })
        .collect();
    if vary == Vary::Product {
        let mut repeat = 1_u64;
        for turn in turns.iter_mut().rev() {
            turn.repeat = repeat;
            // Saturated, a field would next move after centuries of frames.
            repeat = repeat.saturating_mul(turn.period.into());
        }
    }
    Ok(turns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_counts_through_every_combination_last_field_fastest() {
        let turns = schedule(Vary::Product, &[2, 3]).unwrap();
        let seen: Vec<_> =
            (0..7).map(|frame| (turns[0].index(frame), turns[1].index(frame))).collect();
        assert_eq!(seen, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 0)]);
    }

    #[test]
    fn zip_names_the_fields_that_are_out_of_step() {
        assert_eq!(schedule(Vary::Zip, &[4, 4, 5]), Err((0, 2)));
        assert_eq!(schedule(Vary::Zip, &[4, 4]).map(|turns| turns.len()), Ok(2));
    }

    #[test]
    fn random_draws_every_value_and_no_other() {
        let turn = schedule(Vary::Random, &[5]).unwrap()[0];
        let mut seen = [0_u32; 5];
        (0..1000).for_each(|frame| seen[turn.index(frame) as usize] += 1);
        assert!(seen.iter().all(|&count| count > 100), "{seen:?}");
    }
}
