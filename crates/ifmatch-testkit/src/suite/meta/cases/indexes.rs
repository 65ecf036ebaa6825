//! Declared indexes (W18): they never change an answer.

use ifmatch_meta::query::field;
use ifmatch_meta::{
    Field, Filter, Index, IndexName, Json, Op, Query, Scope, Sort, SortOrder, WriteOptions,
};

use crate::suite::meta::trial::{Checked, Trial};
use crate::suite::meta::words::{P, Words, fails, id, key, number, partition, scope};
use ifmatch_meta::DocPrecondition::{IfAbsent, Overwrite};

fn index(name: &str, pointer: &str) -> Checked<Index> {
    Ok(Index { name: IndexName::new(name)?, field: Field::Body(pointer.into()) })
}

const BODIES: [&str; 16] = [
    r#"{"v":1}"#,
    r#"{"v":1.0}"#,
    r#"{"v":"1"}"#,
    r#"{"v":true}"#,
    r#"{"v":null}"#,
    "{}",
    "[]",
    r#"{"v":[1,{"v":1}]}"#,
    r#"{"v":{"w":1}}"#,
    r#"{"v":18446744073709551615}"#,
    r#"{"v":9007199254740993}"#,
    r#"{"v":1e308}"#,
    r#"{"v":123456789012345678901234567890}"#,
    r#"{"v":"é\ud83d\ude00'\""}"#,
    r#"{"v":""}"#,
    r#"{"v":-0.0}"#,
];

fn filters() -> Vec<Filter> {
    let v = || field("/v");
    vec![
        v().eq(1),
        v().eq("1"),
        v().eq(true),
        v().ne(1),
        v().gt(0),
        v().gte(1) & v().lt(9_007_199_254_740_993_u64),
        v().lt("2"),
        v().gt(9_007_199_254_740_992.0),
        v().eq(u64::MAX),
        v().eq(""),
        v().eq(0),
        v().starts_with("é"),
        v().one_of(["1", ""]),
        v().is_null(),
        !v().exists(),
        v().eq(serde_json::json!({ "w": 1 })),
        v().contains(1),
    ]
}

async fn answers(on: &Trial) -> Checked<Vec<Vec<String>>> {
    let mut all = Vec::new();
    for filter in filters() {
        for sort in
            [vec![], vec![Sort { field: Field::Body("/v".into()), order: SortOrder::Descending }]]
        {
            for scope in [scope(P)?, Scope::All] {
                let mut query = Query::default();
                (query.filter, query.sort, query.limit) = (filter.clone(), sort.clone(), Some(5));
                let page = on.store().query(&scope, &query).await?;
                all.push(page.documents.iter().map(|d| d.key.to_string()).collect());
            }
        }
    }
    Ok(all)
}

pub(crate) async fn w18_an_index_never_changes_an_answer(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    let mut ops = Vec::new();
    for (n, text) in BODIES.iter().enumerate() {
        ops.push(Op::put(id(&format!("d{n:02}"))?, Json::new(*text)?, IfAbsent));
    }
    store.batch(&p, ops).await?;
    let before = answers(&on).await?;
    store.create_index(&index("by_v", "/v")?).await?;
    check_eq!(answers(&on).await?, before, "answers with an index");
    for (n, text) in BODIES.iter().enumerate() {
        // Documents written while it is there.
        store.delete_(&key(&format!("d{n:02}"))?).await?;
        store.create(&key(&format!("d{n:02}"))?, Json::new(*text)?).await?;
    }
    check_eq!(answers(&on).await?, before, "answers of documents written with an index");
    check!(store.drop_index(&IndexName::new("by_v")?).await?, "the index was not there");
    check_eq!(answers(&on).await?, before, "answers after the index was dropped");
    Ok(())
}

pub(crate) async fn w18_an_index_never_fails_a_write(on: Trial) -> Checked {
    let store = on.store();
    for (name, pointer) in [("by_v", "/v"), ("deep", "/v/0"), ("whole", "/a/b/c")] {
        store.create_index(&index(name, pointer)?).await?;
    }
    let mut bodies: Vec<String> = BODIES.iter().map(|text| (*text).to_owned()).collect();
    bodies.push(format!("{{\"v\":\"{}\"}}", "é".repeat(100_000)));
    bodies.push(format!("{{\"v\":{}{}}}", "[".repeat(120), "]".repeat(120)));
    for (n, text) in bodies.iter().enumerate() {
        let (key, body) = (key(&format!("d{n:02}"))?, Json::new(text.as_str())?);
        store.create(&key, body.clone()).await?;
        store.holds(&key, &body).await?;
    }
    let long = field("/v").starts_with("ééé") & field("/v").length().eq(100_000);
    check_eq!(store.count_where(&scope(P)?, &long).await?, 1, "the long text is found");
    Ok(())
}

pub(crate) async fn w18_indexes_are_declared_listed_and_dropped(on: Trial) -> Checked {
    let store = on.store();
    check_eq!(store.indexes().await?, [], "the indexes of a new store");
    let (a, b) = (index("b_first", "/a")?, index("a_second", "/b/c")?);
    store.create_index(&a).await?;
    store.create_index(&b).await?;
    store.create_index(&a).await?;
    check_eq!(store.indexes().await?, [b.clone(), a.clone()], "the indexes, in order of names");
    let other = Index { name: a.name.clone(), field: b.field.clone() };
    fails(store.create_index(&other).await, "invalid", "a name that stands for another field")?;
    check!(store.drop_index(&a.name).await?, "the index was not there");
    check!(!store.drop_index(&a.name).await?, "a dropped index is there");
    check_eq!(store.indexes().await?, [b], "the indexes");
    for name in ["", "A", "1a", "a-b", "a;b", &"a".repeat(41)] {
        fails(IndexName::new(name), "invalid", &format!("index name {name:?}"))?;
    }
    Ok(())
}

pub(crate) async fn w21_an_index_on_an_awkward_name_works_or_is_refused(on: Trial) -> Checked {
    let store = on.store();
    let names = ["'", "\"", "\\", "a.b", "a\"b'c", "$", "é", "", "😀", "';--", "0", "a b", "\n"];
    for (n, name) in names.iter().enumerate() {
        let pointer = format!("/{name}");
        let index = index(&format!("i{n}"), &pointer)?;
        if let Err(error) = store.create_index(&index).await {
            let kind = error.kind();
            check!(kind == "unsupported" || kind == "invalid", "{pointer:?}: {error}");
        }
        let body = Json::of(&serde_json::json!({ *name: n }))?;
        store.create(&key(&format!("d{n:02}"))?, body).await?;
        let found = store.count_where(&scope(P)?, &field(&pointer).eq(n)).await?;
        check_eq!(found, 1, "what is found by {pointer:?}");
    }
    check_eq!(store.count(&Scope::All).await?, names.len() as u64, "how many there are");
    Ok(())
}

pub(crate) async fn w18_meta_fields_are_indexed_or_refused(on: Trial) -> Checked {
    let store = on.store();
    let all = [Field::Id, Field::Partition, Field::ETag, Field::CreatedAt, Field::UpdatedAt];
    for (n, field) in all.into_iter().enumerate() {
        let index = Index { name: IndexName::new(format!("i{n}"))?, field };
        if let Err(error) = store.create_index(&index).await {
            let kind = error.kind();
            check!(kind == "unsupported" || kind == "invalid", "{index:?}: {error}");
        }
    }
    store.create(&key("a")?, number(1)?).await?;
    let written = store.patch(&key("a")?, number(2)?, Overwrite, WriteOptions::default()).await?;
    let filter = field("@etag").eq(written.etag.to_string()) & field("@id").eq("a");
    check_eq!(store.count_where(&Scope::All, &filter).await?, 1, "what is found by its tag");
    Ok(())
}

// need: Nothing
pub(crate) async fn w18_where_there_are_no_indexes_declaring_one_says_so(on: Trial) -> Checked {
    let (store, index) = (on.store(), index("by_v", "/v")?);
    if store.features().indexes {
        return store.create_index(&index).await.map_err(Into::into);
    }
    fails(store.create_index(&index).await, "unsupported", "an index where there are none")?;
    fails(store.drop_index(&index.name).await, "unsupported", "an index where there are none")?;
    check_eq!(store.indexes().await?, [], "the indexes");
    Ok(())
}
