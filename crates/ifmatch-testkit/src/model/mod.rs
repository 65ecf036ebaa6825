//! A small model of the commit protocol, searched to its end.
//!
//! Two writers, a few transactions, and a network that may lose, delay for ever
//! and repeat every request, and answer reads with any older head: every order
//! of events is visited. The writers decide by the shipped rules
//! ([`ifmatch_journal::outcome_of`], [`ifmatch_journal::descent`]), on shipped
//! heads; a [`Judge`] with a planted bug shows that the search would notice.
//!
//! Random walks miss what this finds in a handful of steps.

mod chain;
mod judge;
mod search;
mod step;
mod world;

pub use judge::Judge;
pub use search::{Bounds, Found, search};
pub use world::Violation;
