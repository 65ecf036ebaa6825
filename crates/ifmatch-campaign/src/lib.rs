//! What the campaigns share.

use ifmatch_core::Env;

/// A seed that no earlier run had.
pub fn fresh_seed() -> u64 {
    // Short enough to be typed again.
    Env::real().random_u64() >> 20
}
