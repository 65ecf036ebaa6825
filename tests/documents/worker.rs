//! One process with one store.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use ifmatch::OpenMetaOptions;
use ifmatch::meta::{
    DocKey, DocPrecondition, Json, MetaStore, Op, Partition, Transaction, TxOptions,
};
use ifmatch::testkit::suite::meta::Wanted;
use serde_json::{Value, json};

use crate::harness::RUNTIME;

/// Holds the URL of the store of a worker.
pub(crate) const VARIABLE: &str = "IFMATCH_TEST_DOCUMENTS";

pub(crate) fn with_transactions(mut wanted: Wanted) -> Wanted {
    wanted.transactions = true;
    wanted
}

pub(crate) fn with_everything(mut wanted: Wanted) -> Wanted {
    (wanted.transactions, wanted.audit) = (true, true);
    wanted
}

/// A worker process, seen from the test.
pub(crate) struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    pub(crate) fn start(url: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(VARIABLE, url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output }
    }

    pub(crate) fn send(&mut self, command: &Value) {
        writeln!(self.input, "{command}").unwrap();
    }

    pub(crate) fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("answer {line:?}: {error}"))
    }

    /// Kills the process after `life` and gives the whole lines that it printed.
    pub(crate) fn lines_until_killed(mut self, life: Duration) -> Vec<Value> {
        std::thread::sleep(life);
        let _ = self.child.kill();
        let mut printed = String::new();
        // What it printed before it died is in the pipe.
        let _ = self.output.read_to_string(&mut printed);
        printed.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Only this child of ours, by its handle.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The worker's side: does what each line asks for until its input ends.
pub(crate) fn serve() {
    let url = std::env::var(VARIABLE).unwrap();
    let options = OpenMetaOptions::new().transactions(true);
    let store = RUNTIME.block_on(options.open(&url)).unwrap();
    for line in std::io::stdin().lines() {
        let command: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let answer = RUNTIME.block_on(execute(&store, &command));
        println!("{}", answer.unwrap_or_else(|error| json!({ "error": error })));
    }
}

async fn execute(store: &Arc<dyn MetaStore>, command: &Value) -> Result<Value, String> {
    let task = command["task"].as_u64().unwrap_or_default();
    match command["do"].as_str().unwrap_or_default() {
        "count" => count(store, command["rounds"].as_u64().unwrap_or_default(), task).await,
        "work_for_ever" => {
            work_for_ever(store, command["round"].as_u64().unwrap_or_default()).await
        }
        other => Err(format!("no command {other:?}")),
    }
}

fn shown(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Increments a shared document at the tag that was read, and creates a document
/// for each increment in the same batch.
async fn count(store: &Arc<dyn MetaStore>, rounds: u64, task: u64) -> Result<Value, String> {
    let key = DocKey::new("p", "counter").map_err(shown)?;
    let (mut done, mut conflicts) = (0, 0);
    while done < rounds {
        let found = store.get(&key).await.map_err(shown)?;
        let (sum, pre) = match &found {
            None => (0, DocPrecondition::IfAbsent),
            Some(found) => {
                let sum = found.body.value().map_err(shown)?["sum"].as_u64().unwrap_or_default();
                (sum, DocPrecondition::IfMatch(found.etag))
            }
        };
        let own = DocKey::new("p", format!("inc-{task}-{done}")).map_err(shown)?;
        let body = Json::of(&json!({ "sum": sum + 1 })).map_err(shown)?;
        let ops = vec![
            Op::put(key.id.clone(), body.clone(), pre),
            Op::put(own.id, body, DocPrecondition::IfAbsent),
        ];
        match store.batch(&key.partition, ops).await {
            Ok(_) => done += 1,
            Err(error) if error.kind() == "conflict" => conflicts += 1,
            Err(error) => return Err(format!("{}: {error}", error.kind())),
        }
    }
    Ok(json!({ "done": done, "conflicts": conflicts }))
}

/// Writes pairs by batches and by transactions, and says so, until it is killed.
async fn work_for_ever(store: &Arc<dyn MetaStore>, round: u64) -> Result<Value, String> {
    let (p, q) = (Partition::new("p").map_err(shown)?, Partition::new("q").map_err(shown)?);
    for n in 0_u64.. {
        let pair = |side: &str| -> Result<Op, String> {
            let id = format!("{side}-{round}-{n}");
            let key = DocKey::new("p", id).map_err(shown)?;
            Ok(Op::put(key.id, Json::stored("{}"), DocPrecondition::IfAbsent))
        };
        let ops = vec![pair("a")?, pair("b")?];
        store.batch(&p, ops.clone()).await.map_err(shown)?;
        println!("{}", json!({ "p": format!("{round}-{n}") }));
        let options = TxOptions::default().lifetime(Duration::from_millis(500));
        let tx = match Transaction::begin(store.clone(), &q, options).await {
            Ok(tx) => tx,
            // Of a process that was killed.
            Err(error) if error.kind() == "partition_locked" => {
                store.env().sleep(Duration::from_millis(20)).await;
                continue;
            }
            Err(error) => return Err(shown(error)),
        };
        tx.batch(&q, ops).await.map_err(shown)?;
        match tx.commit().await {
            Ok(_) => println!("{}", json!({ "q": format!("{round}-{n}") })),
            Err(error) if error.kind() == "expired" => {}
            Err(error) => return Err(shown(error)),
        }
    }
    Ok(Value::Null)
}
