//! Which frames of a recording are the same to the matcher, and what of them arrived.

use crate::packet::Recording;
use std::collections::HashMap;
use xdp_ebpf::fingerprint;

/// The different contents of a recording.
#[derive(Debug)]
pub(super) struct Contents {
    /// Each once.
    pub(super) fingerprints: Vec<u64>,
    /// By frame: its place in `fingerprints`.
    places: Vec<u32>,
    /// By content: frames of a round that have it.
    per_round: Vec<u64>,
}

/// Frames that arrived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Arrived {
    /// As often as they were sent, at most.
    pub(super) unique: u64,
    /// Beyond that.
    pub(super) duplicate: u64,
}

impl Contents {
    pub(super) fn of(recording: &Recording) -> Self {
        let mut known = HashMap::new();
        let mut this = Self { fingerprints: Vec::new(), places: Vec::new(), per_round: Vec::new() };
        for frame in recording.frames() {
            let fingerprint = fingerprint(frame);
            let place = *known.entry(fingerprint).or_insert_with(|| {
                this.fingerprints.push(fingerprint);
                this.per_round.push(0);
                this.fingerprints.len() - 1
            });
            this.per_round[place] += 1;
            this.places.push(place as u32);
        }
        this
    }

    /// Compares what arrived of each content with how often it was among the first `sent`
    /// frames: a duplicate of one never hides the loss of another.
    pub(super) fn arrived(&self, sent: u64, received: impl Fn(usize) -> u64) -> Arrived {
        let (rounds, rest) =
            (sent / self.places.len() as u64, (sent % self.places.len() as u64) as usize);
        let mut expected: Vec<u64> = self.per_round.iter().map(|count| count * rounds).collect();
        for &place in &self.places[..rest] {
            expected[place as usize] += 1;
        }
        let mut arrived = Arrived::default();
        for (place, expected) in expected.into_iter().enumerate() {
            let received = received(place);
            arrived.unique += received.min(expected);
            arrived.duplicate += received.saturating_sub(expected);
        }
        arrived
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duplicate_of_one_content_does_not_hide_the_loss_of_another() {
        // Three frames of two contents: A B A.
        let contents =
            Contents { fingerprints: vec![1, 2], places: vec![0, 1, 0], per_round: vec![2, 1] };
        let of = |sent, a, b| {
            let arrived = contents.arrived(sent, |place| [a, b][place]);
            (arrived.unique, arrived.duplicate)
        };
        assert_eq!(of(3, 2, 1), (3, 0), "all");
        assert_eq!(of(3, 2, 2), (3, 1), "B twice");
        assert_eq!(of(3, 1, 2), (2, 1), "one A lost, B twice");
        assert_eq!(of(7, 5, 2), (7, 0), "two rounds and an A");
        assert_eq!(of(8, 5, 2), (7, 0), "and a B, which is missing");
        assert_eq!(of(0, 1, 0), (0, 1), "nothing was sent yet");
    }
}
