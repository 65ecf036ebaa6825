//! Clauses 3 and 4: what is created, once.

use ifmatch_core::{Current, Error, Precondition};

use crate::suite::Failure;
use crate::suite::case::TRIED_LIMIT;
use crate::suite::trial::{Checked, Trial, conflict_with};

pub(crate) async fn a_created_blob_is_read_back(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let stored = on.create(&key, "body").await?;
    let found = on.get(&key).await?;
    check_eq!(&found.body[..], b"body", "the body read back");
    check_eq!(found.info.version, stored.version, "the version read back");
    check_eq!(found.info.key, key, "the key read back");
    Ok(())
}

pub(crate) async fn a_second_create_is_a_conflict_and_changes_nothing(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let first = on.create(&key, "first").await?;
    let second = on.store().put(&key, "second".into(), Precondition::IfAbsent).await;
    let there = Current::Present(first.version.clone());
    conflict_with(second, &key, &Precondition::IfAbsent, &there)?;
    on.body_is(&key, b"first").await?;
    check_eq!(on.head(&key).await?.version, first.version, "the version after the conflict");
    Ok(())
}

pub(crate) async fn a_second_create_with_the_same_body_is_a_conflict(on: Trial) -> Checked {
    let key = on.key("blob")?;
    let first = on.create(&key, "same").await?;
    let second = on.store().put(&key, "same".into(), Precondition::IfAbsent).await;
    conflict_with(second, &key, &Precondition::IfAbsent, &Current::Present(first.version))
}

pub(crate) async fn a_deleted_blob_can_be_created_again(on: Trial) -> Checked {
    let key = on.key("blob")?;
    on.create(&key, "first").await?;
    on.delete(&key).await?;
    let again = on.create(&key, "again").await?;
    on.body_is(&key, b"again").await?;
    check_eq!(on.head(&key).await?.version, again.version, "the version of the new blob");
    Ok(())
}

pub(crate) async fn an_empty_body_is_a_blob(on: Trial) -> Checked {
    let key = on.key("empty")?;
    on.create(&key, "").await?;
    on.body_is(&key, b"").await?;
    check_eq!(on.head(&key).await?.size, 0, "the size of an empty blob");
    let second = on.store().put(&key, "x".into(), Precondition::IfAbsent).await;
    check!(second.is_err(), "an empty blob was taken for no blob");
    Ok(())
}

pub(crate) async fn a_body_of_any_bytes_comes_back(on: Trial) -> Checked {
    let key = on.key("bytes")?;
    let body: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
    on.create(&key, body.clone()).await?;
    on.body_is(&key, &body).await
}

/// `size` bytes without a period that a part or a page could have.
fn long(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_le_bytes()[3]
    };
    (0..size).map(|_| next()).collect()
}

async fn comes_back(on: Trial, size: usize) -> Checked {
    let (key, body) = (on.key("long")?, long(size));
    if size as u64 > on.store().capabilities().max_body {
        return is_too_large(&on, size).await;
    }
    let stored = on.create(&key, body.clone()).await?;
    on.body_is(&key, &body).await?;
    let info = on.head(&key).await?;
    check_eq!(info.size, size as u64, "the size of a long blob");
    check_eq!(info.version, stored.version, "the version of a long blob");
    let mut other = body;
    other.reverse();
    on.store().put(&key, other.clone().into(), Precondition::Overwrite).await?;
    on.body_is(&key, &other).await
}

pub(crate) async fn a_body_of_one_mebibyte_and_a_byte_is_whole(on: Trial) -> Checked {
    comes_back(on, (1 << 20) + 1).await
}

pub(crate) async fn a_body_of_nine_mebibytes_is_whole(on: Trial) -> Checked {
    comes_back(on, 9 << 20).await
}

async fn is_too_large(on: &Trial, size: usize) -> Checked {
    let key = on.key("too-large")?;
    match on.store().put(&key, vec![0; size].into(), Precondition::Overwrite).await {
        Err(Error::TooLarge { limit, .. }) => {
            check_eq!(limit, on.store().capabilities().max_body, "the limit that is named");
        }
        Err(error) => return Err(Failure::from(error).during("a body above the limit")),
        Ok(_) => return Err(Failure::new("a body above the limit was accepted")),
    }
    on.is_absent(&key).await
}

pub(crate) async fn a_body_above_the_limit_is_too_large(on: Trial) -> Checked {
    let limit = on.store().capabilities().max_body.min(TRIED_LIMIT);
    is_too_large(&on, usize::try_from(limit + 1)?).await
}
