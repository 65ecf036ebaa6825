//! How a store in memory behaves.

use std::sync::Arc;

use ifmatch_core::Env;

use crate::features::Features;
use crate::limits::Limits;

/// How a [`MemoryMetaStore`](crate::MemoryMetaStore) behaves.
///
/// ```
/// use ifmatch_meta::{Features, MemoryOptions};
/// let options = MemoryOptions::default().author("tests").features(Features::none().audit(true));
/// assert_eq!(options.partition_bytes, 64 << 20);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MemoryOptions {
    /// Who writes, where a write does not say so itself.
    pub author: Option<Arc<str>>,
    /// How large documents and batches may be.
    pub limits: Limits,
    /// Largest partition: ids and bodies of its documents, in bytes; 64 MiB
    /// unless set.
    pub partition_bytes: usize,
    /// Local transactions and the record of changes, both off unless set. There
    /// are no indexes in memory.
    pub features: Features,
    /// Clock and randomness; the real ones unless set.
    pub env: Env,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self {
            author: None,
            limits: Limits::default(),
            partition_bytes: 64 << 20,
            features: Features::none(),
            env: Env::real(),
        }
    }
}

impl MemoryOptions {
    /// Sets who writes, where a write does not say so itself.
    pub fn author(mut self, author: impl Into<Arc<str>>) -> Self {
        self.author = Some(author.into());
        self
    }

    /// Sets how large documents and batches may be.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how large a partition may be, in bytes.
    pub fn partition_bytes(mut self, bytes: usize) -> Self {
        self.partition_bytes = bytes;
        self
    }

    /// Sets what the store can do beyond documents; indexes stay off.
    pub fn features(mut self, features: Features) -> Self {
        self.features = features.indexes(false);
        self
    }

    /// Sets clock and randomness.
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }
}
