//! How commands become commits: one task, one body under way.

pub(crate) mod batch;
pub(crate) mod committer;
pub(crate) mod draft;
pub(crate) mod member;
pub(crate) mod passage;
pub(crate) mod plan;
pub(crate) mod publish;
pub(crate) mod queue;
pub(crate) mod rivals;
