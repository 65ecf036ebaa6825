//! Small models of the protocol, searched to their end.
//!
//! A [`Model`] has a few clients and a network that may lose, delay for ever
//! and repeat every request; [`search`] visits every order of events, breadth
//! first, so that the first trace it reports is a shortest one.
//!
//! | module | what it is |
//! |---|---|
//! | [`head`] | commits on one head: batches, lost answers, deadlines, restarts, conflicts, layout, rewinds |
//! | [`garbage`] | objects that heads name: uploads, lists, deletions |
//! | [`slots`] | commits by creating the next slot, and trimming behind a floor |
//!
//! Random walks miss what this finds in a handful of steps.

mod bits;
pub mod garbage;
pub mod head;
mod search;
pub mod slots;

pub use search::{Found, Model, Next, State, search};
