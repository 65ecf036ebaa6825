//! One process at a time syncs a copy.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ifmatch_core::Env;

use super::beside;
use crate::error::{Error, Result};

/// How often a held lock is tried again.
const POLL: Duration = Duration::from_millis(20);

/// The lock of a copy; dropping it releases it.
///
/// It is a file of its own, never renamed or removed, and never the database:
/// closing any descriptor of a database drops SQLite's own locks (POSIX).
#[derive(Debug)]
pub(crate) struct CopyLock(#[allow(dead_code)] File);

impl CopyLock {
    /// Waits up to `wait` for the lock of the copy at `path`.
    pub(crate) async fn acquire(path: &Path, env: &Env, wait: Duration) -> Result<Self> {
        let name = beside(path, "-ifmatch-lock");
        let file = open(&name)?;
        let ends = env.now() + wait;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::WouldBlock) if env.now() < ends => {
                    env.sleep(POLL + env.jitter(POLL)).await;
                }
                Err(TryLockError::WouldBlock) => {
                    let why = "another process is syncing it; try again later";
                    return Err(Error::InUse { path: path.into(), why });
                }
                Err(TryLockError::Error(error)) => return Err(Error::io("locking", &name)(error)),
            }
        }
    }
}

fn open(name: &PathBuf) -> Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(name).map_err(Error::io("opening", name))
}
