//! One life of a client: from opening the journal to the end, or the crash.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{self, BoxFuture, FutureExt};
use ifmatch_journal::{Freshness, Journal, Options};

use super::{Client, follower, settler};
use crate::sim::caller::Caller;
use crate::sim::dice::Dice;
use crate::sim::load::Load;
use crate::sim::machine::Numbered;
use crate::sim::world::World;
use ifmatch_journal::kv::Command;

/// Lives until the run is over and everything that was open is settled.
pub(super) async fn live(world: Arc<World>, client: Arc<Client>) {
    let mut handles: Vec<BoxFuture<'_, ()>> = Vec::new();
    for number in 0..client.plan.handles {
        handles.push(hold(&world, &client, client.dice(), number == 0).boxed());
    }
    future::join_all(handles).await;
}

/// Works with one handle. The first also follows, and settles what was open
/// before.
async fn hold(world: &Arc<World>, client: &Arc<Client>, mut dice: Dice, first: bool) {
    let Some(journal) = open(world, client, options(world, client)).await else { return };
    if world.deed().is_some() {
        // It never saw what an operator has destroyed.
        return;
    }
    let session = world.session();
    let seen = journal.seen();
    world.scribe.note(client.number, "has opened the journal", session, seen.commit.seq);
    client.saw(seen);
    let mut caller = || Caller::new(world, client, session, &journal, dice.fork());
    let mut parts: Vec<BoxFuture<'_, ()>> = Vec::new();
    for _ in 0..client.plan.callers.div_ceil(client.plan.handles) {
        parts.push(work(caller()).boxed());
    }
    if first && world.scenario.load == Load::Checkpointing && client.number <= 2 {
        parts.push(checkpoint(caller()).boxed());
    }
    if first {
        parts.push(settler::settle(caller()).boxed());
    }
    let mut last = caller();
    if first && client.plan.follows {
        parts.push(follower::follow(world, client, &journal, dice.fork()).boxed());
    }
    future::join_all(parts).await;
    if let Some(deed) = world.deed() {
        last.hears_of_the_deed(deed.kind.error()).await;
    } else {
        settler::settle_all(&mut last).await;
        last_words(&mut last).await;
    }
    world.ledger.add_totals(journal.totals());
}

/// Opens the journal, however often that takes.
pub(in crate::sim) async fn open(
    world: &World,
    client: &Client,
    options: Options,
) -> Option<Journal<Numbered>> {
    let env = client.host.env();
    for attempt in 1_u64.. {
        let link: Arc<dyn ifmatch_core::ConditionalBlobStore> = client.link.clone();
        let mut options = options.clone();
        options.seen = client.seen();
        match Box::pin(Journal::open(link, Numbered, options)).await {
            Ok(journal) => return Some(journal),
            Err(error) => {
                world.scribe.note(client.number, "cannot open the journal", attempt, 0);
                world.scribe.remark(|| error.to_string());
                world.judge_error("opening", &error);
                if world.deed().is_some() {
                    // Whether it tells so, `judge_error` has decided.
                    return None;
                }
            }
        }
        env.sleep(Duration::from_millis(100)).await;
    }
    None
}

pub(in crate::sim) fn options(world: &World, client: &Client) -> Options {
    let mut options = client.plan.options.clone().env(client.host.env()).writer(client.writer);
    options.create = world.scenario.created_in_storm;
    options
}

/// Calls, one after another.
async fn work(mut caller: Caller) {
    let think = caller.world().scenario.think;
    let load = caller.world().scenario.load;
    while !caller.world().is_over() {
        if !think.is_zero() && caller.dice.chance(300) {
            let pause = caller.dice.time(Duration::from_millis(1), think);
            caller.pause(pause).await;
        }
        load.step(&mut caller).await;
        caller.recover().await;
        caller.world().called();
    }
}

async fn checkpoint(mut caller: Caller) {
    while !caller.world().is_over() {
        caller.checkpoint().await;
        let pause = caller.dice.time(Duration::from_millis(1), Duration::from_millis(200));
        caller.pause(pause).await;
    }
}

/// All faults have ended: whoever tries again commits and reads. A call that is
/// shorter than its round trip ends before it can be answered; then what it did
/// can be found out.
async fn last_words(caller: &mut Caller) {
    while !caller.commit(Command::add("the end", 1)).await {
        if settler::settle_all(caller).await {
            break;
        }
        caller.pause(Duration::from_millis(50)).await;
    }
    while caller.read(Freshness::Strong).await.is_none() {
        caller.pause(Duration::from_millis(50)).await;
    }
}
