//! Forced pushes and first pushes whose answers never arrive.

use ifmatch::Operation;
use ifmatch::sync::{Error, Outcome, SyncedDatabase};

use crate::lost_answers::Scene;
use crate::meddler::{Fault, Meddler};
use crate::support::{Place, URL, insert, options, rows, sql};

#[tokio::test]
async fn a_forced_push_that_failed_leaves_the_next_push_its_conflict() {
    for (key, fault) in [
        ("snapshots", Fault::Refused),
        ("snapshots", Fault::AnswerLost),
        ("head", Fault::Refused),
        ("head", Fault::RequestLost),
    ] {
        let scene = Scene::new().await;
        scene.insert("a");
        let theirs = scene.other_pushes("z").await;
        scene.meddler.cut(key, fault);
        scene.mine().await.push_force().await.unwrap_err();
        scene.meddler.reconnect();
        let mine = scene.mine().await;
        let status = mine.status().await.unwrap();
        assert!(status.behind && status.local_changes, "{status:?}");
        let Err(Error::Conflict(conflict)) = mine.push().await else { panic!("no conflict") };
        assert_eq!((conflict.base.unwrap().seq(), conflict.remote), (1, theirs));
        mine.reload().await.unwrap();
        scene.ends_with(2, &["first", "z"]).await;
    }
}

#[tokio::test]
async fn a_forced_push_that_landed_unanswered_is_found() {
    for others in 0..2_usize {
        let scene = Scene::new().await;
        scene.insert("a");
        let theirs = scene.other_pushes("z").await;
        scene.meddler.fault("head", Fault::AnswerLost);
        let forced = scene.mine().await.push_force().await.unwrap();
        assert_eq!((forced.replaced, forced.base.seq()), (Some(theirs), 3));
        scene.insert("b");
        scene.other_pushes("y").await;
        scene.meddler.cut("head", Fault::AnswerLost);
        let error = scene.mine().await.push_force().await.unwrap_err();
        assert_eq!(error.kind(), "outcome_unknown");
        scene.meddler.reconnect();
        if others == 1 {
            scene.other_pushes("x").await;
        }
        let pushed = scene.mine().await.push().await.unwrap();
        assert_eq!((pushed.outcome, pushed.base.seq()), (Outcome::Clean, 5));
        let expected = ["a", "b", "first", "x"];
        scene.ends_with(5 + others as u64, &expected[..3 + others]).await;
    }
}

#[tokio::test]
async fn an_init_without_an_answer_goes_on_and_publishes_once() {
    for fault in [Fault::AnswerLost, Fault::RequestLost, Fault::Held] {
        let place = Place::new();
        let path = place.at("mine");
        sql(&path, "CREATE TABLE t (x TEXT); INSERT INTO t VALUES ('first')");
        let meddler = Meddler::over(&place.store);
        meddler.cut("head", fault);
        let init = async || SyncedDatabase::init(&path, meddler.clone(), URL, options()).await;
        assert_eq!(init().await.unwrap_err().kind(), "outcome_unknown");
        meddler.reconnect();
        let (mine, report) = init().await.unwrap();
        assert_eq!(report.base.seq(), 1);
        assert!(meddler.deliver().await.iter().all(|applied| !applied));
        insert(mine.path(), "a");
        assert_eq!(mine.push().await.unwrap().base.seq(), 2);
        assert_eq!(rows(place.copy("other").await.path()), ["a", "first"]);
    }
}

#[tokio::test]
async fn an_init_that_lost_the_race_can_reload_or_force() {
    for force in [false, true] {
        let place = Place::new();
        let (mine, other) = (place.at("mine"), place.at("other"));
        for (path, row) in [(&mine, "mine"), (&other, "other")] {
            sql(path, &format!("CREATE TABLE t (x TEXT); INSERT INTO t VALUES ('{row}')"));
        }
        let meddler = Meddler::over(&place.store);
        let store = place.store.clone();
        meddler.before(Operation::Put, "head", move || async move {
            SyncedDatabase::init(&other, store, URL, options()).await.unwrap();
        });
        let lost = SyncedDatabase::init(&mine, meddler.clone(), URL, options()).await;
        assert_eq!(lost.unwrap_err().kind(), "conflict");
        let mine = SyncedDatabase::open(&mine, meddler.clone(), options()).await.unwrap();
        assert_eq!(mine.push().await.unwrap_err().kind(), "conflict");
        assert_eq!(mine.pull().await.unwrap_err().kind(), "conflict");
        let mut expected = vec!["more".to_owned()];
        if force {
            let forced = mine.push_force().await.unwrap();
            assert_eq!((forced.replaced.unwrap().seq(), forced.base.seq()), (1, 2));
            expected.insert(0, "mine".to_owned());
        } else {
            let saved = mine.reload().await.unwrap().saved.unwrap();
            assert_eq!(rows(&saved), ["mine"]);
            expected.push("other".to_owned());
        }
        insert(mine.path(), "more");
        mine.push().await.unwrap();
        let other = place.reopen("other").await;
        other.pull().await.unwrap();
        assert_eq!(rows(other.path()), expected);
    }
}
