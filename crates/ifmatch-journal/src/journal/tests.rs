//! The engine, small: what one or two writers see on a healthy store.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use ifmatch_core::{
    ConditionalBlobStore, Env, Instrumented, MemoryBlobStore, Prefixed, Simulation,
};

use super::*;
use crate::kv::{Command, KeyValue, Rejection, Reply};

type Kv = Journal<KeyValue>;

struct Bench {
    env: Env,
    store: Instrumented,
}

impl Bench {
    fn new(seed: u64) -> Self {
        let env = Simulation::seeded(seed).env();
        let store = Instrumented::new(Arc::new(MemoryBlobStore::new(env.clone())));
        Self { env, store }
    }

    async fn open(&self) -> Kv {
        self.open_with(Options::create()).await
    }

    async fn open_with(&self, options: Options) -> Kv {
        Journal::open(Arc::new(self.store.clone()), KeyValue, options).await.unwrap()
    }

    fn requests(&self) -> Vec<(String, &'static str)> {
        let requests = self.store.log().take();
        requests.iter().map(|at| (at.subject.clone(), at.outcome)).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn an_uncontended_commit_is_one_request_and_no_read() {
    let bench = Bench::new(1);
    let journal = bench.open().await;
    bench.requests();
    for number in 1..=50 {
        let committed = journal.commit(Command::add("n", 1)).await.unwrap();
        assert_eq!(committed.reply, Reply::Sum(number));
        assert_eq!(bench.requests(), [("head".to_owned(), "applied")]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fresh_look_is_one_request_without_a_body_and_the_tail_lies_in_the_answer() {
    let bench = Bench::new(2);
    let (one, two) = (bench.open().await, bench.open().await);
    bench.requests();
    two.read(Freshness::Strong).await.unwrap();
    assert_eq!(bench.requests(), [("head".to_owned(), "not_modified")]);
    for _ in 0..20 {
        one.commit(Command::add("n", 1)).await.unwrap();
    }
    bench.requests();
    assert_eq!(two.read(Freshness::Strong).await.unwrap().state().number("n"), Some(20));
    assert_eq!(bench.requests(), [("head".to_owned(), "found")]);
    assert_eq!(two.read(Freshness::Cached).await.unwrap().seq(), 21);
    assert_eq!(bench.requests(), []);
}

#[tokio::test(start_paused = true)]
async fn commands_of_one_moment_share_a_commit_and_fail_alone() {
    let bench = Bench::new(3);
    let journal = bench.open().await;
    bench.requests();
    let commands = (0..40)
        .map(|number| journal.commit(Command::insert(format!("key {}", number % 30), "value")));
    let answers = futures::future::join_all(commands).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 30);
    let rejected = answers
        .iter()
        .filter(|answer| matches!(answer, Err(CommitError::Rejected(Rejection::Version(Some(_))))));
    assert_eq!(rejected.count(), 10);
    assert!(bench.requests().len() <= 2);
}

#[tokio::test(start_paused = true)]
async fn a_writer_on_an_old_base_rebases_and_a_conflict_is_told_of_the_newest() {
    let bench = Bench::new(4);
    let (one, two) = (bench.open().await, bench.open().await);
    let first = one.commit(Command::put("key", "1")).await.unwrap();
    bench.requests();
    two.commit(Command::put("other", "2")).await.unwrap();
    let requests = bench.requests();
    let outcomes: Vec<_> = requests.iter().map(|request| request.1).collect();
    assert_eq!(outcomes, ["rejected", "found", "applied"]);
    let Reply::Written(version) = first.reply else { panic!() };
    let third = two.commit(Command::replace("key", "3", version)).await.unwrap();
    let Reply::Written(newest) = third.reply else { panic!() };
    bench.requests();
    // `one` still knows the old version, and is refused with the newest.
    let error = one.commit(Command::replace("key", "4", version)).await.unwrap_err();
    assert!(
        matches!(error, CommitError::Rejected(Rejection::Version(at)) if at == Some(newest)),
        "{error:?}"
    );
    // A rejection on a current base costs a look.
    bench.requests();
    one.commit(Command::replace("key", "5", version)).await.unwrap_err();
    assert_eq!(bench.requests(), [("head".to_owned(), "not_modified")]);
}

#[tokio::test(start_paused = true)]
async fn what_was_committed_is_there_for_a_new_reader_however_much_it_is() {
    let bench = Bench::new(5);
    let journal = bench.open().await;
    let mut value = vec![0; 700];
    for number in 0..4_000_u32 {
        bench.env.fill_random(&mut value);
        journal
            .commit(Command::put(format!("key {}", number % 1_500), value.clone()))
            .await
            .unwrap();
    }
    tokio::task::yield_now().await;
    let here = journal.read(Freshness::Strong).await.unwrap();
    bench.requests();
    let reader = bench.open().await;
    let requests = bench.requests();
    assert!(requests.len() <= 12, "{requests:?}");
    let there = reader.read(Freshness::Strong).await.unwrap();
    assert_eq!(here.state(), there.state());
    let totals = journal.totals();
    assert!(totals.checkpoints > 0 && totals.merges > 0, "{totals:?}");
    // Everything of the past is still there.
    let log: Vec<_> = reader.log(0).try_collect().await.unwrap();
    assert_eq!(log.len() as u64, there.seq());
    let past = reader.state_at(2_700).await.unwrap();
    assert_eq!(past.len(), 1_500);
    assert!(past.entry("key 0").unwrap().version.seq >= 1_502);
    let verified = verify(Arc::new(bench.store.clone()), Place::single().unwrap()).await.unwrap();
    assert_eq!((verified.damaged.len(), verified.first, verified.seq), (0, 1, there.seq()));
}

#[tokio::test(start_paused = true)]
async fn two_journals_of_one_store_do_not_meet() {
    let bench = Bench::new(6);
    let store: Arc<dyn ConditionalBlobStore> = Arc::new(bench.store.clone());
    let mut journals = Vec::new();
    for name in ["a", "b"] {
        let place = Place::partition(name).unwrap();
        let journal =
            Journal::open_at(Arc::clone(&store), place, KeyValue, Options::create()).await.unwrap();
        journal.commit(Command::put("name", name)).await.unwrap();
        journals.push(journal);
    }
    for (journal, name) in journals.iter().zip(["a", "b"]) {
        let read = journal.read(Freshness::Strong).await.unwrap();
        assert_eq!(read.state().value("name"), Some(name.as_bytes()));
    }
    let below = Prefixed::new(store, ifmatch_core::BlobKey::new("elsewhere").unwrap());
    let nothing = Journal::open(Arc::new(below), KeyValue, Options::open()).await.unwrap_err();
    assert_eq!(nothing.kind(), "not_found");
}

#[tokio::test(start_paused = true)]
async fn a_follower_hears_of_every_commit_once_and_in_order() {
    let bench = Bench::new(7);
    let (writer, reader) = (bench.open().await, bench.open().await);
    let heard = async {
        let commits = reader.follow(1, Pace::default()).take(300);
        commits.map_ok(|record| record.seq).try_collect::<Vec<_>>().await.unwrap()
    };
    let wrote = async {
        for number in 0..300_u32 {
            writer.commit(Command::put(format!("{number}"), vec![1; 200])).await.unwrap();
            bench.env.sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    let (heard, ()) = tokio::join!(heard, wrote);
    assert_eq!(heard, (2..302).collect::<Vec<u64>>());
}

#[tokio::test(start_paused = true)]
async fn an_explicit_checkpoint_makes_a_new_reader_read_nothing_else() {
    let bench = Bench::new(8);
    let journal = bench.open_with(Options::create().tail(256)).await;
    for number in 0..40 {
        journal.commit(Command::add("n", number)).await.unwrap();
    }
    let seq = journal.checkpoint().await.unwrap();
    assert_eq!(seq, 41);
    bench.requests();
    let reader = bench.open().await;
    assert_eq!(reader.read(Freshness::Cached).await.unwrap().state().number("n"), Some(780));
    assert_eq!(bench.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_commit_whose_tail_spills_is_two_requests_and_at_most_every_sixteenth_of_a_kibibyte_does()
{
    let bench = Bench::new(9);
    let journal = bench.open().await;
    bench.requests();
    let (mut value, mut since, mut spills) = (vec![0; 950], 0, 0);
    for number in 0..100 {
        // Noise: nothing that packing could help.
        bench.env.fill_random(&mut value);
        journal.commit(Command::put(format!("{number}"), value.clone())).await.unwrap();
        let requests = bench.requests();
        since += 1;
        match requests.len() {
            1 => assert_eq!(requests[0].0, "head"),
            2 => {
                assert!(requests[0].0.starts_with("segments/") && requests[1].0 == "head");
                assert!(since >= 16, "{since} commits after the last spill");
                (since, spills) = (0, spills + 1);
            }
            more => panic!("{more} requests: {requests:?}"),
        }
    }
    assert_eq!(spills, 6);
}
