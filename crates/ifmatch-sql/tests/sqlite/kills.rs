//! A writing process is killed at any moment: every acknowledged write is
//! there afterwards, and every batch is there as a whole or not at all.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use ifmatch_core::Env;
use ifmatch_meta::{Change, DocId, DocPrecondition as Pre, ETag, MetaStore, Scope};
use ifmatch_sql::{Durability, SqliteMetaStore, SqliteOptions};

use crate::support::{body, content, key, partition, put};

const CHILD: &str = "IFMATCH_TEST_WRITING_CHILD";
const DURABILITY: &str = "IFMATCH_TEST_DURABILITY";

fn options() -> SqliteOptions {
    match std::env::var(DURABILITY).as_deref() {
        Ok("process") => SqliteOptions::default().durability(Durability::Process).audit(true),
        _ => SqliteOptions::default().audit(true),
    }
}

fn tell(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).unwrap();
}

/// The child: eight tasks put documents, one writes batches over and over.
#[tokio::test(flavor = "multi_thread")]
async fn a_child_writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let store = SqliteMetaStore::open(path, options(), Env::real()).await.unwrap();
    let round = std::process::id();
    let mut tasks = Vec::new();
    for task in 0..8 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            for i in 0.. {
                let name = format!("{round}-{task}-{i}");
                let written = store.put(&key("p", &name), body(i), Pre::IfAbsent).await.unwrap();
                tell(&format!("ack {name} {i} {}", written.etag.bare()));
            }
        }));
    }
    for i in 0.. {
        let ops = (0..20).map(|id| put(&id.to_string(), i, Pre::Overwrite)).collect();
        store.batch(&partition("batch"), ops).await.unwrap();
        tell(&format!("batch {i}"));
    }
}

/// Runs a child, kills it after so many answers; hands back what it said.
fn killed_after(path: &Path, durability: &str, answers: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kills::a_child_writes_until_it_is_killed", "--nocapture"])
        .env(CHILD, path)
        .env(DURABILITY, durability)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while let Some(Ok(line)) = lines.next() {
        said.push(line);
        if said.len() == answers {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(said.len() >= answers, "the child ended by itself: {said:?}");
    said
}

/// The documents of the feed from its beginning.
async fn feed(store: &SqliteMetaStore, scope: Scope) -> Vec<(DocId, Option<ETag>)> {
    let (mut told, mut token) = (Vec::new(), None);
    loop {
        let page = store.changes(&scope, token.as_ref(), 1_000).await.unwrap();
        let one = |c: Change| (c.key().id.clone(), c.document().map(|document| document.etag));
        told.extend(page.changes.into_iter().map(one));
        if !page.more {
            return told;
        }
        token = Some(page.next);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn w14_every_acknowledged_write_survives_kill_9() {
    for durability in ["full", "process"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("meta.db");
        for answers in [5, 50, 300, 700, 1_500] {
            let said = killed_after(&path, durability, answers);
            let options = SqliteOptions::default().audit(true);
            let store = SqliteMetaStore::open(&path, options, Env::real()).await.unwrap();
            let mut acknowledged = 0;
            let mut last_batch = None;
            for line in &said {
                match line.split(' ').collect::<Vec<_>>().as_slice() {
                    // The last line may be cut by the kill.
                    ["ack", name, number, etag] if etag.len() > 25 => {
                        let found = store.get(&key("p", name)).await.unwrap();
                        let found = found.unwrap_or_else(|| panic!("{name} is lost"));
                        assert_eq!(found.body, body(number));
                        assert!(found.etag.bare().starts_with(etag), "{name}");
                        acknowledged += 1;
                    }
                    ["batch", number] => last_batch = number.parse::<u64>().ok().or(last_batch),
                    _ => {}
                }
            }
            assert!(acknowledged > 0 || answers < 50);
            let bodies: Vec<_> =
                content(&store, "batch").await.into_iter().map(|(_, body)| body).collect();
            assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:?}");
            if last_batch.is_some() {
                assert_eq!(bodies.len(), 20);
            }
            // What was written was recorded and is told, in the same order.
            let p = partition("p");
            let record = store.audit(&p, None, 1_000_000).await.unwrap();
            let recorded: Vec<_> = record.into_iter().map(|one| (one.id, one.etag)).collect();
            assert_eq!(recorded, feed(&store, Scope::Partition(p)).await);
            let check = store.local().read(|connection| {
                Ok(connection
                    .pragma_query_value(None, "integrity_check", |row| row.get::<_, String>(0))?)
            });
            assert_eq!(check.await.unwrap(), "ok");
            store.close().await.unwrap();
        }
    }
}
