//! The cases, by theme.

pub(super) mod audit;
pub(super) mod batch;
pub(super) mod changes;
pub(super) mod conditions;
pub(super) mod detached;
pub(super) mod documents;
pub(super) mod handles;
pub(super) mod indexes;
pub(super) mod lives;
pub(super) mod locks;
pub(super) mod marks;
pub(super) mod pages;
pub(super) mod partitions;
pub(super) mod patch;
pub(super) mod queries;
pub(super) mod races;
pub(super) mod scan;
pub(super) mod times;
pub(super) mod transact;
pub(super) mod transactions;
pub(super) mod watching;
