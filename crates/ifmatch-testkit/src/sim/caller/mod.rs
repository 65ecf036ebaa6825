//! One caller of a client: what it asks, and how its answers are written down.

mod commits;
mod patience;
mod reads;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ifmatch_journal::{Error, Journal};

use super::client::Client;
use super::dice::Dice;
use super::ledger::Pending;
use super::machine::Numbered;
use super::violation::Broken;
use super::world::World;
use patience::Patience;

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

    /// How long the next call is waited for.
    fn patience(&mut self) -> Patience {
        if self.world.is_over() || !self.dice.chance(self.world.scenario.dropped) {
            return Patience::Endless;
        }
        if self.dice.chance(500) {
            return Patience::Polls(self.dice.magnitude(1, 30));
        }
        let most = self.client.plan.round_trip * 4;
        let time = self.dice.time(Duration::from_millis(1), most);
        Patience::Time(self.client.host.env(), time)
    }
}
