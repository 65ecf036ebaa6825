//! The things that a probe tries.

use bytes::Bytes;
use futures::future::join_all;

use super::report::{Check, ProbeReport, Weight};
use crate::error::{Error, Result};
use crate::key::BlobKey;
use crate::precondition::Precondition;
use crate::store::{ConditionalBlobStore, Fetched, GetOptions, Stored};
use crate::version::Version;

/// How many writers race in the concurrent checks.
const RACERS: usize = 8;

struct Probe<'a> {
    store: &'a dyn ConditionalBlobStore,
    folder: &'a BlobKey,
    checks: Vec<Check>,
    /// How many checks failed for nothing but a lost answer.
    unanswered: usize,
}

/// What was tried under one name.
pub(super) struct Tried {
    pub(super) report: ProbeReport,
    /// Whether nothing but lost answers speaks against the store: another try
    /// may say more.
    pub(super) lost: bool,
}

pub(super) async fn run(store: &dyn ConditionalBlobStore, folder: &BlobKey) -> Result<Tried> {
    let mut probe = Probe { store, folder, checks: Vec::new(), unanswered: 0 };
    probe.creates().await?;
    probe.updates().await?;
    probe.races().await?;
    probe.reads().await?;
    probe.repeats().await?;
    probe.deletes().await?;
    let (store, endpoint) = (store.to_string(), store.endpoint());
    let report = ProbeReport { store, endpoint, checks: probe.checks };
    let lost = probe.unanswered > 0 && report.broken().count() == probe.unanswered;
    Ok(Tried { report, lost })
}

/// Some other version than `version`, of the same shape: what a stale writer
/// would send.
async fn stale(probe: &Probe<'_>, key: &BlobKey, version: &Version) -> Result<Version> {
    probe.write(key, "newer", Precondition::IfMatch(version.clone())).await?;
    Ok(version.clone())
}

impl Probe<'_> {
    fn key(&self, name: &str) -> Result<BlobKey> {
        self.folder.join(name)
    }

    async fn write(&self, key: &BlobKey, body: &str, condition: Precondition) -> Result<Stored> {
        // The folder's name is random: it makes the bodies unique, so that a
        // version that is a hash of the body is unique too.
        let body = format!("{} {key} {body}", self.folder);
        self.store.put(key, Bytes::from(body), condition).await
    }

    fn note(&mut self, name: &'static str, weight: Weight, ok: bool, detail: impl Into<String>) {
        self.checks.push(Check { name, ok, detail: detail.into(), weight });
    }

    /// Notes whether a write that must fail did.
    fn must_conflict(&mut self, name: &'static str, answer: Result<Stored>) -> Result<()> {
        let (ok, detail) = match answer {
            Ok(_) => (false, "the condition was ignored: the write was applied".to_owned()),
            Err(Error::Conflict(_)) => (true, "refused as it must be".to_owned()),
            Err(error @ Error::OutcomeUnknown(_)) => {
                self.unanswered += 1;
                (false, format!("the answer is no verdict: {error}"))
            }
            Err(error) => return Err(error),
        };
        self.note(name, Weight::Required, ok, detail);
        Ok(())
    }

    async fn creates(&mut self) -> Result<()> {
        let key = self.key("create")?;
        self.write(&key, "first", Precondition::IfAbsent).await?;
        let second = self.write(&key, "second", Precondition::IfAbsent).await;
        self.must_conflict("create twice", second)
    }

    async fn updates(&mut self) -> Result<()> {
        let key = self.key("update")?;
        let first = self.write(&key, "first", Precondition::IfAbsent).await?;
        let (ok, detail) = match stale(self, &key, &first.version).await {
            Ok(_) => (true, "applied as it must be".to_owned()),
            // What is not known to be there is nothing to go on from.
            Err(error @ Error::Conflict(_)) => {
                (false, format!("the version of our own write does not match: {error}"))
            }
            Err(error) => return Err(error),
        };
        self.note("current update", Weight::Required, ok, detail);
        let late = self.write(&key, "late", Precondition::IfMatch(first.version.clone())).await;
        self.must_conflict("stale update", late)?;
        let missing = self.key("missing")?;
        let nothing = self.write(&missing, "x", Precondition::IfMatch(first.version)).await;
        self.must_conflict("update on missing", nothing)
    }

    async fn races(&mut self) -> Result<()> {
        let key = self.key("race")?;
        self.race("concurrent create", &key, &Precondition::IfAbsent).await?;
        let Some(info) = self.store.head(&key).await? else {
            self.note("concurrent update", Weight::Required, false, "the created blob is gone");
            return Ok(());
        };
        self.race("concurrent update", &key, &Precondition::IfMatch(info.version)).await
    }

    async fn race(
        &mut self,
        name: &'static str,
        key: &BlobKey,
        condition: &Precondition,
    ) -> Result<()> {
        let racers: Vec<_> = (0..RACERS).map(|racer| format!("{name} {racer}")).collect();
        let answers =
            join_all(racers.iter().map(|body| self.write(key, body, condition.clone()))).await;
        let (mut winners, mut lost) = (0, None);
        for answer in answers {
            match answer {
                Ok(_) => winners += 1,
                Err(Error::Conflict(_)) => {}
                Err(error @ Error::OutcomeUnknown(_)) => lost = Some(error),
                Err(error) => return Err(error),
            }
        }
        if let (0, Some(error)) = (winners, lost) {
            return Err(error); // The winner may be among them, or there is none.
        }
        let detail = format!("{winners} of {RACERS} writers were told that they won");
        self.note(name, Weight::Required, winners == 1, detail);
        Ok(())
    }

    async fn reads(&mut self) -> Result<()> {
        let key = self.key("read")?;
        let stored = self.write(&key, "body", Precondition::IfAbsent).await?;
        let options = GetOptions::new().if_none_match(stored.version.clone());
        let unchanged = self.store.get(&key, options).await?;
        let ok = matches!(unchanged, Fetched::NotModified { .. });
        let detail = if ok { "no body was sent" } else { "the whole body came back" };
        self.note("conditional get", Weight::Optional, ok, detail);
        let head = self.store.head(&key).await?;
        let ok = head.is_some_and(|info| info.version == stored.version);
        let detail = if ok {
            "head and put agree on the version"
        } else {
            "head gives another version than the put that wrote it"
        };
        self.note("version of a write", Weight::Required, ok, detail);
        Ok(())
    }

    /// Does a version come back when the same bytes are written again?
    async fn repeats(&mut self) -> Result<()> {
        let key = self.key("a-b-a")?;
        let first = self.write(&key, "A", Precondition::IfAbsent).await?;
        self.write(&key, "B", Precondition::Overwrite).await?;
        let again = self.write(&key, "A", Precondition::Overwrite).await?;
        let detail = if first.version == again.version {
            "equal bytes have equal versions: put a nonce into what you compare and swap"
        } else {
            "every write has a version of its own"
        };
        self.note("A-B-A", Weight::Fact, true, detail);
        Ok(())
    }

    async fn deletes(&mut self) -> Result<()> {
        if !self.store.capabilities().delete_if_match {
            let detail = "not offered; tombstones take its place";
            self.note("conditional delete", Weight::Fact, true, detail);
            return Ok(());
        }
        let key = self.key("delete")?;
        let first = self.write(&key, "first", Precondition::IfAbsent).await?;
        let old = stale(self, &key, &first.version).await;
        let answer = match old {
            Ok(old) => self.store.delete(&key, Precondition::IfMatch(old)).await,
            Err(error) => Err(error),
        };
        let (ok, detail) = match answer {
            Err(Error::Conflict(_)) => (true, "refused as it must be".to_owned()),
            Ok(()) => (false, "a stale condition was ignored: the blob was deleted".to_owned()),
            Err(error) => return Err(error),
        };
        self.note("conditional delete", Weight::Required, ok, detail);
        Ok(())
    }
}
