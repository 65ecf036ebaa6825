//! Clauses 3 and 4: what is deleted.

use ifmatch_core::{Current, Precondition, Version};

use crate::suite::trial::{Checked, Trial, conflict_with, invalid};

pub(crate) async fn a_deleted_blob_is_absent(on: Trial) -> Checked {
    let key = on.key("blob")?;
    on.create(&key, "body").await?;
    on.delete(&key).await?;
    on.is_absent(&key).await?;
    check_eq!(on.list("", None).await?, Vec::<String>::new(), "the listing after the delete");
    Ok(())
}

pub(crate) async fn a_delete_of_a_missing_blob_succeeds(on: Trial) -> Checked {
    let key = on.key("missing")?;
    on.delete(&key).await?;
    on.create(&key, "body").await?;
    on.delete(&key).await?;
    on.delete(&key).await
}

pub(crate) async fn a_delete_under_if_absent_is_invalid(on: Trial) -> Checked {
    let key = on.key("blob")?;
    on.create(&key, "body").await?;
    let answer = on.store().delete(&key, Precondition::IfAbsent).await;
    invalid(answer, "a delete under if-absent")?;
    on.body_is(&key, b"body").await
}

pub(crate) async fn a_delete_leaves_its_neighbours(on: Trial) -> Checked {
    let names = ["a", "a/b", "a/bc", "ab", "b"];
    for name in names {
        on.create(&on.key(name)?, name).await?;
    }
    on.delete(&on.key("a/b")?).await?;
    on.delete(&on.key("a")?).await?;
    check_eq!(on.sorted("").await?, ["a/bc", "ab", "b"], "what is left");
    on.body_is(&on.key("a/bc")?, b"a/bc").await
}

pub(crate) async fn a_delete_at_the_current_version_is_applied(on: Trial) -> Checked {
    let key = on.key("blob")?;
    on.create(&key, "body").await?;
    let version = on.head(&key).await?.version;
    on.store().delete(&key, Precondition::IfMatch(version)).await?;
    on.is_absent(&key).await
}

pub(crate) async fn a_delete_at_a_stale_version_is_a_conflict_and_deletes_nothing(
    on: Trial,
) -> Checked {
    let key = on.key("blob")?;
    let first = on.create(&key, "first").await?;
    let second = on.overwrite(&key, "second").await?;
    let expected = Precondition::IfMatch(first.version);
    let answer = on.store().delete(&key, expected.clone()).await;
    conflict_with(answer, &key, &expected, &Current::Present(second.version))?;
    on.body_is(&key, b"second").await
}

pub(crate) async fn a_conditional_delete_of_a_missing_blob_is_a_conflict(on: Trial) -> Checked {
    let (there, missing) = (on.key("there")?, on.key("missing")?);
    let expected = Precondition::IfMatch(on.create(&there, "body").await?.version);
    let answer = on.store().delete(&missing, expected.clone()).await;
    conflict_with(answer, &missing, &expected, &Current::Absent)
}

pub(crate) async fn a_delete_at_a_weak_version_is_invalid(on: Trial) -> Checked {
    let key = on.key("blob")?;
    on.create(&key, "body").await?;
    let weak = Precondition::IfMatch(Version::from_etag("W/\"1\""));
    invalid(on.store().delete(&key, weak).await, "a delete at a weak version")?;
    on.body_is(&key, b"body").await
}
