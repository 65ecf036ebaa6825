//! The feed, marks and the record of changes, where transactions end in another
//! order than they began; and what is forgotten.

use std::time::Duration;

use ifmatch_meta::{
    Change, ChangeToken, DocId, DocPrecondition, MetaStore, Op, ScanOptions, Scope,
};
use ifmatch_sql::PostgresMetaStore;
use ifmatch_sql::sqlx::Executor;

use crate::harness::{Cases, Place, key, number, partition, pause, scope};

pub(crate) fn add(cases: &mut Cases) {
    cases.add("history::a_slow_transaction_delays_the_feed_and_nothing_is_skipped", slow);
    cases.add("history::a_token_of_now_does_not_skip_a_slow_transaction", token_of_now);
    cases.add("history::a_mark_knows_what_was_not_over", a_mark_knows_what_was_not_over);
    cases.add("history::several_writes_of_one_transaction_are_told_in_order", several_writes);
    cases.add("history::old_deletions_are_forgotten", old_deletions_are_forgotten);
    cases.add("history::c11_old_records_are_forgotten", old_records_are_forgotten);
    cases.add("history::a_notice_wakes_who_waits", a_notice_wakes_who_waits);
}

async fn impatient(place: &Place) -> PostgresMetaStore {
    place.open_with(place.options().patience(Duration::ZERO).audit(true)).await
}

async fn told(
    store: &PostgresMetaStore,
    scope: &Scope,
    since: Option<&ChangeToken>,
) -> (Vec<String>, ChangeToken, bool) {
    let page = store.changes(scope, since, 100).await.unwrap();
    let ids = page.changes.iter().map(|change| change.key().id.to_string());
    (ids.collect(), page.next, page.more)
}

/// Whoever began first and commits last is told first.
async fn slow(place: Place) {
    let store = impatient(&place).await;
    for (scope, name) in [(scope(), "slow"), (Scope::All, "slower")] {
        let (_, start, _) = told(&store, &scope, None).await;
        let mut slow = place.open_put(name).await;
        store.put(&key("fast"), number(1), DocPrecondition::Overwrite).await.unwrap();
        store.delete(&key("fast"), DocPrecondition::Overwrite).await.unwrap();
        let (ids, middle, more) = told(&store, &scope, Some(&start)).await;
        assert_eq!((ids.len(), more), (0, true), "something follows, but is not told yet");
        let records = store.audit(&partition(), None, 100).await.unwrap();
        assert!(records.iter().all(|record| record.id.as_str() != name));
        slow.execute("COMMIT").await.unwrap();
        for since in [&start, &middle] {
            let (ids, _, more) = settled(&store, &scope, since, 2).await;
            assert_eq!((ids, more), (vec![name.to_owned(), "fast".to_owned()], false));
        }
        let records = store.audit(&partition(), None, 100).await.unwrap();
        let positions: Vec<_> = records.iter().map(|record| record.at).collect();
        assert!(positions.is_sorted() && records.iter().any(|r| r.id.as_str() == name));
    }
}

/// What is told once so much is: other cases have transactions too.
async fn settled(
    store: &PostgresMetaStore,
    scope: &Scope,
    since: &ChangeToken,
    count: usize,
) -> (Vec<String>, ChangeToken, bool) {
    for _ in 0..500 {
        let told = told(store, scope, Some(since)).await;
        if told.0.len() >= count && !told.2 {
            return told;
        }
        pause(Duration::from_millis(10)).await;
    }
    panic!("the feed does not go on");
}

async fn token_of_now(place: Place) {
    let store = impatient(&place).await;
    let mut slow = place.open_put("slow").await;
    store.put(&key("fast"), number(1), DocPrecondition::IfAbsent).await.unwrap();
    let token = store.change_token(&scope()).await.unwrap();
    slow.execute("COMMIT").await.unwrap();
    let (ids, ..) = settled(&store, &scope(), &token, 1).await;
    assert!(ids.contains(&"slow".to_owned()), "{ids:?}");
}

async fn a_mark_knows_what_was_not_over(place: Place) {
    let store = place.open().await;
    store.put(&key("a"), number(1), DocPrecondition::IfAbsent).await.unwrap();
    let mut slow = place.open_put("slow").await;
    store.put(&key("fast"), number(1), DocPrecondition::IfAbsent).await.unwrap();
    let page = store.scan(&partition(), ScanOptions::default()).await.unwrap();
    assert_eq!(page.documents.len(), 2);
    let since = page.mark;
    // It waits for the writer that is under way, and hears of it.
    let batch = {
        let (store, since) = (store.clone(), since.clone());
        let put = Op::put(DocId::new("b").unwrap(), number(1), DocPrecondition::IfAbsent);
        let ops = vec![Op::Unchanged { since }, put];
        tokio::spawn(async move { store.batch(&partition(), ops).await })
    };
    pause(Duration::from_millis(100)).await;
    assert!(!batch.is_finished(), "a batch is judged before a writer under way has ended");
    slow.execute("COMMIT").await.unwrap();
    assert_eq!(batch.await.unwrap().unwrap_err().kind(), "conflict");
    assert!(store.get(&key("b")).await.unwrap().is_none());
    let since = store.scan(&partition(), ScanOptions::default().limit(1)).await.unwrap().mark;
    let mut slow = place.open_put("slow").await;
    slow.execute("ROLLBACK").await.unwrap();
    store.batch(&partition(), vec![Op::Unchanged { since }]).await.unwrap();
}

async fn several_writes(place: Place) {
    let store = impatient(&place).await;
    let start = store.change_token(&scope()).await.unwrap();
    let mut raw = place.open_put("c").await;
    for id in ["a", "b", "a"] {
        place.put_in(&mut raw, id).await;
    }
    raw.execute("COMMIT").await.unwrap();
    let (ids, ..) = settled(&store, &scope(), &start, 3).await;
    assert_eq!(ids, ["c", "b", "a"]);
    let records = store.audit(&partition(), None, 100).await.unwrap();
    let ordinals: Vec<_> = records.iter().map(|record| record.at.ordinal).collect();
    assert_eq!(ordinals, [0, 1, 2, 3]);
}

/// As if so many days had passed.
const AGE: &str = "UPDATE schema.tombstones SET recorded = recorded - interval '8 days';
    UPDATE schema.audit SET recorded = recorded - interval '8 days';
    UPDATE schema.store SET trim_after = clock_timestamp() - interval '1 second'";

async fn old_deletions_are_forgotten(place: Place) {
    let store = place.open().await;
    for id in ["kept", "gone", "later"] {
        store.put(&key(id), number(1), DocPrecondition::IfAbsent).await.unwrap();
    }
    let before = store.change_token(&scope()).await.unwrap();
    let mark = store.scan(&partition(), ScanOptions::default()).await.unwrap().mark;
    store.delete(&key("gone"), DocPrecondition::IfExists).await.unwrap();
    place.execute(AGE).await;
    // Old, but among the last 1,000: told all the same.
    store.delete(&key("later"), DocPrecondition::IfExists).await.unwrap();
    let page = store.changes(&scope(), Some(&before), 10).await.unwrap();
    assert_eq!(page.changes.len(), 2);
    let after = store.change_token(&scope()).await.unwrap();
    let more = "INSERT INTO schema.tombstones (partition, id, etag, position, ordinal, deleted_at)
        SELECT 'q', n::text, '1-000000000000000000000000', t.position + n, 0, 0
        FROM generate_series(1, 999) n, (SELECT max(position) AS position FROM schema.tombstones) t";
    place.execute(more).await;
    // As if its transactions had been: positions never lie beyond the newest.
    place.execute("DO $$ BEGIN FOR n IN 1..1100 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$").await;
    place.execute(AGE).await;
    store.delete(&key("kept"), DocPrecondition::IfExists).await.unwrap();
    let error = store.changes(&scope(), Some(&before), 10).await.unwrap_err();
    assert_eq!(error.kind(), "token_expired", "{error}");
    let page = store.changes(&scope(), Some(&after), 10).await.unwrap();
    let ids: Vec<_> = page.changes.iter().map(|change| change.key().id.as_str()).collect();
    assert_eq!(ids, ["kept"], "what is told after what was forgotten");
    // From the beginning page by page, though it begins before what was forgotten.
    store.put(&key("new"), number(1), DocPrecondition::IfAbsent).await.unwrap();
    let mut page = store.changes(&scope(), None, 1).await.unwrap();
    let mut seen = page.changes;
    while page.more {
        page = store.changes(&scope(), Some(&page.next), 1).await.unwrap();
        seen.extend(page.changes);
    }
    assert!(matches!(seen.last(), Some(Change::Written { .. })), "{seen:?}");
    let error = store.batch(&partition(), vec![Op::Unchanged { since: mark }]).await.unwrap_err();
    assert_eq!(error.kind(), "conflict", "a mark outlives what it would have to know");
}

async fn old_records_are_forgotten(place: Place) {
    let store = place.open_with(place.options().audit(true)).await;
    store.put(&key("a"), number(1), DocPrecondition::IfAbsent).await.unwrap();
    let first = store.audit(&partition(), None, 10).await.unwrap()[0].at;
    for n in 0..1_001 {
        store.put(&key("b"), number(n), DocPrecondition::Overwrite).await.unwrap();
    }
    place.execute(AGE).await;
    store.put(&key("c"), number(1), DocPrecondition::IfAbsent).await.unwrap();
    let records = store.audit(&partition(), None, 2_000).await.unwrap();
    assert_eq!(records.len(), 1_000, "the last 1,000 commits");
    let before = ifmatch_meta::AuditPosition { position: first.position - 1, ordinal: 0 };
    let error = store.audit(&partition(), Some(before), 10).await.unwrap_err();
    assert_eq!(error.kind(), "token_expired", "{error}");
}

async fn a_notice_wakes_who_waits(place: Place) {
    let (store, other) = (place.open().await, place.open().await);
    store.put(&key("a"), number(1), DocPrecondition::IfAbsent).await.unwrap();
    let token = store.change_token(&scope()).await.unwrap();
    let waiting = {
        let (store, token) = (store.clone(), token.clone());
        let at_most = Duration::from_secs(30);
        tokio::spawn(async move { store.wait_for_change(&scope(), &token, at_most).await })
    };
    pause(Duration::from_millis(500)).await;
    assert!(!waiting.is_finished(), "nothing has changed");
    other
        .put(&ifmatch_meta::DocKey::new("q", "a").unwrap(), number(1), DocPrecondition::IfAbsent)
        .await
        .unwrap();
    other.put(&key("b"), number(1), DocPrecondition::IfAbsent).await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("a notice").unwrap();
    // What changed before is no reason to wait.
    let at_most = Duration::from_secs(30);
    let now = store.change_token(&Scope::All).await.unwrap();
    store.wait_for_change(&Scope::All, &now, Duration::from_millis(50)).await;
    let scope = scope();
    let past = store.wait_for_change(&scope, &token, at_most);
    tokio::time::timeout(Duration::from_secs(10), past).await.expect("no wait");
}
