//! Bad input and stores that will not serve: typed errors, nothing unknown, no
//! secret.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use ifmatch::testkit::cloud::Switches;
use ifmatch::{
    BlobPrefix, ConditionalBlobStore, Error, GetOptions, OpenOptions, Precondition, Version,
};
use url::Url;

use crate::fixture::{Cloud, QUICK, World, each_cloud, key, write};
use crate::harness::Cases;

pub(crate) fn cases(cases: &mut Cases) {
    each_cloud!(
        cases,
        a_missing_bucket_is_not_found_by_name,
        s14_a_denied_request_is_denied_at_once_and_shows_no_secret,
        a_refused_connection_is_unavailable_and_nothing_is_unknown,
        a_server_that_never_answers_is_unknown_for_a_write_and_unavailable_for_a_read,
        s13_a_version_of_another_store_is_invalid_before_any_request,
        a_delete_under_if_absent_is_invalid_before_any_request,
        conditional_deletes_are_honoured_or_refused,
        s14_an_open_store_shows_no_secret,
    );
    cases.add("a_url_that_names_no_store_is_invalid_and_lists_what_there_is", || async {
        for (url, wanted) in [
            ("ftp://bucket", "s3://bucket/prefix"),
            ("s3a://bucket", "s3://bucket/prefix"),
            ("s3://", "needs a bucket"),
            ("s3://bucket?endpoint=nowhere", "endpoint"),
            ("gs://bucket?timeout=0s", "timeout"),
            ("az://container?account=a&proxy=x", "endpoint, account, allow_http, timeout, probe"),
        ] {
            let error = ifmatch::open(url).unwrap_err();
            assert_eq!(error.kind(), "invalid", "{url}: {error}");
            assert!(error.to_string().contains(wanted), "{url}: {error}");
        }
    });
}

/// S3 and GCS answer a HEAD without a body, so only a read or a write tells a
/// missing bucket from a missing object there.
async fn a_missing_bucket_is_not_found_by_name(cloud: Cloud) {
    let world = World::start(cloud).await;
    let url = world.url_of("nowhere", "&probe=never");
    let (store, key) = (ifmatch::open(&url).unwrap(), key("k"));
    let root = BlobPrefix::root();
    let errors = [
        store.put(&key, "x".into(), Precondition::IfAbsent).await.map(|_| ()),
        store.put(&key, "x".into(), Precondition::Overwrite).await.map(|_| ()),
        store.get(&key, GetOptions::new()).await.map(|_| ()),
        futures::TryStreamExt::try_next(&mut store.list(&root, None)).await.map(|_| ()),
        store.delete(&key, Precondition::Overwrite).await,
    ];
    for (number, result) in errors.into_iter().enumerate() {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), "not_found", "{cloud} {number}: {error}");
        assert!(error.to_string().contains("://nowhere"), "{cloud} {number}: {error}");
    }
    assert_eq!(world.server.log().len(), 5, "{cloud}: one request each");
}

async fn s14_a_denied_request_is_denied_at_once_and_shows_no_secret(cloud: Cloud) {
    let world = World::start(cloud).await;
    let (store, key) = (world.store(), key("k"));
    let stored = write(&store, &key, "x", Precondition::IfAbsent).await.unwrap();
    world.server.set_switches(Switches { deny: true, ..Switches::default() });
    world.server.clear_log();
    let root = BlobPrefix::root();
    let errors = [
        write(&store, &key, "y", Precondition::IfMatch(stored.version)).await.map(|_| ()),
        store.get(&key, GetOptions::new()).await.map(|_| ()),
        store.head(&key).await.map(|_| ()),
        futures::TryStreamExt::try_next(&mut store.list(&root, None)).await.map(|_| ()),
        store.delete(&key, Precondition::Overwrite).await,
    ];
    for (number, result) in errors.into_iter().enumerate() {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), "denied", "{cloud} {number}: {error}");
        assert_no_secret(&error);
    }
    assert_eq!(world.server.log().len(), 5, "{cloud}: one request each");
}

async fn a_refused_connection_is_unavailable_and_nothing_is_unknown(cloud: Cloud) {
    let world = World::start(cloud).await;
    // A port that nobody listens on any more.
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let url = world
        .url("&probe=never")
        .replace(&format!(":{}", world.server.port()), &format!(":{port}"));
    let policy = QUICK.with_max_attempts(3);
    let store = ifmatch_object::open_cloud(&Url::parse(&url).unwrap(), ifmatch::Env::real())
        .unwrap()
        .with_retry_policy(policy);
    let key = key("k");
    for (number, error) in [
        write(&store, &key, "x", Precondition::IfAbsent).await.unwrap_err(),
        write(&store, &key, "x", Precondition::Overwrite).await.unwrap_err(),
        store.get(&key, GetOptions::new()).await.unwrap_err(),
        store.delete(&key, Precondition::Overwrite).await.unwrap_err(),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(error.kind(), "unavailable", "{cloud} {number}: {error}");
        assert_eq!(error.retry(), ifmatch::Retry::Same, "{cloud} {number}");
        assert_no_secret(&error);
    }
    let hasty = OpenOptions::new().deadline(Duration::from_millis(200)).open(&url).unwrap();
    let error = hasty.put(&key, "x".into(), Precondition::IfAbsent).await.unwrap_err();
    assert_eq!(error.kind(), "unavailable", "{cloud}: {error}");
}

async fn a_server_that_never_answers_is_unknown_for_a_write_and_unavailable_for_a_read(
    cloud: Cloud,
) {
    let world = World::start(cloud).await;
    world.server.plan(|_| {
        let for_ever = Duration::from_mins(10);
        Some(ifmatch::testkit::cloud::Fault::BeforeApply(ifmatch::testkit::cloud::Ending::Stall(
            for_ever,
        )))
    });
    let store = world.store_with("&timeout=100ms", QUICK.with_max_attempts(2));
    let key = key("k");
    let error = write(&store, &key, "x", Precondition::IfAbsent).await.unwrap_err();
    assert_eq!(error.kind(), "outcome_unknown", "{cloud}: {error}");
    let error = store.get(&key, GetOptions::new()).await.unwrap_err();
    assert_eq!(error.kind(), "unavailable", "{cloud}: {error}");
    assert!(error.cause().unwrap().to_string().contains("100ms"), "{cloud}: {error:?}");
}

async fn s13_a_version_of_another_store_is_invalid_before_any_request(cloud: Cloud) {
    let world = World::start(cloud).await;
    let (store, key) = (world.store(), key("k"));
    let weak = Version::from_etag("W/\"1\"");
    let error = write(&store, &key, "x", Precondition::IfMatch(weak)).await.unwrap_err();
    assert_eq!(error.kind(), "invalid", "{cloud}: {error}");
    // Only a generation, where tags are matched on.
    let foreign = Version::from_parts(None, Some("7"));
    let answer = write(&store, &key, "x", Precondition::IfMatch(foreign)).await.unwrap_err();
    if cloud == Cloud::Gcs {
        assert_eq!(answer.kind(), "conflict", "{cloud}: a generation is all that GCS needs");
    } else {
        assert_eq!(answer.kind(), "invalid", "{cloud}: {answer}");
        assert!(world.server.log().is_empty(), "{cloud}: no request");
    }
}

async fn a_delete_under_if_absent_is_invalid_before_any_request(cloud: Cloud) {
    let world = World::start(cloud).await;
    let error = world.store().delete(&key("k"), Precondition::IfAbsent).await.unwrap_err();
    assert_eq!(error.kind(), "invalid", "{cloud}: {error}");
    assert!(world.server.log().is_empty(), "{cloud}");
}

async fn conditional_deletes_are_honoured_or_refused(cloud: Cloud) {
    let world = World::start(cloud).await;
    let (store, key) = (world.store(), key("k"));
    let first = write(&store, &key, "first", Precondition::IfAbsent).await.unwrap();
    let second = write(&store, &key, "second", Precondition::Overwrite).await.unwrap();
    world.server.clear_log();
    let stale = store.delete(&key, Precondition::IfMatch(first.version)).await.unwrap_err();
    if store.capabilities().delete_if_match {
        let Error::Conflict(conflict) = stale else { panic!("{cloud}: {stale}") };
        let there = ifmatch::Current::Present(second.version.clone());
        assert_eq!(conflict.current, there, "{cloud}");
        store.delete(&key, Precondition::IfMatch(second.version)).await.unwrap();
        assert!(world.server.object("k").is_none(), "{cloud}");
    } else {
        assert_eq!((cloud, stale.kind()), (Cloud::S3, "unsupported"), "{stale}");
        assert!(world.server.log().is_empty(), "{cloud}: no request");
    }
    store.delete(&key, Precondition::Overwrite).await.unwrap();
    store.delete(&key, Precondition::Overwrite).await.unwrap();
    assert!(world.server.object("k").is_none(), "{cloud}");
}

async fn s14_an_open_store_shows_no_secret(cloud: Cloud) {
    let world = World::start(cloud).await;
    for text in [
        format!("{:?} {}", world.store(), world.store()),
        format!("{:?}", world.facade("").unwrap()),
        format!("{:?} {}", world.store().endpoint(), world.store().endpoint()),
    ] {
        for secret in secrets() {
            assert!(!text.contains(&secret), "{cloud}: {text}");
        }
    }
}

/// What the environment holds that nobody may see.
fn secrets() -> Vec<String> {
    ["AWS_SECRET_ACCESS_KEY", "AZURE_STORAGE_ACCOUNT_KEY"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        // `test` is a part of too many words.
        .filter(|secret| secret.len() > 6)
        .chain(["sig=".into(), "Signature=".into()])
        .collect()
}

fn assert_no_secret(error: &Error) {
    let cause = error.cause().map(ToString::to_string).unwrap_or_default();
    let text = format!("{error} {error:?} {cause}");
    for secret in secrets() {
        assert!(!text.contains(&secret), "a secret in {text}");
    }
}
