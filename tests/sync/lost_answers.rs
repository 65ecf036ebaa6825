//! Answers that never arrive, requests that arrive late, reads that are stale.

use std::sync::Arc;

use ifmatch::sync::{CommitId, Error, Outcome, SyncedDatabase};
use ifmatch::{BlobKey, GetOptions, Operation};

use crate::meddler::{Fault, Meddler};
use crate::support::{Place, URL, insert, options, rows, sql};

/// A copy behind a store that meddles, and another that is not.
pub(crate) struct Scene {
    pub(crate) place: Place,
    pub(crate) meddler: Arc<Meddler>,
    pub(crate) other: SyncedDatabase,
}

impl Scene {
    /// Both at commit 1.
    pub(crate) async fn new() -> Self {
        let place = Place::new();
        let other = place.init("other").await;
        place.copy("mine").await;
        let meddler = Meddler::over(&place.store);
        Self { place, meddler, other }
    }

    /// The copy after a restart of its process.
    pub(crate) async fn mine(&self) -> SyncedDatabase {
        let path = self.place.at("mine");
        SyncedDatabase::open(&path, self.meddler.clone(), options()).await.unwrap()
    }

    pub(crate) fn insert(&self, value: &str) {
        insert(&self.place.at("mine"), value);
    }

    /// Inserts a row and pushes it; the head's put meets `fault` and then
    /// nothing is reached. The outcome is unknown.
    async fn push_unknown(&self, value: &str, fault: Fault) {
        self.insert(value);
        self.meddler.cut("head", fault);
        let error = self.mine().await.push().await.unwrap_err();
        assert_eq!(error.kind(), "outcome_unknown", "{error}");
        self.meddler.reconnect();
    }

    pub(crate) async fn other_pushes(&self, value: &str) -> CommitId {
        self.other.pull().await.unwrap();
        insert(self.other.path(), value);
        self.other.push().await.unwrap().base
    }

    /// Everybody sees these rows at this commit number.
    pub(crate) async fn ends_with(&self, seq: u64, expected: &[&str]) {
        self.other.pull().await.unwrap();
        assert_eq!(rows(self.other.path()), expected);
        assert_eq!(self.other.local_version().await.unwrap().unwrap().seq(), seq);
        let mine = self.mine().await;
        mine.pull().await.unwrap();
        assert_eq!(rows(mine.path()), expected);
        assert!(!mine.has_local_changes().await.unwrap());
        assert_eq!(mine.push().await.unwrap().outcome, Outcome::Clean);
    }
}

#[tokio::test]
async fn a_head_whose_answer_is_lost_is_committed_once() {
    let scene = Scene::new().await;
    for (number, fault) in [Fault::AnswerLost, Fault::RequestLost].into_iter().enumerate() {
        scene.insert(&format!("{number}"));
        scene.meddler.fault("head", fault);
        let pushed = scene.mine().await.push().await.unwrap();
        assert_eq!((pushed.outcome, pushed.base.seq()), (Outcome::Committed, 2 + number as u64));
    }
    scene.ends_with(3, &["0", "1", "first"]).await;
}

#[tokio::test]
async fn a_commit_that_landed_unanswered_is_found_and_not_published_again() {
    for look in ["push", "pull", "status", "reload", "force", "sync"] {
        let scene = Scene::new().await;
        scene.push_unknown("a", Fault::AnswerLost).await;
        let mine = scene.mine().await;
        match look {
            "push" => assert_eq!(mine.push().await.unwrap().outcome, Outcome::Clean),
            "pull" => assert_eq!(mine.pull().await.unwrap().outcome, Outcome::UpToDate),
            "reload" => assert_eq!(mine.reload().await.unwrap().outcome, Outcome::UpToDate),
            "force" => assert_eq!(mine.push_force().await.unwrap().outcome, Outcome::Clean),
            "sync" => assert_eq!(mine.sync().await.unwrap().base.seq(), 2),
            _ => assert!(!mine.status().await.unwrap().local_changes),
        }
        scene.ends_with(2, &["a", "first"]).await;
    }
}

#[tokio::test]
async fn a_commit_that_never_arrived_is_sent_again_under_its_own_id() {
    let scene = Scene::new().await;
    scene.push_unknown("a", Fault::RequestLost).await;
    scene.push_unknown_again().await;
    let pushed = scene.mine().await.push().await.unwrap();
    assert_eq!((pushed.outcome, pushed.base.seq()), (Outcome::Committed, 2));
    let snapshots = scene.place.keys("snapshots").await;
    assert_eq!(snapshots.len(), 2, "one for the first commit, one for this: {snapshots:?}");
    scene.ends_with(2, &["a", "first"]).await;
}

impl Scene {
    async fn push_unknown_again(&self) {
        self.meddler.cut("head", Fault::RequestLost);
        let error = self.mine().await.push().await.unwrap_err();
        assert_eq!(error.kind(), "outcome_unknown", "{error}");
        self.meddler.reconnect();
    }
}

#[tokio::test]
async fn a_late_head_does_nothing_after_the_copy_pushed_something_else() {
    let scene = Scene::new().await;
    scene.push_unknown("a", Fault::Held).await;
    scene.insert("b");
    assert_eq!(scene.mine().await.push().await.unwrap().outcome, Outcome::Committed);
    assert_eq!(scene.meddler.deliver().await, [false]);
    scene.ends_with(2, &["a", "b", "first"]).await;
}

#[tokio::test]
async fn a_late_head_that_lands_just_before_the_next_push_is_built_upon() {
    for (changed, seq) in [(true, 3), (false, 2)] {
        let scene = Scene::new().await;
        scene.push_unknown("a", Fault::Held).await;
        if changed {
            scene.insert("b");
        }
        let meddler = scene.meddler.clone();
        scene.meddler.before(Operation::Put, "head", move || async move {
            assert_eq!(meddler.deliver().await, [true]);
        });
        let pushed = scene.mine().await.push().await.unwrap();
        assert_eq!((pushed.outcome, pushed.base.seq()), (Outcome::Committed, seq));
        let expected: &[_] = if changed { &["a", "b", "first"] } else { &["a", "first"] };
        scene.ends_with(seq, expected).await;
    }
}

#[tokio::test]
async fn a_late_head_does_nothing_after_others_published() {
    let scene = Scene::new().await;
    scene.push_unknown("a", Fault::Held).await;
    let theirs = scene.other_pushes("z").await;
    assert_eq!(scene.meddler.deliver().await, [false]);
    let mine = scene.mine().await;
    let Err(Error::Conflict(conflict)) = mine.push().await else { panic!("no conflict") };
    assert_eq!((conflict.base.unwrap().seq(), conflict.remote), (1, theirs));
    assert_eq!(rows(mine.path()), ["a", "first"]);
    let saved = mine.reload().await.unwrap().saved.unwrap();
    assert_eq!(rows(&saved), ["a", "first"]);
    scene.ends_with(2, &["first", "z"]).await;
}

#[tokio::test]
async fn a_commit_that_others_built_on_meanwhile_is_no_conflict() {
    for others in 1..3_usize {
        let scene = Scene::new().await;
        scene.push_unknown("a", Fault::AnswerLost).await;
        for other in 0..others {
            scene.other_pushes(&format!("z{other}")).await;
        }
        let mine = scene.mine().await;
        let pushed = mine.push().await.unwrap();
        assert_eq!((pushed.outcome, pushed.base.seq()), (Outcome::Clean, 2));
        // More changes on top of it are one, and the base is our own commit.
        scene.insert("b");
        let Err(Error::Conflict(conflict)) = mine.push().await else { panic!("no conflict") };
        assert_eq!(conflict.base, Some(pushed.base));
        mine.reload().await.unwrap();
        let expected = ["a", "first", "z0", "z1"];
        scene.ends_with(2 + others as u64, &expected[..2 + others]).await;
    }
}

#[tokio::test]
async fn a_push_whose_commit_others_built_on_before_it_looked_is_committed() {
    for others in 1..3_usize {
        let scene = Scene::new().await;
        scene.insert("a");
        scene.meddler.fault("head", Fault::AnswerLost);
        let (other, path) = (scene.place.reopen("other").await, scene.other.path().to_owned());
        scene.meddler.before(Operation::Head, "head", move || async move {
            for number in 0..others {
                other.pull().await.unwrap();
                insert(&path, &format!("z{number}"));
                other.push().await.unwrap();
            }
        });
        let pushed = scene.mine().await.push().await.unwrap();
        assert_eq!((pushed.outcome, pushed.base.seq()), (Outcome::Committed, 2));
        let expected = ["a", "first", "z0", "z1"];
        scene.ends_with(2 + others as u64, &expected[..2 + others]).await;
    }
}

#[tokio::test]
async fn a_copy_that_lost_against_its_own_late_commit_is_no_stranger() {
    let scene = Scene::new().await;
    scene.push_unknown("a", Fault::Held).await;
    scene.insert("b");
    let (other, path) = (scene.place.reopen("other").await, scene.other.path().to_owned());
    let meddler = scene.meddler.clone();
    scene.meddler.before(Operation::Put, "head", move || async move {
        assert_eq!(meddler.deliver().await, [true]);
        other.pull().await.unwrap();
        insert(&path, "z");
        other.push().await.unwrap();
    });
    for _ in 0..2 {
        let error = scene.mine().await.push().await.unwrap_err();
        let Error::Conflict(conflict) = error else { panic!("{error}") };
        assert_eq!(conflict.base.unwrap().seq(), 2, "our late commit is what we are based on");
    }
    scene.mine().await.reload().await.unwrap();
    scene.ends_with(3, &["a", "first", "z"]).await;
}

#[tokio::test]
async fn a_file_from_before_a_commit_that_landed_is_not_published_over_it() {
    let scene = Scene::new().await;
    let (path, backup) = (scene.place.at("mine"), scene.place.at("backup"));
    sql(&path, "PRAGMA wal_checkpoint(TRUNCATE)");
    std::fs::copy(&path, &backup).unwrap();
    scene.push_unknown("a", Fault::AnswerLost).await;
    std::fs::rename(&backup, &path).unwrap();
    scene.insert("b");
    let error = scene.mine().await.push().await.unwrap_err();
    assert!(matches!(error, Error::Swapped { .. }), "{error}");
    scene.other.pull().await.unwrap();
    assert_eq!(rows(scene.other.path()), ["a", "first"]);
}

#[tokio::test]
async fn an_outcome_stays_unknown_where_the_look_fails_too() {
    let scene = Scene::new().await;
    scene.insert("a");
    scene.meddler.fault("head", Fault::AnswerLost);
    let meddler = scene.meddler.clone();
    // Two others on top: the blob does not tell, and then nothing is reached.
    let (other, path) = (scene.place.reopen("other").await, scene.other.path().to_owned());
    scene.meddler.before(Operation::Head, "head", move || async move {
        for number in 0..2 {
            other.pull().await.unwrap();
            insert(&path, &format!("z{number}"));
            other.push().await.unwrap();
        }
        meddler.before(Operation::Get, "head", {
            let meddler = meddler.clone();
            move || async move { meddler.disconnect() }
        });
    });
    let error = scene.mine().await.push().await.unwrap_err();
    assert_eq!(error.kind(), "outcome_unknown", "{error}");
    scene.meddler.reconnect();
    scene.ends_with(4, &["a", "first", "z0", "z1"]).await;
}

#[tokio::test]
async fn nothing_is_published_by_a_snapshot_or_marker_without_an_answer() {
    for (key, fault) in [
        ("snapshots", Fault::AnswerLost),
        ("snapshots", Fault::RequestLost),
        ("snapshots", Fault::Held),
        ("snapshots", Fault::Refused),
    ] {
        let scene = Scene::new().await;
        scene.insert("a");
        scene.meddler.cut(key, fault);
        let error = scene.mine().await.push().await.unwrap_err();
        assert_eq!(error.kind(), "unavailable", "nothing was published: {error}");
        scene.meddler.reconnect();
        assert!(scene.mine().await.has_local_changes().await.unwrap());
        scene.insert("b");
        assert_eq!(scene.mine().await.push().await.unwrap().base.seq(), 2);
        scene.meddler.deliver().await;
        scene.ends_with(2, &["a", "b", "first"]).await;
    }
    for fault in [Fault::AnswerLost, Fault::RequestLost, Fault::Held] {
        let place = Place::new();
        let path = place.at("mine");
        sql(&path, "CREATE TABLE t (x TEXT)");
        let meddler = Meddler::over(&place.store);
        meddler.cut("ifmatch", fault);
        let init = async || SyncedDatabase::init(&path, meddler.clone(), URL, options()).await;
        assert_eq!(init().await.unwrap_err().kind(), "unavailable");
        meddler.reconnect();
        assert_eq!(init().await.unwrap().1.base.seq(), 1);
        meddler.deliver().await;
        place.copy("other").await;
    }
}

#[tokio::test]
async fn an_outcome_that_the_head_has_forgotten_stays_unknown() {
    let scene = Scene::new().await;
    scene.push_unknown("a", Fault::AnswerLost).await;
    scene.other.pull().await.unwrap();
    for number in 0..130 {
        sql(scene.other.path(), &format!("UPDATE t SET x = '{number}' WHERE x <> 'a'"));
        scene.other.push().await.unwrap();
    }
    for _ in 0..2 {
        let error = scene.mine().await.push().await.unwrap_err();
        assert_eq!(error.kind(), "outcome_unknown", "it was published: {error}");
    }
    let saved = scene.mine().await.reload().await.unwrap().saved.unwrap();
    assert_eq!(rows(&saved), ["a", "first"]);
    scene.ends_with(132, &["129", "a"]).await;
}

#[tokio::test]
async fn stale_heads_are_never_adopted_and_nothing_is_published_on_them() {
    let scene = Scene::new().await;
    let key = BlobKey::new("head").unwrap();
    let old = scene.place.store.get(&key, GetOptions::new()).await.unwrap();
    scene.insert("a");
    let mine = scene.mine().await;
    mine.push().await.unwrap();
    let remote = scene.place.body("head").await;
    // For a while, then for good.
    scene.meddler.stale(&old, 2);
    assert_eq!(mine.pull().await.unwrap().outcome, Outcome::UpToDate);
    scene.meddler.stale(&old, 100);
    for error in [mine.pull().await.unwrap_err(), mine.push_force().await.unwrap_err()] {
        assert!(matches!(error, Error::RemoteRewound(_)), "{error}");
    }
    assert_eq!(rows(mine.path()), ["a", "first"]);
    scene.meddler.stale(&old, 0);
    // A conflict that the reads deny: nothing is published, nothing doubled.
    let now = scene.place.store.get(&key, GetOptions::new()).await.unwrap();
    scene.other_pushes("z").await;
    scene.insert("b");
    scene.meddler.stale(&now, 1_000);
    let error = mine.push().await.unwrap_err();
    assert_eq!(error.kind(), "conflict", "{error}");
    scene.meddler.stale(&now, 0);
    let Err(Error::Conflict(_)) = mine.push().await else { panic!("no conflict") };
    assert_ne!(scene.place.body("head").await, remote);
    mine.reload().await.unwrap();
    scene.ends_with(3, &["a", "first", "z"]).await;
}
