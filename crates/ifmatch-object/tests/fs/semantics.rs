//! What the store answers.

use ifmatch_core::{
    Attempt, Base, ConditionalBlobStore, Current, Env, Error, Fetched, GetOptions, MemoryBlobStore,
    Precondition, Reach, RetryPolicy, Verdict, Version, WriteId, probe,
};
use ifmatch_object::{FsBlobStore, FsOptions};

use crate::support::{key, keys, put, quick, scratch, text};

#[tokio::test]
async fn the_probe_finds_the_store_safe_and_leaves_nothing() {
    let (_folder, store) = scratch();
    let report = probe(&store).await.unwrap();
    assert_eq!(report.verdict(), Verdict::Safe, "{report:?}");
    let left: Vec<_> = crate::support::objects(store.root());
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_store_says_where_it_is_and_what_it_can() {
    let policy = RetryPolicy::default().with_max_attempts(3);
    let options = FsOptions::default().retry(policy);
    let store = FsBlobStore::new("/data/my blobs", options, Env::real()).unwrap();
    assert_eq!(store.to_string(), "file:///data/my%20blobs");
    assert_eq!(store.endpoint().as_str(), "file");
    assert_eq!(store.capabilities().reach, Reach::Machine);
    assert_eq!(store.retry_policy(), policy);
    assert!(store.probe_gate().is_none());
    for relative in ["data", "./data", ""] {
        let refused = FsBlobStore::new(relative, FsOptions::default(), Env::real());
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn a_missing_root_reads_as_empty_and_is_not_created() {
    let (folder, store) = scratch();
    assert_eq!(text(&store, "a").await.unwrap(), None);
    assert!(store.head(&key("a/b")).await.unwrap().is_none());
    assert!(keys(&store, "", None).await.is_empty());
    assert_eq!(store.foreign_names().await.unwrap(), 0);
    store.delete(&key("a"), Precondition::Overwrite).await.unwrap();
    let stale = Precondition::IfMatch(Version::from_etag("1"));
    assert!(matches!(store.delete(&key("a"), stale.clone()).await, Err(Error::Conflict(_))));
    assert!(matches!(store.put(&key("a"), "1".into(), stale).await, Err(Error::Conflict(_))));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let deep = quick(&folder.path().join("x/y/z"));
    put(&deep, "a", "1").await.unwrap();
    assert_eq!(text(&deep, "a").await.unwrap().as_deref(), Some("1"));
}

#[tokio::test]
async fn a_write_says_who_it_was_and_what_it_replaced() {
    let (_folder, store) = scratch();
    let (key, ids) = (key("a/b"), [1, 2, 3].map(|n| WriteId::from_bytes([n; 16])));
    let body = || "same".into();
    let applied = |attempt| match attempt {
        Attempt::Applied(stored) => stored,
        other => panic!("{other:?}"),
    };
    let first = applied(store.attempt_put(&key, body(), &Precondition::IfAbsent, ids[0]).await);
    let record = store.head(&key).await.unwrap().unwrap().write.unwrap();
    assert_eq!((record.id, record.base), (ids[0], Some(Base::Absent)));

    let on_first = Precondition::IfMatch(first.version.clone());
    let second = applied(store.attempt_put(&key, body(), &on_first, ids[1]).await);
    let third = applied(store.attempt_put(&key, body(), &Precondition::Overwrite, ids[2]).await);
    assert!(first.version != second.version && second.version != third.version);
    let info = store.head(&key).await.unwrap().unwrap();
    let Some(Base::Version(base)) = info.write.unwrap().base else { panic!("no base") };
    assert!(base.is_same_write(&second.version), "{base:?}");
    assert!(info.version.is_same_write(&third.version));
    assert!(info.last_modified <= info.date && info.last_modified.is_some());
    let late = store.attempt_put(&key, body(), &on_first, ids[1]).await;
    assert!(matches!(late, Attempt::Rejected { date: Some(_) }), "{late:?}");
}

#[tokio::test]
async fn a_get_answers_whole_in_part_or_not_at_all() {
    let (_folder, store) = scratch();
    let stored = put(&store, "a", "0123456789").await.unwrap();
    let a = key("a");
    let get = |options| store.get(&a, options);
    let body = async |range| get(GetOptions::new().range(range)).await;
    let part = body(3..6).await.unwrap().found().unwrap();
    assert_eq!((&*part.body, part.info.size), (&b"345"[..], 10));
    assert_eq!(&*body(8..99).await.unwrap().found().unwrap().body, b"89");
    for range in [10..11, 5..5] {
        assert!(matches!(body(range).await, Err(Error::Invalid { .. })));
    }
    let same = get(GetOptions::new().if_none_match(stored.version.clone())).await.unwrap();
    assert!(matches!(same, Fetched::NotModified { date: Some(_) }), "{same:?}");
    let other = Version::from_etag("1");
    assert!(get(GetOptions::new().if_none_match(other.clone())).await.unwrap().found().is_some());
    assert!(get(GetOptions::new().if_match(stored.version.clone())).await.is_ok());
    let Err(Error::Conflict(conflict)) = get(GetOptions::new().if_match(other)).await else {
        panic!("no conflict")
    };
    assert_eq!(conflict.current, Current::Present(stored.version));
    put(&store, "a", "").await.unwrap();
    assert_eq!(text(&store, "a").await.unwrap().as_deref(), Some(""));
}

#[tokio::test]
async fn one_random_history_gives_the_same_answers_as_the_store_in_memory() {
    let (_folder, files) = scratch();
    let memory = MemoryBlobStore::new(Env::real());
    let names = ["a", "a/b", "a/b/c", "A", "ä", "z/%", "a-"].map(key);
    let random = Env::new(ifmatch_core::Simulation::seeded(7));
    let mut seen = vec![Default::default(); names.len()];
    for step in 0..1500 {
        let pick = |limit: usize| usize::try_from(random.random_u64() % limit as u64).unwrap();
        let at = pick(names.len());
        let (in_files, in_memory): &(Version, Version) = &seen[at];
        let (pre_files, pre_memory) = match pick(4) {
            0 => (Precondition::Overwrite, Precondition::Overwrite),
            1 => (Precondition::IfAbsent, Precondition::IfAbsent),
            _ => {
                (Precondition::IfMatch(in_files.clone()), Precondition::IfMatch(in_memory.clone()))
            }
        };
        if pick(3) == 0 {
            let one = files.delete(&names[at], pre_files).await.map_err(|error| error.kind());
            let two = memory.delete(&names[at], pre_memory).await.map_err(|error| error.kind());
            assert_eq!(one, two, "step {step}");
        } else {
            let body = format!("{step}");
            let one = files.put(&names[at], body.clone().into(), pre_files).await;
            let two = memory.put(&names[at], body.into(), pre_memory).await;
            assert_eq!(one.is_ok(), two.is_ok(), "step {step}: {one:?} {two:?}");
            match (one, two) {
                (Ok(one), Ok(two)) => seen[at] = (one.version, two.version),
                (one, two) => assert_eq!(one.unwrap_err().kind(), two.unwrap_err().kind()),
            }
        }
        let read = async |store: &dyn ConditionalBlobStore| {
            let found = store.get(&names[at], GetOptions::new()).await.unwrap().found();
            found.map(|blob| blob.body)
        };
        assert_eq!(read(&files).await, read(&memory).await, "step {step}");
    }
}
