//! What keeps the head small: checkpoints and merged segments.

pub(crate) mod checkpoint;
pub(crate) mod fold;
pub(crate) mod maintain;
pub(crate) mod merge;
