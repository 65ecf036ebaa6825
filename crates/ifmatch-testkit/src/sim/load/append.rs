//! Unique numbers at the ends of lists: read, append, replace what was read.

use ifmatch_journal::kv::{Command, Pairs};

use crate::sim::caller::Caller;

const LISTS: u64 = 40;
/// A list that is full begins anew, under the next name.
const LONGEST: usize = 30;

pub(super) async fn step(caller: &mut Caller) {
    if caller.dice.chance(100) {
        caller.read_somehow().await;
        return;
    }
    let freshness = caller.some_freshness();
    let Some(read) = caller.read(freshness).await else { return };
    let list = caller.dice.between(0, LISTS - 1);
    let number = caller.next_number();
    for part in 0_u32.. {
        let key = format!("list {list} {part:04}");
        let command = match read.state().entry(&key) {
            None => Command::insert(key, number.to_le_bytes().to_vec()),
            Some(value) if value.bytes.len() >= LONGEST * 8 => continue,
            Some(value) => {
                let bytes = [&value.bytes[..], &number.to_le_bytes()].concat();
                Command::replace(key, bytes, value.version)
            }
        };
        caller.commit(command).await;
        return;
    }
}

/// A list that holds a number twice, if there is one.
pub(in crate::sim) fn doubled(state: &Pairs) -> Option<String> {
    let lists = state.iter().filter(|(key, _)| key.starts_with(b"list "));
    let mut numbers: Vec<_> = lists.flat_map(|(_, value)| value.bytes.chunks_exact(8)).collect();
    numbers.sort_unstable();
    let twice = numbers.windows(2).find(|pair| pair.first() == pair.last())?;
    let number = twice.first()?;
    Some(format!("the number {number:?} stands in the lists twice"))
}
