//! Everything random that the simulator itself decides.

use std::time::Duration;

/// A stream of dice of its own: what one part of a run draws changes nothing for
/// another.
#[derive(Clone, Debug)]
pub(super) struct Dice(fastrand::Rng);

impl Dice {
    /// The stream `stream` of a seed.
    pub(super) fn of(seed: u64, stream: u64) -> Self {
        Self(fastrand::Rng::with_seed(scatter(seed ^ scatter(stream))))
    }

    /// Another stream, seeded by this one.
    pub(super) fn fork(&mut self) -> Self {
        Self(fastrand::Rng::with_seed(scatter(self.0.u64(..))))
    }

    pub(super) fn number(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// `true` so many times in a thousand.
    pub(super) fn chance(&mut self, per_mille: u32) -> bool {
        self.0.u32(0..1000) < per_mille
    }

    /// A number of `least..=most`, each as likely.
    pub(super) fn between(&mut self, least: u64, most: u64) -> u64 {
        self.0.u64(least..=most.max(least))
    }

    /// A number of `0..limit`, or 0.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        if limit == 0 { 0 } else { self.0.usize(..limit) }
    }

    /// A number of `least..=most`, each order of magnitude as likely.
    pub(super) fn magnitude(&mut self, least: u64, most: u64) -> u64 {
        let least = least.max(1);
        let most = most.max(least);
        let octaves = u64::from(most.ilog2() - least.ilog2());
        let start = least << self.between(0, octaves);
        self.between(start, start.saturating_mul(2)).clamp(least, most)
    }

    /// A time between these, each order of magnitude as likely.
    pub(super) fn time(&mut self, least: Duration, most: Duration) -> Duration {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.magnitude(micros(least), micros(most)))
    }

    /// One of these, by weight.
    pub(super) fn weighted<T: Copy>(&mut self, all: &[(u32, T)], otherwise: T) -> T {
        let total: u32 = all.iter().map(|(weight, _)| weight).sum();
        let mut left = self.0.u32(0..total.max(1));
        for (weight, one) in all {
            if left < *weight {
                return *one;
            }
            left -= weight;
        }
        otherwise
    }
}

/// Neighbouring seeds are to have nothing in common.
pub(super) const fn scatter(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Takes `bytes` into a hash. No cryptography: nobody here wants to deceive.
pub(super) fn hash(mut state: u64, bytes: &[u8]) -> u64 {
    let mut words = bytes.chunks_exact(8);
    for word in words.by_ref() {
        let word = word.try_into().map_or(0, u64::from_le_bytes);
        state = fold(state, word);
    }
    let rest = words.remainder().iter().fold(0, |rest, byte| rest << 8 | u64::from(*byte));
    fold(fold(state, rest), bytes.len() as u64)
}

/// Takes a number into a hash.
pub(super) const fn fold(state: u64, word: u64) -> u64 {
    let mixed = (state ^ word).wrapping_mul(0x9fb2_1c65_1e98_df25);
    mixed ^ (mixed >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magnitudes_stay_in_their_range_and_reach_both_ends() {
        let mut dice = Dice::of(1, 2);
        let drawn: Vec<_> = (0..2_000).map(|_| dice.magnitude(3, 1_000)).collect();
        assert!(drawn.iter().all(|number| (3..=1_000).contains(number)));
        let (small, large) =
            (drawn.iter().filter(|n| **n < 12), drawn.iter().filter(|n| **n > 250));
        assert!(small.count() > 300 && large.count() > 300);
        assert_eq!(dice.magnitude(0, 0), 1);
    }

    #[test]
    fn streams_of_a_seed_differ_and_return() {
        let draw = |seed, stream| Dice::of(seed, stream).number();
        assert_eq!(draw(1, 2), draw(1, 2));
        assert!(draw(1, 2) != draw(1, 3) && draw(1, 2) != draw(2, 2) && draw(1, 2) != draw(2, 1));
    }

    #[test]
    fn hashes_tell_bytes_and_lengths_apart() {
        assert_ne!(hash(0, b"12345678"), hash(0, b"12345679"));
        assert_ne!(hash(0, b"\0"), hash(0, b""));
        assert_ne!(hash(0, b"abc"), hash(0, b"abd"));
        assert_eq!(hash(7, b"the same bytes"), hash(7, b"the same bytes"));
    }
}
