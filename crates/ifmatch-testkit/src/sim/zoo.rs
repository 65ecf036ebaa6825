//! The zoo: bugs that are planted into the engine, and hunted by simulation alone.

use ifmatch_core::Env;
use ifmatch_journal::zoo::{Bug, plant};

use super::run::run_seed;
use super::violation::Violation;

/// A planted bug that was found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Caught {
    /// The seed that showed it.
    pub seed: u64,
    /// How many seeds it took.
    pub seeds_tried: u64,
    /// What it broke first.
    pub violation: Violation,
    /// How long it took.
    pub seconds: f64,
}

/// Plants the bug and runs seeds, from `base_seed` on, until one shows a
/// violation; nothing if `limit` seeds show none. On this thread only.
pub fn hunt(bug: Bug, base_seed: u64, limit: u64) -> Option<Caught> {
    let env = Env::real();
    let began = env.now();
    plant(Some(bug));
    let caught = (0..limit).find_map(|number| {
        let seed = base_seed.wrapping_add(number);
        let violation = run_seed(seed, false).violations.into_iter().next()?;
        let (seeds_tried, seconds) = (number + 1, (env.now() - began).as_secs_f64());
        Some(Caught { seed, seeds_tried, violation, seconds })
    });
    plant(None);
    caught
}
