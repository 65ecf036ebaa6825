//! One object, everybody who writes it, and what really happened.

use bytes::Bytes;

use crate::capabilities::Versions;
use crate::key::BlobKey;
use crate::precondition::Precondition;
use crate::store::{BlobInfo, Stored};
use crate::version::Version;
use crate::write_id::{Base, WriteId, WriteRecord};

/// What the write under test is called.
pub(super) const MINE: WriteId = WriteId::from_bytes([0xee; 16]);
/// The body that the object has at first; restoring it is an A-B-A.
pub(super) const FIRST: &[u8] = b"first";

/// How a store signs an overwrite.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Bases {
    /// With the version that it replaced (memory, files).
    Exact,
    /// With `any`: only the store knows what it replaced (the clouds).
    Claimed,
}

/// One request of the write under test.
#[derive(Clone, Debug)]
pub(super) enum Request {
    Put(Bytes, Precondition, WriteId),
    Delete(Precondition),
}

/// What somebody else does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Foreign {
    /// Reads what is there and replaces it under `IfMatch`.
    Build,
    /// The same with the first body: an A-B-A signed by its base.
    BuildFirst,
    /// Replaces what was there at the start, which it read long ago.
    BuildStale,
    /// Replaces whatever is there.
    Overwrite,
    /// The same with the first body: an A-B-A that names no base.
    Restore,
    /// Deletes whatever is there.
    Delete,
    /// Creates what is not there.
    Create,
    /// A request of ours that was under way arrives.
    Land,
}

#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) body: Bytes,
    pub(super) version: Version,
    pub(super) record: WriteRecord,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) versions: Versions,
    pub(super) bases: Bases,
    pub(super) object: Option<Object>,
    pub(super) first: Option<Object>,
    writes: u64,
    /// Requests of ours that will arrive some time.
    pub(super) under_way: Vec<Request>,
    /// The versions that our put made.
    pub(super) mine: Vec<Version>,
    /// One request of ours was delivered twice.
    pub(super) doubled: bool,
    /// A read showed what was there before.
    pub(super) stale: bool,
    /// Heads name the write beside the version, not in it.
    pub(super) bare: bool,
    /// Our deletes that reached the store and found their condition fulfilled.
    pub(super) deletes: u32,
}

impl World {
    /// A world in which the object exists, or not.
    pub(super) fn new(versions: Versions, bases: Bases, exists: bool) -> Self {
        let mut world = Self {
            versions,
            bases,
            object: None,
            first: None,
            writes: 0,
            under_way: Vec::new(),
            mine: Vec::new(),
            doubled: false,
            stale: false,
            bare: false,
            deletes: 0,
        };
        // Versions never return, not even those of an object that is gone.
        world.writes = u64::from(!exists);
        if exists {
            world.write(FIRST.into(), &Precondition::IfAbsent, WriteId::from_bytes([1; 16]));
            world.first.clone_from(&world.object);
        }
        world
    }

    fn fulfils(&self, precondition: &Precondition) -> bool {
        match precondition {
            Precondition::Overwrite => true,
            Precondition::IfAbsent => self.object.is_none(),
            Precondition::IfMatch(version) => {
                self.object.as_ref().is_some_and(|object| object.version == *version)
            }
        }
    }

    fn write(&mut self, body: Bytes, condition: &Precondition, id: WriteId) -> Option<Version> {
        if !self.fulfils(condition) {
            return None;
        }
        self.writes += 1;
        let etag = match self.versions {
            Versions::Unique => self.writes.to_string(),
            Versions::ByContent => String::from_utf8_lossy(&body).into_owned(),
        };
        let version = Version::from_etag(&etag).with_write(Some(id));
        let base = match (condition, self.bases, &self.object) {
            (Precondition::Overwrite, Bases::Exact, None) => Base::Absent,
            (Precondition::Overwrite, Bases::Exact, Some(object)) => {
                Base::Version(object.version.clone())
            }
            (condition, _, _) => Base::of(condition),
        };
        let record = WriteRecord { id, base: Some(base) };
        self.object = Some(Object { body, version: version.clone(), record });
        if id == MINE {
            self.mine.push(version.clone());
        }
        Some(version)
    }

    /// A request of ours arrives; whether its condition held.
    pub(super) fn deliver(&mut self, request: &Request) -> Option<Stored> {
        let version = match request {
            Request::Put(body, condition, id) => self.write(body.clone(), condition, *id)?,
            Request::Delete(condition) => {
                if !self.fulfils(condition) {
                    return None;
                }
                self.deletes += 1;
                self.object = None;
                Version::default()
            }
        };
        Some(Stored { version, date: None })
    }

    /// Somebody else acts; whether that changed anything.
    pub(super) fn foreign(&mut self, act: Foreign) -> bool {
        let number = u8::try_from(self.writes + 16).unwrap_or(u8::MAX);
        let (id, body) = (WriteId::from_bytes([number; 16]), format!("foreign {number}"));
        let there = self.object.as_ref().map(|object| object.version.clone());
        let stale = self.first.as_ref().map(|object| object.version.clone());
        let written = match (act, there, stale) {
            (Foreign::Build, Some(there), _) => {
                self.write(body.into(), &Precondition::IfMatch(there), id)
            }
            (Foreign::BuildFirst, Some(there), _) => {
                self.write(FIRST.into(), &Precondition::IfMatch(there), id)
            }
            (Foreign::BuildStale, Some(_), Some(stale)) => {
                self.write(body.into(), &Precondition::IfMatch(stale), id)
            }
            (Foreign::Overwrite, _, _) => self.write(body.into(), &Precondition::Overwrite, id),
            (Foreign::Restore, _, _) => self.write(FIRST.into(), &Precondition::Overwrite, id),
            (Foreign::Create, None, _) => self.write(body.into(), &Precondition::IfAbsent, id),
            (Foreign::Delete, Some(_), _) => {
                self.object = None;
                return true;
            }
            (Foreign::Land, _, _) if !self.under_way.is_empty() => {
                let request = self.under_way.remove(0);
                self.deliver(&request);
                return true;
            }
            _ => None,
        };
        written.is_some()
    }

    /// Whether our write has taken effect at least once.
    pub(super) fn applied(&self) -> bool {
        !self.mine.is_empty() || self.deletes > 0
    }

    pub(super) fn info(&self, key: &BlobKey) -> Option<BlobInfo> {
        let mut info = self.object.as_ref()?.info(key);
        if self.bare {
            info.version = info.version.with_write(None);
        }
        Some(info)
    }
}

impl Object {
    pub(super) fn info(&self, key: &BlobKey) -> BlobInfo {
        BlobInfo {
            key: key.clone(),
            version: self.version.clone(),
            size: self.body.len() as u64,
            last_modified: None,
            write: Some(self.record.clone()),
            date: None,
        }
    }
}
