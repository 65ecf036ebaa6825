//! All partitions: the listing of their heads.

use futures::stream::{self, StreamExt, TryStreamExt};
use ifmatch_core::{BlobKey, BlobPrefix, GetOptions, retry_read};
use ifmatch_journal::{Freshness, Head};

use super::failure::failure;
use super::machine::Header;
use super::name;
use super::store::Inner;
use crate::error::{Error, Result};
use crate::key::Partition;

/// So many heads are read at a time.
const AT_A_TIME: usize = 8;

/// What the head of a partition tells without its state.
pub(super) struct Peek {
    pub(super) head: Head,
    /// `None`: nothing was written to it yet.
    pub(super) header: Option<Header>,
}

impl Inner {
    pub(super) async fn partitions(
        &self,
        after: Option<&Partition>,
        limit: usize,
    ) -> Result<Vec<Partition>> {
        let mut names = self.names().await?;
        names.retain(|name| after.is_none_or(|after| name > after));
        let mut found = Vec::new();
        let counted = stream::iter(names)
            .map(|name| async move { self.shown(&name).await.map(|shown| (name, shown)) });
        let mut counted = counted.buffered(AT_A_TIME);
        while let Some((name, shown)) = counted.try_next().await? {
            if shown > 0 {
                found.push(name);
            }
            if found.len() == limit {
                break;
            }
        }
        Ok(found)
    }

    /// How many documents a partition shows.
    pub(super) async fn shown(&self, partition: &Partition) -> Result<u64> {
        if self.cache.open_one(partition).is_some() {
            let view = Box::pin(self.view(partition)).await?;
            return Ok(view.map_or(0, |view| view.snapshot.state().shown()));
        }
        let peek = self.peek(&name::encode(partition)).await?;
        Ok(peek.and_then(|peek| peek.header).map_or(0, |header| header.shown))
    }

    /// How many documents all partitions show.
    pub(super) async fn shown_of_all(&self) -> Result<u64> {
        let counted =
            stream::iter(self.names().await?).map(|name| async move { self.shown(&name).await });
        counted.buffered(AT_A_TIME).try_fold(0, async |sum, shown| Ok(sum + shown)).await
    }

    /// All partitions that there are and that are not ours, in order of their
    /// names, empty ones too.
    pub(super) async fn names(&self) -> Result<Vec<Partition>> {
        let folder = BlobPrefix::new("heads")?;
        let heads = retry_read(&self.env, self.options.retry, || async {
            self.store.list(&folder, None).map_ok(|info| info.key).try_collect::<Vec<_>>().await
        });
        let mut names = Vec::new();
        for key in heads.await? {
            let Some(encoded) = key.as_str().strip_prefix("heads/") else { continue };
            match name::decode(encoded) {
                Some(partition) => names.push(partition),
                None if encoded.contains('~') => {
                    // Its true name stands in its head.
                    let header = self.peek(encoded).await?.and_then(|peek| peek.header);
                    names.extend(header.map(|header| header.partition));
                }
                None => {}
            }
        }
        names.retain(|name| !name.is_reserved());
        names.sort_unstable();
        Ok(names)
    }

    /// Reads a head without what it names; `None` where there is none.
    pub(super) async fn peek(&self, encoded: &str) -> Result<Option<Peek>> {
        let key = BlobKey::new(format!("heads/{encoded}"))?;
        let read =
            retry_read(&self.env, self.options.retry, || self.store.get(&key, GetOptions::new()));
        let Some(blob) = read.await?.found() else { return Ok(None) };
        let head = Head::decode(&blob.body).map_err(|error| failure(error, || self.subject()))?;
        let header = Header::read(&head.application)
            .map_err(|damage| Error::corrupt(key.as_str(), damage.to_string()))?;
        if header.as_ref().is_some_and(|header| name::encode(&header.partition) != encoded) {
            return Err(Error::corrupt(key.as_str(), "it is the head of another partition"));
        }
        Ok(Some(Peek { head, header }))
    }

    /// The commit that a partition is at, without its state: its number, and what
    /// tells it from others.
    pub(super) async fn at(&self, partition: &Partition) -> Result<Option<(u64, u64)>> {
        let strong = Freshness::Strong;
        if self.cache.open_one(partition).is_some() {
            let Some(view) = Box::pin(self.view_as(partition, strong)).await? else {
                return Ok(None);
            };
            let commit = view.snapshot.commit();
            let branch = (commit.journal.bits(), view.snapshot.fork().bits());
            let bits = u64::try_from(commit.nonce.bits() >> 64).unwrap_or_default();
            return Ok(Some((commit.seq, super::feed::trace(branch, bits))));
        }
        let Some(Peek { head, .. }) = self.peek(&name::encode(partition)).await? else {
            return Ok(None);
        };
        let bits = u64::try_from(head.nonce.bits() >> 64).unwrap_or_default();
        let branch = (head.journal.bits(), head.fork.bits());
        Ok(Some((head.seq, super::feed::trace(branch, bits))))
    }
}
