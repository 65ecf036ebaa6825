//! Transactions, pessimistic and optimistic, over the store in memory and over
//! one that loses answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod begin;
mod commit;
mod common;
mod failed_reads;
mod handles;
mod life;
mod lossy;
mod optimistic;
mod reads;
mod staged;
mod writes;
