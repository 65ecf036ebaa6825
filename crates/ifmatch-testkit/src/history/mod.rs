//! Histories of a [`MetaStore`]: many calls, and what must be true of them all.
//!
//! | function | it does | what must hold |
//! |---|---|---|
//! | [`replay`] | one random history on any number of stores | identical results and error kinds |
//! | [`count`] | tasks increment one number | no increment is lost |
//! | [`transfer`] | tasks move money between accounts | the sum is kept, in every page |
//! | [`append`] | tasks append to lists, several at once | [serializable](crate::check::cycles) |
//!
//! They take a store that is open and a partition that is theirs.

mod accounts;
mod appends;
mod counter;
mod replay;

pub use accounts::{Transfers, transfer};
pub use appends::{Appending, By, append};
pub use counter::count;
pub use replay::{Difference, Differences, replay};

#[cfg(doc)]
use ifmatch_meta::MetaStore;
