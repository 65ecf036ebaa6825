//! One process with one working copy.

use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use ifmatch::meta::{DocKey, DocPrecondition, ImportOptions, Json, MetaStore, Scope, import};
use ifmatch::open_meta_store;
use ifmatch::sync::{Error as SyncError, SyncOptions, SyncReport, SyncedDatabase};
use serde_json::{Value, json};

const PACKAGES: &[u8] = include_bytes!("../data/debian-packages-10k.jsonl.zst");

type Failure = Box<dyn std::error::Error>;

/// A worker process, seen from the test.
pub(crate) struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts a process for the working copy `database` of `url`.
    pub(crate) fn start(database: &Path, url: &str) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("the worker does not start: {error}");
        let mut child = Command::new(std::env::current_exe().map_err(failed)?)
            .env("IFMATCH_TEST_WORKER", database)
            .env("IFMATCH_TEST_WORKER_URL", url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let input = child.stdin.take().ok_or("no input")?;
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        Ok(Self { child, input, output })
    }

    pub(crate) fn send(&mut self, command: &Value) -> Result<(), String> {
        writeln!(self.input, "{command}").map_err(|error| format!("the worker is gone: {error}"))
    }

    pub(crate) fn answer(&mut self) -> Result<Value, String> {
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(|error| error.to_string())?;
        serde_json::from_str(&line).map_err(|error| format!("answer {line:?}: {error}"))
    }

    /// Kills the process after `life` and gives the whole lines it printed.
    pub(crate) fn lines_until_killed(mut self, life: Duration) -> Vec<Value> {
        std::thread::sleep(life);
        let _ = self.child.kill();
        let mut printed = String::new();
        // What it printed before it died is in the pipe.
        let _ = self.output.read_to_string(&mut printed);
        printed.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Sends a command and waits for its answer.
    pub(crate) fn ask(&mut self, command: &Value) -> Result<Value, String> {
        self.send(command)?;
        self.answer()
    }

    /// The same, where anything but success fails the test.
    pub(crate) fn do_(&mut self, command: &Value) -> Result<Value, String> {
        let answer = self.ask(command)?;
        if answer["error"].is_null() { Ok(answer) } else { Err(format!("{command}: {answer}")) }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Only this child of ours, by its handle.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The worker's side: reads commands until its input ends.
pub(crate) fn serve() {
    let database = PathBuf::from(std::env::var_os("IFMATCH_TEST_WORKER").unwrap_or_default());
    let url = std::env::var("IFMATCH_TEST_WORKER_URL").unwrap_or_default();
    let Ok(runtime) = tokio::runtime::Builder::new_multi_thread().enable_all().build() else {
        return;
    };
    for line in std::io::stdin().lines() {
        let Ok(line) = line else { return };
        let answer = match runtime.block_on(execute(&database, &url, &line)) {
            Ok(answer) => answer,
            Err(error) => failure(&*error),
        };
        println!("{answer}");
    }
}

fn failure(error: &(dyn std::error::Error + 'static)) -> Value {
    match error.downcast_ref::<SyncError>() {
        Some(SyncError::Conflict(conflict)) => json!({
            "error": "conflict",
            "base": conflict.base.map(|base| base.to_string()),
            "remote": conflict.remote.to_string(),
        }),
        Some(other) => json!({ "error": other.kind(), "message": format!("{other:?}") }),
        None => json!({ "error": "other", "message": error.to_string() }),
    }
}

async fn execute(path: &Path, url: &str, line: &str) -> Result<Value, Failure> {
    let command: Value = serde_json::from_str(line)?;
    let copy =
        || async { SyncedDatabase::open(path, ifmatch::open(url)?, SyncOptions::new()).await };
    let options = SyncOptions::new();
    Ok(match command["do"].as_str().unwrap_or_default() {
        "import" => {
            let store = documents(path).await?;
            let lines = BufReader::new(zstd::Decoder::new(Cursor::new(PACKAGES))?);
            let fields = ImportOptions::new("section", "package");
            let report = import(&*store, lines, &fields).await.map_err(|e| e.to_string());
            store.close().await?;
            let report = report?;
            json!({ "imported": report.imported, "failed": report.failed })
        }
        "init" => told(&SyncedDatabase::init(path, ifmatch::open(url)?, url, options).await?.1),
        "clone" => {
            told(&SyncedDatabase::clone_to(path, ifmatch::open(url)?, url, options).await?.1)
        }
        "push" => told(&copy().await?.push().await?),
        "pull" => told(&copy().await?.pull().await?),
        "reload" => told(&copy().await?.reload().await?),
        "insert" => {
            let store = documents(path).await?;
            let id = command["id"].as_str().unwrap_or_default();
            let body = Json::new(json!({ "package": id }).to_string())?;
            let put = store.put(&DocKey::new("added", id)?, body, DocPrecondition::IfAbsent).await;
            store.close().await?;
            json!({ "etag": put?.etag.to_string() })
        }
        "insert_and_push" => crate::many::insert_and_push(path, url, &command).await?,
        "insert_and_push_for_ever" => {
            crate::kills::insert_and_push_for_ever(path, url, &command).await?
        }
        "ids" => json!({ "ids": ids(&*documents(path).await?).await? }),
        other => return Err(format!("no command {other:?}").into()),
    })
}

/// The documents of a copy; close it before the copy is reloaded.
pub(crate) async fn documents(path: &Path) -> Result<Arc<dyn MetaStore>, ifmatch::meta::Error> {
    open_meta_store(&format!("sqlite:{}?durability=process", path.display())).await
}

/// Every document's name with its ETag.
async fn ids(store: &dyn MetaStore) -> Result<Vec<String>, ifmatch::meta::Error> {
    use futures::TryStreamExt;
    let mut found = Vec::new();
    for partition in store.partitions(None, 10_000).await? {
        let mut documents = store.documents(&partition, ifmatch::meta::ScanOptions::default());
        while let Some(document) = documents.try_next().await? {
            found.push(format!("{} {}", document.key, document.etag));
        }
    }
    let counted = store.count(&Scope::All).await?;
    store.close().await?;
    assert_eq!(counted, found.len() as u64, "the count is that of the scan");
    Ok(found)
}

fn told(report: &SyncReport) -> Value {
    json!({ "outcome": report.outcome.as_str(), "base": report.base.to_string() })
}
