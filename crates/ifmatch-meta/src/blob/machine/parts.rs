//! The state of a partition as a checkpoint keeps it.
//!
//! Records, one after the other: a byte that says what it is, then its fields,
//! as `wire` writes them.
//!
//! | byte | what | fields |
//! |---|---|---|
//! | 1 | document | id, flags (1 by somebody), tag, created, updated, by, position, body |
//! | 2 | grave | id, flags (1 by somebody), tag, time, by, position |
//! | 3 | change | position, id, flags (1 tag, 2 tag before, 4 author), tags, author, time |
//! | 4 | end of a transaction | name, incarnation, seq, flags (1 committed), nonce |
//! | 5 | fence | name, 12 bytes, seq |
//! | 6 | the rest | digest 16, floor, seq and ordinal of the next effect, flags (1 audited, 2 lock), lock, times |
//!
//! Documents, graves and changes come first, sorted, so that a small change
//! leaves most parts as they were; the rest is a part of its own, the last.

use bytes::Bytes;
use ifmatch_journal::{Cut, Damage, Position};

use super::clock::Clock;
use super::lock::{End, Lock, LockId};
use super::state::{Grave, Kept, State};
use super::wire::{Parse, Reader, Writer, damage, flag};
use crate::audit::{AuditOperation, AuditPosition, AuditRecord};
use crate::document::Document;
use crate::etag::Nonce;
use crate::json::Json;
use crate::key::{DocId, DocKey, Partition};

const DOCUMENT: u8 = 1;
const GRAVE: u8 = 2;
const CHANGE: u8 = 3;
const END: u8 = 4;
const FENCE: u8 = 5;
const REST: u8 = 6;
const BY: u8 = 1;
const TAG: u8 = 1;
const BEFORE: u8 = 2;
const AUTHOR: u8 = 4;
const COMMITTED: u8 = 1;
const AUDITED: u8 = 1;
const LOCKED: u8 = 2;

pub(super) fn parts(state: &State) -> Box<dyn Iterator<Item = Bytes> + Send + '_> {
    let documents = state.documents.iter().map(|(id, kept)| (name(id), document(kept)));
    let graves = state.graves.iter().map(|(id, grave)| (name(id), self::grave(id, grave)));
    let changes = state.audit.iter().map(|(at, record)| {
        let key = [at.seq.to_be_bytes().as_slice(), &at.ordinal.to_be_bytes()].concat();
        (Bytes::from(key), change(*at, record))
    });
    let parts = Cut::new(documents).chain(Cut::new(graves)).chain(Cut::new(changes));
    Box::new(parts.chain(std::iter::once_with(|| rest(state))))
}

pub(super) fn restore(partition: &Partition, parts: &[Bytes]) -> Result<State, Damage> {
    let (mut state, mut whole) = (State::default(), false);
    for part in parts {
        let from = &mut Reader::new(part);
        while !from.is_empty() {
            match from.u8()? {
                DOCUMENT => state.keep(read_document(partition, from)?),
                GRAVE => {
                    let (id, grave) = read_grave(from)?;
                    state.bury(id, grave);
                }
                CHANGE => {
                    let (at, record) = read_change(from)?;
                    state.audit.insert_mut(at, record);
                }
                END => {
                    let (tx, end) = read_end(from)?;
                    state.remember(tx, end);
                }
                FENCE => {
                    let fence = (from.transaction()?, from.array()?);
                    state.fences.insert_mut(fence, from.varint()?);
                }
                REST if !whole => {
                    read_rest(&mut state, from)?;
                    whole = true;
                }
                _ => return damage("a checkpoint holds what is unknown"),
            }
        }
    }
    if whole { Ok(state) } else { damage("a checkpoint without its end") }
}

fn name(id: &DocId) -> Bytes {
    Bytes::copy_from_slice(id.as_str().as_bytes())
}

fn document(kept: &Kept) -> Vec<u8> {
    let (document, out) = (&kept.document, &mut Writer::default());
    out.u8(DOCUMENT);
    out.text(document.key.id.as_str());
    out.u8(flag(document.updated_by.is_some(), BY));
    out.etag(document.etag);
    out.time(document.created_at);
    out.time(document.updated_at);
    if let Some(by) = &document.updated_by {
        out.text(by);
    }
    out.position(kept.at);
    out.text(document.body.as_str());
    std::mem::take(&mut out.0)
}

fn read_document(partition: &Partition, from: &mut Reader<'_>) -> Parse<Kept> {
    let id = from.id()?;
    let flags = from.flags(BY)?;
    let (etag, created_at, updated_at) = (from.etag()?, from.time()?, from.time()?);
    let updated_by = if flags & BY == 0 { None } else { Some(from.shared_text()?) };
    let (at, body) = (from.position()?, Json::stored(from.text()?));
    let key = DocKey { partition: partition.clone(), id };
    Ok(Kept { document: Document { key, etag, body, created_at, updated_at, updated_by }, at })
}

fn grave(id: &DocId, grave: &Grave) -> Vec<u8> {
    let out = &mut Writer::default();
    out.u8(GRAVE);
    out.text(id.as_str());
    out.u8(flag(grave.by.is_some(), BY));
    out.etag(grave.etag);
    out.time(grave.time);
    if let Some(by) = &grave.by {
        out.text(by);
    }
    out.position(grave.at);
    std::mem::take(&mut out.0)
}

fn read_grave(from: &mut Reader<'_>) -> Parse<(DocId, Grave)> {
    let (id, flags) = (from.id()?, from.flags(BY)?);
    let (etag, time) = (from.etag()?, from.time()?);
    let by = if flags & BY == 0 { None } else { Some(from.shared_text()?) };
    Ok((id, Grave { etag, time, by, at: from.position()? }))
}

fn change(at: Position, record: &AuditRecord) -> Vec<u8> {
    let out = &mut Writer::default();
    out.u8(CHANGE);
    out.position(at);
    out.text(record.id.as_str());
    let (tag, before) = (record.etag.is_some(), record.previous.is_some());
    out.u8(flag(tag, TAG) | flag(before, BEFORE) | flag(record.author.is_some(), AUTHOR));
    for etag in record.etag.iter().chain(&record.previous) {
        out.etag(*etag);
    }
    if let Some(author) = &record.author {
        out.text(author);
    }
    out.time(record.time);
    std::mem::take(&mut out.0)
}

fn read_change(from: &mut Reader<'_>) -> Parse<(Position, AuditRecord)> {
    let (at, id) = (from.position()?, from.id()?);
    let flags = from.flags(TAG | BEFORE | AUTHOR)?;
    let etag = if flags & TAG == 0 { None } else { Some(from.etag()?) };
    let previous = if flags & BEFORE == 0 { None } else { Some(from.etag()?) };
    let author = if flags & AUTHOR == 0 { None } else { Some(from.shared_text()?) };
    let operation = match (previous, etag) {
        (None, None) => return damage("a change of nothing"),
        (Some(_), None) => AuditOperation::Deleted,
        (None, Some(_)) => AuditOperation::Created,
        (Some(_), Some(_)) => AuditOperation::Replaced,
    };
    let place = AuditPosition { position: at.seq, ordinal: at.ordinal };
    let time = from.time()?;
    Ok((at, AuditRecord { at: place, id, etag, previous, author, time, operation }))
}

fn read_end(from: &mut Reader<'_>) -> Parse<(LockId, End)> {
    let (tx, seq) = (LockId::read(from)?, from.varint()?);
    let committed = match from.flags(COMMITTED)? {
        COMMITTED => Some(Nonce::of_bytes(from.array()?)),
        _ => None,
    };
    Ok((tx, End { seq, committed }))
}

/// The last part.
fn rest(state: &State) -> Bytes {
    let out = &mut Writer::default();
    for (tx, end) in &state.ends {
        out.u8(END);
        tx.write(out);
        out.varint(end.seq);
        out.u8(flag(end.committed.is_some(), COMMITTED));
        if let Some(nonce) = end.committed {
            out.bytes(&nonce.bytes());
        }
    }
    for ((id, address), seq) in &state.fences {
        out.u8(FENCE);
        out.text(id.as_str());
        out.bytes(address);
        out.varint(*seq);
    }
    out.u8(REST);
    let totals = &state.totals;
    out.bytes(&totals.digest);
    out.varint(totals.floor);
    out.position(Position { seq: totals.next.0, ordinal: totals.next.1 });
    out.u8(flag(totals.audited, AUDITED) | flag(state.lock.is_some(), LOCKED));
    if let Some(lock) = &state.lock {
        lock.write(out);
    }
    out.varint(state.clock.len() as u64);
    for (seq, time) in state.clock.times() {
        out.varint(seq);
        out.time(time);
    }
    std::mem::take(&mut out.0).into()
}

fn read_rest(state: &mut State, from: &mut Reader<'_>) -> Parse<()> {
    state.totals.digest = from.array()?;
    state.totals.floor = from.varint()?;
    let next = from.position()?;
    state.totals.next = (next.seq, next.ordinal);
    let flags = from.flags(AUDITED | LOCKED)?;
    state.totals.audited = flags & AUDITED != 0;
    state.lock = if flags & LOCKED == 0 { None } else { Some(Lock::read(from)?) };
    let count = from.varint()?;
    let times: Vec<_> =
        (0..count).map(|_| Ok((from.varint()?, from.time()?))).collect::<Parse<_>>()?;
    state.clock = Clock::of(times);
    Ok(())
}
