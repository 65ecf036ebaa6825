//! Local transactions: their locks, what they staged, what became of them.

mod backend;
mod lock;
mod outcome;
mod work;

pub(crate) use lock::refuse_locked;
