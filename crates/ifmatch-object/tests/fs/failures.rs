//! Every operation of a write fails once: then the old or the new body is
//! there, whole, and the answer was true.

use std::sync::Arc;

use futures::TryStreamExt;
use ifmatch_core::{
    Attempt, BlobPrefix, ConditionalBlobStore, Env, Error, GetOptions, Precondition, Stored,
    WriteId,
};
use ifmatch_object::FsBlobStore;
use ifmatch_object::fs_seam::{Call, Fate, FileOp};

use crate::support::{Recorder, debris, durable, hooked, in_memory, key, put, text};

const EIO: i32 = 5;
const EACCES: i32 = 13;
const EMFILE: i32 = 24;
const ENOSPC: i32 = 28;
const OLD: &str = "the old body";
const NEW: &str = "another, longer body";

/// Which write meets the failures.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Write {
    Overwrite,
    Create,
    Delete,
}

impl Write {
    fn before(self) -> Option<&'static str> {
        if self == Self::Create { None } else { Some(OLD) }
    }

    fn after(self) -> Option<&'static str> {
        if self == Self::Delete { None } else { Some(NEW) }
    }

    async fn attempt(self, store: &FsBlobStore, name: &str) -> Attempt<()> {
        let (key, id) = (key(name), WriteId::random(&Env::real()));
        let done = |attempt: Attempt<Stored>| match attempt {
            Attempt::Applied(_) => Attempt::Applied(()),
            Attempt::Rejected { date } => Attempt::Rejected { date },
            Attempt::Refused(error) => Attempt::Refused(error),
            Attempt::Unknown(error) => Attempt::Unknown(error),
            other => panic!("{other:?}"),
        };
        let condition = Precondition::Overwrite;
        match self {
            Self::Create => {
                let absent = Precondition::IfAbsent;
                done(store.attempt_put(&key, NEW.into(), &absent, id).await)
            }
            Self::Overwrite => done(store.attempt_put(&key, NEW.into(), &condition, id).await),
            Self::Delete => match store.attempt_delete(&key, &condition).await {
                Attempt::Applied(_) => Attempt::Applied(()),
                Attempt::Rejected { date } => Attempt::Rejected { date },
                Attempt::Refused(error) => Attempt::Refused(error),
                Attempt::Unknown(error) => Attempt::Unknown(error),
                other => panic!("{other:?}"),
            },
        }
    }
}

/// Lets the n-th operation of `write` fail for every n; gives how many there
/// were to `seen`.
async fn fail_each(write: Write, fate: Fate, mut seen: impl FnMut(&FileOp, &Attempt<()>)) {
    for n in 0.. {
        let folder = in_memory();
        let recorder = Arc::new(Recorder::default());
        if let Some(body) = write.before() {
            put(&durable(folder.path()), "a/b", body).await.unwrap();
        }
        let store = hooked(folder.path(), recorder.clone());
        recorder.plan(n, fate);
        let attempt = write.attempt(&store, "a/b").await;
        let ops = recorder.ops();
        let Some(failed) = ops.get(n) else {
            assert!(matches!(attempt, Attempt::Applied(())), "{attempt:?}");
            assert!(n > 10, "only {n} operations");
            return;
        };
        let context = format!("{write:?} with {fate:?} at {n}: {failed:?}: {attempt:?}");
        seen(failed, &attempt);

        let anew = durable(folder.path());
        let there = text(&anew, "a/b").await.unwrap();
        match &attempt {
            Attempt::Applied(()) => {
                assert_eq!(there.as_deref(), write.after(), "{context}");
                let synced = [Call::SyncFile, Call::SyncFolder, Call::Write, Call::Rename];
                assert!(!synced.contains(&failed.call), "not durable: {context}");
            }
            Attempt::Refused(_) => assert_eq!(there.as_deref(), write.before(), "{context}"),
            Attempt::Unknown(_) => {
                let either = [write.before(), write.after()];
                assert!(either.contains(&there.as_deref()), "{context}");
            }
            other => panic!("{other:?}: {context}"),
        }
        put(&anew, "a/b", "the next body").await.unwrap();
        assert_eq!(text(&anew, "a/b").await.unwrap().as_deref(), Some("the next body"));
        assert!(debris(folder.path()).is_empty(), "{context}");
    }
}

#[tokio::test]
async fn an_answer_is_true_whichever_operation_fails() {
    for write in [Write::Overwrite, Write::Create, Write::Delete] {
        for fate in [Fate::Fail(EIO), Fate::Fail(ENOSPC), Fate::FailAfter(EIO), Fate::Short(ENOSPC)]
        {
            let mut unknown = 0;
            fail_each(write, fate, |op, attempt| {
                if let Attempt::Unknown(_) = attempt {
                    unknown += 1;
                    let calls = [Call::Rename, Call::SyncFolder, Call::RemoveFile];
                    assert!(calls.contains(&op.call), "needlessly unknown: {op:?}");
                }
            })
            .await;
            assert!(unknown > 0, "{write:?} {fate:?}: no failure after the write counted");
        }
    }
}

#[tokio::test]
async fn a_failure_before_the_write_leaves_no_trace() {
    for write in [Write::Overwrite, Write::Create] {
        fail_each(write, Fate::Short(ENOSPC), |op, attempt| {
            if matches!(op.call, Call::Write | Call::SyncFile | Call::MakeFolder) {
                assert!(matches!(attempt, Attempt::Refused(Error::Other { .. })), "{attempt:?}");
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_failure_has_the_kind_that_says_what_to_do() {
    for (errno, kind) in
        [(ENOSPC, "other"), (EACCES, "denied"), (EMFILE, "unavailable"), (EIO, "other")]
    {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Arc::new(Recorder::default());
        let store = hooked(folder.path(), recorder.clone());
        put(&store, "a", OLD).await.unwrap();
        let plan = |call: Call| {
            let ops = recorder.ops();
            recorder.plan(ops.iter().rposition(|op| op.call == call).unwrap(), Fate::Fail(errno));
        };
        recorder.clear();
        put(&store, "a", OLD).await.unwrap();
        plan(Call::Write);
        let id = WriteId::random(&Env::real());
        let attempt = store.attempt_put(&key("a"), NEW.into(), &Precondition::Overwrite, id).await;
        let Attempt::Refused(error) = attempt else { panic!("{attempt:?}") };
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(" of a"), "{error}");
        let cause = error.cause().unwrap();
        let causes = format!("{cause}: {}", cause.source().unwrap());
        assert!(causes.contains(".ifmatch-store/") && causes.contains("os error"), "{causes}");
    }
}

#[tokio::test]
async fn a_handle_whose_folder_could_not_be_synced_answers_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Arc::new(Recorder::default());
    let store = hooked(folder.path(), recorder.clone());
    put(&store, "a", OLD).await.unwrap();
    recorder.clear();
    put(&store, "a", OLD).await.unwrap();
    let last = recorder.ops().iter().rposition(|op| op.call == Call::SyncFolder).unwrap();
    recorder.plan(last, Fate::Fail(EIO));
    // The read-back sees the new body, but not that it is on the disk.
    let error = store.put(&key("a"), NEW.into(), Precondition::Overwrite).await.unwrap_err();
    assert_eq!(error.kind(), "outcome_unknown", "{error:?}");
    let read = store.clone().get(&key("a"), GetOptions::new()).await.unwrap_err();
    assert!(matches!(&read, Error::Closed { what } if what.contains("sync")), "{read:?}");
    assert_eq!(put(&store, "b", NEW).await.unwrap_err().kind(), "closed");
    assert_eq!(text(&durable(folder.path()), "a").await.unwrap().as_deref(), Some(NEW));
}

#[tokio::test]
async fn a_read_that_fails_is_an_error_and_never_an_absence() {
    let folder = in_memory();
    let recorder = Arc::new(Recorder::default());
    put(&durable(folder.path()), "a/b", OLD).await.unwrap();
    let (mut failed, store) = (0, hooked(folder.path(), recorder.clone()));
    for n in 0.. {
        recorder.plan(n, Fate::Fail(EIO));
        let found = store.head(&key("a/b")).await;
        let heads = recorder.ops().len();
        assert_eq!(found.is_err(), n < heads, "{found:?}");
        recorder.plan(n, Fate::Fail(EIO));
        let body = text(&store, "a/b").await;
        let gets = recorder.ops().len();
        assert_eq!(body.is_err(), n < gets, "{body:?}");
        recorder.plan(n, Fate::Fail(EIO));
        let listed: Result<Vec<_>, _> = store.list(&BlobPrefix::root(), None).try_collect().await;
        let lists = recorder.ops().len();
        assert_eq!(listed.is_err(), n < lists, "{listed:?}");
        failed += 1;
        if n >= heads.max(gets).max(lists) {
            break;
        }
    }
    assert!(failed > 15, "only {failed} operations");
}
