//! A client: a process that opens the journal, works, dies and comes back.

mod fate;
mod follower;
mod life;
mod settler;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ifmatch_journal::{CommitId, Seen, WriterId};
use tokio::sync::Notify;

use super::dice::Dice;
use super::ledger::Pending;
use super::net::{Host, Link};
use super::scenario::ClientPlan;
use super::world::World;

pub(super) use fate::fate;

/// A client, and what it keeps over a restart.
#[derive(Debug)]
pub(super) struct Client {
    /// From 1.
    pub(super) number: u64,
    pub(super) plan: ClientPlan,
    pub(super) host: Arc<Host>,
    pub(super) link: Arc<Link>,
    writer: WriterId,
    disk: Mutex<Disk>,
    /// Something became pending.
    noticed: Notify,
}

#[derive(Debug)]
struct Disk {
    dice: Dice,
    seen: Option<Seen>,
    /// Outcomes that are still to be found out.
    pending: Vec<Pending>,
    /// The last commit that the follower handed out.
    followed: u64,
}

impl Client {
    pub(super) fn new(number: u64, plan: ClientPlan, world: &World) -> Arc<Self> {
        let mut dice = Dice::of(world.scenario.seed, number);
        let host = Host::seeded(dice.number(), Arc::clone(&world.panics));
        let (store, scribe) = (world.store.clone(), Arc::clone(&world.scribe));
        let link = Link::new(number, &host, store, scribe, plan.round_trip, dice.fork());
        let writer = WriterId::random(&host.env());
        let disk = Disk { dice, seen: None, pending: Vec::new(), followed: 0 };
        let (link, disk, noticed) = (Arc::new(link), Mutex::new(disk), Notify::new());
        Arc::new(Self { number, plan, host, link, writer, disk, noticed })
    }

    /// Dice for one life, or one part of it.
    pub(super) fn dice(&self) -> Dice {
        self.disk().dice.fork()
    }

    pub(super) fn saw(&self, seen: Seen) {
        let mut disk = self.disk();
        if disk.seen.is_none_or(|before| before.commit.seq <= seen.commit.seq) {
            disk.seen = Some(seen);
        }
    }

    pub(super) fn seen(&self) -> Option<Seen> {
        self.disk().seen
    }

    /// Notes an open outcome, before anything else is done.
    pub(super) fn leave_open(&self, pending: Pending) {
        self.disk().pending.push(pending);
        self.noticed.notify_one();
    }

    /// A commit whose outcome is open, if there is one.
    fn pending(&self) -> Option<CommitId> {
        self.disk().pending.first().map(|pending| pending.commit)
    }

    /// What waits for the outcome of a commit.
    pub(super) fn pending_on(&self, commit: CommitId) -> Vec<Pending> {
        let mut pending = self.disk().pending.clone();
        pending.retain(|pending| pending.commit == commit);
        pending
    }

    /// What is still open.
    pub(super) fn all_pending(&self) -> Vec<Pending> {
        self.disk().pending.clone()
    }

    /// The outcome is known.
    fn settled(&self, commit: CommitId) {
        self.disk().pending.retain(|pending| pending.commit != commit);
    }

    /// Others first.
    fn postpone(&self, commit: CommitId) {
        self.disk().pending.sort_by_key(|pending| pending.commit == commit);
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
