//! Clauses 3 and 4: what is replaced, and by whom.

use ifmatch_core::{Current, Precondition, Version};

use crate::suite::trial::{Checked, Trial, conflict, conflict_with, invalid};

pub(crate) async fn an_update_at_the_current_version_is_applied(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let first = on.create(&key, "first").await?;
    let second = on.update(&key, "second", &first.version).await?;
    check!(second.version != first.version, "another body has the same version");
    on.body_is(&key, b"second").await?;
    check_eq!(on.head(&key).await?.version, second.version, "the version after the update");
    Ok(())
}

pub(crate) async fn a_stale_update_is_a_conflict_and_changes_nothing(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let first = on.create(&key, "first").await?;
    let second = on.update(&key, "second", &first.version).await?;
    let late = on.update(&key, "late", &first.version).await;
    let expected = Precondition::IfMatch(first.version);
    conflict_with(late, &key, &expected, &Current::Present(second.version.clone()))?;
    on.body_is(&key, b"second").await?;
    check_eq!(on.head(&key).await?.version, second.version, "the version after the conflict");
    Ok(())
}

pub(crate) async fn an_update_of_a_missing_blob_is_a_conflict_and_creates_nothing(
    on: Trial,
) -> Checked {
    let (there, missing) = (on.key("there")?, on.key("missing")?);
    let version = on.create(&there, "body").await?.version;
    let answer = on.update(&missing, "body", &version).await;
    conflict_with(answer, &missing, &Precondition::IfMatch(version), &Current::Absent)?;
    on.is_absent(&missing).await
}

pub(crate) async fn an_update_of_a_deleted_blob_is_a_conflict_and_creates_nothing(
    on: Trial,
) -> Checked {
    let key = on.key("blob")?;
    let version = on.create(&key, "body").await?.version;
    on.delete(&key).await?;
    let answer = on.update(&key, "late", &version).await;
    conflict_with(answer, &key, &Precondition::IfMatch(version), &Current::Absent)?;
    on.is_absent(&key).await
}

pub(crate) async fn an_update_at_a_weak_version_is_invalid(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let first = on.create(&key, "first").await?;
    let weak = Version::from_etag(&format!("W/\"{}\"", first.version.etag().unwrap_or("1")));
    invalid(on.update(&key, "second", &weak).await, "an update at a weak version")?;
    on.body_is(&key, b"first").await
}

pub(crate) async fn each_update_builds_on_the_answer_of_the_last(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let mut version = on.create(&key, "0").await?.version;
    for round in 1..=10 {
        version = on.update(&key, round.to_string(), &version).await?.version;
    }
    on.body_is(&key, b"10").await
}

pub(crate) async fn an_update_may_build_on_the_version_of_a_get_or_a_head(on: Trial) -> Checked {
    let key = on.key("blob")?;
    on.create(&key, "first").await?;
    let read = on.get(&key).await?.info.version;
    on.update(&key, "second", &read).await?;
    let asked = on.head(&key).await?.version;
    on.update(&key, "third", &asked).await?;
    on.body_is(&key, b"third").await
}

pub(crate) async fn the_version_in_a_conflict_is_one_to_build_on(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let first = on.create(&key, "first").await?;
    on.update(&key, "second", &first.version).await?;
    let late = conflict(on.update(&key, "late", &first.version).await, "a stale update")?;
    let Current::Present(version) = late.current else {
        check!(false, "the conflict says {:?}, but a blob is there", late.current);
        return Ok(());
    };
    on.update(&key, "rebased", &version).await?;
    on.body_is(&key, b"rebased").await
}

pub(crate) async fn an_overwrite_replaces_whatever_is_there(on: Trial) -> Checked {
    let key = on.key("blob")?;
    on.create(&key, "first").await?;
    let second = on.overwrite(&key, "second").await?;
    on.body_is(&key, b"second").await?;
    check_eq!(on.head(&key).await?.version, second.version, "the version after the overwrite");
    Ok(())
}

pub(crate) async fn an_overwrite_creates_what_is_missing(on: Trial) -> Checked {
    let key = on.key("blob")?;
    on.overwrite(&key, "body").await?;
    on.body_is(&key, b"body").await
}

pub(crate) async fn an_update_that_changes_nothing_is_a_write(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let first = on.create(&key, "same").await?;
    let second = on.update(&key, "same", &first.version).await?;
    let info = on.head(&key).await?;
    check_eq!(info.version, second.version, "the version of the same bytes written again");
    let (was, is) = (first.version.written_by(), info.version.written_by());
    check!(was != is, "both writes of the same bytes carry the write id {is:?}");
    Ok(())
}

pub(crate) async fn a_longer_and_a_shorter_body_replace_the_whole(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let bodies = ["short", "quite a bit longer than before", "s", ""];
    on.create(&key, "first").await?;
    for body in bodies {
        on.overwrite(&key, body).await?;
        on.body_is(&key, body.as_bytes()).await?;
        check_eq!(on.head(&key).await?.size, body.len() as u64, "the size of {body:?}");
    }
    Ok(())
}
