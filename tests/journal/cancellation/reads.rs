//! Reads that are dropped: of the newest state, of the past, as streams, and of
//! everything there is.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use ifmatch_journal::{Freshness, Pace, Place, verify};

use super::poll::dropped_after;
use super::scene::Scene;
use crate::bench::add;

/// Behind by so many commits, and by a checkpoint.
async fn read_behind(behind: u64, checkpoint: bool, polls: usize) -> bool {
    let scene = Scene::new(&format!("read, {behind} behind"), polls).await;
    add(&scene.other, behind).await;
    if checkpoint {
        scene.other.checkpoint().await.unwrap();
    }
    let n = 40 + i64::try_from(behind).unwrap();
    let read = dropped_after(polls, scene.journal.read(Freshness::Strong)).await;
    let answered = read.is_some();
    // Whoever comes right after it is not held up, and is not told less.
    let next = scene.journal.read(Freshness::Strong).await;
    for snapshot in read.into_iter().chain([next]) {
        assert_eq!(snapshot.unwrap().state().number("n"), Some(n), "{}", scene.what);
    }
    assert_eq!(scene.check(n).await, 0);
    answered
}

pub(crate) async fn of_nothing_new(polls: usize) -> bool {
    read_behind(0, false, polls).await
}

pub(crate) async fn of_the_tail(polls: usize) -> bool {
    read_behind(2, false, polls).await
}

pub(crate) async fn of_segments(polls: usize) -> bool {
    read_behind(20, false, polls).await
}

pub(crate) async fn of_a_checkpoint(polls: usize) -> bool {
    read_behind(20, true, polls).await
}

/// Callers that share a look are not disturbed by one that is dropped.
pub(crate) async fn shared(polls: usize) -> bool {
    let scene = Scene::new("a shared read", polls).await;
    add(&scene.other, 5).await;
    let others = (0..3).map(|_| scene.journal.read(Freshness::Strong));
    let mine = dropped_after(polls, scene.journal.read(Freshness::Strong));
    let (mine, others) = futures::join!(mine, futures::future::join_all(others));
    let answered = mine.is_some();
    for snapshot in mine.into_iter().chain(others) {
        assert_eq!(snapshot.unwrap().state().number("n"), Some(45), "{}", scene.what);
    }
    assert_eq!(scene.check(45).await, 0);
    answered
}

pub(crate) async fn state_at(polls: usize) -> bool {
    let scene = Scene::new("state_at", polls).await;
    let state = dropped_after(polls, scene.journal.state_at(25)).await;
    let answered = state.is_some();
    for state in state.into_iter().chain([scene.journal.state_at(25).await]) {
        assert_eq!(state.unwrap().number("n"), Some(24), "{}", scene.what);
    }
    assert_eq!(scene.check(40).await, 0);
    answered
}

pub(crate) async fn log(polls: usize) -> bool {
    let scene = Scene::new("log", polls).await;
    let all = || scene.journal.log(0).map_ok(|record| record.seq).try_collect::<Vec<_>>();
    let log = dropped_after(polls, all()).await;
    let answered = log.is_some();
    for log in log.into_iter().chain([all().await]) {
        assert_eq!(log.unwrap(), (1..=42).collect::<Vec<_>>(), "{}", scene.what);
    }
    assert_eq!(scene.check(40).await, 0);
    answered
}

/// Dropped at each point on its way to a commit that comes later.
pub(crate) async fn follow(polls: usize) -> bool {
    let scene = Scene::new("follow", polls).await;
    let pace = Pace(Duration::from_millis(1));
    let follow = || {
        let heard = scene.journal.follow(30, pace).take(17);
        heard.map_ok(|record| record.seq).try_collect::<Vec<_>>()
    };
    let heard = async { (dropped_after(polls, follow()).await, follow().await) };
    let (later, (first, second)) = futures::join!(
        async {
            scene.bench.env.sleep(Duration::from_millis(3)).await;
            add(&scene.other, 5).await;
        },
        heard
    );
    let ((), answered) = (later, first.is_some());
    for heard in first.into_iter().chain([second]) {
        assert_eq!(heard.unwrap(), (31..=47).collect::<Vec<_>>(), "{}", scene.what);
    }
    assert_eq!(scene.check(45).await, 0);
    answered
}

pub(crate) async fn verified(polls: usize) -> bool {
    let scene = Scene::new("verify", polls).await;
    let place = || Place::single().unwrap();
    let verified = dropped_after(polls, verify(scene.store(), place())).await;
    let answered = verified.is_some();
    for verified in verified.into_iter().chain([verify(scene.store(), place()).await]) {
        let verified = verified.unwrap();
        assert_eq!((verified.seq, verified.first), (42, 1), "{}", scene.what);
        assert_eq!(verified.damaged, [], "{}", scene.what);
    }
    assert_eq!(scene.check(40).await, 0);
    answered
}
