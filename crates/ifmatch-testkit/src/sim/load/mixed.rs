//! Everything that a journal can be asked, on few keys.

use ifmatch_journal::Freshness;
use ifmatch_journal::kv::{Command, Expected, Pairs};

use crate::sim::caller::Caller;

const KEYS: u64 = 60;

pub(super) async fn step(caller: &mut Caller) {
    match caller.dice.between(0, 99) {
        0..=39 => {
            let command = blind(caller);
            caller.commit(command).await;
        }
        40..=64 => {
            let freshness = caller.some_freshness();
            let Some(read) = caller.read(freshness).await else { return };
            let command = informed(caller, read.state());
            caller.commit(command).await;
        }
        65..=74 => drop(caller.read(Freshness::Strong).await),
        75..=89 => caller.read_somehow().await,
        90..=93 => caller.past().await,
        94..=96 => caller.log().await,
        97..=98 => caller.fence().await,
        _ => caller.checkpoint().await,
    }
}

/// A command by somebody who has not looked.
fn blind(caller: &mut Caller) -> Command {
    let key = key(caller);
    match caller.dice.between(0, 9) {
        0..=2 => Command::put(key, value(caller)),
        3..=5 => Command::insert(key, value(caller)),
        6..=7 => {
            let amount = i64::try_from(caller.dice.between(1, 50)).unwrap_or(1);
            Command::add(format!("sum {}", caller.dice.between(0, 3)), amount)
        }
        _ => Command::remove(key),
    }
}

/// A command that depends on what was read.
fn informed(caller: &mut Caller, state: &Pairs) -> Command {
    let key = key(caller);
    let Some(version) = state.entry(&key).map(|there| there.version) else {
        return Command::insert(key, value(caller));
    };
    match caller.dice.between(0, 3) {
        0 => Command::Remove { key: key.into(), expected: Expected::Version(version) },
        _ => Command::replace(key, value(caller), version),
    }
}

fn key(caller: &mut Caller) -> String {
    format!("key {}", caller.dice.between(0, KEYS - 1))
}

/// A value that no other command writes, of any length.
fn value(caller: &mut Caller) -> Vec<u8> {
    let mut value = caller.next_number().to_le_bytes().to_vec();
    for _ in 0..caller.dice.magnitude(1, 30) {
        value.extend(caller.dice.number().to_le_bytes());
    }
    value
}
