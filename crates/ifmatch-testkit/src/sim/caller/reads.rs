//! What a caller reads: now, of the past, as a log.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use ifmatch_journal::{Freshness, Snapshot};

use super::Caller;
use crate::sim::ledger::digest;
use crate::sim::machine::Numbered;
use crate::sim::violation::Broken;

impl Caller {
    /// After an operator's deed every client hears of it.
    pub(in crate::sim) async fn hears_of_the_deed(&mut self, expected: &str) {
        loop {
            match self.journal.read(Freshness::Strong).await {
                Ok(_) => return self.fooled("a strong read was answered"),
                Err(error) if error.kind() == expected => return,
                Err(error) => self.world.judge_error("the last read", &error),
            }
            self.pause(Duration::from_millis(50)).await;
        }
    }

    pub(in crate::sim) async fn read(
        &mut self,
        freshness: Freshness,
    ) -> Option<Snapshot<Numbered>> {
        let (world, client) = (Arc::clone(&self.world), self.client.number);
        let begins = world.scribe.note(client, "reads", self.session, 0);
        let too_late = world.deed().is_some() && freshness == Freshness::Strong;
        let patience = self.patience();
        let snapshot = match patience.bear(self.journal.read(freshness)).await? {
            Ok(snapshot) => snapshot,
            Err(error) => {
                self.failed(None, &error);
                return None;
            }
        };
        if too_late {
            self.fooled("a strong read was answered");
        }
        let seq = snapshot.seq();
        let at = world.scribe.note(client, "has read", self.session, seq);
        let lags = freshness != Freshness::Strong || world.scenario.stale;
        // A look at every pair is dear: not at each read.
        let often = if world.scenario.ballast > 0 { 80 } else { 400 };
        let looked_at = self.dice.chance(often).then(|| digest(snapshot.state()));
        world.ledger.read(self.session, (seq, looked_at), lags, (begins, at));
        if let Freshness::MaxStaleness(most) = freshness
            && !world.scenario.stale
        {
            let floor = world.ledger.shown_before(begins, most);
            if seq < floor {
                let detail = format!(
                    "client {client} asked for a state at most {most:?} old at {begins} and was \
                     shown {seq}, though {floor} had been shown longer ago"
                );
                world.ledger.broken(Broken::Stale, detail);
            }
        }
        if let Some(wrong) = world.scenario.load.wrong(snapshot.state()) {
            world.ledger.broken(Broken::Invariant, format!("at {seq}: {wrong}"));
        }
        Some(snapshot)
    }

    pub(in crate::sim) fn some_freshness(&mut self) -> Freshness {
        match self.dice.between(0, 3) {
            0 => Freshness::Cached,
            1 => {
                let most = self.dice.time(Duration::from_millis(1), Duration::from_secs(10));
                Freshness::MaxStaleness(most)
            }
            _ => Freshness::Strong,
        }
    }

    pub(in crate::sim) async fn read_somehow(&mut self) {
        let freshness = self.some_freshness();
        self.read(freshness).await;
    }

    /// The state of some commit of the past.
    pub(in crate::sim) async fn past(&mut self) {
        let newest = self.journal.seen().commit.seq;
        let seq = self.dice.between(1, newest);
        match self.journal.state_at(seq).await {
            Ok(state) => self.world.ledger.book().snapshots.push((seq, digest(&state))),
            Err(error) => self.failed(None, &error),
        }
        self.world.scribe.note(self.client.number, "has read the past", seq, 0);
    }

    /// The commits after some commit.
    pub(in crate::sim) async fn log(&mut self) {
        let (world, client) = (Arc::clone(&self.world), self.client.number);
        let newest = self.journal.seen().commit.seq;
        let back = self.dice.magnitude(1, newest);
        let mut last = newest.saturating_sub(back);
        let begins = world.scribe.note(client, "reads the log", last, 0);
        let mut commits = self.journal.log(last);
        while let Some(next) = commits.next().await {
            match next {
                Ok(record) if record.seq == last + 1 => {
                    last = record.seq;
                    world.ledger.book().heard.push((record.seq, record.nonce));
                }
                Ok(record) => {
                    let detail = format!("the log has commit {} after {last}", record.seq);
                    world.ledger.broken(Broken::Follower, detail);
                    return;
                }
                Err(error) => return self.failed(None, &error),
            }
        }
        let at = world.scribe.note(client, "has read the log", last, 0);
        world.ledger.read(self.session, (last, None), world.scenario.stale, (begins, at));
    }
}
