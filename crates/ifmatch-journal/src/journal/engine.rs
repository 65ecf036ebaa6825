//! What the parts of a journal share.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use ifmatch_core::{Env, Timestamp};
use tokio::sync::{Notify, watch};

use super::objects::{Objects, within};
use super::options::Options;
use super::stats::Stats;
use crate::error::{Error, Result};
use crate::head::Head;
use crate::id::WriterId;
use crate::journal::commit::draft::Spilled;
use crate::journal::commit::passage::Passage;
use crate::journal::commit::queue::Queue;
use crate::journal::commit::rivals::Rivals;
use crate::journal::maintenance::fold::Fold;
use crate::journal::maintenance::maintain::Failures;
use crate::journal::read::session::Session;
use crate::machine::Machine;
use crate::register::{Reading, Register, Token};

pub(crate) struct Engine<M: Machine> {
    pub(crate) machine: M,
    pub(crate) register: Box<dyn Register>,
    pub(crate) objects: Objects,
    pub(crate) env: Env,
    pub(crate) options: Options,
    pub(crate) writer: WriterId,
    /// The journal's place, for errors.
    pub(crate) what: Arc<str>,
    pub(crate) session: Session<M::State>,
    pub(crate) queue: Queue<M>,
    pub(crate) looks: crate::journal::read::look::Looks<M::State>,
    pub(crate) passage: Passage,
    /// Whether the committer has ended.
    pub(crate) ended: watch::Sender<bool>,
    /// Some caller has left.
    pub(crate) left: Notify,
    pub(crate) stats: Arc<Stats>,
    pub(crate) notes: Mutex<Notes>,
}

/// Small things that change.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// What stood in the way last, for a caller whose time is up.
    pub(crate) trouble: Option<Trouble>,
    pub(crate) failures: Failures,
    /// How long a PUT of the head takes.
    pub(crate) round_trip: Duration,
    pub(crate) rivals: Rivals,
    /// A segment that was uploaded and may still be named.
    pub(crate) spilled: Option<Spilled>,
    /// Maintenance that waits for the next commit.
    pub(crate) fold: Option<Fold>,
}

/// What stands in the way.
#[derive(Debug)]
pub(crate) struct Trouble {
    error: Error,
    /// How often in a row, and when last.
    times: u32,
    last: Duration,
}

/// A head that was read.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) head: Head,
    pub(crate) bytes: Bytes,
    pub(crate) token: Token,
    pub(crate) written: Option<Timestamp>,
}

/// What a look at the register showed.
#[derive(Debug)]
pub(crate) enum Seen {
    Unchanged,
    Absent,
    Found(Box<Found>),
}

impl<M: Machine> Engine<M> {
    pub(crate) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers what stands in the way.
    pub(crate) fn trouble(&self, error: &Error) {
        let last = self.env.now();
        let mut notes = self.notes();
        let before = notes.trouble.take().filter(|trouble| trouble.error.kind() == error.kind());
        let times = before.map_or(0, |trouble| trouble.times) + 1;
        notes.trouble = Some(Trouble { error: error.clone(), times, last });
    }

    /// What stood in the way last.
    pub(crate) fn last_trouble(&self) -> Option<Error> {
        self.notes().trouble.as_ref().map(|trouble| trouble.error.clone())
    }

    /// What a caller hears whose time is up: what stood in its way since it
    /// began. That the journal is gone or another is said only of what was seen
    /// more than once, and last: a single look may be stale.
    pub(crate) fn out_of_time(&self, began: Duration) -> Error {
        let notes = self.notes();
        let trouble = notes.trouble.as_ref().filter(|trouble| {
            let remote = !matches!(trouble.error, Error::Store(_));
            trouble.last >= began && (!remote || trouble.times > 1)
        });
        if let Some(trouble) = trouble {
            return trouble.error.clone();
        }
        Error::Store(ifmatch_core::Error::unavailable(
            ifmatch_core::Operation::Put,
            Arc::clone(&self.what),
            ifmatch_core::Reason::new("the deadline passed before an answer came"),
        ))
    }

    /// Reads the register, once.
    pub(crate) async fn look(&self, known: Option<&Token>) -> Result<Seen> {
        self.stats.head_gets.add(1);
        let read = self.within(self.register.read(known)).await;
        let reading = read.unwrap_or_else(|| Err(self.timed_out()))?;
        Ok(match reading {
            Reading::Unchanged { .. } => Seen::Unchanged,
            Reading::Absent { .. } => Seen::Absent,
            Reading::Found { body, token, written, .. } => {
                let head = Head::decode(&body)?;
                Seen::Found(Box::new(Found { head, bytes: body, token, written }))
            }
        })
    }

    /// The future's answer, unless a request takes too long.
    pub(crate) async fn within<T>(&self, request: impl Future<Output = T>) -> Option<T> {
        within(&self.env, self.options.request_timeout, request).await
    }

    pub(crate) fn timed_out(&self) -> Error {
        Error::Store(ifmatch_core::Error::unavailable(
            ifmatch_core::Operation::Get,
            Arc::clone(&self.what),
            ifmatch_core::Reason::new("the store did not answer in time"),
        ))
    }

    pub(crate) fn gone(&self) -> Error {
        Error::RemoteGone { what: Arc::clone(&self.what), pending: None }
    }
}

impl<M: Machine> fmt::Debug for Engine<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("what", &self.what).finish_non_exhaustive()
    }
}
