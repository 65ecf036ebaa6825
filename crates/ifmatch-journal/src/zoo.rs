//! Planted bugs, for testing the tests. Without `--cfg ifmatch_zoo` every
//! question here is the constant `false`.

/// A bug that some system had, or that a model showed to be one.
#[allow(clippy::exhaustive_enums)] // Only the testkit, of the same version, sees it.
#[cfg_attr(not(ifmatch_zoo), allow(dead_code))]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Bug {
    /// No answer means that nothing was applied: the change goes out again
    /// under a new id (icechunk issue 2099, `SlateDB` issue 766).
    BlindRetry,
    /// The caller is told before the PUT is.
    AcknowledgeFirst,
    /// A 412 means that another's commit came first (aws-sdk-java-v2 issue
    /// 6580): it may be our own, delivered twice.
    RejectionIsVerdict,
    /// An id that the ring does not hold was never committed.
    AbsentIsNever,
    /// A head older than the commit's base means "never".
    StaleIsNever,
    /// The commit's base being the newest means "never": give up and go on.
    OpenIsNever,
    /// The place in the ring is counted with the reader's own length.
    OwnRingLength,
    /// `resolve` takes "not there" for "never will be".
    ResolveOpenIsNever,
    /// A caller that was told "unknown" rides again in the next batch.
    UnknownRidesAgain,
    /// A conflict is answered from the cached base.
    ConflictFromCache,
    /// A segment with an entry of a lost commit is named by the next one.
    SegmentOverRebase,
    /// A checkpoint is carried over a rebase, whatever the new base holds.
    CheckpointOverRebase,
    /// A head is adopted without asking whether it descends from the own one.
    AdoptsAnything,
    /// An older head is adopted as well.
    SessionGoesBack,
    /// The head is written without a condition.
    NoCondition,
    /// A rebased body keeps its id: one id for two bodies.
    IdKeptOverRebase,
    /// Staleness is counted from the answer, not from before the request.
    StaleFromAnswer,
    /// The state of a lost commit stays.
    DirtyState,
    /// Entries are not validated again on the new base.
    NoRevalidation,
    /// What a segment holds is not compared with its name.
    UnverifiedSegment,
    /// A merge of segments leaves the last commit of the first out.
    MergeLosesRecord,
    /// A checkpoint claims to hold the commit after it, too.
    CheckpointAhead,
    /// A strong read is answered by a look that began before the call.
    SharedOldLook,
    /// Catching up applies the tail from its start, whatever was applied.
    TailAppliedTwice,
    /// Catching up takes the tail for all that happened since.
    TailIsAll,
    /// A caller whose time is up is told that nothing was applied, though the
    /// request is under way.
    TimeoutIsFailure,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 26] = [
        Self::BlindRetry,
        Self::AcknowledgeFirst,
        Self::RejectionIsVerdict,
        Self::AbsentIsNever,
        Self::StaleIsNever,
        Self::OpenIsNever,
        Self::OwnRingLength,
        Self::ResolveOpenIsNever,
        Self::UnknownRidesAgain,
        Self::ConflictFromCache,
        Self::SegmentOverRebase,
        Self::CheckpointOverRebase,
        Self::AdoptsAnything,
        Self::SessionGoesBack,
        Self::NoCondition,
        Self::IdKeptOverRebase,
        Self::StaleFromAnswer,
        Self::DirtyState,
        Self::NoRevalidation,
        Self::UnverifiedSegment,
        Self::MergeLosesRecord,
        Self::CheckpointAhead,
        Self::SharedOldLook,
        Self::TailAppliedTwice,
        Self::TailIsAll,
        Self::TimeoutIsFailure,
    ];
}

#[cfg(ifmatch_zoo)]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

/// Plants a bug in everything that runs on this thread.
#[cfg(ifmatch_zoo)]
pub fn plant(bug: Option<Bug>) {
    PLANTED.with(|planted| planted.set(bug));
}

/// Whether the bug is planted.
#[cfg(ifmatch_zoo)]
pub(crate) fn planted(bug: Bug) -> bool {
    PLANTED.with(|planted| planted.get() == Some(bug))
}

/// Whether the bug is planted: never.
#[cfg(not(ifmatch_zoo))]
pub(crate) const fn planted(_: Bug) -> bool {
    false
}
