//! Additions to a few shared numbers and to one of the caller's own.

use ifmatch_journal::Freshness;
use ifmatch_journal::kv::Command;

use crate::sim::caller::Caller;

pub(super) async fn step(caller: &mut Caller) {
    match caller.dice.between(0, 9) {
        0 => drop(caller.read(Freshness::Strong).await),
        1 => caller.read_somehow().await,
        2 => {
            let (key, number) = (caller.own_key("own"), caller.next_number());
            caller.commit(Command::put(key, number.to_le_bytes().to_vec())).await;
        }
        _ => {
            let key = format!("sum {}", caller.dice.between(0, 3));
            let amount = i64::try_from(caller.dice.between(1, 1_000)).unwrap_or(1);
            caller.commit(Command::add(key, amount)).await;
        }
    }
}
