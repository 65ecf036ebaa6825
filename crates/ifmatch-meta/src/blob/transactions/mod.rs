//! Local transactions: the lock lies in the partition's own journal, so that
//! whoever writes there sees it, and every step is a commit.
//!
//! # How a transaction ends that nobody ends
//!
//! Its lock counts as over for another process once that has seen it, unchanged,
//! for its whole life by its own monotonic clock; or once the store's clock is
//! two lives past the date that the lock carries, which is a lower bound of its
//! begin. Whoever comes next ends it with the write that it came for. Time never
//! decides what is applied: a commit is accepted only as long as the lock of its
//! own incarnation is there.

mod address;
mod pieces;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ifmatch_core::{ConditionalBlobStore, Timestamp};
use ifmatch_journal::Freshness;

use super::machine::{Ask, Lock, LockId, Reply};
use super::meter::{Meter, Metered};
use super::reads::View;
use super::store::{BlobMetaStore, Inner};
use super::writes::Undone;
use crate::error::{Error, Result};
use crate::key::Partition;
use crate::ops::Cost;
use crate::transaction::{TxAddress, TxBackend, TxCommit, TxId, TxOutcome, TxRecord};

/// The longest life.
const LONGEST: Duration = Duration::from_mins(1);
/// So often an id may be moved while it begins.
const ATTEMPTS: usize = 16;

/// A call that counts what it costs beside the journal.
struct Counted {
    store: Metered,
    meter: Arc<Meter>,
}

impl Inner {
    fn counted(&self) -> Counted {
        let meter = Arc::new(Meter::default());
        Counted { store: Metered::new(Arc::clone(&self.store), Arc::clone(&meter)), meter }
    }

    /// The newest state of a transaction's partition.
    async fn of(&self, partition: &Partition) -> Result<Option<View>> {
        Box::pin(self.view_as(partition, Freshness::Strong)).await
    }

    async fn begin(
        &self,
        partition: &Partition,
        id: &TxId,
        lifetime: Duration,
    ) -> Result<TxRecord> {
        let Counted { store, meter } = self.counted();
        let mut fenced = None;
        for _ in 0..ATTEMPTS {
            let address = self.claim(&store, id, partition, fenced).await?;
            let date = address.date;
            let ask = Ask::Begin { id: id.clone(), address: address.nonce, lifetime, date };
            let done = match Box::pin(self.write(partition, ask, None)).await {
                Ok(done) => done,
                Err(Undone::Fenced) => {
                    // The id is being moved, or its mover never came so far.
                    fenced = Some(address.nonce);
                    continue;
                }
                Err(undone) => return Err(undone.into_error()),
            };
            let Reply::Begun { lock, fresh } = done.reply else {
                return Err(Error::corrupt(self.subject(), "a begin that begins nothing"));
            };
            if let Some(handle) = self.cache.open_one(partition) {
                handle.notice(handle.journal.known().state(), &self.env);
                let left = handle.left(&lock, self.store.as_ref(), &self.env);
                if !fresh && left.await.over {
                    // A life that is over is not gone on with: it ends, and a new one begins.
                    let ask = Ask::Abort { tx: lock.tx };
                    let ended = Box::pin(self.write(partition, ask, None)).await;
                    match ended.map_err(Undone::into_error) {
                        Ok(_) | Err(Error::Expired { .. }) => continue,
                        Err(error) => return Err(error),
                    }
                }
            }
            let mut record = record(partition, &lock, date);
            if fresh {
                record.remaining = lifetime;
            } else if record.remaining.is_zero() {
                // Its life is over, which the store may not say yet.
                let (partition, holder) = (partition.clone(), id.clone());
                return Err(Error::PartitionLocked { partition, holder, remaining: None });
            }
            record.cost = meter.write();
            record.cost += done.cost;
            return Ok(record);
        }
        let what = "others use its id in other partitions".into();
        Err(Error::Busy { id: id.clone(), what })
    }

    /// The open transaction of this name, and the store's clock.
    async fn open(
        &self,
        store: &dyn ConditionalBlobStore,
        id: &TxId,
    ) -> Result<Option<(Partition, View, Lock, Option<Timestamp>)>> {
        let Some((address, _)) = self.address(store, id).await? else { return Ok(None) };
        let Some(view) = self.of(&address.partition).await? else { return Ok(None) };
        let lock = view.snapshot.state().lock.clone().filter(|lock| lock.tx.id == *id);
        Ok(lock.map(|lock| (address.partition, view, lock, address.date)))
    }

    /// Whether a life is over, as far as can be told without asking more.
    fn is_over(&self, view: &View, lock: &Lock, now: Option<Timestamp>) -> bool {
        let watched = view.handle.over(view.snapshot.state(), &self.env);
        let past = now.zip(lock.date).map(|(now, began)| now.since(began));
        watched.is_some() || past.is_some_and(|past| past >= lock.lifetime * 2)
    }

    /// The view of an open transaction's partition and its lock.
    async fn held(&self, address: &TxAddress) -> Result<(View, Lock)> {
        let tx = LockId::of(address);
        let Some(view) = self.of(&address.partition).await? else {
            let what = "nothing is known of it".into();
            return Err(Error::Expired { id: tx.id, what });
        };
        self.end_if_over(address).await?;
        match Lock::of(view.snapshot.state().lock.as_ref(), &tx) {
            Some(lock) => Ok((view, lock)),
            None => Err(view.snapshot.state().expired(&tx)),
        }
    }

    /// A transaction that this process knows to be over is ended.
    async fn end_if_over(&self, address: &TxAddress) -> Result<()> {
        let tx = LockId::of(address);
        let Some(handle) = self.cache.open_one(&address.partition) else { return Ok(()) };
        let known = handle.journal.known();
        if handle.over(known.state(), &self.env).as_ref() != Some(&tx) {
            return Ok(());
        }
        let id = tx.id.clone();
        let ended = Box::pin(self.write(&address.partition, Ask::Abort { tx }, None)).await;
        ended.map_err(Undone::into_error)?;
        Err(Error::Expired { id, what: "its life is over".into() })
    }

    async fn stage(&self, address: &TxAddress, number: u64, bytes: Bytes) -> Result<Cost> {
        let (Counted { store, meter }, tx) = (self.counted(), LockId::of(address));
        let known = self.cache.open_one(&address.partition);
        self.end_if_over(address).await?;
        let known =
            known.and_then(|open| Lock::of(open.journal.known().state().lock.as_ref(), &tx));
        // What is known is enough where it fits: the commit checks it again.
        let lock = match known.filter(|lock| lock.pieces.len() as u64 == number) {
            Some(lock) => lock,
            None => self.held(address).await?.1,
        };
        let count = lock.pieces.len() as u64;
        if count < number {
            let what = format!("piece {number} of a transaction with {count}");
            return Err(Error::invalid(what));
        }
        let piece = if count == number {
            lock.has_room()?; // Before an object is written that no lock will name.
            self.write_piece(&store, address, &lock, &bytes).await?
        } else {
            // Perhaps our own, whose answer was lost.
            super::machine::Piece::new(0, &bytes)
        };
        let ask = Ask::Stage { tx, count: number, piece };
        let done = Box::pin(self.write(&address.partition, ask, None)).await;
        let mut cost = done.map_err(Undone::into_error)?.cost;
        cost += meter.write();
        Ok(cost)
    }

    async fn commit(&self, address: &TxAddress, commit: TxCommit) -> Result<(u64, Cost)> {
        if commit.effects.is_empty() {
            return Err(Error::invalid("a commit without effects: abort it"));
        }
        self.end_if_over(address).await?;
        let author = commit.author.clone().or_else(|| self.options.author.clone());
        let ask = Ask::Commit { tx: LockId::of(address), commit: Arc::new(commit) };
        let done = Box::pin(self.write(&address.partition, ask, author)).await;
        let done = done.map_err(Undone::into_error)?;
        match done.reply {
            Reply::Committed(position) => Ok((position, done.cost)),
            _ => Err(Error::corrupt(self.subject(), "a commit that commits nothing")),
        }
    }

    async fn outcome(&self, id: &TxId, incarnation: Option<u64>) -> Result<TxOutcome> {
        let Some((address, _)) = self.address(self.store.as_ref(), id).await? else {
            return Ok(TxOutcome::Forgotten);
        };
        let Some(view) = self.of(&address.partition).await? else {
            return Ok(TxOutcome::Forgotten);
        };
        let state = view.snapshot.state();
        let meant = |lock: &&Lock| {
            lock.tx.id == *id && incarnation.is_none_or(|number| number == lock.tx.incarnation)
        };
        if let Some(lock) = state.lock.as_ref().filter(meant) {
            if !self.is_over(&view, lock, address.date) {
                return Ok(TxOutcome::Open);
            }
            let ask = Ask::Abort { tx: lock.tx.clone() };
            let ended = Box::pin(self.write(&address.partition, ask, None)).await;
            return match ended.map_err(Undone::into_error) {
                Ok(_) => Ok(TxOutcome::Aborted),
                // Its owner was faster: now there is an end.
                Err(Error::Expired { .. }) => {
                    Box::pin(self.outcome(id, Some(lock.tx.incarnation))).await
                }
                Err(error) => Err(error),
            };
        }
        let end = match incarnation {
            Some(incarnation) => state.end(&LockId { id: id.clone(), incarnation }),
            None => state.newest_end(id).map(|(_, end)| end),
        };
        Ok(match end.map(|end| (end.seq, end.committed)) {
            Some((position, Some(nonce))) => TxOutcome::Committed { position, nonce },
            Some((_, None)) => TxOutcome::Aborted,
            None => TxOutcome::Forgotten,
        })
    }
}

/// What is known of an open transaction when the store's clock is `now`.
fn record(partition: &Partition, lock: &Lock, now: Option<Timestamp>) -> TxRecord {
    let LockId { id, incarnation } = lock.tx.clone();
    let past = now.zip(lock.date).map(|(now, began)| now.since(began));
    TxRecord {
        address: TxAddress { id, partition: partition.clone(), incarnation },
        lifetime: lock.lifetime,
        remaining: past.map_or(Duration::ZERO, |past| lock.lifetime.saturating_sub(past)),
        staged: lock.pieces.len() as u64,
        cost: Cost::default(),
    }
}

#[async_trait]
impl TxBackend for BlobMetaStore {
    async fn begin(
        &self,
        partition: &Partition,
        id: &TxId,
        lifetime: Duration,
    ) -> Result<TxRecord> {
        let _pass = self.inner.enter()?;
        if !self.inner.options.transactions {
            let what = "local transactions: open the store with transactions on";
            return Err(Error::unsupported(what));
        }
        if lifetime.is_zero() || lifetime > LONGEST {
            let what = format!("a life of {lifetime:?}: at most {LONGEST:?}, and not none");
            return Err(Error::invalid(what));
        }
        Box::pin(self.inner.begin(partition, id, lifetime)).await
    }

    async fn find(&self, id: &TxId) -> Result<Option<TxRecord>> {
        let (_pass, inner) = (self.inner.enter()?, &self.inner);
        let Counted { store, meter } = inner.counted();
        let Some((partition, view, lock, now)) = inner.open(&store, id).await? else {
            return Ok(None);
        };
        if inner.is_over(&view, &lock, now) {
            return Ok(None);
        }
        let mut found = record(&partition, &lock, now);
        found.cost = meter.write();
        found.cost.requests += 1; // The look at the partition.
        Ok(Some(found))
    }

    async fn stage(&self, address: &TxAddress, number: u64, piece: Bytes) -> Result<Cost> {
        let _pass = self.inner.enter()?;
        Box::pin(self.inner.stage(address, number, piece)).await
    }

    async fn staged(&self, address: &TxAddress) -> Result<Vec<Bytes>> {
        let _pass = self.inner.enter()?;
        let (_, lock) = self.inner.held(address).await?;
        Box::pin(self.inner.read_pieces(address, &lock)).await
    }

    async fn commit(&self, address: &TxAddress, commit: TxCommit) -> Result<(u64, Cost)> {
        let _pass = self.inner.enter()?;
        Box::pin(self.inner.commit(address, commit)).await
    }

    async fn abort(&self, address: &TxAddress) -> Result<Cost> {
        let (_pass, inner) = (self.inner.enter()?, &self.inner);
        let ask = Ask::Abort { tx: LockId::of(address) };
        let done = Box::pin(inner.write(&address.partition, ask, None)).await;
        done.map(|done| done.cost).map_err(Undone::into_error)
    }

    async fn outcome(&self, id: &TxId, incarnation: Option<u64>) -> Result<TxOutcome> {
        let _pass = self.inner.enter()?;
        Box::pin(self.inner.outcome(id, incarnation)).await
    }
}
