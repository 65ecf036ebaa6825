//! Many processes on one root, and processes that are killed.
//!
//! A child is this very test binary, told by its environment to be a worker.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ifmatch_core::{ConditionalBlobStore, Env, Error, GetOptions, Precondition};
use ifmatch_object::{FsBlobStore, FsOptions};

use crate::support::{debris, durable, in_memory, key, objects, put, quick, text};

const ROOT: &str = "IFMATCH_TEST_FS_ROOT";
const WORK: &str = "IFMATCH_TEST_FS_WORK";

/// Starts a child: what it does, and its number.
fn start(root: &Path, work: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::worker", "--nocapture"])
        .env(ROOT, root)
        .env(WORK, work)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Not a claim: the body of a child, which ends at once in the tests' process.
#[tokio::test]
async fn worker() {
    let (Ok(root), Ok(work)) = (std::env::var(ROOT), std::env::var(WORK)) else { return };
    let mut words = work.split(' ');
    let (task, durable) = (words.next().unwrap(), words.next() == Some("durable"));
    let number: u64 = words.next().unwrap().parse().unwrap();
    let options = FsOptions::default().durable(durable);
    let store = FsBlobStore::new(root, options, Env::real()).unwrap();
    match task {
        "count" => {
            for _ in 0..number {
                increment(&store, "counters/c").await;
            }
        }
        "write" => write_for_ever(&store, number).await,
        "churn" => churn(&store, number).await,
        other => panic!("unknown work {other}"),
    }
}

/// Adds one by compare-and-swap; the new value.
async fn increment(store: &FsBlobStore, name: &str) -> u64 {
    let key = key(name);
    loop {
        let found = store.get(&key, GetOptions::new()).await.unwrap().found();
        let (value, condition) = match found {
            None => (0, Precondition::IfAbsent),
            Some(blob) => {
                let text = std::str::from_utf8(&blob.body).unwrap().to_owned();
                (text.parse::<u64>().unwrap(), Precondition::IfMatch(blob.info.version))
            }
        };
        match store.put(&key, (value + 1).to_string().into(), condition).await {
            Ok(_) => return value + 1,
            Err(Error::Conflict(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// Says on the standard output what it was told is written.
async fn write_for_ever(store: &FsBlobStore, number: u64) {
    for round in 0_u64.. {
        let own = format!("own/{number}/{}", round % 3);
        let last = text(store, &own).await.unwrap().map_or(0, |body| value_of(&body));
        let body = format!("{} {}", last + 1, "x".repeat(usize::try_from(round % 50_000).unwrap()));
        put(store, &own, &body).await.unwrap();
        println!("\nack {own} {}", last + 1);
        increment(store, "shared").await;
        println!("\nack shared 1");
        let short_lived = format!("short/{number}/a/b");
        put(store, &short_lived, "x").await.unwrap();
        store.delete(&key(&short_lived), Precondition::Overwrite).await.unwrap();
    }
}

fn value_of(body: &str) -> u64 {
    body.split(' ').next().unwrap().parse().unwrap()
}

/// Creates and deletes in folders that others create and delete too.
async fn churn(store: &FsBlobStore, number: u64) {
    for round in 0..300 {
        let key = key(&format!("a/b{}/c/{number}", round % 2));
        let stored = store.put(&key, "1".into(), Precondition::IfAbsent).await.unwrap();
        store.delete(&key, Precondition::IfMatch(stored.version)).await.unwrap();
    }
}

fn finish(children: Vec<Child>) {
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[tokio::test]
async fn eight_processes_lose_none_of_4000_increments() {
    let folder = in_memory();
    finish((0..8).map(|_| start(folder.path(), "count quick 500")).collect());
    let total = text(&quick(folder.path()), "counters/c").await.unwrap();
    assert_eq!(total.as_deref(), Some("4000"));
    assert!(debris(folder.path()).is_empty());
}

#[tokio::test]
async fn eight_processes_lose_none_of_400_durable_increments() {
    let folder = tempfile::tempdir().unwrap();
    finish((0..8).map(|_| start(folder.path(), "count durable 50")).collect());
    let total = text(&durable(folder.path()), "counters/c").await.unwrap();
    assert_eq!(total.as_deref(), Some("400"));
}

#[tokio::test]
async fn processes_that_create_and_delete_in_the_same_folders_never_fail() {
    let folder = in_memory();
    finish((0..4).map(|n| start(folder.path(), &format!("churn quick {n}"))).collect());
    assert!(objects(folder.path()).is_empty(), "{:?}", objects(folder.path()));
}

/// What a child said before it was killed: the newest value of each key, and
/// how often it counted.
fn acknowledged(child: Child, newest: &mut BTreeMap<String, u64>) -> u64 {
    let said = child.wait_with_output().unwrap().stdout;
    let said = String::from_utf8_lossy(&said);
    let mut counted = 0;
    // A line that was cut by the kill is no acknowledgement.
    for line in said.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let words: Vec<_> = line.split_whitespace().collect();
        if let ["ack", name, value] = words[..] {
            let value: u64 = value.parse().unwrap();
            if name == "shared" {
                counted += value;
            } else {
                newest.insert(name.to_owned(), value);
            }
        }
    }
    counted
}

#[tokio::test]
async fn a_killed_writer_loses_nothing_that_it_acknowledged() {
    const KILLS: u64 = 45;
    let folder = tempfile::tempdir().unwrap();
    let env = Env::real();
    let (mut newest, mut counted) = (BTreeMap::new(), 0);
    for round in 0..KILLS / 3 {
        let works = ["write quick 1", "write durable 2", "write quick 3"];
        let mut children: Vec<_> = works.map(|work| start(folder.path(), work)).into();
        for child in &mut children {
            env.sleep(Duration::from_millis(40) + env.jitter(Duration::from_millis(60))).await;
            child.kill().unwrap();
        }
        for child in children {
            counted += acknowledged(child, &mut newest);
        }
        let store = durable(folder.path());
        for (name, value) in &newest {
            let body = text(&store, name).await.unwrap();
            let body = body.unwrap_or_else(|| panic!("{name} is gone, it was {value}"));
            // What was applied but not yet acknowledged may be there too.
            assert!(value_of(&body) >= *value, "{name}: {value} was acknowledged");
        }
        let shared: u64 =
            text(&store, "shared").await.unwrap().unwrap_or("0".into()).parse().unwrap();
        let killed = 3 * (round + 1);
        assert!((counted..=counted + killed).contains(&shared), "{shared} of {counted}");
    }
    assert!(counted > KILLS, "the writers were killed before they wrote: {counted}");
    println!(
        "{KILLS} kills, {counted} acknowledged increments, {} files left",
        debris(folder.path()).len()
    );
    let store = quick(folder.path());
    for n in 0..1000 {
        put(&store, &format!("sweep/{n}"), "").await.unwrap();
    }
    assert!(debris(folder.path()).is_empty());
}
