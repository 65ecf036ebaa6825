//! Locks on files, and the one that keeps renames out of a listing.

use rustix::io::Errno;

use super::error::{FileError, Result};
use super::files::{Dir, Files, Hold, Identity, OpenFile};
use super::layout::PRIVATE;
use super::seam::Call;

/// Most times that something is tried again because others changed the folders
/// meanwhile. Each time somebody else got on.
pub(super) const RACES: u32 = 100;
const RENAMES: &str = "rename.lock";
const TURNSTILE: &str = "list.lock";

/// A lock that is held until it is dropped, or the process ends.
#[derive(Debug)]
pub(super) struct Guard {
    file: OpenFile,
    identity: Identity,
}

impl Guard {
    /// Waits for the lock on the file `name`, which is created where it is
    /// missing. Nothing where the file was removed meanwhile: the lock then
    /// excludes nobody, and the caller begins anew.
    pub(super) fn take(files: &Files, dir: &Dir, name: &str, hold: Hold) -> Result<Option<Self>> {
        Self::hold(files, files.open_lock(dir, name)?, dir, name, hold)
    }

    fn hold(
        files: &Files,
        file: OpenFile,
        dir: &Dir,
        name: &str,
        hold: Hold,
    ) -> Result<Option<Self>> {
        if files.size(&file)?.is_none() {
            return Err(FileError::new(Call::Lock, dir.join(name), Errno::INVAL));
        }
        files.lock(&file, hold)?;
        let guard = Self { identity: files.identity(&file)?, file };
        Ok(guard.is_at(files, dir, name)?.then_some(guard))
    }

    /// Whether the file that is locked is still the one of that name.
    pub(super) fn is_at(&self, files: &Files, dir: &Dir, name: &str) -> Result<bool> {
        match files.identity_at(dir, name) {
            Ok(there) => Ok(there == self.identity),
            Err(error) if error.is_missing() => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        Files::unlock(&self.file);
    }
}

/// Held together by those who rename a file over another, for that moment;
/// [held alone](no_renames) by who reads the names in a folder.
///
/// Some file systems (tmpfs: 6 of 10 reads of a folder of 3,000 files that
/// were written all the time) leave a name out that is renamed over meanwhile,
/// and a listing would miss a blob that is always there.
///
/// Writers that come one after another would keep a reader waiting for ever,
/// so they all pass the turnstile, which a reader holds while it waits.
pub(super) fn renames(files: &Files, private: &Dir) -> Result<Guard> {
    let turnstile = files.open_lock(private, TURNSTILE)?;
    files.lock(&turnstile, Hold::Together)?;
    Files::unlock(&turnstile);
    for _ in 0..RACES {
        if let Some(guard) = Guard::take(files, private, RENAMES, Hold::Together)? {
            return Ok(guard);
        }
    }
    Err(FileError::new(Call::Lock, private.join(RENAMES), Errno::BUSY))
}

/// No rename is under way while this is held.
#[derive(Debug)]
pub(super) struct NoRenames {
    _turnstile: Guard,
    _renames: Guard,
}

/// Keeps renames out. A reader creates nothing, the disk may be read-only:
/// where there is no file to lock, nobody has written yet.
pub(super) fn no_renames(files: &Files, root: &Dir) -> Result<Option<NoRenames>> {
    for _ in 0..RACES {
        let held = files.open_folder(root, PRIVATE).and_then(|private| {
            let alone = |name| {
                let file = files.open_file(&private, name)?;
                Guard::hold(files, file, &private, name, Hold::Alone)
            };
            let turnstile = alone(TURNSTILE)?;
            Ok(turnstile.zip(alone(RENAMES)?))
        });
        match held {
            Ok(Some((turnstile, renames))) => {
                return Ok(Some(NoRenames { _turnstile: turnstile, _renames: renames }));
            }
            // Somebody removed one of the files just now.
            Ok(None) => {}
            Err(error) if error.is_missing() => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Err(FileError::new(Call::Lock, format!("{PRIVATE}/{RENAMES}"), Errno::BUSY))
}
