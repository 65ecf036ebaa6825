//! Any history of operations answers what a map in memory would.

use std::collections::BTreeMap;

use ifmatch_core::Simulation;
use ifmatch_meta::{
    Applied, ChangeToken, DocPrecondition as Pre, ETag, Error, MetaStore, Op, Result, ScanOptions,
    Scope,
};
use ifmatch_sql::{SqliteMetaStore, SqliteOptions};
use proptest::prelude::*;

use crate::support::{body, id, partition};

/// What a precondition is made of, before there are ETags.
#[derive(Clone, Debug)]
enum When {
    Always,
    Absent,
    Exists,
    Current,
    Stale,
    Number(u8),
}

#[derive(Clone, Debug)]
struct Step {
    name: u8,
    /// `None` deletes.
    number: Option<u8>,
    when: When,
}

fn steps() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let when = prop_oneof![
        Just(When::Always),
        Just(When::Absent),
        Just(When::Exists),
        Just(When::Current),
        Just(When::Stale),
        (0..3u8).prop_map(When::Number),
    ];
    let step = (0..4u8, proptest::option::weighted(0.7, 0..3u8), when)
        .prop_map(|(name, number, when)| Step { name, number, when });
    prop::collection::vec(prop::collection::vec(step, 1..4), 1..30)
}

type Model = BTreeMap<u8, (u8, ETag)>;

fn precondition(step: &Step, model: &Model, stale: ETag) -> Pre {
    match (&step.when, model.get(&step.name)) {
        (When::Always, _) => Pre::Overwrite,
        (When::Absent, _) if step.number.is_some() => Pre::IfAbsent,
        (When::Absent | When::Exists, _) => Pre::IfExists,
        (When::Current, Some((_, etag))) => Pre::IfMatch(*etag),
        (When::Current | When::Stale, _) => Pre::IfMatch(stale),
        (When::Number(number), _) => Pre::field_equals("/n", *number),
    }
}

fn holds(pre: &Pre, there: Option<&(u8, ETag)>) -> bool {
    match pre {
        Pre::Overwrite => true,
        Pre::IfAbsent => there.is_none(),
        Pre::IfExists => there.is_some(),
        Pre::IfMatch(etag) => there.is_some_and(|(_, current)| current == etag),
        Pre::FieldEquals { value, .. } => there.is_some_and(|(n, _)| *value == *n),
        other => panic!("{other}"),
    }
}

/// Which operation of a batch fails first, were it applied in order. Within a
/// batch a replaced document has a tag that nobody can name yet.
fn first_failure(batch: &[Step], pres: &[Pre], model: &Model, fresh: ETag) -> Option<usize> {
    let mut model = model.clone();
    for (index, (step, pre)) in batch.iter().zip(pres).enumerate() {
        if !holds(pre, model.get(&step.name)) {
            return Some(index);
        }
        match step.number {
            Some(number) => drop(model.insert(step.name, (number, fresh))),
            None => drop(model.remove(&step.name)),
        }
    }
    None
}

async fn run(history: Vec<Vec<Step>>) -> Result<()> {
    let env = Simulation::seeded(1).env();
    let (stale, fresh) = (ETag::mint(1, &env), ETag::mint(2, &env));
    let store = SqliteMetaStore::open_in_memory(SqliteOptions::default(), env)?;
    let p = partition("p");
    let mut model = Model::new();
    let mut position = 0;
    let (mut followed, mut token) = (Model::new(), None);
    for batch in history {
        let pres: Vec<_> = batch.iter().map(|step| precondition(step, &model, stale)).collect();
        let ops = batch.iter().zip(&pres).map(|(step, pre)| match step.number {
            Some(number) => Op::put(id(&step.name.to_string()), body(number), pre.clone()),
            None => Op::delete(id(&step.name.to_string()), pre.clone()),
        });
        let answer = store.batch(&p, ops.collect()).await;
        let expected = first_failure(&batch, &pres, &model, fresh);
        assert_eq!(answer.as_ref().err().and_then(Error::operation_index), expected);
        let Ok(applied) = answer else { continue };
        let start = model.clone();
        let mut positions = Vec::new();
        for (step, applied) in batch.iter().zip(&applied) {
            let before = model.get(&step.name).map(|(_, etag)| *etag);
            match (step.number, applied) {
                (Some(number), Applied::Written(written)) => {
                    assert_eq!(written.created, before.is_none());
                    positions.push(written.position);
                    model.insert(step.name, (number, written.etag));
                }
                (None, Applied::Deleted(deleted)) => {
                    assert_eq!(deleted.etag, before);
                    positions.push(deleted.position);
                    model.remove(&step.name);
                }
                other => panic!("{other:?}"),
            }
        }
        // A document that came and went in one batch was never there.
        position += u64::from(model != start);
        assert!(positions.iter().all(|at| *at == position), "{positions:?} at {position}");
        let page = store.scan(&p, ScanOptions::default()).await?;
        let found: Model = page
            .documents
            .iter()
            .map(|d| (d.key.id.as_str().parse().unwrap(), (number(d), d.etag)))
            .collect();
        assert_eq!(found, model);
        assert_eq!(store.count(&Scope::All).await?, model.len() as u64);
        token = follow(&store, &mut followed, token, 2).await?;
        assert_eq!(followed, model);
        let mut anew = Model::new();
        follow(&store, &mut anew, None, 1).await?;
        assert_eq!(anew, model);
    }
    Ok(())
}

/// Reads the feed from a token to its end, and does what it tells.
async fn follow(
    store: &SqliteMetaStore,
    model: &mut Model,
    mut token: Option<ChangeToken>,
    limit: usize,
) -> Result<Option<ChangeToken>> {
    let mut newest = 0;
    loop {
        let page = store.changes(&Scope::All, token.as_ref(), limit).await?;
        assert!(page.changes.len() <= limit);
        for change in page.changes {
            assert!(change.position() >= newest);
            newest = change.position();
            let name = change.key().id.as_str().parse().unwrap();
            match change.document() {
                Some(document) => drop(model.insert(name, (number(document), document.etag))),
                None => drop(model.remove(&name)),
            }
        }
        token = Some(page.next.to_string().parse()?);
        if !page.more {
            return Ok(token);
        }
    }
}

fn number(document: &ifmatch_meta::Document) -> u8 {
    document.body.value().unwrap()["n"].as_u64().unwrap().try_into().unwrap()
}

proptest! {
    #[test]
    fn any_history_answers_what_a_map_would(history in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(run(history)).unwrap();
    }
}
