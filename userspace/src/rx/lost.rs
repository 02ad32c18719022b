//! Which frames of a stream never came: the first and the last of them.

use xdp_ebpf::abi;

/// The least and the greatest sequence number that is missing, of a stream that sent
/// `sent` frames from 0 on: what the window left behind, and what it still shows.
///
/// `None`: nothing is missing, or the stream is longer than its sequence numbers (2^32).
pub fn lost_range<'a>(
    records: impl IntoIterator<Item = &'a abi::record>,
    window: &abi::window,
    sent: u64,
) -> Option<(u64, u64)> {
    if sent > 1 << 32 {
        return None;
    }
    let left = records.into_iter().filter(|record| record.left_behind > 0);
    let left = left.map(|record| (record.first_lost.into(), record.last_lost.into()));
    let shown = (0..).zip(&window.word).filter_map(|(index, &word)| missing(index, word, sent));
    left.chain(shown).reduce(|all, one: (u64, u64)| (all.0.min(one.0), all.1.max(one.1)))
}

/// The same of one word of the window, which stands for the numbers from `32 * index` on in
/// every epoch.
fn missing(index: u64, word: u64, sent: u64) -> Option<(u64, u64)> {
    let number = |epoch: u64, bit: u32| epoch << abi::WINDOW_BITS | index << 5 | u64::from(bit);
    // The newest epoch that the stream has reached here, and how many of its numbers.
    let reached = sent.checked_sub(number(0, 0) + 1)? >> abi::WINDOW_BITS;
    let sent_bits = (sent - number(reached, 0)).min(32) as u32;
    let shown = word >> 32;
    let (mut epoch, mut bits) = if shown & u64::from(abi::WINDOW_USED) == 0 {
        (0, 0)
    } else {
        (shown & 0xffff, word as u32)
    };
    if epoch < reached && bits == u32::MAX {
        (epoch, bits) = (epoch + 1, 0);
    }
    let all = |epoch: u64| if epoch < reached { u32::MAX } else { u32::MAX >> (32 - sent_bits) };
    let holes = all(epoch) & !bits;
    if epoch > reached || holes == 0 {
        return None;
    }
    let last =
        if epoch < reached { number(reached, sent_bits - 1) } else { number(epoch, holes.ilog2()) };
    Some((number(epoch, holes.trailing_zeros()), last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;
    use xdp_ebpf::host;

    proptest! {
        // Several windows long, each.
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn the_first_and_last_lost_are_those_that_never_came(
            sent in 1_u64..200_000,
            holes in prop::collection::vec((0_u64..200_000, 1_u64..90_000), 0..4),
            keep in 0_u64..70_000,
        ) {
            let mut window = Box::new(abi::window { word: [0; abi::WINDOW_WORDS as usize] });
            let mut record = abi::record::default();
            let inside = |n: u64| holes.iter().any(|&(from, length)| (from..from + length).contains(&n));
            let came: HashSet<u64> = (0..sent).filter(|&n| n < keep || !inside(n)).collect();
            for n in 0..sent {
                if came.contains(&n) {
                    host::window_follow(&mut window, &mut record, n as u32);
                }
            }
            let lost: Vec<_> = (0..sent).filter(|n| !came.contains(n)).collect();
            let expected = lost.first().copied().zip(lost.last().copied());
            prop_assert_eq!(lost_range([&record], &window, sent), expected);
        }
    }
}
