//! Bugs that some system had, and that the search must find.

use super::setup::Setup;

/// One rule of the protocol left out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Bug {
    /// A transaction is acknowledged when it is sent.
    AcknowledgesEarly,
    /// A missing answer means that nothing was applied: send the change again
    /// under a new id at once (blind retry).
    SilenceIsNever,
    /// A "precondition failed" is a verdict (A7).
    RejectionIsNever,
    /// The caller whose deadline passed is told that nothing was applied.
    DeadlineIsNever,
    /// An older head than the commit's base means "never" (A3).
    StaleIsNever,
    /// A commit is searched in the ring, and the distance compared with the
    /// reader's own ring length (A4).
    CountsOwnRing,
    /// A head that reaches back no further means "never".
    BeyondIsNever,
    /// A base that is still current means "never": the same change goes out
    /// under a new id while the old request is alive.
    OpenIsNever,
    /// Later questions know only the random half of an id: absent is "never"
    /// (A6).
    ResolvesByRandomId,
    /// The answer "never" is given when the empty commit is sent, not when it
    /// is known to be committed.
    FenceUnproven,
    /// A transaction reported as unknown stays in the queue (A5).
    RebatchesUnknown,
    /// A restarted process does not know its pending commit and makes a new
    /// one of the same changes (D2).
    ForgetsPending,
    /// A restarted process makes a body of all its changes under the pending
    /// id (D1).
    OneIdTwoBodies,
    /// A conflict is answered from the cached base (E5).
    ConflictFromCache,
    /// An uploaded segment is kept over a rebase.
    KeepsSegment,
    /// A checkpoint is committed although the base has a newer one (E6).
    CarriesCheckpoint,
    /// A session goes back to an older head (A3).
    AdoptsOlder,
    /// Any head that is not older is adopted, without asking whether it
    /// descends from the own base (A8b).
    AdoptsOtherBranch,
}

impl Bug {
    /// Every planted bug.
    pub const ALL: [Self; 18] = [
        Self::AcknowledgesEarly,
        Self::SilenceIsNever,
        Self::RejectionIsNever,
        Self::DeadlineIsNever,
        Self::StaleIsNever,
        Self::CountsOwnRing,
        Self::BeyondIsNever,
        Self::OpenIsNever,
        Self::ResolvesByRandomId,
        Self::FenceUnproven,
        Self::RebatchesUnknown,
        Self::ForgetsPending,
        Self::OneIdTwoBodies,
        Self::ConflictFromCache,
        Self::KeepsSegment,
        Self::CarriesCheckpoint,
        Self::AdoptsOlder,
        Self::AdoptsOtherBranch,
    ];

    /// A setup in which the bug can show, and in which the shipped rules keep
    /// every promise.
    pub const fn setup(self) -> Setup {
        match self {
            Self::StaleIsNever | Self::AdoptsOlder => Setup::of(1).stale(),
            Self::CountsOwnRing => Setup::of(2).rings(1, 3),
            Self::BeyondIsNever => Setup::of(2).rings(1, 1),
            Self::FenceUnproven => Setup::of(1).fences(1),
            Self::ForgetsPending => Setup::of(1).crashes(1),
            Self::OneIdTwoBodies => Setup::of(2).crashes(1),
            Self::ConflictFromCache => Setup::of(1).calls(),
            Self::KeepsSegment => Setup::of(2).layout(1, 0),
            Self::CarriesCheckpoint => Setup::of(1).layout(2, 1),
            Self::AdoptsOtherBranch => Setup::of(1).rewind().bodies(2),
            _ => Setup::of(1),
        }
    }
}
