//! What happens to frames by chance, in as many draws as there are kinds of it.

use rand_distr::{Binomial, Distribution};
use rand_pcg::{
    Pcg64,
    rand_core::{Rng, SeedableRng},
};

/// The chances of one direction in one trial.
#[derive(Debug)]
pub(super) struct Chance(Pcg64);

impl Chance {
    /// The same for the same seed, trial and direction.
    pub(super) fn new(seed: u64, trial: u64, direction: usize) -> Self {
        // Odd multipliers keep neighbours apart; seed_from_u64 spreads every bit.
        let mixed = seed
            .wrapping_add(trial.wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .wrapping_add((direction as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9));
        Self(Pcg64::seed_from_u64(mixed))
    }

    /// How many of `count` frames it strikes.
    pub(super) fn of(&mut self, count: u64, probability: f64) -> u64 {
        // Out of range, which the parser refuses, it strikes none.
        Binomial::new(count, probability).map_or(0, |binomial| binomial.sample(&mut self.0))
    }

    /// Between 0 and 1, never 0.
    fn unit(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// The place of the last of `struck` frames among `count`, from 0 on; `None`: none is.
    pub(super) fn last(&mut self, count: u64, struck: u64) -> Option<u64> {
        let greatest = self.unit().powf((struck as f64).recip());
        let least = struck.checked_sub(1)?;
        Some(((count as f64 * greatest).ceil() as u64).saturating_sub(1).clamp(least, count - 1))
    }

    /// The longest row of frames struck, of `count`, from its limiting distribution.
    pub(super) fn longest_row(&mut self, count: u64, probability: f64) -> u64 {
        if probability <= 0.0 {
            return 0;
        }
        let rows = count as f64 * (1.0 - probability);
        let row = (-self.unit().ln() / rows).ln() / probability.ln();
        (row.max(0.0) as u64).min(count)
    }

    /// How many of `count` frames come after one that was sent later (RFC 4737), if each is
    /// held back with `probability` until the next one has passed that is not.
    pub(super) fn reordered(&mut self, count: u64, probability: f64) -> u64 {
        if probability <= 0.0 || probability >= 1.0 {
            return 0;
        }
        // Those held back at the end come in order, as nothing follows.
        let at_end = (self.unit().ln() / probability.ln()) as u64;
        self.of(count.saturating_sub(at_end).saturating_sub(1), probability)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_near_their_mean_and_repeat_with_the_seed() {
        let draw = |seed| Chance::new(seed, 3, 1).of(893_000_000, 1e-6);
        assert_eq!(draw(7), draw(7));
        let draws: Vec<u64> = (0..400).map(draw).collect();
        let mean = draws.iter().sum::<u64>() as f64 / 400.0;
        // 893 give or take 30 each, 1.5 their mean.
        assert!((mean - 893.0).abs() < 9.0, "{mean}");
        let deviation =
            (draws.iter().map(|&d| (d as f64 - mean).powi(2)).sum::<f64>() / 400.0).sqrt();
        assert!((20.0..40.0).contains(&deviation), "{deviation}");
    }

    #[test]
    fn certainty_and_impossibility_need_no_luck() {
        let mut chance = Chance::new(1, 1, 0);
        assert_eq!((chance.of(1 << 40, 1.0), chance.of(1 << 40, 0.0)), (1 << 40, 0));
        assert_eq!((chance.reordered(1000, 0.0), chance.longest_row(1000, 0.0)), (0, 0));
        assert_eq!(chance.reordered(1000, 1.0), 0, "all held back is none held back");
        assert_eq!((chance.last(1000, 1000), chance.last(1000, 0)), (Some(999), None));
        assert!(chance.longest_row(1000, 1.0) <= 1000);
    }

    #[test]
    fn places_and_rows_lie_where_single_draws_put_them() {
        let (count, probability) = (20_000, 0.01);
        let (mut last, mut row, mut last_each, mut row_each) = (0, 0, 0, 0);
        for trial in 0..200 {
            let mut chance = Chance::new(5, trial, 0);
            let struck = chance.of(count, probability);
            last += chance.last(count, struck).unwrap();
            row += chance.longest_row(count, probability);
            let each: Vec<bool> = (0..count).map(|_| chance.unit() < probability).collect();
            last_each += each.iter().rposition(|&struck| struck).unwrap() as u64;
            row_each += each.split(|&struck| !struck).map(<[bool]>::len).max().unwrap() as u64;
        }
        assert!(last.abs_diff(last_each) < 200 * 30, "{last} {last_each}");
        assert!(row.abs_diff(row_each) < 50, "{row} {row_each}");
    }
}
