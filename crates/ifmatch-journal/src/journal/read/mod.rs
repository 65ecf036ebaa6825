//! What is known of a journal, and how it is found out.

pub(crate) mod adopt;
pub(crate) mod follow;
pub(crate) mod look;
pub(crate) mod records;
pub(crate) mod resolve;
pub(crate) mod session;
pub(crate) mod snapshot;
pub(crate) mod verify;
