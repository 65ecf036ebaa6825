//! The seam under every file operation, for tests that record or break them.

use std::fmt;

/// What is asked of the file system.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
#[allow(missing_docs)] // The names say it.
pub enum Call {
    OpenRoot,
    MakeRoot,
    OpenFolder,
    MakeFolder,
    ReadFolder,
    SyncFolder,
    RemoveFolder,
    OpenFile,
    CreateFile,
    Stat,
    Lock,
    Read,
    Write,
    SyncFile,
    Rename,
    RemoveFile,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenRoot | Self::OpenFolder | Self::OpenFile => "open",
            Self::MakeRoot | Self::MakeFolder | Self::CreateFile => "creation",
            Self::ReadFolder | Self::Read => "read",
            Self::SyncFolder | Self::SyncFile => "sync",
            Self::RemoveFolder | Self::RemoveFile => "removal",
            Self::Stat => "stat",
            Self::Lock => "lock",
            Self::Write => "write",
            Self::Rename => "rename",
        })
    }
}

/// One operation, before it is carried out.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct FileOp {
    /// What.
    pub call: Call,
    /// On what, relative to the root; the target of a rename. The root and
    /// what lies above it are absolute.
    pub path: String,
}

impl FileOp {
    pub(super) fn new(call: Call, path: String) -> Self {
        Self { call, path }
    }
}

/// What becomes of an operation. Numbers are `errno` values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Fate {
    /// It is carried out.
    Proceed,
    /// It is not carried out and fails.
    Fail(i32),
    /// It is carried out and reported as failed.
    FailAfter(i32),
    /// Half of a write is carried out, then it fails; other calls just fail.
    Short(i32),
}

/// Sees each operation and decides its fate.
pub trait FileHook: fmt::Debug + Send + Sync {
    /// Called before the operation.
    fn fate(&self, op: &FileOp) -> Fate;
}
