//! Clauses 7 and 8: documents in order, in pages.

use std::collections::BTreeSet;
use std::ops::Bound;

use futures::TryStreamExt;
use ifmatch_meta::{DocKey, DocPrecondition, Json, Op, Projection, ScanOptions, ScanToken};
use serde_json::json;

use crate::suite::Failure;
use crate::suite::meta::trial::{Checked, Trial};
use crate::suite::meta::words::{P, Words, body, fails, id, key, number, partition};

/// Names whose order by bytes is that of no language.
const NAMES: [&str; 14] = [
    " a",
    "!",
    "A",
    "B",
    "a",
    "a ",
    "a!",
    "a/b",
    "a\u{301}",
    "ab",
    "b",
    "é",
    "\u{ffff}",
    "\u{1f600}",
];

fn all() -> ScanOptions {
    ScanOptions::default()
}

async fn fill(on: &Trial, names: &[&str]) -> Checked {
    let ops = names
        .iter()
        .rev()
        .map(|name| Ok(Op::put(id(name)?, Json::of(name)?, DocPrecondition::IfAbsent)));
    let ops = ops.collect::<Checked<Vec<_>>>()?;
    on.store().batch(&partition(P)?, ops).await?;
    Ok(())
}

pub(crate) async fn ids_come_in_byte_order_both_ways(on: Trial) -> Checked {
    fill(&on, &NAMES).await?;
    let mut sorted = NAMES;
    sorted.sort_unstable_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
    for limit in [1, 2, 5, 13, 14, 1_000] {
        check_eq!(on.store().ids(P, all().limit(limit)).await?, sorted, "pages of {limit}");
        let mut down = on.store().ids(P, all().limit(limit).descending()).await?;
        down.reverse();
        check_eq!(down, sorted, "pages of {limit}, descending");
    }
    Ok(())
}

pub(crate) async fn t28_a_range_has_the_ends_that_it_names(on: Trial) -> Checked {
    let names = ["a", "b", "c", "d", "e"];
    fill(&on, &names).await?;
    let bounds = |name: &'static str| [Bound::Included(name), Bound::Excluded(name)];
    let mut ends = vec![Bound::Unbounded];
    ends.extend(["a", "bb", "c", "e", "0", "z"].into_iter().flat_map(bounds));
    for lower in &ends {
        for upper in &ends {
            // Also ranges that end before they begin: they hold nothing.
            let inside = |name: &&str| {
                (match lower {
                    Bound::Included(low) => low <= name,
                    Bound::Excluded(low) => low < name,
                    Bound::Unbounded => true,
                }) && (match upper {
                    Bound::Included(high) => name <= high,
                    Bound::Excluded(high) => name < high,
                    Bound::Unbounded => true,
                })
            };
            let expected: Vec<_> = names.into_iter().filter(|name| inside(name)).collect();
            let options = all().ids((*lower, *upper));
            let found = on.store().ids(P, options.clone()).await?;
            check_eq!(found, expected, "{lower:?} to {upper:?}");
            let mut down = on.store().ids(P, options.descending().limit(2)).await?;
            down.reverse();
            check_eq!(down, expected, "{lower:?} to {upper:?}, descending");
        }
    }
    Ok(())
}

pub(crate) async fn a_prefix_is_exact_bytes(on: Trial) -> Checked {
    let names = ["%", "_", "a", "a%", "a%b", "a_b", "ab", "ab\u{10ffff}", "ac", "b"];
    fill(&on, &names).await?;
    for prefix in ["", "%", "_", "a", "a%", "a_", "ab", "z", "ab\u{10ffff}"] {
        let expected: Vec<_> = names.into_iter().filter(|name| name.starts_with(prefix)).collect();
        check_eq!(on.store().ids(P, all().prefix(prefix)).await?, expected, "prefix {prefix:?}");
    }
    Ok(())
}

pub(crate) async fn t28_a_page_says_what_follows_and_only_then(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    fill(&on, &["a", "b", "c", "d"]).await?;
    let first = store.scan(&p, all().limit(2)).await?;
    let token = first.next.ok_or_else(|| Failure::new("a first page without a next"))?;
    let printed: ScanToken = token.to_string().parse()?;
    let last = store.scan(&p, all().limit(2).after(printed)).await?;
    check_eq!(last.documents.len(), 2, "the last page");
    check!(last.next.is_none(), "the page that ends with the last document says there is more");
    check!(store.scan(&p, all().limit(4)).await?.next.is_none(), "a whole page says more");
    let range = store.scan(&p, all().ids(.."c").limit(2)).await?;
    check!(range.next.is_none(), "a page that ends with its range says there is more");
    Ok(())
}

pub(crate) async fn a_token_of_the_other_direction_is_invalid(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    fill(&on, &["a", "b", "c"]).await?;
    let up = store.scan(&p, all().limit(1)).await?.next;
    let token = up.ok_or_else(|| Failure::new("a first page without a next"))?;
    let answer = store.scan(&p, all().descending().after(token)).await;
    fails(answer, "invalid", "a token of the other direction")?;
    Ok(())
}

pub(crate) async fn a_page_goes_on_after_its_last_document_is_deleted(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    fill(&on, &["a", "b", "c", "d"]).await?;
    for (options, gone, left) in [(all(), "b", "c"), (all().descending(), "c", "a")] {
        let page = store.scan(&p, options.clone().limit(2)).await?;
        let token = page.next.ok_or_else(|| Failure::new("a first page without a next"))?;
        store.delete_(&key(gone)?).await?;
        let ids = store.ids(P, options.after(token)).await?;
        check_eq!(ids.first().map(String::as_str), Some(left), "what follows {gone}");
    }
    Ok(())
}

pub(crate) async fn a_page_ends_after_four_mebibytes(on: Trial) -> Checked {
    let store = on.store();
    let size = store.limits().document.min(ScanOptions::PAGE_BYTES / 3);
    let count = ScanOptions::PAGE_BYTES / size + 2;
    let large = Json::with_limit(format!("\"{}\"", "x".repeat(size - 2)), size)?;
    for n in 0..count {
        store.create(&key(&format!("d{n:04}"))?, large.clone()).await?;
    }
    let page = store.scan(&partition(P)?, all()).await?;
    let bytes: usize = page.documents.iter().map(|found| found.body.len()).sum();
    check!(page.next.is_some(), "a page of {bytes} bytes holds all");
    let most = ScanOptions::PAGE_BYTES + size;
    check!(bytes <= most, "a page of {bytes} bytes, {most} are the most");
    check_eq!(store.ids(P, all()).await?.len(), count, "how many all pages hold");
    check_eq!(store.ids(P, all().descending()).await?.len(), count, "descending");
    Ok(())
}

pub(crate) async fn w11_a_scan_outlives_writes(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    let names: Vec<String> = (0..60).map(|n| format!("d{n:02}")).collect();
    let borrowed: Vec<&str> = names.iter().map(String::as_str).collect();
    fill(&on, &borrowed).await?;
    // Even ones stay; odd ones are deleted, rewritten and made anew meanwhile.
    for options in [all(), all().descending()] {
        let mut seen = Vec::new();
        let mut documents = store.documents(&p, options.limit(7));
        let mut round = 0_usize;
        while let Some(found) = documents.try_next().await? {
            seen.push(found.key.id.as_str().to_owned());
            round += 1;
            let odd = key(&names[(round * 2 + 1) % names.len()])?;
            if round.is_multiple_of(3) {
                store.delete_(&odd).await?;
            } else {
                store.put_(&odd, number(round as u64)?).await?;
            }
            store.put_(&key(&names[(round * 2) % names.len()])?, number(1)?).await?;
        }
        let distinct: BTreeSet<_> = seen.iter().cloned().collect();
        check_eq!(distinct.len(), seen.len(), "how many were seen, each once");
        for stays in names.iter().step_by(2) {
            check!(distinct.contains(stays), "{stays} was there all the time and was not seen");
        }
    }
    Ok(())
}

pub(crate) async fn a_scan_of_nothing_is_empty_and_makes_nothing(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition("never")?);
    let page = store.scan(&p, all()).await?;
    check!(page.documents.is_empty() && page.next.is_none(), "a page of nothing: {page:?}");
    check_eq!(store.partitions(None, 10).await?, [], "the partitions");
    Ok(())
}

pub(crate) async fn t27_a_scan_reads_the_members_asked_for(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    let whole = json!({ "a": { "b": 1, "c": 2 }, "l": [{ "x": 1 }], "é/~": "'" });
    let etag = store.create(&key("a")?, body(&whole)?).await?.etag;
    for (fields, expected) in [
        (vec!["/a/b", "/none"], json!({ "a": { "b": 1 } })),
        (vec!["/l/0/x"], json!({ "l": { "0": { "x": 1 } } })),
        (vec!["/é~1~0"], json!({ "é/~": "'" })),
        (vec![], json!({})),
    ] {
        let options = all().fields(Projection::new(fields.clone())?);
        let page = store.scan(&p, options).await?;
        let found = page.documents.first().ok_or_else(|| Failure::new("an empty page"))?;
        check_eq!(found.body.value()?, &expected, "fields {fields:?}");
        check_eq!(found.etag, etag, "the tag of a part of a document");
    }
    fails(Projection::new(["a"]), "invalid", "a field without a slash")?;
    Ok(())
}

pub(crate) async fn names_are_exact_bytes(on: Trial) -> Checked {
    let store = on.store();
    let long = "é".repeat(256);
    let mut names = vec![
        "a",
        "A",
        "a ",
        " a",
        "a.",
        ".",
        "..",
        ".a",
        "a/b",
        "a//b",
        "/",
        "\\",
        "%2F",
        "%",
        "~",
        "a\u{301}",
        "á",
        "ﬁ",
        "fi",
        "'",
        "\"",
        "';DROP TABLE documents;--",
        "$1",
        "?",
        "\n",
        "\t",
        "\u{7f}",
        "\u{200b}",
        "\u{202e}",
        "😀",
        "null",
        "CON",
        "ifmatch",
        "_ifmatch_x",
        "p",
        "P",
    ];
    names.push(&long);
    for (n, name) in names.iter().enumerate() {
        // A name of each kind: partition and id.
        store.create(&DocKey::new(name, name)?, number(n as u64)?).await?;
    }
    for (n, name) in names.iter().enumerate() {
        store.holds(&DocKey::new(name, name)?, &number(n as u64)?).await?;
        check_eq!(store.ids(name, all()).await?, [*name], "the ids in partition {name:?}");
    }
    let mut sorted = names.clone();
    sorted.sort_unstable();
    let found: Vec<_> = store.partitions(None, 1_000).await?;
    let found: Vec<_> = found.iter().map(ifmatch_meta::Partition::as_str).collect();
    check_eq!(found, sorted, "the partitions");
    for name in names.iter().take(6) {
        store.delete_(&DocKey::new(name, name)?).await?;
    }
    for (n, name) in names.iter().enumerate().skip(6) {
        store.holds(&DocKey::new(name, name)?, &number(n as u64)?).await?;
    }
    Ok(())
}

pub(crate) async fn the_longest_names_are_kept_apart(on: Trial) -> Checked {
    let store = on.store();
    let (p, i) = (ifmatch_meta::MAX_PARTITION_BYTES, ifmatch_meta::MAX_ID_BYTES);
    let mut keys = Vec::new();
    for last in ["x", "y", "%", "/"] {
        let partition = format!("{}{last}", "%".repeat(p - 1));
        for last in ["x", "y"] {
            keys.push(DocKey::new(&partition, format!("{}{last}", "/".repeat(i - 1)))?);
        }
    }
    for (n, key) in keys.iter().enumerate() {
        store.create(key, number(n as u64)?).await?;
    }
    for (n, key) in keys.iter().enumerate() {
        store.holds(key, &number(n as u64)?).await?;
    }
    check_eq!(store.partitions(None, 10).await?.len(), 4, "how many partitions there are");
    Ok(())
}
