//! Clauses 10 and 12: what there is, and names of ours.

use ifmatch_meta::{DocKey, Filter, Partition, Query, ScanOptions, Scope};

use crate::suite::meta::trial::{Checked, Trial};
use crate::suite::meta::words::{P, Words, key, number, partition, scope, shape};

fn names(found: &[Partition]) -> Vec<&str> {
    found.iter().map(Partition::as_str).collect()
}

pub(crate) async fn c12_partitions_come_in_byte_order_in_pages(on: Trial) -> Checked {
    let store = on.store();
    let all = ["A", "a", "a/b", "ab", "b", "é"];
    for name in all.iter().rev() {
        store.create(&DocKey::new(name, "x")?, number(1)?).await?;
        store.create(&DocKey::new(name, "y")?, number(1)?).await?;
    }
    check_eq!(names(&store.partitions(None, 100).await?), all, "all of them");
    check_eq!(names(&store.partitions(None, 2).await?), all[..2], "the first two");
    for (n, name) in all.iter().enumerate() {
        let after = store.partitions(Some(&partition(name)?), 2).await?;
        let rest = &all[n + 1..];
        check_eq!(names(&after), rest[..rest.len().min(2)], "after {name}");
    }
    let between = store.partitions(Some(&partition("aa")?), 10).await?;
    check_eq!(names(&between), ["ab", "b", "é"], "after a name that is not there");
    Ok(())
}

pub(crate) async fn a_partition_without_documents_is_none(on: Trial) -> Checked {
    let store = on.store();
    let (p, q) = (DocKey::new("p", "a")?, DocKey::new("q", "a")?);
    store.create(&p, number(1)?).await?;
    store.create(&q, number(1)?).await?;
    store.delete_(&p).await?;
    check_eq!(names(&store.partitions(None, 10).await?), ["q"], "the partitions");
    check_eq!(names(&store.partitions(None, 1).await?), ["q"], "the first partition");
    store.create(&p, number(1)?).await?;
    check_eq!(names(&store.partitions(None, 10).await?), ["p", "q"], "the partitions");
    Ok(())
}

pub(crate) async fn s15_w22_a_count_is_as_fresh_as_a_read(on: Trial) -> Checked {
    let store = on.store();
    let q = DocKey::new("q", "a")?;
    for n in 0..3 {
        store.create(&key(&format!("d{n}"))?, number(n)?).await?;
        check_eq!(store.count(&scope(P)?).await?, n + 1, "the count after a create");
    }
    store.put_(&key("d0")?, number(7)?).await?;
    check_eq!(store.count(&scope(P)?).await?, 3, "the count after a replace");
    store.create(&q, number(1)?).await?;
    store.delete_(&key("d1")?).await?;
    check_eq!(store.count(&scope(P)?).await?, 2, "the count after a delete");
    check_eq!(store.count(&Scope::All).await?, 3, "the count of all");
    check_eq!(store.count(&scope("none")?).await?, 0, "the count of nothing");
    Ok(())
}

pub(crate) async fn names_of_ours_are_left_out(on: Trial) -> Checked {
    let store = on.store();
    let ours = [DocKey::internal(P, "ifmatch.x")?, DocKey::internal("ifmatch.locks", "a")?];
    let token = store.change_token(&Scope::All).await?;
    for key in &ours {
        store.create(key, number(1)?).await?;
        store.holds(key, &number(1)?).await?;
    }
    for near in ["ifmatch", "ifmatch/", "ifmatch-", "ifmatchx"] {
        store.create(&key(near)?, number(1)?).await?;
    }
    let all = ["ifmatch", "ifmatch-", "ifmatch/", "ifmatchx"];
    check_eq!(store.ids(P, ScanOptions::default()).await?, all, "a scan");
    check_eq!(store.ids(P, ScanOptions::default().limit(1)).await?, all, "a scan in pages");
    let mut asked = ScanOptions::default();
    asked.with_reserved = true;
    check_eq!(store.ids(P, asked).await?.len(), 5, "a scan that asks for ours");
    check_eq!(names(&store.partitions(None, 10).await?), [P], "the partitions");
    check_eq!(store.count(&Scope::All).await?, 4, "the count of all");
    check_eq!(store.count(&scope(P)?).await?, 4, "the count of the partition");
    check_eq!(store.count_where(&Scope::All, &Filter::Everything).await?, 4, "the count by filter");
    let page = store.query(&Scope::All, &Query::default()).await?;
    check_eq!(page.documents.len(), 4, "what a query finds");
    let (told, _) = store.told(&Scope::All, Some(&token), 10).await?;
    check_eq!(told.len(), 4, "what the feed tells: {:?}", shape(&told));
    store.delete_(&ours[0]).await?;
    let (told, _) = store.told(&scope(P)?, None, 10).await?;
    check!(told.iter().all(|change| !change.key().id.is_reserved()), "the feed tells of ours");
    Ok(())
}
