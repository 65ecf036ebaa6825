mod flaws;

use async_trait::async_trait;
use ifmatch_core::{Simulation, Timestamp};
use ifmatch_meta::query;
use ifmatch_meta::{AggregateRow, Aggregation, ETag, Filter, Query, QueryPage, Scope};

use super::*;

/// The evaluator itself, with a mistake.
struct Flawed {
    documents: Vec<Document>,
    flaw: Flaw,
}

/// A mistake in reading queries, and one in reading conditions.
#[derive(Clone, Copy)]
struct Flaw {
    name: &'static str,
    query: fn(Query) -> Query,
    leaf: fn(Filter) -> Filter,
}

impl Flaw {
    const NONE: Self = Self { name: "none", query: same, leaf: same };
}

impl Flawed {
    fn filter(&self, filter: &Filter) -> Filter {
        let all = |all: &[Filter]| all.iter().map(|one| self.filter(one)).collect();
        match filter {
            Filter::And(parts) => Filter::And(all(parts)),
            Filter::Or(parts) => Filter::Or(all(parts)),
            Filter::Not(part) => (self.flaw.leaf)(Filter::Not(Box::new(self.filter(part)))),
            leaf => (self.flaw.leaf)(leaf.clone()),
        }
    }

    fn each(&self) -> impl Iterator<Item = Result<&Document>> {
        self.documents.iter().map(Ok)
    }
}

#[async_trait]
impl Asked for Flawed {
    async fn query(&self, scope: &Scope, query: &Query) -> Result<QueryPage> {
        let mut flawed = (self.flaw.query)(query.clone());
        flawed.filter = self.filter(&query.filter);
        flawed.after = None;
        // Its tokens are those of the true query.
        let whole = query::run(scope, &flawed.limit(10_000), self.each(), None)?;
        let limit = query.limit.unwrap_or(1_000);
        let expected = query::run(scope, query, self.each(), None)?;
        let mut documents = whole.documents;
        let more = documents.len() > limit;
        documents.truncate(limit);
        let mark = matches!(scope, Scope::Partition(_)).then(|| ifmatch_meta::Mark::new("m"));
        if query.after.is_some() {
            return Ok(QueryPage { mark, ..expected });
        }
        let next = if more { expected.next } else { None };
        Ok(QueryPage { documents, next, mark })
    }

    async fn count(&self, scope: &Scope, filter: &Filter) -> Result<u64> {
        query::count(scope, &self.filter(filter), self.each())
    }

    async fn aggregate(&self, scope: &Scope, of: &Aggregation) -> Result<Vec<AggregateRow>> {
        query::aggregate(scope, of, self.each())
    }
}

/// What a store would hold, without one.
fn documents(seed: u64) -> Vec<Document> {
    let env = Simulation::seeded(seed).env();
    let mut rng = rng(seed, 0, usize::MAX);
    let document = |(at, (key, body)): (i64, (_, String))| Document {
        key,
        etag: ETag::mint(at.unsigned_abs(), &env),
        body: ifmatch_meta::Json::new(body).unwrap(),
        created_at: Timestamp::from_micros(at * 500_000),
        updated_at: Timestamp::from_micros(at / 7 * 1_000_000),
        updated_by: (at % 3 > 0).then(|| if at % 2 > 0 { "me" } else { "%" }.into()),
    };
    let mut all: Vec<_> = (0..).zip(world::contents(&mut rng)).map(document).collect();
    all.sort_by(|a, b| a.key.cmp(&b.key));
    all
}

/// Asks cases of so many worlds, or until one is answered wrongly.
async fn asked(flaw: Flaw, worlds: u64, cases: usize) -> Report {
    let mut report = Report::default();
    for seed in 0..worlds {
        report.seed = seed;
        let documents = documents(seed);
        let flawed = Flawed { documents: documents.clone(), flaw };
        ask(&flawed, &documents, cases, &mut report).await;
        if report.wrong > 0 {
            break;
        }
    }
    report
}

fn same<T>(value: T) -> T {
    value
}

#[tokio::test]
async fn the_evaluator_agrees_with_itself_and_every_pair_of_types_is_met() {
    let report = asked(Flaw::NONE, 20, 500).await;
    assert!(report.passed(), "{report}");
    assert_eq!(report.coverage.missing(), Vec::<String>::new(), "{}", report.coverage);
    assert!(report.matching * 3 > report.cases, "{report}");
    let wrong_kind = report.coverage.cell("gt", Some(Kind::Number), Kind::Text);
    assert!(wrong_kind.unknown > 0 && wrong_kind.yes + wrong_kind.no == 0);
    let own_kind = report.coverage.cell("eq", Some(Kind::Number), Kind::Number);
    assert!(own_kind.yes > 0 && own_kind.no > 0 && own_kind.unknown == 0);
}

/// Each is a mistake that a known backend makes or made.
#[tokio::test]
async fn w17_every_known_mistake_of_a_backend_is_found() {
    for flaw in flaws::all() {
        let report = asked(flaw, 80, 100).await;
        assert!(report.wrong > 0, "{}: {report}", flaw.name);
        let found = report.mismatches[0].to_string();
        println!("{}: {} cases: {found}", flaw.name, report.cases);
    }
}

#[tokio::test]
async fn w17_the_store_in_memory_answers_as_the_evaluator_does() {
    let store = ifmatch_meta::MemoryMetaStore::new(Simulation::seeded(1).env());
    let report = check(&store, 1, 2_500).await.unwrap();
    assert!(report.passed(), "{report}");
    assert_eq!((report.cases, report.worlds), (2_500, 3));
    let again = check(&store, 1, 10).await.unwrap();
    assert_eq!(again.documents, documents_of_the_first_world(1), "the seed decides");
}

fn documents_of_the_first_world(seed: u64) -> usize {
    world::contents(&mut rng(seed, 0, usize::MAX)).len()
}
