//! What every call of an open handle answers about a head that it cannot go on
//! from, and that it goes on once the right one is back.

use futures::{StreamExt, TryStreamExt};
use ifmatch_journal::kv::{Command, Reply};
use ifmatch_journal::{CommitError, CommitId, Error, Freshness, Pace, Resolution};

use crate::bench::{Bench, Kv, quick};

/// Asks everything of a handle whose store holds something wrong. Every answer
/// is of this kind, nothing is written, and what the handle knew it still knows.
/// Gives the commits that were left open, and of which nothing is told.
pub(crate) async fn refused(bench: &Bench, journal: &Kv, kind: &str, what: &str) -> Vec<CommitId> {
    let open = refused_but_resolve(bench, journal, kind, what).await;
    for commit in &open {
        unresolved(bench, journal, *commit, kind, what).await;
    }
    open
}

/// A commit's outcome cannot be told.
pub(crate) async fn unresolved(
    bench: &Bench,
    journal: &Kv,
    commit: CommitId,
    kind: &str,
    what: &str,
) {
    bench
        .untouched(what, async {
            for answer in [journal.resolve(commit).await, journal.resolve_or_fence(commit).await] {
                match answer {
                    Ok(told) => panic!("{what}: {commit} is said to be {told:?}"),
                    Err(error) => assert_eq!(error.kind(), kind, "{what}: resolve: {error}"),
                }
            }
        })
        .await;
}

/// As [`refused`], without asking what became of a commit.
pub(crate) async fn refused_but_resolve(
    bench: &Bench,
    journal: &Kv,
    kind: &str,
    what: &str,
) -> Vec<CommitId> {
    let before = journal.read(Freshness::Cached).await.unwrap();
    let open = bench
        .untouched(what, async {
            readings(journal, kind, what).await;
            // Nothing is sent where the base must be proven first: nothing is open.
            let rejected = failed(journal.commit(Command::insert("n", "1")).await, what);
            assert_eq!((rejected.kind(), rejected.pending()), (kind, None), "{what}: a rejection");
            let commit = failed(journal.commit(Command::add("n", 1)).await, what);
            let fence = journal.fence().await.expect_err(what);
            let mut open = Vec::new();
            for error in [commit, fence] {
                assert_eq!(cause(&error), kind, "{what}: {error}");
                let pending = error.pending();
                open.push(pending.unwrap_or_else(|| panic!("{what}: no commit in {error:?}")));
            }
            open
        })
        .await;
    let after = journal.read(Freshness::Cached).await.unwrap();
    assert_eq!(after.commit(), before.commit(), "{what}: the handle stays where it was");
    assert_eq!(after.state(), before.state(), "{what}");
    open
}

pub(crate) async fn readings(journal: &Kv, kind: &str, what: &str) {
    let known = journal.read(Freshness::Cached).await.unwrap().commit();
    let errors = [
        ("read", journal.read(Freshness::Strong).await.map(drop)),
        ("log", journal.log(known.seq).try_collect::<Vec<_>>().await.map(drop)),
        ("follow", journal.follow(known.seq, Pace::default()).next().await.unwrap().map(drop)),
        ("state_at", journal.state_at(known.seq + 1).await.map(drop)),
    ];
    for (call, answer) in errors {
        match answer {
            Ok(()) => panic!("{what}: {call} answers"),
            Err(error) => assert_eq!(error.kind(), kind, "{what}: {call}: {error}"),
        }
    }
    // What was settled before needs nothing of the store.
    assert_eq!(journal.resolve(known).await.unwrap(), Resolution::Committed, "{what}");
}

/// The right bytes are there again: nothing was lost, nothing of what was left
/// open was applied, and everybody goes on.
pub(crate) async fn goes_on(bench: &Bench, journal: &Kv, open: &[CommitId], what: &str) {
    let before = journal.read(Freshness::Cached).await.unwrap();
    let now = journal.read(Freshness::Strong).await.unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(now.commit(), before.commit(), "{what}");
    for commit in open {
        let resolution = journal.resolve_or_fence(*commit).await.unwrap();
        assert_eq!(resolution, Resolution::Never, "{what}: {commit}");
    }
    let number = now.state().number("n").unwrap();
    let committed = journal.commit(Command::add("n", 1)).await.unwrap();
    assert_eq!(committed.reply, Reply::Sum(number + 1), "{what}");
    let other = bench.open(quick()).await.unwrap();
    let there = other.read(Freshness::Cached).await.unwrap();
    assert_eq!(there.commit(), committed.commit, "{what}");
    let log: Vec<_> = other.log(0).try_collect().await.unwrap();
    let entries: usize = log.iter().map(|record| record.entries.len()).sum();
    assert_eq!(i64::try_from(entries).unwrap(), number + 1, "{what}: each addition once");
}

/// What keeps the outcome open, or the error's own kind.
pub(crate) fn cause(error: &Error) -> &'static str {
    match error {
        Error::OutcomeUnknown { source, .. } => source.kind(),
        other => other.kind(),
    }
}

pub(crate) fn failed<R: std::fmt::Debug, J: std::fmt::Debug>(
    answer: Result<R, CommitError<J>>,
    what: &str,
) -> Error {
    match answer {
        Err(CommitError::Failed(error)) => error,
        other => panic!("{what}: {other:?}"),
    }
}

/// Opening gives an error of this kind and writes nothing.
pub(crate) async fn will_not_open(
    bench: &Bench,
    options: ifmatch_journal::Options,
    kind: &str,
    what: &str,
) -> Error {
    let opened = bench.untouched(what, bench.open(options)).await;
    let error = opened.expect_err(what);
    assert_eq!(error.kind(), kind, "{what}: {error}");
    error
}
