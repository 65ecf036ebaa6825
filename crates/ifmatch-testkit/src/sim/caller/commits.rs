//! What a caller writes, and what it asks of writes.

use std::sync::Arc;

use ifmatch_journal::kv::Command;
use ifmatch_journal::{CommitError, CommitId, Resolution};

use super::Caller;
use crate::check::chain::Told;
use crate::sim::ledger::Pending;
use crate::sim::load::Load;

impl Caller {
    /// Commits a command; whether it was.
    pub(in crate::sim) async fn commit(&mut self, command: Command) -> bool {
        let (world, client) = (Arc::clone(&self.world), self.client.number);
        let exempt = world.scenario.stale;
        let begins = world.scribe.note(client, "commits", self.session, 0);
        let job = world.ledger.begin(self.session, command, begins);
        let number = job.number;
        world.scribe.remark(|| format!("command {number}: {:?}", job.command));
        let patience = self.patience();
        let too_late = world.deed().is_some();
        let Some(answer) = patience.bear(self.journal.commit(job)).await else {
            world.scribe.note(client, "drops a call", number, 0);
            world.ledger.count(|counts| counts.dropped += 1);
            return false;
        };
        if too_late && !matches!(answer, Err(CommitError::Failed(_))) {
            self.fooled("a commit was answered");
        }
        match answer {
            Ok(committed) => {
                let at = world.scribe.note(client, "has committed", number, committed.commit.seq);
                world.ledger.committed(number, committed, exempt, at);
                if self.dice.chance(100) || world.scenario.load == Load::Operator {
                    self.client.saw(self.journal.seen());
                }
                true
            }
            Err(CommitError::Rejected(rejection)) => {
                let at = world.scribe.note(client, "is rejected", number, 0);
                world.scribe.remark(|| format!("{rejection:?}"));
                world.ledger.rejected(number, rejection, exempt, at);
                false
            }
            Err(CommitError::Failed(error)) => {
                self.failed(Some(number), &error);
                false
            }
            Err(_) => {
                self.complain("a commit failed in a way unknown here");
                false
            }
        }
    }

    /// What became of a commit, as it is told.
    pub(in crate::sim) async fn resolve(
        &mut self,
        commit: CommitId,
        fence: bool,
    ) -> Option<Resolution> {
        let (world, client) = (Arc::clone(&self.world), self.client.number);
        let begins = world.scribe.note(client, "asks what became of", commit.seq, 0);
        let asked = if fence {
            self.journal.resolve_or_fence(commit).await
        } else {
            self.journal.resolve(commit).await
        };
        match asked {
            Ok(resolution) => {
                let at = world.scribe.note(client, "has found out", commit.seq, resolution as u64);
                for pending in self.client.pending_on(commit) {
                    let told = told(&pending, resolution);
                    world.ledger.resolved(self.session, pending, told, (begins, at));
                }
                Some(resolution)
            }
            Err(error) => {
                self.failed(None, &error);
                None
            }
        }
    }

    pub(in crate::sim) async fn fence(&mut self) {
        let (world, client) = (Arc::clone(&self.world), self.client.number);
        let begins = world.scribe.note(client, "fences", 0, 0);
        match self.journal.fence().await {
            Ok(commit) => {
                let at = world.scribe.note(client, "has fenced", 0, commit.seq);
                world.ledger.book().heard.push((commit.seq, commit.nonce));
                world.ledger.read(self.session, (commit.seq, None), false, (begins, at));
            }
            Err(error) => self.failed(None, &error),
        }
    }

    pub(in crate::sim) async fn checkpoint(&mut self) {
        let (world, client) = (Arc::clone(&self.world), self.client.number);
        let begins = world.scribe.note(client, "writes a checkpoint", 0, 0);
        if self.dice.chance(200) {
            if let Err(error) = self.journal.maintain().await {
                self.failed(None, &error);
            }
            return;
        }
        match self.journal.checkpoint().await {
            Ok(seq) => {
                let at = world.scribe.note(client, "has written a checkpoint", 0, seq);
                world.ledger.read(self.session, (seq, None), true, (begins, at));
            }
            Err(error) => self.failed(None, &error),
        }
    }
}

fn told(pending: &Pending, resolution: Resolution) -> Told {
    match resolution {
        Resolution::Committed => {
            Told::Committed { seq: pending.commit.seq, ordinal: pending.ordinal }
        }
        Resolution::Never => Told::Never,
        _ => Told::Unknown,
    }
}
