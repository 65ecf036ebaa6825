//! The verdict on an answer, from the server's log and histories alone.

use std::collections::HashMap;

use ifmatch::testkit::cloud::{AppliedWrite, CloudServer, LogEntry, Operation, Outcome};
use ifmatch::{Base, Error, Version, WriteRecord};

use super::round::Played;
use super::{Action, Shape};
use crate::fixture::{Cloud, names};

pub(super) struct Judge<'a> {
    cloud: Cloud,
    server: &'a CloudServer,
    /// Writes by key, in order of arrival.
    writes: HashMap<String, Vec<LogEntry>>,
}

/// What the client was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Told {
    Committed,
    Conflict,
    Unknown,
    /// Something that no write may be told here.
    Else,
}

/// What is true of one round.
#[derive(Debug)]
pub(super) struct Judged {
    /// Requests that met a fault.
    pub(super) faulted: usize,
    /// Those of them that were applied: their answers were lost.
    pub(super) lost: usize,
    pub(super) told: Told,
    /// Told "conflict" although it was applied, or nobody else wrote.
    pub(super) false_conflict: bool,
    /// Applied over something else than its precondition names.
    pub(super) silent_overwrite: bool,
    /// Anything else that is not true, in words.
    pub(super) wrong: Option<String>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(cloud: Cloud, server: &'a CloudServer) -> Self {
        let mut writes: HashMap<String, Vec<LogEntry>> = HashMap::new();
        for entry in server.log() {
            if matches!(entry.request.operation, Operation::Put | Operation::Delete) {
                writes.entry(entry.request.key().to_owned()).or_default().push(entry);
            }
        }
        Self { cloud, server, writes }
    }

    pub(super) fn judge(&self, played: &Played) -> Judged {
        let history = self.server.applied_history(played.key.as_str());
        let setup = usize::from(played.round.action != Action::Create);
        let (base, since) = history.split_at(setup.min(history.len()));
        let base = base.first().and_then(|write| write.version.as_ref());
        let mine: Vec<_> = since.iter().filter(|write| is_mine(played, write)).collect();
        let faulted: Vec<_> =
            self.of(played).iter().filter(|entry| entry.fault.is_some()).collect();
        let conditional = played.precondition != ifmatch::Precondition::Overwrite;
        let (told, wrong) = match &played.answer {
            Ok(version) => (Told::Committed, self.commit_is_wrong(played, version.as_ref(), &mine)),
            Err(Error::Conflict(_)) => (Told::Conflict, None),
            Err(Error::OutcomeUnknown(_)) if self.is_justified(played) => (Told::Unknown, None),
            Err(Error::OutcomeUnknown(_)) => {
                (Told::Unknown, Some("the object tells, and the answer is unknown".into()))
            }
            Err(error) => (Told::Else, Some(format!("an error of another kind: {error}"))),
        };
        let mut judged = Judged {
            faulted: faulted.len(),
            lost: faulted.iter().filter(|entry| entry.applied()).count(),
            told,
            false_conflict: told == Told::Conflict && (!mine.is_empty() || since.is_empty()),
            silent_overwrite: conditional
                && mine.iter().any(|write| write.replaced.as_ref() != base),
            wrong,
        };
        // A create that somebody deleted may be created again.
        let deleted = since.iter().any(|write| write.version.is_none());
        let most = 1 + usize::from(deleted && played.round.action == Action::Create);
        if conditional && mine.len() > most {
            judged.wrong = Some(format!("applied {} times", mine.len()));
        }
        judged
    }

    /// No conditional write in any history replaced another version than the
    /// one it names, whoever sent it.
    pub(super) fn check_every_condition(&self) {
        for (key, entries) in &self.writes {
            assert!(!entries.is_empty());
            for write in self.server.applied_history(key) {
                let conditions = &write.conditions;
                let held = match (&write.replaced, conditions.if_generation_match) {
                    (None, Some(generation)) => generation == 0,
                    (Some(object), Some(generation)) => generation == object.generation,
                    (None, None) => conditions.if_match.is_none(),
                    (Some(object), None) => {
                        conditions.if_none_match.is_none()
                            && conditions.if_match.as_ref().is_none_or(|tag| *tag == object.etag)
                    }
                };
                assert!(held, "{} {key}: a condition did not hold: {write:?}", self.cloud);
            }
        }
    }

    fn of(&self, played: &Played) -> &[LogEntry] {
        self.writes.get(played.key.as_str()).map_or(&[], Vec::as_slice)
    }

    fn commit_is_wrong(
        &self,
        played: &Played,
        version: Option<&Version>,
        mine: &[&AppliedWrite],
    ) -> Option<String> {
        if mine.is_empty() {
            return Some("told committed, never applied".into());
        }
        let made = |version: &Version| {
            let mut versions = mine.iter().filter_map(|write| write.version.as_ref());
            versions.any(|made| names(self.cloud, version, made))
        };
        match version {
            Some(version) if !made(version) => Some(format!("{version} is not what it made")),
            None if played.round.action != Action::Delete => Some("no version".into()),
            _ => None,
        }
    }

    /// Whether nobody could have told: what is there now does not say, or every
    /// single attempt was answered by a 409, after each of which a twin of it
    /// may still be under way.
    fn is_justified(&self, played: &Played) -> bool {
        let refused =
            |entry: &&LogEntry| entry.fault.is_some() && entry.outcome == Outcome::Answered(409);
        if played.round.shape == Shape::ConflictForEver
            && self.of(played).iter().filter(refused).count() == super::ATTEMPTS as usize
        {
            return true;
        }
        let there = self.server.object(played.key.as_str());
        let text = |name: &str| there.as_ref()?.metadata.get(name).cloned();
        let record = text("ifmatchid").and_then(|id| id.parse().ok()).map(|id| WriteRecord {
            id,
            base: text("ifmatchbase").and_then(|base| Base::from_token(&base)),
        });
        let version = there.as_ref().map(|object| {
            let generation = object.version.generation.to_string();
            let generation = (self.cloud == Cloud::Gcs).then_some(generation);
            Version::from_parts(Some(&object.version.etag), generation.as_deref())
        });
        !played.is_told_by(record.as_ref(), version.as_ref())
    }
}

/// Whether a change is the writer's, not somebody else's. The others delete
/// without a condition, and do so only where the writer has one.
fn is_mine(played: &Played, write: &AppliedWrite) -> bool {
    match played.round.action {
        Action::Create | Action::Update => write.write_id == Some(played.write.to_string()),
        Action::Delete => {
            let conditional = played.round.conditional_delete;
            write.version.is_none() && write.conditions.is_empty() != conditional
        }
    }
}
