//! The protocol in the small, searched to its end.
#![allow(clippy::unwrap_used, clippy::panic)]

mod garbage;
mod head;
mod report;
mod slots;
