//! What was told against what is true, once everything is quiet.

mod answers;
mod chain;
mod sums;
mod versions;

use std::sync::Arc;

use futures::TryStreamExt;
use ifmatch_journal::{CommitRecord, Error, Freshness, Journal, Options, Place, verify};

use super::ledger::digest;
use super::machine::Numbered;
use super::violation::{Broken, Violation};
use super::world::World;
use chain::Chain;

/// Everything that is wrong with a run.
pub(super) async fn audit(world: &World) -> Vec<Violation> {
    let mut found = Findings { seed: world.scenario.seed, violations: Vec::new() };
    if let Some(deed) = world.deed() {
        deed.check(world).await;
    }
    for (kind, detail) in world.ledger.book().broken.drain(..) {
        found.add(kind, detail);
    }
    let panics = world.panics.load(std::sync::atomic::Ordering::Relaxed);
    if panics > 0 {
        found.add(Broken::Panic, format!("{panics} tasks panicked"));
    }
    for nonce in world.tap.reused() {
        found.add(Broken::ReusedId, format!("the commit id {nonce} stood for two bodies"));
    }
    if let Some(deed) = world.deed() {
        let chain = Chain::replay(world, deed.records.clone(), &mut found);
        answers::check_all(world, &chain, &mut found);
    } else if let Err(error) = examine(world, &mut found).await {
        found.add(Broken::Damage, format!("a new reader fails: {error}"));
    }
    found.violations
}

/// The violations of one seed.
#[derive(Debug)]
pub(super) struct Findings {
    seed: u64,
    violations: Vec<Violation>,
}

impl Findings {
    fn add(&mut self, kind: Broken, detail: String) {
        self.violations.push(Violation { seed: self.seed, kind, detail });
    }
}

/// Reads the truth by a reader of its own, on the store without faults.
async fn examine(world: &World, found: &mut Findings) -> Result<(), Error> {
    let store: Arc<dyn ifmatch_core::ConditionalBlobStore> = Arc::new(world.tap.clone());
    let options = Options::open().env(world.env.clone());
    let reader = Journal::open(Arc::clone(&store), Numbered, options).await?;
    let records: Vec<CommitRecord> = reader.log(0).try_collect().await?;
    let newest = reader.read(Freshness::Strong).await?;
    let written = world.tap.newest();
    if written != newest.seq() {
        let detail = format!("the head was written {written} times, for {} commits", newest.seq());
        found.add(Broken::Chain, detail);
    }
    let chain = Chain::replay(world, records, found);
    let seen = (newest.seq(), digest(newest.state()));
    if chain.digest_at(seen.0) != Some(seen.1) {
        let detail = format!("a new reader's state at {} is not that of the log", seen.0);
        found.add(Broken::WrongSnapshot, detail);
    }
    let mut dice = super::dice::Dice::of(world.scenario.seed, u64::MAX);
    for _ in 0..3 {
        let seq = dice.between(1, newest.seq());
        let state = reader.state_at(seq).await?;
        if chain.digest_at(seq) != Some(digest(&state)) {
            let detail = format!("the state at {seq} is not that of the log");
            found.add(Broken::WrongSnapshot, detail);
        }
    }
    if let Some(wrong) = world.scenario.load.wrong_in_the_end(newest.state()) {
        found.add(Broken::Invariant, format!("in the end: {wrong}"));
    }
    sums::check_all(world, newest.state(), found);
    answers::check_all(world, &chain, found);
    let verified = verify(store, Place::single()?).await?;
    for damaged in verified.damaged {
        found.add(Broken::Damage, format!("{}: {}", damaged.key, damaged.detail));
    }
    Ok(())
}
