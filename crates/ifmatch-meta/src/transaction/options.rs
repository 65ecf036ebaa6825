//! How a transaction is begun.

use std::sync::Arc;
use std::time::Duration;

use super::TxId;
use crate::error::{Error, Result};

/// Longest life and longest idleness.
const LONGEST: Duration = Duration::from_mins(1);
/// Most bytes of staged writes.
const MOST_STAGED: usize = 4 << 20;

/// What can be said at the begin of a transaction.
///
/// ```
/// use std::time::Duration;
/// use ifmatch_meta::{TxId, TxOptions};
/// let options = TxOptions::default()
///     .id(TxId::new("import-7")?)
///     .lifetime(Duration::from_secs(20))
///     .author("ann");
/// # let _ = options;
/// # Ok::<(), ifmatch_meta::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct TxOptions {
    /// The name; drawn unless set. Whoever chooses it can ask again after a lost
    /// answer, and go on in another process.
    pub id: Option<TxId>,
    /// How long it lives from its begin; 60 s unless set, at most 60 s.
    pub lifetime: Duration,
    /// How long this handle may be idle between two operations; 60 s unless set,
    /// at most 60 s. Beyond it the transaction is aborted.
    pub idle: Duration,
    /// Most bytes of staged writes, ids and bodies, each document counted once;
    /// 4 MiB unless set, at most 4 MiB. What is left in the store by many
    /// [`detach`](crate::Transaction::detach)es, each document counted as often as
    /// it was left, is at most twice as much.
    pub staged: usize,
    /// Whether reads of other partitions are refused; they are plain reads,
    /// neither locked nor isolated, unless set.
    pub strict: bool,
    /// Who writes, where a write does not say so itself; the store's own author
    /// where it is `None`.
    pub author: Option<Arc<str>>,
}

impl Default for TxOptions {
    fn default() -> Self {
        let (id, author) = (None, None);
        Self { id, lifetime: LONGEST, idle: LONGEST, staged: MOST_STAGED, strict: false, author }
    }
}

impl TxOptions {
    /// Names the transaction.
    pub fn id(mut self, id: TxId) -> Self {
        self.id = Some(id);
        self
    }

    /// Ends it so long after its begin.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Ends it after so long without an operation.
    pub fn idle(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// Stages at most so many bytes.
    pub fn staged(mut self, bytes: usize) -> Self {
        self.staged = bytes;
        self
    }

    /// Refuses reads of other partitions.
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Names who writes.
    pub fn author(mut self, author: impl Into<Arc<str>>) -> Self {
        self.author = Some(author.into());
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        for (what, time) in [("lifetime", self.lifetime), ("idle", self.idle)] {
            if time.is_zero() || time > LONGEST {
                return Err(Error::invalid(format!(
                    "{what} {time:?} of a transaction: more than 0 and at most {LONGEST:?}"
                )));
            }
        }
        if self.staged > MOST_STAGED {
            return Err(Error::invalid(format!(
                "{} bytes of staged writes: at most {MOST_STAGED}",
                self.staged
            )));
        }
        Ok(())
    }
}
