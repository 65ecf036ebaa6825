//! `<file>-ifmatch`: what a copy knows of its remote.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use ifmatch_core::{Endpoint, Verdict, Version};
use serde::{Deserialize, Serialize};

use super::{beside, folder_of, sync_folder};
use crate::commit_id::{CommitId, JournalId};
use crate::error::{Error, Result};
use crate::remote::Head;

const FORMAT: u32 = 1;
/// Sidecars are small; what is larger is none.
const MAX_BYTES: u64 = 1 << 20;

/// What a copy knows of its remote. Rewritten whole, durably, at each change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sidecar {
    format: u32,
    /// Where the remote is; holds no secret, URLs of stores never do.
    pub(crate) url: String,
    pub(crate) journal: JournalId,
    /// `None` until the first commit is known to be published.
    pub(crate) base: Option<Base>,
    /// Commits on this base whose outcome is not known, or that never were
    /// published; kept until the base is left behind.
    pub(crate) pending: Vec<Pending>,
    /// Endpoints through which the remote has passed the probe.
    pub(crate) probes: BTreeMap<Endpoint, Verdict>,
    /// What the database is being replaced by; decided by its content after a
    /// crash.
    pub(crate) adopting: Option<Base>,
}

/// The published state that a copy is based on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Base {
    pub(crate) head: Head,
    /// The head's version; `None` where only its content is known.
    pub(crate) version: Option<Version>,
}

impl Base {
    pub(crate) fn commit(&self) -> CommitId {
        self.head.commit()
    }

    /// Hash of the database at this state.
    pub(crate) fn content(&self) -> &str {
        &self.head.snapshot.content
    }
}

/// A commit that this copy tried to publish.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) head: Head,
}

impl Sidecar {
    pub(crate) fn new(url: &str, journal: JournalId) -> Self {
        Self {
            format: FORMAT,
            url: url.to_owned(),
            journal,
            base: None,
            pending: Vec::new(),
            probes: BTreeMap::new(),
            adopting: None,
        }
    }

    /// The ids of the pending commits.
    pub(crate) fn pending_ids(&self) -> Vec<CommitId> {
        self.pending.iter().map(|pending| pending.head.commit()).collect()
    }

    /// Moves to another base; what was pending on the old one is settled.
    pub(crate) fn adopt(&mut self, base: Base) {
        self.base = Some(base);
        self.pending.clear();
        self.adopting = None;
    }

    /// Reads the sidecar of the database at `path`; `None` where there is none.
    pub(crate) fn load(path: &Path) -> Result<Option<Self>> {
        let name = beside(path, "-ifmatch");
        let text = match std::fs::metadata(&name) {
            Ok(found) if found.len() > MAX_BYTES => {
                return Err(Error::corrupt(name.display().to_string(), "longer than any sidecar"));
            }
            Ok(_) => std::fs::read(&name).map_err(Error::io("reading", &name))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("reading", &name)(error)),
        };
        let corrupt = |detail: String| Error::corrupt(name.display().to_string(), detail);
        let Some((text, sum)) = text.split_last_chunk::<65>() else {
            return Err(corrupt("too short".to_owned()));
        };
        if blake3::hash(text).to_hex().as_bytes() != &sum[..64] {
            return Err(corrupt("the checksum does not match; clone the database anew".to_owned()));
        }
        let sidecar: Self = serde_json::from_slice(text)
            .map_err(|error| corrupt(format!("it does not parse: {error}")))?;
        if sidecar.format != FORMAT {
            return Err(Error::Store(ifmatch_core::Error::unsupported(format!(
                "{} has format {}, this version reads {FORMAT}",
                name.display(),
                sidecar.format
            ))));
        }
        Ok(Some(sidecar))
    }

    /// Writes the sidecar of the database at `path`: all or nothing, durably.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        let name = beside(path, "-ifmatch");
        let folder = folder_of(path);
        let mut text = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::invalid(format!("sidecar cannot be written: {error}")))?;
        text.push(b'\n');
        let sum = blake3::hash(&text).to_hex();
        let mut file = tempfile::Builder::new()
            .prefix(".ifmatch-")
            .tempfile_in(folder)
            .map_err(Error::io("creating a file in", folder))?;
        let failed = || Error::io("writing", &name);
        file.write_all(&text).map_err(failed())?;
        file.write_all(sum.as_bytes()).map_err(failed())?;
        file.write_all(b"\n").map_err(failed())?;
        file.as_file().sync_all().map_err(failed())?;
        file.persist(&name).map_err(|error| failed()(error.error))?;
        sync_folder(folder)
    }
}
