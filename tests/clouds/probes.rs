//! Does the probe tell stores that keep their conditions from those that do
//! not, and does the gate keep the second kind from being written to?

use futures::TryStreamExt;
use ifmatch::testkit::cloud::{CloudConfig, Switches};
use ifmatch::{
    BlobPrefix, ConditionalBlobStore, Env, Error, GetOptions, Precondition, Verdict, Version, probe,
};
use url::Url;

use crate::fixture::{Cloud, World, each_cloud, key};
use crate::harness::Cases;

pub(crate) fn cases(cases: &mut Cases) {
    each_cloud!(
        cases,
        the_probe_accepts_a_server_that_keeps_its_conditions,
        s13_the_probe_refuses_a_server_that_ignores_conditions,
        s13_a_gate_refuses_before_anything_is_written_under_the_key,
        a_gate_asks_once_and_not_at_all_for_what_needs_no_condition,
        a_probe_that_cannot_ask_says_why_and_is_no_verdict,
    );
    for (name, variable) in
        [("ministack", "IFMATCH_TEST_S3_URL"), ("azurite", "IFMATCH_TEST_AZURE_URL")]
    {
        let case = format!("{name}::the_probe_accepts_it");
        cases.add_with_server(case, variable, move |url| async move { accepted(name, &url).await });
    }
    let variable = "IFMATCH_TEST_RCLONE_URL";
    cases.add_with_server("rclone::s13_the_probe_refuses_it", variable, |url| async move {
        let store = ifmatch::open(&in_a_folder(&url)).unwrap();
        let report = probe(&*store).await.unwrap();
        print(&report);
        assert_names_what_is_ignored(&report.require_safe().unwrap_err());
        assert_eq!(debris(&*store).await, 0);
    });
    cases.add_with_server(
        "rclone::s13_a_gate_refuses_before_anything_is_written_under_the_key",
        variable,
        |url| async move {
            let gated = in_a_folder(&url);
            let never = ifmatch::open(&format!("{gated}&probe=never")).unwrap();
            refused(&*ifmatch::open(&gated).unwrap(), &*never, "refused").await;
        },
    );
}

/// The URL of a folder of its own in a bucket that other tests use as well.
fn in_a_folder(url: &str) -> String {
    let mut url = Url::parse(url).unwrap();
    url.set_path(&format!("probed-{:016x}", Env::real().random_u64()));
    url.into()
}

fn print(report: &ifmatch::ProbeReport) {
    println!("{} at {}: {}", report.store(), report.endpoint(), report.verdict());
    for check in report.checks() {
        let mark = if check.ok { "ok" } else { "NO" };
        println!("  {mark} {}: {}", check.name, check.detail);
    }
}

async fn accepted(name: &str, url: &str) {
    let store = ifmatch::open(&in_a_folder(url)).unwrap();
    let report = probe(&*store).await.unwrap();
    print(&report);
    assert_ne!(report.verdict(), Verdict::Unsafe, "{name}");
    assert_eq!(debris(&*store).await, 0, "{name}");
}

/// Blobs in the folder of the probe. After a race of writers rclone's listing
/// shows a blob that can be neither read nor deleted; it is not counted.
async fn debris(store: &dyn ConditionalBlobStore) -> usize {
    let prefix = BlobPrefix::internal(".ifmatch/probe").unwrap();
    let listed: Vec<_> = store.list(&prefix, None).try_collect().await.unwrap();
    let mut there = 0;
    for info in listed {
        there += usize::from(store.head(&info.key).await.unwrap().is_some());
    }
    there
}

fn assert_names_what_is_ignored(error: &Error) {
    assert_eq!(error.kind(), "unsupported", "{error}");
    let text = error.to_string();
    for check in
        ["create twice", "stale update", "update on missing", "concurrent create", "probe=never"]
    {
        assert!(text.contains(check), "{check} is not in: {text}");
    }
}

/// A gated handle refuses every conditional write to a store that ignores
/// conditions; a handle that was told to never ask writes.
async fn refused(gated: &dyn ConditionalBlobStore, never: &dyn ConditionalBlobStore, name: &str) {
    let key = key(name);
    let stale = Precondition::IfMatch(Version::from_etag("0123456789abcdef0123456789abcdef"));
    for under in [Precondition::IfAbsent, stale] {
        let error = gated.put(&key, "x".into(), under).await.unwrap_err();
        assert_names_what_is_ignored(&error);
        assert!(never.head(&key).await.unwrap().is_none(), "nothing was written");
        assert_eq!(debris(never).await, 0, "the probe swept what it wrote");
    }
    never.put(&key, "1".into(), Precondition::IfAbsent).await.unwrap();
    never.put(&key, "2".into(), Precondition::IfAbsent).await.unwrap();
    let there = gated.get(&key, GetOptions::new()).await.unwrap().found().unwrap();
    assert_eq!(&there.body[..], b"2", "who answers for the store himself gets what it does");
    gated.delete(&key, Precondition::Overwrite).await.unwrap();
}

async fn liar(cloud: Cloud) -> World {
    let switches = Switches { ignore_conditions: true, ..Switches::default() };
    World::start_with(cloud, CloudConfig::default().switches(switches)).await
}

async fn the_probe_accepts_a_server_that_keeps_its_conditions(cloud: Cloud) {
    let world = World::start(cloud).await;
    let report = probe(&world.store()).await.unwrap();
    assert_eq!(report.verdict(), Verdict::Safe, "{cloud}: {report:?}");
    let repeats = report.checks().iter().find(|check| check.name == "A-B-A").unwrap();
    assert_eq!(repeats.detail.contains("equal versions"), cloud == Cloud::S3, "{cloud}");
    assert!(world.server.objects().is_empty(), "{cloud}: swept");
    println!("{cloud}: a probe costs {} requests", world.server.log().len());
}

async fn s13_the_probe_refuses_a_server_that_ignores_conditions(cloud: Cloud) {
    let world = liar(cloud).await;
    let report = probe(&world.store()).await.unwrap();
    assert_eq!(report.verdict(), Verdict::Unsafe, "{cloud}: {report:?}");
    assert_names_what_is_ignored(&report.require_safe().unwrap_err());
    assert!(world.server.objects().is_empty(), "{cloud}: swept");
}

async fn s13_a_gate_refuses_before_anything_is_written_under_the_key(cloud: Cloud) {
    let world = liar(cloud).await;
    let never = world.facade("&probe=never").unwrap();
    refused(&*world.facade("").unwrap(), &*never, "folder/refused").await;
    let below_the_key = |name: &String| !name.starts_with(".ifmatch/");
    let writes = world.server.applied_history("folder/refused");
    assert_eq!(writes.len(), 3, "{cloud}: two by probe=never and the delete");
    let named: std::collections::BTreeSet<_> = world
        .server
        .log()
        .into_iter()
        .filter(ifmatch::testkit::cloud::LogEntry::applied)
        .flat_map(|entry| entry.request.keys)
        .filter(below_the_key)
        .collect();
    assert_eq!(named.into_iter().collect::<Vec<_>>(), ["folder/refused"], "{cloud}");
}

async fn a_gate_asks_once_and_not_at_all_for_what_needs_no_condition(cloud: Cloud) {
    let world = World::start(cloud).await;
    let store = world.facade("").unwrap();
    let key = key("k");
    store.put(&key, "0".into(), Precondition::Overwrite).await.unwrap();
    store.get(&key, GetOptions::new()).await.unwrap();
    store.delete(&key, Precondition::Overwrite).await.unwrap();
    assert_eq!(world.server.log().len(), 3, "{cloud}: not asked for these");
    let first = store.put(&key, "1".into(), Precondition::IfAbsent).await.unwrap();
    let asked = world.server.log().len();
    assert!(asked > 10, "{cloud}: asked before the first condition, {asked}");
    let gate = store.probe_gate().unwrap();
    assert_eq!(gate.pass(&*store).await.unwrap(), Some(Verdict::Safe), "{cloud}");
    store.put(&key, "2".into(), Precondition::IfMatch(first.version)).await.unwrap();
    assert_eq!(world.server.log().len(), asked + 1, "{cloud}: asked once");
    // A handle of its own asks for itself; one that must not ask does not.
    let never = world.facade("&probe=never").unwrap();
    never.put(&key, "3".into(), Precondition::IfAbsent).await.unwrap_err();
    assert_eq!(world.server.log().len(), asked + 3, "{cloud}: a put and a head");
    let always = world.facade("&probe=always").unwrap();
    always.put(&key, "4".into(), Precondition::IfAbsent).await.unwrap_err();
    assert!(world.server.log().len() > asked + 10, "{cloud}");
}

async fn a_probe_that_cannot_ask_says_why_and_is_no_verdict(cloud: Cloud) {
    let world = World::start(cloud).await;
    world.server.set_switches(Switches { deny: true, ..Switches::default() });
    let store = world.facade("").unwrap();
    let key = key("k");
    let error = store.put(&key, "x".into(), Precondition::IfAbsent).await.unwrap_err();
    assert_eq!(error.kind(), "denied", "{cloud}: {error}");
    world.server.set_switches(Switches::default());
    store.put(&key, "x".into(), Precondition::IfAbsent).await.unwrap();
}
