//! A delete: lock, check, unlink, sync, answer; then the empty folders go.

use ifmatch_core::{BlobKey, Error, Operation, Precondition};

use super::core::Core;
use super::error::FileError;
use super::files::Dir;
use super::layout::Place;
use super::object::{Found, Object};
use super::put::End;
use super::shard::Shard;

/// One delete.
#[derive(Debug)]
pub(super) struct Delete {
    pub(super) key: BlobKey,
    pub(super) precondition: Precondition,
}

impl Delete {
    /// Carries it out; blocks.
    pub(super) fn run(&self, core: &Core) -> Result<(), End> {
        let place = Place::of(&self.key);
        let Some(root) = core.root_to_read().map_err(|error| self.refused(core, error))? else {
            return self.check(&Found::Nothing);
        };
        let _shard = Shard::lock(core.files(), &root, &self.key)
            .map_err(|error| self.refused(core, error))?;
        let tree = core.tree();
        let nearest =
            tree.nearest(&root, &place.folders).map_err(|error| self.refused(core, error))?;
        let found = if nearest.is_last {
            Object::open(core.files(), &nearest.dir, &self.key, &place.name)
                .map_err(|error| self.refused(core, error))?
        } else {
            Found::Nothing
        };
        self.check(&found)?;
        if !matches!(found, Found::Nothing) {
            self.unlink(core, &nearest.dir, &place, &found)?;
        }
        // Also where it was gone: whoever removed it may have been killed
        // before its sync.
        tree.sync(&nearest.dir).map_err(|error| End::Unknown(self.failed(core, error)))?;
        tree.prune(&root, &place.folders);
        Ok(())
    }

    fn check(&self, found: &Found) -> Result<(), End> {
        match (&self.precondition, found) {
            (Precondition::Overwrite, _) => Ok(()),
            (_, Found::Corrupt(error)) => Err(End::Refused(error.clone())),
            (Precondition::IfMatch(version), Found::Object(object))
                if object.trailer.as_version() == *version =>
            {
                Ok(())
            }
            _ => Err(End::Rejected),
        }
    }

    fn unlink(&self, core: &Core, dir: &Dir, place: &Place, found: &Found) -> Result<(), End> {
        let Err(error) = core.files().remove_file(dir, &place.name) else { return Ok(()) };
        // It may have happened all the same; nobody else writes this key.
        let there = Object::open(core.files(), dir, &self.key, &place.name);
        let never = match (found, there) {
            (Found::Object(was), Ok(Found::Object(is))) => was.trailer == is.trailer,
            (Found::Corrupt(_), Ok(Found::Corrupt(_))) => true,
            _ => false,
        };
        let error = self.failed(core, error);
        Err(if never { End::Refused(error) } else { End::Unknown(error) })
    }

    fn refused(&self, core: &Core, error: FileError) -> End {
        End::Refused(self.failed(core, error))
    }

    fn failed(&self, core: &Core, error: FileError) -> Error {
        core.failed(error, Operation::Delete, self.key.as_str())
    }
}
