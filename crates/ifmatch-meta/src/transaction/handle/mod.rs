//! The handle of a pessimistic transaction.

mod amount;
mod detach;
mod finish;
mod idle;
mod open;
mod reads;
mod state;
mod writes;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use ifmatch_core::{Background, Env};
use tokio::sync::Mutex;

use self::state::State;
use super::{TxAddress, TxBackend, TxId, TxOptions, TxOutcome};
use crate::error::{Error, Result};
use crate::key::Partition;
use crate::ops::Cost;
use crate::store::MetaStore;

/// A local transaction: from [`begin`](Self::begin) to [`commit`](Self::commit)
/// nobody else writes in its partition; everybody reads what is committed.
///
/// # Consistency
/// Reads are those of committed documents, with the writes of this handle over
/// them. Nobody else writes meanwhile, so two reads of one document agree; that
/// is all that is promised (read committed), and it ends with the lifetime.
/// Reads of other partitions are plain reads, unless
/// [`strict`](TxOptions::strict). Preconditions hold for what the transaction
/// sees at the write; ETags are made there and are those of the commit.
///
/// # Atomicity
/// Writes are kept in this handle. `commit` applies all of them as one commit,
/// only if the transaction still holds the partition, or nothing.
/// [`detach`](Self::detach) leaves them in the store for another process, which
/// goes on by [`resume`](Self::resume). Of two handles that go on with one
/// transaction one hears `Busy`, and its writes are never applied; what the other
/// commits is all that was detached and its own.
///
/// # Lifetime
/// At most 60 s, by this host's monotonic clock, from before the begin was
/// sent; at most 60 s without an operation. After it every operation answers
/// `Expired` and sends nothing, and others may write again.
///
/// # Errors
/// A failed operation leaves the transaction open, as it was before. A second
/// operation of one handle while one is under way answers `Busy` at once. After
/// the commit other operations answer `Closed`.
///
/// # Cancellation
/// Dropping the future of an operation other than `commit`, `abort` and `detach`
/// leaves the transaction as it was. Those three may have been done; call them
/// again to hear. Dropping the handle that began an open transaction aborts it in
/// the background, where there is a runtime, unless it was detached; at the latest
/// the lifetime releases the partition. Dropping any other handle loses what it
/// has not detached, and nothing else.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use ifmatch_meta::{
///     DocKey, DocPrecondition, Json, MetaStore, Partition, Result, Transaction, TxOptions,
/// };
/// # #[allow(dead_code)]
/// async fn transfer(store: Arc<dyn MetaStore>) -> Result<()> {
///     let bank = Partition::new("bank")?;
///     let (from, to) = (DocKey::new("bank", "ann")?, DocKey::new("bank", "bob")?);
///     let tx = Transaction::begin(store, &bank, TxOptions::default()).await?;
///     let taken = Json::new(r#"{"balance":90}"#)?;
///     tx.put(&from, taken, DocPrecondition::IfExists).await?;
///     let given = Json::new(r#"{"balance":110}"#)?;
///     tx.put(&to, given, DocPrecondition::IfExists).await?;
///     tx.commit().await?;
///     Ok(())
/// }
/// ```
pub struct Transaction {
    inner: Arc<Inner>,
    /// Ends an idle transaction.
    _watch: Option<Background>,
}

/// What a transaction came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs)]
pub struct Committed {
    /// The commit that holds all of its writes; `None` where it wrote nothing,
    /// and was aborted.
    pub position: Option<u64>,
    /// What the commit cost.
    pub cost: Cost,
}

struct Inner {
    store: Arc<dyn MetaStore>,
    id: TxId,
    /// `None` where it was over before this handle came.
    address: Option<TxAddress>,
    options: TxOptions,
    /// The end of its life, by the clock of the environment.
    ends: Duration,
    /// The end of the last operation in nanoseconds by that clock, or
    /// [`state::IN_OPERATION`].
    last: AtomicU64,
    state: Mutex<State>,
}

impl Transaction {
    /// Its name.
    pub fn id(&self) -> &TxId {
        &self.inner.id
    }

    /// Its partition; `None` where it was committed before this handle resumed
    /// it.
    pub fn partition(&self) -> Option<&Partition> {
        self.inner.address.as_ref().map(|address| &address.partition)
    }

    /// How much of its life is left.
    pub fn remaining(&self) -> Duration {
        self.inner.ends.saturating_sub(self.inner.env().now())
    }

    /// Bytes of ids and bodies that are staged, each document counted once.
    ///
    /// # Errors
    /// `Busy` while an operation is under way.
    pub fn staged_bytes(&self) -> Result<usize> {
        Ok(self.inner.peek()?.overlay.bytes())
    }

    /// What became of the newest transaction of this name.
    ///
    /// # Errors
    /// `Unsupported` where the store has no transactions; else those of a read.
    pub async fn outcome(store: &dyn MetaStore, id: &TxId) -> Result<TxOutcome> {
        backend(store)?.outcome(id, None).await
    }
}

impl Inner {
    fn env(&self) -> &Env {
        self.store.env()
    }

    fn backend(&self) -> Result<&dyn TxBackend> {
        backend(&*self.store)
    }

    fn address(&self) -> Result<&TxAddress> {
        self.address.as_ref().ok_or_else(|| self.expired("it is over"))
    }

    fn expired(&self, what: &str) -> Error {
        Error::Expired { id: self.id.clone(), what: what.into() }
    }

    fn busy(&self, what: &str) -> Error {
        Error::Busy { id: self.id.clone(), what: what.into() }
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("id", &self.inner.id)
            .field("address", &self.inner.address)
            .field("store", &self.inner.store)
            .finish_non_exhaustive()
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(address) = self.inner.address.clone() else { return };
        // Nobody else holds the state: operations borrow the handle, and the
        // watch holds it for a moment only.
        if self.inner.state.try_lock().is_ok_and(|state| state.is_ours_to_abort()) {
            abort_behind(Arc::clone(&self.inner.store), address);
        }
    }
}

fn backend(store: &dyn MetaStore) -> Result<&dyn TxBackend> {
    store.transactions().ok_or_else(|| Error::unsupported("local transactions on this store"))
}

/// Aborts in the background, where there is a runtime to do it. The lifetime
/// covers the rest.
fn abort_behind(store: Arc<dyn MetaStore>, address: TxAddress) {
    let env = store.env().clone();
    behind(&env, async move {
        if let Some(backend) = store.transactions() {
            let _ = backend.abort(&address).await; // Its lifetime ends it too.
        }
    });
}

/// Runs a task that nobody waits for.
fn behind(env: &Env, task: impl Future<Output = ()> + Send + 'static) {
    if tokio::runtime::Handle::try_current().is_err() {
        return;
    }
    // A task ends when its handle is dropped, so it holds its own.
    let handle = Arc::new(std::sync::OnceLock::new());
    let own = Arc::clone(&handle);
    let task = env.spawn("abort of a transaction", async move {
        let _own = own;
        task.await;
    });
    let _ = handle.set(task);
}
