//! Stores to test, and short words for what is put into them.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use ifmatch_core::{Env, Simulation};
use ifmatch_meta::{DocId, DocKey, DocPrecondition, Json, MetaStore, Op, Partition};
use ifmatch_sql::{Executor, SqliteMetaStore, SqliteOptions};
use tempfile::TempDir;

pub(crate) struct Bed {
    pub(crate) name: &'static str,
    pub(crate) store: SqliteMetaStore,
    pub(crate) folder: TempDir,
}

impl Bed {
    pub(crate) async fn open(name: &'static str, options: SqliteOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("meta.db");
        let store = SqliteMetaStore::open(path, options, Env::real()).await.unwrap();
        Self { name, store, folder }
    }

    pub(crate) async fn threaded() -> Self {
        Self::open("thread", SqliteOptions::default()).await
    }

    /// Closes the store and opens it again.
    pub(crate) async fn reopen(&mut self) {
        self.store.close().await.unwrap();
        let options = SqliteOptions::default().create(false);
        let path = self.folder.path().join("meta.db");
        self.store = SqliteMetaStore::open(path, options, Env::real()).await.unwrap();
    }
}

/// One store of each kind.
pub(crate) async fn beds() -> Vec<Bed> {
    let memory = Bed {
        name: "memory",
        store: SqliteMetaStore::open_in_memory(
            SqliteOptions::default(),
            Simulation::seeded(1).env(),
        )
        .unwrap(),
        folder: tempfile::tempdir().unwrap(),
    };
    let inline = SqliteOptions::default().executor(Executor::Inline);
    vec![Bed::threaded().await, Bed::open("inline", inline).await, memory]
}

pub(crate) fn key(partition: &str, id: &str) -> DocKey {
    DocKey::new(partition, id).unwrap()
}

pub(crate) fn id(id: &str) -> DocId {
    DocId::new(id).unwrap()
}

pub(crate) fn partition(name: &str) -> Partition {
    Partition::new(name).unwrap()
}

pub(crate) fn body(number: impl std::fmt::Display) -> Json {
    Json::new(format!("{{\"n\":{number}}}")).unwrap()
}

pub(crate) fn put(name: &str, number: impl std::fmt::Display, pre: DocPrecondition) -> Op {
    Op::put(id(name), body(number), pre)
}

/// What is in a partition, as (id, body).
pub(crate) async fn content(store: &dyn MetaStore, name: &str) -> Vec<(String, String)> {
    use futures::TryStreamExt as _;
    let documents = store.documents(&partition(name), ifmatch_meta::ScanOptions::default());
    let pair = |d: ifmatch_meta::Document| (d.key.id.to_string(), d.body.to_string());
    documents.map_ok(pair).try_collect().await.unwrap()
}

/// A future that is dropped after it was polled so often.
pub(crate) struct DropAfter<F> {
    future: Option<Pin<Box<F>>>,
    polls: usize,
}

impl<F> DropAfter<F> {
    pub(crate) fn polls(polls: usize, future: F) -> Self {
        Self { future: Some(Box::pin(future)), polls }
    }
}

impl<F: Future> Future for DropAfter<F> {
    /// `None` where it was dropped before its end.
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            self.future = None;
            return Poll::Ready(None);
        }
        self.polls -= 1;
        match self.future.as_mut().unwrap().as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => {
                if self.polls == 0 {
                    self.future = None;
                    return Poll::Ready(None);
                }
                Poll::Pending
            }
        }
    }
}
