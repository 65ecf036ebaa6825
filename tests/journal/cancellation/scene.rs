//! A journal with a past, and a handle on it whose calls are dropped.

use std::sync::Arc;

use futures::TryStreamExt;
use ifmatch::ConditionalBlobStore;
use ifmatch_journal::kv::{Command, KeyValue, Pairs};
use ifmatch_journal::{
    CommitError, CommitId, Freshness, Head, Journal, Machine, Place, Position, Resolution, verify,
};

use crate::bench::{Bench, DEADLINE, Kv, add, quick, quick_create};
use crate::meddler::{Fault, Meddler};

/// Polls that a request takes on its way there, and on its way back.
const YIELDS: usize = 2;
/// What the heads here may hold of entries: a few commits.
pub(crate) const TAIL: usize = 300;

pub(crate) struct Scene {
    pub(crate) bench: Bench,
    pub(crate) meddler: Arc<Meddler>,
    /// Reaches the store through the meddler.
    pub(crate) journal: Kv,
    /// Reaches it directly.
    pub(crate) other: Kv,
    /// What was dropped, for messages.
    pub(crate) what: String,
}

impl Scene {
    /// A checkpoint, some segments, a history and a tail; `n` is 40.
    pub(crate) async fn new(what: &str, polls: usize) -> Self {
        let bench = Bench::new(polls as u64);
        let other = bench.open(quick_create().tail(TAIL)).await.unwrap();
        add(&other, 30).await;
        other.checkpoint().await.unwrap();
        add(&other, 10).await;
        let meddler = Meddler::over(bench.store(), YIELDS);
        let journal = open(&meddler).await;
        Self {
            bench,
            meddler,
            journal,
            other,
            what: format!("{what}, dropped after {polls} polls"),
        }
    }

    /// A commit of 1 to `dropped` is on its way, and nobody knows; `n` is 40.
    /// [`Meddler::deliver`] lets it arrive.
    pub(crate) async fn with_held_commit(what: &str, polls: usize) -> (Self, CommitId) {
        let scene = Self::new(what, polls).await;
        scene.meddler.cut(Fault::Held);
        let Err(CommitError::Failed(error)) =
            scene.journal.commit(Command::add("dropped", 1)).await
        else {
            panic!("{}: the network is down", scene.what)
        };
        scene.meddler.reconnect();
        scene.bench.env.sleep(DEADLINE).await;
        let commit = error.pending().unwrap();
        assert_eq!(scene.journal.resolve(commit).await.unwrap(), Resolution::Open);
        (scene, commit)
    }

    pub(crate) fn store(&self) -> Arc<dyn ConditionalBlobStore> {
        Arc::<Meddler>::clone(&self.meddler)
    }

    /// Both handles go on and see the same, everything is there once, and the
    /// dropped addition is there once or not at all, for ever. Gives what became
    /// of it.
    pub(crate) async fn check(&self, n: i64) -> i64 {
        let what = &self.what;
        let mut commits = Vec::new();
        for journal in [&self.journal, &self.other, &self.journal] {
            let answer = journal.commit(Command::add("after", 1)).await;
            commits.push(answer.unwrap_or_else(|error| panic!("{what}: {error}")).commit);
        }
        let now = self.other.read(Freshness::Strong).await.unwrap();
        let dropped = now.state().number("dropped").unwrap();
        assert!([0, 1].contains(&dropped), "{what}: committed {dropped} times");
        assert_eq!(now.state().number("n"), Some(n), "{what}");
        assert_eq!(now.state().number("after"), Some(3), "{what}");
        for commit in commits {
            let resolution = self.journal.resolve(commit).await.unwrap();
            assert_eq!(resolution, Resolution::Committed, "{what}");
        }
        // Nothing arrives late.
        self.bench.env.sleep(DEADLINE * 100).await;
        let here = self.journal.read(Freshness::Strong).await.unwrap();
        assert!(here.state() == now.state(), "{what}: nobody commits any more");
        self.whole(&here).await;
        dropped
    }

    /// A new handle sees the same, its log leads there, and nothing is damaged.
    async fn whole(&self, newest: &ifmatch_journal::Snapshot<KeyValue>) {
        let what = &self.what;
        let fresh = self.bench.open(quick()).await.unwrap();
        let there = fresh.read(Freshness::Cached).await.unwrap();
        assert!(there.state() == newest.state(), "{what}: a new reader sees the same");
        let log: Vec<_> = fresh.log(0).try_collect().await.unwrap();
        let numbers: Vec<_> = log.iter().map(|record| record.seq).collect();
        assert_eq!(numbers, (1..=there.seq()).collect::<Vec<_>>(), "{what}");
        let mut replayed = Pairs::default();
        for record in log {
            for (ordinal, entry) in (0..).zip(record.entries.iter()) {
                let position = Position { seq: record.seq, ordinal };
                KeyValue.apply(&mut replayed, &entry, position).unwrap();
            }
        }
        assert!(replayed == *there.state(), "{what}: the log leads to the state");
        let store = Arc::clone(&self.bench.bare);
        let verified = verify(store, Place::single().unwrap()).await.unwrap();
        assert_eq!(verified.damaged, [], "{what}");
    }

    /// The head that lies there.
    pub(crate) async fn head(&self) -> Head {
        Head::decode(&self.bench.body("head").await).unwrap()
    }
}

async fn open(meddler: &Arc<Meddler>) -> Kv {
    let store: Arc<Meddler> = Arc::clone(meddler);
    Journal::open(store, KeyValue, quick().tail(TAIL)).await.unwrap()
}
