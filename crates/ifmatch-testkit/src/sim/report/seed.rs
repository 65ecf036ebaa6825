//! What one seed says.

use crate::fault::FaultCoverage;
use crate::sim::violation::{Broken, Violation};
use crate::sim::world::World;

/// What happened under one seed.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SeedReport {
    /// The seed.
    pub seed: u64,
    /// What it was about.
    pub load: &'static str,
    /// Commands that were acknowledged to those who asked for them.
    pub commits: u64,
    /// Of these, the ones that met another writer on their way.
    pub contended: u64,
    /// Requests to write the head that arrived.
    pub head_puts: u64,
    /// Bodies that another writer came before, of handles that lived to the end.
    pub lost_races: u64,
    /// Commands that were rejected.
    pub rejections: u64,
    /// Calls that were told that their outcome is unknown.
    pub unknowns: u64,
    /// Outcomes that were found out later.
    pub resolved: u64,
    /// Calls that were dropped before their answer.
    pub dropped: u64,
    /// Reads that were answered.
    pub reads: u64,
    /// Clients that crashed.
    pub crashes: u64,
    /// Clients that stood still for a while.
    pub pauses: u64,
    /// Checkpoints that were committed, by handles that lived to the end.
    pub checkpoints: u64,
    /// Merges of segments, likewise.
    pub merges: u64,
    /// Commits of the journal.
    pub length: u64,
    /// How much time passed in the simulated world, in seconds.
    pub virtual_seconds: f64,
    /// What went wrong on purpose.
    pub faults: FaultCoverage,
    /// What is wrong.
    pub violations: Vec<Violation>,
    /// Whether it was run twice.
    pub twice: bool,
    /// The hash of every event.
    pub trace_hash: u64,
    /// Every event as text, if it was asked for.
    pub trace: Vec<String>,
}

impl SeedReport {
    pub(in crate::sim) fn of(world: &World, violations: Vec<Violation>) -> Self {
        let counts = world.ledger.book().counts;
        Self {
            seed: world.scenario.seed,
            load: world.scenario.load.as_str(),
            commits: counts.committed,
            contended: counts.contended,
            head_puts: world.tap.arrived(),
            lost_races: counts.lost_races,
            rejections: counts.rejected,
            unknowns: counts.unknown,
            resolved: counts.resolved,
            dropped: counts.dropped,
            reads: counts.reads,
            crashes: counts.crashes,
            pauses: counts.pauses,
            checkpoints: counts.checkpoints,
            merges: counts.merges,
            length: world.tap.newest(),
            virtual_seconds: world.env.now().as_secs_f64(),
            faults: world.store.coverage(),
            violations,
            twice: false,
            trace_hash: world.scribe.hash(),
            trace: world.scribe.take_text(),
        }
    }

    pub(in crate::sim) fn failed(seed: u64, kind: Broken, detail: String) -> Self {
        let violations = vec![Violation { seed, kind, detail }];
        Self { seed, violations, ..Self::default() }
    }
}
