//! How the model's writers read a head: rightly, or with a planted bug.

use ifmatch_journal::{CommitId, Descent, Head, Outcome, descent, outcome_of};

/// How a writer decides. Everything but [`Judge::Shipped`] is a bug that some
/// system had, and that the search must find.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Judge {
    /// The rules of `ifmatch-journal`.
    Shipped,
    /// A head in whose ring the id is not found means "never" (counting with
    /// an own ring length, A4).
    AbsentIsNever,
    /// An older head than the commit's base means "never" (A3).
    StaleIsNever,
    /// A base that is still current means "never": give up, and send the same
    /// change again under a new id while the old request is alive (A6).
    OpenIsNever,
    /// A missing answer means that nothing was applied: send the change again
    /// under a new id at once (blind retry).
    SilenceIsNever,
    /// Any newer head is adopted, without asking whether it descends from the
    /// own base (A8).
    AdoptsAnything,
}

impl Judge {
    /// Every planted bug.
    pub const BUGS: [Self; 5] = [
        Self::AbsentIsNever,
        Self::StaleIsNever,
        Self::OpenIsNever,
        Self::SilenceIsNever,
        Self::AdoptsAnything,
    ];

    pub(super) fn outcome(self, commit: CommitId, head: &Head) -> Outcome {
        let told = outcome_of(commit, head.fork, Some(head));
        match (self, told) {
            (Self::AbsentIsNever, Outcome::Beyond)
            | (Self::StaleIsNever, Outcome::NoWitness)
            | (Self::OpenIsNever, Outcome::Open) => Outcome::Never,
            (_, told) => told,
        }
    }

    /// Whether a state at `mine` moves to `head`: by going on from it, or by
    /// loading everything anew.
    pub(super) fn adopts(self, mine: CommitId, head: &Head) -> Option<Adoption> {
        match descent(mine, head.fork, head) {
            Descent::Same | Descent::Ahead => Some(Adoption::GoesOn),
            Descent::Beyond => Some(Adoption::Anew),
            _ => (self == Self::AdoptsAnything).then_some(Adoption::GoesOn),
        }
    }
}

/// How a state moves to a newer head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Adoption {
    GoesOn,
    Anew,
}
