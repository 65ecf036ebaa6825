//! Every file operation of the store, each through the seam.
//!
//! Nothing here takes a path of more than one name below the root, and no name
//! is followed where it is a symbolic link: a store stays below its root. The
//! root itself may be one.

use std::ffi::OsString;
use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::error::{FileError, Result};
use super::seam::{Call, Fate, FileHook, FileOp};

/// A folder that is open.
#[derive(Debug)]
pub(super) struct Dir {
    fd: OwnedFd,
    /// Relative to the root; empty for the root.
    path: String,
}

impl Dir {
    pub(super) fn join(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) }
    }

    fn shown(&self) -> String {
        if self.path.is_empty() { ".".to_owned() } else { self.path.clone() }
    }
}

/// A file that is open.
#[derive(Debug)]
pub(super) struct OpenFile {
    file: File,
    path: String,
}

impl OpenFile {
    pub(super) fn path(&self) -> &str {
        &self.path
    }
}

/// Which file it is, whatever its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

/// How a lock is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hold {
    Alone,
    Together,
}

/// The operations.
#[derive(Clone, Debug)]
pub(super) struct Files {
    hook: Option<Arc<dyn FileHook>>,
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// `NONBLOCK`, so that opening a planted pipe does not wait.
const FILE: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);
const OWNER_ONLY: Mode = Mode::RUSR.union(Mode::WUSR);

impl Files {
    pub(super) fn new(hook: Option<Arc<dyn FileHook>>) -> Self {
        Self { hook }
    }

    fn fate(&self, call: Call, path: &impl Fn() -> String) -> Fate {
        self.hook.as_ref().map_or(Fate::Proceed, |hook| hook.fate(&FileOp::new(call, path())))
    }

    fn run<T>(
        &self,
        call: Call,
        path: impl Fn() -> String,
        act: impl FnOnce() -> io::Result<T>,
    ) -> Result<T> {
        let injected = io::Error::from_raw_os_error;
        let done = match self.fate(call, &path) {
            Fate::Proceed => act(),
            Fate::Fail(errno) | Fate::Short(errno) => Err(injected(errno)),
            Fate::FailAfter(errno) => act().and(Err(injected(errno))),
        };
        done.map_err(|source| FileError { call, path: path(), source })
    }

    /// Opens the root, through a symbolic link if it is one.
    pub(super) fn open_root(&self, root: &Path) -> Result<Dir> {
        self.run(
            Call::OpenRoot,
            || shown(root),
            || {
                let fd = rustix::fs::open(root, FOLDER, Mode::empty())?;
                Ok(Dir { fd, path: String::new() })
            },
        )
    }

    /// Creates the root and the folders above it that are missing.
    pub(super) fn make_root(&self, root: &Path) -> Result<()> {
        self.run(
            Call::MakeRoot,
            || shown(root),
            || DirBuilder::new().recursive(true).mode(0o700).create(root),
        )
    }

    /// Syncs every folder above the root. One that we may not open, or that
    /// has nothing to sync, is none in which we created anything.
    pub(super) fn sync_above(&self, root: &Path) -> Result<()> {
        let real = self.run(Call::Stat, || shown(root), || root.canonicalize())?;
        for folder in real.ancestors().skip(1) {
            let opened = self.run(Call::OpenFolder, || shown(folder), || File::open(folder));
            let synced = opened.and_then(|opened| {
                self.run(Call::SyncFolder, || shown(folder), || opened.sync_all())
            });
            match synced {
                Err(error)
                    if !error.is(Errno::ACCESS)
                        && !error.is(Errno::INVAL)
                        && !error.is(Errno::ROFS) =>
                {
                    return Err(error);
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn open_folder(&self, within: &Dir, name: &str) -> Result<Dir> {
        self.run(
            Call::OpenFolder,
            || within.join(name),
            || {
                let fd =
                    rustix::fs::openat(&within.fd, name, FOLDER | OFlags::NOFOLLOW, Mode::empty())?;
                Ok(Dir { fd, path: within.join(name) })
            },
        )
    }

    /// Creates a folder that only the owner may enter; done if it is there.
    pub(super) fn make_folder(&self, within: &Dir, name: &str) -> Result<()> {
        let made = self.run(
            Call::MakeFolder,
            || within.join(name),
            || Ok(rustix::fs::mkdirat(&within.fd, name, Mode::RWXU)?),
        );
        match made {
            Err(error) if error.is(Errno::EXIST) => Ok(()),
            made => made,
        }
    }

    pub(super) fn same_folder(&self, dir: &Dir) -> Result<Dir> {
        self.run(
            Call::OpenFolder,
            || dir.shown(),
            || Ok(Dir { fd: dir.fd.as_fd().try_clone_to_owned()?, path: dir.path.clone() }),
        )
    }

    /// The names in a folder, in no order.
    pub(super) fn read_folder(&self, dir: &Dir) -> Result<Vec<OsString>> {
        self.run(
            Call::ReadFolder,
            || dir.shown(),
            || {
                let mut names = Vec::new();
                for entry in rustix::fs::Dir::read_from(&dir.fd)? {
                    let name = entry?.file_name().to_bytes().to_vec();
                    if name != b"." && name != b".." {
                        names.push(OsString::from_vec(name));
                    }
                }
                Ok(names)
            },
        )
    }

    pub(super) fn sync_folder(&self, dir: &Dir) -> Result<()> {
        self.run(
            Call::SyncFolder,
            || dir.shown(),
            || File::from(dir.fd.as_fd().try_clone_to_owned()?).sync_all(),
        )
    }

    pub(super) fn remove_folder(&self, within: &Dir, name: &str) -> Result<()> {
        self.run(
            Call::RemoveFolder,
            || within.join(name),
            || Ok(rustix::fs::unlinkat(&within.fd, name, AtFlags::REMOVEDIR)?),
        )
    }

    /// Opens a file for reading.
    pub(super) fn open_file(&self, within: &Dir, name: &str) -> Result<OpenFile> {
        self.open(Call::OpenFile, within, name, FILE | OFlags::RDONLY)
    }

    /// Creates a file that is not there, for its owner only.
    pub(super) fn create_file(&self, within: &Dir, name: &str) -> Result<OpenFile> {
        let flags = FILE | OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        self.open(Call::CreateFile, within, name, flags)
    }

    /// Opens a file to lock it, and creates it where it is missing.
    pub(super) fn open_lock(&self, within: &Dir, name: &str) -> Result<OpenFile> {
        self.open(Call::CreateFile, within, name, FILE | OFlags::RDWR | OFlags::CREATE)
    }

    fn open(&self, call: Call, within: &Dir, name: &str, flags: OFlags) -> Result<OpenFile> {
        self.run(
            call,
            || within.join(name),
            || {
                let fd = rustix::fs::openat(&within.fd, name, flags, OWNER_ONLY)?;
                Ok(OpenFile { file: File::from(fd), path: within.join(name) })
            },
        )
    }

    /// The size of a regular file; nothing for anything else.
    pub(super) fn size(&self, file: &OpenFile) -> Result<Option<u64>> {
        self.run(
            Call::Stat,
            || file.path.clone(),
            || {
                let metadata = file.file.metadata()?;
                Ok(metadata.is_file().then_some(metadata.len()))
            },
        )
    }

    pub(super) fn identity(&self, file: &OpenFile) -> Result<Identity> {
        self.run(
            Call::Stat,
            || file.path.clone(),
            || {
                let metadata = file.file.metadata()?;
                Ok(Identity { device: metadata.dev(), inode: metadata.ino() })
            },
        )
    }

    /// Which file has this name.
    pub(super) fn identity_at(&self, within: &Dir, name: &str) -> Result<Identity> {
        self.run(
            Call::Stat,
            || within.join(name),
            || {
                let flags = FILE | OFlags::RDONLY;
                let metadata = File::from(rustix::fs::openat(&within.fd, name, flags, OWNER_ONLY)?)
                    .metadata()?;
                Ok(Identity { device: metadata.dev(), inode: metadata.ino() })
            },
        )
    }

    /// Waits for the lock on a file, among all processes of this machine.
    pub(super) fn lock(&self, file: &OpenFile, hold: Hold) -> Result<()> {
        self.run(
            Call::Lock,
            || file.path.clone(),
            || {
                loop {
                    let locked = match hold {
                        Hold::Alone => file.file.lock(),
                        Hold::Together => file.file.lock_shared(),
                    };
                    match locked {
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        locked => return locked,
                    }
                }
            },
        )
    }

    /// Gives the lock back at once: a copy of the descriptor in a process
    /// being forked does not keep it.
    pub(super) fn unlock(file: &OpenFile) {
        // Closing the file does it too.
        let _ = file.file.unlock();
    }

    pub(super) fn read_at(&self, file: &OpenFile, into: &mut [u8], offset: u64) -> Result<()> {
        self.run(Call::Read, || file.path.clone(), || file.file.read_exact_at(into, offset))
    }

    pub(super) fn write(&self, file: &OpenFile, bytes: &[u8]) -> Result<()> {
        let path = || file.path.clone();
        let mut to = &file.file;
        let written = match self.fate(Call::Write, &path) {
            Fate::Proceed => to.write_all(bytes),
            Fate::Fail(errno) => Err(io::Error::from_raw_os_error(errno)),
            Fate::FailAfter(errno) => {
                to.write_all(bytes).and(Err(io::Error::from_raw_os_error(errno)))
            }
            Fate::Short(errno) => to
                .write_all(&bytes[..bytes.len() / 2])
                .and(Err(io::Error::from_raw_os_error(errno))),
        };
        written.map_err(|source| FileError { call: Call::Write, path: path(), source })
    }

    pub(super) fn sync_file(&self, file: &OpenFile) -> Result<()> {
        self.run(Call::SyncFile, || file.path.clone(), || file.file.sync_all())
    }

    pub(super) fn rename(&self, from: (&Dir, &str), to: (&Dir, &str)) -> Result<()> {
        self.run(
            Call::Rename,
            || to.0.join(to.1),
            || Ok(rustix::fs::renameat(&from.0.fd, from.1, &to.0.fd, to.1)?),
        )
    }

    /// Removes a file or a symbolic link, never what it points to.
    pub(super) fn remove_file(&self, within: &Dir, name: &str) -> Result<()> {
        self.run(
            Call::RemoveFile,
            || within.join(name),
            || Ok(rustix::fs::unlinkat(&within.fd, name, AtFlags::empty())?),
        )
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
