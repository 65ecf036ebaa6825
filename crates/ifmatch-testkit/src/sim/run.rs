//! One seed, from its first request to its last check.

use std::sync::Arc;
use std::time::Duration;

use ifmatch_core::Background;
use ifmatch_journal::kv::Command;
use ifmatch_journal::{Journal, Options};

use super::audit::audit;
use super::client::{Client, fate};
use super::dice::Dice;
use super::load::Load;
use super::machine::Numbered;
use super::operator::interfere;
use super::report::SeedReport;
use super::scenario::Scenario;
use super::violation::Broken;
use super::world::World;

/// No phase with faults takes longer.
const LONGEST: Duration = Duration::from_hours(6);
/// Once all faults have ended, everybody finishes within this time.
const ENDS_WITHIN: Duration = Duration::from_mins(15);

/// Runs the scenario of a seed; with the text of every event, if it is to be
/// traced.
///
/// # Determinism
/// The same seed gives the same report, in every process.
pub fn run_seed(seed: u64, trace: bool) -> SeedReport {
    run_scenario(Scenario::of(seed), trace)
}

pub(super) fn run_scenario(scenario: Scenario, trace: bool) -> SeedReport {
    let seed = scenario.seed;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    match runtime {
        Ok(runtime) => runtime.block_on(run(scenario, trace)),
        Err(error) => SeedReport::failed(seed, Broken::Error, format!("no runtime: {error}")),
    }
}

async fn run(scenario: Scenario, trace: bool) -> SeedReport {
    let world = World::new(scenario, trace);
    let mut dice = Dice::of(world.scenario.seed, u64::MAX - 1);
    world.scribe.remark(|| format!("{:#?}", world.scenario));
    if !world.scenario.created_in_storm {
        create(&world).await;
    }
    let plans = world.scenario.clients.iter().cloned().zip(1..);
    let clients: Vec<_> = plans.map(|(plan, number)| Client::new(number, plan, &world)).collect();
    let fates: Vec<_> = clients.iter().map(|client| begin(&world, client)).collect();
    if world.scenario.load == Load::Operator {
        interfere(&world, &clients, &mut dice).await;
    }
    tokio::select! {
        biased;
        () = world.ending() => {}
        () = world.env.sleep(LONGEST) => world.end(),
    }
    quiet(&world, &mut dice).await;
    let ended = world.env.now() + ENDS_WITHIN;
    for (life, client) in fates.into_iter().zip(&clients) {
        finish(&world, client, life, ended).await;
    }
    // What is still under way lands now, or never: it must change nothing.
    let landed = if dice.chance(800) { world.store.deliver_delayed().await } else { 0 };
    world.scribe.note(0, "what was under way has landed", landed as u64, 0);
    let violations = audit(&world).await;
    SeedReport::of(&world, violations)
}

/// The journal is there before anything happens.
async fn create(world: &World) {
    if let Err(error) = found(world).await {
        world.ledger.broken(Broken::Error, format!("creating the journal: {error}"));
    }
}

async fn found(world: &World) -> Result<(), Box<dyn std::error::Error>> {
    let store = Arc::new(world.tap.clone());
    let options = Options::create().env(world.env.clone());
    let journal = Journal::open(store, Numbered, options).await?;
    let (session, mut value) = (world.session(), vec![0; 512]);
    for number in 0..world.scenario.ballast {
        world.env.fill_random(&mut value);
        let command = Command::put(format!("ballast {number}"), value.clone());
        let job = world.ledger.begin(session, command, world.scribe.moment());
        let number = job.number;
        let committed = journal.commit(job).await?;
        world.ledger.committed(number, committed, false, world.scribe.moment());
    }
    journal.checkpoint().await?;
    Ok(())
}

fn begin(world: &Arc<World>, client: &Arc<Client>) -> Background {
    world.env.spawn("the fate of a client", fate(Arc::clone(world), Arc::clone(client)))
}

/// The faults end.
async fn quiet(world: &World, dice: &mut Dice) {
    world.scribe.note(0, "the faults end", 0, 0);
    world.store.set_quiet(true);
    match dice.between(0, 2) {
        0 => drop(world.store.deliver_delayed().await),
        1 => drop(world.store.lose_delayed()),
        _ => {}
    }
}

async fn finish(world: &World, client: &Client, life: Background, ended: Duration) {
    let left = ended.saturating_sub(world.env.now());
    tokio::select! {
        biased;
        () = life.finished() => {}
        () = world.env.sleep(left) => {
            let detail = format!(
                "client {} has not finished {ENDS_WITHIN:?} after the last fault",
                client.number
            );
            world.ledger.broken(Broken::Stuck, detail);
        }
    }
    if world.deed().is_some() {
        return;
    }
    for pending in client.all_pending() {
        let detail = format!("client {} never found out about {}", client.number, pending.commit);
        world.ledger.broken(Broken::Unresolved, detail);
    }
}
