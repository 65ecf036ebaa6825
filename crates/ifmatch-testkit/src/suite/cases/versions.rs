//! Clause 5: versions.

use std::collections::BTreeSet;

use ifmatch_core::{Current, Precondition, Version, Versions};

use crate::suite::Failure;
use crate::suite::trial::{Checked, Trial, conflict, conflict_with};

pub(crate) async fn a_printed_version_parses_back_and_matches(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let version = on.create(&key, "first").await?.version;
    let token = version.to_string();
    check!(!token.is_empty(), "a version prints as nothing");
    check!(!token.contains(char::is_whitespace), "{token:?} is not one word");
    let parsed: Version = token.parse()?;
    check_eq!(parsed, version, "the version parsed from {token:?}");
    on.update(&key, "second", &parsed).await?;
    let late = on.update(&key, "late", &parsed).await;
    conflict(late, "an update at a parsed version that is stale")?;
    on.body_is(&key, b"second").await
}

pub(crate) async fn a_version_survives_serde_with_its_write(on: Trial) -> Checked {
    let key = on.key("blob")?;
    on.create(&key, "first").await?;
    let version = on.head(&key).await?.version;
    let text = serde_json::to_string(&version)?;
    let back: Version = serde_json::from_str(&text)?;
    check_eq!(back, version, "the version read from {text}");
    check_eq!(back.written_by(), version.written_by(), "the write in {text}");
    on.update(&key, "second", &back).await?;
    on.body_is(&key, b"second").await
}

pub(crate) async fn other_bytes_have_another_version(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let mut seen = BTreeSet::from([on.create(&key, "0").await?.version.to_string()]);
    for round in 1..=20 {
        let version = on.overwrite(&key, round.to_string()).await?.version;
        check!(seen.insert(version.to_string()), "round {round} has version {version} again");
        check_eq!(on.head(&key).await?.version, version, "the version of round {round}");
    }
    Ok(())
}

pub(crate) async fn a_version_never_returns(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let first = on.create(&key, "A").await?.version;
    let other = on.overwrite(&key, "B").await?.version;
    let again = on.overwrite(&key, "A").await?.version;
    check!(first != again && other != again, "the same bytes have version {again} again");
    let late = on.update(&key, "late", &first).await;
    conflict_with(late, &key, &Precondition::IfMatch(first), &Current::Present(again))?;
    on.body_is(&key, b"A").await
}

pub(crate) async fn a_recreated_blob_has_another_version(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let mut seen = BTreeSet::new();
    for round in 0..5 {
        let version = on.create(&key, "same").await?.version;
        check!(seen.insert(version.to_string()), "round {round} has version {version} again");
        on.delete(&key).await?;
    }
    let first = seen.first().ok_or_else(|| Failure::new("no version"))?.parse()?;
    on.create(&key, "same").await?;
    conflict(on.update(&key, "late", &first).await, "an update at a version of another life")?;
    on.body_is(&key, b"same").await
}

pub(crate) async fn equal_bytes_of_two_writes_are_told_apart_by_their_write(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let first = on.create(&key, "A").await?.version;
    on.overwrite(&key, "B").await?;
    on.overwrite(&key, "A").await?;
    let again = on.head(&key).await?.version;
    check!(!again.is_same_write(&first), "two writes of equal bytes are taken for one");
    let equal = again == first;
    let by_content = on.store().capabilities().versions == Versions::ByContent;
    check!(by_content || !equal, "a store with unique versions repeats one");
    Ok(())
}

pub(crate) async fn versions_of_two_keys_are_independent(on: Trial) -> Checked {
    let (one, two) = (on.key("one")?, on.key("two")?);
    let first = on.create(&one, "same").await?.version;
    on.create(&two, "same").await?;
    on.overwrite(&two, "other").await?;
    check_eq!(on.head(&one).await?.version, first, "the version beside another key's writes");
    on.delete(&two).await?;
    on.update(&one, "second", &first).await?;
    on.body_is(&one, b"second").await
}
