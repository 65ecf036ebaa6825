//! Commits and fences that are dropped.

use futures::future::{join, join_all, join3};
use ifmatch_journal::Resolution;
use ifmatch_journal::kv::{Command, Reply};

use super::poll::dropped_after;
use super::scene::Scene;
use crate::bench::add;
use crate::meddler::Fault;

/// The addition whose call is dropped.
fn dropped() -> Command {
    Command::add("dropped", 1)
}

/// Checks a dropped addition; whether it was answered.
async fn checked(scene: &Scene, n: i64, answered: bool) -> bool {
    let committed = scene.check(n).await;
    assert!(!answered || committed == 1, "{}: what was acknowledged is there", scene.what);
    answered
}

pub(crate) async fn alone(polls: usize) -> bool {
    let scene = Scene::new("commit", polls).await;
    let answer = dropped_after(polls, scene.journal.commit(dropped())).await;
    checked(&scene, 40, answer.map(Result::unwrap).is_some()).await
}

/// Others ride in the same commit; all of them are answered, once.
pub(crate) async fn with_others(polls: usize) -> bool {
    let scene = Scene::new("commit with others", polls).await;
    let others = |count: usize| {
        let commits = (0..count).map(|_| scene.journal.commit(Command::add("n", 1)));
        async move {
            for answer in join_all(commits).await {
                assert!(matches!(answer.unwrap().reply, Reply::Sum(41..)));
            }
        }
    };
    let mine = dropped_after(polls, scene.journal.commit(dropped()));
    let ((), answer, ()) = join3(others(2), mine, others(3)).await;
    checked(&scene, 45, answer.map(Result::unwrap).is_some()).await
}

/// Another writer's commit came first: it rebases.
pub(crate) async fn after_another(polls: usize) -> bool {
    let scene = Scene::new("commit after another's", polls).await;
    add(&scene.other, 1).await;
    let answer = dropped_after(polls, scene.journal.commit(dropped())).await;
    checked(&scene, 41, answer.map(Result::unwrap).is_some()).await
}

/// It needs a segment of its own.
pub(crate) async fn with_a_segment(polls: usize) -> bool {
    let scene = Scene::new("commit with a segment", polls).await;
    let mut value = vec![0; 3_000];
    scene.bench.env.fill_random(&mut value);
    let large = scene.journal.commit(Command::put("large", value));
    let mine = scene.journal.commit(dropped());
    let both = dropped_after(polls, join(mine, large)).await;
    let answered = both.map(|(mine, large)| (mine.unwrap(), large.unwrap())).is_some();
    assert!(!answered || scene.journal.totals().object_puts > 0);
    checked(&scene, 40, answered).await
}

/// Nothing is to be written: the base is proven.
pub(crate) async fn rejected(polls: usize) -> bool {
    let scene = Scene::new("a rejected commit", polls).await;
    add(&scene.other, 1).await;
    let answer = dropped_after(polls, scene.journal.commit(Command::insert("n", "anything"))).await;
    assert_eq!(scene.check(41).await, 0);
    answer.is_some_and(|answer| {
        assert!(matches!(answer, Err(ifmatch_journal::CommitError::Rejected(_))), "{answer:?}");
        true
    })
}

/// The first write of the head is lost, or its answer, or it comes late.
pub(crate) async fn with_a_fault(fault: Fault, polls: usize) -> bool {
    let scene = Scene::new(&format!("commit, {fault:?}"), polls).await;
    scene.meddler.fault(fault);
    let answer = dropped_after(polls, scene.journal.commit(dropped())).await;
    if polls.is_multiple_of(2) {
        scene.meddler.deliver().await;
    }
    let answered = checked(&scene, 40, answer.map(Result::unwrap).is_some()).await;
    // Much later it is void.
    assert_ne!(scene.meddler.deliver().await, Some(true), "{}", scene.what);
    answered
}

/// Nothing is dropped; what nobody was told of arrives at this moment.
pub(crate) async fn with_a_late_arrival(polls: usize) -> bool {
    let scene = Scene::new("nothing", polls).await;
    scene.meddler.fault(Fault::Held);
    let arrival = async {
        // `Some` where the request was held by then.
        dropped_after(polls, std::future::pending::<()>()).await;
        scene.meddler.deliver().await
    };
    let (answer, arrived) = join(scene.journal.commit(dropped()), arrival).await;
    answer.unwrap();
    assert_eq!(scene.check(40).await, 1, "arrived after {polls} polls: {arrived:?}");
    // It came too late: the case has met every moment before.
    arrived == Some(false)
}

/// The whole handle goes with it, as when a program ends.
pub(crate) async fn with_its_handle(polls: usize) -> bool {
    let mut scene = Scene::new("commit and handle", polls).await;
    let answer = {
        let journal = scene.journal.clone();
        scene.journal = scene.other.clone();
        let others = (0..2).map(|_| journal.commit(Command::add("dropped too", 1)));
        let mine = async { (journal.commit(dropped()).await, join_all(others).await).0 };
        dropped_after(polls, mine).await
    };
    checked(&scene, 40, answer.map(Result::unwrap).is_some()).await
}

/// What was on its way before a fence that was answered cannot land.
pub(crate) async fn fence(polls: usize) -> bool {
    let (scene, commit) = Scene::with_held_commit("fence", polls).await;
    let fenced = dropped_after(polls, scene.journal.fence()).await.map(Result::unwrap).is_some();
    let landed = scene.meddler.deliver().await == Some(true);
    assert!(!(fenced && landed), "{}", scene.what);
    assert_eq!(scene.check(40).await, i64::from(landed), "{}", scene.what);
    let resolution = scene.journal.resolve(commit).await.unwrap();
    let expected = if landed { Resolution::Committed } else { Resolution::Never };
    assert_eq!(resolution, expected, "{}", scene.what);
    fenced
}

/// What a resolution says stays true, also when what was on its way arrives.
pub(crate) async fn resolve(polls: usize) -> bool {
    let (scene, commit) = Scene::with_held_commit("resolve", polls).await;
    let told = dropped_after(polls, scene.journal.resolve(commit)).await.map(Result::unwrap);
    assert!(matches!(told, None | Some(Resolution::Open)), "{}: {told:?}", scene.what);
    assert_eq!(scene.meddler.deliver().await, Some(true), "{}", scene.what);
    assert_eq!(scene.check(40).await, 1, "{}", scene.what);
    assert_eq!(scene.journal.resolve(commit).await.unwrap(), Resolution::Committed);
    told.is_some()
}

pub(crate) async fn resolve_or_fence(polls: usize) -> bool {
    let (scene, commit) = Scene::with_held_commit("resolve_or_fence", polls).await;
    let told = dropped_after(polls, scene.journal.resolve_or_fence(commit)).await;
    let told = told.map(Result::unwrap);
    let landed = scene.meddler.deliver().await == Some(true);
    let truth = if landed { Resolution::Committed } else { Resolution::Never };
    assert!(told.is_none_or(|told| told == truth), "{}: {told:?}, {truth:?}", scene.what);
    assert_eq!(scene.journal.resolve_or_fence(commit).await.unwrap(), truth, "{}", scene.what);
    assert_eq!(scene.check(40).await, i64::from(landed), "{}", scene.what);
    told.is_some()
}
