//! What the file system says, and what it means to the caller.

use std::io;
use std::sync::Arc;

use ifmatch_core::{Error, Operation};
use rustix::io::Errno;

use super::seam::Call;

/// The result of one file operation.
pub(super) type Result<T, E = FileError> = std::result::Result<T, E>;

/// A file operation that failed: the cause below an [`Error`].
#[derive(Debug, thiserror::Error)]
#[error("{call} of {path}")]
pub(super) struct FileError {
    pub(super) call: Call,
    pub(super) path: String,
    pub(super) source: io::Error,
}

impl FileError {
    pub(super) fn new(call: Call, path: impl Into<String>, errno: Errno) -> Self {
        Self { call, path: path.into(), source: errno.into() }
    }

    fn errno(&self) -> Option<Errno> {
        Errno::from_io_error(&self.source)
    }

    pub(super) fn is(&self, errno: Errno) -> bool {
        self.errno() == Some(errno)
    }

    /// Nothing has this name.
    pub(super) fn is_missing(&self) -> bool {
        self.is(Errno::NOENT)
    }

    /// Whether a file was shorter than it said.
    pub(super) fn is_end_of_file(&self) -> bool {
        self.source.kind() == io::ErrorKind::UnexpectedEof
    }

    /// The same as an error of a store's operation.
    ///
    /// A full disk is [`Error::Other`] and not `Unavailable`: it does not pass
    /// by itself within a retry deadline, so the caller hears of it at once. No
    /// permission and a read-only file system are [`Error::Denied`]. What
    /// passes (too many open files, a busy or changing folder) is `Unavailable`.
    pub(super) fn about(self, operation: Operation, subject: &str) -> Error {
        let Some(errno) = self.errno() else { return self.other(operation, subject) };
        match errno {
            Errno::NOTDIR if matches!(self.call, Call::OpenRoot | Call::MakeRoot) => {
                Error::invalid(format!("{} is not a folder", self.path))
            }
            Errno::EXIST if self.call == Call::MakeRoot => {
                Error::invalid(format!("{} is not a folder", self.path))
            }
            // Also what Linux answers for a symbolic link that was not followed.
            Errno::NOTDIR | Errno::LOOP => {
                let what = "is a symbolic link or no folder, and is not followed";
                Error::corrupt(subject, format!("{} {what}", self.path))
            }
            Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS if self.call == Call::Lock => {
                Error::unsupported(format!("the file system of {} has no file locks", self.path))
            }
            Errno::ISDIR => Error::corrupt(subject, format!("{} is a folder", self.path)),
            Errno::ACCESS | Errno::PERM | Errno::ROFS => {
                Error::Denied { operation, subject: subject.into(), source: Arc::new(self) }
            }
            // A parent of the root in which nothing can be created.
            Errno::NOENT if self.call == Call::MakeRoot => self.other(operation, subject),
            Errno::NOENT
            | Errno::MFILE
            | Errno::NFILE
            | Errno::NOMEM
            | Errno::AGAIN
            | Errno::BUSY
            | Errno::INTR => Error::unavailable(operation, subject, self),
            _ => self.other(operation, subject),
        }
    }

    fn other(self, operation: Operation, subject: &str) -> Error {
        Error::Other { operation, subject: subject.into(), source: Arc::new(self) }
    }
}
