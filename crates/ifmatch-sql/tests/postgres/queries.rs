//! Queries: locales, indexes, pages.

use ifmatch_meta::query::field;
use ifmatch_meta::{
    DocId, DocPrecondition, Field, Filter, Index, IndexName, Json, MetaStore, Op, Query, QueryPage,
    ScanOptions, Scope,
};
use ifmatch_sql::PostgresMetaStore;
use ifmatch_sql::sqlx::{Connection, Executor, PgConnection, Row};

use crate::harness::{Cases, Place, json, key, partition, scope};

pub(crate) fn add(cases: &mut Cases) {
    cases.add("queries::w17_whatever_the_locale_of_the_database", in_another_locale);
    cases.add("queries::w18_a_declared_index_is_used", a_declared_index_is_used);
    cases.add("queries::w18_what_a_builder_left_is_built_anew", what_a_builder_left_is_built_anew);
    cases.add("queries::a_sorted_query_goes_on_from_its_token", a_sorted_query_goes_on);
}

/// A database whose texts sort by language: nothing of ours may.
async fn in_another_locale(place: Place) {
    let name = place.schema.as_str();
    let create = format!(
        "CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu
         ICU_LOCALE 'en' LOCALE 'C'"
    );
    place.execute(&create).await;
    let (base, _) = place.url.rsplit_once('/').unwrap();
    let url = format!("{base}/{name}");
    let mut raw = PgConnection::connect(&url).await.unwrap();
    let sorts = raw.fetch_one("SELECT 'a' < 'B' AS by_language").await.unwrap();
    assert!(sorts.get::<bool, _>("by_language"), "the locale makes no difference");
    let store = PostgresMetaStore::open(&url, place.options()).await.unwrap();
    let ids = ["B", "a", "Z", "é", "z"];
    for id in ids {
        let (key, body) = (key(id), json(&format!("{{\"t\":\"{id}\"}}")));
        store.put(&key, body, DocPrecondition::IfAbsent).await.unwrap();
    }
    let query = Query::filter(field("/t").gt("Z")).sort("/t");
    let found = |page: QueryPage| {
        page.documents.iter().map(|d| d.key.id.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found(store.query(&scope(), &query).await.unwrap()), ["a", "z", "é"]);
    let by_text = Query::filter(Filter::Everything).sort("-/t").limit(2);
    let first = store.query(&scope(), &by_text).await.unwrap();
    let rest = by_text.clone().limit(9).after(first.next.clone().unwrap());
    assert_eq!(found(first), ["é", "z"]);
    assert_eq!(found(store.query(&scope(), &rest).await.unwrap()), ["a", "Z", "B"]);
    let page = store.scan(&partition(), ScanOptions::default().ids("Z"..)).await.unwrap();
    assert_eq!(page.documents.len(), 4);
    store.close().await.unwrap();
    raw.close().await.unwrap();
    place.execute(&format!("DROP DATABASE \"{name}\" WITH (FORCE)")).await;
}

async fn fill(store: &PostgresMetaStore, count: usize) {
    for start in (0..count).step_by(500) {
        let ops = (start..(start + 500).min(count)).map(|n| {
            let body = format!(
                "{{\"n\":{n},\"t\":\"t{n:06}\",\"odd\":{},\"f\":{}.5,\"it's\":{{\"a\":{n}}},\
                 \"long\":\"{n}{}\"}}",
                n % 1_000 == 1,
                n / 10,
                "x".repeat(3_000),
            );
            Op::put(DocId::new(format!("d{n:06}")).unwrap(), json(&body), DocPrecondition::IfAbsent)
        });
        store.batch(&partition(), ops.collect()).await.unwrap();
    }
}

async fn plan_of(store: &PostgresMetaStore, filter: &Filter) -> String {
    store.explain(&scope(), filter).await.unwrap()
}

async fn a_declared_index_is_used(place: Place) {
    let store = place.open().await;
    fill(&store, 5_000).await;
    for (name, of) in [
        ("n", "/n"),
        ("t", "/t"),
        ("odd", "/odd"),
        ("f", "/f"),
        ("quoted", "/it's/a"),
        ("long", "/long"),
        ("at", "@updated_at"),
        ("by", "@updated_by"),
    ] {
        let index = Index { name: IndexName::new(name).unwrap(), field: of.parse().unwrap() };
        store.create_index(&index).await.unwrap();
        store.create_index(&index).await.unwrap(); // Once more is fine.
    }
    place.execute("ANALYZE schema.documents").await;
    let long = "x".repeat(3_000);
    for (filter, index, count) in [
        (field("/n").eq(77), "declared_n_n", 1),
        (field("/n").eq(77.0), "declared_n_n", 1),
        (field("/n").gte(4_990) & field("/n").lt(4_995), "declared_n_n", 5),
        (field("/t").eq("t000123"), "declared_t_t", 1),
        (field("/t").gt("t004990"), "declared_t_t", 9),
        (field("/t").one_of(["t000001", "t000002", "none"]), "declared_t_t", 2),
        (field("/odd").eq(true), "declared_odd_b", 5),
        (field("/f").eq(7.5), "declared_f_n", 10),
        (field("/it's/a").eq(5), "declared_quoted_n", 1),
        (field("/long").eq(format!("9{long}")), "declared_long_t", 1),
        (field("@updated_at").gt("2999"), "declared_at_t", 0),
        (field("@updated_by").eq("nobody"), "declared_by_t", 0),
    ] {
        assert_eq!(store.count_where(&scope(), &filter).await.unwrap(), count, "{filter:?}");
        let plan = plan_of(&store, &filter).await;
        assert!(plan.contains(index), "{filter:?} does without {index}:\n{plan}");
        let dear = plan.contains("Seq Scan on documents");
        assert!(!dear, "{filter:?} reads everything:\n{plan}");
    }
    let listed = store.indexes().await.unwrap();
    assert_eq!(listed.len(), 8);
    assert!(store.drop_index(&listed[0].name).await.unwrap());
    assert!(!store.drop_index(&listed[0].name).await.unwrap());
}

async fn what_a_builder_left_is_built_anew(place: Place) {
    let store = place.open().await;
    fill(&store, 100).await;
    // As if a builder had died: a broken index of the name, no word that it is done.
    place
        .execute(
            "INSERT INTO schema.indexes VALUES ('n', '/n', false);
             CREATE INDEX declared_n_n ON schema.documents (id);",
        )
        .await;
    assert_eq!(store.indexes().await.unwrap(), []);
    let field: Field = "/n".parse().unwrap();
    let index = Index { name: IndexName::new("n").unwrap(), field };
    store.create_index(&index).await.unwrap();
    assert_eq!(store.indexes().await.unwrap(), std::slice::from_ref(&index));
    place.execute("ANALYZE schema.documents").await;
    let plan = plan_of(&store, &ifmatch_meta::query::field("/n").eq(5)).await;
    assert!(plan.contains("declared_n_n") && plan.contains("numeric"), "{plan}");
    let other = Index { field: "/t".parse().unwrap(), ..index };
    assert_eq!(store.create_index(&other).await.unwrap_err().kind(), "invalid");
}

async fn a_sorted_query_goes_on(place: Place) {
    let store = place.open().await;
    let bodies = [
        "1",
        "1.5",
        "9007199254740993",
        "9007199254740992.0",
        "18446744073709551615",
        "1e300",
        "-5",
        "-0.0",
        "\"\"",
        "\"a\"",
        "\"a\\\"b\"",
        "\"é\"",
        "true",
        "false",
        "null",
        "[1]",
        "{}",
    ];
    for (n, body) in bodies.iter().enumerate() {
        for copy in 0..2 {
            let body = Json::new(format!("{{\"v\":{body},\"n\":{n}}}")).unwrap();
            let put = key(&format!("d{n}-{copy}"));
            store.put(&put, body, DocPrecondition::IfAbsent).await.unwrap();
        }
    }
    store.put(&key("missing"), json("{\"n\":0}"), DocPrecondition::IfAbsent).await.unwrap();
    for sort in ["/v", "-/v", "/none", "-@updated_at", "@etag", "-@id", "/n"] {
        for scope in [scope(), Scope::All] {
            let query = Query::default().sort(sort).sort("-/n");
            let whole = store.query(&scope, &query).await.unwrap().documents;
            assert_eq!(whole.len(), bodies.len() * 2 + 1);
            let mut paged = Vec::new();
            let mut next = query.clone().limit(3);
            loop {
                let page = store.query(&scope, &next).await.unwrap();
                paged.extend(page.documents);
                let Some(token) = page.next else { break };
                next = query.clone().limit(3).after(token);
            }
            assert_eq!(paged, whole, "{sort}");
        }
    }
}
