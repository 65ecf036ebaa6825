//! Finding out what became of commits whose outcome is unknown.

use std::time::Duration;

use ifmatch_journal::{CommitId, Resolution};

use crate::sim::caller::Caller;

/// Settles what is open, in its own time, until the run is over.
pub(super) async fn settle(mut caller: Caller) {
    let client = caller.client().clone();
    while !caller.world().is_over() {
        let Some(commit) = client.pending() else {
            let world = caller.world().clone();
            tokio::select! {
                biased;
                () = world.ending() => {}
                () = client.noticed.notified() => {}
            }
            continue;
        };
        if caller.dice.chance(200) {
            let pause = caller.dice.time(Duration::from_millis(1), Duration::from_secs(20));
            caller.pause(pause).await;
        }
        let fence = caller.dice.chance(300);
        if !resolve(&mut caller, commit, fence).await {
            client.postpone(commit);
            caller.pause(Duration::from_millis(20)).await;
        }
    }
}

/// Settles everything that is open, however often that takes.
pub(super) async fn settle_all(mut caller: Caller) {
    while let Some(commit) = caller.client().pending() {
        if !resolve(&mut caller, commit, true).await {
            caller.client().postpone(commit);
            caller.pause(Duration::from_millis(20)).await;
        }
    }
}

/// Asks once; whether the outcome is known now.
async fn resolve(caller: &mut Caller, commit: CommitId, fence: bool) -> bool {
    match caller.resolve(commit, fence).await {
        None => return false,
        Some(Resolution::Open) if !fence => return false,
        Some(Resolution::Committed | Resolution::Never) => {}
        Some(Resolution::Open) => caller.complain("a fence left an outcome open"),
        Some(_) => caller.complain("a journal that forgets nothing has forgotten a commit"),
    }
    caller.client().settled(commit);
    true
}
