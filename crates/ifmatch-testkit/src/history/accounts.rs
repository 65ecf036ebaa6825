//! Tasks that move money between accounts.

use std::sync::Arc;

use ifmatch_meta::{
    DocId, DocKey, DocPrecondition, Json, MetaStore, Op, Partition, Query, ScanOptions, Scope,
};
use serde_json::json;

use crate::suite::Failure;

const ACCOUNTS: u64 = 5;
const START: u64 = 100;

/// How transfers ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Transfers {
    /// Both accounts were written.
    pub applied: u64,
    /// Somebody else wrote one of them.
    pub conflicts: u64,
    /// Whether it was applied is not known.
    pub unknown: u64,
    /// Pages in which a reader counted the money.
    pub read: u64,
}

/// `tasks` move money `each` times from one account to another, both in one
/// batch at the tags that were read and while the bank is open (a check), while
/// a reader counts the money in scans and queries.
///
/// # Errors
/// A page in which money was lost or made, or an error that is neither a
/// conflict nor an unknown outcome.
pub async fn transfer(
    store: &Arc<dyn MetaStore>,
    partition: &Partition,
    seed: u64,
    tasks: u64,
    each: u64,
) -> Result<Transfers, Failure> {
    let mut ops = Vec::new();
    for account in 0..ACCOUNTS {
        ops.push(Op::put(id(account)?, holding(START)?, DocPrecondition::IfAbsent));
    }
    let bank = DocId::new("bank")?;
    let open = Json::of(&json!({ "open": true }))?;
    ops.push(Op::put(bank, open, DocPrecondition::IfAbsent));
    store.batch(partition, ops).await?;
    let running: Vec<_> = (0..tasks)
        .map(|task| {
            let random = fastrand::Rng::with_seed(seed ^ (task + 1).wrapping_mul(0x9e37_79b9));
            tokio::spawn(run(store.clone(), partition.clone(), random, each))
        })
        .collect();
    let mut all = Transfers::default();
    while !running.iter().all(tokio::task::JoinHandle::is_finished) {
        audit(&**store, partition).await?;
        all.read += 2;
        tokio::task::yield_now().await;
    }
    for task in running {
        let one = task.await??;
        all.applied += one.applied;
        all.conflicts += one.conflicts;
        all.unknown += one.unknown;
    }
    audit(&**store, partition).await?;
    if all.applied == 0 {
        return Err(Failure::new("no transfer came through"));
    }
    Ok(all)
}

fn id(account: u64) -> Result<DocId, Failure> {
    Ok(DocId::new(format!("account{account}"))?)
}

fn holding(money: u64) -> Result<Json, Failure> {
    Ok(Json::of(&json!({ "money": money }))?)
}

fn money(body: &Json) -> Result<u64, Failure> {
    let money = body.value()?["money"].as_u64();
    money.ok_or_else(|| Failure::new(format!("no money in {body}")))
}

async fn audit(store: &dyn MetaStore, partition: &Partition) -> Result<(), Failure> {
    let scan = ScanOptions::default().prefix("account");
    let scanned = store.scan(partition, scan).await?.documents;
    let scope = Scope::Partition(partition.clone());
    let queried = store.query(&scope, &Query::default()).await?.documents;
    for (what, documents) in [("a scan", scanned), ("a query", queried)] {
        let mut sum = 0;
        for found in documents.iter().filter(|found| found.key.id.as_str() != "bank") {
            sum += money(&found.body)?;
        }
        if sum != ACCOUNTS * START {
            return Err(Failure::new(format!("{what} counts {sum} of {}", ACCOUNTS * START)));
        }
    }
    Ok(())
}

async fn run(
    store: Arc<dyn MetaStore>,
    partition: Partition,
    mut random: fastrand::Rng,
    each: u64,
) -> Result<Transfers, Failure> {
    let mut ended = Transfers::default();
    while ended.applied + ended.unknown < each {
        let from = random.u64(..ACCOUNTS);
        let to = (from + random.u64(1..ACCOUNTS)) % ACCOUNTS;
        let mut ops =
            vec![Op::check(DocId::new("bank")?, DocPrecondition::field_equals("/open", true))];
        let (mut amount, share) = (0, random.u64(1..=5));
        for account in [from, to] {
            let key = DocKey { partition: partition.clone(), id: id(account)? };
            let found = store.get(&key).await?.ok_or_else(|| Failure::new("a lost account"))?;
            let there = money(&found.body)?;
            let left = if account == from {
                amount = there / share;
                there - amount
            } else {
                there + amount
            };
            ops.push(Op::put(key.id, holding(left)?, DocPrecondition::IfMatch(found.etag)));
        }
        // Others come in between, also where nothing waits.
        tokio::task::yield_now().await;
        match store.batch(&partition, ops).await {
            Ok(_) => ended.applied += 1,
            Err(error) if error.kind() == "conflict" => ended.conflicts += 1,
            Err(error) if error.kind() == "outcome_unknown" => ended.unknown += 1,
            Err(error) => return Err(Failure::from(error).during("a transfer")),
        }
    }
    Ok(ended)
}
