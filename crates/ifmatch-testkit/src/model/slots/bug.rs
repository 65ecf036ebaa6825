//! Bugs of a slot register, which the search must find.

/// One rule left out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Bug {
    /// Slots are deleted before the floor is published.
    DeletesFirst,
    /// The floor is written unconditionally (C2x).
    FloorUnconditional,
    /// A writer believes its success without asking the floor.
    SuccessUnchecked,
    /// The time since the slot was absent is taken from a process clock that
    /// stands still in suspend (C4).
    ProcessClock,
    /// Below the floor the answer is "never" (C6).
    BelowIsNever,
    /// A reader takes an absent next slot as "unchanged" (C5).
    AbsentIsUnchanged,
    /// The search starts at the hint's own copy of a state, whether its slot
    /// is there or not, and does not ask the floor (C3).
    HintUnchecked,
    /// A slot that exists is a verdict: somebody else's.
    TakenIsNever,
    /// A slot that is absent is a verdict: nothing was applied.
    AbsentIsNever,
}

impl Bug {
    /// Every planted bug.
    pub const ALL: [Self; 9] = [
        Self::DeletesFirst,
        Self::FloorUnconditional,
        Self::SuccessUnchecked,
        Self::ProcessClock,
        Self::BelowIsNever,
        Self::AbsentIsUnchanged,
        Self::HintUnchecked,
        Self::TakenIsNever,
        Self::AbsentIsNever,
    ];
}
