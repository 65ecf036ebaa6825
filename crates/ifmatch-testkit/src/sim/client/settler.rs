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
        if resolve(&mut caller, commit, fence).await.is_none() {
            client.postpone(commit);
            caller.pause(Duration::from_millis(20)).await;
        }
    }
}

/// Settles everything that is open, however often that takes; whether anything of
/// it was committed.
pub(super) async fn settle_all(caller: &mut Caller) -> bool {
    let mut committed = false;
    while let Some(commit) = caller.client().pending() {
        if let Some(resolution) = resolve(caller, commit, true).await {
            committed |= resolution == Resolution::Committed;
        } else {
            caller.client().postpone(commit);
            caller.pause(Duration::from_millis(20)).await;
        }
    }
    committed
}

/// Asks once; what became of the commit, where that is known now.
async fn resolve(caller: &mut Caller, commit: CommitId, fence: bool) -> Option<Resolution> {
    let resolution = caller.resolve(commit, fence).await?;
    match resolution {
        Resolution::Open if !fence => return None,
        Resolution::Committed | Resolution::Never => {}
        Resolution::Open => caller.complain("a fence left an outcome open"),
        _ => caller.complain("a journal that forgets nothing has forgotten a commit"),
    }
    caller.client().settled(commit);
    Some(resolution)
}
