//! What everybody in a run shares.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use ifmatch_core::{Env, Simulation};
use ifmatch_journal::Error;
use tokio::sync::Notify;

use super::dice::scatter;
use super::ledger::Ledger;
use super::load::Load;
use super::net::Tap;
use super::operator::{Deed, DeedKind};
use super::scenario::Scenario;
use super::scribe::Scribe;
use super::violation::Broken;
use crate::fault::FaultStore;

/// One run.
#[derive(Debug)]
pub(super) struct World {
    pub(super) scenario: Scenario,
    pub(super) env: Env,
    pub(super) scribe: Arc<Scribe>,
    /// The store without its faults.
    pub(super) tap: Tap,
    pub(super) store: FaultStore,
    pub(super) ledger: Ledger,
    deed: OnceLock<Deed>,
    over: AtomicBool,
    ended: Notify,
    sessions: AtomicU64,
    calls: AtomicU64,
    pub(super) panics: Arc<AtomicU64>,
}

impl World {
    pub(super) fn new(scenario: Scenario, traced: bool) -> Arc<Self> {
        let env = Simulation::seeded(scatter(scenario.seed)).env();
        let scribe = Arc::new(Scribe::new(env.clone(), traced));
        let tap = Tap::new(env.clone(), Arc::clone(&scribe))
            .reading(scenario.wire)
            .keeping(scenario.load == Load::Operator);
        let store = FaultStore::new(Arc::new(tap.clone()), scenario.faults.clone());
        Arc::new(Self {
            scenario,
            env,
            scribe,
            tap,
            store,
            ledger: Ledger::default(),
            deed: OnceLock::new(),
            over: AtomicBool::new(false),
            ended: Notify::new(),
            sessions: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            panics: Arc::default(),
        })
    }

    /// Whether the faults have stopped and nothing new is begun.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
        self.ended.notify_waiters();
    }

    /// Waits for the end.
    pub(super) async fn ending(&self) {
        let ended = self.ended.notified();
        if !self.is_over() {
            ended.await;
        }
    }

    /// An operator has done this.
    pub(super) fn interfered(&self, deed: Deed) {
        // There is one operator, who acts once.
        let _ = self.deed.set(deed);
    }

    /// What an operator has done, if he has.
    pub(super) fn deed(&self) -> Option<&Deed> {
        self.deed.get()
    }

    /// A new session: a handle, from its opening until it is dropped.
    pub(super) fn session(&self) -> u64 {
        self.sessions.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A call was answered: enough is enough.
    pub(super) fn called(&self) {
        let calls = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let committed = self.ledger.book().counts.committed;
        let goes_on = self.deed().is_some();
        if committed >= self.scenario.commands || !goes_on && calls >= self.scenario.commands * 4 {
            self.end();
        }
    }

    /// Whether the faults of this run explain an error.
    pub(super) fn judge_error(&self, what: &str, error: &Error) {
        let deed = self.deed().map(|deed| deed.kind);
        let explained = match error.kind() {
            kind if deed.is_some_and(|deed| deed.error() == kind) => true,
            "unavailable" | "outcome_unknown" | "denied" => true,
            "corrupt" => self.scenario.damaged,
            // Who opens a journal that is not there any more.
            "not_found" if deed == Some(DeedKind::Deleted) => true,
            "not_found" | "remote_gone" | "remote_rewound" => self.scenario.stale,
            _ => false,
        };
        if !explained {
            self.ledger.broken(Broken::Error, format!("{what}: {error}"));
        }
    }
}
