//! More than ten thousand lost answers per cloud.
//!
//! Each shape is a row of the table of what `object_store` was measured to do
//! (`answers.rs` proves the rows one by one). Here each of them hits creates,
//! updates and deletes hundreds of times, over real sockets and many keys at
//! once, and in six of ten rounds somebody else writes between the fault and
//! the read-back or right after it. The judge reads the server's log and
//! histories only.

mod judge;
mod round;
mod script;
mod table;

use std::sync::Arc;
use std::time::Duration;

use ifmatch::testkit::cloud::{Ending, Fault};
use ifmatch::{ConditionalBlobStore, ObjectBlobStore};
use tokio::task::JoinSet;

use crate::fixture::{Cloud, QUICK, World, each_cloud};
use crate::foreign::Foreign;
use crate::harness::Cases;
use crate::interposed::Moment;
use judge::Judge;
use round::Round;
use script::Script;
use table::Table;

/// The least of lost answers: of writes that were applied.
const LOST: usize = 10_000;

/// Rounds that are under way at once.
const WORKERS: usize = 96;

/// Attempts of a write whose every attempt is refused.
const ATTEMPTS: u32 = 3;

pub(crate) fn cases(cases: &mut Cases) {
    each_cloud!(cases, w1_ten_thousand_lost_answers_bring_no_false_conflict);
}

/// What goes wrong: the rows of the table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Shape {
    AppliedClosed,
    AppliedHalfStatusLine,
    AppliedReset,
    AppliedStalled,
    AppliedServerError,
    RefusedServerError,
    ClosedBefore,
    OneConflict,
    ConflictForEver,
}

impl Shape {
    const ALL: [Self; 9] = [
        Self::AppliedClosed,
        Self::AppliedHalfStatusLine,
        Self::AppliedReset,
        Self::AppliedStalled,
        Self::AppliedServerError,
        Self::RefusedServerError,
        Self::ClosedBefore,
        Self::OneConflict,
        Self::ConflictForEver,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::AppliedClosed => "applied, closed",
            Self::AppliedHalfStatusLine => "applied, half a status line",
            Self::AppliedReset => "applied, reset",
            Self::AppliedStalled => "applied, stalled",
            Self::AppliedServerError => "applied, 500 503 408",
            Self::RefusedServerError => "not applied, 500 429",
            Self::ClosedBefore => "closed before",
            Self::OneConflict => "one 409",
            Self::ConflictForEver => "409 for ever",
        }
    }

    /// Rounds with each operation.
    const fn rounds(self) -> usize {
        match self {
            Self::AppliedClosed
            | Self::AppliedHalfStatusLine
            | Self::AppliedReset
            | Self::AppliedStalled
            | Self::AppliedServerError => 690,
            Self::RefusedServerError
            | Self::ClosedBefore
            | Self::OneConflict
            | Self::ConflictForEver => 330,
        }
    }

    /// The fault of the first attempt of the round with this number, or of all
    /// attempts where it is for ever.
    fn fault(self, round: usize) -> Fault {
        match self {
            Self::AppliedClosed => Fault::AfterApply(Ending::Close),
            Self::AppliedHalfStatusLine => Fault::AfterApply(Ending::HalfStatusLine),
            Self::AppliedReset => Fault::AfterApply(Ending::Reset),
            Self::AppliedStalled => Fault::AfterApply(Ending::Stall(Duration::from_mins(10))),
            Self::AppliedServerError => {
                Fault::AfterApply(Ending::status([500, 503, 408][round % 3]))
            }
            Self::RefusedServerError => Fault::BeforeApply(Ending::status([500, 429][round % 2])),
            Self::ClosedBefore => Fault::BeforeApply(Ending::Close),
            Self::OneConflict | Self::ConflictForEver => Fault::BeforeApply(Ending::status(409)),
        }
    }
}

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Action {
    Create,
    Update,
    /// Under `IfMatch` where the provider has it, else `Overwrite`.
    Delete,
}

impl Action {
    const ALL: [Self; 3] = [Self::Create, Self::Update, Self::Delete];

    const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// The stores of a campaign, all on one server.
#[derive(Clone)]
struct Stores {
    /// Of the writer whose requests meet faults.
    patient: Arc<ObjectBlobStore>,
    /// The same with little patience, for stalls.
    hasty: Arc<ObjectBlobStore>,
    /// The same that gives up early, for what never ends.
    resigned: Arc<ObjectBlobStore>,
    /// Of everybody else.
    others: Arc<ObjectBlobStore>,
}

impl Stores {
    fn of(world: &World) -> Self {
        Self {
            patient: Arc::new(world.store()),
            hasty: Arc::new(world.store_with("&timeout=1s", QUICK)),
            resigned: Arc::new(world.store_with("&timeout=60s", QUICK.with_max_attempts(ATTEMPTS))),
            others: Arc::new(world.store()),
        }
    }

    fn writer(&self, shape: Shape) -> &Arc<ObjectBlobStore> {
        match shape {
            Shape::AppliedStalled => &self.hasty,
            Shape::ConflictForEver => &self.resigned,
            _ => &self.patient,
        }
    }
}

/// Every round, in an order that mixes the shapes.
fn rounds(conditional_delete: bool) -> Vec<Round> {
    let mut all = Vec::new();
    let most = Shape::ALL.into_iter().map(Shape::rounds).max().unwrap_or_default();
    for number in 0..most {
        for shape in Shape::ALL.into_iter().filter(|shape| number < shape.rounds()) {
            for action in Action::ALL {
                let foreign = match number % 10 {
                    0 => Some((Moment::BeforeReadBack, Foreign::Builds)),
                    1 => Some((Moment::BeforeReadBack, Foreign::BuildsTwice)),
                    2 => Some((Moment::BeforeReadBack, Foreign::Overwrites)),
                    // Two deletes without a condition cannot be told apart.
                    3 if action == Action::Delete && !conditional_delete => None,
                    3 => Some((Moment::BeforeReadBack, Foreign::Deletes)),
                    4 => Some((Moment::AfterReadBack, Foreign::Builds)),
                    5 => Some((Moment::AfterReadBack, Foreign::Overwrites)),
                    _ => None,
                };
                all.push(Round { shape, action, foreign, number, conditional_delete });
            }
        }
    }
    all
}

async fn w1_ten_thousand_lost_answers_bring_no_false_conflict(cloud: Cloud) {
    let world = World::start(cloud).await;
    let stores = Stores::of(&world);
    let script = Script::install(&world.server);
    let conditional_delete = stores.patient.capabilities().delete_if_match;
    let rounds = Arc::new(rounds(conditional_delete));
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        let (rounds, stores, script) = (rounds.clone(), stores.clone(), script.clone());
        workers.spawn(async move {
            let mut played = Vec::new();
            for round in rounds.iter().skip(worker).step_by(WORKERS) {
                played.push(round.play(&stores, &script).await);
            }
            played
        });
    }
    let played: Vec<_> = workers.join_all().await.into_iter().flatten().collect();
    let judge = Judge::new(cloud, &world.server);
    let mut table = Table::default();
    for played in &played {
        table.add(&played.round, &judge.judge(played));
    }
    println!("{}", table.render(cloud));
    table.check();
    judge.check_every_condition();
}
