//! What a seed means: who takes part, how, and what goes wrong.

use std::time::Duration;

use ifmatch_journal::Options;

use super::dice::Dice;
use super::load::Load;
use crate::fault::{FaultKind, FaultPlan};
use ifmatch_core::{Operation, RetryPolicy};

/// Everything that a seed decides before a run begins.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a die of its own")]
pub(super) struct Scenario {
    pub(super) seed: u64,
    pub(super) load: Load,
    pub(super) clients: Vec<ClientPlan>,
    pub(super) faults: FaultPlan,
    /// Reads may lag behind: what is told of "now" may be old.
    pub(super) stale: bool,
    /// Bodies may arrive damaged.
    pub(super) damaged: bool,
    /// Acknowledged commands after which the faults stop.
    pub(super) commands: u64,
    /// The longest pause of a caller between two calls.
    pub(super) think: Duration,
    /// One call in a thousand that is dropped at some await.
    pub(super) dropped: u32,
    /// The longest time until a client's next mishap.
    pub(super) mishaps: Option<Duration>,
    /// Whether the clients create the journal while faults happen.
    pub(super) created_in_storm: bool,
    /// Values that are there from the beginning, each of half a kibibyte: a large
    /// state makes checkpoints rare and merges frequent.
    pub(super) ballast: u64,
    /// Whether the bodies on the wire are read.
    pub(super) wire: bool,
}

/// One client.
#[derive(Clone, Debug)]
pub(super) struct ClientPlan {
    pub(super) callers: usize,
    pub(super) round_trip: Duration,
    pub(super) options: Options,
    /// Whether its monotonic clock stands still while it is paused; then its
    /// wall clock never goes back.
    pub(super) suspends: bool,
    pub(super) follows: bool,
    /// Handles that are open at the same time.
    pub(super) handles: usize,
}

impl Scenario {
    pub(super) fn of(seed: u64) -> Self {
        Self::with(seed, Load::draw(&mut Dice::of(seed, 1)))
    }

    /// The same with another kind of work.
    pub(super) fn with(seed: u64, load: Load) -> Self {
        let mut dice = Dice::of(seed, 0);
        let operator = load == Load::Operator;
        let stale = dice.chance(180) && !operator;
        let count = dice.between(2, 8);
        let crowded = dice.chance(700);
        let far = dice.time(busy(), Duration::from_millis(50));
        let mut clients: Vec<_> =
            (0..count).map(|_| ClientPlan::draw(&mut dice, crowded, far)).collect();
        if operator {
            // What a client has seen is what its only handle has seen.
            for client in &mut clients {
                client.handles = 1;
            }
        }
        let (faults, damaged) = draw_faults(seed, stale, &mut dice);
        let mut pick = |rare: u32, most: Duration| {
            if dice.chance(rare) { dice.time(busy(), most) } else { Duration::ZERO }
        };
        let think = pick(400, Duration::from_mins(1));
        Self {
            seed,
            load,
            clients,
            faults,
            stale,
            damaged,
            commands: if operator { dice.between(40, 600) } else { dice.between(700, 1_500) },
            think,
            dropped: if dice.chance(400) { 1 << dice.between(1, 6) } else { 0 },
            mishaps: (dice.chance(600) && !operator)
                .then(|| dice.time(Duration::from_secs(1), Duration::from_mins(10))),
            created_in_storm: dice.chance(100) && !operator,
            ballast: if dice.chance(200) && !operator { dice.between(100, 250) } else { 0 },
            wire: dice.chance(250),
        }
    }
}

impl ClientPlan {
    fn draw(dice: &mut Dice, crowded: bool, far: Duration) -> Self {
        // Who is ten times as far away as others would never win a race.
        let round_trip = far + dice.time(busy(), far);
        let (callers, batch) = if crowded {
            (dice.between(12, 32), dice.magnitude(16, 512))
        } else {
            (dice.magnitude(1, 32), dice.magnitude(1, 512))
        };
        let tail = dice.magnitude(64, 16 << 10);
        let ring = dice.magnitude(1, 128);
        let shortest = round_trip * if dice.chance(100) { 1 } else { 4 };
        let long = Duration::from_secs(30);
        let deadline = if dice.chance(250) { dice.time(shortest, long) } else { long };
        let first = dice.time(Duration::from_millis(5), Duration::from_millis(100));
        let retry =
            RetryPolicy::new().with_deadline(deadline).with_pauses(first, Duration::from_secs(5));
        let timeout = if dice.chance(500) { dice.time(round_trip * 2, long) } else { long };
        let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let mut options = Options::open()
            .tail(whole(tail))
            .ring(whole(ring))
            .batch(whole(batch))
            .retry(retry)
            .request_timeout(timeout);
        if dice.chance(80) {
            options.batch_bytes = whole(dice.magnitude(64, 4 << 10));
        }
        if dice.chance(300) {
            options.grace = dice.time(Duration::from_secs(1), Duration::from_hours(1));
        }
        Self {
            callers: whole(callers),
            round_trip,
            options,
            suspends: dice.chance(300),
            follows: dice.chance(250),
            handles: if dice.chance(150) { 2 } else { 1 },
        }
    }
}

const fn busy() -> Duration {
    Duration::from_millis(1)
}

/// What a journal asks of a store; it reads whole objects only.
const OPERATIONS: [Operation; 2] = [Operation::Put, Operation::Get];

/// A random subset of the faults of each operation, each at 5 to 15 %, at most
/// about 70 % in all.
fn draw_faults(seed: u64, stale: bool, dice: &mut Dice) -> (FaultPlan, bool) {
    let mut plan = FaultPlan::seeded(seed)
        .without_log()
        .delays(busy()..Duration::from_hours(3))
        .outages(Duration::from_millis(10)..Duration::from_secs(3))
        .latencies(busy()..Duration::from_secs(4))
        .lag(usize::try_from(dice.between(1, 5)).unwrap_or(1));
    let mut damaged = false;
    // A few seeds are calm: what goes wrong without faults must go wrong too.
    let most = if dice.chance(120) { 0 } else { 8 };
    for operation in OPERATIONS {
        let mut kinds: Vec<_> = FaultKind::ALL
            .into_iter()
            .filter(|kind| kind.applies_to(operation))
            .filter(|kind| stale || !kind.lags())
            .filter(|kind| *kind != FaultKind::ShortRange)
            .collect();
        let mut left = 700;
        for _ in 0..dice.between(0, most) {
            let rate = dice.between(50, 150).min(left);
            if kinds.is_empty() || rate < 50 {
                break;
            }
            let kind = kinds.swap_remove(dice.below(kinds.len()));
            damaged |= kind.damages();
            left -= rate;
            // One outage hits many calls.
            let per = if kind == FaultKind::Outage { 1e4 } else { 1e3 };
            plan = plan.rate_of(kind, operation, f64::from(u32::try_from(rate).unwrap_or(0)) / per);
        }
        // In a stale seed something is stale.
        if stale && operation == Operation::Get {
            plan = plan.rate_of(FaultKind::StaleRead, operation, 0.15);
        }
    }
    (plan, damaged)
}
