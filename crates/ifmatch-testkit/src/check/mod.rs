//! Checkers of histories: what clients asked and were told, against what is true.
//!
//! | module | it decides | of | cost of n calls |
//! |---|---|---|---|
//! | [`chain`] | whether every answer fits the true chain of commits | every history that has one | n log n |
//! | [`linear`] | whether any order of the calls explains the answers | one register, some hundred calls | exponential at worst, with a limit |
//! | [`cycles`] | whether transactions that append to lists are serializable | transactions over many keys | about linear |
//!
//! None of them knows how a history was made: a simulator, a real server with
//! one monotonic clock, or a person with a pencil. They use the standard
//! library only.
//!
//! The three lean on each other as little as possible. [`linear`] knows
//! nothing of a chain and so serves as the oracle of [`chain`]: on histories of
//! compare-and-swaps with unique values and a last read, the two must agree.

pub mod chain;
pub mod cycles;
pub mod linear;
mod moment;

pub use moment::Moment;
