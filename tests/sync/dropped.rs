//! Every operation is dropped at every point where it waits. Afterwards the
//! copy goes on, no row is lost and none is doubled.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use ifmatch::sync::{Error, SyncOptions, SyncedDatabase};

use crate::meddler::Meddler;
use crate::support::{Place, URL, insert, rows, sql};

/// Long enough for whatever a dropped operation left running.
fn patient() -> SyncOptions {
    SyncOptions::new().wait(Duration::from_secs(20))
}

/// Polls `work` so often and drops it: `at_once`, or when it could go on.
/// `None` where it was dropped.
async fn dropped_after<F: Future>(polls: usize, at_once: bool, work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    let mut done = 0;
    std::future::poll_fn(|context| {
        if done == polls {
            return Poll::Ready(None);
        }
        done += 1;
        match work.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if done == polls && at_once => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Two copies; `mine` is behind a store that yields around every request.
struct Scene {
    place: Place,
    meddler: Arc<Meddler>,
    theirs: SyncedDatabase,
    expected: Vec<String>,
}

impl Scene {
    async fn new() -> Self {
        let place = Place::new();
        let theirs = place.init("theirs").await;
        place.copy("mine").await;
        let meddler = Meddler::over(&place.store);
        Self { place, meddler, theirs, expected: vec!["first".to_owned()] }
    }

    async fn mine(&self) -> SyncedDatabase {
        let path = self.place.at("mine");
        SyncedDatabase::open(&path, self.meddler.clone(), patient()).await.unwrap()
    }

    fn insert(&mut self, value: String) {
        patiently(&self.place.at("mine"), &value);
        self.expected.push(value);
        self.expected.sort();
    }

    async fn theirs_push(&mut self, value: String) {
        self.theirs.pull().await.unwrap();
        insert(self.theirs.path(), &value);
        self.theirs.push().await.unwrap();
        self.expected.push(value);
        self.expected.sort();
    }

    async fn check(&self, what: &str) {
        let mine = self.mine().await;
        mine.push().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        mine.pull().await.unwrap();
        self.theirs.pull().await.unwrap();
        assert_eq!(rows(mine.path()), self.expected, "{what}");
        assert_eq!(rows(self.theirs.path()), self.expected, "{what}");
        assert!(!mine.status().await.unwrap().behind, "{what}");
    }
}

/// Inserts a row while a dropped operation may still hold the file.
fn patiently(path: &std::path::Path, value: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(20)).unwrap();
    connection.execute("INSERT INTO t VALUES (?1)", [value]).unwrap();
}

#[tokio::test]
async fn a_dropped_push_is_found_out_by_the_next() {
    for at_once in [false, true] {
        let mut scene = Scene::new().await;
        for polls in 1.. {
            scene.insert(format!("{polls}"));
            let mine = scene.mine().await;
            let done = dropped_after(polls, at_once, mine.push()).await;
            if polls % 3 == 0 {
                scene.insert(format!("{polls} and more"));
            }
            scene.check(&format!("push dropped after {polls} polls")).await;
            if let Some(pushed) = done {
                pushed.unwrap();
                // Wake-ups that come together are one poll.
                assert!(polls > 4, "a push waits now and then");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_dropped_pull_leaves_the_old_content_or_the_new() {
    for at_once in [false, true] {
        let mut scene = Scene::new().await;
        for polls in 1.. {
            scene.theirs_push(format!("{polls}")).await;
            let mine = scene.mine().await;
            let done = dropped_after(polls, at_once, mine.pull()).await;
            mine.pull().await.unwrap();
            scene.check(&format!("pull dropped after {polls} polls")).await;
            if let Some(pulled) = done {
                pulled.unwrap();
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_change_right_after_a_dropped_pull_is_published_or_a_conflict() {
    for at_once in [false, true] {
        let mut scene = Scene::new().await;
        for polls in 1.. {
            scene.theirs_push(format!("{polls}")).await;
            let mine = scene.mine().await;
            let done = dropped_after(polls, at_once, mine.pull()).await.is_some();
            let value = format!("local {polls}");
            patiently(mine.path(), &value);
            match scene.mine().await.push().await {
                Ok(_) => scene.insert_expected(value),
                Err(Error::Conflict(_)) => {
                    let saved = mine.reload().await.unwrap().saved.unwrap();
                    assert!(rows(&saved).contains(&value));
                }
                Err(error) => panic!("after {polls} polls: {error}"),
            }
            scene.check(&format!("pull dropped after {polls} polls")).await;
            if done {
                break;
            }
        }
    }
}

impl Scene {
    fn insert_expected(&mut self, value: String) {
        self.expected.push(value);
        self.expected.sort();
    }

    /// The rows of files that local changes were kept in.
    fn saved(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.place.folder.path()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let saved = paths.filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.contains("-saved-") && !name.ends_with("-wal") && !name.ends_with("-shm")
        });
        saved.collect::<Vec<_>>().iter().flat_map(|path| rows(path)).collect()
    }
}

#[tokio::test]
async fn a_dropped_reload_keeps_local_changes_somewhere() {
    for at_once in [false, true] {
        let mut scene = Scene::new().await;
        for polls in 1.. {
            scene.theirs_push(format!("{polls}")).await;
            let mine = scene.mine().await;
            let value = format!("local {polls}");
            patiently(mine.path(), &value);
            let done = dropped_after(polls, at_once, mine.reload()).await.is_some();
            mine.reload().await.unwrap();
            assert!(scene.saved().contains(&value), "after {polls} polls");
            scene.check(&format!("reload dropped after {polls} polls")).await;
            if done {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_dropped_forced_push_is_published_whole_or_not_at_all() {
    for at_once in [false, true] {
        for polls in 1.. {
            let mut scene = Scene::new().await;
            scene.theirs_push("theirs".to_owned()).await;
            let mine = scene.mine().await;
            patiently(mine.path(), "mine");
            let done = dropped_after(polls, at_once, mine.push_force()).await.is_some();
            match mine.push().await {
                // It had landed.
                Ok(_) => scene.expected = vec!["first".to_owned(), "mine".to_owned()],
                Err(Error::Conflict(_)) => {
                    let saved = mine.reload().await.unwrap().saved.unwrap();
                    assert_eq!(rows(&saved), ["first", "mine"]);
                }
                Err(error) => panic!("after {polls} polls: {error}"),
            }
            assert!(!done || scene.expected.contains(&"mine".to_owned()));
            scene.check(&format!("force dropped after {polls} polls")).await;
            if done {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_dropped_init_goes_on_and_a_dropped_clone_begins_anew() {
    for at_once in [false, true] {
        for polls in 1.. {
            let place = Place::new();
            let (path, copy) = (place.at("mine"), place.at("copy"));
            sql(&path, "CREATE TABLE t (x TEXT); INSERT INTO t VALUES ('first')");
            let meddler = Meddler::over(&place.store);
            let init = async || SyncedDatabase::init(&path, meddler.clone(), URL, patient()).await;
            let first = dropped_after(polls, at_once, init()).await.is_some();
            if !first {
                match init().await {
                    // Clean and committed both say that it is published.
                    Ok((_, report)) => assert_eq!(report.base.seq(), 1),
                    Err(error) => assert_eq!(error.kind(), "invalid", "{polls}: {error}"),
                }
            }
            let mine = SyncedDatabase::open(&path, meddler.clone(), patient()).await.unwrap();
            assert_eq!(mine.local_version().await.unwrap().unwrap().seq(), 1);

            let clone =
                async || SyncedDatabase::clone_to(&copy, meddler.clone(), URL, patient()).await;
            let second = dropped_after(polls, at_once, clone()).await.is_some();
            if !second && let Err(error) = clone().await {
                assert_eq!(error.kind(), "invalid", "{polls}: {error}");
            }
            let copy = SyncedDatabase::open(&copy, meddler.clone(), patient()).await.unwrap();
            assert!(!copy.has_local_changes().await.unwrap());
            insert(copy.path(), "a");
            copy.push().await.unwrap();
            mine.pull().await.unwrap();
            assert_eq!(rows(mine.path()), ["a", "first"]);
            if first && second {
                break;
            }
        }
    }
}
