//! Begin, and going on in another process.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::sync::Mutex;

use super::amount::Amount;
use super::state::{Phase, State, nanos};
use super::{Committed, Inner, Transaction, backend, behind, idle};
use crate::error::{Error, Result};
use crate::key::Partition;
use crate::ops::Cost;
use crate::store::MetaStore;
use crate::transaction::{TxId, TxOptions, TxOutcome, TxRecord, piece};

/// How often a begin is asked for whose answer was lost.
const BEGINS: u32 = 3;

impl Transaction {
    /// Begins a transaction, or goes on with the open one of the same id.
    ///
    /// A begin whose answer was lost is asked again by itself a few times. Where
    /// the id was chosen ([`TxOptions::id`]) the caller can do so too.
    ///
    /// # Errors
    /// - `Unsupported`: the store was opened without transactions.
    /// - `PartitionLocked`: another transaction holds the partition.
    /// - `Invalid`: an option, or the id is open in another partition.
    /// - `OutcomeUnknown`: it may have begun. Ask again with the same id.
    /// - everything else: it has not begun.
    ///
    /// # Cancellation
    /// It may have begun; then its lifetime ends it, or a begin with the same
    /// id goes on with it.
    pub async fn begin(
        store: Arc<dyn MetaStore>,
        partition: &Partition,
        options: TxOptions,
    ) -> Result<Self> {
        options.check()?;
        may_be_begun(&*store)?;
        let drawn = options.id.is_none();
        let id = options.id.clone().unwrap_or_else(|| TxId::draw(store.env()));
        // Under a drawn id nobody else can go on with it.
        let mut unanswered = Unanswered(drawn.then(|| (Arc::clone(&store), id.clone())));
        let mut asked = 0;
        loop {
            asked += 1;
            let before = store.env().now();
            let begun = backend(&*store)?.begin(partition, &id, options.lifetime).await;
            match begun {
                Ok(record) => {
                    let opened = Self::opened(store, record, options, before).await?;
                    unanswered.0 = None;
                    return Ok(opened);
                }
                Err(error) if error.kind() == "outcome_unknown" && asked < BEGINS => {
                    let pause = store.env().jitter(Duration::from_millis(50));
                    store.env().sleep(pause).await;
                }
                Err(error) => {
                    if error.kind() != "outcome_unknown" && asked == 1 {
                        unanswered.0 = None;
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Goes on with an open transaction that another handle began and detached,
    /// perhaps in another process. Of one that was committed it gives a handle on
    /// which `commit` says so again.
    ///
    /// # Errors
    /// `Expired`: there is no such transaction, or it was aborted; else those of
    /// a read.
    pub async fn resume(store: Arc<dyn MetaStore>, id: &TxId) -> Result<Self> {
        Self::resume_with(store, id, TxOptions::default()).await
    }

    /// [`resume`](Self::resume) with options; id and lifetime are those of the
    /// transaction.
    ///
    /// # Errors
    /// As [`resume`](Self::resume).
    pub async fn resume_with(
        store: Arc<dyn MetaStore>,
        id: &TxId,
        options: TxOptions,
    ) -> Result<Self> {
        options.check()?;
        may_be_begun(&*store)?;
        let before = store.env().now();
        let kept = backend(&*store)?;
        let over = |what: &str| Error::Expired { id: id.clone(), what: what.into() };
        if let Some(record) = kept.find(id).await? {
            match Self::opened(Arc::clone(&store), record, options.clone(), before).await {
                Ok(opened) => {
                    opened.inner.peek()?.leave();
                    return Ok(opened);
                }
                // It has ended meanwhile.
                Err(Error::Expired { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        match kept.outcome(id, None).await? {
            TxOutcome::Committed { position, .. } => {
                let committed = Committed { position: Some(position), cost: Cost::default() };
                let inner = Inner {
                    id: id.clone(),
                    address: None,
                    options,
                    ends: before,
                    last: AtomicU64::new(nanos(before)),
                    state: Mutex::new(State::new(Phase::Committed(committed))),
                    store,
                };
                Ok(Self { inner: Arc::new(inner), _watch: None })
            }
            TxOutcome::Aborted => Err(over("it was aborted, or its life was over")),
            TxOutcome::Forgotten => Err(over("there is no such transaction")),
            // It began after it was looked for.
            TxOutcome::Open => {
                Err(Error::Busy { id: id.clone(), what: "it has just begun".into() })
            }
        }
    }

    /// A handle on an open transaction that was asked for at `before`.
    async fn opened(
        store: Arc<dyn MetaStore>,
        record: TxRecord,
        options: TxOptions,
        before: Duration,
    ) -> Result<Self> {
        let mut state = State::new(Phase::Open);
        if record.staged > 0 {
            for bytes in backend(&*store)?.staged(&record.address).await? {
                let rows = piece::decode(&record.address, &bytes)?;
                state.amount = state.amount.and(Amount::of(&rows));
                state.overlay.apply(rows, usize::MAX)?;
                state.staged += 1;
            }
            state.leave();
        }
        let ends = before + record.remaining.min(record.lifetime);
        let last = AtomicU64::new(nanos(store.env().now()));
        let (id, address) = (record.address.id.clone(), Some(record.address));
        let state = Mutex::new(state);
        let inner = Arc::new(Inner { store, id, address, options, ends, last, state });
        let watch = (inner.options.idle < record.lifetime).then(|| idle::watch(&inner));
        Ok(Self { inner, _watch: watch })
    }
}

fn may_be_begun(store: &dyn MetaStore) -> Result<()> {
    if store.features().transactions {
        return Ok(());
    }
    Err(Error::unsupported(
        "local transactions: the store was opened without them (option transactions=on)",
    ))
}

/// A begin that was sent and not answered; where the caller leaves, it is ended.
struct Unanswered(Option<(Arc<dyn MetaStore>, TxId)>);

impl Drop for Unanswered {
    fn drop(&mut self) {
        let Some((store, id)) = self.0.take() else { return };
        let env = store.env().clone();
        behind(&env, async move {
            let Some(backend) = store.transactions() else { return };
            if let Ok(Some(record)) = backend.find(&id).await {
                let _ = backend.abort(&record.address).await; // Its lifetime ends it too.
            }
        });
    }
}
