//! The one writer of a database: a thread that commits what is queued together.

use std::sync::Arc;
use std::thread;

use ifmatch_core::Operation;
use ifmatch_meta::Result;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::connection;
use super::job::Job;
use super::options::OnClose;
use crate::sqlite::error::{Failure, at_commit, file};

/// Most writes that wait in the queue; a further one waits outside.
const QUEUE: usize = 1_024;
/// Most writes in one transaction.
const GROUP: usize = 256;

pub(super) enum Message {
    /// A write, which may share its transaction with others.
    Write(Box<dyn Job>),
    /// Something that needs the connection alone and outside of a transaction.
    Alone(Box<dyn FnOnce(&mut Connection) + Send>),
    Close(oneshot::Sender<Result<()>>),
}

/// The sending end of the queue; the thread ends after the last one is gone.
#[derive(Debug)]
pub(super) struct Writer(mpsc::Sender<Message>);

impl Writer {
    pub(super) fn start(
        connection: Connection,
        on_close: OnClose,
        subject: &Arc<str>,
    ) -> Result<Self> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let worker = Worker { connection, on_close, subject: subject.clone() };
        thread::Builder::new()
            .name("ifmatch-sqlite".into())
            .spawn(move || worker.run(receiver))
            .map_err(|error| file(error, Operation::Open, subject))?;
        Ok(Self(sender))
    }

    /// Queues; `None` where the thread has ended.
    pub(super) async fn send(&self, message: Message) -> Option<()> {
        self.0.send(message).await.ok()
    }
}

struct Worker {
    connection: Connection,
    on_close: OnClose,
    subject: Arc<str>,
}

impl Worker {
    fn run(mut self, mut queue: mpsc::Receiver<Message>) {
        let mut next = queue.blocking_recv();
        while let Some(message) = next {
            next = match message {
                Message::Write(job) => self.group(job, &mut queue),
                Message::Alone(work) => {
                    work(&mut self.connection);
                    None
                }
                Message::Close(done) => {
                    // What is still queued is dropped and answers `Closed`.
                    drop(queue);
                    let closed = connection::close(self.connection, self.on_close);
                    let closed = closed.map_err(|e| e.named(Operation::Open, &self.subject));
                    let _ = done.send(closed);
                    return;
                }
            };
            if next.is_none() {
                next = queue.blocking_recv();
            }
        }
        // Nobody is left to be told; SQLite recovers what was not closed well.
        let _ = connection::close(self.connection, self.on_close);
    }

    /// Runs a write and those that wait behind it in one transaction; hands
    /// back the message that ended the group.
    fn group(&self, first: Box<dyn Job>, queue: &mut mpsc::Receiver<Message>) -> Option<Message> {
        let mut group = Group { jobs: vec![first], next: None };
        // First those that wait already: if the lock cannot be had, all of them
        // are told at once.
        while group.take(queue) {}
        let outcome = transaction(&self.connection, &self.subject, |connection| {
            let mut at = 0;
            while at < group.jobs.len() || group.take(queue) {
                let alone = group.jobs.len() == 1;
                let job = group.jobs[at].as_mut();
                at += 1;
                if job.is_abandoned() {
                    continue;
                }
                if !alone {
                    run(connection, job)?;
                } else if !run_alone(connection, job)? {
                    break;
                }
            }
            Ok(())
        });
        let Group { jobs, next } = group;
        for job in jobs {
            job.finish(outcome.clone());
        }
        next
    }
}

/// Writes that share a transaction, and the message that ended their row.
struct Group {
    jobs: Vec<Box<dyn Job>>,
    next: Option<Message>,
}

impl Group {
    /// Takes one more write from the queue, if that is what waits there.
    fn take(&mut self, queue: &mut mpsc::Receiver<Message>) -> bool {
        if self.next.is_some() || self.jobs.len() == GROUP {
            return false;
        }
        match queue.try_recv() {
            Ok(Message::Write(job)) => self.jobs.push(job),
            Ok(other) => self.next = Some(other),
            Err(_) => return false,
        }
        self.next.is_none()
    }
}

/// Runs one write of a group: if it fails, its own changes are undone and the
/// others stay. An error ends the whole group.
fn run(connection: &Connection, job: &mut dyn Job) -> Result<(), Failure> {
    execute(connection, "SAVEPOINT job")?;
    if let Err(error) = job.run(connection) {
        if connection.is_autocommit() {
            // A full disk or an I/O error: SQLite undid the whole transaction,
            // and with it what the jobs before this one did.
            return Err(error.into());
        }
        execute(connection, "ROLLBACK TO job")?;
    }
    execute(connection, "RELEASE job")
}

/// Runs the first write of a group while no other is in its transaction: no
/// savepoint, for which SQLite would copy every page before it changes. If the
/// write fails, the whole transaction is undone, `false`: an empty one is open
/// then, and nothing may join it, since it does not hold the write lock.
fn run_alone(connection: &Connection, job: &mut dyn Job) -> Result<bool, Failure> {
    let Err(error) = job.run(connection) else { return Ok(true) };
    if connection.is_autocommit() {
        return Err(error.into());
    }
    execute(connection, "ROLLBACK")?;
    execute(connection, "BEGIN")?;
    Ok(false)
}

/// Runs `work` in a transaction that holds the write lock from its beginning, so
/// that what it reads is what is there when it commits.
pub(super) fn transaction<R>(
    connection: &Connection,
    subject: &Arc<str>,
    work: impl FnOnce(&Connection) -> Result<R, Failure>,
) -> Result<R> {
    let named = |failure: Failure| failure.named(Operation::Put, subject);
    execute(connection, "BEGIN IMMEDIATE").map_err(named)?;
    let undo = Undo(connection);
    let result = work(connection).map_err(named)?;
    let commit = connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
    commit.map_err(|error| at_commit(error, subject))?;
    drop(undo);
    Ok(result)
}

/// Ends a transaction that was not committed, a panic included.
struct Undo<'a>(&'a Connection);

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit() {
            let _ = self.0.execute_batch("ROLLBACK"); // It ends in any case.
        }
    }
}

fn execute(connection: &Connection, sql: &str) -> Result<(), Failure> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}
