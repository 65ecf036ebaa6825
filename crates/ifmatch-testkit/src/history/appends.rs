//! Transactions that append to lists, for [`cycles`](crate::check::cycles).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ifmatch_meta::{
    DocId, DocKey, DocPrecondition, Document, Error, Json, MetaStore, Op, Partition, ScanOptions,
    TxOptions, transact,
};
use serde_json::json;

use crate::check::Moment;
use crate::check::cycles::{Consistency, History, Outcome, Report, Step, Transaction, check};
use crate::suite::Failure;
use ifmatch_core::RetryPolicy;
use ifmatch_meta::Transaction as Locked;

/// How a transaction is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum By {
    /// Documents are read, and one batch checks the tags of what was read and
    /// writes.
    #[default]
    Batches,
    /// [`transact`]: documents are read, and run again where they changed.
    Transact,
    /// [`Transaction`](ifmatch_meta::Transaction): the partition is locked.
    Transactions,
}

/// What is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Appending {
    /// How.
    pub by: By,
    /// So many tasks.
    pub tasks: u64,
    /// So many transactions each.
    pub each: u64,
    /// On so many lists.
    pub lists: u64,
}

impl Default for Appending {
    fn default() -> Self {
        Self { by: By::default(), tasks: 6, each: 25, lists: 4 }
    }
}

impl Appending {
    /// The same, made in this way.
    pub fn by(mut self, by: By) -> Self {
        self.by = by;
        self
    }

    /// The same, of so many transactions for each of so many tasks.
    pub fn sized(mut self, tasks: u64, each: u64) -> Self {
        (self.tasks, self.each) = (tasks, each);
        self
    }
}

/// Runs transactions that read lists and append to them, and judges their
/// history: strictly serializable, or an anomaly.
///
/// # Errors
/// An anomaly, or an error that no transaction may end with.
pub async fn append(
    store: &Arc<dyn MetaStore>,
    partition: &Partition,
    seed: u64,
    what: Appending,
) -> Result<Report, Failure> {
    let clock = Arc::new(AtomicU64::new(0));
    let running: Vec<_> = (0..what.tasks)
        .map(|task| {
            let random = fastrand::Rng::with_seed(seed.wrapping_add(task.wrapping_mul(0x9e37)));
            let lists = Lists { store: store.clone(), partition: partition.clone() };
            let client = Client { lists, what, task, clock: clock.clone(), random, drawn: 0 };
            tokio::spawn(client.run())
        })
        .collect();
    let mut history = History::default();
    for task in running {
        history.transactions.extend(task.await??);
    }
    let lists = Lists { store: store.clone(), partition: partition.clone() };
    for list in 0..what.lists {
        history.finals.insert(list, lists.read(list).await?.0);
    }
    let report = check(&history, Consistency::Strict);
    if report.anomalies.is_empty() { Ok(report) } else { Err(Failure::new(report.to_string())) }
}

/// Lists as documents.
struct Lists {
    store: Arc<dyn MetaStore>,
    partition: Partition,
}

impl Lists {
    fn key(&self, list: u64) -> Result<DocKey, Failure> {
        Ok(DocKey { partition: self.partition.clone(), id: DocId::new(format!("list{list}"))? })
    }

    /// A list and the condition under which it is still so.
    async fn read(&self, list: u64) -> Result<(Vec<u64>, DocPrecondition), Failure> {
        held(self.store.get(&self.key(list)?).await?.as_ref())
    }
}

fn held(found: Option<&Document>) -> Result<(Vec<u64>, DocPrecondition), Failure> {
    let Some(found) = found else { return Ok((Vec::new(), DocPrecondition::IfAbsent)) };
    let values = serde_json::from_value(found.body.value()?["values"].clone())?;
    Ok((values, DocPrecondition::IfMatch(found.etag)))
}

/// Why a body of `transact` ended.
enum Ended {
    Store(Error),
    Wrong(Failure),
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Wrong(failure)
    }
}

fn appends(plan: &[(u64, Option<u64>)]) -> Vec<Step> {
    let append =
        |(key, value): &(u64, Option<u64>)| value.map(|value| Step::Append { key: *key, value });
    plan.iter().filter_map(append).collect()
}

struct Client {
    lists: Lists,
    what: Appending,
    task: u64,
    clock: Arc<AtomicU64>,
    random: fastrand::Rng,
    drawn: u64,
}

impl Client {
    async fn run(mut self) -> Result<Vec<Transaction>, Failure> {
        let mut all = Vec::new();
        for _ in 0..self.what.each {
            all.push(match self.random.u8(..6) {
                0 => self.read_all().await?,
                _ => match self.what.by {
                    By::Batches => self.by_batch().await?,
                    By::Transact => self.by_transact().await?,
                    By::Transactions => self.by_transaction().await?,
                },
            });
        }
        Ok(all)
    }

    fn moment(&self) -> Moment {
        let time = self.clock.fetch_add(1, Ordering::SeqCst);
        Moment::new(time, time)
    }

    /// One page of all lists is one moment.
    async fn read_all(&mut self) -> Result<Transaction, Failure> {
        let invoked = self.moment();
        let options = ScanOptions::default().prefix("list");
        let page = self.lists.store.scan(&self.lists.partition, options).await?;
        let mut steps = Vec::new();
        for key in 0..self.what.lists {
            let id = self.lists.key(key)?.id;
            let found = page.documents.iter().find(|found| found.key.id == id);
            steps.push(Step::Read { key, values: held(found)?.0 });
        }
        let returned = Some(self.moment());
        Ok(Transaction { outcome: Outcome::Committed, steps, invoked, returned })
    }

    fn plan(&mut self) -> Vec<(u64, Option<u64>)> {
        (0..self.random.u64(1..=4))
            .map(|_| {
                self.drawn += 1;
                let value = self.task * 1_000_000 + self.drawn;
                (self.random.u64(..self.what.lists), self.random.bool().then_some(value))
            })
            .collect()
    }

    async fn by_batch(&mut self) -> Result<Transaction, Failure> {
        let plan = self.plan();
        let invoked = self.moment();
        let mut lists: BTreeMap<u64, (Vec<u64>, DocPrecondition, bool)> = BTreeMap::new();
        let mut steps = Vec::new();
        for (list, append) in plan {
            let (values, _, written) = match lists.entry(list) {
                Entry::Occupied(read) => read.into_mut(),
                Entry::Vacant(unread) => {
                    let (values, pre) = self.lists.read(list).await?;
                    // Others come in between, also where nothing waits.
                    tokio::task::yield_now().await;
                    unread.insert((values, pre, false))
                }
            };
            match append {
                Some(value) => {
                    values.push(value);
                    *written = true;
                    steps.push(Step::Append { key: list, value });
                }
                None => steps.push(Step::Read { key: list, values: values.clone() }),
            }
        }
        let mut ops = Vec::new();
        for (list, (values, pre, written)) in lists {
            let id = self.lists.key(list)?.id;
            ops.push(if written {
                Op::put(id, Json::of(&json!({ "values": values }))?, pre)
            } else {
                Op::check(id, pre)
            });
        }
        let answer = self.lists.store.batch(&self.lists.partition, ops).await.map(drop);
        self.ended(answer, steps, invoked)
    }

    async fn by_transact(&mut self) -> Result<Transaction, Failure> {
        let (plan, invoked) = (self.plan(), self.moment());
        let keys = self.keys()?;
        let (store, partition) = (&*self.lists.store, &self.lists.partition);
        let policy = RetryPolicy::new().with_deadline(std::time::Duration::from_mins(2));
        let done = transact(store, partition, policy, |draft| {
            let (plan, keys) = (plan.clone(), keys.clone());
            async move {
                let mut steps = Vec::new();
                for (list, append) in plan {
                    let id = &keys[&list].id;
                    let (mut values, _) = held(draft.get(id).await?.as_ref())?;
                    tokio::task::yield_now().await;
                    if let Some(value) = append {
                        values.push(value);
                        let body = Json::of(&json!({ "values": values }))?;
                        draft.put(id, body, DocPrecondition::Overwrite)?;
                        steps.push(Step::Append { key: list, value });
                    } else {
                        steps.push(Step::Read { key: list, values });
                    }
                }
                Ok::<_, Ended>(steps)
            }
        });
        match done.await {
            Ok(done) => self.ended(Ok(()), done.value, invoked),
            Err(Ended::Store(error)) => self.ended(Err(error), appends(&plan), invoked),
            Err(Ended::Wrong(failure)) => Err(failure),
        }
    }

    async fn by_transaction(&mut self) -> Result<Transaction, Failure> {
        let (plan, invoked) = (self.plan(), self.moment());
        let keys = self.keys()?;
        let tx = loop {
            let (store, partition) = (self.lists.store.clone(), &self.lists.partition);
            let begun = Locked::begin(store, partition, TxOptions::default()).await;
            match begun {
                Ok(tx) => break tx,
                Err(error) if error.kind() == "partition_locked" => {
                    let env = self.lists.store.env();
                    env.sleep(env.jitter(std::time::Duration::from_millis(10))).await;
                }
                Err(error) => return Err(error.into()),
            }
        };
        let mut steps = Vec::new();
        for (list, append) in &plan {
            let key = &keys[list];
            let (mut values, pre) = held(tx.get(key).await?.as_ref())?;
            if let Some(value) = append {
                values.push(*value);
                tx.put(key, Json::of(&json!({ "values": values }))?, pre).await?;
                steps.push(Step::Append { key: *list, value: *value });
            } else {
                steps.push(Step::Read { key: *list, values });
            }
        }
        if self.random.u8(..8) == 0 {
            tx.abort().await?;
            let (outcome, steps) = (Outcome::Aborted, appends(&plan));
            return Ok(Transaction { outcome, steps, invoked, returned: Some(self.moment()) });
        }
        let answer = tx.commit().await.map(drop);
        self.ended(answer, steps, invoked)
    }

    fn keys(&self) -> Result<BTreeMap<u64, DocKey>, Failure> {
        (0..self.what.lists).map(|list| Ok((list, self.lists.key(list)?))).collect()
    }

    fn ended(
        &self,
        answer: Result<(), Error>,
        mut steps: Vec<Step>,
        invoked: Moment,
    ) -> Result<Transaction, Failure> {
        let outcome = match answer {
            Ok(()) => Outcome::Committed,
            Err(error) => match error.kind() {
                "conflict" => Outcome::Aborted,
                "outcome_unknown" => Outcome::Unknown,
                _ => return Err(Failure::from(error).during("a transaction")),
            },
        };
        if outcome != Outcome::Committed {
            // What was read one by one was no state that the store promised.
            steps.retain(|step| matches!(step, Step::Append { .. }));
        }
        Ok(Transaction { outcome, steps, invoked, returned: Some(self.moment()) })
    }
}
