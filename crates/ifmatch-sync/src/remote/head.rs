//! The head: a small blob that names the newest commit.
//!
//! ```text
//! 0   8  magic "ifmhead\x01"; the last byte is the format
//! 8   4  length of the text, little endian
//! 12  n  JSON text
//!     32 BLAKE3 of everything before
//! ```
//! Every truncation and every flipped bit fails the checksum. Unknown fields
//! are tolerated, an unknown format is refused.

use bytes::Bytes;
use ifmatch_core::{
    ConditionalBlobStore, Fetched, GetOptions, Precondition, Stored, Timestamp, Version,
};
use serde::{Deserialize, Serialize};

use super::head_key;
use crate::commit_id::{CommitId, JournalId};
use crate::error::{Error, Result};

const MAGIC: &[u8; 7] = b"ifmhead";
const FORMAT: u8 = 1;
/// Heads are a few kilobytes; what is larger is none.
const MAX_HEAD: usize = 1 << 20;
/// How many commits a head remembers, its own included.
const REMEMBERED: usize = 128;

/// The newest commit and the ones before it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) journal: JournalId,
    /// Newest last; never empty.
    recent: Vec<CommitId>,
    pub(crate) snapshot: SnapshotRef,
    /// The writer's clock; informational.
    time: Timestamp,
}

/// Where a commit's content lies, and what it must be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct SnapshotRef {
    /// Bytes of the blob.
    pub(crate) packed: u64,
    /// BLAKE3 of the blob.
    pub(crate) packed_hash: String,
    /// Bytes of the database file.
    pub(crate) size: u64,
    /// BLAKE3 of the database file.
    pub(crate) content: String,
}

impl Head {
    /// The head of a commit on top of `base`.
    pub(crate) fn on(
        journal: JournalId,
        base: Option<&Self>,
        commit: CommitId,
        snapshot: SnapshotRef,
        time: Timestamp,
    ) -> Self {
        let mut recent = base.map(|head| head.recent.clone()).unwrap_or_default();
        recent.push(commit);
        let surplus = recent.len().saturating_sub(REMEMBERED);
        recent.drain(..surplus);
        Self { journal, recent, snapshot, time }
    }

    /// The head that published `commit`, an earlier one of this head's.
    pub(crate) fn back_to(&self, commit: CommitId, snapshot: SnapshotRef, time: Timestamp) -> Self {
        let mut recent = self.recent.clone();
        recent.retain(|earlier| earlier.seq() <= commit.seq());
        Self { journal: self.journal, recent, snapshot, time }
    }

    /// The commit that this head publishes.
    pub(crate) fn commit(&self) -> CommitId {
        self.recent[self.recent.len() - 1]
    }

    /// The writer's clock at the commit; informational.
    pub(crate) fn time(&self) -> Timestamp {
        self.time
    }

    /// The commit with this number, where the head still remembers it.
    pub(crate) fn record(&self, seq: u64) -> Option<CommitId> {
        self.recent.iter().copied().find(|commit| commit.seq() == seq)
    }

    pub(crate) fn encode(&self) -> Result<Bytes> {
        let text = serde_json::to_vec(self)
            .map_err(|error| Error::invalid(format!("head cannot be written: {error}")))?;
        let length = u32::try_from(text.len())
            .map_err(|_| Error::invalid("head is longer than 4 GiB".to_owned()))?;
        let mut bytes = Vec::with_capacity(text.len() + 44);
        bytes.extend_from_slice(MAGIC);
        bytes.push(FORMAT);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&text);
        let sum = blake3::hash(&bytes);
        bytes.extend_from_slice(sum.as_bytes());
        Ok(bytes.into())
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let corrupt = |detail: &str| Error::corrupt("head", detail);
        if bytes.len() > MAX_HEAD {
            return Err(corrupt("longer than any head"));
        }
        let Some((start, sum)) = bytes.split_last_chunk::<32>() else {
            return Err(corrupt("too short"));
        };
        let Some((magic, rest)) = start.split_at_checked(8) else {
            return Err(corrupt("too short"));
        };
        if &magic[..7] != MAGIC {
            return Err(corrupt("this is no head of a database of ifmatch"));
        }
        if blake3::hash(start).as_bytes() != sum {
            return Err(corrupt("the checksum does not match"));
        }
        if magic[7] != FORMAT {
            return Err(Error::Store(ifmatch_core::Error::unsupported(format!(
                "head has format {}, this version reads {FORMAT}: update ifmatch",
                magic[7]
            ))));
        }
        let Some((length, text)) = rest.split_first_chunk::<4>() else {
            return Err(corrupt("too short"));
        };
        if u32::from_le_bytes(*length) as usize != text.len() {
            return Err(corrupt("the length does not match"));
        }
        let head: Self = serde_json::from_slice(text)
            .map_err(|error| corrupt(&format!("the text does not parse: {error}")))?;
        let next = |seq: u64| seq.checked_add(1);
        let rising = head.recent.windows(2).all(|pair| next(pair[0].seq()) == Some(pair[1].seq()));
        // The last check leaves room for a next one.
        let last = head.recent.last().and_then(|commit| next(commit.seq()));
        if last.is_none() || head.recent.len() > REMEMBERED || !rising {
            return Err(corrupt("its commits are out of order"));
        }
        Ok(head)
    }

    /// Publishes this head where `expected` still holds.
    pub(crate) async fn put(
        &self,
        store: &dyn ConditionalBlobStore,
        expected: Precondition,
    ) -> Result<Stored> {
        Ok(store.put(&head_key()?, self.encode()?, expected).await?)
    }
}

/// What reading the head gave.
#[derive(Debug)]
pub(crate) enum HeadRead {
    Unchanged,
    Absent,
    Found(Box<Head>, Version),
}

/// Reads the head; not its body where its version is still `known`.
pub(crate) async fn read_head(
    store: &dyn ConditionalBlobStore,
    known: Option<&Version>,
) -> Result<HeadRead> {
    let mut options = GetOptions::new();
    options.if_none_match = known.cloned();
    match store.get(&head_key()?, options).await? {
        Fetched::NotModified { .. } => Ok(HeadRead::Unchanged),
        Fetched::Found(blob) => {
            Ok(HeadRead::Found(Box::new(Head::decode(&blob.body)?), blob.info.version))
        }
        _ => Ok(HeadRead::Absent),
    }
}
