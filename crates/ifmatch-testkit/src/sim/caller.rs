//! One caller of a client: what it asks, and how its answers are written down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt;
use ifmatch_journal::kv::Command;
use ifmatch_journal::{
    CommitError, CommitId, Error, Freshness, Journal, Resolution, Snapshot,
};

use super::client::Client;
use super::dice::Dice;
use super::ledger::{Pending, digest};
use super::load::Load;
use super::machine::Numbered;
use super::patience::Patience;
use super::violation::Broken;
use super::world::World;
use crate::check::chain::Told;

pub(super) struct Caller {
    world: Arc<World>,
    client: Arc<Client>,
    session: u64,
    journal: Journal<Numbered>,
    pub(super) dice: Dice,
    /// Whether the last call failed.
    discouraged: AtomicBool,
}

impl Caller {
    pub(super) fn new(
        world: &Arc<World>,
        client: &Arc<Client>,
        session: u64,
        journal: &Journal<Numbered>,
        dice: Dice,
    ) -> Self {
        let (world, client) = (Arc::clone(world), Arc::clone(client));
        let discouraged = AtomicBool::new(false);
        Self { world, client, session, journal: journal.clone(), dice, discouraged }
    }

    pub(super) fn world(&self) -> &Arc<World> {
        &self.world
    }

    pub(super) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    pub(super) async fn pause(&self, time: Duration) {
        self.client.host.env().sleep(time).await;
    }

    /// After a call that failed, waits a little: who is in trouble does not ask
    /// again at once.
    pub(super) async fn recover(&mut self) {
        if self.discouraged.swap(false, Ordering::Relaxed) {
            let pause = self.dice.time(Duration::from_millis(20), Duration::from_secs(3));
            self.pause(pause).await;
        }
    }

    /// A number that nobody else draws.
    pub(super) fn next_number(&mut self) -> u64 {
        self.dice.number()
    }

    /// A key that other clients do not use.
    pub(super) fn own_key(&self, what: &str) -> String {
        format!("{what} of {}", self.client.number)
    }

    pub(super) fn complain(&self, what: &str) {
        let detail = format!("{what} (client {})", self.client.number);
        self.world.ledger.broken(Broken::Stuck, detail);
    }

    fn fooled(&self, what: &str) {
        let detail = format!("{what} after the operator's deed (client {})", self.client.number);
        self.world.ledger.broken(Broken::Operator, detail);
    }

    /// After an operator's deed every client hears of it.
    pub(super) async fn hears_of_the_deed(&mut self, expected: &str) {
        loop {
            match self.journal.read(Freshness::Strong).await {
                Ok(_) => return self.fooled("a strong read was answered"),
                Err(error) if error.kind() == expected => return,
                Err(error) => self.world.judge_error("the last read", &error),
            }
            self.pause(Duration::from_millis(50)).await;
        }
    }

    /// Commits a command; whether it was.
    pub(super) async fn commit(&mut self, command: Command) -> bool {
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

    /// A call failed: what is open is to be settled.
    fn failed(&self, number: Option<u64>, error: &Error) {
        let (world, client) = (&self.world, self.client.number);
        let open = error.pending();
        let what = if open.is_some() { "does not know" } else { "has failed" };
        let at = world.scribe.note(client, what, number.unwrap_or(0), 0);
        world.scribe.remark(|| error.to_string());
        world.judge_error("a call", error);
        self.discouraged.store(true, Ordering::Relaxed);
        match (open, number) {
            (Some(_), Some(number)) => world.ledger.unknown(number, at),
            (None, Some(number)) => world.ledger.failed(number, at),
            _ => {}
        }
        if let Some(open) = open {
            let (commit, ordinal) = (open, error.ordinal().unwrap_or_default());
            self.client.leave_open(Pending { number, commit, ordinal });
        }
    }

    /// What became of a commit, as it is told.
    pub(super) async fn resolve(&mut self, commit: CommitId, fence: bool) -> Option<Resolution> {
        let (world, client) = (Arc::clone(&self.world), self.client.number);
        let begins = world.scribe.note(client, "asks what became of", commit.seq, 0);
        let asked = match fence {
            true => self.journal.resolve_or_fence(commit).await,
            false => self.journal.resolve(commit).await,
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

    pub(super) async fn read(&mut self, freshness: Freshness) -> Option<Snapshot<Numbered>> {
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
        let digest = digest(snapshot.state());
        world.ledger.read(self.session, (seq, Some(digest)), lags, (begins, at));
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
        if let Some(wrong) = Load::wrong(snapshot.state()) {
            world.ledger.broken(Broken::Invariant, format!("at {seq}: {wrong}"));
        }
        Some(snapshot)
    }

    pub(super) fn some_freshness(&mut self) -> Freshness {
        match self.dice.between(0, 3) {
            0 => Freshness::Cached,
            1 => {
                let most = self.dice.time(Duration::from_millis(1), Duration::from_secs(10));
                Freshness::MaxStaleness(most)
            }
            _ => Freshness::Strong,
        }
    }

    pub(super) async fn read_somehow(&mut self) {
        let freshness = self.some_freshness();
        self.read(freshness).await;
    }

    /// The state of some commit of the past.
    pub(super) async fn past(&mut self) {
        let newest = self.journal.seen().commit.seq;
        let seq = self.dice.between(1, newest);
        match self.journal.state_at(seq).await {
            Ok(state) => self.world.ledger.book().snapshots.push((seq, digest(&state))),
            Err(error) => self.failed(None, &error),
        }
        self.world.scribe.note(self.client.number, "has read the past", seq, 0);
    }

    /// The commits after some commit.
    pub(super) async fn log(&mut self) {
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

    pub(super) async fn fence(&mut self) {
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

    pub(super) async fn checkpoint(&mut self) {
        let (world, client) = (Arc::clone(&self.world), self.client.number);
        let begins = world.scribe.note(client, "writes a checkpoint", 0, 0);
        match self.journal.checkpoint().await {
            Ok(seq) => {
                let at = world.scribe.note(client, "has written a checkpoint", 0, seq);
                world.ledger.read(self.session, (seq, None), true, (begins, at));
            }
            Err(error) => self.failed(None, &error),
        }
    }

    /// How long the next call is waited for.
    fn patience(&mut self) -> Patience {
        if self.world.is_over() || !self.dice.chance(self.world.scenario.dropped) {
            return Patience::Endless;
        }
        match self.dice.chance(500) {
            true => Patience::Polls(self.dice.magnitude(1, 30)),
            false => {
                let most = self.client.plan.round_trip * 4;
                let time = self.dice.time(Duration::from_millis(1), most);
                Patience::Time(self.client.host.env(), time)
            }
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
