//! `<file>-ifmatch`: what a copy knows of its remote.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use ifmatch_core::{Endpoint, Timestamp, Verdict, Version};
use serde::{Deserialize, Serialize};

use super::{beside, folder_of, sync_folder};
use crate::commit_id::{CommitId, JournalId};
use crate::error::{Error, Result};
use crate::remote::{Head, SnapshotRef};

const FORMAT: u32 = 1;
/// Sidecars are small; what is larger is none.
const MAX_BYTES: u64 = 8 << 20;
/// How many ids that may stand in the database are remembered: the mark is the
/// newest of them, or the one before where its writing was cut short.
const MAX_DRAWN: usize = 16;

/// What a copy knows of its remote. Rewritten whole, durably, at each change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sidecar {
    format: u32,
    /// Where the remote is; holds no secret, URLs of stores never do.
    pub(crate) url: String,
    pub(crate) journal: JournalId,
    /// `None` until the first commit is known to be published.
    pub(crate) base: Option<Base>,
    /// Commits on this base that may be published or may still be; kept until
    /// it is known which commit followed the base.
    pub(crate) pending: Vec<Pending>,
    /// Ids that this copy has put into the database since its base, or was
    /// about to: whatever became of them, the file is no stranger.
    drawn: Vec<CommitId>,
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

/// A commit that this copy tried to publish on its base.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) commit: CommitId,
    snapshot: SnapshotRef,
    time: Timestamp,
}

impl Sidecar {
    pub(crate) fn new(url: &str, journal: JournalId) -> Self {
        Self {
            format: FORMAT,
            url: url.to_owned(),
            journal,
            base: None,
            pending: Vec::new(),
            drawn: Vec::new(),
            probes: BTreeMap::new(),
            adopting: None,
        }
    }

    /// The ids of the pending commits.
    pub(crate) fn pending_ids(&self) -> Vec<CommitId> {
        self.pending.iter().map(|pending| pending.commit).collect()
    }

    /// Whether the database may carry this mark.
    pub(crate) fn knows(&self, mark: CommitId) -> bool {
        let base = self.base.as_ref().map(Base::commit);
        base == Some(mark) || self.drawn.contains(&mark)
    }

    /// Notes an id that is about to be put into the database.
    pub(crate) fn draw(&mut self, commit: CommitId) {
        self.drawn.push(commit);
        let surplus = self.drawn.len().saturating_sub(MAX_DRAWN);
        self.drawn.drain(..surplus);
    }

    /// Notes a commit that may become visible from now on.
    pub(crate) fn expect(&mut self, head: &Head) {
        let (commit, snapshot) = (head.commit(), head.snapshot.clone());
        self.pending.push(Pending { commit, snapshot, time: head.time() });
    }

    /// The head that a pending commit published, made anew from the base.
    pub(crate) fn head_of(&self, commit: CommitId) -> Option<Head> {
        let pending = self.pending.iter().find(|pending| pending.commit == commit)?;
        let base = self.base.as_ref().map(|base| &base.head);
        Some(Head::on(self.journal, base, commit, pending.snapshot.clone(), pending.time))
    }

    /// Another commit followed the base: none of ours on it ever will.
    pub(crate) fn forget_pending(&mut self) {
        self.pending.clear();
    }

    /// Moves to another base; what was pending on the old one is settled.
    pub(crate) fn adopt(&mut self, base: Base) {
        self.pending.clear();
        // What was put into the file after the new base was drawn may still
        // stand there; what came before it would be an old state come back.
        let kept = self.drawn.iter().position(|drawn| *drawn == base.commit());
        self.drawn.drain(..kept.map_or(self.drawn.len(), |at| at + 1));
        self.base = Some(base);
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
