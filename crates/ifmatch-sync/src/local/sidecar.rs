//! `<file>-ifmatch`: what a copy knows of its remote.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

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
    /// Commits of ours that may be published or may still be; kept until it is
    /// known which commit has their number.
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

/// A commit that this copy tried to publish.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) commit: CommitId,
    /// What it was to follow: the base, or what a forced push found.
    on: Option<CommitId>,
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

    /// Refuses a file whose mark is neither the base's nor any that this copy
    /// put into it since.
    pub(crate) fn check(&self, path: &Path, mark: Option<(JournalId, CommitId)>) -> Result<()> {
        let Some(base) = &self.base else { return Ok(()) };
        let marked: Arc<str> = match mark {
            Some((owner, commit))
                if owner == self.journal
                    && (commit == base.commit() || self.drawn.contains(&commit)) =>
            {
                return Ok(());
            }
            Some((_, commit)) => commit.to_string().into(),
            None => "not at all".into(),
        };
        Err(Error::Swapped { path: path.into(), marked })
    }

    /// Notes an id that is about to be put into the database.
    pub(crate) fn draw(&mut self, commit: CommitId) {
        self.drawn.push(commit);
        let surplus = self.drawn.len().saturating_sub(MAX_DRAWN);
        self.drawn.drain(..surplus);
    }

    /// Notes a commit that may become visible from now on, following `on`.
    pub(crate) fn expect(&mut self, head: &Head, on: Option<&Base>) {
        let (commit, snapshot) = (head.commit(), head.snapshot.clone());
        let on = on.map(Base::commit);
        self.pending.push(Pending { commit, on, snapshot, time: head.time() });
    }

    /// The head of a pending commit of this very content that was to follow
    /// `on`, made anew: to send the same again is not to publish twice.
    pub(crate) fn again(&self, on: Option<&Base>, content: &str) -> Option<Head> {
        let follows = on.map(Base::commit);
        let same =
            |pending: &&Pending| pending.on == follows && pending.snapshot.content == content;
        let Pending { commit, snapshot, time, .. } = self.pending.iter().rev().find(same)?;
        let journal = on.map_or(self.journal, |on| on.head.journal);
        Some(Head::on(journal, on.map(|on| &on.head), *commit, snapshot.clone(), *time))
    }

    /// A pending commit turned out to be published: `newest` is it, or was
    /// built on it. The database holds it with whatever was changed since.
    pub(crate) fn found(&mut self, commit: CommitId, newest: &Base) {
        let Some(pending) = self.pending.iter().find(|pending| pending.commit == commit) else {
            return;
        };
        let base = if newest.commit() == commit {
            newest.clone()
        } else {
            let (snapshot, time) = (pending.snapshot.clone(), pending.time);
            Base { head: newest.head.back_to(commit, snapshot, time), version: None }
        };
        // A mark from before this commit is that of an older file.
        let older = self.drawn.iter().position(|id| *id == commit).map_or(0, |at| at + 1);
        self.drawn.drain(..older);
        self.journal = base.head.journal;
        self.base = Some(base);
        self.forget_pending(&newest.head);
    }

    /// Forgets the pending commits whose number `head` gives to another one:
    /// they never will be published. Whether there were any.
    pub(crate) fn forget_pending(&mut self, head: &Head) -> bool {
        let before = self.pending.len();
        self.pending.retain(|pending| head.record(pending.commit.seq()).is_none());
        self.pending.len() < before
    }

    /// Whether `head` has gone on so far that it does not tell what became of a
    /// pending commit.
    pub(crate) fn is_past(&self, head: &Head) -> bool {
        let newest = head.commit().seq();
        self.pending.iter().any(|pending| pending.commit.seq() <= newest)
    }

    /// Moves to a base that is the database's content, but for what was changed
    /// since. Whatever was pending counts no more.
    pub(crate) fn adopt(&mut self, base: Base) {
        self.journal = base.head.journal;
        self.base = Some(base);
        self.pending.clear();
        self.drawn.clear();
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
