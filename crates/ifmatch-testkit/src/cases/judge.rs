//! A store's answers against those of the evaluator.

use async_trait::async_trait;
use ifmatch_meta::{
    AggregateRow, Aggregation, Document, Filter, MetaStore, Query, QueryPage, Result, Scope, query,
};

use super::case::Case;

/// What is asked: a store, or something else that claims to answer like one.
#[async_trait]
pub(super) trait Asked: Sync {
    async fn query(&self, scope: &Scope, query: &Query) -> Result<QueryPage>;
    async fn count(&self, scope: &Scope, filter: &Filter) -> Result<u64>;
    async fn aggregate(&self, scope: &Scope, of: &Aggregation) -> Result<Vec<AggregateRow>>;
}

pub(super) struct Store<'a>(pub(super) &'a dyn MetaStore);

#[async_trait]
impl Asked for Store<'_> {
    async fn query(&self, scope: &Scope, query: &Query) -> Result<QueryPage> {
        self.0.query(scope, query).await
    }

    async fn count(&self, scope: &Scope, filter: &Filter) -> Result<u64> {
        self.0.count_where(scope, filter).await
    }

    async fn aggregate(&self, scope: &Scope, of: &Aggregation) -> Result<Vec<AggregateRow>> {
        self.0.aggregate(scope, of).await
    }
}

/// Asks one case; answers whether something matched, or what is wrong.
pub(super) async fn judge(
    asked: &dyn Asked,
    documents: &[Document],
    case: &Case,
) -> Result<bool, String> {
    let first = pages(asked, documents, case).await?;
    let Case { scope, query, .. } = case;
    if case.count {
        let expected = oracle("count", query::count(scope, &query.filter, each(documents)))?;
        match asked.count(scope, &query.filter).await {
            Ok(count) if count == expected => {}
            Ok(count) => return Err(format!("count: {count} instead of {expected}")),
            Err(error) => return Err(format!("count: {error}")),
        }
    }
    if let Some(of) = &case.aggregation {
        let expected = oracle("aggregate", query::aggregate(scope, of, each(documents)))?;
        let found = asked.aggregate(scope, of).await.map_err(|e| format!("aggregate: {e}"))?;
        let pairs = expected.iter().map(Some).chain(std::iter::repeat(None));
        let other = found.iter().map(Some).chain(std::iter::repeat(None));
        let rows = expected.len().max(found.len());
        if let Some((row, other)) = pairs.zip(other).take(rows).find(|(a, b)| a != b) {
            return Err(format!("aggregate: {other:?} instead of {row:?}"));
        }
    }
    Ok(first > 0)
}

/// Compares pages; answers how many documents the first one held.
async fn pages(asked: &dyn Asked, documents: &[Document], case: &Case) -> Result<usize, String> {
    let Case { scope, query, .. } = case;
    let mut first = None;
    let (mut ours, mut theirs) = (query.clone(), query.clone());
    for number in 1..=case.pages {
        let expected = oracle("query", query::run(scope, &ours, each(documents), None))?;
        let found = asked.query(scope, &theirs).await;
        let found = found.map_err(|error| format!("page {number}: {error}"))?;
        if let Some(wrong) = difference(&expected, &found) {
            return Err(format!("page {number}: {wrong}"));
        }
        if found.mark.is_some() != matches!(scope, Scope::Partition(_)) {
            return Err(format!("page {number}: the mark is {:?} of {scope:?}", found.mark));
        }
        first.get_or_insert(found.documents.len());
        match (expected.next, found.next) {
            (Some(next), Some(other)) => (ours, theirs) = (ours.after(next), theirs.after(other)),
            (None, None) => break,
            (next, _) => return Err(format!("page {number}: more follows: {}", next.is_some())),
        }
    }
    Ok(first.unwrap_or_default())
}

fn difference(expected: &QueryPage, found: &QueryPage) -> Option<String> {
    if expected.documents == found.documents {
        return None;
    }
    let names = |page: &QueryPage| {
        page.documents.iter().map(|one| format!("{:?}", one.key.to_string())).collect::<Vec<_>>()
    };
    let (expected_names, found_names) = (names(expected), names(found));
    let lonely = |page: &QueryPage, other: &QueryPage| {
        page.documents.iter().find(|one| !other.documents.contains(one)).cloned()
    };
    let (lacking, extra) = (lonely(expected, found), lonely(found, expected));
    let shown = |one: Option<Document>| one.map_or("nothing".into(), |one| line(&one));
    Some(format!(
        "[{}] instead of [{}]; lacking {}; extra {}",
        found_names.join(", "),
        expected_names.join(", "),
        shown(lacking),
        shown(extra)
    ))
}

fn line(document: &Document) -> String {
    serde_json::to_string(document).unwrap_or_default()
}

fn each(documents: &[Document]) -> impl Iterator<Item = Result<&Document>> {
    documents.iter().map(Ok)
}

/// The evaluator refuses no case.
fn oracle<T>(what: &str, answer: Result<T>) -> Result<T, String> {
    answer.map_err(|error| format!("{what}: the evaluator itself says {error}"))
}
