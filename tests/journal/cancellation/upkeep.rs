//! Opening, creating and maintenance that are dropped.

use ifmatch_journal::kv::{Command, KeyValue};
use ifmatch_journal::{Freshness, Journal, Place};

use super::poll::dropped_after;
use super::scene::{Scene, TAIL};
use crate::bench::{Bench, Kv, add, quick, quick_create};
use crate::meddler::Meddler;

pub(crate) async fn open(polls: usize) -> bool {
    let scene = Scene::new("open", polls).await;
    let opened = dropped_after(polls, Journal::open(scene.store(), KeyValue, quick())).await;
    if let Some(opened) = &opened {
        let read = opened.as_ref().unwrap().read(Freshness::Cached).await.unwrap();
        assert_eq!(read.state().number("n"), Some(40), "{}", scene.what);
    }
    assert_eq!(scene.check(40).await, 0);
    opened.is_some()
}

pub(crate) async fn find_at(polls: usize) -> bool {
    let scene = Scene::new("find_at", polls).await;
    let place = Place::single().unwrap();
    let finding = Journal::find_at(scene.store(), place, KeyValue, quick());
    let found = dropped_after(polls, finding).await;
    if let Some(found) = &found {
        let journal = found.as_ref().unwrap().as_ref().expect("it is there");
        let read = journal.read(Freshness::Cached).await.unwrap();
        assert_eq!(read.state().number("n"), Some(40), "{}", scene.what);
    }
    assert_eq!(scene.check(40).await, 0);
    found.is_some()
}

/// Creating, at the root and at a partition's place: whoever comes next finds
/// one journal, or creates it.
async fn created(place: fn() -> Place, polls: usize) -> bool {
    let bench = Bench::new(polls as u64);
    let meddler = Meddler::over(bench.store(), 2);
    let open = || Journal::open_at(meddler.clone(), place(), KeyValue, quick_create());
    let first = dropped_after(polls, open()).await.map(Result::unwrap);
    let answered = first.is_some();
    let second = open().await.unwrap();
    let third = Journal::open_at(bench.store(), place(), KeyValue, quick()).await.unwrap();
    let handles: Vec<Kv> = first.into_iter().chain([second, third]).collect();
    for journal in &handles {
        assert_eq!(journal.seen().commit.journal, handles[0].seen().commit.journal);
        add(journal, 1).await;
    }
    for journal in &handles {
        let read = journal.read(Freshness::Strong).await.unwrap();
        assert_eq!(read.state().number("n"), i64::try_from(handles.len()).ok());
        assert_eq!(read.seq(), handles.len() as u64 + 1, "one first commit");
    }
    answered
}

pub(crate) async fn create(polls: usize) -> bool {
    created(|| Place::single().unwrap(), polls).await
}

pub(crate) async fn create_at(polls: usize) -> bool {
    created(|| Place::partition("eu").unwrap(), polls).await
}

/// An explicit checkpoint, while the other handle commits.
pub(crate) async fn checkpoint(polls: usize) -> bool {
    let scene = Scene::new("checkpoint", polls).await;
    let mine = dropped_after(polls, scene.journal.checkpoint());
    let (seq, ()) = futures::join!(mine, async {
        if polls.is_multiple_of(2) {
            add(&scene.other, 1).await;
        }
    });
    let answered = seq.is_some();
    for seq in seq.into_iter().chain([scene.journal.checkpoint().await]) {
        let (seq, head) = (seq.unwrap(), scene.head().await);
        assert!(head.checkpoint.unwrap().seq >= seq, "{}", scene.what);
    }
    let n = if polls.is_multiple_of(2) { 41 } else { 40 };
    assert_eq!(scene.check(n).await, 0);
    answered
}

/// Many programs have left so many segments behind that maintenance is due.
pub(crate) async fn maintain(polls: usize) -> bool {
    let scene = Scene::new("maintain", polls).await;
    for number in 0.. {
        if scene.head().await.segments.len() > 8 {
            break;
        }
        assert!(number < 40, "segments add up");
        let options = quick().tail(TAIL);
        let program = Journal::open(scene.store(), KeyValue, options).await.unwrap();
        let mut value = vec![0; 400];
        scene.bench.env.fill_random(&mut value);
        program.commit(Command::put(format!("large {number}"), value)).await.unwrap();
    }
    scene.journal.read(Freshness::Strong).await.unwrap();
    let maintained = dropped_after(polls, scene.journal.maintain()).await;
    let answered = maintained.is_some();
    if let Some(maintained) = maintained {
        assert!(maintained.unwrap(), "{}: it was due", scene.what);
    }
    scene.journal.maintain().await.unwrap();
    assert!(scene.head().await.segments.len() <= 8, "{}", scene.what);
    assert!(!scene.journal.maintain().await.unwrap(), "{}", scene.what);
    assert_eq!(scene.check(40).await, 0);
    answered
}
