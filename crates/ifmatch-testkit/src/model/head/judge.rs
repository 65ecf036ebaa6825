//! How the model's writers read a head: by the shipped rules, or with a
//! planted bug.

use ifmatch_journal::{Descent, Outcome, descent, outcome_of};

use super::bug::Bug;
use super::chain::{Chain, HeadAt};

/// A verdict on a commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Told {
    Committed,
    Never,
    /// None yet: send again, or read again.
    Nothing,
}

/// How a state moves to another head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Adoption {
    GoesOn,
    /// By loading everything, as a new reader.
    Anew,
    Refused,
}

/// The rules, asked once for each pair of heads.
#[derive(Debug)]
pub(super) struct Judge {
    bug: Option<Bug>,
    /// The ring length that a bug counts with.
    ring: u64,
    outcomes: Memo<Told>,
    adoptions: Memo<Adoption>,
}

impl Judge {
    pub(super) fn new(bug: Option<Bug>, ring: usize) -> Self {
        Self { bug, ring: ring as u64, outcomes: Memo(Vec::new()), adoptions: Memo(Vec::new()) }
    }

    /// What the head `read` tells the writer of `sent`. Segments and history
    /// answer where the head itself reaches back no further.
    pub(super) fn outcome(&mut self, chain: &Chain, sent: HeadAt, read: HeadAt) -> Told {
        let (bug, ring) = (self.bug, self.ring);
        self.outcomes.of(sent, read, || told(chain, sent, read, bug, ring))
    }

    /// What the head `read` tells who asks later.
    pub(super) fn resolve(&mut self, chain: &Chain, sent: HeadAt, read: HeadAt) -> Told {
        if self.bug == Some(Bug::ResolvesByRandomId) {
            return if in_ring(chain, sent, read) { Told::Committed } else { Told::Never };
        }
        self.outcome(chain, sent, read)
    }

    /// Whether a state at `mine` moves to the head `read`.
    pub(super) fn adopts(&mut self, chain: &Chain, mine: HeadAt, read: HeadAt) -> Adoption {
        let bug = self.bug;
        self.adoptions.of(mine, read, || {
            let (mine, read) = (chain.head(mine), chain.head(read));
            match (descent(mine.commit(), mine.fork, read), bug) {
                (Descent::Same | Descent::Ahead, _)
                | (Descent::Older, Some(Bug::AdoptsOlder))
                | (Descent::Diverged | Descent::Beyond, Some(Bug::AdoptsOtherBranch)) => {
                    Adoption::GoesOn
                }
                (Descent::Beyond, _) => Adoption::Anew,
                _ => Adoption::Refused,
            }
        })
    }
}

fn told(chain: &Chain, sent: HeadAt, read: HeadAt, bug: Option<Bug>, ring: u64) -> Told {
    let (commit, fork) = (chain.head(sent).commit(), chain.head(sent).fork);
    let head = chain.head(read);
    let history = || if chain.descends(read, sent) { Told::Committed } else { Told::Never };
    if bug == Some(Bug::CountsOwnRing) && read != chain.base(sent) {
        return match (head.seq + 1).checked_sub(commit.seq) {
            None => Told::Nothing,
            Some(_) if in_ring(chain, sent, read) => Told::Committed,
            Some(moved) if moved < ring => Told::Never,
            Some(_) => history(),
        };
    }
    match (outcome_of(commit, fork, Some(head)), bug) {
        (Outcome::Committed, _) => Told::Committed,
        (Outcome::Beyond, Some(Bug::BeyondIsNever))
        | (Outcome::NoWitness, Some(Bug::StaleIsNever))
        | (Outcome::Open, Some(Bug::OpenIsNever))
        | (Outcome::Never, _) => Told::Never,
        (Outcome::Beyond, _) => history(),
        _ => Told::Nothing,
    }
}

/// Whether the ring holds the commit's random bits, wherever.
fn in_ring(chain: &Chain, sent: HeadAt, read: HeadAt) -> bool {
    let own = chain.head(sent).ring.slots.last().map(|slot| slot.bits);
    chain.head(read).ring.slots.iter().any(|slot| Some(slot.bits) == own)
}

/// Answers by pairs of heads.
#[derive(Debug)]
struct Memo<T>(Vec<Vec<Option<T>>>);

impl<T: Copy> Memo<T> {
    fn of(&mut self, one: HeadAt, other: HeadAt, ask: impl FnOnce() -> T) -> T {
        let (one, other) = (usize::from(one), usize::from(other));
        if self.0.len() <= one {
            self.0.resize_with(one + 1, Vec::new);
        }
        let row = &mut self.0[one];
        if row.len() <= other {
            row.resize(other + 1, None);
        }
        *row[other].get_or_insert_with(ask)
    }
}
