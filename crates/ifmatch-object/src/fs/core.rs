//! What the blocking side of a store knows: its root, and whether its answers
//! can still be believed.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use ifmatch_core::{Error, Operation, Reason, Result};
use rustix::io::Errno;

use super::error::FileError;
use super::files::{Dir, Files};
use super::lock::RACES;
use super::seam::{Call, FileHook};
use super::tree::Tree;

/// What all calls of a handle share.
#[derive(Debug)]
pub(super) struct Core {
    root: PathBuf,
    name: String,
    files: Files,
    durable: bool,
    /// The folders above the root were synced by this handle.
    above_synced: AtomicBool,
    /// Why nothing is answered any more.
    broken: OnceLock<String>,
}

impl Core {
    pub(super) fn new(root: PathBuf, durable: bool, hook: Option<Arc<dyn FileHook>>) -> Self {
        Self {
            name: url::Url::from_file_path(&root)
                .map_or_else(|()| format!("file://{}", root.display()), String::from),
            root,
            files: Files::new(hook),
            durable,
            above_synced: AtomicBool::new(false),
            broken: OnceLock::new(),
        }
    }

    /// The root as a URL.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn files(&self) -> &Files {
        &self.files
    }

    pub(super) fn tree(&self) -> Tree<'_> {
        Tree { files: &self.files, durable: self.durable }
    }

    /// The root, where there is one.
    pub(super) fn root_to_read(&self) -> Result<Option<Dir>, FileError> {
        match self.files.open_root(&self.root) {
            Ok(root) => Ok(Some(root)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The root, created and durable.
    pub(super) fn root_to_write(&self) -> Result<Dir, FileError> {
        for _ in 0..RACES {
            if let Some(root) = self.root_to_read()? {
                if self.durable && !self.above_synced.load(Ordering::Acquire) {
                    self.files.sync_above(&self.root)?;
                    self.above_synced.store(true, Ordering::Release);
                }
                return Ok(root);
            }
            self.above_synced.store(false, Ordering::Release);
            self.files.make_root(&self.root)?;
        }
        Err(FileError::new(Call::MakeRoot, self.root.display().to_string(), Errno::BUSY))
    }

    /// The error of an operation. After a sync of a folder has failed, the next
    /// one may succeed though the first's changes are lost: this handle's
    /// answers could not be believed any more.
    pub(super) fn failed(&self, error: FileError, operation: Operation, subject: &str) -> Error {
        if error.call == Call::SyncFolder {
            tracing::error!(store = self.name, error = %error.source, "a folder could not be synced");
            // Only the first reason counts.
            let _ = self.broken.set(format!("{error} failed: {}", error.source));
        }
        error.about(operation, if subject.is_empty() { &self.name } else { subject })
    }

    /// Whether answers can be believed.
    pub(super) fn check(&self) -> Result<()> {
        match self.broken.get() {
            None => Ok(()),
            Some(why) => Err(Error::Closed {
                what: format!("{}: {why}; open the store anew", self.name).into(),
            }),
        }
    }

    /// The error of a task that did not end: never begun, or a panic.
    pub(super) fn lost(&self, operation: Operation, error: &tokio::task::JoinError) -> Error {
        let subject = self.name.as_str().into();
        if error.is_cancelled() {
            return Error::Closed { what: format!("{}: the runtime is ending", self.name).into() };
        }
        Error::Other { operation, subject, source: Reason::source("a file operation panicked") }
    }
}
