//! The hash of ids.

use std::hash::{BuildHasher, Hasher, RandomState};

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// XXH3 under a key that nobody can know, in a fraction of the time of the
/// standard library's hash: ids are short, and each write hashes one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keyed(u64);

impl Default for Keyed {
    fn default() -> Self {
        // Random in each process; it reaches no result, since nobody iterates.
        Self(RandomState::new().hash_one(0))
    }
}

impl BuildHasher for Keyed {
    type Hasher = OneByOne;

    fn build_hasher(&self) -> OneByOne {
        OneByOne(self.0)
    }
}

/// Hashes one piece after the other, each under the hash of those before.
pub(super) struct OneByOne(u64);

impl Hasher for OneByOne {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    /// The end of a text.
    fn write_u8(&mut self, byte: u8) {
        self.0 = self.0.rotate_left(8) ^ u64::from(byte);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
