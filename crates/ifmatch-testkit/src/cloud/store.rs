//! The objects and the one place where a request changes them.

use super::{
    answer::{Answer, DeletedOne, Effect},
    call::{ByteRange, Call, Deletion},
    conditions::{Conditions, Refusal},
    config::Dialect,
    list::{self, ListQuery},
    log::AppliedWrite,
    multipart::{Uploads, quoted_md5},
    object::{Meta, ObjectVersion, StoredObject},
};
use bytes::Bytes;
use std::{
    collections::{BTreeMap, VecDeque},
    time::SystemTime,
};

/// Changes that a stale listing can go back.
const UNDO: usize = 256;

/// GCS's generations are microseconds of the epoch; ours only rise.
const FIRST_GENERATION: u64 = 1_700_000_000_000_000;

/// How a request is to be applied.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mode {
    pub(super) ignore_conditions: bool,
    pub(super) reuse_version: bool,
    pub(super) stale_read: bool,
    pub(super) stale_list: usize,
}

/// Which delivery of which request is applied, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp {
    pub(super) seq: u64,
    pub(super) delivery: usize,
    pub(super) now: SystemTime,
}

#[derive(Debug)]
pub(super) struct Store {
    dialect: Dialect,
    page_size: usize,
    objects: BTreeMap<String, StoredObject>,
    /// What each key held before its last change.
    previous: BTreeMap<String, Option<StoredObject>>,
    /// The last changes of the bucket, newest last, with what they replaced.
    undo: VecDeque<(String, Option<StoredObject>)>,
    uploads: Uploads,
    generation: u64,
}

/// A new content for a key.
struct Write<'a> {
    key: &'a str,
    body: Bytes,
    meta: Meta,
    /// The tag of an upload in parts.
    etag: Option<String>,
    conditions: &'a Conditions,
}

impl Store {
    pub(super) fn new(dialect: Dialect, page_size: usize) -> Self {
        Self {
            dialect,
            page_size,
            objects: BTreeMap::new(),
            previous: BTreeMap::new(),
            undo: VecDeque::new(),
            uploads: Uploads::default(),
            generation: FIRST_GENERATION,
        }
    }

    pub(super) fn objects(&self) -> impl Iterator<Item = &StoredObject> {
        self.objects.values()
    }

    pub(super) fn object(&self, key: &str) -> Option<&StoredObject> {
        self.objects.get(key)
    }

    /// Applies one delivery of a request.
    pub(super) fn apply(&mut self, call: &Call, mode: Mode, stamp: Stamp) -> Effect {
        match call {
            Call::Put { key, body, meta, conditions } => {
                let (body, meta) = (body.clone(), meta.clone());
                self.write(Write { key, body, meta, etag: None, conditions }, mode, stamp)
            }
            Call::Read { key, range, generation, conditions, .. } => {
                self.read(key, *range, generation.as_deref(), conditions, mode).into()
            }
            Call::Delete { key, conditions } => self.delete(key, conditions, mode, stamp),
            Call::DeleteMany(deletions) => self.delete_many(deletions, mode, stamp),
            Call::List(query) => self.list(query.clone(), mode.stale_list).into(),
            Call::CreateUpload { key, meta } => {
                let upload = self.uploads.create(key, meta.clone());
                Answer::UploadCreated { key: key.clone(), upload }.into()
            }
            Call::PutPart { key, upload, part, body } => {
                match self.uploads.put(self.dialect, key, upload, part, body) {
                    Some(etag) => Answer::PartStored { etag }.into(),
                    None => Answer::NoUpload.into(),
                }
            }
            Call::Complete { key, upload, parts, meta, conditions } => {
                let Some(whole) = self.uploads.assemble(key, upload, parts) else {
                    return Answer::NoUpload.into();
                };
                let meta = meta.clone().unwrap_or(whole.meta);
                let write =
                    Write { key, body: whole.body, meta, etag: Some(whole.etag), conditions };
                let mut effect = self.write(write, mode, stamp);
                if let Answer::Stored(object) = effect.answer {
                    self.uploads.close(upload);
                    effect.answer = Answer::Completed(object);
                }
                effect
            }
            Call::Abort { upload, .. } => {
                if self.uploads.close(upload) { Answer::Aborted } else { Answer::NoUpload }.into()
            }
        }
    }

    fn write(&mut self, write: Write<'_>, mode: Mode, stamp: Stamp) -> Effect {
        let current = self.objects.get(write.key);
        if !mode.ignore_conditions
            && let Err(refusal) = write.conditions.check_write(current)
        {
            return Answer::Refused(refusal).into();
        }
        let version = match current {
            Some(object) if mode.reuse_version => object.version.clone(),
            _ => self.next_version(&write.body, write.etag),
        };
        let (write_id, write_base) = (write.meta.write_id(), write.meta.write_base());
        let object = StoredObject {
            key: write.key.to_owned(),
            body: write.body,
            version: version.clone(),
            metadata: write.meta.metadata,
            headers: write.meta.headers,
            last_modified: stamp.now,
        };
        let replaced = self.objects.insert(object.key.clone(), object.clone());
        let change = AppliedWrite {
            seq: stamp.seq,
            delivery: stamp.delivery,
            write_id,
            write_base,
            conditions: write.conditions.clone(),
            replaced: replaced.as_ref().map(|object| object.version.clone()),
            version: Some(version),
        };
        self.remember(write.key, replaced);
        Effect { answer: Answer::Stored(object), changes: vec![(write.key.to_owned(), change)] }
    }

    fn delete(&mut self, key: &str, conditions: &Conditions, mode: Mode, stamp: Stamp) -> Effect {
        let Some(current) = self.objects.get(key) else {
            let conditional = !mode.ignore_conditions && !conditions.is_empty();
            let answer =
                if conditional { Answer::Refused(Refusal::Missing) } else { Answer::Missing };
            return answer.into();
        };
        if !mode.ignore_conditions
            && let Err(refusal) = conditions.check_write(Some(current))
        {
            return Answer::Refused(refusal).into();
        }
        let replaced = self.objects.remove(key);
        let change = AppliedWrite {
            seq: stamp.seq,
            delivery: stamp.delivery,
            write_id: None,
            write_base: None,
            conditions: conditions.clone(),
            replaced: replaced.as_ref().map(|object| object.version.clone()),
            version: None,
        };
        self.remember(key, replaced);
        Effect { answer: Answer::Deleted, changes: vec![(key.to_owned(), change)] }
    }

    fn delete_many(&mut self, deletions: &[Deletion], mode: Mode, stamp: Stamp) -> Effect {
        let mut changes = Vec::new();
        let mut verdicts = Vec::new();
        for Deletion { id, key, conditions } in deletions {
            let effect = self.delete(key, conditions, mode, stamp);
            changes.extend(effect.changes);
            let answer = Box::new(effect.answer);
            verdicts.push(DeletedOne { id: id.clone(), key: key.clone(), answer });
        }
        Effect { answer: Answer::DeletedMany(verdicts), changes }
    }

    fn read(
        &self,
        key: &str,
        range: Option<ByteRange>,
        generation: Option<&str>,
        conditions: &Conditions,
        mode: Mode,
    ) -> Answer {
        let current = self.objects.get(key);
        let seen = match self.previous.get(key) {
            Some(before) if mode.stale_read => before.as_ref(),
            _ => current,
        };
        let wanted = |object: &&StoredObject| {
            generation.is_none_or(|g| g == object.version.generation.to_string())
        };
        let Some(object) = seen.filter(wanted) else {
            return Answer::Missing;
        };
        if !mode.ignore_conditions {
            match conditions.check_read(object) {
                Ok(()) => {}
                Err(Refusal::Unchanged) => return Answer::NotModified(object.clone()),
                Err(refusal) => return Answer::Refused(refusal),
            }
        }
        let size = object.body.len() as u64;
        match range.map(|range| range.resolve(size)) {
            Some(None) => Answer::Unsatisfiable(size),
            Some(part) => Answer::Found(object.clone(), part),
            None => Answer::Found(object.clone(), None),
        }
    }

    fn list(&self, query: ListQuery, changes_ago: usize) -> Answer {
        if changes_ago == 0 {
            return Answer::Listing(list::page(&self.objects, query, self.page_size));
        }
        let mut before = self.objects.clone();
        for (key, replaced) in self.undo.iter().rev().take(changes_ago) {
            match replaced {
                Some(object) => before.insert(key.clone(), object.clone()),
                None => before.remove(key),
            };
        }
        Answer::Listing(list::page(&before, query, self.page_size))
    }

    fn remember(&mut self, key: &str, replaced: Option<StoredObject>) {
        if self.undo.len() == UNDO {
            self.undo.pop_front();
        }
        self.undo.push_back((key.to_owned(), replaced.clone()));
        self.previous.insert(key.to_owned(), replaced);
    }

    fn next_version(&mut self, body: &[u8], etag: Option<String>) -> ObjectVersion {
        self.generation += 1;
        let generation = self.generation;
        let etag = match self.dialect {
            Dialect::S3 | Dialect::Gcs => etag.unwrap_or_else(|| quoted_md5(body)),
            Dialect::Azure => format!("\"0x8D{generation:014X}\""),
        };
        ObjectVersion { etag, generation }
    }
}
