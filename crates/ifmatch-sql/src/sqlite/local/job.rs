//! A write that waits for its turn, and for its commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ifmatch_core::{Operation, Reason};
use ifmatch_meta::{Error, Result};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::sqlite::error::{Failure, other};

/// A write, as the writer sees it.
pub(super) trait Job: Send {
    /// Whether nobody waits for it any more.
    fn is_abandoned(&self) -> bool;
    /// Does it. An error says that its changes are to be undone; it is also
    /// what is answered, if what it was based on is committed.
    fn run(&mut self, connection: &Connection) -> Result<()>;
    /// Answers. `commit` is how the transaction that it ran in ended: a result,
    /// a conflict too, is true only if what it was based on was committed.
    fn finish(self: Box<Self>, commit: Result<()>);
}

/// A closure and whoever waits for what it returns.
pub(super) struct Write<F, R> {
    work: Option<F>,
    result: Option<Result<R>>,
    reply: oneshot::Sender<Result<R>>,
    subject: Arc<str>,
}

impl<F, R> Write<F, R>
where
    F: FnOnce(&Connection) -> Result<R, Failure> + Send,
    R: Send,
{
    pub(super) fn new(work: F, subject: Arc<str>) -> (Self, oneshot::Receiver<Result<R>>) {
        let (reply, answer) = oneshot::channel();
        (Self { work: Some(work), result: None, reply, subject }, answer)
    }
}

impl<F, R> Job for Write<F, R>
where
    F: FnOnce(&Connection) -> Result<R, Failure> + Send,
    R: Send,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run(&mut self, connection: &Connection) -> Result<()> {
        let Some(work) = self.work.take() else { return Ok(()) };
        let result = guarded(&self.subject, || work(connection));
        let done = result.as_ref().map_or_else(|error| Err(error.clone()), |_| Ok(()));
        self.result = Some(result);
        done
    }

    fn finish(self: Box<Self>, commit: Result<()>) {
        let result = match (commit, self.result) {
            (Err(error), _) => Err(error),
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(Error::closed(self.subject)),
        };
        let _ = self.reply.send(result); // Nobody waits: then nobody is told.
    }
}

/// Runs work of others; its panic must not end the thread that all share.
pub(super) fn guarded<R>(
    subject: &Arc<str>,
    work: impl FnOnce() -> Result<R, Failure>,
) -> Result<R> {
    let Ok(result) = catch_unwind(AssertUnwindSafe(work)) else {
        let why = Reason::source("the work panicked; nothing was applied");
        return Err(other(Operation::Put, subject.clone(), why));
    };
    result.map_err(|failure| failure.named(Operation::Put, subject))
}
