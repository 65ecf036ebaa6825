//! Clause 14: the feed, followed.

use std::time::Duration;

use futures::StreamExt as _;
use futures::future::{Either, select};
use ifmatch_meta::{Change, ChangePage, watch};

use crate::suite::Failure;
use crate::suite::meta::trial::{Checked, Trial};
use crate::suite::meta::words::{P, Words, key, number, scope, shape};

pub(crate) async fn a_watcher_holds_nobody_up_and_hears_what_came_while_it_slept(
    on: Trial,
) -> Checked {
    let (store, pace) = (on.store(), Duration::from_millis(100));
    store.create(&key("a")?, number(1)?).await?;
    let mut pages = watch(&**store, scope(P)?, None, pace);
    let told = |next: Option<ifmatch_meta::Result<ChangePage>>| -> Checked<Vec<Change>> {
        let told = next.ok_or_else(|| Failure::new("a watch that ends by itself"))?;
        Ok(told?.changes)
    };
    check_eq!(shape(&told(pages.next().await)?).len(), 1, "what is there at first");
    let mut next = pages.next();
    let idle = Box::pin(store.env().sleep(pace * 4));
    let Either::Right(_) = select(&mut next, idle).await else {
        return Err(Failure::new("a watch tells something where nothing has changed"));
    };
    // It is not even looked after while others write.
    let mut etag = store.create(&key("b")?, number(0)?).await?.etag;
    for n in 1..4 {
        etag = store.replace(&key("b")?, number(n)?, etag).await?.etag;
    }
    store.delete_(&key("a")?).await?;
    let mut seen = shape(&told(next.await)?);
    while seen.len() < 2 {
        seen.extend(shape(&told(pages.next().await)?));
    }
    check_eq!(seen, [("b".to_owned(), Some(etag)), ("a".to_owned(), None)], "what it is told");
    Ok(())
}
