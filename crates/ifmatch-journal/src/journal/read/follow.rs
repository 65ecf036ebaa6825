//! The commits of a journal as a stream.

use std::collections::VecDeque;
use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt};
use ifmatch_core::Retry;

use crate::error::Result;
use crate::journal::engine::Engine;
use crate::journal::options::Freshness;
use crate::journal::read::records::tail_start;
use crate::machine::Machine;
use crate::record::CommitRecord;

/// How often a follower looks for news.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace(pub Duration);

impl Default for Pace {
    /// Once a second.
    fn default() -> Self {
        Self(Duration::from_secs(1))
    }
}

/// A reader on its way through the commits.
struct Reader<'a, M: Machine> {
    engine: &'a Engine<M>,
    /// The last commit that was handed out.
    after: u64,
    ready: VecDeque<CommitRecord>,
    /// `None`: ends at the newest commit.
    pace: Option<Pace>,
    /// Whether the store was looked at since the start.
    looked: bool,
    /// Where a log ends: the newest commit of its first look.
    end: Option<u64>,
    over: bool,
}

pub(crate) fn log<M: Machine>(
    engine: &Engine<M>,
    after: u64,
) -> BoxStream<'_, Result<CommitRecord>> {
    Reader::start(engine, after, None)
}

pub(crate) fn follow<M: Machine>(
    engine: &Engine<M>,
    after: u64,
    pace: Pace,
) -> BoxStream<'_, Result<CommitRecord>> {
    Reader::start(engine, after, Some(pace))
}

impl<'a, M: Machine> Reader<'a, M> {
    fn start(
        engine: &'a Engine<M>,
        after: u64,
        pace: Option<Pace>,
    ) -> BoxStream<'a, Result<CommitRecord>> {
        let (ready, looked, over) = (VecDeque::new(), false, false);
        let reader = Self { engine, after, ready, pace, looked, end: None, over };
        stream::unfold(reader, |mut reader| async move {
            let next = reader.next().await?;
            // An error that may pass does not end a follower.
            reader.over = next
                .as_ref()
                .is_err_and(|error| reader.pace.is_none() || error.retry() != Retry::Same);
            Some((next, reader))
        })
        .boxed()
    }

    async fn next(&mut self) -> Option<Result<CommitRecord>> {
        while !self.over {
            if let Some(record) = self.ready.pop_front() {
                self.after = record.seq;
                return Some(Ok(record));
            }
            if self.end.is_some_and(|end| self.after >= end) {
                return None;
            }
            let mut filled = self.refill().await;
            if filled.as_ref().is_err_and(|error| error.kind() == "not_found") {
                // Maintenance may have moved it: a newer head knows where.
                self.looked = false;
                filled = match self.engine.newest().await {
                    Ok(_) => self.refill().await,
                    Err(error) => Err(error),
                };
            }
            match filled {
                Ok(()) if !self.ready.is_empty() => {}
                Ok(()) => match self.pace {
                    Some(Pace(pause)) => self.engine.env.sleep(pause).await,
                    None => self.over = true,
                },
                Err(error) => return Some(Err(error)),
            }
        }
        None
    }

    /// The next run of commits: one segment of the past, or the tail.
    async fn refill(&mut self) -> Result<()> {
        let known = self.engine.session.base();
        let behind = known.head.seq > self.after && (self.looked || self.pace.is_some());
        let base = if behind { known } else { self.engine.fresh(Freshness::Strong).await? };
        self.looked = true;
        if self.pace.is_none() {
            self.end.get_or_insert(base.head.seq);
        }
        let (first, head) = (self.after.saturating_add(1), &base.head);
        if first > head.seq {
            return Ok(());
        }
        let last = match self.engine.run(head, first, first).await?.first() {
            Some(segment) if first < tail_start(head) => segment.last.min(head.seq),
            _ => head.seq,
        };
        self.ready = self.engine.records(head, first, last).await?.into();
        Ok(())
    }
}
