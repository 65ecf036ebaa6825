use async_trait::async_trait;
use ifmatch_core::{Simulation, Timestamp};
use ifmatch_meta::query;
use ifmatch_meta::{
    AggregateRow, Aggregation, Comparison, ETag, Field, Filter, Query, QueryPage, Scope,
};
use serde_json::Value;

use super::*;

/// The evaluator itself, with a mistake.
struct Flawed {
    documents: Vec<Document>,
    query: fn(Query) -> Query,
    leaf: fn(Filter) -> Filter,
}

impl Flawed {
    fn filter(&self, filter: &Filter) -> Filter {
        let all = |all: &[Filter]| all.iter().map(|one| self.filter(one)).collect();
        match filter {
            Filter::And(parts) => Filter::And(all(parts)),
            Filter::Or(parts) => Filter::Or(all(parts)),
            Filter::Not(part) => (self.leaf)(Filter::Not(Box::new(self.filter(part)))),
            leaf => (self.leaf)(leaf.clone()),
        }
    }

    fn each(&self) -> impl Iterator<Item = Result<&Document>> {
        self.documents.iter().map(Ok)
    }
}

#[async_trait]
impl Asked for Flawed {
    async fn query(&self, scope: &Scope, query: &Query) -> Result<QueryPage> {
        let mut flawed = (self.query)(query.clone());
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
    let document = |(at, (key, body)): (usize, (_, String))| Document {
        key,
        etag: ETag::mint(at as u64, &env),
        body: ifmatch_meta::Json::new(body).unwrap(),
        created_at: Timestamp::from_micros(at as i64 * 500_000),
        updated_at: Timestamp::from_micros(at as i64 / 7 * 1_000_000),
        updated_by: (at % 3 > 0).then(|| ["me", "%"][at % 2].into()),
    };
    let mut all: Vec<_> = world::contents(&mut rng).into_iter().enumerate().map(document).collect();
    all.sort_by(|a, b| a.key.cmp(&b.key));
    all
}

async fn asked(flawed: fn(&[Document]) -> Flawed, worlds: u64) -> Report {
    let mut report = Report::default();
    for seed in 0..worlds {
        report.seed = seed;
        let documents = documents(seed);
        ask(&flawed(&documents), &documents, PER_WORLD, &mut report).await;
    }
    report
}

fn same<T>(value: T) -> T {
    value
}

#[tokio::test]
async fn the_evaluator_agrees_with_itself_and_every_pair_of_types_is_met() {
    let honest = |of: &[Document]| Flawed { documents: of.to_vec(), query: same, leaf: same };
    let report = asked(honest, 40).await;
    assert!(report.passed(), "{report}");
    assert_eq!(report.coverage.missing(), Vec::<String>::new(), "{}", report.coverage);
    assert!(report.matching * 2 > report.cases, "{report}");
    let wrong_kind = report.coverage.cell("gt", Some(Kind::Number), Kind::Text);
    assert!(wrong_kind.unknown > 0 && wrong_kind.yes + wrong_kind.no == 0);
    let own_kind = report.coverage.cell("eq", Some(Kind::Number), Kind::Number);
    assert!(own_kind.yes > 0 && own_kind.no > 0 && own_kind.unknown == 0);
}

fn compare(filter: Filter, change: impl Fn(Field, Comparison, Value) -> Filter) -> Filter {
    match filter {
        Filter::Compare { field, comparison, value } => change(field, comparison, value),
        other => other,
    }
}

fn field_of(field: &Field) -> query::FieldExpr {
    query::field(field.as_str())
}

fn pattern(on: &Field, text: &str, wildcards: bool, insensitive: bool) -> Filter {
    let mut pattern = String::from(if insensitive { "(?is)" } else { "(?s)" });
    for char in text.chars() {
        match char {
            '%' if wildcards => pattern.push_str(".*"),
            '_' if wildcards => pattern.push('.'),
            char => pattern.push_str(&format!("\\x{{{:x}}}", u32::from(char))),
        }
    }
    field_of(on).regex(pattern)
}

/// Each is a mistake that a known backend makes or made.
#[tokio::test]
async fn w17_every_known_mistake_of_a_backend_is_found() {
    let flaws: [(&str, fn(Query) -> Query, fn(Filter) -> Filter); 17] = [
        ("contains ignores case", same, |filter| {
            compare(filter, |field, comparison, value| match (comparison, &value) {
                (Comparison::Contains, Value::String(text)) => {
                    let list =
                        Filter::Compare { field: field.clone(), comparison, value: value.clone() };
                    list | pattern(&field, text, false, true)
                }
                _ => Filter::Compare { field, comparison, value },
            })
        }),
        ("contains has wildcards", same, |filter| {
            compare(filter, |field, comparison, value| match (comparison, &value) {
                (Comparison::Contains, Value::String(text)) => {
                    let list =
                        Filter::Compare { field: field.clone(), comparison, value: value.clone() };
                    list | pattern(&field, text, true, false)
                }
                _ => Filter::Compare { field, comparison, value },
            })
        }),
        ("an empty in is dropped", same, |filter| match filter {
            Filter::In { values, negated: false, .. } if values.is_empty() => Filter::Everything,
            other => other,
        }),
        ("numbers are floats", same, |filter| {
            compare(filter, |field, comparison, value| {
                let value = if value.is_number() { value.as_f64().into() } else { value };
                Filter::Compare { field, comparison, value }
            })
        }),
        ("whole numbers are cut to 64 bits with a sign", same, |filter| {
            compare(filter, |field, comparison, value| {
                #[allow(clippy::cast_possible_wrap)] // The mistake.
                let value = value.as_u64().map_or(value, |n| (n as i64).into());
                Filter::Compare { field, comparison, value }
            })
        }),
        ("1 is not 1.0 in lists", same, |filter| {
            compare(filter, |field, comparison, value| {
                let written = value.to_string();
                if comparison == Comparison::Eq && value.is_array() && written.contains(".0") {
                    return Filter::Or(vec![]);
                }
                Filter::Compare { field, comparison, value }
            })
        }),
        ("ne matches what is missing", same, |filter| {
            compare(filter, |field, comparison, value| {
                let missing = Filter::IsNa { field: field.clone() };
                let found = Filter::Compare { field, comparison, value };
                if comparison == Comparison::Ne { found | missing } else { found }
            })
        }),
        ("texts of digits are numbers", same, |filter| {
            compare(filter, |field, comparison, value| {
                let text = field_of(&field).eq(value.to_string());
                let number = value.is_number() && comparison == Comparison::Eq;
                let found = Filter::Compare { field, comparison, value };
                if number { found | text } else { found }
            })
        }),
        ("not is true of unknown", same, |filter| match filter {
            Filter::Not(inner) => match inner.field().cloned() {
                Some(field) => Filter::Not(inner) | Filter::IsNa { field },
                None => Filter::Not(inner),
            },
            other => other,
        }),
        ("null is missing", same, |filter| match filter {
            Filter::Exists { field } => !Filter::IsNa { field },
            other => other,
        }),
        ("missing is null", same, |filter| match filter {
            Filter::IsNull { field } => Filter::IsNa { field },
            other => other,
        }),
        ("dots are paths", same, |filter| {
            compare(filter, |field, comparison, value| {
                let field = Field::Body(field.as_str().replace('.', "/").into());
                let named = field.as_str().starts_with('@');
                let field = if named { field.as_str().parse().unwrap() } else { field };
                Filter::Compare { field, comparison, value }
            })
        }),
        ("names are normalised", same, |filter| {
            compare(filter, |field, comparison, value| {
                let name = field.as_str().replace("e\u{301}", "é");
                Filter::Compare { field: name.parse().unwrap(), comparison, value }
            })
        }),
        ("all of nothing is false", same, |filter| match filter {
            Filter::List { ref field, quantifier: ifmatch_meta::Quantifier::All, .. } => {
                let some =
                    Filter::Length { field: field.clone(), comparison: Comparison::Gt, value: 0 };
                filter & some
            }
            other => other,
        }),
        (
            "the last sort is dropped",
            |mut query| {
                query.sort.pop();
                query
            },
            same,
        ),
        (
            "descending is ascending",
            |mut query| {
                query
                    .sort
                    .iter_mut()
                    .for_each(|sort| sort.order = ifmatch_meta::SortOrder::Ascending);
                query
            },
            same,
        ),
        (
            "the offset is off by one",
            |mut query| {
                query.offset = query.offset.saturating_sub(1);
                query
            },
            same,
        ),
    ];
    for (name, query, leaf) in flaws {
        let mut report = Report::default();
        for seed in 0..40 {
            report.seed = seed;
            let documents = documents(seed);
            let flawed = Flawed { documents: documents.clone(), query, leaf };
            ask(&flawed, &documents, 100, &mut report).await;
            if report.wrong > 0 {
                break;
            }
        }
        println!(
            "{name}: {} cases, {:?}",
            report.cases,
            report.mismatches.first().map(ToString::to_string)
        );
        assert!(report.wrong > 0, "{name}: {report}");
    }
}
