//! What happens to a client: crashes, pauses, clocks that jump.

use std::sync::Arc;
use std::time::Duration;

use ifmatch_core::Background;

use super::{Client, life};
use crate::sim::dice::Dice;
use crate::sim::world::World;

const INSTANT: Duration = Duration::from_millis(1);
/// A client that has suffered so much is left alone.
const MOST: u32 = 12;

/// One mishap.
#[derive(Clone, Copy, Debug)]
enum Mishap {
    Crash,
    Pause,
    CrashWhilePaused,
    Jump,
}

/// Leads a client through its lives, until the last has ended by itself.
pub(in crate::sim) async fn fate(world: Arc<World>, client: Arc<Client>) {
    let mut dice = client.dice();
    let mut life = begin(&world, &client);
    if let Some(longest) = world.scenario.mishaps {
        for _ in 0..MOST {
            let calm = dice.time(longest / 30, longest);
            if !wait(&world, calm).await {
                break;
            }
            life = suffer(&world, &client, life, &mut dice).await;
        }
    }
    world.ending().await;
    life.finished().await;
}

fn begin(world: &Arc<World>, client: &Arc<Client>) -> Background {
    let life = life::live(Arc::clone(world), Arc::clone(client));
    client.host.env().spawn("a life of a client", life)
}

/// Whether the run still goes on after this time.
async fn wait(world: &World, time: Duration) -> bool {
    tokio::select! {
        biased;
        () = world.ending() => false,
        () = world.env.sleep(time) => true,
    }
}

async fn suffer(
    world: &Arc<World>,
    client: &Arc<Client>,
    life: Background,
    dice: &mut Dice,
) -> Background {
    let mishaps = [
        (40, Mishap::Crash),
        (35, Mishap::Pause),
        (10, Mishap::CrashWhilePaused),
        (15, Mishap::Jump),
    ];
    let mishap = dice.weighted(&mishaps, Mishap::Crash);
    if let Mishap::Jump = mishap {
        jump(world, client, dice);
        return life;
    }
    if let Mishap::Pause | Mishap::CrashWhilePaused = mishap {
        world.ledger.count(|counts| counts.pauses += 1);
        world.scribe.note(client.number, "is paused", 0, 0);
        client.host.pause(client.plan.suspends);
        let most = if dice.chance(200) { 3 * 3600 } else { 20 };
        let pause = dice.time(INSTANT, Duration::from_secs(most));
        wait(world, pause).await;
    }
    let survives = matches!(mishap, Mishap::Pause);
    let life = if survives { Some(life) } else { None };
    if !survives {
        world.ledger.count(|counts| counts.crashes += 1);
        world.scribe.note(client.number, "crashes", 0, 0);
    }
    world.scribe.note(client.number, "goes on", 0, 0);
    client.host.resume();
    if let Some(life) = life {
        return life;
    }
    // Whatever ran is dropped now, at whatever it was waiting for.
    tokio::task::yield_now().await;
    let down = dice.time(INSTANT, Duration::from_secs(10));
    wait(world, down).await;
    begin(world, client)
}

/// A host that is suspended relies on a wall clock that never goes back.
fn jump(world: &World, client: &Client, dice: &mut Dice) {
    let micros = i64::try_from(dice.magnitude(1_000, 7_200_000_000)).unwrap_or(1_000);
    let back = !client.plan.suspends && dice.chance(500);
    world.ledger.count(|counts| counts.jumps += 1);
    world.scribe.note(
        client.number,
        "has its wall clock moved",
        micros.unsigned_abs(),
        back.into(),
    );
    client.host.jump(if back { -micros } else { micros });
}
