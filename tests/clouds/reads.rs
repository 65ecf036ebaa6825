//! Reads, listings, and what each operation costs.

use futures::TryStreamExt;
use ifmatch::testkit::cloud::Operation::{Get, Head, List, Put};
use ifmatch::testkit::cloud::{CloudConfig, Ending, Fault, Matcher};
use ifmatch::{
    BlobKey, BlobPrefix, ConditionalBlobStore, Current, Error, Fetched, GetOptions, Precondition,
};

use crate::fixture::{Cloud, World, each_cloud, key, write};
use crate::harness::Cases;

pub(crate) fn cases(cases: &mut Cases) {
    each_cloud!(
        cases,
        a_put_costs_one_request_and_so_does_asking_whether_it_changed,
        a_get_under_a_stale_version_is_a_conflict_that_names_what_is_there,
        a_broken_read_is_sent_again,
        a_body_cut_short_is_never_a_blob,
        a_range_answered_by_the_whole_is_an_error,
        a_false_412_does_not_make_a_blob_absent_or_unchanged,
        a_version_out_of_a_listing_can_be_compared_and_swapped,
        a_listing_goes_on_where_a_page_was_lost,
        a_listing_below_a_folder_starts_after_a_key,
        w2_the_write_and_its_base_come_back_with_the_version,
    );
}

async fn a_put_costs_one_request_and_so_does_asking_whether_it_changed(cloud: Cloud) {
    let world = World::start(cloud).await;
    let (store, key) = (world.store(), key("k"));
    let body = "x".repeat(10_000);
    let stored = write(&store, &key, &body, Precondition::IfAbsent).await.unwrap();
    let again = Precondition::IfMatch(stored.version);
    let stored = write(&store, &key, &body, again).await.unwrap();
    assert_eq!(world.requests(), [Put, Put], "{cloud}");
    world.server.clear_log();
    let options = GetOptions::new().if_none_match(stored.version);
    let fetched = store.get(&key, options).await.unwrap();
    assert!(matches!(fetched, Fetched::NotModified { date: Some(_) }), "{cloud}: {fetched:?}");
    assert_eq!(world.requests(), [Get], "{cloud}");
    let sent = world.server.log()[0].bytes_out;
    assert!(sent < 1_000, "{cloud}: {sent} bytes, the body is not among them");
}

async fn a_get_under_a_stale_version_is_a_conflict_that_names_what_is_there(cloud: Cloud) {
    let world = World::start(cloud).await;
    let (store, key) = (world.store(), key("k"));
    let first = write(&store, &key, "first", Precondition::IfAbsent).await.unwrap();
    let second = write(&store, &key, "second", Precondition::Overwrite).await.unwrap();
    world.server.clear_log();
    let options = GetOptions::new().if_match(first.version);
    let error = store.get(&key, options.clone()).await.unwrap_err();
    let Error::Conflict(conflict) = error else { panic!("{cloud}: {error}") };
    assert_eq!(conflict.current, Current::Present(second.version.clone()), "{cloud}");
    assert_eq!(world.requests(), [Get, Head], "{cloud}");
    let current = GetOptions::new().if_match(second.version);
    assert!(store.get(&key, current).await.unwrap().found().is_some(), "{cloud}");
    store.delete(&key, Precondition::Overwrite).await.unwrap();
    let error = store.get(&key, options).await.unwrap_err();
    let Error::Conflict(conflict) = error else { panic!("{cloud}: {error}") };
    assert_eq!(conflict.current, Current::Absent, "{cloud}");
    assert!(matches!(store.get(&key, GetOptions::new()).await, Ok(Fetched::Absent { .. })));
}

async fn a_broken_read_is_sent_again(cloud: Cloud) {
    let world = World::start(cloud).await;
    let (store, key) = (world.store(), key("k"));
    write(&store, &key, "body", Precondition::IfAbsent).await.unwrap();
    for ending in [
        Ending::Close,
        Ending::Reset,
        Ending::HalfStatusLine,
        Ending::status(500),
        Ending::status(503),
        Ending::status(429),
        Ending::status(408),
    ] {
        world.server.clear_log();
        world.script(Get, &[Fault::AfterApply(ending)]);
        let blob = store.get(&key, GetOptions::new()).await.unwrap().found().unwrap();
        assert_eq!(&blob.body[..], b"body", "{cloud} {ending}");
        assert_eq!(world.requests(), [Get, Get], "{cloud} {ending}");
        world.script(Head, &[Fault::AfterApply(ending)]);
        assert!(store.head(&key).await.unwrap().is_some(), "{cloud} {ending}");
    }
}

/// A bit flipped on the way is not noticed at this level: TLS and the layers
/// above, which sign what they write, do that.
async fn a_body_cut_short_is_never_a_blob(cloud: Cloud) {
    let world = World::start(cloud).await;
    let (store, key) = (world.store(), key("k"));
    let whole = "0123456789".repeat(1_000);
    write(&store, &key, &whole, Precondition::IfAbsent).await.unwrap();
    world.server.clear_log();
    world.script(Get, &[Fault::TruncateBody, Fault::TruncateBody]);
    let blob = store.get(&key, GetOptions::new()).await.unwrap().found().unwrap();
    assert_eq!(&blob.body[..], whole.as_bytes(), "{cloud}");
    assert_eq!(world.requests(), [Get, Get, Get], "{cloud}");
    world.script(Get, &[Fault::FlipBit(0)]);
    let blob = store.get(&key, GetOptions::new()).await.unwrap().found().unwrap();
    assert_eq!(blob.body.len(), whole.len(), "{cloud}");
    assert_ne!(&blob.body[..], whole.as_bytes(), "{cloud}");
}

async fn a_range_answered_by_the_whole_is_an_error(cloud: Cloud) {
    let world = World::start(cloud).await;
    let (store, key) = (world.store(), key("k"));
    write(&store, &key, "0123456789", Precondition::IfAbsent).await.unwrap();
    let part = GetOptions::new().range(2..5);
    let blob = store.get(&key, part.clone()).await.unwrap().found().unwrap();
    assert_eq!((&blob.body[..], blob.info.size), (&b"234"[..], 10), "{cloud}");
    world.server.clear_log();
    world.script(Get, &[Fault::IgnoreRange]);
    let error = store.get(&key, part).await.unwrap_err();
    assert_eq!(error.kind(), "unsupported", "{cloud}: {error}");
    assert_eq!(world.requests(), [Get, Head], "{cloud}: asking again cannot help");
    // What lies behind the end is left out; nothing of it is an error.
    let tail = store.get(&key, GetOptions::new().range(8..99)).await.unwrap().found().unwrap();
    assert_eq!(&tail.body[..], b"89", "{cloud}");
    let behind = store.get(&key, GetOptions::new().range(10..11)).await.unwrap_err();
    assert_eq!(behind.kind(), "invalid", "{cloud}: {behind}");
}

async fn a_false_412_does_not_make_a_blob_absent_or_unchanged(cloud: Cloud) {
    let world = World::start(cloud).await;
    let (store, key) = (world.store(), key("k"));
    write(&store, &key, "body", Precondition::IfAbsent).await.unwrap();
    let lie = Fault::BeforeApply(Ending::status(412));
    world.script(Head, &[lie]);
    let head = store.head(&key).await;
    assert!(!matches!(head, Ok(None)), "{cloud}: {head:?}");
    world.script(Get, &[lie]);
    let got = store.get(&key, GetOptions::new()).await;
    assert!(!matches!(got, Ok(Fetched::NotModified { .. } | Fetched::Absent { .. })), "{cloud}");
    world.server.clear_faults();
    world.script(List, &[lie]);
    let root = BlobPrefix::root();
    let listed: Result<Vec<_>, _> = store.list(&root, None).try_collect().await;
    assert!(listed.is_err() || listed.is_ok_and(|found| found.len() == 1), "{cloud}");
}

/// A listing of GCS gives no generation, so that swap costs a request more;
/// one of Azure gives tags without quotes.
async fn a_version_out_of_a_listing_can_be_compared_and_swapped(cloud: Cloud) {
    let world = World::start(cloud).await;
    let (store, key) = (world.store(), key("k"));
    let stored = write(&store, &key, "first", Precondition::IfAbsent).await.unwrap();
    let listed: Vec<_> = store.list(&BlobPrefix::root(), None).try_collect().await.unwrap();
    assert_eq!(listed[0].version, stored.version, "{cloud}");
    world.server.clear_log();
    let version = listed[0].version.clone();
    let second = write(&store, &key, "second", Precondition::IfMatch(version.clone())).await;
    let wanted: &[_] = if cloud == Cloud::Gcs { &[Head, Put] } else { &[Put] };
    assert_eq!(world.requests(), wanted, "{cloud}");
    let late = write(&store, &key, "third", Precondition::IfMatch(version)).await.unwrap_err();
    let Error::Conflict(conflict) = late else { panic!("{cloud}: {late}") };
    assert_eq!(conflict.current, Current::Present(second.unwrap().version), "{cloud}");
    assert_eq!(&world.server.object("k").unwrap().body[..], b"second", "{cloud}");
}

async fn a_listing_goes_on_where_a_page_was_lost(cloud: Cloud) {
    let world = World::start_with(cloud, CloudConfig::default().page_size(3)).await;
    let store = world.store();
    let names: Vec<_> = (0..11).map(|number| format!("k{number:02}")).collect();
    for name in &names {
        write(&store, &key(name), name, Precondition::IfAbsent).await.unwrap();
    }
    for ending in [Ending::Close, Ending::status(503), Ending::HalfStatusLine] {
        world.server.inject(Matcher::any().operation(List), Fault::BeforeApply(ending));
        world.server.inject(Matcher::any().operation(List), Fault::TruncateBody);
        let listed: Vec<_> = store.list(&BlobPrefix::root(), None).try_collect().await.unwrap();
        let found: Vec<_> = listed.iter().map(|info| info.key.to_string()).collect();
        assert_eq!(found, names, "{cloud} {ending}");
    }
    let mut pages = store.list(&BlobPrefix::root(), None);
    let mut found = Vec::new();
    while let Some(info) = pages.try_next().await.unwrap() {
        found.push(info.key.to_string());
        // Every further page is lost once.
        world.script(List, &[Fault::AfterApply(Ending::Reset)]);
    }
    assert_eq!(found, names, "{cloud}: each once and in order");
}

async fn a_listing_below_a_folder_starts_after_a_key(cloud: Cloud) {
    let world = World::start_with(cloud, CloudConfig::default().page_size(2)).await;
    let store = world.store();
    for name in ["a", "a-b", "a/1", "a/2", "a/2/x", "a/3", "a0", "b"] {
        write(&store, &key(name), name, Precondition::IfAbsent).await.unwrap();
    }
    let below = BlobPrefix::new("a").unwrap();
    for (after, wanted) in [
        (None, vec!["a/1", "a/2", "a/2/x", "a/3"]),
        (Some("a/2"), vec!["a/2/x", "a/3"]),
        (Some("a/2/a"), vec!["a/2/x", "a/3"]),
        (Some("a/3"), vec![]),
        (Some("a"), vec!["a/1", "a/2", "a/2/x", "a/3"]),
        (Some("b"), vec![]),
    ] {
        let after = after.map(|after| BlobKey::new(after).unwrap());
        let listed: Vec<_> = store.list(&below, after.as_ref()).try_collect().await.unwrap();
        let found: Vec<_> = listed.iter().map(|info| info.key.as_str()).collect();
        assert_eq!(found, wanted, "{cloud} after {after:?}");
    }
}

async fn w2_the_write_and_its_base_come_back_with_the_version(cloud: Cloud) {
    let world = World::start(cloud).await;
    let (store, key) = (world.store(), key("k"));
    let first = write(&store, &key, "first", Precondition::IfAbsent).await.unwrap();
    let second =
        write(&store, &key, "second", Precondition::IfMatch(first.version.clone())).await.unwrap();
    let info = store.head(&key).await.unwrap().unwrap();
    assert!(info.version.is_same_write(&second.version), "{cloud}: {info:?}");
    let record = info.write.unwrap();
    assert_eq!(Some(record.id), second.version.written_by(), "{cloud}");
    let Some(ifmatch::Base::Version(base)) = record.base else { panic!("{cloud}: no base") };
    assert!(base.is_same_write(&first.version), "{cloud}: {base:?}");
    assert!(info.date.is_some() && info.last_modified.is_some(), "{cloud}");
    let blob = store.get(&key, GetOptions::new()).await.unwrap().found().unwrap();
    assert!(blob.info.version.is_same_write(&second.version), "{cloud}");
}
