//! The folders of the keys: found, created, synced and removed when empty.
//!
//! Writers create folders while deleters remove empty ones. Nobody locks them:
//! the kernel removes no folder that holds something and puts nothing into one
//! that is removed, so whoever finds its folder gone begins anew at the root.
//!
//! What a durable writer relies on it syncs itself, every folder from the root
//! down, even one that was there: whoever created it may have been killed
//! before its own sync.

use super::error::Result;
use super::files::{Dir, Files};
use super::lock::RACES;

/// The folders below a root.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tree<'a> {
    pub(super) files: &'a Files,
    pub(super) durable: bool,
}

/// How far down the folders of a key exist.
#[derive(Debug)]
pub(super) struct Nearest {
    /// The last folder that is there.
    pub(super) dir: Dir,
    /// Whether it is the last of the key's.
    pub(super) is_last: bool,
}

impl Tree<'_> {
    /// The last of `folders`, where all of them are there.
    pub(super) fn find(&self, root: &Dir, folders: &[String]) -> Result<Option<Dir>> {
        let reading = Tree { files: self.files, durable: false };
        let nearest = reading.nearest(root, folders)?;
        Ok(nearest.is_last.then_some(nearest.dir))
    }

    /// As far down as `folders` are there; the entry of each is synced.
    pub(super) fn nearest(&self, root: &Dir, folders: &[String]) -> Result<Nearest> {
        let mut dir = self.files.same_folder(root)?;
        for name in folders {
            match self.files.open_folder(&dir, name) {
                Ok(next) => {
                    self.sync(&dir)?;
                    dir = next;
                }
                Err(error) if error.is_missing() => return Ok(Nearest { dir, is_last: false }),
                Err(error) => return Err(error),
            }
        }
        Ok(Nearest { dir, is_last: true })
    }

    /// The last of `folders`, all of which are there afterwards, their entries
    /// synced.
    pub(super) fn make(&self, root: &Dir, folders: &[String]) -> Result<Dir> {
        let mut races = 0;
        loop {
            match self.try_make(root, folders) {
                Err(error) if error.is_missing() && races < RACES => races += 1,
                made => return made,
            }
        }
    }

    fn try_make(&self, root: &Dir, folders: &[String]) -> Result<Dir> {
        let mut dir = self.files.same_folder(root)?;
        for name in folders {
            let next = match self.files.open_folder(&dir, name) {
                Err(error) if error.is_missing() => {
                    self.files.make_folder(&dir, name)?;
                    self.files.open_folder(&dir, name)?
                }
                opened => opened?,
            };
            self.sync(&dir)?;
            dir = next;
        }
        Ok(dir)
    }

    /// Syncs the entries of a folder, where writes are durable.
    pub(super) fn sync(&self, dir: &Dir) -> Result<()> {
        if self.durable { self.files.sync_folder(dir) } else { Ok(()) }
    }

    /// Removes those of `folders` that are empty, from the last one up. What
    /// comes of it is nobody's concern: an empty folder is no blob.
    pub(super) fn prune(&self, root: &Dir, folders: &[String]) {
        let mut left = folders;
        while let Some((name, above)) = left.split_last() {
            let removed = match self.find(root, above) {
                Ok(Some(above)) => self.files.remove_folder(&above, name),
                // Somebody else has removed them already.
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
            if removed.is_err_and(|error| !error.is_missing()) {
                break;
            }
            left = above;
        }
    }
}
