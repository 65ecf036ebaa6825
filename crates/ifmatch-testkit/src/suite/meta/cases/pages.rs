//! Clause 13: the order of a query, its pages, and aggregates.

use ifmatch_meta::query::field;
use ifmatch_meta::{
    AggregateOf, Aggregation, DocKey, Field, Filter, Json, Projection, Query, Scope, Sort,
    SortOrder,
};
use serde_json::{Value, json};

use super::queries::{NAMES, by, fill, ids, query};
use crate::suite::Failure;
use crate::suite::meta::trial::{Checked, Trial};
use crate::suite::meta::words::{P, Words, body, fails, key, scope};

pub(crate) async fn s15_a_sort_has_every_type_and_missing_values_last(on: Trial) -> Checked {
    let documents = [
        ("h", json!({ "v": null })),
        ("g", json!({ "v": { "a": 1 } })),
        ("f", json!({ "v": [1] })),
        ("e", json!({ "v": "b" })),
        ("d", json!({ "v": "B" })),
        ("c", json!({ "v": 10 })),
        ("b", json!({ "v": 9.5 })),
        ("a", json!({ "v": true })),
        ("A", json!({ "v": false })),
        ("i", json!({})),
    ];
    fill(&on, &documents).await?;
    let up = ["A", "a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let down = ["g", "f", "e", "d", "c", "b", "a", "A", "h", "i"];
    for (order, expected) in [(SortOrder::Ascending, up), (SortOrder::Descending, down)] {
        for scope in [scope(P)?, Scope::All] {
            let mut sorted = query(Filter::Everything);
            sorted.sort = vec![by("/v", order)];
            let page = on.store().query(&scope, &sorted).await?;
            check_eq!(ids(&page), expected, "{order:?} in {scope:?}");
            for limit in [1, 3, 9, 10] {
                sorted.limit = Some(limit);
                check_eq!(paged(&on, &scope, &sorted).await?, expected, "pages of {limit}");
            }
        }
    }
    Ok(())
}

/// All pages of a query, by its tokens as they are printed.
async fn paged(on: &Trial, scope: &Scope, of: &Query) -> Checked<Vec<String>> {
    let (mut of, mut found) = (of.clone(), Vec::new());
    loop {
        let page = on.store().query(scope, &of).await?;
        let held = page.documents.len();
        check!(of.limit.is_none_or(|limit| held <= limit), "a page of {held}: {of:?}");
        found.extend(ids(&page));
        match page.next {
            Some(_) if held == 0 => return Err(Failure::new("an empty page that is not last")),
            Some(token) => of.after = Some(token),
            None => return Ok(found),
        }
        of.offset = 0;
    }
}

pub(crate) async fn s15_equal_documents_come_in_order_of_their_names(on: Trial) -> Checked {
    let store = on.store();
    let names = ["B", "a", "b", "é"];
    for partition in ["q", "p"] {
        for name in names.iter().rev() {
            store.create(&DocKey::new(partition, name)?, body(&json!({ "v": 1 }))?).await?;
        }
    }
    let twice = [names, names].concat();
    for order in [SortOrder::Ascending, SortOrder::Descending] {
        let mut sorted = query(field("/v").eq(1));
        sorted.sort = vec![by("/v", order)];
        for limit in [3, 100] {
            sorted.limit = Some(limit);
            let found = paged(&on, &Scope::All, &sorted).await?;
            check_eq!(found, twice, "{order:?}, pages of {limit}");
        }
    }
    Ok(())
}

pub(crate) async fn s15_limit_and_offset_cut_the_sorted_whole(on: Trial) -> Checked {
    let documents: Vec<_> = NAMES.iter().map(|name| (*name, json!({ "v": 1 }))).collect();
    fill(&on, &documents).await?;
    for (offset, limit, expected) in [
        (0, 3, &NAMES[..3]),
        (3, 3, &NAMES[3..6]),
        (9, 5, &NAMES[9..]),
        (11, 5, &[][..]),
        (50, 5, &[][..]),
    ] {
        let mut part = query(field("/v").eq(1));
        (part.offset, part.limit) = (offset, Some(limit));
        let page = on.store().query(&scope(P)?, &part).await?;
        check_eq!(ids(&page), expected, "{limit} from {offset}");
        let more = offset + limit < NAMES.len();
        check_eq!(page.next.is_some(), more, "whether more follows {limit} from {offset}");
        if offset < NAMES.len() {
            let rest = paged(&on, &scope(P)?, &part).await?;
            check_eq!(rest, NAMES[offset..], "all pages of {limit} from {offset}");
        }
    }
    Ok(())
}

pub(crate) async fn pages_of_a_query_go_on_while_others_write(on: Trial) -> Checked {
    let documents: Vec<_> = (0..10).map(|n| json!({ "v": n })).collect();
    let documents: Vec<_> = NAMES.iter().copied().zip(documents).collect();
    fill(&on, &documents).await?;
    let mut sorted = query(Filter::Everything);
    sorted.sort = vec![by("/v", SortOrder::Descending)];
    sorted.limit = Some(4);
    let first = on.store().query(&scope(P)?, &sorted).await?;
    check_eq!(ids(&first), ["d09", "d08", "d07", "d06"], "the first page");
    // The last document of the page goes, one before it comes.
    on.store().delete_(&key("d06")?).await?;
    on.store().create(&key("new")?, body(&json!({ "v": 8.5 }))?).await?;
    sorted.after = first.next;
    let rest = paged(&on, &scope(P)?, &sorted).await?;
    check_eq!(rest, ["d05", "d04", "d03", "d02", "d01", "d00"], "the pages after it");
    Ok(())
}

pub(crate) async fn a_token_of_another_query_is_invalid(on: Trial) -> Checked {
    let documents: Vec<_> = NAMES.iter().map(|name| (*name, json!({ "v": 1 }))).collect();
    fill(&on, &documents).await?;
    let mut first = query(field("/v").eq(1));
    first.limit = Some(2);
    let token = on.store().query(&scope(P)?, &first).await?.next;
    let token = token.ok_or_else(|| Failure::new("a first page without a next"))?;
    let with = |filter: Filter, sort: Vec<Sort>| {
        let mut other = query(filter);
        (other.sort, other.after) = (sort, Some(token.clone()));
        other
    };
    let v = || field("/v");
    for other in [
        with(v().eq(2), vec![]),
        with(v().eq(1), vec![by("/v", SortOrder::Ascending)]),
        with(Filter::Everything, vec![]),
    ] {
        let answer = on.store().query(&scope(P)?, &other).await;
        fails(answer, "invalid", &format!("{other:?}"))?;
    }
    let same = with(v().eq(1), vec![]);
    fails(on.store().query(&Scope::All, &same).await, "invalid", "a token of another scope")?;
    let mut both = same.clone();
    both.offset = 1;
    fails(on.store().query(&scope(P)?, &both).await, "invalid", "an offset and a token")?;
    check_eq!(ids(&on.store().query(&scope(P)?, &same).await?).len(), 9, "its own query");
    Ok(())
}

pub(crate) async fn t27_a_query_reads_the_members_asked_for(on: Trial) -> Checked {
    fill(&on, &[("a", json!({ "n": 1, "m": { "x": 2, "y": 3 } }))]).await?;
    // What is asked of may be left out of what is read.
    let mut part = query(field("/n").eq(1));
    part.sort = vec![by("/n", SortOrder::Ascending)];
    part.fields = Some(Projection::new(["/m/x"])?);
    let page = on.store().query(&scope(P)?, &part).await?;
    let found = page.documents.first().ok_or_else(|| Failure::new("an empty page"))?;
    check_eq!(found.body.value()?, &json!({ "m": { "x": 2 } }), "the projected body");
    let whole = on.store().found(&key("a")?).await?;
    check_eq!(found.etag, whole.etag, "the tag of a part of a document");
    Ok(())
}

pub(crate) async fn s15_aggregates_count_sum_and_compare_by_group(on: Trial) -> Checked {
    let documents = [
        ("a", json!({ "g": 1, "n": 10 })),
        ("b", json!({ "g": 1.0, "n": 2.5 })),
        ("c", json!({ "g": "x", "n": 9_007_199_254_740_993_u64 })),
        ("d", json!({ "g": "x", "n": "text" })),
        ("e", json!({ "g": null, "n": -1 })),
        ("f", json!({ "n": 1 })),
        ("g", json!({ "g": "y" })),
    ];
    fill(&on, &documents).await?;
    let n = || Field::Body("/n".into());
    let mut of = Aggregation::default();
    of.by = vec![Field::Body("/g".into())];
    of.of = vec![
        AggregateOf::Count,
        AggregateOf::Sum(n()),
        AggregateOf::Min(n()),
        AggregateOf::Max(n()),
    ];
    let big = 9_007_199_254_740_993_u64;
    let expected = [
        (json!(1), json!([2, 12.5, 2.5, 10])),
        (json!("x"), json!([2, big, big, "text"])),
        (json!("y"), json!([1, null, null, null])),
        (json!(null), json!([2, 0, -1, 1])),
    ];
    for scope in [scope(P)?, Scope::All] {
        let rows = on.store().aggregate(&scope, &of).await?;
        check_eq!(rows.len(), expected.len(), "how many groups there are: {rows:?}");
        for (row, (group, values)) in rows.iter().zip(&expected) {
            let same = row.by.len() == 1
                && ifmatch_meta::json_equal(&row.by[0], group)
                && ifmatch_meta::json_equal(&Value::Array(row.of.clone()), values);
            check!(same, "{row:?} is not {group}: {values}");
        }
    }
    of.limit = Some(3);
    fails(on.store().aggregate(&Scope::All, &of).await, "too_large", "a group too many")?;
    of.by = vec![];
    of.filter = field("/n").gt(1_000_000_000);
    let rows = on.store().aggregate(&Scope::All, &of).await?;
    check_eq!(rows.len(), 1, "one group of all");
    check_eq!(rows[0].of[0], json!(1), "how many are in it");
    Ok(())
}

pub(crate) async fn s15_a_page_of_a_query_ends_after_four_mebibytes(on: Trial) -> Checked {
    let store = on.store();
    let size = store.limits().document.min(ifmatch_meta::ScanOptions::PAGE_BYTES / 3);
    let count = ifmatch_meta::ScanOptions::PAGE_BYTES / size + 2;
    let large = Json::with_limit(format!("\"{}\"", "x".repeat(size - 2)), size)?;
    for n in 0..count {
        store.create(&key(&format!("d{n:02}"))?, large.clone()).await?;
    }
    for sort in [vec![], vec![Sort { field: Field::Id, order: SortOrder::Descending }]] {
        let mut of = query(Filter::Everything);
        of.sort = sort;
        let page = store.query(&scope(P)?, &of).await?;
        let bytes: usize = page.documents.iter().map(|found| found.body.len()).sum();
        check!(page.next.is_some(), "a page of {bytes} bytes holds all");
        let most = ifmatch_meta::ScanOptions::PAGE_BYTES + size;
        check!(bytes <= most, "a page of {bytes} bytes, {most} are the most");
        check_eq!(paged(&on, &scope(P)?, &of).await?.len(), count, "all pages");
    }
    Ok(())
}
