//! Clause 13: queries mean what the evaluator says.

use std::fmt::Write as _;

use ifmatch_meta::query::field;
use ifmatch_meta::{
    AggregateOf, Aggregation, Field, Filter, Json, Op, Query, QueryPage, Scope, Sort, SortOrder,
};
use serde_json::{Value, json};

use crate::suite::meta::trial::{Checked, Trial};
use crate::suite::meta::words::{P, Words, body, fails, id, key, number, partition, scope};
use ifmatch_meta::DocPrecondition::{IfAbsent, Overwrite};

/// Documents of one partition, by name.
pub(super) async fn fill(on: &Trial, documents: &[(&str, Value)]) -> Checked {
    let put = |(name, value): &(&str, Value)| Ok(Op::put(id(name)?, body(value)?, IfAbsent));
    let ops = documents.iter().map(put).collect::<Checked<Vec<_>>>()?;
    on.store().batch(&partition(P)?, ops).await?;
    Ok(())
}

pub(super) fn query(filter: Filter) -> Query {
    let mut query = Query::default();
    query.filter = filter;
    query
}

pub(super) fn by(text: &str, order: SortOrder) -> Sort {
    Sort { field: Field::Body(text.into()), order }
}

pub(super) fn ids(page: &QueryPage) -> Vec<String> {
    page.documents.iter().map(|found| found.key.id.as_str().to_owned()).collect()
}

/// What a filter finds, in one partition and in all, page by page, and counted.
async fn finds(on: &Trial, filter: Filter, expected: &[&str]) -> Checked {
    let store = on.store();
    for scope in [scope(P)?, Scope::All] {
        let said = format!("{filter:?} in {scope:?}");
        let found = ids(&store.query(&scope, &query(filter.clone())).await?);
        check_eq!(found, expected, "{said}");
        let counted = store.count_where(&scope, &filter).await?;
        check_eq!(counted, expected.len() as u64, "the count of {said}");
    }
    Ok(())
}

pub(crate) async fn w17_comparisons_follow_three_valued_logic(on: Trial) -> Checked {
    let documents = [
        ("a", json!({ "n": 1, "s": "x" })),
        ("b", json!({ "n": 1.0, "s": "X" })),
        ("c", json!({ "n": 2, "s": null })),
        ("d", json!({ "n": "1", "s": "xy" })),
        ("e", json!({ "n": null })),
        ("f", json!({})),
        ("g", json!({ "n": true, "s": "" })),
    ];
    fill(&on, &documents).await?;
    let n = || field("/n");
    finds(&on, n().eq(1), &["a", "b"]).await?;
    finds(&on, n().ne(1), &["c"]).await?;
    // What is unknown is unknown, also when it is turned round.
    finds(&on, !n().eq(1), &["c"]).await?;
    finds(&on, n().gt(1), &["c"]).await?;
    finds(&on, !n().gt(1), &["a", "b"]).await?;
    finds(&on, n().eq("1"), &["d"]).await?;
    finds(&on, n().eq(true), &["g"]).await?;
    finds(&on, n().one_of([1, 2]), &["a", "b", "c"]).await?;
    finds(&on, n().none_of([1]), &["c"]).await?;
    finds(&on, n().one_of(Vec::<Value>::new()), &[]).await?;
    finds(&on, n().exists(), &["a", "b", "c", "d", "e", "g"]).await?;
    finds(&on, !n().exists(), &["f"]).await?;
    finds(&on, n().is_null(), &["e"]).await?;
    finds(&on, n().is_na(), &["e", "f"]).await?;
    finds(&on, !n().is_na(), &["a", "b", "c", "d", "g"]).await?;
    finds(&on, field("/s").gte("x"), &["a", "d"]).await?;
    finds(&on, n().eq(1) | field("/s").eq("xy"), &["a", "b", "d"]).await?;
    finds(&on, n().eq(1) & field("/s").eq("x"), &["a"]).await?;
    finds(&on, Filter::And(vec![]), &["a", "b", "c", "d", "e", "f", "g"]).await?;
    finds(&on, Filter::Or(vec![]), &[]).await
}

pub(crate) async fn w17_texts_are_compared_by_their_characters(on: Trial) -> Checked {
    let texts = ["a%b", "a_b", "axb", "A%B", "a\\b", "a*b", "é", "e\u{301}", "\u{ffff}", "😀", "'"];
    let documents: Vec<_> = (0..).map(|n| format!("d{n:02}")).zip(texts).collect();
    let documents: Vec<_> =
        documents.iter().map(|(name, text)| (name.as_str(), json!({ "t": text }))).collect();
    fill(&on, &documents).await?;
    let t = || field("/t");
    finds(&on, t().contains("%"), &["d00", "d03"]).await?;
    finds(&on, t().contains("_"), &["d01"]).await?;
    finds(&on, t().starts_with("a_"), &["d01"]).await?;
    finds(&on, t().starts_with("a"), &["d00", "d01", "d02", "d04", "d05"]).await?;
    finds(&on, t().ends_with("\\b"), &["d04"]).await?;
    finds(&on, t().ends_with("B"), &["d03"]).await?;
    finds(&on, t().contains("*"), &["d05"]).await?;
    finds(&on, t().eq("é"), &["d06"]).await?;
    finds(&on, t().contains("'"), &["d10"]).await?;
    finds(&on, t().gt("\u{ffff}"), &["d09"]).await?;
    finds(&on, !!t().contains(""), &NAMES).await?;
    finds(&on, t().length().eq(1), &["d06", "d08", "d09", "d10"]).await?;
    finds(&on, t().length().gte(2), &["d00", "d01", "d02", "d03", "d04", "d05", "d07"]).await?;
    finds(&on, t().regex("^a.b$"), &["d00", "d01", "d02", "d04", "d05"]).await?;
    finds(&on, t().regex("(?i)^A%b"), &["d00", "d03"]).await?;
    finds(&on, t().regex(r"\p{Emoji_Presentation}"), &["d09"]).await
}

pub(super) const NAMES: [&str; 11] =
    ["d00", "d01", "d02", "d03", "d04", "d05", "d06", "d07", "d08", "d09", "d10"];

pub(crate) async fn w17_numbers_are_compared_by_exact_value(on: Trial) -> Checked {
    let numbers = [
        "9007199254740992",
        "9007199254740993",
        "9007199254740992.0",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-0.0",
        "0",
        "0.1",
        "1e308",
        "5e-324",
    ];
    let mut ops = Vec::new();
    for (name, text) in NAMES.iter().zip(numbers) {
        ops.push(Op::put(id(name)?, Json::new(format!("{{\"n\":{text}}}"))?, IfAbsent));
    }
    on.store().batch(&partition(P)?, ops).await?;
    let n = || field("/n");
    finds(&on, n().eq(9_007_199_254_740_993_u64), &["d01"]).await?;
    finds(&on, n().eq(9_007_199_254_740_992.0), &["d00", "d02"]).await?;
    finds(&on, n().eq(u64::MAX), &["d03"]).await?;
    finds(&on, n().gt(u64::MAX), &["d04", "d09"]).await?;
    finds(&on, n().lte(i64::MIN), &["d05"]).await?;
    finds(&on, n().eq(0), &["d06", "d07"]).await?;
    finds(&on, n().eq(-0.0), &["d06", "d07"]).await?;
    finds(&on, n().eq(0.1), &["d08"]).await?;
    finds(&on, n().gt(0) & n().lt(0.1), &["d10"]).await?;
    finds(&on, n().gt(9_007_199_254_740_992.0) & n().lt(1e16), &["d01"]).await
}

pub(crate) async fn w17_lists_are_asked_by_their_elements(on: Trial) -> Checked {
    let documents = [
        ("a", json!({ "l": [1, 2] })),
        ("b", json!({ "l": [] })),
        ("c", json!({ "l": ["1", { "x": 3 }] })),
        ("d", json!({ "l": 1 })),
        ("e", json!({ "l": [[1], null] })),
        ("f", json!([1])),
    ];
    fill(&on, &documents).await?;
    let l = || field("/l");
    finds(&on, l().any(field("").eq(1)), &["a"]).await?;
    finds(&on, l().contains(1), &["a"]).await?;
    finds(&on, l().all(field("").gte(1)), &["a", "b"]).await?;
    finds(&on, l().any(field("/x").eq(3)), &["c"]).await?;
    finds(&on, l().any(field("").eq(json!([1.0]))), &["e"]).await?;
    finds(&on, l().any(field("").is_null()), &["e"]).await?;
    finds(&on, l().length().eq(2), &["a", "c", "e"]).await?;
    finds(&on, l().length().eq(0), &["b"]).await?;
    finds(&on, l().eq(json!([1, 2.0])), &["a"]).await?;
    finds(&on, field("/0").eq(1), &["f"]).await?;
    finds(&on, field("").contains(1), &["f"]).await?;
    finds(&on, field("").eq(json!([1])), &["f"]).await
}

pub(crate) async fn w21_names_and_values_are_never_code(on: Trial) -> Checked {
    let awkward = [
        "'",
        "\"",
        "''",
        "\\",
        "\\\"",
        "a.b",
        "a[0]",
        "$",
        "$.a",
        "?",
        "?1",
        "$1",
        ":a",
        "@a",
        "%",
        "_",
        "--",
        ";",
        "/*",
        "');DROP TABLE documents;--",
        "\" OR 1=1 --",
        "a~b",
        "a/b",
        "",
        " ",
        "é",
        "😀",
        "\u{1}",
        "\n",
        "{}",
        "[0]",
        "0",
        "-",
        "null",
        "#",
        "->>",
        "||",
    ];
    let mut whole = serde_json::Map::new();
    for name in awkward {
        whole.insert(name.to_owned(), json!(name));
    }
    on.store().create(&key("a")?, body(&Value::Object(whole))?).await?;
    on.store().create(&key("b")?, body(&json!({}))?).await?;
    for name in awkward {
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        let of = || field(&pointer);
        finds(&on, of().eq(name), &["a"]).await?;
        finds(&on, of().one_of([name, "other"]), &["a"]).await?;
        finds(&on, of().starts_with(name) & of().ends_with(name), &["a"]).await?;
        finds(&on, !of().exists(), &["b"]).await?;
        finds(&on, field("/none").eq(name), &[]).await?;
        let mut sorted = query(Filter::Everything);
        sorted.sort = vec![by(&pointer, SortOrder::Descending)];
        let page = on.store().query(&Scope::All, &sorted).await?;
        check_eq!(ids(&page), ["a", "b"], "by {pointer:?}");
    }
    check_eq!(on.store().count(&Scope::All).await?, 2, "how many there are");
    Ok(())
}

pub(crate) async fn s15_meta_fields_are_asked_like_others(on: Trial) -> Checked {
    let store = on.store();
    for name in ["a", "b"] {
        let mine = ifmatch_meta::WriteOptions::default().author(format!("by {name}"));
        store.put_with(&key(name)?, number(1)?, IfAbsent, mine).await?;
        store.env().sleep(std::time::Duration::from_millis(2)).await;
    }
    store.create(&key("c")?, number(1)?).await?;
    let b = store.found(&key("b")?).await?;
    finds(&on, field("@id").eq("b"), &["b"]).await?;
    finds(&on, field("@id").gt("a"), &["b", "c"]).await?;
    finds(&on, field("@partition").eq(P), &["a", "b", "c"]).await?;
    finds(&on, field("@etag").eq(b.etag.to_string()), &["b"]).await?;
    finds(&on, field("@updated_by").eq("by b"), &["b"]).await?;
    finds(&on, !field("@updated_by").exists(), &["c"]).await?;
    // Windows of time include their ends.
    let at = b.created_at.to_string();
    finds(&on, field("@created_at").gte(at.as_str()), &["b", "c"]).await?;
    finds(&on, field("@created_at").lte(at.as_str()), &["a", "b"]).await?;
    let window = field("@updated_at").gte(at.as_str()) & field("@updated_at").lte(at.as_str());
    finds(&on, window, &["b"]).await
}

pub(crate) async fn w17_a_filter_that_makes_no_sense_is_an_error(on: Trial) -> Checked {
    let store = on.store();
    store.create(&key("a")?, number(1)?).await?;
    let deep = |levels| (0..levels).fold(field("/n").eq(1), |inner, _| Filter::And(vec![inner]));
    for (filter, kind) in [
        (field("n").eq(1), "invalid"),
        (field("/n~2").eq(1), "invalid"),
        (field("@none").eq(1), "invalid"),
        (field("/n").eq(Value::Null), "invalid"),
        (field("/n").one_of([json!(1), Value::Null]), "invalid"),
        (field("/n").starts_with(1), "invalid"),
        (field("/n").regex("("), "invalid"),
        (field("/n").regex("(?<!a)b"), "invalid"),
        (field("/n").regex("(a{1000}){1000}"), "invalid"),
        (field("/n").regex("x".repeat(100_000)), "invalid"),
        (field("/l").any(field("@id").eq("a")), "invalid"),
        (deep(1_000), "invalid"),
        (Filter::Or((0..10_000).map(|n| field("/n").eq(n)).collect()), "too_large"),
        (field("/n").one_of(0..10_000), "too_large"),
    ] {
        let said = format!("{filter:.100?}");
        let said: String = said.chars().take(100).collect();
        let answer = store.query(&scope(P)?, &query(filter.clone())).await;
        let error = fails(answer, kind, &said)?;
        if let Filter::Compare { field: Field::Body(pointer), .. } = &filter {
            let text = error.to_string();
            check!(text.contains(&**pointer), "the error of {said} does not name it: {text}");
        }
        fails(store.count_where(&Scope::All, &filter).await, kind, &said)?;
        let mut of = Aggregation::default();
        (of.filter, of.of) = (filter, vec![AggregateOf::Count]);
        fails(store.aggregate(&Scope::All, &of).await, kind, &said)?;
    }
    Ok(())
}

pub(crate) async fn a_pattern_takes_time_in_proportion_to_the_text(on: Trial) -> Checked {
    // Backtracking engines need 2^40 steps and more for each of these.
    let text = "a".repeat(5_000);
    on.store().create(&key("a")?, body(&json!({ "t": format!("{text}!") }))?).await?;
    for pattern in ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*a){20}b", "^(([a-z])+.)+[A-Z]$"] {
        finds(&on, field("/t").regex(pattern), &[]).await?;
    }
    finds(&on, field("/t").regex("^(a+)+!$"), &["a"]).await
}

pub(crate) async fn the_largest_filter_is_answered(on: Trial) -> Checked {
    fill(&on, &[("a", json!({ "n": 7 })), ("b", json!({ "n": 10_000 }))]).await?;
    let many = Filter::Or((0..900).map(|n| field("/n").eq(n)).collect());
    finds(&on, many, &["a"]).await?;
    finds(&on, field("/n").one_of(0..900), &["a"]).await?;
    let mut text = String::new();
    for n in 0..50 {
        let _ = write!(text, "/{n}");
    }
    finds(&on, field(text).eq(1), &[]).await?;
    let deep = (0..60).fold(field("/n").eq(7), |inner, _| Filter::And(vec![inner]));
    finds(&on, deep, &["a"]).await
}

pub(crate) async fn s15_w22_a_query_is_as_fresh_as_a_read(on: Trial) -> Checked {
    let store = on.store();
    for n in 0..5_u64 {
        store.put_(&key("a")?, number(n)?).await?;
        finds(&on, field("/n").eq(n), &["a"]).await?;
        finds(&on, field("/n").lt(n), &[]).await?;
    }
    store.patch(&key("a")?, number(77)?, Overwrite, ifmatch_meta::WriteOptions::default()).await?;
    finds(&on, field("/n").eq(77), &["a"]).await?;
    store.delete_(&key("a")?).await?;
    finds(&on, field("/n").exists(), &[]).await
}
