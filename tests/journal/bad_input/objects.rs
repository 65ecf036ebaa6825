//! Segments, parts of checkpoints and nodes of the history that are missing or
//! damaged.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::TryStreamExt;
use ifmatch_journal::kv::KeyValue;
use ifmatch_journal::{Error, Freshness, Journal, Options, Place};

use super::refusal::will_not_open;
use super::shelf::Shelf;
use crate::bench::{Bench, Kv, add, quick, quick_create};

pub(crate) async fn a_missing_object_is_named_and_nothing_else() {
    let shelf = Shelf::new().await;
    assert_eq!(shelf.damaged().await, Vec::<String>::new());
    let (mut asked, mut found) = (BTreeSet::new(), BTreeSet::new());
    for (at, (key, right)) in shelf.objects.iter().enumerate() {
        if at % 3 > 0 && key.starts_with("segments/") {
            continue;
        }
        asked.insert(key.clone());
        shelf.bench.remove(key).await;
        let damaged = shelf.damaged().await;
        shelf.bench.write(key, right.clone()).await;
        if !damaged.is_empty() {
            assert_eq!(damaged, std::slice::from_ref(key), "{key} is missing, and nothing else");
            found.insert(key.clone());
        }
    }
    let named = shelf.named.intersection(&asked).cloned().collect();
    assert_eq!(found, named, "whatever is named is verified");
    assert_eq!(shelf.damaged().await, Vec::<String>::new());
}

pub(crate) async fn a_damaged_object_is_named_and_nothing_else() {
    let shelf = Shelf::new().await;
    for (at, (key, right)) in shelf.objects.iter().enumerate() {
        let few = at % 27 == 0 || !key.starts_with("segments/");
        if !few || !shelf.named.contains(key) {
            continue;
        }
        let neighbour = &shelf.objects[(at + 1) % shelf.objects.len()].1;
        let mut flipped = right.to_vec();
        flipped[right.len() * (at % 7) / 7] ^= 1 << (at % 8);
        let longer = [right, &b"\0"[..]].concat();
        for (what, bytes) in [
            ("empty", Vec::new()),
            ("cut", right[..right.len() - 1].to_vec()),
            ("cut in the middle", right[..right.len() / 2].to_vec()),
            ("flipped", flipped),
            ("longer", longer),
            ("another's", neighbour.to_vec()),
            ("foreign", vec![b'x'; right.len()]),
        ] {
            shelf.bench.write(key, bytes).await;
            let damaged = shelf.verify().await.damaged;
            shelf.bench.write(key, right.clone()).await;
            let keys: Vec<_> = damaged.iter().map(|at| at.key.clone()).collect();
            assert_eq!(keys, std::slice::from_ref(key), "{what}: {damaged:?}");
        }
    }
    assert_eq!(shelf.damaged().await, Vec::<String>::new());
}

pub(crate) async fn an_open_handle_needs_no_object_that_is_missing() {
    let shelf = Shelf::new().await;
    let reader = shelf.bench.open(quick()).await.unwrap();
    let before = shelf.journal.read(Freshness::Cached).await.unwrap();
    for (key, _) in &shelf.objects {
        shelf.bench.remove(key).await;
    }
    let number = before.state().number("n").unwrap();
    for added in 1..60 {
        // The tail overflows again and again, and maintenance is due.
        add(&shelf.journal, 1).await;
        let read = reader.read(Freshness::Strong).await.unwrap();
        assert_eq!(read.state().number("n"), Some(number + added));
    }
    assert!(shelf.journal.totals().object_puts > 0);
    will_not_open(&shelf.bench, quick(), "not_found", "without its objects").await;
    for (key, right) in &shelf.objects {
        shelf.bench.write(key, right.clone()).await;
    }
    shelf.journal.checkpoint().await.unwrap();
    let other = shelf.bench.open(quick()).await.unwrap();
    let (here, there) = (
        shelf.journal.read(Freshness::Strong).await.unwrap(),
        other.read(Freshness::Strong).await.unwrap(),
    );
    assert_eq!(here.state(), there.state());
    assert_eq!(shelf.damaged().await, Vec::<String>::new());
}

/// Whoever needs an object that is missing or damaged says which it is; whoever
/// does not need it is not disturbed.
pub(crate) async fn a_reader_names_the_object_that_it_misses() {
    let shelf = Shelf::new().await;
    let newest = shelf.journal.seen().commit;
    for (at, (key, right)) in shelf.objects.iter().enumerate() {
        if !shelf.named.contains(key) || at % 3 > 0 && key.starts_with("segments/") {
            continue;
        }
        // A reader that has the state, and nothing else yet.
        let reader = shelf.bench.open(quick()).await.unwrap();
        let kind = if at % 2 == 0 { "not_found" } else { "corrupt" };
        if at % 2 == 0 {
            shelf.bench.remove(key).await;
        } else {
            shelf.bench.write(key, right.slice(1..)).await;
        }
        let errors = everything(&shelf, &reader).await;
        shelf.bench.write(key, right.clone()).await;
        assert!(!errors.is_empty(), "nobody needs {key}");
        for error in errors {
            assert_eq!(error.kind(), kind, "{key}: {error}");
            assert!(error.to_string().contains(key), "{key} is not named by: {error}");
        }
        let now = reader.read(Freshness::Strong).await.unwrap();
        assert_eq!(now.commit(), newest);
    }
    assert!(everything(&shelf, &shelf.bench.open(quick()).await.unwrap()).await.is_empty());
}

/// The errors of opening, of the log and of every checkpoint's state.
async fn everything(shelf: &Shelf, reader: &Kv) -> Vec<Error> {
    let mut errors = Vec::new();
    errors.extend(shelf.bench.open(quick()).await.err());
    errors.extend(reader.log(0).try_collect::<Vec<_>>().await.err());
    for seq in &shelf.checkpoints {
        errors.extend(reader.state_at(*seq).await.err());
    }
    errors
}

pub(crate) async fn an_object_of_a_partition_is_named_by_its_whole_key() {
    let bench = Bench::new(1);
    let open = |options: Options| {
        Journal::open_at(bench.store(), Place::partition("eu").unwrap(), KeyValue, options)
    };
    let journal = open(quick_create().tail(64)).await.unwrap();
    add(&journal, 5).await;
    let contents = bench.contents().await;
    let (key, (_, right)) = contents.iter().find(|(key, _)| key.contains("/segments/")).unwrap();
    assert!(key.starts_with("data/eu/segments/"), "{key}");
    bench.remove(key).await;
    let missing = open(quick()).await.unwrap_err();
    assert_eq!(missing.kind(), "not_found");
    assert!(missing.to_string().contains(key), "{missing}");
    bench.write(key, right.slice(1..)).await;
    let place = Place::partition("eu").unwrap();
    let verified = ifmatch_journal::verify(Arc::clone(&bench.bare), place).await.unwrap();
    assert_eq!(verified.damaged.iter().map(|at| &at.key).collect::<Vec<_>>(), [key]);
    let corrupt = open(quick()).await.unwrap_err();
    assert_eq!(corrupt.kind(), "corrupt");
    assert!(corrupt.to_string().contains(key), "{corrupt} names {key}");
}
