//! Entries: what one write leaves in the journal.
//!
//! # Format, byte for byte
//!
//! | bytes | what |
//! |---|---|
//! | 1 | format, 1 |
//! | 1 | flags: 1 author, 2 audited, 4 clock, 8 ends the lock that is there |
//! | 1 | act: 0 write, 1 begin, 2 stage, 3 commit, 4 abort, 5 fence |
//! | 8 | the writer's time, microseconds |
//! | text | the author, if flagged |
//! | varint, 8 | a commit and when the store made it, if flagged |
//! | | what belongs to the act: see [`Act`] |
//! | varint | number of effects; then for each: |
//! | text | the id |
//! | 1 | flags: 1 it is there (else deleted, and nothing follows), 2 created now, 4 updated now, 8 by the author, 16 by somebody else |
//! | varint, 12 | the tag |
//! | 8, 8, text | created, updated, by: what the flags do not say |
//! | text | the body |
//! | 8 | first bytes of the BLAKE3 of everything before |
//!
//! Varints, texts and integers as in `wire`. What was there before an effect is
//! not written: the state tells.

use std::sync::Arc;

use bytes::Bytes;
use ifmatch_core::Timestamp;

use super::lock::{Lock, LockId, Piece};
use super::wire::{Parse, Reader, Writer, damage, flag};
use crate::document::Document;
use crate::etag::Nonce;
use crate::evaluate::Effect;
use crate::json::Json;
use crate::key::{DocId, DocKey, Partition};
use crate::transaction::TxId;

const FORMAT: u8 = 1;
const AUTHOR: u8 = 1;
const AUDITED: u8 = 2;
const CLOCK: u8 = 4;
const ENDS: u8 = 8;
const THERE: u8 = 1;
const CREATED_NOW: u8 = 2;
const UPDATED_NOW: u8 = 4;
const BY_AUTHOR: u8 = 8;
const BY_OTHER: u8 = 16;
const SUM: usize = 8;

/// One write.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Entry {
    pub(super) now: Timestamp,
    pub(super) author: Option<Arc<str>>,
    /// Whether the record of changes is kept.
    pub(super) audited: bool,
    /// A commit before this one, and when the store made it.
    pub(super) clock: Option<(u64, Timestamp)>,
    /// Whether the lock that is there ends as aborted.
    pub(super) ends: bool,
    pub(super) act: Act,
    /// What becomes of documents; `before` is not kept.
    pub(super) effects: Vec<Effect>,
}

/// What it does beside changing documents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Act {
    /// Nothing.
    Write,
    /// A transaction begins (lock).
    Begin(Lock),
    /// A piece of the open one was staged (piece).
    Stage(Piece),
    /// The open one ends as committed (12: who).
    Commit(Nonce),
    /// The open one ends as aborted.
    Abort,
    /// No transaction of this name and address begins any more (text, 12).
    Fence(TxId, Nonce),
}

impl Entry {
    pub(super) fn encode(&self) -> Bytes {
        let mut out = Writer::default();
        out.u8(FORMAT);
        out.u8(flag(self.author.is_some(), AUTHOR)
            | flag(self.audited, AUDITED)
            | flag(self.clock.is_some(), CLOCK)
            | flag(self.ends, ENDS));
        out.u8(self.act.tag());
        out.time(self.now);
        if let Some(author) = &self.author {
            out.text(author);
        }
        if let Some((seq, time)) = self.clock {
            out.varint(seq);
            out.time(time);
        }
        self.act.write(&mut out);
        out.varint(self.effects.len() as u64);
        self.effects.iter().for_each(|effect| self.write_effect(effect, &mut out));
        let sum = blake3::hash(&out.0);
        out.bytes(&sum.as_bytes()[..SUM]);
        out.0.into()
    }

    pub(super) fn decode(partition: &Partition, bytes: &[u8]) -> Parse<Self> {
        let Some((body, sum)) = bytes.split_last_chunk::<SUM>() else {
            return damage("an entry ends early");
        };
        if blake3::hash(body).as_bytes()[..SUM] != sum[..] {
            return damage("the checksum of an entry does not match");
        }
        let from = &mut Reader::new(body);
        if from.u8()? != FORMAT {
            return damage("an entry of an unknown format");
        }
        let flags = from.flags(AUTHOR | AUDITED | CLOCK | ENDS)?;
        let tag = from.u8()?;
        let now = from.time()?;
        let author = if flags & AUTHOR == 0 { None } else { Some(from.shared_text()?) };
        let clock = if flags & CLOCK == 0 { None } else { Some((from.varint()?, from.time()?)) };
        let (audited, ends) = (flags & AUDITED != 0, flags & ENDS != 0);
        let act = Act::read(tag, from)?;
        let mut entry = Self { now, author, audited, clock, ends, act, effects: Vec::new() };
        for _ in 0..from.varint()? {
            let effect = entry.read_effect(partition, from)?;
            entry.effects.push(effect);
        }
        from.end()?;
        Ok(entry)
    }

    fn write_effect(&self, effect: &Effect, out: &mut Writer) {
        out.text(effect.id.as_str());
        let Some(document) = &effect.after else { return out.u8(0) };
        let (created, updated) = (document.created_at, document.updated_at);
        let by = document.updated_by.as_deref();
        let (mine, other) = (by == self.author.as_deref(), by.is_some());
        out.u8(THERE
            | flag(created == self.now, CREATED_NOW)
            | flag(updated == self.now, UPDATED_NOW)
            | flag(mine, BY_AUTHOR)
            | flag(other && !mine, BY_OTHER));
        out.etag(document.etag);
        if created != self.now {
            out.time(created);
        }
        if updated != self.now {
            out.time(updated);
        }
        if let Some(by) = by.filter(|_| !mine) {
            out.text(by);
        }
        out.text(document.body.as_str());
    }

    fn read_effect(&self, partition: &Partition, from: &mut Reader<'_>) -> Parse<Effect> {
        let id: DocId = from.id()?;
        let flags = from.flags(THERE | CREATED_NOW | UPDATED_NOW | BY_AUTHOR | BY_OTHER)?;
        if flags & THERE == 0 {
            return Ok(Effect { id, before: None, after: None });
        }
        let has = |flag| flags & flag != 0;
        let etag = from.etag()?;
        let created_at = if has(CREATED_NOW) { self.now } else { from.time()? };
        let updated_at = if has(UPDATED_NOW) { self.now } else { from.time()? };
        let updated_by = match (has(BY_AUTHOR), has(BY_OTHER)) {
            (true, false) => self.author.clone(),
            (false, true) => Some(from.shared_text()?),
            (false, false) => None,
            (true, true) => return damage("a document by two authors"),
        };
        let body = Json::stored(from.text()?);
        let key = DocKey { partition: partition.clone(), id: id.clone() };
        let document = Document { key, etag, body, created_at, updated_at, updated_by };
        Ok(Effect { id, before: None, after: Some(document) })
    }
}

impl Act {
    const fn tag(&self) -> u8 {
        match self {
            Self::Write => 0,
            Self::Begin(_) => 1,
            Self::Stage(_) => 2,
            Self::Commit(_) => 3,
            Self::Abort => 4,
            Self::Fence(..) => 5,
        }
    }

    fn write(&self, out: &mut Writer) {
        match self {
            Self::Write | Self::Abort => {}
            Self::Begin(lock) => lock.write(out),
            Self::Stage(piece) => piece.write(out),
            Self::Commit(nonce) => out.bytes(&nonce.bytes()),
            Self::Fence(id, address) => {
                out.text(id.as_str());
                out.bytes(&address.bytes());
            }
        }
    }

    fn read(tag: u8, from: &mut Reader<'_>) -> Parse<Self> {
        Ok(match tag {
            0 => Self::Write,
            1 => Self::Begin(Lock::read(from)?),
            2 => Self::Stage(Piece::read(from)?),
            3 => Self::Commit(Nonce::of_bytes(from.array()?)),
            4 => Self::Abort,
            5 => Self::Fence(from.transaction()?, Nonce::of_bytes(from.array()?)),
            _ => return damage("an entry of an unknown act"),
        })
    }
}

/// The incarnation that an entry begins, in the commit `seq`.
pub(super) fn begun(mut lock: Lock, seq: u64) -> Lock {
    lock.tx = LockId { incarnation: seq, ..lock.tx };
    lock
}
