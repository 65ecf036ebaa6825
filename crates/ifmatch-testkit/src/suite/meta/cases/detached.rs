//! Clause 15: what is left in the store for another process.

use std::sync::Arc;

use ifmatch_meta::DocPrecondition::{IfExists, Overwrite};
use ifmatch_meta::{Json, MetaStore, Transaction};

use super::locks::tx;
use super::transactions::{begin, options};
use crate::suite::meta::trial::{Checked, Trial, transactions};
use crate::suite::meta::words::{Words, key, number};

pub(crate) async fn t18_what_many_detaches_leave_has_a_limit(on: Trial) -> Checked {
    let (store, backend, name) = (on.store(), transactions(on.store())?, tx("mine")?);
    let large = |n: u8| Json::of(&format!("{n}{}", "x".repeat(400)));
    let first = begin(store, options().id(name.clone()).staged(1_000)).await?;
    let mut pieces = 0;
    for n in 0..20 {
        first.put(&key("a")?, large(n % 10)?, Overwrite).await?;
        match first.detach().await {
            Ok(_) => pieces += 1,
            Err(error) => {
                check_eq!(error.kind(), "too_large", "the error: {error}");
                break;
            }
        }
    }
    check!((2..=5).contains(&pieces), "{pieces} pieces of 400 bytes where 1,000 may be staged");
    let found = backend.find(&name).await?;
    check_eq!(found.map(|found| found.staged), Some(pieces), "how many pieces there are");
    // It is alive, and so is whoever goes on with what was left.
    first.put(&key("b")?, number(1)?, Overwrite).await?;
    first.detach().await.map(drop).or_else(|error| match error.kind() {
        "too_large" => Ok(()),
        _ => Err(error),
    })?;
    let second = resumed(store, &first).await?;
    second.delete(&key("a")?, IfExists).await?;
    second.put(&key("c")?, number(1)?, Overwrite).await?;
    second.commit().await?;
    store.is_absent(&key("a")?).await?;
    store.holds(&key("c")?, &number(1)?).await
}

async fn resumed(store: &Arc<dyn MetaStore>, of: &Transaction) -> Checked<Transaction> {
    Ok(Transaction::resume_with(store.clone(), of.id(), options().staged(1_000)).await?)
}
