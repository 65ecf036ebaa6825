//! Money that moves between the accounts of a bank: one value holds them all, and
//! their sum stands in every snapshot.

use ifmatch_journal::kv::{Command, Pairs};

use crate::sim::caller::Caller;

const BANKS: u64 = 40;
const ACCOUNTS: usize = 8;
const START: i64 = 1_000;

pub(super) async fn step(caller: &mut Caller) {
    if caller.dice.chance(100) {
        caller.read_somehow().await;
        return;
    }
    let key = format!("bank {}", caller.dice.between(0, BANKS - 1));
    let freshness = caller.some_freshness();
    let Some(read) = caller.read(freshness).await else { return };
    let command = match read.state().entry(&key) {
        None => Command::insert(key, write(&[START; ACCOUNTS], caller.next_number())),
        Some(value) => {
            let mut accounts = accounts(&value.bytes);
            let (from, to) = (caller.dice.below(ACCOUNTS), caller.dice.below(ACCOUNTS));
            let amount = i64::try_from(caller.dice.between(1, 100)).unwrap_or(1);
            if let Some(account) = accounts.get_mut(from) {
                *account -= amount;
            }
            if let Some(account) = accounts.get_mut(to) {
                *account += amount;
            }
            Command::replace(key, write(&accounts, caller.next_number()), value.version)
        }
    };
    caller.commit(command).await;
}

/// A bank whose sum is wrong, if there is one.
pub(in crate::sim) fn wrong_bank(state: &Pairs) -> Option<String> {
    let banks = state.iter().filter(|(key, _)| key.starts_with(b"bank "));
    let wanted = START * i64::try_from(ACCOUNTS).unwrap_or_default();
    for (key, value) in banks {
        let sum: i64 = accounts(&value.bytes).iter().sum();
        if sum != wanted {
            let key = String::from_utf8_lossy(key);
            return Some(format!("{key} holds {sum}, not {wanted}"));
        }
    }
    None
}

fn write(accounts: &[i64], number: u64) -> Vec<u8> {
    let numbers = accounts.iter().flat_map(|account| account.to_le_bytes());
    numbers.chain(number.to_le_bytes()).collect()
}

fn accounts(bytes: &[u8]) -> Vec<i64> {
    let numbers = bytes.chunks_exact(8).take(ACCOUNTS);
    numbers.map(|number| number.try_into().map_or(0, i64::from_le_bytes)).collect()
}
