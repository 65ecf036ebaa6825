//! Writing to a partition.

use std::sync::Arc;

use ifmatch_core::Timestamp;
use ifmatch_journal::{CommitError, Decision, Machine as _, Position};

use super::failure::failure;
use super::handle::Handle;
use super::machine::{Ask, Command, Documents, Lock, LockId, Refusal, Reply};
use super::marks;
use super::store::Inner;
use crate::error::{Error, Result};
use crate::etag::ETag;
use crate::key::Partition;
use crate::ops::{Applied, Cost, Op, WriteOptions};

/// What was done, where, and what it cost.
pub(super) struct Done {
    pub(super) reply: Reply,
    pub(super) position: u64,
    pub(super) cost: Cost,
}

/// Why it was not done.
pub(super) enum Undone {
    Failed(Error),
    /// A transaction of this name begins in another partition.
    Fenced,
    /// A transaction holds the partition.
    Locked(Error),
}

impl From<Error> for Undone {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Undone {
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Failed(error) | Self::Locked(error) => error,
            Self::Fenced => Error::invalid("a transaction that begins elsewhere"),
        }
    }
}

impl Inner {
    /// One operation on its own.
    pub(super) async fn alone(
        &self,
        partition: &Partition,
        op: Op,
        options: WriteOptions,
    ) -> Result<Applied> {
        let applied = Box::pin(self.batch(partition, vec![op], options)).await;
        let one = applied.map_err(Error::alone)?.pop();
        one.ok_or_else(|| Error::corrupt(self.subject(), "a batch that answers nothing"))
    }

    pub(super) async fn batch(
        &self,
        partition: &Partition,
        ops: Vec<Op>,
        options: WriteOptions,
    ) -> Result<Vec<Applied>> {
        for (index, op) in ops.iter().enumerate() {
            if let Op::Unchanged { since } = op {
                marks::check(since, self.id).map_err(|error| error.at_operation(index))?;
            }
        }
        let known = self.cache.open_one(partition).map_or(0, |open| open.journal.known().seq());
        let etags = ops.iter().map(|_| ETag::mint(known + 1, &self.env)).collect();
        let ask = Ask::Batch {
            ops: ops.into(),
            etags,
            return_documents: options.return_document,
            largest: self.options.limits.document,
        };
        let author = options.author.or_else(|| self.options.author.clone());
        let done = self.write(partition, ask, author).await.map_err(Undone::into_error)?;
        match done.reply {
            Reply::Batch(evaluated) => Ok(evaluated.answers(done.position, done.cost)),
            _ => Err(Error::corrupt(self.subject(), "a batch that is answered as something else")),
        }
    }

    /// Does what is asked, in the newest state of the partition.
    pub(super) async fn write(
        &self,
        partition: &Partition,
        ask: Ask,
        author: Option<Arc<str>>,
    ) -> Result<Done, Undone> {
        let mut command = Command {
            now: self.env.wall_clock(),
            author,
            audit: self.options.audit,
            clock: None,
            over: None,
            limit: self.options.partition_bytes,
            ask,
        };
        let mut cost = Cost::default();
        let handle = if let Some(opened) = self.cache.open(partition, false).await? {
            opened.handle
        } else {
            cost.requests = 1;
            if let Some(answer) = on_nothing(partition, &command) {
                let reply = answer?;
                return Ok(Done { reply, position: 0, cost });
            }
            let Some(opened) = self.cache.open(partition, true).await? else {
                let what = format!("partition {partition} can be neither opened nor created");
                return Err(Error::corrupt(self.subject(), what).into());
            };
            opened.handle
        };
        command.clock = clock(&handle);
        command.over = handle.over(handle.journal.known().state(), &self.env);
        loop {
            let committed = handle.journal.commit(command.clone()).await;
            let error = match committed {
                Ok(committed) => {
                    cost += handle.meter.write();
                    let position = committed.commit.seq;
                    return Ok(Done { reply: committed.reply, position, cost });
                }
                Err(error) => error,
            };
            handle.meter.read();
            let lock = match error {
                CommitError::Rejected(Refusal::Locked(lock)) => lock,
                CommitError::Rejected(Refusal::Failed(error)) => return Err(error.into()),
                CommitError::Rejected(Refusal::Fenced) => return Err(Undone::Fenced),
                CommitError::Failed(error) => {
                    return Err(failure(error, || self.subject()).into());
                }
                _ => return Err(Error::corrupt(self.subject(), "an unknown refusal").into()),
            };
            match self.locked(partition, &handle, lock).await {
                Ok(over) => command.over = Some(over),
                Err(undone) => return Err(undone),
            }
        }
    }

    /// The lock that is in the way, if its life is over; else what the caller
    /// hears.
    async fn locked(
        &self,
        partition: &Partition,
        handle: &Handle,
        lock: Lock,
    ) -> Result<LockId, Undone> {
        let left = handle.left(&lock, self.store.as_ref(), &self.env).await;
        if left.over {
            return Ok(lock.tx);
        }
        let (partition, holder) = (partition.clone(), lock.tx.id.clone());
        let remaining = Some(left.at_most);
        Err(Undone::Locked(Error::PartitionLocked { partition, holder, remaining }))
    }
}

/// What a command comes to where there is no partition; `None`: it writes, and
/// the partition is to be made.
fn on_nothing(partition: &Partition, command: &Command) -> Option<Result<Reply, Undone>> {
    let machine = Documents { partition: partition.clone() };
    let first = Position { seq: 1, ordinal: 0 };
    match machine.decide(&machine.empty(), command, first) {
        Decision::Answer(reply) => Some(Ok(reply)),
        Decision::Reject(Refusal::Failed(error)) => Some(Err(error.into())),
        _ => None,
    }
}

/// A commit that is known, and when the store made it.
fn clock(handle: &Handle) -> Option<(u64, Timestamp)> {
    let known = handle.journal.known();
    known.written().map(|time| (known.seq(), time))
}
