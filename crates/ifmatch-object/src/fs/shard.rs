//! A shard of the keys: its lock, and the folder in which its holder stages.

use ifmatch_core::BlobKey;
use rustix::io::Errno;
use xxhash_rust::xxh3::xxh3_64;

use super::error::{FileError, Result};
use super::files::{Dir, Files, Hold};
use super::layout::PRIVATE;
use super::lock::{self, Guard, RACES};
use super::seam::Call;

/// How many locks the keys share.
pub(super) const SHARDS: usize = 64;
const LOCK: &str = "lock";

/// Which shard a key belongs to; all processes agree.
pub(super) fn number(key: &BlobKey) -> usize {
    usize::try_from(xxh3_64(key.as_str().as_bytes()) % SHARDS as u64).unwrap_or_default()
}

/// A shard whose lock we hold: nobody else writes its keys, or its folder.
#[derive(Debug)]
pub(super) struct Shard<'a> {
    files: &'a Files,
    private: Dir,
    dir: Dir,
    guard: Guard,
}

impl<'a> Shard<'a> {
    /// Waits for the lock of `key`'s shard and sweeps its folder.
    pub(super) fn lock(files: &'a Files, root: &Dir, key: &BlobKey) -> Result<Self> {
        let name = format!("{:02x}", number(key));
        for _ in 0..RACES {
            match Self::try_lock(files, root, &name) {
                Ok(Some(shard)) => {
                    shard.sweep();
                    return Ok(shard);
                }
                Ok(None) => {}
                // Somebody removed the private folder just now.
                Err(error) if error.is_missing() => {}
                Err(error) => return Err(error),
            }
        }
        Err(FileError::new(Call::Lock, format!("{PRIVATE}/{name}/{LOCK}"), Errno::BUSY))
    }

    fn try_lock(files: &'a Files, root: &Dir, name: &str) -> Result<Option<Self>> {
        let private = open_or_make(files, root, PRIVATE)?;
        let dir = open_or_make(files, &private, name)?;
        let guard = Guard::take(files, &dir, LOCK, Hold::Alone)?;
        Ok(guard.map(|guard| Self { files, private, dir, guard }))
    }

    /// Removes what killed writers left: the lock is ours, so that nobody
    /// alive writes here. What cannot be removed harms nobody: names differ.
    fn sweep(&self) {
        for name in self.files.read_folder(&self.dir).unwrap_or_default() {
            if let Some(name) = name.to_str().filter(|name| *name != LOCK) {
                let _ = self.files.remove_file(&self.dir, name);
            }
        }
    }

    /// Writes a new file of these parts, and syncs it where `durable`. On an
    /// error nothing is left of it.
    pub(super) fn stage(
        &self,
        name: &'a str,
        parts: [&[u8]; 2],
        durable: bool,
    ) -> Result<Staged<'_>> {
        let staged = Staged { shard: self, name };
        let fill = || {
            let file = self.files.create_file(&self.dir, name)?;
            parts.iter().try_for_each(|part| self.files.write(&file, part))?;
            if durable { self.files.sync_file(&file) } else { Ok(()) }
        };
        match fill() {
            Ok(()) => Ok(staged),
            Err(error) => {
                staged.discard();
                Err(error)
            }
        }
    }
}

fn open_or_make(files: &Files, within: &Dir, name: &str) -> Result<Dir> {
    match files.open_folder(within, name) {
        Err(error) if error.is_missing() => {
            files.make_folder(within, name)?;
            files.open_folder(within, name)
        }
        opened => opened,
    }
}

/// A whole file that is not yet an object.
#[derive(Debug)]
pub(super) struct Staged<'a> {
    shard: &'a Shard<'a>,
    name: &'a str,
}

impl Staged<'_> {
    /// Makes it the object `name`, replacing what is there.
    ///
    /// Fails where the lock file was removed from under us, so that another
    /// writer may hold a new one. If that happens after we looked, the other
    /// sweeps this file before it reads what is there, and our rename fails;
    /// or it reads what we have just written. Either way nothing is lost.
    pub(super) fn publish(&self, folder: &Dir, name: &str) -> Result<()> {
        let Shard { files, private, dir, guard } = self.shard;
        let _together = lock::renames(files, private)?;
        if !guard.is_at(files, dir, LOCK)? {
            return Err(FileError::new(Call::Lock, dir.join(LOCK), Errno::BUSY));
        }
        files.rename((dir, self.name), (folder, name))
    }

    /// Whether nobody has swept it, or removed the folder that holds it.
    pub(super) fn is_there(&self) -> bool {
        self.shard.files.identity_at(&self.shard.dir, self.name).is_ok()
    }

    /// Removes it. Whether it was still there, and so is no object.
    pub(super) fn discard(&self) -> bool {
        self.shard.files.remove_file(&self.shard.dir, self.name).is_ok()
    }
}
