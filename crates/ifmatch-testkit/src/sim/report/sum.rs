//! What a campaign says.

use std::fmt;

use serde::Serialize;

use super::seed::SeedReport;
use crate::fault::FaultCoverage;
use crate::sim::violation::{Broken, Violation};
use crate::sim::workload::Workload;

/// Violations that are kept in full.
const KEPT: usize = 20;
/// A campaign that long has met every fault that it draws.
const ENOUGH_SEEDS: u64 = 1_000;
/// So many commits in a hundred must have met another writer.
const CONTENDED: u64 = 10;

/// The sum of many seeds.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// What was simulated.
    pub workload: Workload,
    /// The first seed.
    pub base_seed: u64,
    /// How many were run.
    pub seeds: u64,
    /// How many of them twice.
    pub twice: u64,
    /// Commands that were acknowledged to those who asked for them.
    pub commits: u64,
    /// Of these, the ones that met another writer.
    pub contended: u64,
    /// Commits of the journals, each with one or more commands, or none.
    pub length: u64,
    /// Requests to write a head that arrived.
    pub head_puts: u64,
    /// Bodies that another writer came before.
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
    /// Time that passed in the simulated worlds.
    pub virtual_seconds: f64,
    /// Faults that happened.
    pub faults: FaultCoverage,
    /// Acknowledged commits that are not there.
    pub lost: u64,
    /// Commits that are there and must not be.
    pub phantom: u64,
    /// Commits that are there twice.
    pub doubled: u64,
    /// Reads that showed too little.
    pub stale: u64,
    /// Unknown outcomes that stayed unknown.
    pub unresolved: u64,
    /// All violations, those of other kinds too.
    pub violation_count: u64,
    /// The first of them.
    pub violations: Vec<Violation>,
    /// The smallest seed with a violation.
    pub seed_of_first_violation: Option<u64>,
    /// The traces of all seeds, in one number.
    pub trace_hash: u64,
    /// How long it took.
    pub seconds: f64,
    /// The CPU time of the process meanwhile, where it is known.
    pub cpu_seconds: Option<f64>,
}

impl Report {
    pub(in crate::sim) fn new(base_seed: u64, workload: Workload) -> Self {
        Self {
            workload,
            base_seed,
            seeds: 0,
            twice: 0,
            commits: 0,
            contended: 0,
            length: 0,
            head_puts: 0,
            lost_races: 0,
            rejections: 0,
            unknowns: 0,
            resolved: 0,
            dropped: 0,
            reads: 0,
            crashes: 0,
            pauses: 0,
            checkpoints: 0,
            merges: 0,
            virtual_seconds: 0.0,
            faults: FaultCoverage::default(),
            lost: 0,
            phantom: 0,
            doubled: 0,
            stale: 0,
            unresolved: 0,
            violation_count: 0,
            violations: Vec::new(),
            seed_of_first_violation: None,
            trace_hash: 0,
            seconds: 0.0,
            cpu_seconds: None,
        }
    }

    /// The share of the commits that met another writer.
    pub fn contended_share(&self) -> f64 {
        ratio(self.contended, self.commits)
    }

    /// Why the campaign proves nothing, or that something is broken; nothing if
    /// it passed.
    pub fn objections(&self) -> Vec<String> {
        let mut objections = Vec::new();
        if self.violation_count > 0 {
            objections.push(format!("{} promises were broken", self.violation_count));
        }
        let enough = self.seeds >= ENOUGH_SEEDS;
        if enough && (self.contended * 100 < self.commits * CONTENDED || self.commits == 0) {
            let share = self.contended_share() * 100.0;
            objections.push(format!(
                "only {share:.1} % of the commits met another writer; {CONTENDED} % are needed"
            ));
        }
        let missing = self.faults.missing();
        if enough && !missing.is_empty() {
            let cells: Vec<_> = missing
                .iter()
                .map(|(kind, operation)| format!("{kind} of a {operation}"))
                .collect();
            objections.push(format!("these faults never happened: {}", cells.join(", ")));
        }
        objections
    }

    /// Whether nothing is to be objected.
    pub fn is_passed(&self) -> bool {
        self.objections().is_empty()
    }

    pub(in crate::sim) fn add(&mut self, seed: SeedReport) {
        self.seeds += 1;
        self.twice += u64::from(seed.twice);
        self.commits += seed.commits;
        self.contended += seed.contended;
        self.length += seed.length;
        self.head_puts += seed.head_puts;
        self.lost_races += seed.lost_races;
        self.rejections += seed.rejections;
        self.unknowns += seed.unknowns;
        self.resolved += seed.resolved;
        self.dropped += seed.dropped;
        self.reads += seed.reads;
        self.crashes += seed.crashes;
        self.pauses += seed.pauses;
        self.checkpoints += seed.checkpoints;
        self.merges += seed.merges;
        self.virtual_seconds += seed.virtual_seconds;
        self.faults = std::mem::take(&mut self.faults).plus(&seed.faults);
        self.trace_hash ^= seed.trace_hash;
        for violation in &seed.violations {
            self.violation_count += 1;
            match violation.kind {
                Broken::Lost => self.lost += 1,
                Broken::Phantom => self.phantom += 1,
                Broken::Doubled => self.doubled += 1,
                Broken::Stale => self.stale += 1,
                Broken::Unresolved => self.unresolved += 1,
                _ => {}
            }
        }
        self.note(seed.violations);
    }

    pub(in crate::sim) fn join(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.twice += other.twice;
        self.commits += other.commits;
        self.contended += other.contended;
        self.length += other.length;
        self.head_puts += other.head_puts;
        self.lost_races += other.lost_races;
        self.rejections += other.rejections;
        self.unknowns += other.unknowns;
        self.resolved += other.resolved;
        self.dropped += other.dropped;
        self.reads += other.reads;
        self.crashes += other.crashes;
        self.pauses += other.pauses;
        self.checkpoints += other.checkpoints;
        self.merges += other.merges;
        self.virtual_seconds += other.virtual_seconds;
        self.faults = std::mem::take(&mut self.faults).plus(&other.faults);
        self.trace_hash ^= other.trace_hash;
        self.lost += other.lost;
        self.phantom += other.phantom;
        self.doubled += other.doubled;
        self.stale += other.stale;
        self.unresolved += other.unresolved;
        self.violation_count += other.violation_count;
        self.note(other.violations);
    }

    /// Keeps those of the smallest seeds.
    fn note(&mut self, violations: Vec<Violation>) {
        self.violations.extend(violations);
        self.violations.sort_by_key(|violation| violation.seed);
        self.violations.truncate(KEPT);
        self.seed_of_first_violation = self.violations.first().map(|violation| violation.seed);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.base_seed.wrapping_add(self.seeds.saturating_sub(1));
        writeln!(
            f,
            "{} seeds of {}, {} to {last}, {} of them twice; trace {:016x}",
            self.seeds, self.workload, self.base_seed, self.twice, self.trace_hash
        )?;
        writeln!(f, "{}", self.faults)?;
        writeln!(
            f,
            "{} commits, {:.1} % of them met another writer; {} rejected, {} unknown, {} dropped; \
             {} outcomes found out",
            self.commits,
            self.contended_share() * 100.0,
            self.rejections,
            self.unknowns,
            self.dropped,
            self.resolved
        )?;
        writeln!(
            f,
            "{} heads, {} puts of heads, {} races lost, {} checkpoints, {} merges; {} reads; \
             {} crashes, {} pauses; {:.0} simulated hours",
            self.length,
            self.head_puts,
            self.lost_races,
            self.checkpoints,
            self.merges,
            self.reads,
            self.crashes,
            self.pauses,
            self.virtual_seconds / 3600.0
        )?;
        write!(f, "{:.1} s", self.seconds)?;
        if let Some(cpu) = self.cpu_seconds.filter(|cpu| *cpu > 0.0) {
            #[expect(clippy::cast_precision_loss, reason = "a rate for the eye")]
            let rate = self.commits as f64 / cpu;
            write!(f, ", {cpu:.1} s of CPU time, {rate:.0} commits per CPU second")?;
        }
        writeln!(
            f,
            "\nlost {}, phantom {}, doubled {}, stale {}, unresolved {}, other {}",
            self.lost,
            self.phantom,
            self.doubled,
            self.stale,
            self.unresolved,
            self.violation_count
                - self.lost
                - self.phantom
                - self.doubled
                - self.stale
                - self.unresolved
        )?;
        for violation in &self.violations {
            writeln!(f, "  {violation}")?;
        }
        let objections = self.objections();
        match objections.first() {
            None => write!(f, "passed"),
            Some(_) => write!(f, "failed: {}", objections.join("; ")),
        }?;
        match self.seed_of_first_violation {
            Some(seed) => write!(f, "\nthe same again: ifmatch simulate --seed {seed} --trace"),
            None => Ok(()),
        }
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a share for the eye")]
    let ratio = part as f64 / whole.max(1) as f64;
    ratio
}
