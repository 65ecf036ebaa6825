//! Queries: whatever SQLite does for them, the answer is the evaluator's.

use ifmatch_core::{Env, Simulation};
use ifmatch_meta::query::{self, field};
use ifmatch_meta::{
    AggregateOf, Aggregation, Comparison, DocPrecondition as Pre, Document, Field, Filter, Index,
    IndexName, Json, MetaStore, Op, Query, Result, ScanOptions, Scope, Sort, SortOrder,
};
use ifmatch_sql::rusqlite::Connection;
use ifmatch_sql::{SqliteMetaStore, SqliteOptions};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::support::{Bed, body, id, key, partition};

fn index(name: &str, field: &str) -> Index {
    Index { name: IndexName::new(name).unwrap(), field: field.parse().unwrap() }
}

/// Values that two databases easily see differently.
fn awkward() -> Vec<Value> {
    let long = "x".repeat(99);
    let texts = [
        "",
        "a",
        "A",
        "1",
        "1.0",
        "true",
        "null",
        "[1]",
        "{\"a\":1}",
        "%",
        "_",
        "\\",
        "*",
        "é",
        "e\u{301}",
        "\u{10000}",
        "\u{ffff}",
        "\u{d7ff}",
        "2026-01-01",
        "2026-01-01T00:00:00.000000Z",
        "2026-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "9",
        "a'b",
        "a\"b",
        "\n",
    ];
    let cut = [format!("{long}a"), format!("{long}ab"), format!("{long}b"), format!("{long}é1")];
    let mut all: Vec<Value> = texts.iter().map(|text| json!(text)).collect();
    all.extend(cut.map(Value::from));
    all.extend([
        json!(null),
        json!(true),
        json!(false),
        json!([]),
        json!({}),
        json!([1]),
        json!([1, "a"]),
        json!({ "a": 1 }),
        json!([[1]]),
    ]);
    for number in [
        "0",
        "-0",
        "-0.0",
        "1",
        "1.0",
        "10e-1",
        "0.1",
        "0.30000000000000004",
        "0.3",
        "-1",
        "9007199254740991",
        "9007199254740992",
        "9007199254740993",
        "9007199254740993.0",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "1e300",
        "1.7976931348623157e308",
        "5e-324",
        "1e-310",
        "123456789012345678901234567890",
        "-9223372036854775808",
        "-9223372036854775809",
        "4.35",
        "0.000001",
        "2.5e-8",
    ] {
        all.push(serde_json::from_str(number).unwrap());
    }
    all
}

/// Fields, with an index or without.
const FIELDS: [&str; 10] =
    ["/a", "/b", "/o/k y", "/l/0", "/it's", "", "@id", "@partition", "@updated_by", "@updated_at"];

fn document() -> impl Strategy<Value = String> {
    let value = || proptest::option::weighted(0.8, select(awkward()));
    (value(), value(), value(), value(), value()).prop_map(|(a, b, o, l, i)| {
        let mut body = serde_json::Map::new();
        let mut put = |name: &str, value: Option<Value>| value.map(|v| body.insert(name.into(), v));
        put("a", a);
        put("b", b);
        put("o", o.map(|value| json!({ "k y": value })));
        // As a list or as an object, by the pointer the same.
        put(
            "l",
            l.map(|value| if value.is_string() { json!({ "0": value }) } else { json!([value]) }),
        );
        put("it's", i);
        Value::Object(body).to_string()
    })
}

fn filter() -> impl Strategy<Value = Filter> {
    let operators = vec![
        Comparison::Eq,
        Comparison::Ne,
        Comparison::Gt,
        Comparison::Gte,
        Comparison::Lt,
        Comparison::Lte,
        Comparison::Contains,
        Comparison::StartsWith,
    ];
    let named = || select(FIELDS.to_vec()).prop_map(|name| name.parse::<Field>().unwrap());
    let constant =
        || select(awkward()).prop_filter("null equals nothing", |value| !value.is_null());
    let compare = (named(), select(operators), constant())
        .prop_map(|(field, comparison, value)| Filter::Compare { field, comparison, value });
    let one_of = (named(), prop::collection::vec(constant(), 1..4), any::<bool>())
        .prop_map(|(field, values, negated)| Filter::In { field, values, negated });
    let leaf = prop_oneof![8 => compare, 2 => one_of, 1 => named().prop_map(|field| Filter::IsNa { field })];
    leaf.prop_filter("starts_with needs a text", |filter| filter.validate().is_ok()).prop_recursive(
        2,
        6,
        3,
        |inner| {
            prop_oneof![
                4 => prop::collection::vec(inner.clone(), 1..4).prop_map(Filter::And),
                1 => prop::collection::vec(inner.clone(), 1..3).prop_map(Filter::Or),
                1 => inner.prop_map(|filter| Filter::Not(Box::new(filter))),
            ]
        },
    )
}

fn sorts() -> impl Strategy<Value = Vec<Sort>> {
    let order = select(vec![SortOrder::Ascending, SortOrder::Descending]);
    let sort = (select(FIELDS.to_vec()), order)
        .prop_map(|(name, order)| Sort { field: name.parse().unwrap(), order });
    prop::collection::vec(sort, 0..3)
}

async fn fill(store: &SqliteMetaStore, bodies: &[String]) -> Result<Vec<Document>> {
    for (i, body) in bodies.iter().enumerate() {
        let body = Json::new(body.clone())?;
        let options = ifmatch_meta::WriteOptions::default();
        let options = if i % 3 == 0 { options } else { options.author(["me", "é"][i % 2]) };
        let key = key(["p", "q"][i % 2], &format!("{:02}", i * 7 % 50));
        store.put_with(&key, body, Pre::Overwrite, options).await?;
    }
    if bodies.len().is_multiple_of(3) {
        // Times of a clock that was far off do not print in their order.
        let sql = "UPDATE documents SET updated_at = CASE id WHEN '00' THEN 9223372036854775807
            WHEN '07' THEN 253402300800000000 WHEN '14' THEN -62167219200000001 ELSE 1 END
            WHERE id < '20'";
        store.local().write(move |connection| Ok(connection.execute(sql, [])?)).await?;
    }
    let mut all = Vec::new();
    for name in ["p", "q"] {
        all.extend(store.scan(&partition(name), ScanOptions::default()).await?.documents);
    }
    Ok(all)
}

/// All pages of a query, whose sizes vary.
async fn pages(store: &SqliteMetaStore, scope: &Scope, query: &Query) -> Result<Vec<Document>> {
    let (mut query, mut found) = (query.clone(), Vec::new());
    loop {
        let page = store.query(scope, &query).await?;
        found.extend(page.documents);
        let Some(next) = page.next else { return Ok(found) };
        query.after = Some(next.to_string().parse()?);
        query.limit = query.limit.map(|limit| limit % 5 + 1);
    }
}

async fn check(bodies: Vec<String>, queries: Vec<(Filter, Vec<Sort>, usize)>) -> Result<()> {
    let env = Simulation::seeded(1).env();
    let store = SqliteMetaStore::open_in_memory(SqliteOptions::default(), env)?;
    let all = fill(&store, &bodies).await?;
    for indexed in [false, true] {
        for (at, name) in FIELDS.iter().enumerate().filter(|_| indexed) {
            store.create_index(&index(&format!("i{at}"), name)).await?;
        }
        for scope in [Scope::All, Scope::Partition(partition("p"))] {
            for (filter, sort, limit) in &queries {
                let mut query = Query::filter(filter.clone());
                query.sort.clone_from(sort);
                query.limit = Some(1_000);
                let expected = query::run(&scope, &query, all.iter().map(Ok), None)?.documents;
                let count = store.count_where(&scope, filter).await?;
                assert_eq!(count, expected.len() as u64, "{filter:?} {indexed}");
                query.limit = Some(*limit);
                let found = pages(&store, &scope, &query).await?;
                assert_eq!(found, expected, "{query:?} {indexed}");
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn w17_any_query_answers_what_the_evaluator_says(
        bodies in prop::collection::vec(document(), 1..40),
        queries in prop::collection::vec((filter(), sorts(), 1..8_usize), 1..25),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(check(bodies, queries)).unwrap();
    }
}

#[tokio::test]
async fn s15_pages_in_the_order_of_an_index_are_those_of_the_sort() {
    let store = SqliteMetaStore::open_in_memory(SqliteOptions::default(), Env::real()).unwrap();
    // Values that an index holds as equal, or in another order, and others.
    let long = "x".repeat(100);
    let texts = ["c", "b", "a", ""].map(|end| format!("\"{long}{end}\"")).into_iter();
    let numbers = (0..30_u64).flat_map(|i| {
        let more = 18_446_744_073_709_551_615 - i * 7 % 30;
        [more.to_string(), format!("{}", i % 5), format!("{}.0", i % 7)]
    });
    let others = ["true", "null", "[1]", "\"x\"", "18446744073709551616", "1e20"].map(String::from);
    let values: Vec<_> = texts.chain(numbers).chain(others).collect();
    for (at, value) in values.iter().enumerate() {
        let body = Json::new(format!("{{\"v\":{value}}}")).unwrap();
        store.put(&key("p", &format!("{at:03}")), body, Pre::IfAbsent).await.unwrap();
    }
    let p = Scope::Partition(partition("p"));
    let all = store.query(&p, &Query::default()).await.unwrap().documents;
    store.create_index(&index("v", "/v")).await.unwrap();
    let v = || field("/v");
    for filter in [v().gte(0), v().gt(3), v().gt(1e18), v().gte(""), v().starts_with("xx")] {
        for sort in ["/v", "-/v"] {
            for limit in [1, 2, 3, 17] {
                let mut query = Query::filter(filter.clone()).sort(sort).limit(1_000);
                let expected = query::run(&p, &query, all.iter().map(Ok), None).unwrap().documents;
                assert!(expected.len() > 3);
                query.limit = Some(limit);
                let found = pages(&store, &p, &query).await.unwrap();
                assert_eq!(found, expected, "{query:?}");
                query.offset = 2;
                let found = store.query(&p, &query).await.unwrap().documents;
                assert!(found.iter().eq(expected.iter().skip(2).take(limit)), "{query:?}");
            }
        }
    }
}

#[tokio::test]
async fn w18_an_index_never_makes_a_write_fail() {
    let store = SqliteMetaStore::open_in_memory(SqliteOptions::default(), Env::real()).unwrap();
    for (at, name) in FIELDS.iter().enumerate() {
        store.create_index(&index(&format!("i{at}"), name)).await.unwrap();
    }
    let mut bodies: Vec<String> = awkward().iter().map(ToString::to_string).collect();
    bodies.push(format!("{}1{}", "[".repeat(127), "]".repeat(127)));
    bodies.push(format!("{{\"a\":{}1{}}}", "{\"a\":".repeat(126), "}".repeat(126)));
    bodies.push(format!(" {{\"a\":\n\"{}\"\t}} ", "\\u00e9".repeat(100_000)));
    bodies.push("{\"\\u0061\":\"\\ud83d\\ude00\\u0001\",\"b\":1E+2}".to_owned());
    bodies.push(format!("{{\"a\":{}}}", "1".repeat(300)));
    for (at, text) in bodies.iter().enumerate() {
        let name = key("p", &at.to_string());
        store.put(&name, Json::new(text.clone()).unwrap(), Pre::IfAbsent).await.unwrap();
        store.put(&name, Json::new(text.clone()).unwrap(), Pre::IfExists).await.unwrap();
        assert_eq!(store.get(&name).await.unwrap().unwrap().body.as_str(), text);
    }
    let find = async |filter| store.count_where(&Scope::All, &filter).await.unwrap();
    assert_eq!(find(field("/a").eq("\u{1f600}\u{1}")).await, 1);
    assert_eq!(find(field("/b").eq(100)).await, 1);
}

#[tokio::test]
async fn w21_an_index_is_what_its_name_says_or_is_refused() {
    let store = SqliteMetaStore::open_in_memory(SqliteOptions::default(), Env::real()).unwrap();
    let a = index("a", "/a");
    store.create_index(&a).await.unwrap();
    store.create_index(&a).await.unwrap();
    let other = store.create_index(&index("a", "/b")).await;
    assert_eq!(other.unwrap_err().kind(), "invalid");
    for refused in ["/a\"b", "/a\\b", "/1/2/3"] {
        let error = store.create_index(&index("x", refused)).await.unwrap_err();
        assert_eq!(error.kind(), "unsupported", "{refused}");
    }
    store.create_index(&index("b", "/'); DROP TABLE documents; --")).await.unwrap();
    store.put(&key("p", "a"), body(1), Pre::IfAbsent).await.unwrap();
    let names: Vec<_> =
        store.indexes().await.unwrap().into_iter().map(|i| i.name.to_string()).collect();
    assert_eq!(names, ["a", "b"]);
    assert!(store.drop_index(&a.name).await.unwrap());
    assert!(!store.drop_index(&a.name).await.unwrap());
    assert_eq!(store.indexes().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_stock_sqlite_writes_a_file_with_indexes() {
    let bed = Bed::threaded().await;
    for (at, name) in FIELDS.iter().enumerate() {
        bed.store.create_index(&index(&format!("i{at}"), name)).await.unwrap();
    }
    bed.store.put(&key("p", "a"), body(1), Pre::IfAbsent).await.unwrap();
    // A connection that knows nothing of ours, and trusts no schema.
    let connection = Connection::open(bed.folder.path().join("meta.db")).unwrap();
    connection.pragma_update(None, "trusted_schema", false).unwrap();
    let sql = "UPDATE documents SET body = '{\"a\":\"theirs\"}'";
    assert_eq!(connection.execute(sql, []).unwrap(), 1);
    connection.execute("UPDATE documents SET body = 'no JSON' WHERE id = 'none'", []).unwrap();
    connection.execute_batch("REINDEX; VACUUM").unwrap();
    let found = bed.store.count_where(&Scope::All, &field("/a").eq("theirs")).await.unwrap();
    assert_eq!(found, 1);
    connection.execute("UPDATE documents SET body = 'no JSON'", []).unwrap();
}

#[tokio::test]
async fn s15_groups_are_counted_over_the_documents_that_match() {
    let store = SqliteMetaStore::open_in_memory(SqliteOptions::default(), Env::real()).unwrap();
    let p = partition("p");
    let ops = (0..10).map(|i| {
        let body = Json::new(format!("{{\"n\":{i},\"kind\":{}}}", i % 3)).unwrap();
        Op::put(id(&i.to_string()), body, Pre::IfAbsent)
    });
    store.batch(&p, ops.collect()).await.unwrap();
    let mut of = Aggregation::default();
    of.filter = field("/n").gte(2);
    of.by = vec!["/kind".parse().unwrap()];
    of.of = vec![AggregateOf::Count, AggregateOf::Sum("/n".parse().unwrap())];
    let rows = store.aggregate(&Scope::Partition(p), &of).await.unwrap();
    let rows: Vec<_> = rows.into_iter().map(|row| (row.by, row.of)).collect();
    let row = |by: u64, of: [u64; 2]| (vec![json!(by)], of.map(Value::from).to_vec());
    assert_eq!(rows, [row(0, [3, 18]), row(1, [2, 11]), row(2, [3, 15])]);
}
