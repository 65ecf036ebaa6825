//! Bugs of garbage collection, which the search must find.

use super::Setup;

/// One rule left out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Bug {
    /// Objects are deleted without being listed in a commit first (B0).
    OnePhase,
    /// A writer keeps its uploaded object over every rebase (B1).
    KeepsObject,
    /// It keeps it unless the new base lists it, however old it is (B2).
    KeepsUnlessListed,
    /// The collector keeps its list over a rebase (B4).
    CarriesList,
    /// A commit of a list whose outcome is unknown counts as one.
    UnknownIsListing,
    /// A replaced object is judged by its own age, not by its drop (B6).
    RetentionByAge,
    /// The collector's own clock, which runs ahead, says what is old.
    LocalClock,
}

impl Bug {
    /// Every planted bug.
    pub const ALL: [Self; 7] = [
        Self::OnePhase,
        Self::KeepsObject,
        Self::KeepsUnlessListed,
        Self::CarriesList,
        Self::UnknownIsListing,
        Self::RetentionByAge,
        Self::LocalClock,
    ];

    /// A setup in which the bug can show, and in which all rules together keep
    /// every promise.
    pub const fn setup(self) -> Setup {
        match self {
            Self::RetentionByAge => Setup::of(2, 1).objects(3).reader(),
            // Where age is counted by the head's own time, the writers' rule
            // alone keeps an old object from being named.
            Self::OnePhase | Self::CarriesList | Self::UnknownIsListing => {
                Setup::of(1, 1).objects(3).by_date()
            }
            _ => Setup::of(1, 1).objects(3),
        }
    }
}
