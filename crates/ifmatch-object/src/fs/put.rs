//! A put: lock, check, stage, sync, rename, sync, answer.

use bytes::Bytes;
use ifmatch_core::{Attempt, BlobKey, Error, Operation, Precondition, Timestamp, Version, WriteId};

use super::core::Core;
use super::error::FileError;
use super::files::Dir;
use super::layout::Place;
use super::lock::RACES;
use super::object::{Found, Object};
use super::seam::Call;
use super::shard::{Shard, Staged};
use super::trailer::{self, Replaced, Token, Trailer};

/// How a write ended that was not applied for sure.
#[derive(Debug)]
pub(super) enum End {
    Rejected,
    Refused(Error),
    Unknown(Error),
}

impl End {
    pub(super) fn attempt<T>(self, date: Timestamp) -> Attempt<T> {
        match self {
            Self::Rejected => Attempt::Rejected { date: Some(date) },
            Self::Refused(error) => Attempt::Refused(error),
            Self::Unknown(error) => Attempt::Unknown(error),
        }
    }
}

/// Everything that one put needs, drawn before it begins.
#[derive(Debug)]
pub(super) struct Put {
    pub(super) key: BlobKey,
    pub(super) body: Bytes,
    pub(super) precondition: Precondition,
    pub(super) write: WriteId,
    pub(super) version: Token,
    pub(super) modified: Timestamp,
    /// Ends the name of the file that is staged.
    pub(super) nonce: u64,
}

impl Put {
    /// Carries it out; blocks.
    pub(super) fn run(&self, core: &Core) -> Result<Version, End> {
        let body_sum = trailer::sum(&self.body);
        let place = Place::of(&self.key);
        if matches!(self.precondition, Precondition::IfMatch(_)) {
            // Without a root there is no such version, and no reason for a root.
            let root = core.root_to_read().map_err(|error| self.refused(core, error))?;
            root.ok_or(End::Rejected)?;
        }
        let root = core.root_to_write().map_err(|error| self.refused(core, error))?;
        let shard = Shard::lock(core.files(), &root, &self.key)
            .map_err(|error| self.refused(core, error))?;
        let trailer = Trailer {
            size: self.body.len() as u64,
            version: self.version,
            write: self.write,
            replaced: self.replaced(core, &root, &place)?,
            modified: self.modified,
            body_sum,
        };
        let name = format!("new-{:016x}", self.nonce);
        let parts: [&[u8]; 2] = [&self.body, &trailer.encode(&self.key)];
        let staged = shard
            .stage(&name, parts, core.tree().durable)
            .map_err(|error| self.refused(core, error))?;
        self.publish(core, &root, &place, &staged)?;
        Ok(trailer.as_version())
    }

    /// What is there, if the precondition holds for it.
    fn replaced(&self, core: &Core, root: &Dir, place: &Place) -> Result<Replaced, End> {
        let found = Object::find(core.tree(), root, &self.key, place)
            .map_err(|error| self.refused(core, error))?;
        match (&self.precondition, found) {
            (Precondition::Overwrite, Found::Corrupt(_)) => Ok(Replaced::Corrupt),
            (_, Found::Corrupt(error)) => Err(End::Refused(error)),
            (Precondition::IfAbsent | Precondition::Overwrite, Found::Nothing) => {
                Ok(Replaced::Nothing)
            }
            (Precondition::IfMatch(version), Found::Object(object))
                if object.trailer.as_version() != *version =>
            {
                Err(End::Rejected)
            }
            (Precondition::IfMatch(_) | Precondition::Overwrite, Found::Object(object)) => {
                let Trailer { version, write, .. } = object.trailer;
                Ok(Replaced::Version { version, write })
            }
            _ => Err(End::Rejected),
        }
    }

    fn publish(
        &self,
        core: &Core,
        root: &Dir,
        place: &Place,
        staged: &Staged<'_>,
    ) -> Result<(), End> {
        let tree = core.tree();
        let mut races = 0;
        loop {
            let published = tree.make(root, &place.folders).and_then(|folder| {
                staged.publish(&folder, &place.name)?;
                Ok(folder)
            });
            match published {
                Ok(folder) => {
                    return tree.sync(&folder).map_err(|error| {
                        End::Unknown(core.failed(error, Operation::Put, self.key.as_str()))
                    });
                }
                // The folder was removed as empty before the rename.
                Err(error) if error.is_missing() && races < RACES && staged.is_there() => {
                    races += 1;
                }
                Err(error) => {
                    // A rename may fail and have happened; not if the file is
                    // still staged.
                    let is_unclear = error.call == Call::Rename && !error.is_missing();
                    let was_staged = staged.discard();
                    let error = core.failed(error, Operation::Put, self.key.as_str());
                    if is_unclear && !was_staged {
                        return Err(End::Unknown(error));
                    }
                    tree.prune(root, &place.folders);
                    return Err(End::Refused(error));
                }
            }
        }
    }

    fn refused(&self, core: &Core, error: FileError) -> End {
        End::Refused(core.failed(error, Operation::Put, self.key.as_str()))
    }
}
